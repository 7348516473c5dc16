using System.Buffers;
using Kerf.Volumes;

namespace Kerf.Microstructure;

/// <summary>Numbers the separated particles of a phase as a step: see <see cref="Separation"/> and <c>docs/methods/particles.md</c>.</summary>
[Operation("separate-particles", "Separates touching particles of a phase and gives each its number (16-bit; float above 65535 particles).")]
public sealed record SeparateParticles : Step
{
    /// <summary>The phase.</summary>
    [Parameter("The phase: the number its voxels hold (0 too), or its name. May be left out when the volume holds one phase only.")]
    public string? Phase { get; init; }

    /// <summary>Least rise of a summit of the distance map over the neck.</summary>
    [Parameter("Two particles are told apart when the neck between them is narrower, in radius, than both by more than this. Raise it when particles break "
        + "apart, lower it when they stay joined. Left out: the coarsest voxel edge.", Unit = "nm", Min = 0)]
    public double? Depth { get; init; }

    /// <inheritdoc/>
    public override void Run(StepRun run)
    {
        var mask = PhaseMask.Of(run.Source.AsLabels("separate-particles: the source"), Phase, "separate-particles", run.Walk);
        var particles = Separation.Of(mask, Depth ?? Separation.DefaultDepth(mask), run.Walk);
        var info = run.Source.Info with { Type = particles.Count <= ushort.MaxValue ? PixelType.UInt16 : PixelType.Float32, Phases = null };
        var (target, plane) = (run.Create(info), (int)info.Size.SliceCount);
        run.Walk.ForEach(info.Size.Z, z =>
        {
            var labels = particles.Labels.AsSpan(z * plane, plane);
            if (target is IWritableVolume<ushort> words) Store(words, z, labels, label => (ushort)label);
            else Store((IWritableVolume<float>)target, z, labels, label => label);
        });
        run.Fact("phase", mask.Phase.Name);
        run.Fact("particles", particles.Count);
    }

    private static void Store<T>(IWritableVolume<T> target, int z, ReadOnlySpan<int> labels, Func<int, T> number) where T : unmanaged
    {
        var slice = ArrayPool<T>.Shared.Rent(labels.Length);
        for (var i = 0; i < labels.Length; i++) slice[i] = number(labels[i]);
        target.Write(Box.Slice(target.Info.Size, z), slice.AsSpan(0, labels.Length));
        ArrayPool<T>.Shared.Return(slice);
    }
}
