using Kerf.Imaging;
using Kerf.Simulation;
using Kerf.Volumes;

namespace Kerf.App;

/// <summary>How slices are cut: the law of their thickness, in nanometres.</summary>
internal sealed record CuttingLaw(double Mean, double Sd);

/// <summary>
/// Patches for a network that fills planes: a truth of cubic voxels is cut as unevenly as a microscope cuts, and a plane between two slices is asked for. Truths are simulated, or the user's own stack:
/// its slices are sampled finely in x and y, so planes across x and y are asked for, and count where a slice was measured.
/// </summary>
internal sealed class FillPatches
{
    // the rim of a patch sees less than it will in a plane, and does not count
    private const int Rim = 6;

    private readonly Truth[] _truths;
    private readonly CuttingLaw _law;
    private readonly int _edge;
    private readonly ulong _seed;

    // fields of every plane of a volume for one phase; rows that were measured (all of them when null)
    private sealed record Truth(float[][] Fields, Volume<byte> Labels, byte Label, bool[]? Measured);

    private FillPatches(Truth[] truths, CuttingLaw law, int edge, ulong seed) => (_truths, _law, _edge, _seed) = (truths, law, edge, seed);

    /// <summary>From simulated hierarchical gold; the last structure is kept for judging.</summary>
    /// <param name="seeds">A structure each.</param>
    /// <param name="size">Voxels along each axis.</param>
    /// <param name="voxel">Nanometres.</param>
    /// <param name="wavelength">Of the coarse wave, in nanometres.</param>
    /// <param name="solid">Solid fraction.</param>
    /// <param name="law">How it is cut.</param>
    /// <param name="edge">Of a patch.</param>
    /// <param name="seed">Of the patches.</param>
    /// <param name="walk">Threads.</param>
    public static FillPatches Simulated(IReadOnlyList<ulong> seeds, int size, double voxel, double wavelength, double solid, CuttingLaw law, int edge, ulong seed, Traversal walk)
    {
        var truths = seeds.Select((s, i) =>
        {
            walk.Progress?.Report((double)i / seeds.Count);
            var structure = VirtualStructure.Make("hierarchical", Size3.Cube(size), VoxelSize.Cube(voxel), solid, wavelength, s, walk with { Progress = null });
            return Of(Volume<byte>.Load(structure), 2, null, law, walk with { Progress = null });
        }).ToArray();
        return new(truths, law, edge, seed);
    }

    /// <summary>From a segmented stack whose gaps are filled by shape: planes across y and across x.</summary>
    /// <param name="stack">Cubic voxels.</param>
    /// <param name="slices">Planes that hold a measured slice.</param>
    /// <param name="law">How it is cut.</param>
    /// <param name="edge">Of a patch.</param>
    /// <param name="seed">Of the patches.</param>
    /// <param name="walk">Threads.</param>
    public static FillPatches Own(Volume<byte> stack, IReadOnlyList<int> slices, CuttingLaw law, int edge, ulong seed, Traversal walk)
    {
        var measured = new bool[stack.Info.Size.Z];
        foreach (var z in slices) measured[z] = true;
        byte[] labels = [.. stack.Data.Distinct().Order()];
        if (labels.Length < 2) throw new InputError("train fill: the stack holds one phase only; there is nothing to learn.");
        Volume<byte>[] turned = [Turned(stack, alongX: false), Turned(stack, alongX: true)];
        return new([.. from volume in turned from label in labels.Length == 2 ? labels[1..] : labels select Of(volume, label, measured, law, walk)], law, edge, seed);
    }

    /// <summary>Makes the patch of a number. Numbers from <paramref name="judged"/> on come from the last truth, the others from all before; of a single one from all of it.</summary>
    public void Make(int item, int judged, Span<float> image, Span<long> target)
    {
        var random = new CounterRandom(_seed, (ulong)item);
        var last = _truths.Length - 1;
        var truth = _truths[item >= judged ? last : random.NextInt(Math.Max(1, last))];
        var size = truth.Labels.Info.Size;
        var grid = truth.Labels.Info.Voxel!.Value.X;
        var planes = Mimic.Cut(size.Z, 1, grid, _law.Mean, _law.Sd, (ulong)random.NextUInt() << 32 | (uint)item);
        int at;
        do at = random.NextInt(Math.Max(2, planes[^1]));
        while (Array.BinarySearch(planes, at) >= 0 && planes.Length <= planes[^1]);
        var (y0, x0) = (random.NextInt(size.Y - _edge + 1), random.NextInt(size.X - _edge + 1));
        var (turn, upside) = (random.NextInt(8), random.NextInt(2) == 1);
        var (first, weights) = FillChannels.Around(planes, at);
        if (weights.Length < 2) throw new InputError("train fill: slices are hardly thicker than voxels: there is nothing between them to learn.");
        float[][] fields = [.. Enumerable.Range(first, weights.Length).Select(k => Cut(truth.Fields[planes[k]], size, y0, x0, turn))];
        if (upside) (fields, planes, first, weights, at) = Reversed(fields, planes, first, weights, at);
        FillChannels.Make(fields, planes, first, weights, at, image);
        if (upside) at = -at;
        for (int y = 0, i = 0; y < _edge; y++)
            for (var x = 0; x < _edge; x++, i++)
            {
                var (row, column) = Place(y, x, turn);
                var counts = Math.Min(Math.Min(y, x), _edge - 1 - Math.Max(y, x)) >= Rim && truth.Measured?[y0 + row] != false;
                target[i] = !counts ? -1 : truth.Labels[at, y0 + row, x0 + column] == truth.Label ? 1 : 0;
            }
    }

    private static (float[][], int[], int, double[], int) Reversed(float[][] fields, int[] planes, int first, double[] weights, int at) =>
        ([.. fields.Reverse()], [.. planes.Reverse().Select(p => -p)], planes.Length - first - weights.Length, [.. weights.Reverse()], -at);

    private float[] Cut(float[] field, Size3 size, int y0, int x0, int turn)
    {
        var patch = new float[_edge * _edge];
        for (int y = 0, i = 0; y < _edge; y++)
            for (var x = 0; x < _edge; x++, i++)
            {
                var (row, column) = Place(y, x, turn);
                patch[i] = field[(y0 + row) * size.X + x0 + column];
            }
        return patch;
    }

    // the eight ways to lay a square
    private (int Row, int Column) Place(int y, int x, int turn)
    {
        if ((turn & 1) != 0) y = _edge - 1 - y;
        if ((turn & 2) != 0) x = _edge - 1 - x;
        return (turn & 4) != 0 ? (x, y) : (y, x);
    }

    private static Truth Of(Volume<byte> labels, byte label, bool[]? measured, CuttingLaw law, Traversal walk)
    {
        var (size, voxel) = (labels.Info.Size, labels.Info.Voxel!.Value);
        var fields = new float[size.Z][];
        walk.ForEach(size.Z, z => fields[z] = FillChannels.Field(labels.Slice(z).ToArray(), label, size.Y, size.X, voxel.Y, voxel.X, law.Mean));
        return new(fields, labels, label, measured);
    }

    // planes across y (or x) become slices; rows are the slices of before
    private static Volume<byte> Turned(Volume<byte> stack, bool alongX)
    {
        var size = stack.Info.Size;
        var turned = new Volume<byte>(alongX ? new(size.X, size.Z, size.Y) : new Size3(size.Y, size.Z, size.X), stack.Info.Voxel);
        for (var z = 0; z < size.Z; z++)
            for (var y = 0; y < size.Y; y++)
                for (var x = 0; x < size.X; x++)
                {
                    if (alongX) turned[x, z, y] = stack[z, y, x];
                    else turned[y, z, x] = stack[z, y, x];
                }
        return turned;
    }
}
