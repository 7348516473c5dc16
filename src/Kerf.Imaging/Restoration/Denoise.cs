using Kerf.Volumes;

namespace Kerf.Imaging;

/// <summary>How noise is removed.</summary>
public enum DenoiseMethod
{
    /// <summary>See <see cref="GaussianDenoising"/>.</summary>
    Gaussian,

    /// <summary>See <see cref="MedianDenoising"/>.</summary>
    Median,

    /// <summary>Non-local means: see <see cref="NonLocalMeans"/>.</summary>
    Nlm,

    /// <summary>Total variation: see <see cref="TotalVariation"/>.</summary>
    Tv,
}

/// <summary>Removes noise, in each slice or in space.</summary>
[Operation("denoise", "Removes noise: non-local means keeps edges and texture, median takes lone pixels, Gaussian smooths, total variation flattens.")]
public sealed record Denoise : Step
{
    /// <summary>How.</summary>
    [Parameter("gaussian, median, nlm (non-local means) or tv (total variation).")]
    public DenoiseMethod Method { get; init; } = DenoiseMethod.Nlm;

    /// <summary>2 or 3.</summary>
    [Parameter("2 filters each slice for itself; 3 uses its neighbours too: stronger, needs aligned slices.", Min = 2, Max = 3)]
    public int Dimensions { get; init; } = 2;

    /// <summary>Gaussian: σ in nanometres.</summary>
    [Parameter("Gaussian: standard deviation; the same length along each axis whatever the voxel size. Left out: sigma-voxels.", Unit = "nm", Min = 0)]
    public double? Sigma { get; init; }

    /// <summary>Gaussian: σ in voxels.</summary>
    [Parameter("Gaussian: standard deviation when sigma is left out, the same number of voxels along each axis.", Unit = "voxels", Min = 0, Max = 50)]
    public double SigmaVoxels { get; init; } = 1.1;

    /// <summary>Median: half-width of the window.</summary>
    [Parameter("Median: half-width of the window; 1 is 3×3 or 3×3×3.", Unit = "voxels", Min = 1, Max = 5)]
    public int Radius { get; init; } = 1;

    /// <summary>Non-local means: half-width of a patch.</summary>
    [Parameter("Non-local means: half-width of the patches that are compared.", Unit = "voxels", Min = 0, Max = 5)]
    public int PatchRadius { get; init; } = 2;

    /// <summary>Non-local means: half-width of the search window.</summary>
    [Parameter("Non-local means: half-width of the window where patches are sought; 3 to 5 are enough in 3-D.", Unit = "voxels", Min = 1, Max = 21)]
    public int SearchRadius { get; init; } = 7;

    /// <summary>Non-local means: photometric distance.</summary>
    [Parameter("Non-local means: photometric distance; more smooths more. Left out: the standard deviation of the noise.", Unit = "grey levels", Min = 0)]
    public double? H { get; init; }

    /// <summary>Standard deviation of the noise.</summary>
    [Parameter("Standard deviation of the noise. Left out: estimated from the stack; 0 makes nlm allow for none.", Unit = "grey levels", Min = 0)]
    public double? Noise { get; init; }

    /// <summary>Total variation: strength.</summary>
    [Parameter("Total variation: strength. Left out: the standard deviation of the noise.", Unit = "grey levels", Min = 0)]
    public double? Lambda { get; init; }

    /// <summary>Total variation: iterations.</summary>
    [Parameter("Total variation: iterations of the solver.", Min = 1, Max = 500)]
    public int Iterations { get; init; } = 50;

    /// <inheritdoc/>
    public override void Run(StepRun run)
    {
        var depth = Dimensions == 3 ? 1 : 0;
        double NoiseOr(double? given) => given ?? Noise ?? run.Remember("noise", () => NoiseLevel.OfStack(run.Source, run.Walk.Part(0, 0.05)));
        switch (Method)
        {
            case DenoiseMethod.Gaussian:
                var (z, y, x) = InVoxels(run.Source.Info);
                GaussianDenoising.Filter(run.Source, run.CreateGrey(), (depth * z, y, x), run.Walk);
                break;
            case DenoiseMethod.Median:
                MedianDenoising.Filter(run.Source, run.CreateGrey(), new(depth * Radius, Radius, Radius), run.Walk);
                break;
            case DenoiseMethod.Nlm:
                var noise = NoiseOr(null);
                var h = H ?? noise;
                run.Fact("h", h);
                if (h == 0)
                    throw new InputError("h is 0 grey levels, and the stack shows no noise to take it from. Set h above 0, or leave the step out.");
                NonLocalMeans.Filter(run.Source, run.CreateGrey(), new(depth * PatchRadius, PatchRadius, PatchRadius),
                    new(depth * SearchRadius, SearchRadius, SearchRadius), h, noise, run.Walk.Part(0.05, 1));
                break;
            default:
                var lambda = NoiseOr(Lambda);
                run.Fact("lambda", lambda);
                TotalVariation.Filter(run.Source, run.CreateGrey(), lambda, Iterations, Dimensions == 3, run.Walk.Part(0.05, 1));
                break;
        }
    }

    private (double Z, double Y, double X) InVoxels(VolumeInfo info)
    {
        if (Sigma is not { } sigma) return (SigmaVoxels, SigmaVoxels, SigmaVoxels);
        var voxel = info.RequireVoxel("denoise with sigma in nanometres");
        return (sigma / voxel.Z, sigma / voxel.Y, sigma / voxel.X);
    }
}
