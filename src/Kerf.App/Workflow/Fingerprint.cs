using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Kerf.Volumes;

namespace Kerf.App;

/// <summary>Hashes of what a result depends on.</summary>
public static class Fingerprint
{
    /// <summary>SHA-256 of a text, lower-case hex.</summary>
    public static string OfText(string text) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)));

    /// <summary>SHA-256 of names, lengths and times of change of a file or of a folder's files: cheap, and other after a change.</summary>
    public static string OfStamps(string path)
    {
        var root = new DirectoryInfo(path);
        FileInfo[] files = root.Exists ? root.GetFiles("*", SearchOption.AllDirectories) : [new(path)];
        return OfText(string.Join('\n', files.Where(f => f.Exists).OrderBy(f => f.FullName, StringComparer.Ordinal)
            .Select(f => $"{f.FullName}|{f.Length}|{f.LastWriteTimeUtc.Ticks}")));
    }

    /// <summary>
    /// SHA-256 of a file, or of a folder's files with their names in ordinal order. A file whose length and time of change are those of an
    /// earlier run is not read again: its hash is taken from <paramref name="memory"/>, a JSON file that this keeps up to date.
    /// </summary>
    /// <exception cref="InputError">There is no such file or folder.</exception>
    public static string OfFiles(string path, string? memory, CancellationToken cancellation)
    {
        var root = Directory.Exists(path) ? path : Path.GetDirectoryName(path)!;
        var files = Directory.Exists(path)
            ? Directory.GetFiles(path, "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal).ToArray()
            : File.Exists(path) ? [path] : throw new InputError($"{path}: there is no such file or folder.");
        var known = memory is not null && File.Exists(memory) ? JsonNode.Parse(File.ReadAllText(memory)) as JsonObject ?? [] : [];
        var changed = false;
        var all = new StringBuilder();
        foreach (var file in files)
        {
            cancellation.ThrowIfCancellationRequested();
            var info = new FileInfo(file);
            var stamp = $"{info.FullName}|{info.Length}|{info.LastWriteTimeUtc.Ticks}";
            if (known[stamp] is not JsonValue value)
            {
                using var stream = File.OpenRead(file);
                known[stamp] = value = JsonValue.Create(Convert.ToHexStringLower(SHA256.HashData(stream)));
                changed = true;
            }
            all.Append(Path.GetRelativePath(root, file)).Append(' ').Append(value.GetValue<string>()).Append('\n');
        }
        if (changed && memory is not null) AtomicFile.WriteAllText(memory, known.ToJsonString(new JsonSerializerOptions { WriteIndented = true }));
        return OfText(all.ToString());
    }
}
