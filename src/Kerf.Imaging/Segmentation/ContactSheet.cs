using Kerf.Volumes;

namespace Kerf.Imaging;

/// <summary>Small pictures side by side, to choose by eye: red, green and blue of each pixel, row by row.</summary>
/// <param name="Width">Pixels in a row.</param>
/// <param name="Height">Rows.</param>
/// <param name="Rgb">3 bytes a pixel.</param>
public sealed record ContactSheet(int Width, int Height, byte[] Rgb)
{
    private const int Edge = 192;
    private const int Gap = 4;
    private const int CellsAcross = 3;

    // digits of 3×5 dots, row by row from the highest bit
    private static readonly int[] Digits = [0b111101101101111, 0b010110010010111, 0b111001111100111, 0b111001111001111, 0b101101111001001,
        0b111100111001111, 0b111100111101111, 0b111001001001001, 0b111101111101111, 0b111101111001111];

    /// <summary>First the image and its labels (wanted orange, others blue), then for each filter its rank, response and mask (orange).</summary>
    internal static ContactSheet Of(IVolume<float> grey, IVolume<byte> labels, int wanted, int z, GaborCandidate[] candidates)
    {
        var window = Window(labels, z);
        var (height, width) = (window.Size.Y, window.Size.X);
        var rows = (candidates.Length + CellsAcross) / CellsAcross;
        var (cellWidth, cellHeight) = (2 * width + 3 * Gap, height + 2 * Gap);
        var sheet = new ContactSheet(CellsAcross * cellWidth, rows * cellHeight, new byte[3 * CellsAcross * cellWidth * rows * cellHeight]);
        Array.Fill(sheet.Rgb, (byte)32);
        var image = new float[window.Count];
        var drawn = new byte[window.Count];
        grey.Read(window, image);
        labels.Read(window, drawn);
        var (low, high) = Range(image);
        sheet.Draw(0, 0, width, height, image, low, high, _ => 0);
        sheet.Draw(0, width + Gap, width, height, image, low, high, i => drawn[i] == 0 ? 0 : drawn[i] == wanted ? 1 : 2);
        for (var rank = 1; rank <= candidates.Length; rank++)
        {
            var kernel = candidates[rank - 1].Kernel();
            var padded = window.Grow(new(0, kernel.Radius, kernel.Radius));
            var voxels = new float[padded.Count];
            var response = new float[window.Count];
            Borders.Read(grey, padded, Border.Mirror, voxels);
            kernel.Apply(voxels, height, width, response);
            var (top, left) = (rank / CellsAcross * cellHeight, rank % CellsAcross * cellWidth);
            var (weakest, strongest) = Range(response);
            var threshold = candidates[rank - 1].Threshold;
            sheet.Draw(top, left, width, height, response, weakest, strongest, _ => 0);
            sheet.Draw(top, left + width + Gap, width, height, image, low, high, i => response[i] >= threshold ? 1 : 0);
            sheet.Number(rank, top + 2 * Gap, left + 2 * Gap);
        }
        return sheet;
    }

    // around the labels of the slice
    private static Box Window(IVolume<byte> labels, int z)
    {
        var size = labels.Info.Size;
        var slice = new byte[size.SliceCount];
        labels.Read(Box.Slice(size, z), slice);
        long count = 0, sumY = 0, sumX = 0;
        for (var i = 0; i < slice.Length; i++)
        {
            if (slice[i] != 0) (count, sumY, sumX) = (count + 1, sumY + i / size.X, sumX + i % size.X);
        }
        var (height, width) = (Math.Min(Edge, size.Y), Math.Min(Edge, size.X));
        var top = (int)Math.Clamp(sumY / Math.Max(1, count) - height / 2, 0, size.Y - height);
        var left = (int)Math.Clamp(sumX / Math.Max(1, count) - width / 2, 0, size.X - width);
        return new(new(z, top, left), new(1, height, width));
    }

    private static (float Low, float High) Range(float[] values)
    {
        var (low, high) = (values.Min(), values.Max());
        return (low, high > low ? high : low + 1);
    }

    // mark 1 is tinted orange, 2 blue
    private void Draw(int top, int left, int width, int height, float[] values, float low, float high, Func<int, int> mark)
    {
        for (var i = 0; i < width * height; i++)
        {
            var grey = (int)Math.Clamp((values[i] - low) / (high - low) * 255, 0, 255);
            var tint = mark(i);
            var (r, g, b) = tint == 0 ? (grey, grey, grey) : tint == 1 ? (232, 136, 58) : (59, 125, 216);
            Dot(top + Gap + i / width, left + Gap + i % width, (byte)((grey + r) / 2), (byte)((grey + g) / 2), (byte)((grey + b) / 2));
        }
    }

    private void Number(int number, int top, int left)
    {
        foreach (var digit in FormattableString.Invariant($"{number}"))
        {
            for (var dot = 0; dot < 15; dot++)
            {
                if ((Digits[digit - '0'] >> (14 - dot) & 1) == 0) continue;
                for (var i = 0; i < 4; i++) Dot(top + dot / 3 * 2 + i / 2, left + dot % 3 * 2 + i % 2, 255, 255, 255);
            }
            left += 8;
        }
    }

    private void Dot(int y, int x, byte r, byte g, byte b)
    {
        if ((uint)y >= Height || (uint)x >= Width) return;
        var at = 3 * (y * Width + x);
        (Rgb[at], Rgb[at + 1], Rgb[at + 2]) = (r, g, b);
    }
}
