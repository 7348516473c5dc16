using System.Globalization;

namespace Kerf.Simulation;

/// <summary>
/// How many electrons each tile of an imaging run lost. Kept in a file, a line a tile, so that a run that was interrupted tells the same in the end.
/// </summary>
public sealed class LostElectrons
{
    private readonly string? _file;
    private readonly Dictionary<int, long> _tiles = [];

    /// <summary>Reads what an earlier run left; a line that was cut short does not count.</summary>
    /// <param name="file">The file, which need not be there; null to keep it in memory.</param>
    public LostElectrons(string? file)
    {
        _file = file;
        if (file is null || !File.Exists(file)) return;
        foreach (var line in File.ReadAllText(file).Split('\n')[..^1])
            if (line.Split(' ') is [var tile, var lost] && int.TryParse(tile, CultureInfo.InvariantCulture, out var t) && long.TryParse(lost, CultureInfo.InvariantCulture, out var n)) _tiles[t] = n;
    }

    /// <summary>All that were lost.</summary>
    public long Total => _tiles.Values.Sum();

    /// <summary>True when the tile was shot.</summary>
    public bool Knows(int tile) => _tiles.ContainsKey(tile);

    /// <summary>Notes a tile.</summary>
    public void Add(int tile, long lost)
    {
        _tiles[tile] = lost;
        if (_file is not null) File.AppendAllText(_file, string.Create(CultureInfo.InvariantCulture, $"{tile} {lost}\n"));
    }
}
