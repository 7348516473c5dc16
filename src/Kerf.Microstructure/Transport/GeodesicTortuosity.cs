using System.Globalization;
using Kerf.Volumes;

namespace Kerf.Microstructure;

/// <summary>How much longer the shortest ways through a phase are than straight ones: see <c>docs/methods/geodesic-tortuosity.md</c>.</summary>
[Operation("geodesic-tortuosity", "Length of the shortest ways through a phase, plane to plane or from a particle's boundary to a depth, over the straight way.")]
public sealed record GeodesicTortuosity : PhaseMeasure
{
    private const string Name = "geodesic-tortuosity";

    /// <summary>What a length is.</summary>
    [Parameter("eikonal: any direction, through faces; steps: between centres of the 26 neighbours, up to 13 % too long, as other programs have it.")]
    public Metric Metric { get; init; } = Metric.Eikonal;

    /// <summary>Depths below a particle's boundary; empty for plane to plane.</summary>
    [Parameter("Depths below the particle's boundary to reach, instead of going from plane to plane.", Unit = "nm", Min = 1e-3)]
    public double[] Depth { get; init; } = [];

    /// <summary>What surrounds the particle.</summary>
    [Parameter("With --depth: the phase around the particle, number or name.")]
    public string Outside { get; init; } = "0";

    /// <inheritdoc/>
    protected internal override Measured Once(IVolume source, Traversal walk, ulong seed)
    {
        var mask = Mask(source, Name, walk);
        if (Depth.Length == 0)
        {
            if (Axis is { } axis && mask.Info.Size[(int)axis] < 2)
                throw new InputError($"{Name}: the volume is 1 voxel thick along {axis.Letter()}; it must be 2 or more. Measure along another axis.");
            return PlaneToPlane(mask, [.. Axes.Where(along => mask.Info.Size[(int)along] > 1)], Metric, walk, seed);
        }
        return ToDepth(mask, PhaseMask.Of(mask.Labels, Outside, $"{Name}: --outside", walk), Depth, Metric, walk);
    }

    /// <summary>
    /// Along each axis: the shortest way from the inlet face of the volume to each voxel of the phase at the outlet, inside the phase, divided
    /// by the
    /// distance of the faces; their mean over the voxels that are reached. The curve gives the mean at each depth. The interval is that of a
    /// block bootstrap over the
    /// outlet plane. Nothing is reached: ∞.
    /// </summary>
    /// <exception cref="InputError">The lengths need more memory than the budget.</exception>
    public static Measured PlaneToPlane(PhaseMask mask, IReadOnlyList<Axis> axes, Metric metric, Traversal walk, ulong seed)
    {
        var (found, curves) = (new Measurement[axes.Count][], new Curve[axes.Count]);
        // each axis has its own map; as many at a time as the budget holds
        var threads = (int)Math.Clamp(walk.MemoryBytes / Geodesic.Bytes(mask.Info.Size), 1, axes.Count);
        walk.ForEach(axes.Count, i => (found[i], curves[i]) = Along(mask, axes[i], metric, walk, seed), threads);
        return new([.. found.SelectMany(all => all)], curves);
    }

    /// <summary>
    /// From each voxel of the phase on the particle's boundary (it shares a face with the outside) the shortest way inside the phase to a voxel
    /// of the
    /// phase at the depth or deeper, divided by the depth; mean over the voxels from which one can get there, and their share.
    /// </summary>
    /// <param name="mask">The pores.</param>
    /// <param name="outside">What surrounds the particle.</param>
    /// <param name="depths">Depths below the particle's boundary, nm.</param>
    /// <param name="metric">What a length is.</param>
    /// <param name="walk">Threads, budget.</param>
    /// <exception cref="InputError">The maps need more memory than the budget.</exception>
    public static Measured ToDepth(PhaseMask mask, PhaseMask outside, IReadOnlyList<double> depths, Metric metric, Traversal walk)
    {
        var depthMap = DistanceMap.Of(new Others(outside), walk);
        var half = mask.Voxel.Finest / 2;
        var found = new List<Measurement>();
        var (x, y) = (new List<double>(), new List<double>());
        foreach (var depth in depths)
        {
            var map = Geodesic.In(mask, Name, walk);
            map.Spread(Seeds(map, depthMap, depth + half), metric, walk);
            var (count, reached, sum, square) = (0L, 0L, 0.0, 0.0);
            foreach (var index in Boundary(map, depthMap))
            {
                count++;
                if (float.IsPositiveInfinity(map.Lengths[index])) continue;
                var ratio = map.Lengths[index] / depth;
                (reached, sum, square) = (reached + 1, sum + ratio, square + ratio * ratio);
            }
            var mean = reached > 0 ? sum / reached : double.PositiveInfinity;
            var spread = reached > 1 ? Math.Sqrt(Math.Max(0, square / reached - mean * mean)) : 0;
            var at = depth.ToString("0.###", CultureInfo.InvariantCulture);
            // the spread of the single ways, as the papers give it: not the error of the mean
            found.Add(new($"geodesicTortuosityDepth{at}", mask.Phase.Name, null, mean, "1", mean - spread, mean + spread, $"{Name}/standard-deviation-of-ways"));
            found.Add(new($"reachedFractionDepth{at}", mask.Phase.Name, null, count > 0 ? (double)reached / count : 0, "1", null, null, Name));
            x.Add(depth);
            y.Add(mean);
        }
        return new(found, [new("geodesicTortuosity-depth", [.. x], [.. y], Lengths.Unit(mask.Info))]);
    }

    private static (Measurement[], Curve) Along(PhaseMask mask, Axis axis, Metric metric, Traversal walk, ulong seed)
    {
        var (size, a) = (mask.Info.Size, (int)axis);
        var map = Geodesic.In(mask, Name, walk);
        var edge = mask.Voxel[a];
        var inlet = Plane(map, axis, 0).Where(index => map.Lengths[index] > 0);
        map.Spread(inlet.Select(index => (index, (float)(edge / 2))), metric, walk);
        var (depths, ratios) = (new double[size[a]], new double[size[a]]);
        (walk with { Progress = null }).ForEach(size[a], layer =>
        {
            var (sum, count) = (0.0, 0L);
            foreach (var index in Plane(map, axis, layer))
            {
                if (map.Lengths[index] is < 0 or float.PositiveInfinity) continue;
                sum += map.Lengths[index];
                count++;
            }
            depths[layer] = (layer + 0.5) * edge;
            ratios[layer] = sum / count / depths[layer];
        });
        var last = size[a] - 1;
        var length = size[a] * edge;
        // tiles of the outlet plane: ways that end near each other are alike
        var plane = a switch { 0 => new Size3(1, size.Y, size.X), 1 => new(size.Z, 1, size.X), _ => new(size.Z, size.Y, 1) };
        var grid = new TileGrid(plane, new(Math.Min(plane.Z, 24), Math.Min(plane.Y, 24), Math.Min(plane.X, 24)));
        var sums = new double[grid.Count][];
        for (var tile = 0; tile < sums.Length; tile++) sums[tile] = new double[3];
        foreach (var index in Plane(map, axis, last))
        {
            if (map.Lengths[index] is < 0 or float.PositiveInfinity) continue;
            var (z, y, x) = map.Place(index);
            var tile = sums[grid.Of(a == 0 ? 0 : z, a == 1 ? 0 : y, a == 2 ? 0 : x)];
            var ratio = (map.Lengths[index] + edge / 2) / length;
            tile[0]++;
            tile[1] += ratio;
            tile[2] += ratio * ratio;
        }
        var (reached, mean, square) = (sums.Sum(tile => tile[0]), sums.Sum(tile => tile[1]), sums.Sum(tile => tile[2]));
        var known = depths.Where((_, i) => double.IsFinite(ratios[i]));
        var curve = new Curve($"geodesicTortuosity-{axis.Letter()}", [.. known], [.. ratios.Where(double.IsFinite)], Lengths.Unit(mask.Info));
        if (reached == 0)
            return ([Found("geodesicTortuosity", double.PositiveInfinity, null, "/not-percolating")], curve);
        static double[] MeanAndSpread(double[] sums) => [sums[1] / sums[0], Math.Sqrt(Math.Max(0, sums[2] / sums[0] - sums[1] / sums[0] * (sums[1] / sums[0])))];
        var (numbers, intervals) = (MeanAndSpread([reached, mean, square]), BlockBootstrap.Intervals(sums, grid, MeanAndSpread, seed, walk));
        const string bootstrap = "/block-bootstrap-95";
        return ([Found("geodesicTortuosity", numbers[0], intervals[0], bootstrap), Found("geodesicTortuositySpread", numbers[1], intervals[1], bootstrap)], curve);

        Measurement Found(string name, double value, Interval? interval, string method) =>
            new(name, mask.Phase.Name, axis.Letter(), value, "1", interval?.Low, interval?.High, Name + method);
    }

    private static IEnumerable<int> Plane(Geodesic map, Axis axis, int layer)
    {
        var size = map.Size;
        var (first, end) = axis switch
        {
            Microstructure.Axis.Z => (new Size3(layer, 0, 0), size with { Z = layer + 1 }),
            Microstructure.Axis.Y => (new Size3(0, layer, 0), size with { Y = layer + 1 }),
            _ => (new Size3(0, 0, layer), size with { X = layer + 1 }),
        };
        for (var z = first.Z; z < end.Z; z++)
        {
            for (var y = first.Y; y < end.Y; y++)
            {
                for (var x = first.X; x < end.X; x++) yield return map.Index(z, y, x);
            }
        }
    }

    private static IEnumerable<(int, float)> Seeds(Geodesic map, Volume<float> depth, double least)
    {
        for (var z = 0; z < map.Size.Z; z++)
        {
            for (var y = 0; y < map.Size.Y; y++)
            {
                for (var x = 0; x < map.Size.X; x++)
                    if (map.Lengths[map.Index(z, y, x)] > 0 && depth[z, y, x] >= least) yield return (map.Index(z, y, x), 0);
            }
        }
    }

    // voxels of the phase that share a face with the outside
    private static IEnumerable<int> Boundary(Geodesic map, Volume<float> depth)
    {
        var size = map.Size;
        for (var z = 0; z < size.Z; z++)
        {
            for (var y = 0; y < size.Y; y++)
            {
                for (var x = 0; x < size.X; x++)
                {
                    var at = map.Index(z, y, x);
                    if (map.Lengths[at] < 0) continue;
                    if ((z > 0 && depth[z - 1, y, x] == 0) || (z + 1 < size.Z && depth[z + 1, y, x] == 0)
                        || (y > 0 && depth[z, y - 1, x] == 0) || (y + 1 < size.Y && depth[z, y + 1, x] == 0)
                        || (x > 0 && depth[z, y, x - 1] == 0) || (x + 1 < size.X && depth[z, y, x + 1] == 0)) yield return at;
                }
            }
        }
    }

    // all but one phase
    private sealed class Others(IVolume<byte> mask) : IVolume<byte>
    {
        public VolumeInfo Info => mask.Info;

        public void Read(Box box, Span<byte> target)
        {
            mask.Read(box, target);
            foreach (ref var voxel in target[..(int)box.Count]) voxel ^= 1;
        }
    }
}
