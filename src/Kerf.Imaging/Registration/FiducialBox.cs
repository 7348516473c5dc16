using Kerf.Volumes;

namespace Kerf.Imaging;

/// <summary>
/// Where two channels show the same: cells of the slices in which both look alike in every slice tried, grown to a rectangle as long as its cells agree on how far the slices are displaced. Where
/// something shines through one of the channels, they neither look alike nor agree.
/// </summary>
internal static class FiducialBox
{
    private const int Tried = 9, LeastEdge = 64;

    // cells of the box are at least so coherent, against the best one; and displaced like it, in pixels
    private const double Alike = 0.75, Together = 0.5;

    private sealed record Cell(double Coherence, (double Y, double X)[] Shifts);

    /// <summary>y start, y end, x start, x end.</summary>
    /// <param name="source">The channel that is moved.</param>
    /// <param name="reference">The one that stays.</param>
    /// <param name="how">Tile and reach.</param>
    /// <param name="walk">Threads.</param>
    public static int[] Find(IVolume<float> source, IVolume<float> reference, Register how, Traversal walk)
    {
        var size = source.Info.Size;
        var edge = Math.Max(LeastEdge, Math.Min(size.Y, size.X) / 5);
        var (rows, columns) = (Math.Max(1, size.Y / edge), Math.Max(1, size.X / edge));
        int[] slices = [.. Enumerable.Range(0, Math.Min(Tried, size.Z)).Select(i => (int)((long)i * (size.Z - 1) / Math.Max(1, Math.Min(Tried, size.Z) - 1))).Distinct()];
        int[] Box(int r0, int r1, int c0, int c1) => [r0 * size.Y / rows, (r1 + 1) * size.Y / rows, c0 * size.X / columns, (c1 + 1) * size.X / columns];
        var cells = new Cell[rows, columns];
        for (var r = 0; r < rows; r++)
            for (var c = 0; c < columns; c++)
            {
                var found = Register.Measure(source, reference, slices, how with { Box = Box(r, r, c, c) }, walk with { Progress = null });
                cells[r, c] = new(found.Average(f => f.Coherence), [.. found.Select(f => (f.Y, f.X))]);
            }
        var (br, bc) = Best(cells, rows, columns);
        var best = cells[br, bc];
        bool Fits(Cell cell) => cell.Coherence >= Alike * best.Coherence && Agreeing(cell, best) >= 0.75;
        var (r0, r1, c0, c1) = (br, br, bc, bc);
        bool Row(int r) => r >= 0 && r < rows && Enumerable.Range(c0, c1 - c0 + 1).All(c => Fits(cells[r, c]));
        bool Column(int c) => c >= 0 && c < columns && Enumerable.Range(r0, r1 - r0 + 1).All(r => Fits(cells[r, c]));
        for (var grown = true; grown;)
        {
            grown = false;
            if (Column(c0 - 1)) (c0, grown) = (c0 - 1, true);
            if (Column(c1 + 1)) (c1, grown) = (c1 + 1, true);
            if (Row(r0 - 1)) (r0, grown) = (r0 - 1, true);
            if (Row(r1 + 1)) (r1, grown) = (r1 + 1, true);
        }
        return Box(r0, r1, c0, c1);
    }

    // the most coherent cell, and the one that its neighbours agree with
    private static (int, int) Best(Cell[,] cells, int rows, int columns)
    {
        var (place, score) = ((0, 0), double.NegativeInfinity);
        for (var r = 0; r < rows; r++)
            for (var c = 0; c < columns; c++)
            {
                var agreed = 0.0;
                for (var i = Math.Max(0, r - 1); i <= Math.Min(rows - 1, r + 1); i++)
                    for (var j = Math.Max(0, c - 1); j <= Math.Min(columns - 1, c + 1); j++) agreed += Agreeing(cells[i, j], cells[r, c]);
                if (cells[r, c].Coherence * agreed > score) (place, score) = ((r, c), cells[r, c].Coherence * agreed);
            }
        return place;
    }

    // share of the slices
    private static double Agreeing(Cell one, Cell other) =>
        one.Shifts.Zip(other.Shifts, (a, b) => Math.Max(Math.Abs(a.Y - b.Y), Math.Abs(a.X - b.X)) < Together ? 1.0 : 0).Average();
}
