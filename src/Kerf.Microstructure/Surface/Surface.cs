using Kerf.Volumes;

namespace Kerf.Microstructure;

/// <summary>Surface and interface areas by Crofton's formula: see <c>docs/methods/surface.md</c>.</summary>
[Operation("surface", "Surface area of each phase and of the interfaces between phases, and per volume, by Crofton's formula on voxels of any shape.")]
public sealed record Surface : PhaseMeasure
{
    /// <inheritdoc/>
    public override bool Streams => Probabilities.Length == 0;

    /// <inheritdoc/>
    protected internal override Measured Once(IVolume source, Traversal walk, ulong seed)
    {
        var labels = source.AsLabels("surface: the source");
        return Of(labels, Phase is null ? null : Mask(source, "surface", walk).Phase, walk, seed);
    }

    /// <summary>
    /// Areas from how often neighbours differ: a surface of area S per volume is crossed S/2 times per length by lines of random direction, so
    /// S = 2 Σ wᵢ·Nᵢ·V/lᵢ over 13 directions with weights wᵢ, lengths lᵢ, Nᵢ crossings, and the volume V of a voxel. The border of the volume is no surface.
    /// Areas per volume are corrected for the pairs that the border takes, which makes them unbiased for a structure that goes on beyond it.
    /// </summary>
    /// <param name="labels">A segmentation; 0 is outside when it names its phases, else a value like others.</param>
    /// <param name="only">The one phase that is wanted; null for all.</param>
    /// <param name="walk">Threads, budget, progress.</param>
    /// <param name="seed">Seed of the bootstrap.</param>
    /// <exception cref="InputError">Nothing but 0 in the volume, more than 16 labels, or fewer than 2 voxels along an axis.</exception>
    public static Measured Of(IVolume<byte> labels, Phase? only, Traversal walk, ulong seed)
    {
        var (info, voxel) = (labels.Info, Lengths.Voxel(labels.Info));
        for (var axis = 0; axis < 3; axis++)
        {
            if (info.Size[axis] < 2) throw new InputError($"surface: the volume is 1 voxel thick along {((Axis)axis).Letter()}; it must be 2 or more. Measure a thicker one.");
        }
        var named = info.Phases ?? [];
        var zeroCounts = named.Count == 0 || only?.Label == 0;
        int[] present = [.. PhaseMask.Present(labels, walk).Where(label => label != 0 || zeroCounts)];
        if (present.All(label => label == 0) && only is null)
            throw new InputError("surface: every voxel is 0 (unlabelled); there is no phase to measure. Segment the volume first.");
        var grid = TileGrid.Of(info, 512, grain: 64);
        var tally = PairTally.Of(labels, present, grid, walk);
        // area of a pair of labels that are neighbours once
        var (weights, steps) = (CroftonDirections.Weights(voxel), CroftonDirections.StepLengths(voxel));
        double[] perCount = [.. weights.Select((weight, i) => 2 * weight * voxel.Volume / steps[i])];
        double[] corrected = [.. perCount.Select((area, i) => area / Seen(info.Size, CroftonDirections.Steps[i]))];
        // per tile: area of each pair, the same corrected for the border, then the volume
        double[][] sums = [.. tally.Counts.Select((counts, tile) => (double[])
            [.. Areas(counts, perCount), .. Areas(counts, corrected), tally.Voxels[tile].Sum() * voxel.Volume])];
        var pairCount = tally.Pairs.Length;
        var totals = new double[2 * pairCount + 1];
        foreach (var tile in sums)
        {
            for (var i = 0; i < totals.Length; i++) totals[i] += tile[i];
        }
        var wanted = Wanted(present, tally.Pairs, only, named);
        var intervals = BlockBootstrap.Intervals(sums, grid, drawn => [.. wanted.Select(w => w.Pairs.Sum(p => drawn[pairCount + p]) / drawn[^1])], seed, walk);
        List<Measurement> measurements = [];
        for (var i = 0; i < wanted.Count; i++)
        {
            var (name, specific, phase, pairs) = wanted[i];
            var (area, density) = (pairs.Sum(p => totals[p]), pairs.Sum(p => totals[pairCount + p]) / totals[^1]);
            var scale = density > 0 ? area / density : 0;
            const string Method = "surface/block-bootstrap-95";
            measurements.Add(new(name, phase, null, area, Lengths.Unit(info, 2), intervals[i]?.Low * scale, intervals[i]?.High * scale, Method));
            measurements.Add(new(specific, phase, null, density, Lengths.Unit(info, -1), intervals[i]?.Low, intervals[i]?.High, Method));
        }
        return new(measurements, []);
    }

    private static List<(string Name, string Specific, string Phase, int[] Pairs)> Wanted(int[] present, (int A, int B)[] pairs, Phase? only, IReadOnlyList<Phase> named)
    {
        string Name(int label) => PhaseMask.Named(named, label).Name;
        var wanted = new List<(string, string, string, int[])>();
        foreach (var label in present.Where(label => only is null || label == only.Label))
            wanted.Add(("surfaceArea", "specificSurfaceArea", Name(label), [.. pairs.Index().Where(p => p.Item.A == label || p.Item.B == label).Select(p => p.Index)]));
        foreach (var (p, (a, b)) in pairs.Index().Where(p => only is null || p.Item.A == only.Label || p.Item.B == only.Label))
            wanted.Add(("interfaceArea", "specificInterfaceArea", $"{Name(a)} | {Name(b)}", [p]));
        return wanted;
    }

    // share of the voxels that have a neighbour in a direction
    private static double Seen(Size3 size, (int Z, int Y, int X) step) =>
        (1 - Math.Abs(step.Z) / (double)size.Z) * (1 - Math.Abs(step.Y) / (double)size.Y) * (1 - Math.Abs(step.X) / (double)size.X);

    private static IEnumerable<double> Areas(long[] counts, double[] perCount)
    {
        for (var pair = 0; pair < counts.Length; pair += perCount.Length)
        {
            var area = 0.0;
            for (var i = 0; i < perCount.Length; i++) area += counts[pair + i] * perCount[i];
            yield return area;
        }
    }
}
