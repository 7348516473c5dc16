using System.Diagnostics;
using System.Text.Json.Nodes;

namespace Kerf.Tests;

/// <summary>Runs the program as a user does, in a process of its own.</summary>
public static class KerfProcess
{
    /// <summary>Exit status and both streams.</summary>
    public sealed record Result(int Status, string Output, string Error)
    {
        public JsonObject Json => (JsonObject)JsonNode.Parse(Output)!;
    }

    public static Result Run(string folder, string[] arguments, params (string Name, string Value)[] environment)
    {
        using var process = Start(folder, arguments, environment);
        var output = process.StandardOutput.ReadToEndAsync();
        var error = process.StandardError.ReadToEndAsync();
        process.WaitForExit();
        return new(process.ExitCode, output.Result, error.Result);
    }

    public static Process Start(string folder, string[] arguments, params (string Name, string Value)[] environment)
    {
        // by env, since tests run in the background of a shell would hand their deafness to SIGINT down
        var start = new ProcessStartInfo("env") { WorkingDirectory = folder, RedirectStandardOutput = true, RedirectStandardError = true };
        start.ArgumentList.Add("--default-signal=INT");
        start.ArgumentList.Add("dotnet");
        start.ArgumentList.Add(Path.Combine(AppContext.BaseDirectory, "kerf.dll"));
        foreach (var argument in arguments) start.ArgumentList.Add(argument);
        foreach (var (name, value) in environment) start.Environment[name] = value;
        return Process.Start(start)!;
    }
}

/// <summary>A folder that is gone after the test.</summary>
public sealed class TempFolder : IDisposable
{
    public TempFolder() => Directory.CreateDirectory(Path);

    public string Path { get; } = System.IO.Path.Combine(System.IO.Path.GetTempPath(), "kerf-" + Guid.NewGuid().ToString("n"));

    public string this[string name] => System.IO.Path.Combine(Path, name);

    public void Dispose()
    {
        if (Directory.Exists(Path)) Directory.Delete(Path, recursive: true);
    }
}
