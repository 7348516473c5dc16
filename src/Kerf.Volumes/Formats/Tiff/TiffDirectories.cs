namespace Kerf.Volumes;

/// <summary>TIFF's numbers of the tags that are read.</summary>
internal static class TiffTag
{
    public const int SubfileType = 254, Width = 256, Height = 257, BitsPerSample = 258, Compression = 259, Photometric = 262, FillOrder = 266,
        Description = 270, StripOffsets = 273, SamplesPerPixel = 277, RowsPerStrip = 278, StripByteCounts = 279, XResolution = 282,
        YResolution = 283, Planar = 284, ResolutionUnit = 296, Software = 305, Predictor = 317, ColourMap = 320, TileWidth = 322, TileLength = 323,
        TileOffsets = 324, TileByteCounts = 325, SampleFormat = 339, Zeiss = 34118, FeiSfeg = 34680, FeiHelios = 34682, Tescan = 50431,
        Fibics = 51023;
}

/// <summary>Reads the header and the chain of directories. Time and memory are bounded by the file's length: directories may not overlap.</summary>
internal static class TiffDirectories
{
    // uncompressed strips are read in parts of about this size
    private const int PartBytes = 1 << 20;

    /// <summary>All full-size images (thumbnails and masks are left out) and the tags of the first.</summary>
    public static (List<TiffPage> Pages, Dictionary<int, TiffField> FirstTags) Read(TiffBytes file)
    {
        var next = Header(file);
        var pages = new List<TiffPage>();
        var first = new Dictionary<int, TiffField>();
        var tags = new Dictionary<int, TiffField>();
        var visited = new HashSet<long>();
        long spent = 0;
        for (var number = 1; next != 0; number++)
        {
            if (!visited.Add(next)) throw file.Wrong($"directory {number} at byte {next} was met before: the chain of pages is a loop");
            next = Tags(file, next, number, tags, ref spent);
            // bit 0: a reduced copy of another image, bit 2: a mask
            if (tags.TryGetValue(TiffTag.SubfileType, out var subfile) && (file.Value(subfile, 0, "the subfile type") & 5) != 0) continue;
            pages.Add(Page(file, number, tags));
            if (pages.Count == 1) first = new(tags);
        }
        return pages.Count > 0 ? (pages, first) : throw file.Wrong("holds no image");
    }

    private static long Header(TiffBytes file)
    {
        Span<byte> head = stackalloc byte[16];
        head.Clear();
        file.Read(0, head[..(int)Math.Clamp(file.Length, 8, 16)], "the header");
        file.BigEndian = head[0] == 'M';
        file.BigTiff = file.U16(head[2..]) == 43;
        if (head[0] != head[1] || head[0] is not ((byte)'I' or (byte)'M') || file.U16(head[2..]) is not (42 or 43))
            throw file.Wrong("is not a TIFF file: it does not start with II or MM and 42 or 43", "give a TIFF file.");
        if (file.BigTiff && (file.U16(head[4..]) != 8 || file.U16(head[6..]) != 0))
            throw file.Wrong("has a BigTIFF header with offsets that are not 8 bytes");
        return file.BigTiff ? (long)file.U64(head[8..]) : file.U32(head[4..]);
    }

    private static long Tags(TiffBytes file, long offset, int number, Dictionary<int, TiffField> tags, ref long spent)
    {
        var (countBytes, entryBytes, offsetBytes) = file.BigTiff ? (8, 20, 8) : (2, 12, 4);
        var what = $"directory {number}";
        Span<byte> word = stackalloc byte[8];
        file.Read(offset, word[..countBytes], what);
        var count = file.BigTiff ? file.U64(word) : file.U16(word);
        if (count == 0 || count > (ulong)((file.Length - spent) / entryBytes))
            throw file.Wrong($"{what} at byte {offset} declares {count} tags, more than the file has room for or none");
        var entries = new byte[(int)count * entryBytes];
        spent += countBytes + entries.Length + offsetBytes;
        file.Read(offset + countBytes, entries, what);
        tags.Clear();
        for (var entry = entries.AsSpan(); entry.Length > 0; entry = entry[entryBytes..])
        {
            int tag = file.U16(entry), type = file.U16(entry[2..]), size = TiffField.Bytes(type);
            var values = file.BigTiff ? file.U64(entry[4..]) : file.U32(entry[4..]);
            if (size == 0 || values == 0) continue;
            var inline = file.BigTiff ? 12 : 8;
            var place = values <= (ulong)(offsetBytes / size) ? offset + countBytes + (entries.Length - entry.Length) + inline
                : file.BigTiff ? (long)file.U64(entry[inline..]) : file.U32(entry[inline..]);
            if (place < 0 || place > file.Length || values > (ulong)(file.Length - place) / (ulong)size)
            {
                if (IsVital(tag))
                    throw file.Wrong($"{what}: tag {tag} with {values} values at byte {(ulong)place} would lie outside the file ({file.Length} bytes)");
                continue;
            }
            tags.TryAdd(tag, new(type, (long)values, place));
        }
        file.Read(offset + countBytes + entries.Length, word[..offsetBytes], what);
        return file.BigTiff ? (long)file.U64(word) : file.U32(word);
    }

    // a broken note of a vendor must not keep anyone from the image
    private static bool IsVital(int tag) => tag is < 500 and not TiffTag.Software;

    private static TiffPage Page(TiffBytes file, int number, Dictionary<int, TiffField> tags)
    {
        var what = $"page {number}";
        long Number(int tag, string name, long otherwise, long low, long high)
        {
            var value = tags.TryGetValue(tag, out var field) ? file.Value(field, 0, $"{what}, {name}") : otherwise;
            return value >= low && value <= high ? value
                : throw file.Wrong($"{what}: {name} is {(value == -1 ? "missing" : value)}, allowed is {low} to {high}");
        }
        TiffField Field(int tag, string name) => tags.TryGetValue(tag, out var field) ? field : throw file.Wrong($"{what}: {name} are missing");

        var tiled = tags.ContainsKey(TiffTag.TileWidth);
        var format = (int)Number(TiffTag.SampleFormat, "the sample format", 1, 1, 6);
        var width = (int)Number(TiffTag.Width, "the width", -1, 1, int.MaxValue);
        var height = (int)Number(TiffTag.Height, "the height", -1, 1, int.MaxValue);
        var page = new TiffPage
        {
            Number = number,
            Width = width,
            Height = height,
            BitsPerSample = (int)Number(TiffTag.BitsPerSample, "bits per sample", 1, 1, 64),
            SampleFormat = (TiffSampleFormat)(format == 4 ? 1 : format), // 4: "undefined", which writers use for plain numbers
            SamplesPerPixel = (int)Number(TiffTag.SamplesPerPixel, "samples per pixel", 1, 1, 65535),
            Compression = (int)Number(TiffTag.Compression, "the compression", 1, 0, 65535),
            Photometric = (int)Number(TiffTag.Photometric, "the photometric interpretation", 1, 0, 65535),
            Predictor = (int)Number(TiffTag.Predictor, "the predictor", 1, 1, 65535),
            Planar = Number(TiffTag.Planar, "the planar configuration", 1, 1, 2) == 2,
            LowBitFirst = Number(TiffTag.FillOrder, "the fill order", 1, 1, 2) == 2,
            Tiled = tiled,
            SegmentWidth = tiled ? (int)Number(TiffTag.TileWidth, "the tile width", -1, 1, int.MaxValue) : width,
            SegmentHeight = tiled ? (int)Number(TiffTag.TileLength, "the tile length", -1, 1, int.MaxValue)
                : (int)Math.Min(Number(TiffTag.RowsPerStrip, "rows per strip", uint.MaxValue, 1, uint.MaxValue), height),
            Offsets = Field(tags.ContainsKey(TiffTag.TileOffsets) ? TiffTag.TileOffsets : TiffTag.StripOffsets, "the offsets of the strips or tiles"),
            ByteCounts = tags.GetValueOrDefault(tags.ContainsKey(TiffTag.TileByteCounts) ? TiffTag.TileByteCounts : TiffTag.StripByteCounts),
        };
        page = page with { Planar = page.Planar && page.SamplesPerPixel > 1 };
        Check(file, what, page, tags);
        if (page is { Compression: 1, Tiled: false } && page.SegmentHeight == height && page.RowBytes < PartBytes)
            page = page with { Recut = true, SegmentHeight = (int)Math.Min(height, PartBytes / page.RowBytes) };
        else if (page is { Compression: 1, Tiled: false } && page.SegmentHeight == height)
            page = page with { Recut = true, SegmentHeight = 1 };
        return page;
    }

    private static void Check(TiffBytes file, string what, TiffPage page, Dictionary<int, TiffField> tags)
    {
        foreach (var (tag, name) in new[] { (TiffTag.BitsPerSample, "bits per sample"), (TiffTag.SampleFormat, "sample formats") })
        {
            if (!tags.TryGetValue(tag, out var field)) continue;
            for (var i = 1; i < Math.Min(field.Count, page.SamplesPerPixel); i++)
            {
                if (file.Value(field, i, name) != file.Value(field, 0, name))
                    throw file.Wrong($"{what}: its samples differ in {name}", "save them alike.");
            }
        }
        var known = (page.SampleFormat, page.BitsPerSample) is (TiffSampleFormat.Unsigned, 1 or 2 or 4 or 8 or 16 or 32)
            or (TiffSampleFormat.Signed, 8 or 16 or 32) or (TiffSampleFormat.Float, 16 or 32 or 64);
        if (!known)
            throw file.Wrong($"{what}: samples of {page.BitsPerSample} bits in format {page.SampleFormat} are not read",
                "save it as 8- or 16-bit grey or 32-bit float.");
        if (page.Compression is not (1 or 5 or 8 or 32946 or 32773))
            throw file.Wrong($"{what}: compression {page.Compression}{CompressionName(page.Compression)} is not read",
                "save it uncompressed, or with LZW or Deflate.");
        if (page.Photometric is not (0 or 1 or 2 or 3))
            throw file.Wrong($"{what}: photometric interpretation {page.Photometric} is not read", "save it as grey, RGB or palette image.");
        if (page.IsColour && (page.SamplesPerPixel < 3 || page.SampleFormat != TiffSampleFormat.Unsigned || page.BitsPerSample is not (8 or 16)))
            throw file.Wrong($"{what}: an RGB image of {page} is not read", "save it with three samples of 8 or 16 bits.");
        if (page.BitsPerSample < 8 && page.SegmentSamples > 1) throw file.Wrong($"{what}: {page} is not read", "save it as 8-bit grey.");
        if (page.LowBitFirst && page.BitsPerSample >= 8)
            throw file.Wrong($"{what}: fill order 2 is read for 1-bit images only", "save it with fill order 1.");
        var fits = page.Predictor switch { 1 => true, 2 => page.BitsPerSample >= 8, 3 => page.SampleFormat == TiffSampleFormat.Float, _ => false };
        if (!fits && page.Compression != 1)
            throw file.Wrong($"{what}: predictor {page.Predictor} is not read for {page}", "save it without a predictor.");
        if (page.ByteCounts.Count == 0 && page.Compression != 1)
            throw file.Wrong($"{what}: the lengths of its compressed strips or tiles are missing");
        if ((long)page.Across * page.SegmentWidth > int.MaxValue || (long)page.Down * page.SegmentHeight > int.MaxValue)
            throw file.Wrong($"{what}: tiles of {page.SegmentWidth}×{page.SegmentHeight} are too large");
        var segments = (Int128)page.Across * page.Down * (page.Planar ? page.SamplesPerPixel : 1);
        if (page.Offsets.Count < segments || (page.Compression != 1 && page.ByteCounts.Count < segments))
            throw file.Wrong($"{what}: {segments} strips or tiles are needed, {page.Offsets.Count} are listed");
        if (page.ImageBytes > (Int128)file.Length * page.MostExpansion)
            throw file.Wrong($"{what}: {page} needs {page.ImageBytes} bytes, more than a file of {file.Length} bytes can hold");
    }

    private static string CompressionName(int compression) => compression switch
    {
        2 or 3 or 4 => " (fax)",
        6 or 7 or 33007 => " (JPEG)",
        34712 or 33003 or 33004 or 33005 => " (JPEG 2000)",
        34925 => " (LZMA)",
        50000 or 34926 => " (Zstandard)",
        50001 or 34927 => " (WebP)",
        _ => "",
    };
}
