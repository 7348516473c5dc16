using Kerf.Volumes;

namespace Kerf.Microstructure;

/// <summary>What lies on the sides of a volume, seen along the flow.</summary>
public enum Sides
{
    /// <summary>Walls: nothing flows through.</summary>
    NoFlux,

    /// <summary>The volume again.</summary>
    Periodic,
}

/// <summary>Effective diffusivity and tortuosity factor by solving Laplace's equation: see <c>docs/methods/tortuosity-factor.md</c>.</summary>
[Operation("tortuosity-factor", "Effective diffusivity and tortuosity factor of one or several phases, by solving Laplace's equation on the voxels.")]
public sealed record TortuosityFactor : PhaseMeasure
{
    private const string Name = "tortuosity-factor";

    // peers hold the potential at the centres of the end voxels: as good as no resistance from there to the ends
    private const float Shorted = 1e5f;
    private const int BytesPerVoxel = 110;

    /// <summary>One diffusivity per phase of <see cref="PhaseMeasure.Phase"/>.</summary>
    [Parameter("Diffusivity of each phase in --phase (several: --phase 1,3); only their ratios matter for the tortuosity.", Min = 1e-6, Max = 1e6)]
    public double[] Diffusivity { get; init; } = [1];

    /// <summary>What lies on the sides.</summary>
    [Parameter("Walls, or the volume repeated (for structures made periodic).")]
    public Sides Sides { get; init; } = Sides.NoFlux;

    /// <summary>When the iteration ends.</summary>
    [Parameter("The solution is taken when the currents through any two planes differ by less than this share; the mean is then off by far less.",
        Min = 1e-10, Max = 0.1)]
    public double Tolerance { get; init; } = 1e-4;

    /// <inheritdoc/>
    protected internal override Measured Once(IVolume source, Traversal walk, ulong seed)
    {
        string?[] named = [Phase];
        if (Phase is not null) named = Phase.Split(',', StringSplitOptions.TrimEntries);
        var masks = Array.ConvertAll(named, phase => PhaseMask.Of(source.AsLabels($"{Name}: the source"), phase, Name, walk));
        if (masks.Length != Diffusivity.Length)
            throw new InputError($"{Name}: --phase names {masks.Length} phases, --diffusivity has {Diffusivity.Length} values; give one for each.");
        int Least(Axis axis) => Axis == axis ? 2 : 1;
        masks[0].AtLeast(new(Least(Microstructure.Axis.Z), Least(Microstructure.Axis.Y), Least(Microstructure.Axis.X)), Name);
        return Of(masks[0].Labels, [.. masks.Select((mask, i) => (mask.Phase, Diffusivity[i]))], Axes, Sides, Tolerance, walk, seed);
    }

    /// <summary>
    /// Solves ∇·(D∇c) = 0 on the voxels of the phases, between c = 1 and c = 0 on the two end faces of the volume, axis by axis; voxels
    /// exchange through faces only,
    /// by the harmonic mean of their diffusivities. With J the current: effective diffusivity D_eff = J·L/(A·Δc); tortuosityFactor τ =
    /// ΣDₚεₚ/D_eff with the fractions
    /// of all voxels of the phases (TauFactor: Kench et al. 2023, doi:10.21105/joss.05358; Cooper et al. 2016, doi:10.1016/j.softx.2016.09.002);
    /// tortuosityPorespy likewise, with the connected voxels' fractions and with c held at the centres of the first and the last voxels, L one
    /// voxel less
    /// (Gostick et al. 2019, doi:10.21105/joss.01296). Nothing gets through: D_eff = 0, τ = ∞.
    /// </summary>
    /// <param name="labels">A segmentation.</param>
    /// <param name="phases">What conducts, and how well; one diffusivity counts as 1.</param>
    /// <param name="axes">Directions of the flow.</param>
    /// <param name="sides">Walls or periodic.</param>
    /// <param name="tolerance">Largest disagreement of the currents through two planes, relative.</param>
    /// <param name="walk">Threads, budget, progress.</param>
    /// <param name="seed">Seed of the bootstrap.</param>
    /// <exception cref="InputError">The potentials need more memory than the budget.</exception>
    public static Measured Of(
        IVolume<byte> labels, IReadOnlyList<(Phase Phase, double Diffusivity)> phases, IReadOnlyList<Axis> axes, Sides sides, double tolerance, Traversal walk, ulong seed)
    {
        var grid = TileGrid.Of(labels.Info);
        var name = string.Join("+", phases.Select(phase => phase.Phase.Name));
        var unit = phases.Count == 1 ? phases[0].Diffusivity : 1;
        var diffusivities = new double[256];
        foreach (var (phase, diffusivity) in phases) diffusivities[phase.Label] = diffusivity / unit;
        var content = Content(labels, diffusivities, grid, walk with { Progress = null });
        var found = new List<Measurement>();
        for (var i = 0; i < axes.Count; i++)
        {
            if (labels.Info.Size[(int)axes[i]] < 2)
            {
                found.Add(new("tortuosityFactor", name, axes[i].Letter(), double.NaN, "1", null, null, $"{Name}/too-thin"));
                continue;
            }
            var part = walk.Part((double)i / axes.Count, (i + 1.0) / axes.Count);
            var problem = new FlowProblem(labels, diffusivities, (int)axes[i], sides == Sides.Periodic, part, Enough);
            found.AddRange(Along(problem, axes[i], grid, content, unit, tolerance, walk, seed).Select(m => m with { Phase = name, Axis = axes[i].Letter() }));
        }
        return new(found, []);

        void Enough(int voxels)
        {
            if (voxels * (long)BytesPerVoxel > walk.MemoryBytes) throw new InputError(
                $"{Name}: {voxels} connected voxels need about {(voxels * (long)BytesPerVoxel >> 20) + 1} MiB, the budget is {walk.MemoryBytes >> 20} MiB. "
                + "Raise --memory, or crop or resample the volume.");
        }
    }

    private static IEnumerable<Measurement> Along(
        FlowProblem problem, Axis axis, TileGrid grid, double[] content, double unit, double tolerance, Traversal walk, ulong seed)
    {
        if (problem.Count == 0)
        {
            const string blocked = $"{Name}/not-percolating";
            return
            [
                new("tortuosityFactor", null, null, double.PositiveInfinity, "1", null, null, blocked),
                new("tortuosityPorespy", null, null, double.PositiveInfinity, "1", null, null, blocked),
                new("effectiveDiffusivity", null, null, 0, "1", null, null, blocked),
            ];
        }
        var layers = grid.Volume[(int)axis];
        var factor = problem.Solve(2, layers, grid, tolerance, 0, 0.6);
        var intervals = Intervals(factor, content);
        var all = content.Sum();
        var found = new List<Measurement>
        {
            Bounded("tortuosityFactor", all / factor.Total, factor.Error, 0, intervals[0]),
            Bounded("effectiveDiffusivity", factor.Total / grid.Volume.Count * unit, 0, factor.Error, intervals[1]),
        };
        if (layers < 3) return found;
        var shorted = problem.Solve(Shorted, layers - 1, grid, tolerance, 0.6, 1);
        var connected = problem.Content(grid);
        found.Insert(1, Bounded("tortuosityPorespy", connected.Sum() / shorted.Total, shorted.Error, 0, Intervals(shorted, connected)[0]));
        return found;

        // of the tortuosity and of the effective diffusivity, by what tiles dissipate, and by current² over dissipation, which is a tile's own
        // diffusivity whether tiles lie beside or behind each other; the wider counts
        Interval?[] Intervals(Dissipation solved, double[] content)
        {
            double[][] sums = [.. content.Select((conducting, tile) => (double[])[conducting, solved.Tiles[tile], solved.Passing[tile], grid[tile].Count])];
            var both = BlockBootstrap.Intervals(sums, grid, drawn =>
            [
                drawn[0] / drawn[1], drawn[1] / drawn[3] * unit,
                drawn[0] * drawn[1] / (drawn[2] * drawn[2]), drawn[2] * drawn[2] / (drawn[1] * drawn[3]) * unit,
            ], seed, walk);
            return [both[0]?.Width > both[2]?.Width ? both[0] : both[2], both[1]?.Width > both[3]?.Width ? both[1] : both[3]];
        }
    }

    // the error of the solution has one sign: energies are never too low
    private static Measurement Bounded(string name, double value, double above, double below, Interval? sampled) => sampled is { } interval
        ? new(name, null, null, value, "1", interval.Low * (1 - below), interval.High * (1 + above), $"{Name}/block-bootstrap-95")
        : new(name, null, null, value, "1", value * (1 - below), value * (1 + above), $"{Name}/solver-error");

    // per tile, the diffusivities of all voxels added up; slices in their order
    private static double[] Content(IVolume<byte> labels, double[] diffusivities, TileGrid grid, Traversal walk)
    {
        var size = labels.Info.Size;
        var slices = new double[size.Z][];
        Blocks.ForEachSlice(labels, walk, (z, slice) =>
        {
            var own = new double[grid.Tiles.SliceCount];
            for (int y = 0, i = 0; y < size.Y; y++)
            {
                var row = grid.Along(1, y) * grid.Tiles.X;
                for (var x = 0; x < size.X; x++, i++) own[row + grid.Along(2, x)] += diffusivities[slice[i]];
            }
            slices[z] = own;
        });
        var content = new double[grid.Count];
        for (var z = 0; z < size.Z; z++)
        {
            for (var tile = 0; tile < slices[z].Length; tile++) content[grid.Along(0, z) * slices[z].Length + tile] += slices[z][tile];
        }
        return content;
    }
}
