using System.Text.RegularExpressions;
using Xunit;

namespace Kerf.Tests;

/// <summary>The session that the README shows is run, line by line; "…" stands for anything.</summary>
public sealed partial class ReadMeTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void TheShownSessionIsWhatHappens()
    {
        var text = File.ReadAllText(Path.Combine(Repository.Root, "README.md"));
        var session = string.Concat(Blocks().Matches(text).Select(m => m.Groups[1].Value));
        var commands = session.Split("$ ./kerf ", StringSplitOptions.RemoveEmptyEntries);
        Assert.True(commands.Length >= 6);
        foreach (var command in commands)
        {
            var lines = command.TrimEnd('\n').Split('\n');
            var result = KerfProcess.Run(_folder.Path, lines[0].Split(' '));
            Assert.True(result.Status == 0, $"kerf {lines[0]}: {result.Error}");
            var pattern = "^" + string.Join(".*", string.Join('\n', lines[1..]).Split('…').Select(Regex.Escape)) + "$";
            Assert.True(Regex.IsMatch(result.Output.TrimEnd('\n'), pattern, RegexOptions.Singleline), $"kerf {lines[0]} printed\n{result.Output}");
        }
    }

    [GeneratedRegex("```console\n(.*?)```", RegexOptions.Singleline)]
    private static partial Regex Blocks();
}
