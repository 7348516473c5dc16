using System.Buffers;
using System.Numerics.Tensors;
using System.Runtime.Intrinsics;

namespace Kerf.Imaging;

/// <summary>How far one place of slice <paramref name="Slice"/> is displaced against the slice <paramref name="Lag"/> before it.</summary>
/// <param name="Slice">The later slice.</param>
/// <param name="Lag">Slices between the two.</param>
/// <param name="Y">Displacement in pixels.</param>
/// <param name="X">Displacement in pixels.</param>
/// <param name="WeightY">Curvature of the correlation peak along y: how sharply Y is known, on a scale of its own.</param>
/// <param name="WeightX">The same along x.</param>
internal readonly record struct Displacement(int Slice, int Lag, double Y, double X, double WeightY, double WeightX);

/// <summary>
/// The displacement between the tiles of two slices by phase correlation (Kuglin and Hines 1975) with sub-pixel refinement on the correlation
/// itself, a trigonometric sum, by Newton's method. Each frequency ring weighs γ/(1 − γ²), γ being the phase coherence found there over all
/// tiles (after Hannan and Thomson 1973, doi:10.1109/PROC.1973.9296): noise and structure that changed weigh little.
/// </summary>
internal sealed class PairShift(TileSpectra tiles)
{
    private const int Rings = 24;
    private const double FarthestTile = 3;

    private readonly int[] _ring = [.. tiles.Frequencies.Select(f => Math.Min(Rings - 1, (int)(Math.Sqrt(f.Y * f.Y + f.X * f.X) * 4 * Rings)))];

    // ky = 0 is kept for kx and −kx; frequencies below one and a half cycles per tile are the taper's
    private readonly float[] _once = [.. tiles.Frequencies.Select(f =>
        f.Y * tiles.Height * f.Y * tiles.Height + f.X * tiles.Width * f.X * tiles.Width < 2.25 ? 0f : f.Y == 0 ? 0.5f : 1f)];

    private readonly float[] _first = [.. tiles.Frequencies.Select(f => (float)Math.Exp(-(f.Y * f.Y + f.X * f.X) / (2 * 0.1 * 0.1)))];

    /// <summary>
    /// One displacement for each tile that both slices have, sought around <paramref name="offset"/>; and the coherence (0 to 1) over all.
    /// </summary>
    public List<(double Y, double X, double WeightY, double WeightX)> Measure(Tile?[] later, Tile?[] earlier, (int Y, int X) offset, int reach, out double coherence)
    {
        var (count, common) = (tiles.Frequencies.Length, Enumerable.Range(0, later.Length).Count(i => later[i] is not null && earlier[i] is not null));
        var found = new List<(double, double, double, double)>(common);
        coherence = 0;
        if (common == 0) return found;
        var (crossRe, crossIm) = (ArrayPool<float>.Shared.Rent(common * count), ArrayPool<float>.Shared.Rent(common * count));
        var (poolRe, poolIm, poolSize) = (new float[count], new float[count], new float[count]);
        for (int tile = 0, at = 0; tile < later.Length; tile++)
        {
            if (later[tile] is not { } a || earlier[tile] is not { } b) continue;
            var re = crossRe.AsSpan(at, count);
            var im = crossIm.AsSpan(at, count);
            Cross(a, b, re, im);
            // the tile measures from where it was cut; turn it to measure from the offset
            Turn(re, im, a.Y - b.Y - offset.Y, a.X - b.X - offset.X);
            for (var i = 0; i < count; i++) poolSize[i] += MathF.Sqrt(re[i] * re[i] + im[i] * im[i]);
            TensorPrimitives.Add(poolRe, re, poolRe);
            TensorPrimitives.Add(poolIm, im, poolIm);
            at += count;
        }
        var weights = new float[count];
        TensorPrimitives.Multiply(_once, _first, weights);
        var (y, x) = Peak(poolRe, poolIm, weights, reach);
        (y, x, _, _) = Climb(poolRe, poolIm, weights, y, x, 4);
        weights = Coherent(poolRe, poolIm, poolSize, y, x, common, out coherence);
        (y, x, _, _) = Climb(poolRe, poolIm, weights, y, x, 3);
        for (var at = 0; at < common * count; at += count)
        {
            var (ty, tx, wy, wx) = Climb(crossRe.AsSpan(at, count), crossIm.AsSpan(at, count), weights, y, x, 4);
            if (wy > 0 && wx > 0 && Math.Abs(ty - y) < FarthestTile && Math.Abs(tx - x) < FarthestTile) found.Add((ty + offset.Y, tx + offset.X, wy, wx));
        }
        ArrayPool<float>.Shared.Return(crossRe);
        ArrayPool<float>.Shared.Return(crossIm);
        // a lone voice for all tiles, in case no tile has a peak of its own
        if (found.Count == 0) found.Add((y + offset.Y, x + offset.X, 1e-6, 1e-6));
        return found;
    }

    // a·conj(b)
    private static void Cross(Tile a, Tile b, Span<float> re, Span<float> im)
    {
        for (var i = 0; i < re.Length; i += 8)
        {
            var (ar, ai) = (Vector256.Create<float>(a.Re.AsSpan(i)), Vector256.Create<float>(a.Im.AsSpan(i)));
            var (br, bi) = (Vector256.Create<float>(b.Re.AsSpan(i)), Vector256.Create<float>(b.Im.AsSpan(i)));
            (ar * br + ai * bi).CopyTo(re[i..]);
            (ai * br - ar * bi).CopyTo(im[i..]);
        }
    }

    private void Turn(Span<float> re, Span<float> im, int y, int x)
    {
        if ((y, x) == (0, 0)) return;
        for (var i = 0; i < re.Length; i++)
        {
            var (sin, cos) = Math.SinCos(-2 * Math.PI * (tiles.Frequencies[i].Y * y + tiles.Frequencies[i].X * x));
            (re[i], im[i]) = ((float)(re[i] * cos - im[i] * sin), (float)(re[i] * sin + im[i] * cos));
        }
    }

    private (double Y, double X) Peak(float[] re, float[] im, float[] weights, int reach)
    {
        var image = tiles.Correlate([.. re.Select((v, i) => v * weights[i])], [.. im.Select((v, i) => v * weights[i])]);
        var (best, at) = (float.NegativeInfinity, (0, 0));
        var (reachY, reachX) = (Math.Min(reach, tiles.Height / 2 - 1), Math.Min(reach, tiles.Width / 2 - 1));
        for (var dy = -reachY; dy <= reachY; dy++)
        {
            for (var dx = -reachX; dx <= reachX; dx++)
            {
                var value = image[(dy + tiles.Height) % tiles.Height * tiles.Width + (dx + tiles.Width) % tiles.Width];
                if (value > best) (best, at) = (value, (dy, dx));
            }
        }
        return at;
    }

    // weight of each ring from its coherence at the displacement found; coherence over all is the weights' own mean of it
    private float[] Coherent(float[] re, float[] im, float[] size, double y, double x, int tileCount, out double overall)
    {
        var (sums, sizes, counts) = (new double[Rings], new double[Rings], new double[Rings]);
        for (var i = 0; i < re.Length; i++)
        {
            var (sin, cos) = Math.SinCos(2 * Math.PI * (tiles.Frequencies[i].Y * y + tiles.Frequencies[i].X * x));
            sums[_ring[i]] += _once[i] * (re[i] * cos - im[i] * sin);
            sizes[_ring[i]] += _once[i] * size[i];
            counts[_ring[i]] += _once[i];
        }
        var ring = new double[Rings];
        for (var r = 0; r < Rings; r++)
        {
            // below three standard errors of chance there is nothing to learn
            var gamma = sizes[r] > 0 ? sums[r] / sizes[r] : 0;
            gamma = Math.Max(gamma - 1 / Math.Sqrt(Math.Max(1, counts[r]) * tileCount), 0);
            ring[r] = Math.Min(gamma, 0.98) / (1 - Math.Min(gamma, 0.98) * Math.Min(gamma, 0.98));
        }
        if (ring.All(w => w == 0)) Array.Fill(ring, 1e-3);
        var weights = new float[re.Length];
        var (top, bottom) = (0.0, 0.0);
        for (var i = 0; i < weights.Length; i++) weights[i] = sizes[_ring[i]] > 0 ? (float)(_once[i] * ring[_ring[i]] * counts[_ring[i]] * tileCount / sizes[_ring[i]]) : 0;
        for (var r = 0; r < Rings; r++) (top, bottom) = (top + ring[r] * sums[r], bottom + ring[r] * sizes[r]);
        overall = bottom > 0 ? Math.Clamp(top / bottom, 0, 1) : 0;
        return weights;
    }

    // Newton on C(d) = Σ w·Re(U·e^(2πi f·d)), at most half a pixel a step; the weights are −C″ at the top, 0 where there is none. Vectors of
    // eight on any processor, so that the sums run in one order.
    private (double Y, double X, double WeightY, double WeightX) Climb(ReadOnlySpan<float> re, ReadOnlySpan<float> im, ReadOnlySpan<float> weights, double y, double x, int steps)
    {
        var rows = tiles.BandY + 1;
        Span<float> turns = stackalloc float[3 * rows];
        var cosY = turns[..rows];
        var sinY = turns.Slice(rows, rows);
        var waves = turns[(2 * rows)..];
        for (var ky = 0; ky < rows; ky++) waves[ky] = ky;
        for (var step = 0; ; step++)
        {
            var (cosine, sine, stepY) = (1.0, 0.0, Math.SinCos(2 * Math.PI * y / tiles.Height));
            for (var ky = 0; ky < rows; ky++)
            {
                (cosY[ky], sinY[ky]) = ((float)cosine, (float)sine);
                (cosine, sine) = (cosine * stepY.Cos - sine * stepY.Sin, sine * stepY.Cos + cosine * stepY.Sin);
            }
            var stepX = Math.SinCos(2 * Math.PI * x / tiles.Width);
            (sine, cosine) = Math.SinCos(-2 * Math.PI * tiles.BandX * x / tiles.Width);
            var (gradY, gradX, yy, xy, xx) = (Vector256<float>.Zero, Vector256<float>.Zero, Vector256<float>.Zero, Vector256<float>.Zero, Vector256<float>.Zero);
            for (int kx = -tiles.BandX, i = 0; kx <= tiles.BandX; kx++)
            {
                var (cosX, sinX) = ((float)cosine, (float)sine);
                (cosine, sine) = (cosine * stepX.Cos - sine * stepX.Sin, sine * stepX.Cos + cosine * stepX.Sin);
                for (var ky = 0; ky < rows; ky += 8, i += 8)
                {
                    var (cy, sy, k) = (Eight(cosY, ky), Eight(sinY, ky), Eight(waves, ky));
                    var (cos, sin) = (cy * cosX - sy * sinX, sy * cosX + cy * sinX);
                    var (r, m, w) = (Eight(re, i), Eight(im, i), Eight(weights, i));
                    var (imaginary, real) = (w * (r * sin + m * cos), w * (r * cos - m * sin));
                    var across = real * kx;
                    gradX -= imaginary * kx;
                    gradY -= imaginary * k;
                    xx += across * kx;
                    xy += across * k;
                    yy += real * k * k;
                }
            }
            // from waves per tile to radians per pixel
            var (py, px) = (2 * Math.PI / tiles.Height, 2 * Math.PI / tiles.Width);
            var (gy, gx) = (Total(gradY) * py, Total(gradX) * px);
            var (hy, hxy, hx) = (Total(yy) * py * py, Total(xy) * py * px, Total(xx) * px * px);
            var determinant = hy * hx - hxy * hxy;
            if (!(hy > 0 && determinant > 1e-9 * hy * hx)) return (y, x, 0, 0);
            if (step == steps) return (y, x, hy, hx);
            var (dy, dx) = ((hx * gy - hxy * gx) / determinant, (hy * gx - hxy * gy) / determinant);
            var length = Math.Sqrt(dy * dy + dx * dx);
            var shorten = Math.Min(1, 0.5 / Math.Max(1e-12, length));
            (y, x) = (y + dy * shorten, x + dx * shorten);
            // at the top: what is left of the step is far below what noise leaves
            if (length < 1e-3) return (y, x, hy, hx);
        }
    }

    private static Vector256<float> Eight(ReadOnlySpan<float> from, int at) => Vector256.Create(from[at..]);

    private static double Total(Vector256<float> lanes)
    {
        var sum = 0.0;
        for (var i = 0; i < 8; i++) sum += lanes[i];
        return sum;
    }
}
