using System.Numerics.Tensors;

namespace Kerf.Volumes;

/// <summary>
/// The five row filters of PNG: each byte minus a prediction from the pixel before (a), the row above (b) and the pixel before that (c).
/// </summary>
internal static class PngFilters
{
    /// <summary>Filters of the format: none, sub, up, average, Paeth.</summary>
    public const int Count = 5;

    /// <summary>Replaces filtered bytes by the true ones; false for a filter that does not exist.</summary>
    public static bool Undo(int filter, Span<byte> row, ReadOnlySpan<byte> above, int pixel)
    {
        pixel = Math.Min(pixel, row.Length);
        switch (filter)
        {
            case 0:
                return true;
            case 1:
                for (var i = pixel; i < row.Length; i++) row[i] += row[i - pixel];
                return true;
            case 2:
                TensorPrimitives.Add(row, above, row);
                return true;
            case 3:
                for (var i = 0; i < pixel; i++) row[i] += (byte)(above[i] >> 1);
                for (var i = pixel; i < row.Length; i++) row[i] += (byte)(row[i - pixel] + above[i] >> 1);
                return true;
            case 4:
                for (var i = 0; i < pixel; i++) row[i] += above[i];
                for (var i = pixel; i < row.Length; i++) row[i] += Paeth(row[i - pixel], above[i], above[i - pixel]);
                return true;
            default:
                return false;
        }
    }

    /// <summary>Writes the filtered row to <paramref name="target"/>.</summary>
    public static void Apply(int filter, ReadOnlySpan<byte> row, ReadOnlySpan<byte> above, int pixel, Span<byte> target)
    {
        switch (filter)
        {
            case 0:
                row.CopyTo(target);
                break;
            case 1:
                row[..pixel].CopyTo(target);
                TensorPrimitives.Subtract(row[pixel..], row[..^pixel], target[pixel..]);
                break;
            case 2:
                TensorPrimitives.Subtract(row, above, target);
                break;
            case 3:
                for (var i = 0; i < pixel; i++) target[i] = (byte)(row[i] - (above[i] >> 1));
                for (var i = pixel; i < row.Length; i++) target[i] = (byte)(row[i] - (row[i - pixel] + above[i] >> 1));
                break;
            default:
                for (var i = 0; i < pixel; i++) target[i] = (byte)(row[i] - above[i]);
                for (var i = pixel; i < row.Length; i++) target[i] = (byte)(row[i] - Paeth(row[i - pixel], above[i], above[i - pixel]));
                break;
        }
    }

    /// <summary>Sum of the magnitudes of the bytes taken as signed: the smaller, the better a row is likely to deflate.</summary>
    public static long Cost(ReadOnlySpan<byte> filtered)
    {
        long sum = 0;
        foreach (var value in filtered) sum += Math.Abs((int)(sbyte)value);
        return sum;
    }

    private static byte Paeth(byte a, byte b, byte c)
    {
        var (pa, pb, pc) = (Math.Abs(b - c), Math.Abs(a - c), Math.Abs(a + b - 2 * c));
        return pa <= pb && pa <= pc ? a : pb <= pc ? b : c;
    }
}
