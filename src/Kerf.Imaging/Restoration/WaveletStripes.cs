using System.Numerics.Tensors;
using Kerf.Volumes;

namespace Kerf.Imaging;

/// <summary>
/// Estimates the stripes of a slice, which run down it, by wavelets and Fourier transform (Münch, Trtik, Marone, Stampanoni 2009,
/// doi:10.1364/OE.17.008567). The detail across the stripes of level l holds stripes of periods 2^l to 2^(l+1) pixels; of each of its columns the
/// slow part, damped by a Gaussian in the frequency along the stripes, is the stripes' share.
/// </summary>
internal sealed class WaveletStripes
{
    private readonly Periodic _border;
    private readonly int _levels;
    private readonly double _strength;
    private readonly double _sigma;

    /// <summary>Plans slices of one size; <paramref name="lean"/> must be 0.</summary>
    /// <exception cref="InputError">The stripes do not run along an axis of the image.</exception>
    public WaveletStripes(int height, int width, double lean, Destripe how)
    {
        if (lean != 0)
            throw new InputError(FormattableString.Invariant($"direction is {how.Direction} degrees; method wavelet knows 0 and 90 only. Take method guarded or wedge."));
        var side = Math.Min(height, width);
        _levels = Math.Clamp((int)Math.Log2(Math.Min(how.LongestPeriod, side)) - 1, 1, 8);
        _border = new(height, width, Math.Min(32, side / 8), 1 << _levels);
        // cycles per slice, in those of the continued slice
        _sigma = how.Damping * _border.PaddedHeight / height;
        _strength = how.Strength;
    }

    /// <summary>Fills <paramref name="stripes"/> with what is to be subtracted; gives the mean square of the stripes before and after.</summary>
    public (double Before, double After) Estimate(ReadOnlySpan<float> slice, Span<float> stripes)
    {
        var (height, width) = (_border.PaddedHeight, _border.PaddedWidth);
        var pixels = (double)height * width;
        var image = new float[height * width];
        _border.Pad(slice, image);
        var details = new float[_levels][];
        var (before, after) = (0.0, 0.0);
        for (var level = 0; level < _levels; level++)
        {
            var (low, high) = (new float[image.Length / 2], new float[image.Length / 2]);
            Wavelet.SplitRows(image, width, low, high);
            (height, width) = (height / 2, width / 2);
            Wavelet.LowOfColumns(high, width, details[level] = new float[height * width]);
            Wavelet.LowOfColumns(low, width, image = new float[height * width]);
            var energy = KeepSlow(details[level], height, width);
            (before, after) = (before + energy.Before, after + energy.After);
        }
        Array.Clear(image);
        for (var level = _levels - 1; level >= 0; level--)
        {
            var (low, high) = (new float[2 * image.Length], new float[2 * image.Length]);
            Wavelet.JoinColumns(image, width, low);
            Wavelet.JoinColumns(details[level], width, high);
            Wavelet.JoinRows(low, high, width, image = new float[2 * low.Length]);
            width *= 2;
        }
        _border.Crop(image, stripes);
        var inner = stripes[..slice.Length];
        TensorPrimitives.Subtract(inner, (float)(WedgeStripes.Sum(inner) / inner.Length), inner);
        return (before / pixels, after / pixels);
    }

    // the slow part of each column; 32 columns at a time, as the real and imaginary parts of 16 lines
    private (double Before, double After) KeepSlow(Span<float> detail, int height, int width)
    {
        const int lanes = FourierLine.Lanes;
        var fourier = new FourierLine(height);
        var (re, im, spareRe, spareIm) = (new float[fourier.PlaneLength], new float[fourier.PlaneLength], new float[fourier.PlaneLength], new float[fourier.PlaneLength]);
        var (before, after) = (0.0, 0.0);
        for (var x = 0; x < width; x += 2 * lanes)
        {
            Array.Clear(re);
            Array.Clear(im);
            var (first, second) = (Math.Min(lanes, width - x), Math.Clamp(width - x - lanes, 0, lanes));
            for (var y = 0; y < height; y++)
            {
                detail.Slice(y * width + x, first).CopyTo(re.AsSpan(y * lanes));
                if (second > 0) detail.Slice(y * width + x + lanes, second).CopyTo(im.AsSpan(y * lanes));
            }
            if (fourier.Transform(re, im, spareRe, spareIm)) (re, im, spareRe, spareIm) = (spareRe, spareIm, re, im);
            for (var k = 0; k < height; k++)
            {
                var along = Math.Min(k, height - k) / _sigma;
                var slow = Math.Exp(-along * along / 2);
                var (kept, left) = (_strength * slow, slow * (1 - _strength * slow));
                for (var i = k * lanes; i < (k + 1) * lanes; i++)
                {
                    var power = ((double)re[i] * re[i] + (double)im[i] * im[i]) / height;
                    (before, after) = (before + slow * slow * power, after + left * left * power);
                    (re[i], im[i]) = ((float)(re[i] * kept / height), (float)(im[i] * kept / height));
                }
            }
            // the inverse is the transform with the planes exchanged
            if (fourier.Transform(im, re, spareIm, spareRe)) (re, im, spareRe, spareIm) = (spareRe, spareIm, re, im);
            for (var y = 0; y < height; y++)
            {
                re.AsSpan(y * lanes, first).CopyTo(detail[(y * width + x)..]);
                if (second > 0) im.AsSpan(y * lanes, second).CopyTo(detail[(y * width + x + lanes)..]);
            }
        }
        return (before, after);
    }
}
