namespace Kerf.Volumes;

/// <summary>What the numbers of a TIFF sample are.</summary>
public enum TiffSampleFormat
{
    /// <summary>Unsigned whole numbers.</summary>
    Unsigned = 1,

    /// <summary>Two's complement whole numbers.</summary>
    Signed = 2,

    /// <summary>IEEE floating point.</summary>
    Float = 3,
}

/// <summary>
/// One image of a TIFF file, as its directory declares it. The image is cut into segments (strips of whole rows, or tiles), each compressed alone;
/// in planar files each sample has its own segments.
/// </summary>
public sealed record TiffPage
{
    /// <summary>Number of the directory in the file, from 1.</summary>
    public required int Number { get; init; }

    /// <summary>Columns.</summary>
    public required int Width { get; init; }

    /// <summary>Rows.</summary>
    public required int Height { get; init; }

    /// <summary>Bits of one sample: 1, 2, 4, 8, 16, 32 or 64.</summary>
    public required int BitsPerSample { get; init; }

    /// <summary>What the bits mean.</summary>
    public required TiffSampleFormat SampleFormat { get; init; }

    /// <summary>Samples of one pixel: 1 for grey, 3 for colour, 4 with transparency.</summary>
    public required int SamplesPerPixel { get; init; }

    /// <summary>TIFF's number of the compression: 1 none, 5 LZW, 8 and 32946 Deflate, 32773 PackBits.</summary>
    public required int Compression { get; init; }

    /// <summary>TIFF's number: 0 white is zero, 1 black is zero, 2 RGB, 3 palette.</summary>
    public required int Photometric { get; init; }

    /// <summary>How voxels of this page are kept: unsigned up to 8 bits as uint8, unsigned 16 bits as uint16, all else as float32.</summary>
    public PixelType Type => SampleFormat != TiffSampleFormat.Unsigned || BitsPerSample > 16 ? PixelType.Float32
        : BitsPerSample > 8 ? PixelType.UInt16 : PixelType.UInt8;

    /// <summary>Photometric 2: red, green and blue.</summary>
    public bool IsColour => Photometric == 2;

    internal int Predictor { get; init; } = 1;
    internal bool Planar { get; init; }
    internal bool Tiled { get; init; }
    internal bool LowBitFirst { get; init; }
    internal int SegmentWidth { get; init; }
    internal int SegmentHeight { get; init; }
    internal TiffField Offsets { get; init; }
    internal TiffField ByteCounts { get; init; }

    /// <summary>An uncompressed single strip is read in parts, so that a page of any size needs no large buffer.</summary>
    internal bool Recut { get; init; }

    internal int Across => (int)(((long)Width + SegmentWidth - 1) / SegmentWidth);
    internal int Down => (int)(((long)Height + SegmentHeight - 1) / SegmentHeight);
    internal int SegmentSamples => Planar ? 1 : SamplesPerPixel;
    internal int SampleBytes => BitsPerSample / 8;

    /// <summary>Bytes of one decompressed segment row; rows start on whole bytes.</summary>
    internal long RowBytes => ((long)SegmentWidth * SegmentSamples * BitsPerSample + 7) / 8;

    /// <summary>Decompressed bytes of the whole image, as laid out in an uncompressed file of strips.</summary>
    internal Int128 ImageBytes => (Int128)RowBytes * Height * (Planar ? SamplesPerPixel : 1);

    /// <summary>Rows of a segment that hold image or padding: strips end with the image, tiles do not.</summary>
    internal int RowsOf(int down) => Tiled ? SegmentHeight : (int)Math.Min(SegmentHeight, Height - (long)down * SegmentHeight);

    /// <summary>
    /// The most bytes that one compressed byte can stand for. Deflate: 258 bytes in 2 bits. LZW: a code of 12 bits for the longest string of a
    /// full table, 3839 bytes. PackBits: 128 bytes in 2.
    /// </summary>
    internal int MostExpansion => Compression switch { 1 => 1, 5 => 2560, 32773 => 64, _ => 1032 };

    /// <summary>True when the other page can be a slice of the same volume.</summary>
    internal bool Matches(TiffPage other) => (Width, Height, BitsPerSample, SampleFormat, SamplesPerPixel, Photometric) ==
        (other.Width, other.Height, other.BitsPerSample, other.SampleFormat, other.SamplesPerPixel, other.Photometric);

    /// <summary>"640×480 uint16, 3 samples".</summary>
    public override string ToString() => FormattableString.Invariant($"{Width}×{Height} {FormatName}{BitsPerSample}")
        + (SamplesPerPixel == 1 ? "" : FormattableString.Invariant($", {SamplesPerPixel} samples"));

    private string FormatName => SampleFormat switch { TiffSampleFormat.Unsigned => "uint", TiffSampleFormat.Signed => "int", _ => "float" };
}
