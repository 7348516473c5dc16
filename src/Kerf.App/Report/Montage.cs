using Kerf.Volumes;

namespace Kerf.App;

/// <summary>Grey pictures of one size in rows and columns with white gaps, for figures of studies.</summary>
internal sealed class Montage(int columns, int height, int width)
{
    private const int Gap = 6;
    private readonly List<byte[]> _cells = [];

    /// <summary>Cells so far.</summary>
    public int Count => _cells.Count;

    /// <summary>Adds the next cell, left to right, then down: grey levels of all its pixels.</summary>
    public void Add(byte[] grey) => _cells.Add(grey);

    /// <summary>Adds a part of a slice, each pixel drawn as a square of <paramref name="times"/> pixels.</summary>
    public void Add(Volume<byte> stack, int z, int top, int left, int times = 1)
    {
        var cell = new byte[height * width];
        for (var y = 0; y < height; y++)
            for (var x = 0; x < width; x++) cell[y * width + x] = stack[z, top + y / times, left + x / times];
        Add(cell);
    }

    /// <summary>Writes it as a grey PNG.</summary>
    public void Save(string path)
    {
        var rows = (_cells.Count + columns - 1) / columns;
        var (across, down) = (columns * (width + Gap) - Gap, rows * (height + Gap) - Gap);
        var sheet = new byte[across * down];
        Array.Fill(sheet, (byte)255);
        for (var i = 0; i < _cells.Count; i++)
        {
            var (top, left) = (i / columns * (height + Gap), i % columns * (width + Gap));
            for (var y = 0; y < height; y++) _cells[i].AsSpan(y * width, width).CopyTo(sheet.AsSpan((top + y) * across + left));
        }
        AtomicFile.WriteAllBytes(path, Png.Encode(sheet, across, down));
    }
}
