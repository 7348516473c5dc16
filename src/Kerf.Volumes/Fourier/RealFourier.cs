using System.Collections.Concurrent;
using System.Numerics;
using System.Numerics.Tensors;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Kerf.Volumes;

/// <summary>
/// The two-dimensional discrete Fourier transform of a real image, F(kx, ky) = Σ f(y, x)·e^(−2πi(kx·x/width + ky·y/height)), in single
/// precision, on the calling thread. Real input makes the spectrum symmetric, F(−kx, −ky) = conj F(kx, ky), so only ky = 0 … height/2 is kept.
/// A spectrum is two planes, real and imaginary; F(kx, ky) lies at kx·<see cref="Pitch"/> + ky (ky fastest: it saves a transposition), kx
/// above width/2 standing for kx − width; what lies between height/2 and the pitch is zero. Plans are immutable and shared between threads; the
/// caller supplies scratch. The bits do not depend on vector instructions.
/// </summary>
public sealed class RealFourier
{
    private const int Lanes = FourierLine.Lanes;
    private static readonly ConcurrentDictionary<(int, int), RealFourier> Plans = new();

    private readonly FourierLine _alongY;
    private readonly FourierLine _alongX;
    private readonly int _rowPitch;

    private RealFourier(int height, int width)
    {
        (_alongY, _alongX) = (new(height), new(width));
        Pitch = RoundUp(height / 2 + 1, Lanes);
        // not a multiple of a page: a column walk would otherwise fall on one set of the cache
        _rowPitch = RoundUp(width, 2 * Lanes) + Lanes;
    }

    /// <summary>Rows of the image.</summary>
    public int Height => _alongY.Length;

    /// <summary>Columns of the image.</summary>
    public int Width => _alongX.Length;

    /// <summary>Floats from one kx to the next in a plane of the spectrum; a multiple of 16.</summary>
    public int Pitch { get; }

    /// <summary>Floats of one plane of the spectrum.</summary>
    public int Length => Width * Pitch;

    /// <summary>Floats of scratch that a transform needs.</summary>
    public int ScratchLength => 2 * Pitch * _rowPitch + 4 * Math.Max(_alongX.PlaneLength, _alongY.PlaneLength);

    /// <summary>The plan of a size, made on first use.</summary>
    /// <param name="height">Rows; a product of 2, 3 and 5, see <see cref="GoodSize"/>.</param>
    /// <param name="width">Columns; likewise.</param>
    public static RealFourier For(int height, int width) => Plans.GetOrAdd((height, width), size => new(size.Item1, size.Item2));

    /// <summary>The smallest length a plan can have (a product of 2, 3 and 5) that is at least <paramref name="length"/>.</summary>
    public static int GoodSize(int length) => FourierLine.AtLeast(length);

    /// <summary>The largest length a plan can have that is at most <paramref name="length"/>.</summary>
    public static int GoodSizeWithin(int length) => FourierLine.AtMost(length);

    /// <summary>
    /// Image to spectrum. If only ky below <paramref name="rows"/> is wanted, the rest of it holds anything. From column <paramref name="columns"/>,
    /// rounded up to 32, on the image counts as zero.
    /// </summary>
    public void Forward(ReadOnlySpan<float> image, Span<float> re, Span<float> im, Span<float> scratch, int rows = int.MaxValue, int columns = int.MaxValue)
    {
        var wanted = Math.Min(RoundUp(Math.Min(rows, Height), Lanes), Height / 2 + 1);
        var lines = Split(scratch, out var halfRe, out var halfIm);
        // columns first, two real ones (16 apart) as the real and imaginary part of one complex line: rows are contiguous, nothing is transposed
        for (var x = 0; x < Width; x += 2 * Lanes)
        {
            if (x >= columns)
            {
                for (var k = 0; k < wanted; k++)
                {
                    halfRe.Slice(k * _rowPitch + x, _rowPitch - x).Clear();
                    halfIm.Slice(k * _rowPitch + x, _rowPitch - x).Clear();
                }
                break;
            }
            LoadColumns(image, x, lines.Re, lines.Im);
            var spectrum = lines.Transform(_alongY);
            for (var k = 0; k < wanted; k++) Separate(spectrum.Re, spectrum.Im, k, halfRe, halfIm, k * _rowPitch + x);
        }
        for (var k = 0; k < wanted; k += Lanes)
        {
            Transpose(halfRe, k, lines.Re);
            Transpose(halfIm, k, lines.Im);
            var spectrum = lines.Transform(_alongX);
            for (var x = 0; x < Width; x++)
            {
                spectrum.Re.Slice(x * Lanes, Lanes).CopyTo(re[(x * Pitch + k)..]);
                spectrum.Im.Slice(x * Lanes, Lanes).CopyTo(im[(x * Pitch + k)..]);
            }
        }
    }

    /// <summary>
    /// Spectrum to image, scaled so that it undoes <see cref="Forward"/>; the spectrum is left as it is. From ky = <paramref name="rows"/>, rounded
    /// up to 16, on it counts as zero.
    /// </summary>
    public void Inverse(ReadOnlySpan<float> re, ReadOnlySpan<float> im, Span<float> image, Span<float> scratch, int rows = int.MaxValue)
    {
        var wanted = Math.Min(RoundUp(Math.Min(rows, Height), Lanes), Height / 2 + 1);
        var lines = Split(scratch, out var halfRe, out var halfIm);
        var swapped = lines.Swapped;
        for (var k = 0; k < wanted; k += Lanes)
        {
            for (var x = 0; x < Width; x++)
            {
                re.Slice(x * Pitch + k, Lanes).CopyTo(lines.Re[(x * Lanes)..]);
                im.Slice(x * Pitch + k, Lanes).CopyTo(lines.Im[(x * Lanes)..]);
            }
            var half = swapped.Transform(_alongX);
            TransposeBack(half.Im, k, halfRe);
            TransposeBack(half.Re, k, halfIm);
        }
        var scale = (float)(1.0 / ((double)Width * Height));
        for (var x = 0; x < Width; x += 2 * Lanes)
        {
            if (wanted <= Height / 2)
            {
                lines.Re.Slice(wanted * Lanes, (Height + 1 - 2 * wanted) * Lanes).Clear();
                lines.Im.Slice(wanted * Lanes, (Height + 1 - 2 * wanted) * Lanes).Clear();
            }
            for (var k = 0; k < wanted; k++) Join(halfRe, halfIm, k, k * _rowPitch + x, lines.Re, lines.Im);
            var columns = swapped.Transform(_alongY);
            StoreColumns(columns.Im, columns.Re, x, scale, image);
        }
    }

    private Lines Split(Span<float> scratch, out Span<float> halfRe, out Span<float> halfIm)
    {
        if (scratch.Length < ScratchLength) throw new ArgumentException($"scratch holds {scratch.Length} floats of {ScratchLength}", nameof(scratch));
        var (half, line) = (Pitch * _rowPitch, Math.Max(_alongX.PlaneLength, _alongY.PlaneLength));
        halfRe = scratch[..half];
        halfIm = scratch.Slice(half, half);
        var rest = scratch[(2 * half)..];
        return new() { Re = rest[..line], Im = rest.Slice(line, line), SpareRe = rest.Slice(2 * line, line), SpareIm = rest.Slice(3 * line, line) };
    }

    private void LoadColumns(ReadOnlySpan<float> image, int x, Span<float> re, Span<float> im)
    {
        var (first, second) = (Math.Min(Lanes, Width - x), Math.Clamp(Width - x - Lanes, 0, Lanes));
        if (second < Lanes)
        {
            re[.._alongY.PlaneLength].Clear();
            im[.._alongY.PlaneLength].Clear();
        }
        for (var y = 0; y < Height; y++)
        {
            var row = image.Slice(y * Width + x, first + second);
            row[..first].CopyTo(re[(y * Lanes)..]);
            row[first..].CopyTo(im[(y * Lanes)..]);
        }
    }

    private void StoreColumns(ReadOnlySpan<float> re, ReadOnlySpan<float> im, int x, float scale, Span<float> image)
    {
        var (first, second) = (Math.Min(Lanes, Width - x), Math.Clamp(Width - x - Lanes, 0, Lanes));
        for (var y = 0; y < Height; y++)
        {
            TensorPrimitives.Multiply(re.Slice(y * Lanes, first), scale, image.Slice(y * Width + x, first));
            TensorPrimitives.Multiply(im.Slice(y * Lanes, second), scale, image.Slice(y * Width + x + first, second));
        }
    }

    // Z = A + iB of real a and b: A(k) = (Z(k) + conj Z(−k))/2, B(k) = (Z(k) − conj Z(−k))/2i
    private void Separate(ReadOnlySpan<float> zr, ReadOnlySpan<float> zi, int k, Span<float> re, Span<float> im, int to)
    {
        var (at, mirror) = (k * Lanes, k == 0 ? 0 : (Height - k) * Lanes);
        for (var l = 0; l < Lanes; l += Vector<float>.Count)
        {
            var (ur, ui) = (Load(zr, at + l), Load(zi, at + l));
            var (vr, vi) = (Load(zr, mirror + l), Load(zi, mirror + l));
            Store((ur + vr) * 0.5f, re, to + l);
            Store((ui - vi) * 0.5f, im, to + l);
            Store((ui + vi) * 0.5f, re, to + Lanes + l);
            Store((vr - ur) * 0.5f, im, to + Lanes + l);
        }
    }

    private void Join(ReadOnlySpan<float> re, ReadOnlySpan<float> im, int k, int from, Span<float> zr, Span<float> zi)
    {
        // k = 0 and the middle are their own mirrors: of a real image they are real, what rounding left there is dropped
        var own = k == 0 || 2 * k == Height;
        var (at, mirror) = (k * Lanes, (Height - k) * Lanes);
        for (var l = 0; l < Lanes; l += Vector<float>.Count)
        {
            var (ar, br) = (Load(re, from + l), Load(re, from + Lanes + l));
            var (ai, bi) = own ? default : (Load(im, from + l), Load(im, from + Lanes + l));
            Store(ar - bi, zr, at + l);
            Store(ai + br, zi, at + l);
            if (own) continue;
            Store(ar + bi, zr, mirror + l);
            Store(br - ai, zi, mirror + l);
        }
    }

    // rows k … k + 15 of the half-transformed image become lanes
    private void Transpose(ReadOnlySpan<float> half, int k, Span<float> lines)
    {
        var rows = Math.Clamp(Height / 2 + 1 - k, 0, Lanes);
        if (rows < Lanes) lines[.._alongX.PlaneLength].Clear();
        for (var l = 0; l < rows; l += 4)
        {
            var block = Math.Min(4, rows - l);
            var from = half[((k + l) * _rowPitch)..];
            var x = 0;
            for (; block == 4 && x <= Width - 4; x += 4) Tile.Transpose(from[x..], _rowPitch, lines[(x * Lanes + l)..], Lanes);
            for (; x < Width; x++)
                for (var row = 0; row < block; row++) lines[x * Lanes + l + row] = from[row * _rowPitch + x];
        }
    }

    private void TransposeBack(ReadOnlySpan<float> lines, int k, Span<float> half)
    {
        var rows = Math.Clamp(Height / 2 + 1 - k, 0, Lanes);
        for (var l = 0; l < rows; l += 4)
        {
            var block = Math.Min(4, rows - l);
            var to = half[((k + l) * _rowPitch)..];
            var x = 0;
            for (; block == 4 && x <= Width - 4; x += 4) Tile.Transpose(lines[(x * Lanes + l)..], Lanes, to[x..], _rowPitch);
            for (; x < Width; x++)
                for (var row = 0; row < block; row++) to[row * _rowPitch + x] = lines[x * Lanes + l + row];
        }
    }

    private static Vector<float> Load(ReadOnlySpan<float> span, int at) => new(span[at..]);

    private static void Store(Vector<float> value, Span<float> span, int at) => value.CopyTo(span[at..]);

    private static int RoundUp(int value, int to) => (value + to - 1) / to * to;

    // the planes that a group of lines is transformed in
    private ref struct Lines
    {
        public required Span<float> Re { get; init; }

        public required Span<float> Im { get; init; }

        public required Span<float> SpareRe { get; init; }

        public required Span<float> SpareIm { get; init; }

        // the inverse is the forward transform with real and imaginary parts exchanged
        public readonly Lines Swapped => new() { Re = Im, Im = Re, SpareRe = SpareIm, SpareIm = SpareRe };

        public readonly Lines Transform(FourierLine plan) => plan.Transform(Re, Im, SpareRe, SpareIm)
            ? new() { Re = SpareRe, Im = SpareIm, SpareRe = Re, SpareIm = Im }
            : this;
    }

    // four by four numbers, transposed; moving bits, so any way of doing it gives the same
    private static class Tile
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static void Transpose(ReadOnlySpan<float> from, int fromPitch, Span<float> to, int toPitch)
        {
            if (!Sse.IsSupported)
            {
                for (var i = 0; i < 4; i++)
                    for (var j = 0; j < 4; j++) to[j * toPitch + i] = from[i * fromPitch + j];
                return;
            }
            ref readonly var source = ref from[..(3 * fromPitch + 4)][0];
            ref var target = ref to[..(3 * toPitch + 4)][0];
            var a = Vector128.LoadUnsafe(in source);
            var b = Vector128.LoadUnsafe(in source, (nuint)fromPitch);
            var c = Vector128.LoadUnsafe(in source, (nuint)(2 * fromPitch));
            var d = Vector128.LoadUnsafe(in source, (nuint)(3 * fromPitch));
            var (ab, cd) = (Sse.UnpackLow(a, b), Sse.UnpackLow(c, d));
            var (abHigh, cdHigh) = (Sse.UnpackHigh(a, b), Sse.UnpackHigh(c, d));
            Sse.MoveLowToHigh(ab, cd).StoreUnsafe(ref target);
            Sse.MoveHighToLow(cd, ab).StoreUnsafe(ref target, (nuint)toPitch);
            Sse.MoveLowToHigh(abHigh, cdHigh).StoreUnsafe(ref target, (nuint)(2 * toPitch));
            Sse.MoveHighToLow(cdHigh, abHigh).StoreUnsafe(ref target, (nuint)(3 * toPitch));
        }
    }
}
