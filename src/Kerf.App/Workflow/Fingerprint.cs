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

    /// <summary>Hash of a volume's labels, whatever they are stored in.</summary>
    public static string OfLabels(IVolume<byte> labels, Traversal walk)
    {
        var hashes = new string[labels.Info.Size.Z];
        Blocks.ForEachSlice(labels, walk with { Progress = null }, (z, slice) =>
            hashes[z] = Convert.ToHexStringLower(SHA256.HashData(slice.AsSpan(0, (int)labels.Info.Size.SliceCount))));
        return OfText($"{labels.Info.Size} {string.Join('\n', hashes)}");
    }

    /// <summary>Hash of the paths, lengths and times of change of a file, or of all files of a folder; without reading them.</summary>
    public static string OfStamps(string path) => OfText(string.Join('\n', Files(path).Select(Stamp)));

    /// <summary>
    /// SHA-256 of a file, or of a folder's files with their names in ordinal order. A file whose length and time of change are those of an
    /// earlier run is not read again: its hash is taken from <paramref name="memory"/>, a JSON file that this keeps up to date.
    /// </summary>
    /// <exception cref="InputError">There is no such file or folder.</exception>
    public static string OfFiles(string path, string? memory, CancellationToken cancellation)
    {
        var root = Directory.Exists(path) ? path : Path.GetDirectoryName(Path.GetFullPath(path))!;
        var known = memory is not null && File.Exists(memory) ? JsonNode.Parse(File.ReadAllText(memory)) as JsonObject ?? [] : [];
        var changed = false;
        var all = new StringBuilder();
        foreach (var file in Files(path))
        {
            cancellation.ThrowIfCancellationRequested();
            var stamp = Stamp(file);
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

    private static string[] Files(string path) => Directory.Exists(path)
        ? [.. Directory.GetFiles(path, "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal)]
        : File.Exists(path) ? [path] : throw new InputError($"{path}: there is no such file or folder.");

    private static string Stamp(string file)
    {
        var info = new FileInfo(file);
        return $"{info.FullName}|{info.Length}|{info.LastWriteTimeUtc.Ticks}";
    }
}
