using Kerf.Volumes;

namespace Kerf.Microstructure;

/// <summary>The local thickness of a phase as a step: see <see cref="LocalThickness"/> and <c>docs/methods/thickness.md</c>.</summary>
[Operation("local-thickness", "Diameter of the largest ball inside a phase that covers each of its voxels, in nm.")]
public sealed record ThicknessMap : Step
{
    /// <summary>The phase.</summary>
    [Parameter("The phase: the number its voxels hold (0 too), or its name. May be left out when the volume holds one phase only.")]
    public string? Phase { get; init; }

    /// <inheritdoc/>
    public override void Run(StepRun run)
    {
        var mask = PhaseMask.Of(run.Source.AsLabels("local-thickness: the source"), Phase, "local-thickness", run.Walk);
        LocalThickness.Write(mask, (IWritableVolume<float>)run.Create(run.Source.Info with { Type = PixelType.Float32, Phases = null }), run.Walk);
        run.Fact("phase", mask.Phase.Name);
        run.Fact("unit", Lengths.Unit(run.Source.Info));
    }
}
