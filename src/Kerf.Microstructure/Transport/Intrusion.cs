using Kerf.Volumes;

namespace Kerf.Microstructure;

/// <summary>Simulated mercury intrusion, and constrictivity from it: see <c>docs/methods/intrusion.md</c>.</summary>
[Operation("intrusion", "Which share of a phase balls of a radius fill, coming from outside or set anywhere; bottleneck, bulge and constrictivity.")]
public sealed record Intrusion : PhaseMeasure
{
    private const string Name = "intrusion";
    private const byte Inside = 1;
    private const byte Outside = 2;

    /// <summary>Radii to try.</summary>
    [Parameter("Radii of the balls; when left out, 25 from half the finest voxel edge to the largest that fits.", Unit = "nm", Min = 1e-3)]
    public double[] Radius { get; init; } = [];

    /// <summary>Where the balls come from.</summary>
    [Parameter("Balls come from where the phase touches this one (number or name): what surrounds a particle. Without: from the first plane along --axis.")]
    public string? From { get; init; }

    /// <inheritdoc/>
    protected internal override Measured Once(IVolume source, Traversal walk, ulong seed)
    {
        var mask = Mask(source, Name, walk);
        if (From is null && Axis is { } one && mask.Info.Size[(int)one] < 2)
            throw new InputError($"{Name}: the volume is 1 voxel thick along {one.Letter()}; it must be 2 or more. Measure along another axis.");
        var from = From is null ? null : PhaseMask.Of(mask.Labels, From, $"{Name}: --from", walk);
        return Of(mask, from is null ? [.. Axes.Where(axis => mask.Info.Size[(int)axis] > 1)] : [], from, Radius, walk, seed);
    }

    /// <summary>
    /// A ball of radius r may have its centre where the distance to the phase's wall is r or more. Anywhere: the share of the phase that such
    /// balls cover is the continuous
    /// pore size distribution (Münch and Holzer 2008, doi:10.1111/j.1551-2916.2008.02736.x); its median radius r_max is the bulge. From
    /// outside: only centres that hang together
    /// with the inlet; its median r_min is the bottleneck. constrictivity = (r_min/r_max)² (Holzer et al. 2013, doi:10.1007/s10853-012-6946-0).
    /// </summary>
    /// <param name="mask">The phase.</param>
    /// <param name="axes">Directions from which the balls come, from the first plane.</param>
    /// <param name="from">Or the phase that they come from.</param>
    /// <param name="radii">Radii; empty for 25 in geometric progression.</param>
    /// <param name="walk">Threads, budget.</param>
    /// <param name="seed">Seed of the bootstrap.</param>
    /// <exception cref="InputError">The phase fills the volume, or the maps need more memory than the budget.</exception>
    public static Measured Of(PhaseMask mask, IReadOnlyList<Axis> axes, PhaseMask? from, IReadOnlyList<double> radii, Traversal walk, ulong seed)
    {
        var (size, quiet) = (mask.Info.Size, walk with { Progress = null });
        if (size.Count * 14 > walk.MemoryBytes) throw new InputError(
            $"{Name}: the maps of {size} voxels need about {(size.Count * 14 >> 20) + 1} MiB, the budget is {walk.MemoryBytes >> 20} MiB. "
            + "Raise --memory, or crop or resample the volume.");
        // the outside is as open as the phase
        var open = Union(mask, from, quiet);
        var distance = DistanceMap.Of(open, quiet);
        // centres are measured to the wall's voxels' centres: half a voxel further than to the wall
        var half = mask.Voxel.Finest / 2;
        var largest = Largest(distance, open) - half;
        double[] tried = radii.Count > 0 ? [.. radii.Order()]
            : [.. Enumerable.Range(0, 25).Select(i => half * Math.Pow(Math.Max(1, largest / half), i / 24.0))];
        var inlets = axes.Count > 0 || from is null ? axes.Select(axis => (Axis?)axis).ToArray() : [null];
        var grid = TileGrid.Of(mask.Info);
        // of a tile: voxels of the phase, then by inlet (first: anywhere) and radius those that are covered
        var sums = Enumerable.Range(0, grid.Count).Select(_ => new double[1 + (1 + inlets.Length) * tried.Length]).ToArray();
        Put(Count(open, grid, null, 0, quiet), 0);
        for (var i = 0; i < tried.Length; i++)
        {
            var radius = (float)(tried[i] + half);
            var centres = new Volume<byte>(size, mask.Info.Voxel);
            for (var voxel = 0; voxel < centres.Data.Length; voxel++) centres.Data[voxel] = distance.Data[voxel] >= radius ? (byte)1 : (byte)0;
            Put(Covered(centres, open, radius, grid, quiet), 1 + i);
            for (var inlet = 0; inlet < inlets.Length; inlet++)
                Put(Covered(Connected(centres, inlets[inlet], open), open, radius, grid, quiet), 1 + (1 + inlet) * tried.Length + i);
            walk.Progress?.Report((i + 1.0) / tried.Length);
        }
        return Measured(mask, inlets, tried, grid, sums, seed, walk);

        void Put(long[] counts, int at)
        {
            for (var tile = 0; tile < counts.Length; tile++) sums[tile][at] = counts[tile];
        }
    }

    private static Measured Measured(PhaseMask mask, Axis?[] inlets, double[] radii, TileGrid grid, double[][] sums, ulong seed, Traversal walk)
    {
        var totals = new double[sums[0].Length];
        foreach (var tile in sums)
        {
            for (var i = 0; i < totals.Length; i++) totals[i] += tile[i];
        }
        var (values, intervals) = (Numbers(totals), BlockBootstrap.Intervals(sums, grid, Numbers, seed, walk));
        var (name, unit, at) = (mask.Phase.Name, Lengths.Unit(mask.Info), 0);
        var (found, curves) = (new List<Measurement>(), new List<Curve>());
        Add("bulgeRadius", null, unit);
        foreach (var letter in inlets.Select(inlet => inlet?.Letter()))
        {
            Add("bottleneckRadius", letter, unit);
            Add("constrictivity", letter, "1");
        }
        foreach (var curve in inlets.Select(inlet => inlet is { } axis ? $"intrusion-{axis.Letter()}" : "intrusion").Prepend("poreSize"))
        {
            var part = new Range(at, at += radii.Length);
            curves.Add(new Curve(curve, radii, values[part], unit).With(intervals[part]));
        }
        return new(found, curves);

        void Add(string what, string? letter, string unit)
        {
            found.Add(new(what, name, letter, values[at], unit, intervals[at]?.Low, intervals[at]?.High, $"{Name}/block-bootstrap-95"));
            at++;
        }

        // bulge, then bottleneck and constrictivity by inlet, then all shares
        double[] Numbers(double[] drawn)
        {
            var shares = drawn[1..];
            for (var i = 0; i < shares.Length; i++) shares[i] /= drawn[0];
            var medians = Enumerable.Range(0, 1 + inlets.Length).Select(inlet => Median(radii, shares.AsSpan(inlet * radii.Length, radii.Length))).ToArray();
            return [medians[0], .. medians.Skip(1).SelectMany(neck => (double[])[neck, neck / medians[0] * (neck / medians[0])]), .. shares];
        }
    }

    private static double Largest(Volume<float> distance, Volume<byte> open)
    {
        var largest = 0f;
        for (var voxel = 0; voxel < open.Data.Length; voxel++) if (open.Data[voxel] == Inside) largest = Math.Max(largest, distance.Data[voxel]);
        return largest;
    }

    private static Volume<byte> Union(PhaseMask mask, PhaseMask? from, Traversal walk)
    {
        var open = Volume<byte>.Load(mask);
        if (from is null) return open;
        Blocks.ForEachSlice(from, walk, (z, slice) =>
        {
            var row = open.Slice(z);
            for (var i = 0; i < row.Length; i++) if (slice[i] != 0) row[i] = Outside;
        });
        return open;
    }

    // by tile, voxels of the phase nearer to a centre than the wall's voxels must be
    private static long[] Covered(Volume<byte> centres, Volume<byte> open, float radius, TileGrid grid, Traversal walk)
    {
        if (!centres.Data.AsSpan().Contains((byte)1)) return new long[grid.Count];
        if (!centres.Data.AsSpan().Contains((byte)0)) return Count(open, grid, null, 0, walk);
        var away = new Volume<byte>(centres.Info);
        for (var voxel = 0; voxel < away.Data.Length; voxel++) away.Data[voxel] = (byte)(1 - centres.Data[voxel]);
        return Count(open, grid, DistanceMap.Of(away, walk), radius, walk);
    }

    // voxels of the phase by tile; with a map those that are nearer than the radius
    private static long[] Count(Volume<byte> open, TileGrid grid, Volume<float>? far, float radius, Traversal walk)
    {
        var (size, counts) = (open.Info.Size, new long[grid.Count]);
        var columns = Enumerable.Range(0, size.X).Select(x => grid.Along(2, x)).ToArray();
        walk.ForEach(size.Z, z =>
        {
            var own = new int[grid.Tiles.Y * grid.Tiles.X];
            var kinds = open.Slice(z);
            var distances = far is null ? default : far.Slice(z);
            for (int y = 0, i = 0; y < size.Y; y++)
            {
                var row = grid.Along(1, y) * grid.Tiles.X;
                for (var x = 0; x < size.X; x++, i++)
                    if (kinds[i] == Inside && (far is null || distances[i] < radius)) own[row + columns[x]]++;
            }
            lock (counts)
            {
                for (var i = 0; i < own.Length; i++) counts[grid.Along(0, z) * own.Length + i] += own[i];
            }
        });
        return counts;
    }

    // the centres that hang together, face to face, with one that a ball from outside can take first
    private static Volume<byte> Connected(Volume<byte> centres, Axis? axis, Volume<byte> open)
    {
        var size = centres.Info.Size;
        var (reached, stack) = (new Volume<byte>(centres.Info), new Stack<int>());
        var plane = size.Y * size.X;
        void Push(int voxel)
        {
            if (centres.Data[voxel] == 0 || reached.Data[voxel] != 0) return;
            reached.Data[voxel] = 1;
            stack.Push(voxel);
        }
        for (var voxel = 0; voxel < centres.Data.Length; voxel++)
        {
            var at = axis switch { Microstructure.Axis.Z => voxel / plane, Microstructure.Axis.Y => voxel / size.X % size.Y, _ => voxel % size.X };
            if (axis is null ? open.Data[voxel] == Outside : at == 0) Push(voxel);
        }
        while (stack.TryPop(out var voxel))
        {
            var (z, y, x) = (voxel / plane, voxel / size.X % size.Y, voxel % size.X);
            if (z > 0) Push(voxel - plane);
            if (z + 1 < size.Z) Push(voxel + plane);
            if (y > 0) Push(voxel - size.X);
            if (y + 1 < size.Y) Push(voxel + size.X);
            if (x > 0) Push(voxel - 1);
            if (x + 1 < size.X) Push(voxel + 1);
        }
        return reached;
    }

    // the radius at which half the phase is filled; 0 where even the smallest fills less
    private static double Median(double[] radii, ReadOnlySpan<double> filled)
    {
        for (var i = radii.Length - 1; i >= 0; i--)
        {
            if (filled[i] < 0.5) continue;
            return i + 1 == radii.Length ? radii[i] : radii[i] + (radii[i + 1] - radii[i]) * (filled[i] - 0.5) / (filled[i] - filled[i + 1]);
        }
        return 0;
    }
}
