using Kerf.Volumes;
using Xunit;

namespace Kerf.Tests;

/// <summary>Files that tifffile and libtiff wrote; the values follow the formulas of References/tiff/make_tiff.py.</summary>
public class TiffReferenceTests
{
    private const int X = 37, Y = 21;

    private static int V(int z, int y, int x) => (7 * x + 13 * y + 29 * z) % 251;

    private static int Word(int z, int y, int x) => 257 * V(z, y, x) + x;

    private static float Real(int z, int y, int x) => (V(z, y, x) - 100) / 8f + x / 1024f;

    internal static string File(string name) => System.IO.Path.Combine(AppContext.BaseDirectory, "References", "tiff", name + ".tif");

    private static void Expect(string name, PixelType type, Func<int, int, int, float> value, int channel = 0)
    {
        var volume = TiffVolume.Open(File(name), channel);
        Assert.Equal(type, volume.Info.Type);
        var size = volume.Info.Size;
        var all = Volume<float>.Load(volume.AsFloat());
        for (var z = 0; z < size.Z; z++)
            for (var y = 0; y < size.Y; y++)
                for (var x = 0; x < size.X; x++)
                    Assert.True(value(z, y, x) == all[z, y, x], $"{name} at {z},{y},{x}: {all[z, y, x]}, expected {value(z, y, x)}");
        // a region is the same as a part of the whole
        var box = new Box(new(size.Z - 1, 3, 5), new(1, size.Y - 4, size.X - 7));
        var part = new float[box.Count];
        volume.AsFloat().Read(box, part);
        Assert.Equal(all[size.Z - 1, 3 + 2, 5 + 1], part[2 * box.Size.X + 1]);
        (volume as IDisposable)!.Dispose();
    }

    [Theory]
    [InlineData("u8")]
    [InlineData("u8-tiled")]
    [InlineData("u8-lzw")]
    [InlineData("u8-lzw-predictor")]
    [InlineData("u8-packbits")]
    [InlineData("u8-big-lzw")]
    [InlineData("white-is-zero")]
    [InlineData("palette-grey")]
    [InlineData("dpi")]
    public void Reads_bytes(string name) => Expect(name, PixelType.UInt8, (z, y, x) => V(z, y, x));

    [Theory]
    [InlineData("u16")]
    [InlineData("u16-be")]
    [InlineData("u16-big")]
    [InlineData("u16-be-big")]
    [InlineData("u16-deflate")]
    [InlineData("u16-deflate-predictor")]
    [InlineData("u16-lzw-predictor-be")]
    [InlineData("u16-tiled-deflate")]
    public void Reads_words(string name) => Expect(name, PixelType.UInt16, (z, y, x) => Word(z, y, x));

    [Theory]
    [InlineData("f32")]
    [InlineData("f32-predictor")]
    [InlineData("f32-predictor-be")]
    [InlineData("f32-lzw-predictor2-tiled")]
    [InlineData("f64")]
    [InlineData("f64-be")]
    [InlineData("f64-predictor")]
    public void Reads_floats(string name) => Expect(name, PixelType.Float32, Real);

    [Fact]
    public void Reads_half_floats() => Expect("f16", PixelType.Float32, (z, y, x) => (float)(Half)Real(z, y, x));

    [Fact]
    public void Reads_signed_and_32_bit_whole_numbers_as_float()
    {
        Expect("i8", PixelType.Float32, (z, y, x) => V(z, y, x) - 125);
        Expect("i16", PixelType.Float32, (z, y, x) => Word(z, y, x) - 32768);
        Expect("i16-be", PixelType.Float32, (z, y, x) => Word(z, y, x) - 32768);
        Expect("u32", PixelType.Float32, (z, y, x) => 100f * Word(z, y, x));
        Expect("i32", PixelType.Float32, (z, y, x) => -100f * Word(z, y, x));
    }

    [Fact]
    public void Refuses_whole_numbers_that_float32_cannot_hold()
    {
        var volume = TiffVolume.Open(File("u32-large")).AsFloat();
        var error = Assert.Throws<InputError>(() => volume.Read(Box.Whole(volume.Info.Size), new float[16]));
        Assert.Contains("16777217 cannot be held exactly as float32", error.Message);
        Assert.Contains("page 1, strip 1", error.Message);
    }

    [Theory]
    [InlineData("bit")]
    [InlineData("bit-white")]
    [InlineData("bit-lzw")]
    [InlineData("bit-low-first")]
    public void Reads_bits_as_0_and_1(string name) => Expect(name, PixelType.UInt8, (z, y, x) => V(z, y, x) % 2);

    [Fact]
    public void Reads_LZW_whose_table_fills_up()
    {
        var plain = Volume<byte>.Load((IVolume<byte>)TiffVolume.Open(File("noise")));
        Assert.Equal(plain.Data, Volume<byte>.Load((IVolume<byte>)TiffVolume.Open(File("noise-lzw"))).Data);
    }

    [Theory]
    [InlineData("rgb")]
    [InlineData("rgb-planar")]
    [InlineData("rgb-lzw-predictor")]
    public void Reads_colours_and_their_luma(string name)
    {
        Expect(name, PixelType.UInt8, (_, y, x) => (299 * V(0, y, x) + 587 * V(1, y, x) + 114 * V(2, y, x) + 500) / 1000);
        for (var channel = 1; channel < 4; channel++) Expect(name, PixelType.UInt8, (_, y, x) => V(channel - 1, y, x), channel);
        using var file = TiffFile.Open(File(name));
        Assert.Equal(["luma", "red", "green", "blue"], file.Channels);
        Assert.Contains("Rec. 601", file.Info.Metadata["colour"]);
    }

    [Fact]
    public void Reads_16_bit_colours_and_grey_kept_as_colours()
    {
        Expect("rgb16-be", PixelType.UInt16, (_, y, x) => (299L * Word(0, y, x) + 587L * Word(1, y, x) + 114L * Word(2, y, x) + 500) / 1000);
        Expect("rgb-grey", PixelType.UInt8, (_, y, x) => V(0, y, x));
        Expect("two-samples", PixelType.UInt8, (_, y, x) => V(1, y, x), channel: 1);
    }

    [Fact]
    public void Reads_palettes_as_phases()
    {
        Expect("palette", PixelType.UInt8, (z, y, x) => V(z, y, x) % 3);
        var info = TiffVolume.Open(File("palette")).Info;
        Assert.Equal([new(1, "phase 1", "#e8e6df"), new Phase(2, "phase 2", "#3b7dd8")], info.Phases!);
        Assert.Null(TiffVolume.Open(File("palette-grey")).Info.Phases);
    }

    [Fact]
    public void Reads_the_voxel_size_of_ImageJ()
    {
        Expect("imagej", PixelType.UInt16, (z, y, x) => Word(z, y, x));
        Assert.Equal("20,4,5", TiffVolume.Open(File("imagej")).Info.Voxel.ToString());
        Assert.Equal("20,5,5", TiffVolume.Open(File("imagej-escaped")).Info.Voxel.ToString());
        Assert.Null(TiffVolume.Open(File("imagej-inch")).Info.Voxel);
        Assert.Null(TiffVolume.Open(File("dpi")).Info.Voxel);
    }

    [Fact]
    public void Reads_the_channels_of_ImageJ()
    {
        Expect("imagej-channels", PixelType.UInt8, (z, y, x) => V(z, y, x));
        Expect("imagej-channels", PixelType.UInt8, (z, y, x) => 250 - V(z, y, x), channel: 1);
        var error = Assert.Throws<InputError>(() => TiffVolume.Open(File("imagej-channels"), 2));
        Assert.Contains("channel 2 is not there; it has channels 0 to 1 (channel 1, channel 2).", error.Message);
    }

    [Fact]
    public void Reads_OME()
    {
        Expect("ome", PixelType.UInt16, (z, y, x) => Word(z, y, x));
        Expect("ome", PixelType.UInt16, (z, y, x) => Word(z, y, x) / 2, channel: 1);
        using var file = TiffFile.Open(File("ome"));
        Assert.Equal(["SE2", "InLens"], file.Channels);
        Assert.Equal(new Size3(2, Y, X), file.Info.Size);
        Assert.Equal(new(20, 6, 5), Rounded(file.Info.Voxel!.Value));
    }

    private static VoxelSize Rounded(VoxelSize voxel) => new(Math.Round(voxel.Z, 9), Math.Round(voxel.Y, 9), Math.Round(voxel.X, 9));

    [Theory]
    [InlineData("fei", "FEI", "2", "TLD", "52", "3.96", "59", 2.5, 3.0)]
    [InlineData("fei-sfeg", "FEI", "2", "TLD", "52", "3.96", "59", 2.5, 3.0)]
    [InlineData("zeiss-corrupt", "Zeiss", "0.9", "ESB", "54", "5.1", null, 12.5, 12.5)]
    [InlineData("fibics", "Fibics", null, null, null, null, null, 10, 12)]
    [InlineData("tescan", "TESCAN", "5", "SE", "55", "9", "96", 5, 5)]
    public void Reads_notes_of_microscopes(
        string name, string vendor, string? voltage, string? detector, string? tilt, string? distance, string? databar, double x, double y)
    {
        Expect(name, PixelType.UInt8, (_, row, column) => V(0, row, column));
        var info = TiffVolume.Open(File(name)).Info;
        string? Note(string key) => info.Metadata.GetValueOrDefault(key);
        Assert.Equal(vendor, Note("vendor"));
        Assert.Equal(voltage, Note("voltageKeV"));
        Assert.Equal(detector, Note("detector"));
        Assert.Equal(tilt, Note("tiltDegrees") is { } degrees ? Math.Round(double.Parse(degrees)).ToString() : null);
        Assert.Equal(distance, Note("workingDistanceMm"));
        Assert.Equal(databar, Note("databarHeightPixels"));
        Assert.Equal(new VoxelSize(x, y, x), Rounded(info.Voxel!.Value));
        Assert.Equal(x.ToString(), Note("pixelSizeNm"));
    }

    [Fact]
    public void Reads_real_files()
    {
        if (SharedData.Path("nanoporous-gold") is null) Assert.Skip("../shared/data is not there");
        TiffFile Open(string name) => TiffFile.Open(SharedData.Path(name)!);
        using var gold = Open("nanoporous-gold/npg_sem_zeiss_500kx.tif");
        Assert.Equal((0.543, "20", "InLens", "0", "6.2"), (Math.Round(gold.Info.Voxel!.Value.X, 9), gold.Info.Metadata["voltageKeV"],
            gold.Info.Metadata["detector"], gold.Info.Metadata["tiltDegrees"], gold.Info.Metadata["workingDistanceMm"]));
        Assert.Null(gold.Info.Phases);
        using var ligaments = Open("nanoporous-gold/npg_fib_serial_section_130x150x150.tif");
        Assert.Equal(new Size3(130, 150, 150), ligaments.Info.Size);
        Assert.Equal(46.176923076923075, ligaments.Info.Voxel!.Value.Z);
        Assert.Equal(1e6 / 24999, ligaments.Info.Voxel!.Value.X, 9);
        // means as tifffile and numpy give them
        Assert.Equal(0.398309, Mean("reference-volumes/openimpala_2phase_100.tif"), 1e-9);
        Assert.Equal(new Size3(100, 100, 100), Open("reference-volumes/openimpala_2phase_100.tif").Info.Size);
        Assert.Equal(59.4744086265564, Mean("reference-volumes/taufactor_electrode_256.tiff"), 1e-9);
        Assert.Equal(113.1298358623798, Mean("shale-fibsem-stack/raw/shale_for_alignment00.tif"), 1e-9);
        Assert.Equal(103.97192764282227, Mean("sem-scribbles/superalloy_sem.tif"), 1e-9);
        Assert.Equal(187.3089141845703, Mean("shale-sem-patches/raw/Tile_r1-c1_Chenzh-P7-run1_0000.tif"), 1e-9);
        Assert.Equal(230.09376525878906, Mean("shale-sem-patches/masks/Tile_r1-c1_Chenzh-P7-run1_MASK_0000.tif"), 1e-9);
        Assert.Equal(85.95400034188035, Mean("nanoporous-gold/npg_fib_serial_section_130x150x150.tif"), 1e-9);
    }

    private static double Mean(string name) =>
        Volume<byte>.Load((IVolume<byte>)TiffVolume.Open(SharedData.Path(name)!)).Data.Average(value => (double)value);
}
