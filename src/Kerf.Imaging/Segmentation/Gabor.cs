using System.Buffers;
using System.Numerics.Tensors;
using Kerf.Volumes;

namespace Kerf.Imaging;

/// <summary>How several orientations of a Gabor filter become one response.</summary>
public enum GaborCombination
{
    /// <summary>The highest of them.</summary>
    Max,

    /// <summary>Their mean.</summary>
    Mean,
}

/// <summary>Real Gabor filter on each slice: see <c>docs/methods/gabor.md</c>.</summary>
[Operation("gabor", "Filters each slice with the real part of a Gabor filter; gives the response, or two phases when a threshold is set.")]
public sealed record Gabor : Step
{
    /// <summary>λ.</summary>
    [Parameter("Wavelength λ: about twice the width of the features to bring out.", Unit = "pixels or nm", Min = 0)]
    public double Wavelength { get; init; } = 8;

    /// <summary>θ.</summary>
    [Parameter("Orientation θ of the wave, from +x towards +y (down); several are combined.", Unit = "degrees")]
    public double[] Theta { get; init; } = [0, 45, 90, 135];

    /// <summary>ψ.</summary>
    [Parameter("Phase ψ of the wave: 0 answers to blobs and lines brighter than their surroundings, 180 to darker ones, 90 to "
        + "edges.", Unit = "degrees")]
    public double Psi { get; init; }

    /// <summary>σ.</summary>
    [Parameter("Width σ of the Gaussian envelope along the wave.", Unit = "pixels or nm", Min = 0)]
    public double Sigma { get; init; } = 3;

    /// <summary>γ.</summary>
    [Parameter("Aspect γ of the envelope: below 1 it is longer across the wave.", Min = 0)]
    public double Gamma { get; init; } = 1;

    /// <summary>How orientations are combined.</summary>
    [Parameter("How several orientations become one response: max or mean.")]
    public GaborCombination Combine { get; init; }

    /// <summary>The response in grey levels.</summary>
    [Parameter("Divides the kernel by the sum of its absolute values, so that the response stays in grey levels; false gives OpenCV's sum.")]
    public bool Normalise { get; init; } = true;

    /// <summary>Pixels or nanometres.</summary>
    [Parameter("The unit of wavelength and sigma: voxels (pixels of the slice) or nm.")]
    public LengthsIn Unit { get; init; }

    /// <summary>Response from which on a pixel belongs to phase 2.</summary>
    [Parameter("Response at or above which a pixel gets label 2, else 1. Left out: the step gives the response itself, as "
        + "float32.", Unit = "grey levels")]
    public double? Threshold { get; init; }

    /// <summary>Names of the phases.</summary>
    [Parameter("With a threshold: names of the phase below and of the one above.")]
    public string[] Phases { get; init; } = [];

    /// <inheritdoc/>
    public override void Run(StepRun run)
    {
        var kernels = Kernels(run.Source.Info);
        run.Fact("kernelSums", kernels.Select(kernel => kernel.Sum).ToArray());
        if (Threshold is not { } level)
        {
            var response = run.Create(run.Source.Info with { Type = PixelType.Float32, Phases = null });
            Apply(run.Source, response.AsFloatTarget(), kernels, run.Walk);
            return;
        }
        var target = run.CreateLabels(PhaseNames.Of(2, Phases, "below", "above"));
        run.Fact("thresholds", new[] { level });
        Apply<byte>(run.Source, target, kernels, run.Walk, (response, labels) =>
        {
            for (var i = 0; i < response.Length; i++) labels[i] = response[i] >= level ? (byte)2 : (byte)1;
        });
    }

    /// <summary>The kernels whose highest response counts: one an orientation, or the mean of all.</summary>
    public GaborKernel[] Kernels(VolumeInfo info)
    {
        var pixel = Unit == LengthsIn.Nm ? SquarePixel(info) : 1;
        GaborKernel Kernel(IReadOnlyList<double> theta) => new(Wavelength / pixel, theta, Psi, Sigma / pixel, Gamma, Normalise);
        return Combine == GaborCombination.Mean || Theta.Length == 0 ? [Kernel(Theta)] : [.. Theta.Select(theta => Kernel([theta]))];
    }

    /// <summary>The highest response of the kernels at each pixel, slice by slice; mirrored at the border (index −1 reads 1).</summary>
    public static void Apply(IVolume source, IWritableVolume<float> target, IReadOnlyList<GaborKernel> kernels, Traversal walk) =>
        Apply<float>(source, target, kernels, walk, (response, result) => response.CopyTo(result));

    /// <summary>The width of a square pixel.</summary>
    /// <exception cref="InputError">The voxel size is unknown, or pixels are not square.</exception>
    internal static double SquarePixel(VolumeInfo info)
    {
        var voxel = info.RequireVoxel("a Gabor filter in nm");
        return Math.Abs(voxel.X - voxel.Y) <= 1e-3 * voxel.X ? voxel.X : throw new InputError(FormattableString.Invariant(
            $"pixels are {voxel.Y}×{voxel.X} nm, and a Gabor filter needs square ones. Correct the tilt first, or give the lengths in pixels."));
    }

    private delegate void Finish<T>(ReadOnlySpan<float> response, Span<T> result);

    private static void Apply<T>(IVolume source, IWritableVolume<T> target, IReadOnlyList<GaborKernel> kernels, Traversal walk, Finish<T> finish)
        where T : unmanaged
    {
        var radius = kernels.Max(kernel => kernel.Radius);
        Blocks.Map<float, T>(source.AsFloat(), target, new(0, radius, radius), Border.Mirror, walk, (block, result) =>
        {
            var (inner, outer) = (block.Inner.Size, block.Outer.Size);
            var plane = (int)inner.SliceCount;
            var responses = ArrayPool<float>.Shared.Rent(2 * plane);
            for (var z = 0; z < inner.Z; z++)
            {
                Respond(block.Voxels.Slice((int)(z * outer.SliceCount), (int)outer.SliceCount), inner.Y, inner.X, radius, kernels, responses);
                finish(responses.AsSpan(0, plane), result.Slice(z * plane, plane));
            }
            ArrayPool<float>.Shared.Return(responses);
        }, 8);
    }

    /// <summary>The highest response in a padded plane; <paramref name="work"/> is twice as long as the result it begins with.</summary>
    internal static void Respond(ReadOnlySpan<float> padded, int height, int width, int radius, IReadOnlyList<GaborKernel> kernels, Span<float> work)
    {
        var best = work[..(height * width)];
        var next = work.Slice(height * width, height * width);
        for (var k = 0; k < kernels.Count; k++)
        {
            var excess = radius - kernels[k].Radius;
            var cut = Cut(padded, height + 2 * radius, width + 2 * radius, excess, out var rented);
            kernels[k].Apply(cut, height, width, k == 0 ? best : next);
            if (rented is not null) ArrayPool<float>.Shared.Return(rented);
            if (k > 0) TensorPrimitives.Max(best, next, best);
        }
    }

    /// <summary>A plane without its outermost <paramref name="margin"/> pixels.</summary>
    internal static ReadOnlySpan<float> Cut(ReadOnlySpan<float> plane, int height, int width, int margin, out float[]? rented)
    {
        rented = null;
        if (margin == 0) return plane;
        var (rows, columns) = (height - 2 * margin, width - 2 * margin);
        rented = ArrayPool<float>.Shared.Rent(rows * columns);
        for (var y = 0; y < rows; y++) plane.Slice((y + margin) * width + margin, columns).CopyTo(rented.AsSpan(y * columns));
        return rented.AsSpan(0, rows * columns);
    }
}
