using System.Buffers;
using Kerf.Volumes;

namespace Kerf.Imaging;

/// <summary>Which phase hysteresis grows.</summary>
public enum GreySide
{
    /// <summary>The bright one: sure from the high threshold on.</summary>
    Bright,

    /// <summary>The dark one: sure below the low threshold.</summary>
    Dark,
}

/// <summary>
/// Two thresholds; voxels between them join the sure ones they are connected to. Out of core: the components of the possible voxels are
/// found slab by slab (see <see cref="Components"/>), and kept where they hold a sure voxel. See <c>docs/methods/threshold.md</c>.
/// </summary>
[Operation("hysteresis", "Two thresholds: grey values between them join a phase only where they are connected to a sure voxel of it.")]
public sealed record Hysteresis : Step
{
    /// <summary>The lower threshold.</summary>
    [Parameter("Lower threshold. Dark side: what lies below is sure. Bright side: what lies below is never taken.", Unit = "grey levels")]
    public double Low { get; init; } = double.NaN;

    /// <summary>The upper threshold.</summary>
    [Parameter("Upper threshold. Bright side: what lies at or above is sure. Dark side: what lies at or above is never "
        + "taken.", Unit = "grey levels")]
    public double High { get; init; } = double.NaN;

    /// <summary>Which phase grows.</summary>
    [Parameter("Whether the bright phase (label 2) or the dark phase (label 1) grows from its sure voxels.")]
    public GreySide Side { get; init; }

    /// <summary>2 or 3.</summary>
    [Parameter("3 follows connections through the volume, 2 within each slice only.", Min = 2, Max = 3)]
    public int Dimensions { get; init; } = 3;

    /// <summary>Which voxels touch.</summary>
    [Parameter("faces: 4 neighbours in a slice, 6 in a volume; full: 8 or 26.")]
    public Connectivity Connectivity { get; init; }

    /// <summary>Names of the phases.</summary>
    [Parameter("Names of the dark and the bright phase, with a colour if wanted: pore, solid=#777777.")]
    public string[] Phases { get; init; } = [];

    /// <inheritdoc/>
    public override void Run(StepRun run)
    {
        if (double.IsNaN(Low) || double.IsNaN(High)) throw new InputError("hysteresis needs both low and high; add --low 80 --high 120.");
        var target = run.CreateLabels(PhaseNames.Of(2, Phases, PhaseNames.PoreSolid));
        run.Fact("thresholds", new[] { Low, High });
        Apply(run.Source, target, Low, High, Side, Dimensions, Connectivity, run.Walk);
    }

    /// <summary>Labels 1 = dark, 2 = bright.</summary>
    /// <param name="source">Grey values of any type.</param>
    /// <param name="target">Takes the labels.</param>
    /// <param name="low">Lower threshold in grey levels.</param>
    /// <param name="high">Upper threshold; a grey value equal to it lies above.</param>
    /// <param name="side">Which phase grows.</param>
    /// <param name="dimensions">3 follows connections through the volume, 2 within slices.</param>
    /// <param name="connectivity">Which voxels touch.</param>
    /// <param name="walk">Threads, budget, progress.</param>
    /// <exception cref="InputError">Low is not below high.</exception>
    public static void Apply(
        IVolume source, IWritableVolume<byte> target, double low, double high, GreySide side, int dimensions, Connectivity connectivity,
        Traversal walk)
    {
        if (!(low < high)) throw new InputError(FormattableString.Invariant($"low is {low} and high is {high}; low must lie below high."));
        // 1 = possible, 2 = sure
        var possible = new GreyRanges(side == GreySide.Bright
            ? [new(1, low, high), new(2, high, double.PositiveInfinity)]
            : [new(2, double.NegativeInfinity, low), new(1, low, high)]).View(source);
        var components = Components.OfMask(possible, dimensions == 3, connectivity, walk.Part(0, 0.6));
        var (taken, rest) = side == GreySide.Bright ? ((byte)2, (byte)1) : ((byte)1, (byte)2);
        Blocks.MapSlices<byte, byte>(possible, target, 0, Border.Zero, walk.Part(0.6, 1), (block, labels) =>
        {
            var component = ArrayPool<int>.Shared.Rent(labels.Length);
            components.Label(block.Inner.Start.Z, block.Voxels, component);
            for (var i = 0; i < labels.Length; i++) labels[i] = component[i] > 0 && components.Parts[component[i] - 1].Marked ? taken : rest;
            ArrayPool<int>.Shared.Return(component);
        }, sizeof(int));
    }
}
