using Kerf.Volumes;

namespace Kerf.Imaging;

/// <summary>
/// Where two channels show the same: cells of the slices in which both look alike in every slice tried, grown to a rectangle as long as its cells agree on how far the slices are displaced. Where
/// something shines through one of the channels, they neither look alike nor agree.
/// </summary>
internal static class FiducialBox
{
    private const int Tried = 9, LeastEdge = 64;

    // cells of the box are at least so coherent, against the best one; and displaced like the whole, in pixels, in that share of the slices
    private const double Alike = 0.75, Together = 0.5, Mostly = 0.75;

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
        Cell Measured(int[] box, (double Y, double X)[]? near)
        {
            var found = Register.Measure(source, reference, slices, how with { Box = box }, walk with { Progress = null }, near);
            return new(found.Average(f => f.Coherence), [.. found.Select(f => (f.Y, f.X))]);
        }
        // a small cell can mistake one mark for the next: together, and with whole rows and columns, they know better, and each is asked again close to that
        var every = Enumerable.Range(0, rows).SelectMany(r => Enumerable.Range(0, columns).Select(c => Box(r, r, c, c)));
        var bands = Enumerable.Range(0, rows).Select(r => Box(r, r, 0, columns - 1)).Concat(Enumerable.Range(0, columns).Select(c => Box(0, rows - 1, c, c)));
        var meeting = Meeting([.. every.Concat(bands).Select(box => Measured(box, null))], slices.Length);
        var cells = new Cell[rows, columns];
        for (var r = 0; r < rows; r++)
            for (var c = 0; c < columns; c++) cells[r, c] = Measured(Box(r, r, c, c), meeting);
        double Trust(Cell cell) => Agreeing(cell, meeting) >= Mostly ? cell.Coherence : 0;
        var (br, bc) = (0, 0);
        for (var r = 0; r < rows; r++)
            for (var c = 0; c < columns; c++)
                if (Trust(cells[r, c]) > Trust(cells[br, bc])) (br, bc) = (r, c);
        bool Fits(Cell cell) => Trust(cell) > 0 && cell.Coherence >= Alike * cells[br, bc].Coherence;
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

    // for each slice the displacement on which the most cells meet, the coherent ones with the louder voice
    private static (double Y, double X)[] Meeting(Cell[] cells, int slices) =>
        [.. Enumerable.Range(0, slices).Select(i => cells.MaxBy(one => cells.Sum(other => Near(one.Shifts[i], other.Shifts[i]) ? other.Coherence : 0))!.Shifts[i])];

    // share of the slices
    private static double Agreeing(Cell one, (double Y, double X)[] shifts) => one.Shifts.Zip(shifts, (a, b) => Near(a, b) ? 1.0 : 0).Average();

    private static bool Near((double Y, double X) a, (double Y, double X) b) => Math.Max(Math.Abs(a.Y - b.Y), Math.Abs(a.X - b.X)) < Together;
}
