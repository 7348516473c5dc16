using System.Numerics.Tensors;
using Kerf.Volumes;

namespace Kerf.Imaging;

/// <summary>
/// How the content of one slice moves to the next: at each pixel p of the plane half-way, d such that A(p − d/2) and B(p + d/2) look alike. Lucas and Kanade's least squares (1981, IJCAI 674) over
/// Gaussian windows, symmetric in both slices, coarse to fine, drawn towards no motion where noise is as strong as structure.
/// </summary>
internal sealed class SliceMotion
{
    private const int Levels = 3, Rounds = 3;
    private const double Smoothing = 1.5, Window = 6;

    // pixels: beyond this nothing is sought
    private const float Farthest = 16;

    private readonly int _height, _width;
    private float[] _y, _x;

    /// <summary>The motion from slice <paramref name="a"/> to <paramref name="b"/>, x fastest.</summary>
    public SliceMotion(float[] a, float[] b, int height, int width)
    {
        (_height, _width) = (height, width);
        (_y, _x) = ([], []);
        if (Math.Min(height, width) < 16)
        {
            (_y, _x) = (new float[a.Length], new float[a.Length]);
            return;
        }
        var noise = NoiseLevel.OfSlice(a, height, width, float.PositiveInfinity).Noise;
        var levels = new List<(float[] A, float[] B, int Height, int Width)> { (Blur(a, height, width, Smoothing), Blur(b, height, width, Smoothing), height, width) };
        while (levels.Count < Levels && Math.Min(levels[^1].Height, levels[^1].Width) >= 64)
        {
            var (fineA, fineB, h, w) = levels[^1];
            levels.Add((Halve(fineA, h, w), Halve(fineB, h, w), h / 2, w / 2));
        }
        for (var level = levels.Count - 1; level >= 0; level--)
        {
            var (pa, pb, h, w) = levels[level];
            (_y, _x) = level == levels.Count - 1 ? (new float[h * w], new float[h * w]) : (Double(_y, levels[level + 1], h, w), Double(_x, levels[level + 1], h, w));
            for (var round = 0; round < Rounds; round++) Improve(pa, pb, h, w, noise * noise / 64, Farthest / (1 << level));
        }
    }

    /// <summary>The plane at the share <paramref name="t"/> of the way: both slices moved there, blended by 1 − t and t. Beyond its border a slice goes on with its nearest pixel.</summary>
    public void Blend(float[] a, float[] b, float t, float[] result)
    {
        for (int y = 0, i = 0; y < _height; y++)
            for (var x = 0; x < _width; x++, i++)
            {
                var from = Sample(a, _height, _width, y - t * _y[i], x - t * _x[i]);
                var to = Sample(b, _height, _width, y + (1 - t) * _y[i], x + (1 - t) * _x[i]);
                result[i] = (1 - t) * from + t * to;
            }
    }

    // one step of least squares on b(p + d/2) − a(p − d/2) ≈ 0, for the whole of d
    private void Improve(float[] a, float[] b, int height, int width, double noise, float farthest)
    {
        var (middle, change) = (new float[a.Length], new float[a.Length]);
        for (int y = 0, i = 0; y < height; y++)
            for (var x = 0; x < width; x++, i++)
            {
                var from = Sample(a, height, width, y - _y[i] / 2, x - _x[i] / 2);
                var to = Sample(b, height, width, y + _y[i] / 2, x + _x[i] / 2);
                (middle[i], change[i]) = ((from + to) / 2, to - from);
            }
        float[] yy = new float[a.Length], xx = new float[a.Length], yx = new float[a.Length], ty = new float[a.Length], tx = new float[a.Length];
        var energy = 0.0;
        for (int y = 0, i = 0; y < height; y++)
            for (var x = 0; x < width; x++, i++)
            {
                var gy = (middle[y < height - 1 ? i + width : i] - middle[y > 0 ? i - width : i]) / 2;
                var gx = (middle[x < width - 1 ? i + 1 : i] - middle[x > 0 ? i - 1 : i]) / 2;
                var still = change[i] - gy * _y[i] - gx * _x[i];
                (yy[i], xx[i], yx[i], ty[i], tx[i]) = (gy * gy, gx * gx, gy * gx, gy * still, gx * still);
                energy += yy[i] + xx[i];
            }
        var rest = (float)(noise + 1e-3 * energy / a.Length);
        (yy, xx, yx, ty, tx) = (Blur(yy, height, width, Window), Blur(xx, height, width, Window), Blur(yx, height, width, Window), Blur(ty, height, width, Window), Blur(tx, height, width, Window));
        for (var i = 0; i < a.Length; i++)
        {
            var (p, q, r) = (yy[i] + rest, xx[i] + rest, yx[i]);
            var determinant = p * q - r * r;
            if (!(determinant > 0)) continue;
            _y[i] = Math.Clamp((r * tx[i] - q * ty[i]) / determinant, -farthest, farthest);
            _x[i] = Math.Clamp((r * ty[i] - p * tx[i]) / determinant, -farthest, farthest);
        }
    }

    private static float Sample(float[] image, int height, int width, float y, float x)
    {
        (y, x) = (Math.Clamp(y, 0, height - 1), Math.Clamp(x, 0, width - 1));
        var (row, column) = (Math.Min((int)y, height - 2), Math.Min((int)x, width - 2));
        var (v, u) = (y - row, x - column);
        var i = row * width + column;
        return (1 - v) * ((1 - u) * image[i] + u * image[i + 1]) + v * ((1 - u) * image[i + width] + u * image[i + width + 1]);
    }

    private static float[] Halve(float[] image, int height, int width)
    {
        var half = new float[height / 2 * (width / 2)];
        for (int y = 0, i = 0; y < height / 2; y++)
            for (var x = 0; x < width / 2; x++, i++)
            {
                var at = 2 * y * width + 2 * x;
                half[i] = (image[at] + image[at + 1] + image[at + width] + image[at + width + 1]) / 4;
            }
        return half;
    }

    // pixel 2k and 2k + 1 lie a quarter before and after the centre of pixel k
    private static float[] Double(float[] motion, (float[] A, float[] B, int Height, int Width) coarse, int height, int width)
    {
        var fine = new float[height * width];
        for (int y = 0, i = 0; y < height; y++)
            for (var x = 0; x < width; x++, i++) fine[i] = 2 * Sample(motion, coarse.Height, coarse.Width, y / 2f - 0.25f, x / 2f - 0.25f);
        return fine;
    }

    // separable Gaussian out to 2.5 σ; the nearest pixel goes on beyond the border
    public static float[] Blur(float[] image, int height, int width, double sigma)
    {
        var radius = (int)Math.Ceiling(2.5 * sigma);
        double[] bell = [.. Enumerable.Range(-radius, 2 * radius + 1).Select(k => Math.Exp(-k * k / (2 * sigma * sigma)))];
        float[] taps = [.. bell.Select(v => (float)(v / bell.Sum()))];
        var (blurred, row) = (new float[image.Length], new float[width + 2 * radius]);
        var column = new float[width];
        for (var y = 0; y < height; y++)
        {
            column.AsSpan().Clear();
            for (var k = -radius; k <= radius; k++) TensorPrimitives.MultiplyAdd(image.AsSpan(Math.Clamp(y + k, 0, height - 1) * width, width), taps[k + radius], column, column);
            row.AsSpan(0, radius).Fill(column[0]);
            column.CopyTo(row.AsSpan(radius));
            row.AsSpan(radius + width).Fill(column[^1]);
            var output = blurred.AsSpan(y * width, width);
            for (var k = 0; k < taps.Length; k++) TensorPrimitives.MultiplyAdd(row.AsSpan(k, width), taps[k], output, output);
        }
        return blurred;
    }
}
