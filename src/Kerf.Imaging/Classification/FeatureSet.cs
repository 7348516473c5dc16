using Kerf.Volumes;

namespace Kerf.Imaging;

/// <summary>A family of pixel features, in ilastik's order.</summary>
public enum FeatureFamily
{
    /// <summary>The smoothed grey value.</summary>
    GaussianSmoothing,

    /// <summary>Sum of the second derivatives.</summary>
    LaplacianOfGaussian,

    /// <summary>Length of the gradient.</summary>
    GaussianGradientMagnitude,

    /// <summary>Smoothed at σ minus smoothed at 0.66 σ.</summary>
    DifferenceOfGaussians,

    /// <summary>Eigenvalues of the smoothed outer product of the gradient, largest first.</summary>
    StructureTensorEigenvalues,

    /// <summary>Eigenvalues of the matrix of second derivatives, largest first.</summary>
    HessianOfGaussianEigenvalues,
}

/// <summary>Which features a set has besides ilastik's; its name is kept in model files.</summary>
public enum FeatureKind
{
    /// <summary>ilastik's set alone.</summary>
    Plain,

    /// <summary>With the z-evolution while milling.</summary>
    Milling,

    /// <summary>With everything that was found to help.</summary>
    All,
}

/// <summary>What a family looks at.</summary>
public enum FeatureGroup
{
    /// <summary>The grey value.</summary>
    Smoothing,

    /// <summary>Steps of the grey value: Laplacian, gradient magnitude, difference of Gaussians.</summary>
    Edge,

    /// <summary>Its arrangement: eigenvalues of the structure tensor and of the Hessian.</summary>
    Texture,

    /// <summary>How it goes on while milling: see <see cref="MillingFeature"/>.</summary>
    Evolution,
}

/// <summary>One feature of one channel: what a column of the feature matrix is.</summary>
/// <param name="Family">Which filter.</param>
/// <param name="Sigma">Its scale in voxels of the finest axis.</param>
/// <param name="Eigenvalue">0 for the largest; 0 for families that have none.</param>
public sealed record Feature(FeatureFamily Family, double Sigma, int Eigenvalue)
{
    /// <summary>What the feature looks at.</summary>
    public FeatureGroup Group => Family switch
    {
        FeatureFamily.GaussianSmoothing => FeatureGroup.Smoothing,
        >= FeatureFamily.StructureTensorEigenvalues => FeatureGroup.Texture,
        _ => FeatureGroup.Edge,
    };

    /// <summary>"hessian-of-gaussian-eigenvalues 3.5 [0]".</summary>
    public override string ToString()
    {
        var name = string.Concat(Family.ToString().Select((c, i) => char.IsUpper(c) && i > 0 ? "-" + char.ToLowerInvariant(c) : char.ToLowerInvariant(c).ToString()));
        var scale = FormattableString.Invariant($"{name} {Sigma}");
        return Family >= FeatureFamily.StructureTensorEigenvalues ? FormattableString.Invariant($"{scale} [{Eigenvalue}]") : scale;
    }
}

/// <summary>
/// A selection of ilastik's pixel features. The full set has 61 features in 3-D and 49 in 2-D, ordered by family, then scale, then eigenvalue.
/// Each scale is smoothed first (σ_pre = √(σ² − 1) above σ = 1, else σ; window 3.5) and then filtered at min(σ, 1) with window 2, as ilastik
/// does to save time; the structure tensor takes its gradient at half that scale and smooths at the full one, as ilastik's shipped engine does.
/// </summary>
public sealed record FeatureSet
{
    /// <summary>ilastik's scales.</summary>
    public static readonly IReadOnlyList<double> AllScales = [0.3, 0.7, 1.0, 1.6, 3.5, 5.0, 10.0];

    /// <summary>Which features there are besides ilastik's.</summary>
    public FeatureKind Kind { get; init; }

    /// <summary>2 or 3.</summary>
    public int Dimensions { get; init; } = 3;

    /// <summary>Scales in voxels of the finest axis; 0.3 is used for smoothing alone.</summary>
    public IReadOnlyList<double> Scales { get; init; } = AllScales;

    /// <summary>Families.</summary>
    public IReadOnlyList<FeatureFamily> Families { get; init; } = Enum.GetValues<FeatureFamily>();

    /// <summary>
    /// Voxel edges along z, y, x in units of the finest one. (1, 1, 1) takes σ in voxels along every axis, as ilastik does; true ratios make
    /// σ a length: an axis with coarser voxels gets a narrower kernel and derivatives per unit of length.
    /// </summary>
    public (double Z, double Y, double X) Spacing { get; init; } = (1, 1, 1);

    /// <summary>The same set with σ as a length on the given voxels.</summary>
    public FeatureSet Scaled(VoxelSize voxel) => this with { Spacing = (voxel.Z / voxel.Finest, voxel.Y / voxel.Finest, voxel.X / voxel.Finest) };

    /// <summary>The features in their order.</summary>
    public IReadOnlyList<Feature> Features =>
    [
        .. from family in Families
           from sigma in Scales
           where family == FeatureFamily.GaussianSmoothing || sigma >= 0.7
           from eigenvalue in Enumerable.Range(0, family >= FeatureFamily.StructureTensorEigenvalues ? Dimensions : 1)
           select new Feature(family, sigma, eigenvalue),
    ];

    /// <summary>The z-evolution features, which come after <see cref="Features"/>; none in a plain set.</summary>
    public IReadOnlyList<MillingFeature> Milling => Kind >= FeatureKind.Milling ? MillingFeatures.All : [];

    /// <summary>How many features a voxel has per signal.</summary>
    public int Count => Features.Count + Milling.Count;

    /// <summary>Names of all features of a signal, in their order.</summary>
    public IReadOnlyList<string> Names => [.. Features.Select(f => f.ToString()), .. Milling.Select(f => f.ToString())];

    /// <summary>What each feature of a signal looks at.</summary>
    public IReadOnlyList<FeatureGroup> Groups => [.. Features.Select(f => f.Group), .. Milling.Select(_ => FeatureGroup.Evolution)];

    /// <summary>Voxels around a region that its features depend on.</summary>
    public Size3 Halo
    {
        get
        {
            var radii = Scales.Select(PresmoothRadii).ToArray();
            // 3: gradient of radius 1 inside smoothing of radius 2
            var plain = new Size3(Dimensions == 3 ? radii.Max(r => r.Z) + 3 : 0, radii.Max(r => r.Y) + 3, radii.Max(r => r.X) + 3);
            if (Milling.Count == 0) return plain;
            var milling = MillingFeatures.Halo(this);
            return new(Math.Max(plain.Z, milling.Z), Math.Max(plain.Y, milling.Y), Math.Max(plain.X, milling.X));
        }
    }

    /// <summary>Refuses a selection that selects nothing.</summary>
    /// <exception cref="InputError">It is one.</exception>
    internal void Check()
    {
        if (Features.Count == 0) throw new InputError("features: the families and scales leave none; scales below 0.7 serve gaussian-smoothing alone.");
    }

    internal static double PresmoothSigma(double sigma) => sigma > 1 ? Math.Sqrt(sigma * sigma - 1) : sigma;

    internal Size3 PresmoothRadii(double sigma)
    {
        var pre = PresmoothSigma(sigma);
        return new(Dimensions == 3 ? GaussianTaps.Radius(pre / Spacing.Z, 3.5) : 0, GaussianTaps.Radius(pre / Spacing.Y, 3.5), GaussianTaps.Radius(pre / Spacing.X, 3.5));
    }
}
