using System.Globalization;

namespace Kerf.Volumes;

/// <summary>
/// An open TIFF file: classic or BigTIFF, either byte order, strips or tiles; uncompressed, LZW, Deflate or PackBits; predictors 2 and 3;
/// unsigned 1, 2, 4, 8, 16 and 32 bits, signed 8, 16 and 32 bits, float of 16, 32 and 64 bits; grey, palette and RGB; stacks as ImageJ and
/// OME-TIFF describe them; notes of FEI, Zeiss, Fibics and TESCAN. Whatever is wrong with a file is an <see cref="InputError"/> that names the
/// page, never a crash: nothing is allocated that the file's own bytes cannot account for (directories: 16 times the file's length; a
/// segment: its compressed length times what the codec can give at most, 1032 for Deflate, 2560 for LZW, 64 for PackBits).
/// </summary>
public sealed class TiffFile : IDisposable
{
    private readonly TiffBytes _bytes;
    private readonly TiffStack _stack;
    private readonly IReadOnlyList<string> _samples;

    private TiffFile(TiffBytes bytes)
    {
        _bytes = bytes;
        var (pages, tags) = TiffDirectories.Read(bytes);
        Pages = pages;
        var first = pages[0];
        var description = tags.TryGetValue(TiffTag.Description, out var field) ? bytes.Text(field, "the image description") : "";
        _stack = TiffStack.Read(bytes, pages, tags, description);
        _samples = first.IsColour ? ["luma", "red", "green", "blue"]
            : first.SamplesPerPixel == 1 ? [""]
            : [.. Enumerable.Range(1, first.SamplesPerPixel).Select(i => string.Create(CultureInfo.InvariantCulture, $"sample {i}"))];
        var vendor = TiffVendor.Read(bytes, tags, first.Width);
        Info = new(new(_stack.Slices, first.Height, first.Width), first.Type, Voxel(vendor))
        {
            Phases = TiffPalette.Read(bytes, first, tags, description),
            Metadata = Metadata(vendor),
        };
        Channels = [.. Enumerable.Range(0, _stack.PageChannels * _samples.Count).Select(Name)];
    }

    /// <summary>The file's path.</summary>
    public string Path => _bytes.Path;

    /// <summary>The full-size images in the order of the file; thumbnails are left out. A large ImageJ stack lists one page for all slices.</summary>
    public IReadOnlyList<TiffPage> Pages { get; }

    /// <summary>
    /// Names of the channels, at least one. An RGB image has four: luma, red, green, blue; where R = G = B, luma is that grey level exactly.
    /// </summary>
    public IReadOnlyList<string> Channels { get; }

    /// <summary>
    /// Size, type, voxel size, phases and metadata of one channel read as a volume. The voxel size comes from ImageJ, OME or the microscope's
    /// notes; it is null when they do not tell all three lengths, and resolution tags alone (print DPI) tell none. A single image takes its
    /// pixel width as thickness. What is known of the pixel alone is metadata pixelSizeNm.
    /// </summary>
    public VolumeInfo Info { get; }

    /// <summary>Opens a file and reads its directories, no pixels.</summary>
    /// <exception cref="InputError">The file cannot be opened, is no TIFF, is damaged, or is of a kind that is not read.</exception>
    public static TiffFile Open(string path)
    {
        var bytes = new TiffBytes(path);
        try
        {
            return new(bytes);
        }
        catch
        {
            bytes.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _bytes.Dispose();

    /// <summary>Fails unless the pages can be the slices of one volume.</summary>
    internal void RequireVolume()
    {
        var first = Pages[0];
        foreach (var page in Pages)
        {
            if (!page.Matches(first))
                throw _bytes.Wrong($"page {page.Number} is {page}, page {first.Number} is {first}: they are no slices of one volume",
                    "save them as separate files.");
        }
        if ((Int128)Info.Size.SliceCount * Info.Size.Z * Info.Type.Bytes() > (Int128)_bytes.Length * Pages.Max(page => page.MostExpansion) * 8)
            throw _bytes.Wrong($"{Info.Size} voxels are more than a file of {_bytes.Length} bytes can hold");
    }

    /// <summary>The place of a slice of a channel.</summary>
    internal TiffPlane Plane(int channel, int z)
    {
        var plane = _stack.Plane(channel / _samples.Count, z);
        var sample = channel % _samples.Count;
        return new(Pages[_stack.Step > 0 ? 0 : plane], _stack.Step * plane, Pages[0].IsColour ? sample - 1 : sample);
    }

    /// <summary>Decodes one segment of a slice.</summary>
    internal T[] Decode<T>(TiffPlane plane, int down, int across) where T : unmanaged =>
        TiffSegments.Decode<T>(_bytes, plane.Page, plane.Shift, down, across, plane.Sample);

    private string Name(int channel)
    {
        var (page, sample) = (channel / _samples.Count, _samples[channel % _samples.Count]);
        var name = page < _stack.Names.Count ? _stack.Names[page] : "";
        if (name == "" && (_stack.PageChannels > 1 || sample == "")) name = string.Create(CultureInfo.InvariantCulture, $"channel {page + 1}");
        return $"{name} {sample}".Trim();
    }

    private VoxelSize? Voxel(TiffVendor vendor)
    {
        var (x, y) = (_stack.X ?? vendor.X, _stack.Y ?? vendor.Y);
        var z = _stack.Z ?? (_stack.Slices == 1 ? x : null);
        return x is null || y is null || z is null ? null : new(z.Value, y.Value, x.Value);
    }

    private Dictionary<string, string> Metadata(TiffVendor vendor)
    {
        var metadata = vendor.Metadata;
        if ((_stack.X ?? vendor.X) is { } pixel) metadata["pixelSizeNm"] = Math.Round(pixel, 10).ToString("G10", CultureInfo.InvariantCulture);
        if (Pages[0].IsColour) metadata["colour"] = "RGB; channel 0 is luma (0.299 R + 0.587 G + 0.114 B, Rec. 601)";
        if (Pages[0] is { Photometric: 0, Type: not PixelType.Float32 })
            metadata["photometric"] = "white is zero; inverted on reading, so that bright is high";
        return metadata;
    }
}

/// <summary>Palettes as phases: an index of a label image keeps its value, its colour becomes that of the phase.</summary>
internal static class TiffPalette
{
    /// <summary>Start of the line of a description that keeps the names: "kerfPhases=1:pore:#3b7dd8,…", percent-encoded.</summary>
    public const string Key = "kerfPhases";

    /// <summary>The phases of a label image; null for grey images, also those whose palette is grey or a smooth ramp for display.</summary>
    public static IReadOnlyList<Phase>? Read(TiffBytes file, TiffPage page, Dictionary<int, TiffField> tags, string description)
    {
        if (page.Type != PixelType.UInt8) return null;
        if (description.Contains(Key, StringComparison.Ordinal) && Named(description) is { Count: > 0 } named) return named;
        var count = 1 << page.BitsPerSample;
        if (page.Photometric != 3 || !tags.TryGetValue(TiffTag.ColourMap, out var field) || field.Type != 3 || field.Count != 3 * count) return null;
        var map = new byte[6 * count];
        file.Read(field.Offset, map, "the palette");
        byte Level(int index) => (byte)(file.U16(map.AsSpan(2 * index)) >> 8);
        (int R, int G, int B) Colour(int index) => (Level(index), Level(index + count), Level(index + 2 * count));
        // a map for the display of grey levels changes little from one level to the next; colours of labels jump
        var indices = Enumerable.Range(1, count - 1);
        var isGrey = indices.All(i => Colour(i) is var c && c.R == c.G && c.G == c.B);
        var isRamp = count == 256 && indices.All(i => Far(Colour(i - 1), Colour(i)) < 24);
        if (isGrey || isRamp) return null;
        return [.. indices.Where(i => Colour(i) != (0, 0, 0)).Select(i => Phase.Unnamed(i) with
        {
            Colour = string.Create(CultureInfo.InvariantCulture, $"#{Colour(i).R:x2}{Colour(i).G:x2}{Colour(i).B:x2}"),
        })];
    }

    /// <summary>The line that keeps the phases' names.</summary>
    public static string Line(IEnumerable<Phase> phases) => Key + "=" + string.Join(',', phases.Select(phase =>
        string.Create(CultureInfo.InvariantCulture, $"{phase.Label}:{Uri.EscapeDataString(phase.Name)}:{phase.Colour}"))) + "\n";

    private static List<Phase> Named(string description)
    {
        var phases = new List<Phase>();
        foreach (var entry in TiffStack.Notes(description).GetValueOrDefault(Key, "").Split(',', 256))
        {
            var parts = entry.Split(':');
            if (parts.Length != 3 || parts[2].Length != 7 || parts[2][0] != '#') return [];
            if (parts[2].AsSpan(1).IndexOfAnyExcept("0123456789abcdefABCDEF") >= 0) return [];
            if (!byte.TryParse(parts[0], NumberStyles.None, CultureInfo.InvariantCulture, out var label) || label == 0) return [];
            phases.Add(new(label, Uri.UnescapeDataString(parts[1]), parts[2]));
        }
        return phases;
    }

    private static int Far((int R, int G, int B) a, (int R, int G, int B) b) =>
        Math.Max(Math.Abs(a.R - b.R), Math.Max(Math.Abs(a.G - b.G), Math.Abs(a.B - b.B)));
}
