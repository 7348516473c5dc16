using Kerf.Volumes;

namespace Kerf.Simulation;

/// <summary>
/// The platinum cap on the electrode's surface with its tracking marks: notches filled with carbon that run straight along z. Nothing else in a
/// specimen is known to be straight, so they alone tell the drift of the stage from a slant of the structure.
/// </summary>
internal sealed class Cap
{
    // platinum between the lowest mark and the electrode, in rows
    private const int Foot = 12;
    private readonly float[] _marks;
    private readonly int _columns;

    public Cap(Size3 canvas, VoxelSize voxel, double height, ulong seed)
    {
        Rows = (int)(height / voxel.Y);
        _columns = canvas.X;
        var rows = Math.Max(0, Math.Min(Rows, canvas.Y) - Foot);
        _marks = new float[rows * _columns];
        var random = new CounterRandom(seed, 0x434150);
        // narrowing downwards, leaning a little, no two alike or at the same distance: a shift by one mark matches nowhere
        for (var row = 4; row + 16 < rows; row += 30)
            for (var x = 10 * random.NextDouble(); x < _columns; x += 26 + 26 * random.NextDouble())
                Notch(ref random, row + 8 * random.NextDouble(), x, rows);
    }

    /// <summary>Rows from the canvas's upper edge to the electrode.</summary>
    public int Rows { get; }

    /// <summary>True above the electrode's slightly wavy surface.</summary>
    public bool Covers(int y, float wave) => Rows > 0 && y < Rows + 1.5f * wave;

    /// <summary>Grey levels by which a mark is darker than platinum.</summary>
    public float Mark(int y, int x) => (y * _columns) + x < _marks.Length ? _marks[y * _columns + x] : 0;

    private void Notch(ref CounterRandom random, double top, double x, int rows)
    {
        var depth = 10 + 12 * random.NextDouble();
        var width = 3 + 4 * random.NextDouble();
        var lean = 0.5 * (random.NextDouble() - 0.5);
        for (var y = (int)top; y < Math.Min(rows, top + depth); y++)
        {
            var share = (y - top) / depth;
            var half = width * (1 - 0.7 * share);
            var middle = x + lean * (y - top);
            for (var k = Math.Max(0, (int)(middle - half)); k <= Math.Min(_columns - 1, (int)(middle + half)); k++) _marks[y * _columns + k] = 140;
        }
    }
}
