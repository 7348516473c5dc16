using Kerf.Volumes;

namespace Kerf.Microstructure;

/// <summary>The distance map of a phase as a step: see <see cref="DistanceMap"/> and <c>docs/methods/distance.md</c>.</summary>
[Operation("distance", "Exact Euclidean distance of each voxel of a phase to the nearest voxel of another, in nm.")]
public sealed record Distance : Step
{
    /// <summary>The phase.</summary>
    [Parameter("The phase: the number its voxels hold (0 too), or its name. May be left out when the volume holds one phase only.")]
    public string? Phase { get; init; }

    /// <inheritdoc/>
    public override void Run(StepRun run)
    {
        var mask = PhaseMask.Of(run.Source.AsLabels("distance: the source"), Phase, "distance", run.Walk);
        DistanceMap.Write(mask, (IWritableVolume<float>)run.Create(run.Source.Info with { Type = PixelType.Float32, Phases = null }), run.Walk);
        run.Fact("phase", mask.Phase.Name);
        run.Fact("unit", Lengths.Unit(run.Source.Info));
    }
}
