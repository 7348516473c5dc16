using System.Buffers;
using System.Numerics;
using System.Numerics.Tensors;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Kerf.Volumes;

namespace Kerf.Imaging;

/// <summary>
/// The real part of a Gabor filter, g(x, y) = exp(−(x'² + γ²y'²)/2σ²)·cos(2πx'/λ + ψ), x' = x·cos θ + y·sin θ, y' = −x·sin θ + y·cos θ (Daugman 1985, doi:10.1364/JOSAA.2.001160), on a square of 2R + 1 pixels with R = 3σ·max(1, 1/γ) rounded, at least 1: the numbers of OpenCV's
/// <c>getGaborKernel</c> at that size. Several orientations are averaged into one kernel.
/// </summary>
public sealed class GaborKernel
{
    private readonly float[] _weights;
    private readonly (float[] Column, float[] Row)[]? _terms;

    /// <summary>Samples the kernel. Lengths in pixels, angles in degrees, θ from +x towards +y (down).</summary>
    /// <param name="wavelength">λ, the period of the wave.</param>
    /// <param name="orientations">θ, one or several.</param>
    /// <param name="phase">ψ: 0 answers to lines and blobs, 90 to edges.</param>
    /// <param name="sigma">σ, the width of the envelope along the wave.</param>
    /// <param name="aspect">γ: below 1 the envelope is longer across the wave.</param>
    /// <param name="normalise">Divides by Σ|g|, which keeps the response in grey levels; else the sum stays as it is, as in OpenCV.</param>
    /// <exception cref="InputError">A parameter is out of its range, or the kernel spans more than 255 pixels.</exception>
    public GaborKernel(double wavelength, IReadOnlyList<double> orientations, double phase, double sigma, double aspect, bool normalise = true)
    {
        Check(wavelength, "wavelength");
        Check(sigma, "sigma");
        Check(aspect, "gamma");
        if (orientations.Count == 0) throw new InputError("theta is empty; give at least one orientation in degrees, like 0 or 0,45,90,135.");
        Radius = (int)Math.Max(1, Math.Round(Math.Min(1e6, 3 * sigma * Math.Max(1, 1 / aspect))));
        if (Radius > 127) throw new InputError(FormattableString.Invariant(
            $"sigma is {sigma} pixels at gamma {aspect}: the kernel would span {2L * Radius + 1} pixels; at most 255. Bin first or choose a smaller one."));
        var side = 2 * Radius + 1;
        var sum = new double[side * side];
        foreach (var theta in orientations)
        {
            for (var i = 0; i < sum.Length; i++)
                sum[i] += Value(i % side - Radius, i / side - Radius, wavelength, theta, phase, sigma, aspect) / orientations.Count;
        }
        Sum = 0;
        for (var i = 0; i < sum.Length; i++) Sum += Math.Abs(sum[i]);
        // convolution turns the kernel round
        _weights = Array.ConvertAll(sum, value => (float)(normalise ? value / Sum : value));
        Array.Reverse(_weights);
        // cos(ax + by + ψ) = cos(ax + ψ)·cos(by) − sin(ax + ψ)·sin(by): with a separable envelope two row–column pairs an orientation
        var divisor = (normalise ? Sum : 1) * orientations.Count;
        if (4 * orientations.Count < side && orientations.All(theta => aspect == 1 || theta % 90 == 0))
            _terms = [.. orientations.SelectMany(theta => Terms(wavelength, theta, phase, sigma, aspect, divisor))];
    }

    /// <summary>Pixels that the kernel reaches on each side.</summary>
    public int Radius { get; }

    /// <summary>Σ|g| before any normalisation.</summary>
    public double Sum { get; }

    /// <summary>The weights by which the neighbourhood of a pixel is multiplied (the kernel, turned round), x fastest.</summary>
    public ReadOnlySpan<float> Weights => _weights;

    /// <summary>g at an offset in pixels.</summary>
    public static double Value(double x, double y, double wavelength, double theta, double phase, double sigma, double aspect)
    {
        var (sin, cos) = Direction(theta);
        var (along, across) = (x * cos + y * sin, y * cos - x * sin);
        return Math.Exp(-(along * along + aspect * aspect * across * across) / (2 * sigma * sigma))
            * Math.Cos(2 * Math.PI * along / wavelength + phase * Math.PI / 180);
    }

    /// <summary>Filters a plane that has <see cref="Radius"/> pixels more on each side than the result.</summary>
    public void Apply(ReadOnlySpan<float> padded, int height, int width, Span<float> result)
    {
        if (_terms is null) Plane.Correlate(padded, height, width, _weights, Radius, result);
        else Plane.Correlate(padded, height, width, _terms, Radius, result);
    }

    /// <summary>The same without the shortcut of separable terms: the plain sum over the kernel.</summary>
    internal void ApplyPlainly(ReadOnlySpan<float> padded, int height, int width, Span<float> result) =>
        Plane.Correlate(padded, height, width, _weights, Radius, result);

    private (float[] Column, float[] Row)[] Terms(double wavelength, double theta, double phase, double sigma, double aspect, double divisor)
    {
        var (sin, cos) = Direction(theta);
        var (a, b, psi) = (2 * Math.PI * cos / wavelength, 2 * Math.PI * sin / wavelength, phase * Math.PI / 180);
        // σ along x and y: θ is a multiple of 90° or the envelope is round
        var (sigmaX, sigmaY) = Math.Abs(cos) > Math.Abs(sin) ? (sigma, sigma / aspect) : (sigma / aspect, sigma);
        return
        [
            (Samples(y => Math.Cos(b * y) * Envelope(y, sigmaY)), Samples(x => Math.Cos(a * x + psi) * Envelope(x, sigmaX) / divisor)),
            (Samples(y => Math.Sin(b * y) * Envelope(y, sigmaY)), Samples(x => -Math.Sin(a * x + psi) * Envelope(x, sigmaX) / divisor)),
        ];

        static double Envelope(double t, double width) => Math.Exp(-t * t / (2 * width * width));
        float[] Samples(Func<double, double> f) => [.. Enumerable.Range(-Radius, 2 * Radius + 1).Select(t => (float)f(-t))];
    }

    // exact on the axes, where Math.Cos(π/2) is not 0
    private static (double Sin, double Cos) Direction(double theta)
    {
        var radians = theta * Math.PI / 180;
        return (theta % 180 == 0 ? 0 : Math.Sin(radians), Math.Abs(theta % 180) == 90 ? 0 : Math.Cos(radians));
    }

    private static void Check(double value, string name)
    {
        if (!(value > 0 && double.IsFinite(value))) throw new InputError(FormattableString.Invariant($"{name} is {value}; it must be above 0."));
    }
}

/// <summary>Weighted neighbourhood sums in a plane. Each pixel adds its terms in the same order in vector and in scalar code.</summary>
internal static class Plane
{
    /// <summary>A square kernel; the input has <paramref name="radius"/> pixels more on each side.</summary>
    public static void Correlate(ReadOnlySpan<float> padded, int height, int width, ReadOnlySpan<float> weights, int radius, Span<float> result)
    {
        var side = 2 * radius + 1;
        for (var y = 0; y < height; y++)
        {
            var x = Wide(padded[(y * (width + 2 * radius))..], width + 2 * radius, width, weights, side, side, result.Slice(y * width, width));
            for (; x < width; x++)
            {
                var sum = 0f;
                for (var v = 0; v < side; v++)
                {
                    for (var u = 0; u < side; u++) sum += weights[v * side + u] * padded[(y + v) * (width + 2 * radius) + x + u];
                }
                result[y * width + x] = sum;
            }
        }
    }

    /// <summary>A sum of separable kernels: rows first, then columns.</summary>
    public static void Correlate(
        ReadOnlySpan<float> padded, int height, int width, (float[] Column, float[] Row)[] terms, int radius, Span<float> result)
    {
        var side = 2 * radius + 1;
        var rows = ArrayPool<float>.Shared.Rent((height + 2 * radius) * width);
        var part = ArrayPool<float>.Shared.Rent(width);
        for (var term = 0; term < terms.Length; term++)
        {
            var (column, row) = terms[term];
            for (var y = 0; y < height + 2 * radius; y++)
                Line(padded[(y * (width + 2 * radius))..], 1, width, row, side, rows.AsSpan(y * width, width));
            for (var y = 0; y < height; y++)
            {
                var target = result.Slice(y * width, width);
                Line(rows.AsSpan(y * width), width, width, column, side, term == 0 ? target : part);
                if (term > 0) TensorPrimitives.Add(target, part.AsSpan(0, width), target);
            }
        }
        ArrayPool<float>.Shared.Return(rows);
        ArrayPool<float>.Shared.Return(part);
    }

    // result[x] = Σ weights[k]·source[x + k·stride]
    private static void Line(ReadOnlySpan<float> source, int stride, int width, ReadOnlySpan<float> weights, int side, Span<float> result)
    {
        var x = stride == 1 ? Wide(source, 0, width, weights, 1, side, result) : Wide(source, stride, width, weights, side, 1, result);
        for (; x < width; x++)
        {
            var sum = 0f;
            for (var k = 0; k < side; k++) sum += weights[k] * source[x + k * stride];
            result[x] = sum;
        }
    }

    // one row of results, 4 vectors, then 1, at a time; returns the first pixel that is left to scalar code
    private static int Wide(ReadOnlySpan<float> source, int stride, int width, ReadOnlySpan<float> weights, int rows, int columns, Span<float> result)
    {
        ref var from = ref MemoryMarshal.GetReference(source);
        ref var to = ref MemoryMarshal.GetReference(result);
        ref var kernel = ref MemoryMarshal.GetReference(weights);
        var lanes = Vector<float>.Count;
        var x = 0;
        // the last pixels that a row of vectors reads, checked once
        if (width < lanes) return 0;
        _ = source[(rows - 1) * stride + width - 1 + columns - 1];
        _ = result[width - 1];
        _ = weights[rows * columns - 1];
        for (; x <= width - 4 * lanes; x += 4 * lanes)
        {
            Vector<float> a = Vector<float>.Zero, b = a, c = a, d = a;
            for (var v = 0; v < rows; v++)
            {
                ref var line = ref Unsafe.Add(ref from, v * stride + x);
                for (var u = 0; u < columns; u++)
                {
                    var weight = new Vector<float>(Unsafe.Add(ref kernel, v * columns + u));
                    a += weight * Vector.LoadUnsafe(ref line, (nuint)u);
                    b += weight * Vector.LoadUnsafe(ref line, (nuint)(u + lanes));
                    c += weight * Vector.LoadUnsafe(ref line, (nuint)(u + 2 * lanes));
                    d += weight * Vector.LoadUnsafe(ref line, (nuint)(u + 3 * lanes));
                }
            }
            a.StoreUnsafe(ref to, (nuint)x);
            b.StoreUnsafe(ref to, (nuint)(x + lanes));
            c.StoreUnsafe(ref to, (nuint)(x + 2 * lanes));
            d.StoreUnsafe(ref to, (nuint)(x + 3 * lanes));
        }
        for (; x <= width - lanes; x += lanes)
        {
            var sum = Vector<float>.Zero;
            for (var v = 0; v < rows; v++)
            {
                for (var u = 0; u < columns; u++)
                {
                    sum += new Vector<float>(Unsafe.Add(ref kernel, v * columns + u))
                        * Vector.LoadUnsafe(ref from, (nuint)(v * stride + x + u));
                }
            }
            sum.StoreUnsafe(ref to, (nuint)x);
        }
        return x;
    }
}
