using System.Xml;

namespace Kerf.Volumes;

/// <summary>Where one slice of one channel lies: its page, the bytes by which its image lies behind that of the page, and the sample.</summary>
internal readonly record struct TiffPlane(TiffPage Page, long Shift, int Sample);

/// <summary>
/// How the pages of a file make up slices and channels, and what its description (ImageJ's lines, OME's XML) says of lengths, in nanometres.
/// </summary>
internal sealed record TiffStack
{
    /// <summary>Slices of each channel.</summary>
    public required int Slices { get; init; }

    /// <summary>Channels that are pages of their own.</summary>
    public int PageChannels { get; private init; } = 1;

    /// <summary>Names of the channels of the description, one per channel of pages.</summary>
    public IReadOnlyList<string> Names { get; private init; } = [];

    public double? X { get; private init; }
    public double? Y { get; private init; }
    public double? Z { get; private init; }

    /// <summary>Number of the plane that holds (channel, slice).</summary>
    public Func<int, int, int> Plane { get; private init; } = (_, z) => z;

    /// <summary>Bytes from one plane to the next where a single directory stands for all; else 0.</summary>
    public long Step { get; private init; }

    public static TiffStack Read(TiffBytes file, List<TiffPage> pages, Dictionary<int, TiffField> tags, string description)
    {
        if (description.StartsWith("ImageJ=", StringComparison.Ordinal)) return ImageJ(file, pages, tags, description);
        var start = description.AsSpan().TrimStart('\uFEFF').TrimStart();
        var isOme = start.StartsWith("<") && description.Contains("<OME", StringComparison.Ordinal);
        return isOme ? OmeReader.Read(file, pages, description) : new() { Slices = pages.Count };
    }

    private static TiffStack ImageJ(TiffBytes file, List<TiffPage> pages, Dictionary<int, TiffField> tags, string description)
    {
        var notes = Notes(description);
        int Count(string key) => LengthUnit.Number(notes.GetValueOrDefault(key)) is >= 1 and <= int.MaxValue and var value ? (int)value : 1;
        int images = Count("images"), channels = Count("channels"), slices = Count("slices"), frames = Count("frames");
        var single = pages.Count == 1 && images > 1;
        var planes = single ? images : pages.Count;
        if (single) CheckContiguous(file, pages[0], images);
        if (slices > 1 && frames > 1)
            throw file.Wrong($"holds {frames} time points of {slices} slices", "save one time point as a stack of its own.");
        if (planes % channels != 0) throw file.Wrong($"says channels={channels}, but {planes} pages cannot be shared out among them");
        var unit = LengthUnit.Nanometres(notes.GetValueOrDefault("unit", ""));
        double? Pixel(int tag) => unit is { } nm && tags.TryGetValue(tag, out var field) && file.Rational(field) is var (over, under)
            ? LengthUnit.Positive(under / (double)over * nm) : null;
        return new()
        {
            Slices = planes / channels,
            PageChannels = channels,
            Plane = (channel, z) => z * channels + channel,
            Step = single ? (long)pages[0].ImageBytes : 0,
            X = Pixel(TiffTag.XResolution),
            Y = Pixel(TiffTag.YResolution),
            Z = LengthUnit.Number(notes.GetValueOrDefault("spacing")) is { } spacing ? LengthUnit.Positive(Math.Abs(spacing) * unit) : null,
        };
    }

    // above 4 GB ImageJ writes one directory, and all images behind one another
    private static void CheckContiguous(TiffBytes file, TiffPage page, int images)
    {
        var first = file.Value(page.Offsets, 0, "the offset of the first strip");
        var room = page.ImageBytes > 0 && first <= file.Length ? (file.Length - first) / page.ImageBytes : 0;
        var last = page.Recut ? 0 : page.Down - 1;
        var inOrder = page is { Compression: 1, Tiled: false, Planar: false }
            && file.Value(page.Offsets, last, "the offset of the last strip") - first == (page.Recut ? 0 : last * page.RowBytes * page.SegmentHeight);
        if (!inOrder || room < images)
            throw file.Wrong($"says images={images} and lists one page, behind which there is room for {(inOrder ? room : 1)}");
    }

    /// <summary>The "key=value" lines of a description.</summary>
    public static Dictionary<string, string> Notes(string description)
    {
        var notes = new Dictionary<string, string>();
        foreach (var line in description.AsSpan().EnumerateLines())
        {
            var equals = line.IndexOf('=');
            if (equals > 0 && equals < 64) notes.TryAdd(line[..equals].Trim().ToString(), line[(equals + 1)..].Trim().ToString());
        }
        return notes;
    }

    /// <summary>The first image of an OME-TIFF.</summary>
    private static class OmeReader
    {
        public static TiffStack Read(TiffBytes file, List<TiffPage> pages, string xml)
        {
            try
            {
                // no DTD: entities cannot grow, and nothing outside the text is fetched
                var settings = new XmlReaderSettings { DtdProcessing = DtdProcessing.Prohibit, XmlResolver = null };
                using var reader = XmlReader.Create(new StringReader(xml[xml.IndexOf('<')..]), settings);
                return reader.ReadToFollowing("Pixels") ? Pixels(file, pages, reader) : new() { Slices = pages.Count };
            }
            catch (XmlException exception)
            {
                throw file.Wrong($"its OME description is not valid XML ({exception.Message})",
                    "save the file again, or remove the description.", exception);
            }
        }

        private static TiffStack Pixels(TiffBytes file, List<TiffPage> pages, XmlReader reader)
        {
            int Count(string name, int otherwise = 1) =>
                LengthUnit.Number(reader.GetAttribute(name)) is >= 0 and <= int.MaxValue and var value ? (int)value : otherwise;
            double? Length(string axis) => LengthUnit.Number(reader.GetAttribute("PhysicalSize" + axis)) is { } size
                && LengthUnit.Nanometres(reader.GetAttribute($"PhysicalSize{axis}Unit") ?? "µm") is { } unit ? LengthUnit.Positive(size * unit) : null;
            int z = Math.Max(1, Count("SizeZ")), t = Math.Max(1, Count("SizeT"));
            var samples = pages[0].SamplesPerPixel;
            var channels = Math.Max(1, Count("SizeC") / samples);
            if (z > 1 && t > 1) throw file.Wrong($"holds {t} time points of {z} slices", "save one time point as a stack of its own.");
            if ((Int128)z * t * channels > pages.Count)
                throw file.Wrong($"its OME description names {channels} channels of {z * (long)t} slices, the file holds {pages.Count} pages",
                    "put the whole series into one file.");
            var channelFirst = (reader.GetAttribute("DimensionOrder") ?? "XYCZT").IndexOf('C') == 2;
            var slices = z * t;
            var stack = new TiffStack { Slices = slices, PageChannels = channels, X = Length("X"), Y = Length("Y"), Z = Length("Z") };
            var planes = new int[channels * slices];
            for (var i = 0; i < planes.Length; i++) planes[i] = channelFirst ? i % slices * channels + i / slices : i;
            var names = new List<string>();
            var (inside, placed) = (reader.Depth, 0L);
            while (reader.Read() && reader.Depth > inside)
            {
                if (reader.NodeType != XmlNodeType.Element) continue;
                if (reader.LocalName == "Channel") names.Add(reader.GetAttribute("Name") ?? "");
                // the place of one plane, where the pages do not simply follow the order
                if (reader.LocalName != "TiffData" || reader.GetAttribute("IFD") is null) continue;
                int page = Count("IFD"), c = Count("FirstC", 0) / samples, slice = Count("FirstZ", 0) + Count("FirstT", 0), run = Count("PlaneCount");
                if ((placed += run) > planes.Length) throw file.Wrong($"its OME description places {placed} planes, there are {planes.Length}");
                for (var i = 0; i < run; i++)
                {
                    var at = channelFirst ? c + i + slice * channels : c * slices + slice + i;
                    if (at >= planes.Length || page + i >= pages.Count)
                        throw file.Wrong($"its OME description places page {page + i + 1} of {pages.Count} at plane {at + 1} of {planes.Length}");
                    planes[channelFirst ? at % channels * slices + at / channels : at] = page + i;
                }
            }
            return stack with { Names = names, Plane = (channel, slice) => planes[channel * slices + slice] };
        }
    }
}
