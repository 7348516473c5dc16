using System.Numerics.Tensors;
using Kerf.Volumes;

namespace Kerf.Microstructure;

/// <summary>Phase fractions of the volume and of each slice: see <c>docs/methods/fractions.md</c>.</summary>
[Operation("fractions", "Volume fraction of each phase, with a 95 % interval by block bootstrap, and its course along an axis.")]
public sealed record Fractions : PhaseMeasure
{
    private const int Labels = 256;

    /// <inheritdoc/>
    public override bool Streams => Probabilities.Length == 0;

    /// <inheritdoc/>
    protected internal override Measured Once(IVolume source, Traversal walk, ulong seed)
    {
        var labels = source.AsLabels("fractions: the source");
        return Of(labels, walk, seed, Phase is null ? null : Mask(source, "fractions", walk).Phase, Axis ?? Microstructure.Axis.Z);
    }

    /// <summary>
    /// Fractions of the labelled voxels, one pass. Label 0 counts as outside the specimen, unless the volume names no phases: then a value is what
    /// it is. The intervals are those of <see cref="BlockBootstrap"/>. The curves give the fractions plane by plane.
    /// </summary>
    /// <param name="labels">A segmentation.</param>
    /// <param name="walk">Threads, budget, progress.</param>
    /// <param name="seed">Seed of the bootstrap.</param>
    /// <param name="only">The one phase that is wanted; null for all.</param>
    /// <param name="axis">Axis of the curves.</param>
    /// <exception cref="InputError">Every voxel is 0.</exception>
    public static Measured Of(IVolume<byte> labels, Traversal walk, ulong seed, Phase? only = null, Axis axis = Microstructure.Axis.Z)
    {
        var grid = TileGrid.Of(labels.Info);
        var (planes, tiles) = Count(labels, grid, axis, walk);
        var totals = new long[Labels];
        foreach (var plane in planes)
        {
            for (var label = 0; label < Labels; label++) totals[label] += plane[label];
        }
        var named = labels.Info.Phases ?? [];
        if (totals.AsSpan(1).IndexOfAnyExcept(0) < 0 && only is null)
            throw new InputError("fractions: every voxel is 0 (unlabelled); there is no phase to measure. Segment the volume first.");
        var first = named.Count > 0 && only?.Label != 0 ? 1 : 0;
        var unnamed = Enumerable.Range(first, Labels - first).Where(label => totals[label] > 0 && named.All(phase => phase.Label != label));
        Phase[] all = [.. named, .. unnamed.Select(Kerf.Volumes.Phase.Unnamed)];
        Phase[] phases = only is null ? all : [only];
        var sums = tiles.Select(tile => Sums(tile, phases, first)).ToArray();
        var intervals = BlockBootstrap.Intervals(sums, grid, drawn => [.. drawn[..^1].Select(count => count / drawn[^1])], seed, walk);
        double whole = totals.AsSpan(first).ToArray().Sum();
        var measurements = phases.Select((phase, i) => new Measurement(
            "fraction", phase.Name, null, totals[phase.Label] / whole, "1", intervals[i]?.Low, intervals[i]?.High, "fractions/block-bootstrap-95"));
        return new([.. measurements], [.. phases.Select(phase => Along(phase, axis, planes, first, labels.Info.Voxel))]);
    }

    // voxels of each phase, then of all
    private static double[] Sums(long[] counts, Phase[] phases, int first)
    {
        var sums = new double[phases.Length + 1];
        for (var i = 0; i < phases.Length; i++) sums[i] = counts[phases[i].Label];
        foreach (var count in counts.AsSpan(first)) sums[^1] += count;
        return sums;
    }

    private static Curve Along(Phase phase, Axis axis, long[][] planes, int first, VoxelSize? voxel)
    {
        var (x, y) = (new List<double>(), new List<double>());
        for (var at = 0; at < planes.Length; at++)
        {
            var sum = 0L;
            foreach (var count in planes[at].AsSpan(first)) sum += count;
            // a plane without labels has no fraction
            if (sum == 0) continue;
            x.Add(at * (voxel?[(int)axis] ?? 1));
            y.Add((double)planes[at][phase.Label] / sum);
        }
        return new($"fraction-{axis.Letter()}-{phase.Name.Replace(' ', '-')}", [.. x], [.. y], voxel is not null ? "nm" : axis == Microstructure.Axis.Z ? "slice" : "voxels");
    }

    private static (long[][] Planes, long[][] Tiles) Count(IVolume<byte> labels, TileGrid grid, Axis axis, Traversal walk)
    {
        var size = labels.Info.Size;
        var planes = Empty<long>(size[(int)axis]);
        var tiles = Empty<long>(grid.Count);
        var columns = Enumerable.Range(0, size.X).Select(x => grid.Along(2, x)).ToArray();
        Blocks.ForEachSlice(labels, walk, (z, voxels) =>
        {
            var own = Empty<int>(grid.Tiles.Y * grid.Tiles.X);
            for (int y = 0, i = 0; y < size.Y; y++)
            {
                var row = grid.Along(1, y) * grid.Tiles.X;
                for (var x = 0; x < size.X; x++, i++) own[row + columns[x]][voxels[i]]++;
            }
            int[] ownPlanes = axis == Microstructure.Axis.Z ? [] : Profile(voxels);
            // whole numbers: the order of the slices does not show
            lock (tiles)
            {
                var first = grid.Along(0, z) * own.Length;
                for (var tile = 0; tile < own.Length; tile++) Add(tiles[first + tile], own[tile]);
                for (var at = 0; at < ownPlanes.Length; at++) planes[at % planes.Length][at / planes.Length] += ownPlanes[at];
                for (var tile = 0; ownPlanes.Length == 0 && tile < own.Length; tile++) Add(planes[z], own[tile]);
            }
        });
        return (planes, tiles);

        // voxels of a slice by label and row or column; rows of the highest label come last
        int[] Profile(byte[] voxels)
        {
            var slice = voxels.AsSpan(0, (int)size.SliceCount);
            var counts = new int[(TensorPrimitives.Max<byte>(slice) + 1) * planes.Length];
            for (int y = 0, i = 0; y < size.Y; y++)
            {
                for (var x = 0; x < size.X; x++, i++) counts[slice[i] * planes.Length + (axis == Microstructure.Axis.Y ? y : x)]++;
            }
            return counts;
        }

        static T[][] Empty<T>(int count)
        {
            var counts = new T[count][];
            for (var i = 0; i < count; i++) counts[i] = new T[Labels];
            return counts;
        }

        static void Add(long[] to, int[] counts)
        {
            for (var label = 0; label < Labels; label++) to[label] += counts[label];
        }
    }
}
