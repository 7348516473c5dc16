using System.Buffers;
using System.Numerics.Tensors;
using System.Runtime.Intrinsics;
using Kerf.Volumes;

namespace Kerf.Imaging;

/// <summary>
/// Estimates the stripes of a slice, which run down it, from a wedge of the spectrum around the direction across them. The guarded estimate sees
/// what <see cref="StructureClasses"/> leaves of the slice, and a coefficient counts only as far as its power stands out from the mean power beside the
/// wedge at the same frequency.
/// </summary>
internal sealed class WedgeStripes
{
    // noise alone exceeds three times its mean power in 5 % of the coefficients
    private const double StandsOut = 3;

    private const int GuardedPasses = 3;

    private readonly Periodic _border;
    private readonly RealFourier _fourier;
    private readonly bool _guarded;
    private readonly double _strength;
    private readonly int _width;
    private readonly Coefficient[] _wedge, _flank;
    private readonly int _rows;

    // a place in the spectrum: how much it belongs to the wedge, its frequency in lines of the longer side, how often it counts (its mirror image)
    private readonly record struct Coefficient(int At, float Member, int Radius, int Count);

    /// <summary>Plans slices of one size; the stripes lean from the column direction towards x by <paramref name="lean"/> degrees.</summary>
    public WedgeStripes(int height, int width, double lean, Destripe how)
    {
        _border = new(height, width, Math.Min(32, Math.Min(height, width) / 8));
        _fourier = RealFourier.For(_border.PaddedHeight, _border.PaddedWidth);
        (_guarded, _strength, _width) = (how.Method == StripeFilter.Guarded, how.Strength, width);
        var (wedge, flank) = (new List<Coefficient>(), new List<Coefficient>());
        var (sine, cosine) = Math.SinCos(lean * Math.PI / 180);
        var (halfAngle, guard) = (how.HalfAngle * Math.PI / 180, 1 / how.LongestPeriod);
        // tangents beyond which nothing can belong to either
        var (wedgeSlope, flankSlope) = (Math.Tan(Math.Min(1.5 * halfAngle, 1.5)), 6 * halfAngle);
        for (var kx = 0; kx < _fourier.Width; kx++)
        {
            for (var ky = 0; ky <= _fourier.Height / 2; ky++)
            {
                var fx = (double)(2 * kx > _fourier.Width ? kx - _fourier.Width : kx) / _fourier.Width;
                var fy = (double)ky / _fourier.Height;
                var (along, across) = (Math.Abs(fx * sine + fy * cosine), Math.Abs(fx * cosine - fy * sine));
                // a stripe as long as the slice still spreads over the lines beside its own
                var off = Math.Max(0, along - 1.0 / _fourier.Height);
                var beside = along < across && along < Math.Max(flankSlope * across, 10.0 / _fourier.Height);
                if (off > wedgeSlope * across && !beside) continue;
                var angle = Math.Atan2(off, across);
                var member = (float)(Fall(angle, halfAngle, 1.5 * halfAngle) * (1 - Fall(across, guard, 1.5 * guard)));
                var radius = (int)Math.Round(Math.Sqrt(fx * fx + fy * fy) * Math.Max(_fourier.Height, _fourier.Width));
                var place = new Coefficient(kx * _fourier.Pitch + ky, member, radius, ky == 0 || 2 * ky == _fourier.Height ? 1 : 2);
                if (member > 1e-3f) wedge.Add(place);
                else if (_guarded && beside && angle > 1.5 * halfAngle) flank.Add(place);
                else continue;
                _rows = Math.Max(_rows, ky + 1);
            }
        }
        (_wedge, _flank) = ([.. wedge], [.. flank]);
    }

    /// <summary>Bytes per pixel that <see cref="Estimate"/> works in.</summary>
    public static int ScratchBytes => 32;

    // 1 up to `from`, 0 from `to` on, a half cosine between
    private static double Fall(double value, double from, double to) =>
        value <= from ? 1 : value >= to ? 0 : 0.5 + 0.5 * Math.Cos(Math.PI * (value - from) / (to - from));

    /// <summary>
    /// Fills <paramref name="stripes"/> with what is to be subtracted; gives the stripes' mean square before and after. The guarded estimate is made
    /// again on what the one before left: grey classes are told apart better once most of the stripes are gone.
    /// </summary>
    public (double Before, double After) Estimate(ReadOnlySpan<float> slice, Span<float> stripes)
    {
        var energy = EstimateOnce(slice, stripes);
        var found = stripes[..slice.Length];
        var rest = ArrayPool<float>.Shared.Rent(slice.Length);
        var more = ArrayPool<float>.Shared.Rent(slice.Length);
        for (var pass = 1; _guarded && pass < GuardedPasses; pass++)
        {
            TensorPrimitives.Subtract(slice, found, rest);
            energy.After = EstimateOnce(rest.AsSpan(0, slice.Length), more).After;
            TensorPrimitives.Add(found, more.AsSpan(0, slice.Length), found);
        }
        if (_guarded)
        {
            TensorPrimitives.Subtract(slice, found, rest);
            StructureClasses.TakeMeans(rest.AsSpan(0, slice.Length), _width, found, more.AsSpan(0, slice.Length));
        }
        ArrayPool<float>.Shared.Return(rest);
        ArrayPool<float>.Shared.Return(more);
        return energy;
    }

    private (double Before, double After) EstimateOnce(ReadOnlySpan<float> slice, Span<float> stripes)
    {
        var count = _fourier.Height * _fourier.Width;
        var pool = ArrayPool<float>.Shared;
        var (padded, spare) = (pool.Rent(count), pool.Rent(Math.Max(count, _fourier.ScratchLength)));
        var (re, im) = (pool.Rent(_fourier.Length), pool.Rent(_fourier.Length));
        _border.Pad(slice, padded);
        if (_guarded) StructureClasses.SetAside(padded.AsSpan(0, count), _fourier.Width, spare.AsSpan(0, count));
        _fourier.Forward(padded, re, im, spare, _rows);
        var energy = Keep(re, im);
        _fourier.Inverse(re, im, padded, spare, _rows);
        _border.Crop(padded, stripes);
        var inner = stripes[..slice.Length];
        TensorPrimitives.Subtract(inner, (float)(Sum(inner) / inner.Length), inner);
        foreach (var array in (float[][])[padded, spare, re, im]) pool.Return(array);
        return energy;
    }

    // in eight lanes, whatever the processor
    internal static double Sum(ReadOnlySpan<float> values)
    {
        var (low, high) = (Vector256<double>.Zero, Vector256<double>.Zero);
        var i = 0;
        for (; i <= values.Length - 8; i += 8)
        {
            var (a, b) = Vector256.Widen(Vector256.Create(values[i..]));
            (low, high) = (low + a, high + b);
        }
        var lanes = low + high;
        var sum = lanes[0] + lanes[1] + lanes[2] + lanes[3];
        for (; i < values.Length; i++) sum += values[i];
        return sum;
    }

    // leaves of the spectrum only what is to be subtracted
    private (double Before, double After) Keep(Span<float> re, Span<float> im)
    {
        var levels = _guarded ? Levels(re, im) : null;
        // rented: a fresh array of this size for each slice would keep the collector busy with clearing pages
        var kept = ArrayPool<(float Re, float Im)>.Shared.Rent(_wedge.Length);
        var (before, after) = (0.0, 0.0);
        for (var i = 0; i < _wedge.Length; i++)
        {
            var c = _wedge[i];
            var (a, b) = (re[c.At], im[c.At]);
            var power = (double)a * a + (double)b * b;
            var level = levels is null ? 0 : levels[c.Radius];
            var share = (float)(c.Member * _strength * (power > StandsOut * level ? 1 - level / power : 0));
            kept[i] = (share * a, share * b);
            if (power <= StandsOut * level) continue;
            before += c.Count * (power - level);
            after += c.Count * Math.Max(0, power * (1 - share) * (1 - share) - level);
        }
        for (var kx = 0; kx < _fourier.Width; kx++)
        {
            re.Slice(kx * _fourier.Pitch, Math.Min(_rows + 15, _fourier.Pitch)).Clear();
            im.Slice(kx * _fourier.Pitch, Math.Min(_rows + 15, _fourier.Pitch)).Clear();
        }
        for (var i = 0; i < _wedge.Length; i++) (re[_wedge[i].At], im[_wedge[i].At]) = kept[i];
        ArrayPool<(float Re, float Im)>.Shared.Return(kept);
        var pixels = (double)_fourier.Height * _fourier.Width;
        return (before / (pixels * pixels), after / (pixels * pixels));
    }

    // mean power beside the wedge by frequency; over neighbouring frequencies where there are too few coefficients for a mean
    private double[] Levels(ReadOnlySpan<float> re, ReadOnlySpan<float> im)
    {
        var bins = Math.Max(_fourier.Height, _fourier.Width);
        var (sums, counts, levels) = (new double[bins], new int[bins], new double[bins]);
        foreach (var c in _flank)
        {
            sums[c.Radius] += (double)re[c.At] * re[c.At] + (double)im[c.At] * im[c.At];
            counts[c.Radius]++;
        }
        for (var bin = 0; bin < bins; bin++)
        {
            var (sum, count) = (sums[bin], counts[bin]);
            for (var reach = 1; count < 16 && reach < bins; reach++)
            {
                for (var at = bin - reach; at <= bin + reach; at += 2 * reach)
                {
                    if ((uint)at >= (uint)bins) continue;
                    sum += sums[at];
                    count += counts[at];
                }
            }
            levels[bin] = count > 0 ? sum / count : 0;
        }
        return levels;
    }
}
