using System.Buffers;
using System.Numerics.Tensors;
using Kerf.Volumes;

namespace Kerf.Imaging;

/// <summary>The spectrum of a tile, and the pixel of the slice where it was cut.</summary>
internal sealed record Tile(float[] Re, float[] Im, int Y, int X);

/// <summary>
/// The low frequencies (periods of 4 pixels and more, about) of the tiles of a slice: square, tapered, overlapping by a quarter. Frequencies
/// lie with ky fastest, ky = 0 … <see cref="BandY"/>, kx = −BandX … BandX.
/// </summary>
internal sealed class TileSpectra
{
    private readonly RealFourier _fourier;
    private readonly float[] _taperY, _taperX;

    /// <summary>Lays the tiles over a region of the slices.</summary>
    /// <param name="region">Rows and columns to use.</param>
    /// <param name="edge">Edge of a tile in pixels; smaller when the region is.</param>
    /// <param name="most">At most so many tiles, evenly spread.</param>
    public TileSpectra(Box region, int edge, int most = int.MaxValue)
    {
        var (height, width) = (RealFourier.GoodSizeWithin(Math.Min(edge, region.Size.Y)), RealFourier.GoodSizeWithin(Math.Min(edge, region.Size.X)));
        _fourier = RealFourier.For(height, width);
        (_taperY, _taperX) = (Taper(height), Taper(width));
        // rows in eights, for vectors
        (BandY, BandX) = ((height / 4 + 8) / 8 * 8 - 1, width / 4);
        Origins = [.. from y in Starts(region.Start.Y, region.Size.Y, height) from x in Starts(region.Start.X, region.Size.X, width) select (y, x)];
        if (Origins.Length > most) Origins = [.. Enumerable.Range(0, most).Select(i => Origins[(int)((long)i * Origins.Length / most)])];
        Frequencies = [.. from kx in Enumerable.Range(-BandX, 2 * BandX + 1)
            from ky in Enumerable.Range(0, BandY + 1)
            select ((double)ky / height, (double)kx / width)];
    }

    /// <summary>First row and column of each tile, in a slice that has not drifted.</summary>
    public (int Y, int X)[] Origins { get; }

    /// <summary>Cycles per pixel of each coefficient.</summary>
    public (double Y, double X)[] Frequencies { get; }

    /// <summary>Highest ky that is kept.</summary>
    public int BandY { get; }

    /// <summary>Highest |kx| that is kept.</summary>
    public int BandX { get; }

    /// <summary>Rows of a tile.</summary>
    public int Height => _fourier.Height;

    /// <summary>Columns of a tile.</summary>
    public int Width => _fourier.Width;

    /// <summary>
    /// The spectra of one slice's tiles, each coefficient half whitened (divided by the root of its magnitude, mean square 1); null for tiles with
    /// nothing in them. A tile that the shift would move out of the slice is cut at its border.
    /// </summary>
    public Tile?[] Of(ReadOnlySpan<float> slice, int width, int shiftY, int shiftX)
    {
        var height = slice.Length / width;
        var spectra = new Tile?[Origins.Length];
        var pool = ArrayPool<float>.Shared;
        var (image, scratch) = (pool.Rent(Height * Width), pool.Rent(_fourier.ScratchLength));
        var (re, im) = (pool.Rent(_fourier.Length), pool.Rent(_fourier.Length));
        for (var tile = 0; tile < Origins.Length; tile++)
        {
            var (y, x) = (Math.Clamp(Origins[tile].Y + shiftY, 0, height - Height), Math.Clamp(Origins[tile].X + shiftX, 0, width - Width));
            if (!Cut(slice, width, y, x, image)) continue;
            _fourier.Forward(image, re, im, scratch);
            var (phaseRe, phaseIm) = Phases(re, im);
            spectra[tile] = new(phaseRe, phaseIm, y, x);
        }
        foreach (var array in (float[][])[image, scratch, re, im]) pool.Return(array);
        return spectra;
    }

    /// <summary>The correlation image of a spectrum of this layout: shift (dy, dx) lies at (dy mod height, dx mod width).</summary>
    public float[] Correlate(ReadOnlySpan<float> re, ReadOnlySpan<float> im)
    {
        var (planeRe, planeIm) = (new float[_fourier.Length], new float[_fourier.Length]);
        for (int i = 0, kx = -BandX; kx <= BandX; kx++)
        {
            for (var ky = 0; ky <= BandY; ky++, i++)
            {
                var at = (kx + Width) % Width * _fourier.Pitch + ky;
                (planeRe[at], planeIm[at]) = (re[i], im[i]);
            }
        }
        var image = new float[Height * Width];
        _fourier.Inverse(planeRe, planeIm, image, new float[_fourier.ScratchLength]);
        return image;
    }

    // tapered, after the mean was taken off: no step at the border, little of the mean's own spectrum. False when there is nothing in it
    private bool Cut(ReadOnlySpan<float> slice, int width, int y, int x, Span<float> tile)
    {
        var (sum, squares) = (0.0, 0.0);
        for (var row = 0; row < Height; row++)
        {
            foreach (var value in slice.Slice((y + row) * width + x, Width)) (sum, squares) = (sum + value, squares + (double)value * value);
        }
        var mean = (float)(sum / (Height * Width));
        for (var row = 0; row < Height; row++)
        {
            var from = slice.Slice((y + row) * width + x, Width);
            var to = tile.Slice(row * Width, Width);
            for (var column = 0; column < Width; column++) to[column] = (from[column] - mean) * (_taperY[row] * _taperX[column]);
        }
        return squares - sum * mean > 1e-6 * squares;
    }

    private (float[] Re, float[] Im) Phases(ReadOnlySpan<float> re, ReadOnlySpan<float> im)
    {
        var (phaseRe, phaseIm) = (new float[Frequencies.Length], new float[Frequencies.Length]);
        var sum = 0.0;
        for (int i = 0, kx = -BandX; kx <= BandX; kx++)
        {
            var at = (kx + Width) % Width * _fourier.Pitch;
            for (var ky = 0; ky <= BandY; ky++, i++)
            {
                var (a, b) = (re[at + ky], im[at + ky]);
                var size = MathF.Sqrt(a * a + b * b);
                sum += size;
                // half whitened: see PairShift
                var root = MathF.Sqrt(size);
                if (size > 0) (phaseRe[i], phaseIm[i]) = (a / root, b / root);
            }
        }
        var scale = sum > 0 ? (float)(1 / Math.Sqrt(sum / phaseRe.Length)) : 0;
        TensorPrimitives.Multiply(phaseRe, scale, phaseRe);
        TensorPrimitives.Multiply(phaseIm, scale, phaseIm);
        return (phaseRe, phaseIm);
    }

    private static float[] Taper(int length)
    {
        var taper = new float[length];
        var edge = Math.Max(1, length / 4);
        for (var i = 0; i < length; i++)
        {
            var t = Math.Min(1, (Math.Min(i, length - 1 - i) + 0.5) / edge);
            taper[i] = (float)Math.Pow(Math.Sin(Math.PI / 2 * t), 2);
        }
        return taper;
    }

    // tiles spread evenly, neighbours sharing at least a quarter
    private static IEnumerable<int> Starts(int start, int length, int tile)
    {
        var count = length <= tile ? 1 : 1 + (int)Math.Ceiling((length - tile) / (0.75 * tile));
        for (var i = 0; i < count; i++) yield return start + (count == 1 ? (length - tile) / 2 : (int)((long)i * (length - tile) / (count - 1)));
    }
}
