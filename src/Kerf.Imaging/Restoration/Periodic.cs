using Kerf.Volumes;

namespace Kerf.Imaging;

/// <summary>
/// Continues an image beyond its right and lower border so that it repeats without a step: the mirror image of the near border fades into that of
/// the far one.
/// </summary>
internal sealed class Periodic
{
    private readonly (int First, int Second, float Share)[] _rows, _columns;

    /// <summary>Plans the continuation of images of one size by <paramref name="margin"/> pixels at least, to products of 2, 3 and 5 that <paramref name="multiple"/> divides.</summary>
    public Periodic(int height, int width, int margin, int multiple = 1)
    {
        int Padded(int length) => multiple * RealFourier.GoodSize((length + margin + multiple - 1) / multiple);
        (_rows, _columns) = (Continue(height, Padded(height)), Continue(width, Padded(width)));
        (Height, Width) = (height, width);
    }

    /// <summary>Size of the image.</summary>
    public int Height { get; }

    /// <summary>Size of the image.</summary>
    public int Width { get; }

    /// <summary>Size with the continuation.</summary>
    public int PaddedHeight => Height + _rows.Length;

    /// <summary>Size with the continuation.</summary>
    public int PaddedWidth => Width + _columns.Length;

    /// <summary>Fills <paramref name="padded"/> with the image and its continuation.</summary>
    public void Pad(ReadOnlySpan<float> image, Span<float> padded)
    {
        for (var y = 0; y < Height; y++)
        {
            var row = padded.Slice(y * PaddedWidth, PaddedWidth);
            image.Slice(y * Width, Width).CopyTo(row);
            for (var i = 0; i < _columns.Length; i++)
            {
                var (first, second, share) = _columns[i];
                row[Width + i] = row[first] + share * (row[second] - row[first]);
            }
        }
        for (var i = 0; i < _rows.Length; i++)
        {
            var (first, second, share) = _rows[i];
            var (a, b) = (first * PaddedWidth, second * PaddedWidth);
            for (var x = 0; x < PaddedWidth; x++) padded[(Height + i) * PaddedWidth + x] = padded[a + x] + share * (padded[b + x] - padded[a + x]);
        }
    }

    /// <summary>The image without its continuation.</summary>
    public void Crop(ReadOnlySpan<float> padded, Span<float> image)
    {
        for (var y = 0; y < Height; y++) padded.Slice(y * PaddedWidth, Width).CopyTo(image[(y * Width)..]);
    }

    private static (int, int, float)[] Continue(int length, int padded)
    {
        var table = new (int, int, float)[padded - length];
        for (var i = 0; i < table.Length; i++)
        {
            var t = (i + 1.0) / (table.Length + 1);
            table[i] = (Borders.Map(Border.Mirror, length + i, length), Borders.Map(Border.Mirror, i - table.Length, length), (float)(t * t * (3 - 2 * t)));
        }
        return table;
    }
}
