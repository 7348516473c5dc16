using Kerf.Volumes;

namespace Kerf.Microstructure;

/// <summary>An axis of the volume.</summary>
public enum Axis
{
    /// <summary>Across the slices, the milling direction.</summary>
    Z,

    /// <summary>Down the image plane.</summary>
    Y,

    /// <summary>Along the rows of the image plane.</summary>
    X,
}

/// <summary>A measure of one phase of a segmentation, along one axis or all three.</summary>
public abstract record PhaseMeasure : Measure
{
    /// <summary>The phase.</summary>
    [Parameter("The phase: the number its voxels hold (0 too), or its name. May be left out when the volume holds one phase only.")]
    public string? Phase { get; init; }

    /// <summary>The axis; null means all three.</summary>
    [Parameter("Only along this axis; when left out, all three (fractions: z). Measures without a direction take no notice of it.")]
    public Axis? Axis { get; init; }

    /// <summary>Class probabilities of the segmentation: see <c>docs/methods/segmentation-doubt.md</c>.</summary>
    [Parameter("Class probabilities that belong to the segmentation, as kerf predict --probabilities writes them (or phase=PATH for each phase): every number "
        + "then also gets the range that the doubt of the segmentation leaves it.", IsPath = true)]
    public string[] Probabilities { get; init; } = [];

    /// <summary>Segmentations to draw from the probabilities.</summary>
    [Parameter("Segmentations to draw from the probabilities; each is measured.", Min = 5, Max = 10_000)]
    public int Draws { get; init; } = 20;

    /// <summary>Over which distance they err alike.</summary>
    [Parameter("Distance over which the segmentation errs alike. Left out: all over the volume, which gives the widest range.", Unit = "nm", Min = 1e-3)]
    public double? DoubtLength { get; init; }

    /// <summary>The axes to measure along, z first.</summary>
    protected IReadOnlyList<Axis> Axes => Axis is { } one ? [one] : Enum.GetValues<Axis>();

    /// <summary>Measures the source, and what is drawn from its probabilities where they are given.</summary>
    public sealed override Measured Run(IVolume source, Traversal walk, ulong seed) =>
        Probabilities.Length == 0 ? Once(source, walk, seed) : SegmentationDoubt.Of(this, source, walk, seed);

    /// <summary>Measures one segmentation.</summary>
    protected internal abstract Measured Once(IVolume source, Traversal walk, ulong seed);

    /// <summary>The asked phase of the source.</summary>
    /// <param name="source">A segmentation.</param>
    /// <param name="measure">The measure's name, for errors.</param>
    /// <param name="walk">Threads and cancellation.</param>
    protected PhaseMask Mask(IVolume source, string measure, Traversal walk) => PhaseMask.Of(source.AsLabels($"{measure}: the source"), Phase, measure, walk);
}

/// <summary>Names of axes.</summary>
public static class Axes
{
    /// <summary>"z", "y" or "x", as in <see cref="Measurement.Axis"/>.</summary>
    public static string Letter(this Axis axis) => axis switch { Axis.Z => "z", Axis.Y => "y", _ => "x" };
}
