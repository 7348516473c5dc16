using System.Buffers;
using System.Numerics.Tensors;
using Kerf.Volumes;

namespace Kerf.Imaging;

/// <summary>How <see cref="Destripe"/> tells stripes from structure.</summary>
public enum StripeFilter
{
    /// <summary>
    /// The wedge of the spectrum of what is left when each grey class lost its mean, and only what stands out from the spectrum beside it.
    /// </summary>
    Guarded,

    /// <summary>All of the wedge is damped: the plain filter of the textbooks. Edges parallel to the stripes lose contrast.</summary>
    Wedge,

    /// <summary>
    /// Wavelets tell the stripes' width, the spectrum along them how straight they are (Münch et al. 2009, doi:10.1364/OE.17.008567). For stripes
    /// along the image's axes.
    /// </summary>
    Wavelet,
}

/// <summary>Removes stripes ("curtains") that milling leaves in each slice. See docs/methods/destripe.md.</summary>
[Operation("destripe", "Removes the stripes that milling leaves, by damping a wedge of each slice's spectrum or its wavelets; the mean stays.")]
public sealed record Destripe : Step
{
    /// <summary>How stripes are told from structure.</summary>
    [Parameter("guarded sets the structure aside first and damps only what stands out; wedge damps all of the wedge, edges along the stripes with it; wavelet damps by width of the stripes, in directions 0 and 90 only.")]
    public StripeFilter Method { get; init; }

    /// <summary>The direction that the stripes run in.</summary>
    [Parameter("Direction that the stripes run in: 90 is down the image (curtains), 0 along its rows; angles turn from x towards y.", Unit = "degrees", Min = -180, Max = 180)]
    public double Direction { get; init; } = 90;

    /// <summary>Half the opening angle of the wedge.</summary>
    [Parameter("Half the opening angle of the wedge; wider follows stripes that bend, and costs more structure.", Unit = "degrees", Min = 0.1, Max = 40)]
    public double HalfAngle { get; init; } = 6;

    /// <summary>Guarded low frequencies: stripes of a longer period stay.</summary>
    [Parameter("Guard: variations of a longer period across the stripes are structure and stay.", Unit = "pixels", Min = 2)]
    public double LongestPeriod { get; init; } = 600;

    /// <summary>Wavelet: how fast stripes may change along their length.</summary>
    [Parameter("wavelet: how fast stripes may change along their length; 1 takes those as long as the slice, more follows shorter ones and costs more structure.", Unit = "cycles per slice", Min = 0.1, Max = 500)]
    public double Damping { get; init; } = 3;

    /// <summary>Share of the stripes that is taken out.</summary>
    [Parameter("Share of the stripes that is taken out.", Min = 0, Max = 1)]
    public double Strength { get; init; } = 1;

    /// <inheritdoc/>
    public override void Run(StepRun run)
    {
        var target = run.CreateGrey();
        using var energies = run.Notes("stripes");
        var (before, after) = Apply(run.Source.AsFloat(), target, this, run.Walk, energies);
        run.Fact("stripeEnergyBefore", before);
        run.Fact("stripeEnergyAfter", after);
    }

    /// <summary>
    /// Destripes slice by slice. A slice is continued beyond its borders by its mirror image, faded so that it repeats. Gives the mean square of
    /// the stripes (grey levels squared) per slice before and after, as docs/methods/destripe.md defines for each method; 0 for slices that a killed run
    /// had finished, unless <paramref name="notes"/> know them.
    /// </summary>
    /// <exception cref="InputError">A slice is smaller than 16 pixels, or the method does not know the direction.</exception>
    public static (double[] Before, double[] After) Apply(
        IVolume<float> source, IWritableVolume<float> target, Destripe how, Traversal walk, SliceNotes? notes = null)
    {
        var size = source.Info.Size;
        if (Math.Min(size.Y, size.X) < 16) throw new InputError($"destripe: slices are {size.Y}×{size.X} pixels; it needs at least 16×16. Leave the step out.");
        // the work is written for stripes that run nearly down the image; others are turned by swapping x and y
        var angle = how.Direction - 180 * Math.Round(how.Direction / 180);
        var turned = Math.Abs(angle) < 45;
        var lean = turned ? angle : angle > 0 ? 90 - angle : -90 - angle;
        var (height, width) = turned ? (size.X, size.Y) : (size.Y, size.X);
        Estimator estimate = how.Method == StripeFilter.Wavelet ? new WaveletStripes(height, width, lean, how).Estimate : new WedgeStripes(height, width, lean, how).Estimate;
        using var own = notes is null ? new SliceNotes(null, size.Z) : null;
        var energies = notes ?? own!;
        Blocks.MapSlices<float, float>(source, target, 0, Border.Mirror, walk, (block, output) =>
        {
            var stripes = ArrayPool<float>.Shared.Rent(output.Length);
            (double Before, double After) energy;
            if (turned)
            {
                Transpose(block.Voxels, size.X, output);
                energy = estimate(output, stripes);
                Transpose(stripes.AsSpan(0, output.Length), size.Y, output);
                output.CopyTo(stripes);
            }
            else
            {
                energy = estimate(block.Voxels, stripes);
            }
            energies.Set(block.Inner.Start.Z, energy.Before, energy.After);
            TensorPrimitives.Subtract(block.Voxels, stripes.AsSpan(0, output.Length), output);
            ArrayPool<float>.Shared.Return(stripes);
        }, WedgeStripes.ScratchBytes);
        return (energies.Column(0), energies.Column(1));
    }

    // fills `stripes` with what is to be subtracted; gives their mean square before and after
    private delegate (double Before, double After) Estimator(ReadOnlySpan<float> slice, Span<float> stripes);

    private static void Transpose(ReadOnlySpan<float> from, int width, Span<float> to)
    {
        var height = from.Length / width;
        for (var y = 0; y < height; y++)
            for (var x = 0; x < width; x++) to[x * height + y] = from[y * width + x];
    }
}
