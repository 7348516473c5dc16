using Kerf.Volumes;

namespace Kerf.Microstructure;

/// <summary>Number, size and shape of the particles of a phase: see <see cref="Separation"/>, <see cref="ParticleShapes"/> and <c>docs/methods/particles.md</c>.</summary>
[Operation("particles", "Separates touching particles; their number, size, shape and contacts, corrected for those that the border cuts.")]
public sealed record Particles : PhaseMeasure
{
    private const int Bins = 64;
    private const string Method = "particles/miles-lantuejoul/block-bootstrap-95";

    /// <summary>Least rise of a summit of the distance map over the neck.</summary>
    [Parameter("Two particles are told apart when the neck between them is narrower, in radius, than both by more than this. Raise it when particles break "
        + "apart, lower it when they stay joined. Left out: the coarsest voxel edge.", Unit = "nm", Min = 0)]
    public double? Depth { get; init; }

    /// <inheritdoc/>
    protected internal override Measured Once(IVolume source, Traversal walk, ulong seed)
    {
        var mask = Mask(source, "particles", walk);
        var separation = Separation.Of(mask, Depth ?? Separation.DefaultDepth(mask), walk.Part(0, 0.7));
        var particles = ParticleShapes.Of(separation, mask.Info, walk.Part(0.7, 1));
        var (size, unit) = (mask.Info.Size, Lengths.Unit(mask.Info));
        var voxel = mask.Voxel;
        var bodies = Scene.Sample(mask.Info, (z, slice) =>
        {
            var labels = separation.Labels.AsSpan(z * slice.Length, slice.Length);
            for (var i = 0; i < slice.Length; i++) slice[i] = labels[i] > 0 ? (float)particles[labels[i] - 1].EquivalentDiameter : float.NaN;
        });
        return Of(particles, mask, seed, walk) with
        {
            Scenes = [new("particles", $"Particles of {mask.Phase.Name} by size", "diameter", unit, new(size.Z * voxel.Z, size.Y * voxel.Y, size.X * voxel.X), unit) { Bodies = bodies }],
        };
    }

    /// <summary>
    /// Statistics of particles. Those that touch the border are left out; each other one counts with the reciprocal of the volume in which a particle
    /// of its extent can lie free of the border, since large ones are cut more often (Miles–Lantuéjoul).
    /// </summary>
    /// <param name="particles">The particles.</param>
    /// <param name="mask">Where they come from.</param>
    /// <param name="seed">Seed of the bootstrap.</param>
    /// <param name="walk">Threads.</param>
    public static Measured Of(IReadOnlyList<Particle> particles, PhaseMask mask, ulong seed, Traversal walk)
    {
        var (info, whole) = (mask.Info, particles.Where(particle => !particle.AtBorder).ToArray());
        string Unit(int power = 1) => Lengths.Unit(info, power);
        var largest = whole.Select(particle => particle.EquivalentDiameter).DefaultIfEmpty(1).Max() * (1 + 1e-12);
        var (grid, sums) = Sums(whole, info, largest);
        var totals = new double[Fixed + 2 * Bins];
        foreach (var tile in sums) Add(totals, tile);
        var (values, intervals) = (Numbers(totals, largest), BlockBootstrap.Intervals(sums, grid, tile => Numbers(tile, largest), seed, walk));
        (string Name, string Unit)[] names =
        [
            ("particleDensity", Unit(-3)), ("meanParticleDiameter", Unit()), ("meanParticleVolume", Unit(3)), ("meanSphericity", "1"),
            ("meanContacts", "1"), ("medianParticleDiameter", Unit()), ("medianParticleDiameterByVolume", Unit()),
        ];
        Measurement[] counts =
        [
            new("particleCount", mask.Phase.Name, null, particles.Count, "1", null, null, "particles"),
            new("particlesInside", mask.Phase.Name, null, whole.Length, "1", null, null, "particles"),
        ];
        var width = largest / Bins;
        double[] x = [.. Enumerable.Range(0, Bins).Select(bin => (bin + 0.5) * width)];
        double[] Shares(int at) => [.. Enumerable.Range(0, Bins).Select(bin => totals[at + bin] / Math.Max(double.Epsilon, totals.AsSpan(at, Bins).ToArray().Sum()))];
        return new(
            [.. counts, .. names.Select((name, i) => new Measurement(name.Name, mask.Phase.Name, null, values[i], name.Unit, intervals[i]?.Low, intervals[i]?.High, Method))],
            [new("particle-diameter-number", x, Shares(Fixed), Unit()), new("particle-diameter-volume", x, Shares(Fixed + Bins), Unit())])
        {
            Tables = [Listed(particles, info)],
        };
    }

    // of a tile: its volume, then sums of density × (1, diameter, volume, sphericity, contacts), then densities and densities × volume by diameter
    private const int Fixed = 6;

    private static (TileGrid, double[][]) Sums(Particle[] whole, VolumeInfo info, double largest)
    {
        var (grid, voxel) = (TileGrid.Of(info), Lengths.Voxel(info));
        var sums = new double[grid.Count][];
        for (var tile = 0; tile < sums.Length; tile++)
        {
            sums[tile] = new double[Fixed + 2 * Bins];
            sums[tile][0] = (double)grid[tile].Count / info.Size.Count;
        }
        foreach (var p in whole)
        {
            var sum = sums[grid.Of((int)(p.Z / voxel.Z), (int)(p.Y / voxel.Y), (int)(p.X / voxel.X))];
            var bin = (int)(p.EquivalentDiameter / largest * Bins);
            Add(sum.AsSpan(1), [p.Density, p.Density * p.EquivalentDiameter, p.Density * p.Volume, p.Density * p.Sphericity, p.Density * p.Contacts]);
            sum[Fixed + bin] += p.Density;
            sum[Fixed + Bins + bin] += p.Density * p.Volume;
        }
        return (grid, sums);
    }

    private static void Add(Span<double> sum, ReadOnlySpan<double> values)
    {
        for (var i = 0; i < values.Length; i++) sum[i] += values[i];
    }

    private static double[] Numbers(double[] sums, double largest) =>
    [
        sums[1] / sums[0], sums[2] / sums[1], sums[3] / sums[1], sums[4] / sums[1], sums[5] / sums[1],
        Median(sums.AsSpan(Fixed, Bins), largest), Median(sums.AsSpan(Fixed + Bins, Bins), largest),
    ];

    // linear within the bin
    private static double Median(ReadOnlySpan<double> histogram, double largest)
    {
        var (all, seen) = (0.0, 0.0);
        foreach (var share in histogram) all += share;
        for (var bin = 0; bin < histogram.Length; bin++)
        {
            if (histogram[bin] > 0 && seen + histogram[bin] >= all / 2) return (bin + (all / 2 - seen) / histogram[bin]) * largest / Bins;
            seen += histogram[bin];
        }
        return double.NaN;
    }

    private static Table Listed(IReadOnlyList<Particle> particles, VolumeInfo info)
    {
        string U(int power = 1) => Lengths.Unit(info, power);
        return new(
            "particles",
            ["id", "voxels", $"volume [{U(3)}]", $"equivalentDiameter [{U()}]", $"surfaceArea [{U(2)}]", "sphericity", $"z [{U()}]", $"y [{U()}]", $"x [{U()}]",
                $"longAxis [{U()}]", $"middleAxis [{U()}]", $"shortAxis [{U()}]", "orientationZ", "orientationY", "orientationX", "contacts", $"contactArea [{U(2)}]", "atBorder",
                $"density [{U(-3)}]"],
            [.. particles.Select(p => (double[])[p.Id, p.Voxels, p.Volume, p.EquivalentDiameter, p.SurfaceArea, p.Sphericity, p.Z, p.Y, p.X,
                .. p.Axes, .. p.Orientation, p.Contacts, p.ContactArea, p.AtBorder ? 1 : 0, p.Density])]);
    }
}
