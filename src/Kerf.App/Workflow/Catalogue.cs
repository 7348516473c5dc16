using Kerf.Imaging;
using Kerf.Microstructure;
using Kerf.Networks;
using Kerf.Volumes;

namespace Kerf.App;

/// <summary>The closed list of everything a recipe may name.</summary>
public static class Catalogue
{
    /// <summary>The section that says where the slices are.</summary>
    public static readonly Declared Input = Declared.Of<InputSection>();

    /// <summary>The section that says what is written.</summary>
    public static readonly Declared Output = Declared.Of<OutputSection>();

    /// <summary>Steps, in the order in which a recipe usually has them.</summary>
    public static readonly IReadOnlyList<Declared> Steps =
    [
        Declared.Of<Align>(), Declared.Of<Register>(), Declared.Of<Crop>(), Declared.Of<Geometry>(), Declared.Of<Brightness>(), Declared.Of<Destripe>(), Declared.Of<Denoise>(),
        Declared.Of<Stretch>(), Declared.Of<Equalize>(), Declared.Of<Clahe>(), Declared.Of<Resample>(),
        Declared.Of<Threshold>(), Declared.Of<LearnedThreshold>(), Declared.Of<KMeans>(), Declared.Of<Hysteresis>(), Declared.Of<Watershed>(),
        Declared.Of<ZGradientSegmentation>(), Declared.Of<Seeds>(), Declared.Of<Gabor>(), Declared.Of<SegmentElectrode>(),
        Declared.Of<ForestSegmentation>(), Declared.Of<BoostedSegmentation>(), Declared.Of<NetworkSegmentation>(), Declared.Of<Clean>(),
        Declared.Of<Reposition>(), Declared.Of<Fill>(), Declared.Of<Mimic>(),
        Declared.Of<Distance>(), Declared.Of<ThicknessMap>(), Declared.Of<SeparateParticles>(),
    ];

    // the step knows no networks; whoever lists it makes it whole
    static Catalogue() => Fill.Networks = LearnedFill.Open;

    /// <summary>Measures.</summary>
    public static readonly IReadOnlyList<Declared> Measures =
    [
        Declared.Of<Fractions>(), Declared.Of<Surface>(), Declared.Of<TripleBoundary>(), Declared.Of<TwoPoint>(), Declared.Of<LinealPath>(), Declared.Of<Anisotropy>(),
        Declared.Of<Thickness>(), Declared.Of<Skeleton>(), Declared.Of<Connectedness>(), Declared.Of<Particles>(), Declared.Of<ParticleInterior>(),
        Declared.Of<TortuosityFactor>(), Declared.Of<GeodesicTortuosity>(), Declared.Of<Intrusion>(), Declared.Of<Paths>(),
        Declared.Of<Representativeness>(), Declared.Of<Noise>(),
    ];

    /// <summary>The step of that name.</summary>
    /// <exception cref="InputError">There is none; with the nearest name.</exception>
    public static Declared Step(Typed name) => Find(Steps, name, "step");

    /// <summary>The measure of that name.</summary>
    /// <exception cref="InputError">There is none; with the nearest name.</exception>
    public static Declared Measure(Typed name) => Find(Measures, name, "measure");

    private static Declared Find(IReadOnlyList<Declared> list, Typed name, string kind) => list.FirstOrDefault(d => d.Name == name.Text)
        ?? throw new InputError($"{name.Where}: there is no {kind} \"{name.Text}\"{Naming.Suggest(name.Text, list.Select(d => d.Name))}");
}
