using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Kerf.Volumes;

/// <summary>
/// Numbers that a step finds slice by slice. Each row is on disk before the slice's voxels are, so that what is found does not depend on whether
/// the run was interrupted: one JSON array a line, the slice first.
/// </summary>
public sealed class SliceNotes : IDisposable
{
    private static readonly JsonSerializerOptions Json = new() { NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals };
    private readonly string? _path;
    private readonly FileStream? _file;
    private readonly double[]?[] _rows;
    private readonly Lock _gate = new();

    /// <summary>Takes up the rows that an interrupted run left.</summary>
    /// <param name="path">The file; null keeps the rows in memory alone.</param>
    /// <param name="slices">Number of slices.</param>
    /// <exception cref="InputError">The file is damaged or cannot be written.</exception>
    public SliceNotes(string? path, int slices)
    {
        (_path, _rows) = (path, new double[]?[slices]);
        if (path is null) return;
        var text = File.Exists(path) ? File.ReadAllText(path) : "";
        // a kill may have cut the last line
        var whole = text[..(text.LastIndexOf('\n') + 1)];
        foreach (var line in whole.Split('\n', StringSplitOptions.RemoveEmptyEntries)) Take(line);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        AtomicFile.WriteAllText(path, whole);
        _file = new(path, FileMode.Append, FileAccess.Write, FileShare.Read, 0);
    }

    /// <summary>Notes the row of a slice; from any thread.</summary>
    /// <exception cref="InputError">The disk is full.</exception>
    public void Set(int z, params double[] row)
    {
        lock (_gate)
        {
            _rows[z] = row;
            try { _file?.Write(Encoding.UTF8.GetBytes(JsonSerializer.Serialize((double[])[z, .. row], Json) + "\n")); }
            catch (Exception exception) when (AtomicFile.Refused(exception))
            {
                throw new InputError($"{_path}: cannot be written ({exception.Message}). Check the space left on the disk.", exception);
            }
        }
    }

    /// <summary>Entry <paramref name="index"/> of each slice's row; 0 where there is no row.</summary>
    public double[] Column(int index) => [.. _rows.Select(row => row?[index] ?? 0)];

    /// <summary>Closes the file.</summary>
    public void Dispose() => _file?.Dispose();

    private void Take(string line)
    {
        try
        {
            if (JsonSerializer.Deserialize<double[]>(line, Json) is [var z, .. var row] && z >= 0 && z < _rows.Length) _rows[(int)z] = row;
        }
        catch (JsonException exception)
        {
            throw new InputError($"{_path}: holds a line that is no list of numbers. Delete the file and the volume beside it that is not complete.", exception);
        }
    }
}
