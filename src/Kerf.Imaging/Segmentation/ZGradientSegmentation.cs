using Kerf.Volumes;

namespace Kerf.Imaging;

/// <summary>The z-gradient as a step: see <see cref="ZGradient"/>.</summary>
[Operation("z-gradient", "Finds pores that something shines through by how their grey goes on while milling; a second detector splits the rest.")]
public sealed record ZGradientSegmentation : Step
{
    /// <summary>The second detector.</summary>
    [Parameter("The second detector's volume on the same grid, which splits what is not void. Left out: solid is one phase.", IsPath = true)]
    public string Second { get; init; } = "";

    /// <summary>Threshold on the second detector.</summary>
    [Parameter("Threshold on the second detector: label 2 below it, 3 from it on.", Unit = "grey levels")]
    public double Split { get; init; } = double.NaN;

    /// <summary>Sure void.</summary>
    [Parameter("Grey below which a voxel is void, whatever comes. Left out: Otsu's threshold of the stack.", Unit = "grey levels")]
    public double? Dark { get; init; }

    /// <summary>Sure void that is lit.</summary>
    [Parameter("Grey from which on a voxel is void, whatever comes: the lit ground of wide pores. Left out: none is.", Unit = "grey levels")]
    public double? Bright { get; init; }

    /// <summary>The end of a structure.</summary>
    [Parameter("Change of the grey over two slices, up or down, that ends a structure; gradual brightening stays below it.", Unit = "grey levels", Min = 0)]
    public double Step { get; init; } = new ZGradientOptions().Step;

    /// <summary>Carried back from the end.</summary>
    [Parameter("A voxel whose grey differs from its structure's last slice by more than this share is void.", Min = 0, Max = 0.99)]
    public double Tolerance { get; init; } = new ZGradientOptions().Tolerance;

    /// <summary>Slices to look ahead.</summary>
    [Parameter("Slices to look ahead for the end of a structure.", Unit = "slices", Min = 1, Max = 200)]
    public int Window { get; init; } = new ZGradientOptions().Window;

    /// <summary>Smoothing.</summary>
    [Parameter("Smoothing within the slice before the profile along z is taken.", Unit = "pixels", Min = 0, Max = 10)]
    public double Sigma { get; init; } = new ZGradientOptions().Sigma;

    /// <summary>Names of the phases.</summary>
    [Parameter("Names of the phases in label order, with a colour if wanted: void, carbon=#444444, NMC.")]
    public string[] Phases { get; init; } = [];

    /// <inheritdoc/>
    public override void Run(StepRun run)
    {
        if (Second.Length > 0 && double.IsNaN(Split)) throw new InputError("z-gradient: a second detector is given, but no threshold for it; add --split 90.");
        var dark = run.Remember("dark", () => Dark ?? Threshold.Otsu(run.Source, run.Walk.Part(0, 0.2))[0]);
        var second = Second.Length > 0 ? VolumeFile.Open(Second) : null;
        using var held = second as IDisposable;
        var target = run.CreateLabels(second is null ? PhaseNames.Of(2, Phases, PhaseNames.PoreSolid) : PhaseNames.Of(3, Phases, "pore"));
        ZGradient.Apply(run.Source, second, Split, target, new() { Dark = dark, Bright = Bright ?? double.PositiveInfinity, Step = Step, Tolerance = Tolerance, Window = Window, Sigma = Sigma }, run.Walk.Part(0.2, 1));
    }
}
