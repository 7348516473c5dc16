using System.Numerics;
using System.Numerics.Tensors;

namespace Kerf.Imaging;

/// <summary>How grey values between pixels are found.</summary>
public enum SliceInterpolation
{
    /// <summary>Cubic convolution, a = −½ (Keys 1981, doi:10.1109/TASSP.1981.1163711): sharp, with overshoots of a few per cent at edges.</summary>
    Cubic,

    /// <summary>Linear: no overshoot, blurs by up to half a pixel.</summary>
    Linear,

    /// <summary>Lanczos over six pixels, taps scaled to sum 1: sharpest, rings at hard edges.</summary>
    Lanczos,

    /// <summary>The nearest pixel: grey values stay what they are, positions are off by up to half a pixel. For labels.</summary>
    Nearest,
}

/// <summary>Moves a slice by a fraction of a pixel.</summary>
internal static class Translation
{
    /// <summary>
    /// The slice seen from (dy, dx): target(y, x) = slice(y + dy, x + dx). Beyond its border the slice goes on with its nearest pixel, or
    /// with <paramref name="fill"/>.
    /// </summary>
    public static void Apply(ReadOnlySpan<float> slice, int width, double dy, double dx, SliceInterpolation how, float? fill, Span<float> target)
    {
        var height = slice.Length / width;
        var (firstRow, rowTaps) = Taps(dy, how);
        var (firstColumn, columnTaps) = Taps(dx, how);
        // a row with its neighbours to both sides, from column `firstColumn` to width + firstColumn + taps − 1
        var row = new float[width + columnTaps.Length - 1];
        var blend = new float[width];
        for (var y = 0; y < height; y++)
        {
            var output = target.Slice(y * width, width);
            Combine(slice, width, height, y + firstRow, rowTaps, blend);
            for (var i = 0; i < row.Length && i + firstColumn < 0; i++) row[i] = blend[0];
            var (from, to) = (Math.Clamp(firstColumn, 0, width), Math.Clamp(firstColumn + row.Length, 0, width));
            if (to > from) blend.AsSpan(from, to - from).CopyTo(row.AsSpan(from - firstColumn));
            for (var i = Math.Max(0, width - firstColumn); i < row.Length; i++) row[i] = blend[width - 1];
            TensorPrimitives.Multiply(row.AsSpan(0, width), columnTaps[0], output);
            for (var tap = 1; tap < columnTaps.Length; tap++) AddScaled(row.AsSpan(tap, width), columnTaps[tap], output);
            if (fill is { } value) Fill(output, y + dy, height, dx, value);
        }
    }

    /// <summary>One row at height <paramref name="y"/> of the slice, which goes on with its nearest row.</summary>
    public static void Row(ReadOnlySpan<float> slice, int width, double y, SliceInterpolation how, Span<float> target)
    {
        var (first, taps) = Taps(y, how);
        Combine(slice, width, slice.Length / width, first, taps, target);
    }

    private static void Combine(ReadOnlySpan<float> slice, int width, int height, int first, float[] taps, Span<float> to)
    {
        TensorPrimitives.Multiply(Row(slice, first), taps[0], to);
        for (var tap = 1; tap < taps.Length; tap++) AddScaled(Row(slice, first + tap), taps[tap], to);
        ReadOnlySpan<float> Row(ReadOnlySpan<float> from, int y) => from.Slice(Math.Clamp(y, 0, height - 1) * width, width);
    }

    // multiplied, then added: not fused, so that every processor rounds alike
    private static void AddScaled(ReadOnlySpan<float> from, float factor, Span<float> to)
    {
        var x = 0;
        var scale = new Vector<float>(factor);
        for (; x <= to.Length - Vector<float>.Count; x += Vector<float>.Count)
            (new Vector<float>(to[x..]) + (new Vector<float>(from[x..]) * scale)).CopyTo(to[x..]);
        for (; x < to.Length; x++) to[x] += from[x] * factor;
    }

    private static void Fill(Span<float> row, double y, int height, double dx, float value)
    {
        if (y < 0 || y > height - 1)
        {
            row.Fill(value);
            return;
        }
        row[..(int)Math.Clamp(Math.Ceiling(-dx), 0, row.Length)].Fill(value);
        row[(int)Math.Clamp(Math.Floor(row.Length - 1 - dx) + 1, 0, row.Length)..].Fill(value);
    }

    // index of the first tap relative to the pixel, and the weights; a whole shift has one tap, 1
    private static (int First, float[] Weights) Taps(double shift, SliceInterpolation how)
    {
        if (how == SliceInterpolation.Nearest) return ((int)Math.Round(shift), [1f]);
        var whole = (int)Math.Floor(shift);
        var t = shift - whole;
        if (t == 0) return (whole, [1f]);
        double[] weights = how switch
        {
            SliceInterpolation.Linear => [1 - t, t],
            SliceInterpolation.Lanczos => [Lanczos(t + 2), Lanczos(t + 1), Lanczos(t), Lanczos(t - 1), Lanczos(t - 2), Lanczos(t - 3)],
            _ => [((-0.5 * t + 1) * t - 0.5) * t, (1.5 * t - 2.5) * t * t + 1, ((-1.5 * t + 2) * t + 0.5) * t, (0.5 * t - 0.5) * t * t],
        };
        var sum = weights.Sum();
        return (whole - weights.Length / 2 + 1, [.. weights.Select(w => (float)(w / sum))]);
    }

    private static double Lanczos(double x) => x == 0 ? 1 : Math.Sin(Math.PI * x) * Math.Sin(Math.PI * x / 3) * 3 / (Math.PI * Math.PI * x * x);
}
