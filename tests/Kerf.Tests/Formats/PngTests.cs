using System.Buffers.Binary;
using System.Diagnostics;
using Kerf.Volumes;
using Xunit;

namespace Kerf.Tests;

public class PngTests
{
    private static readonly string References = Path.Combine(AppContext.BaseDirectory, "References", "png");

    // the formula of make_png.py
    private static int Value(int x, int y, int channel, int top) =>
        (x * 37 + y * 101 + x * y * 7 + channel * 59) * (top > 255 ? top / 255 : 1) % (top + 1);

    [Theory]
    [InlineData("grey1", 1, 1)]
    [InlineData("grey2", 2, 1)]
    [InlineData("grey4", 4, 1)]
    [InlineData("grey8", 8, 1)]
    [InlineData("grey16", 16, 1)]
    [InlineData("grey16-gamma", 16, 1)]
    [InlineData("grey1-interlaced", 1, 1)]
    [InlineData("grey2-interlaced", 2, 1)]
    [InlineData("grey4-interlaced", 4, 1)]
    [InlineData("grey8-interlaced", 8, 1)]
    [InlineData("grey16-interlaced", 16, 1)]
    [InlineData("grey-alpha8", 8, 2)]
    [InlineData("rgb8", 8, 3)]
    [InlineData("rgb8-interlaced", 8, 3)]
    [InlineData("rgb16", 16, 3)]
    [InlineData("rgb16-interlaced", 16, 3)]
    [InlineData("rgba8", 8, 4)]
    [InlineData("rgba16", 16, 4)]
    public void ReadsTheValuesThatOtherToolsWrote(string name, int depth, int channels)
    {
        var image = Png.Read(Path.Combine(References, name + ".png"));
        Assert.Equal((13, 11, depth, channels), (image.Header.Width, image.Header.Height, image.Header.BitDepth, image.Header.Channels));
        Assert.Null(image.Header.Phases);
        for (var c = 0; c < channels; c++)
        {
            var plane = depth == 16 ? Array.ConvertAll(image.Channel<ushort>(c), v => (int)v) : Array.ConvertAll(image.Channel<byte>(c), v => (int)v);
            for (var i = 0; i < plane.Length; i++) Assert.Equal(Value(i % 13, i / 13, c, (1 << depth) - 1), plane[i]);
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(4)]
    [InlineData(8)]
    public void KeepsTheIndicesOfAPaletteAndMakesItsColoursPhases(int bits)
    {
        var image = Png.Read(Path.Combine(References, $"palette{bits}.png"));
        var count = Math.Min(1 << bits, 7);
        for (var i = 0; i < image.Bytes.Length; i++) Assert.Equal(Value(i % 13, i / 13, 0, 255) % count, image.Bytes[i]);
        Assert.Equal(count - 1, image.Header.Phases!.Count);
        Assert.Equal(new Phase(1, "phase 1", "#1eeb10"), image.Header.Phases[0]);
    }

    [Fact]
    public void RoundTripsGreyAndColour()
    {
        foreach (var (width, height) in new[] { (1, 1), (1, 7), (9, 1), (64, 33) })
        {
            var bytes = Bytes(width * height * 3, 5);
            var words = Array.ConvertAll(Bytes(width * height, 6), v => (ushort)(v * 257 ^ 0x1234));
            Assert.Equal(bytes[..(width * height)], Png.Decode(Png.Encode(bytes.AsSpan(0, width * height), width, height)).Bytes.ToArray());
            Assert.Equal(words, Png.Decode(Png.Encode(words, width, height)).Words.ToArray());
            Assert.Equal(bytes, Png.Decode(Png.EncodeRgb(bytes, width, height)).Bytes.ToArray());
        }
    }

    [Fact]
    public void EveryFilterIsUndone()
    {
        foreach (var pixel in new[] { 1, 2, 3, 4, 6, 8 })
        {
            var (row, above) = (Bytes(96, 1), Bytes(96, 2));
            for (var filter = 0; filter < PngFilters.Count; filter++)
            {
                var filtered = new byte[row.Length];
                PngFilters.Apply(filter, row, above, pixel, filtered);
                Assert.True(PngFilters.Undo(filter, filtered, above, pixel));
                Assert.Equal(row, filtered);
            }
        }
    }

    [Fact]
    public void LabelsKeepTheirNamesAndColours()
    {
        Phase[] phases = [new(1, "Poren (µm, größer)", "#112233"), new(3, "孔", "#445566")];
        var image = Png.Decode(Png.EncodeLabels([0, 1, 3, 4], 2, 2, phases));
        Assert.Equal([0, 1, 3, 4], image.Bytes.ToArray());
        Assert.Equal(phases, image.Header.Phases);
        Assert.Equal(5, image.Header.Palette!.Count);
        Assert.Equal((0x44, 0x55, 0x66), image.Header.Palette[3]);
        Assert.Equal(Phase.Unnamed(4).Rgb, image.Header.Palette[4]);
    }

    [Fact]
    public void APaletteForTheDisplayOfGreyIsNoPhases()
    {
        var grey = Enumerable.Range(0, 256).Select(i => ((byte)i, (byte)i, (byte)i)).ToArray();
        var heat = Enumerable.Range(0, 256).Select(i => ((byte)i, (byte)(i / 2), (byte)(255 - i))).ToArray();
        foreach (var palette in new[] { grey, heat })
            Assert.Null(Png.Decode(PngWriter.Encode(new(2, 1, 8, PngColour.Palette) { Palette = palette }, [7, 9], false)).Header.Phases);
        Assert.Null(Png.Decode(PngWriter.Encode(new(2, 1, 8, PngColour.Palette) { Palette = grey[..2] }, [0, 1], false)).Header.Phases);
    }

    [Fact]
    public void LumaOfGreyIsGrey()
    {
        var rgb = Enumerable.Range(0, 256).SelectMany(v => new[] { (byte)v, (byte)v, (byte)v }).ToArray();
        Assert.Equal(Enumerable.Range(0, 256).Select(v => (byte)v), Png.Decode(Png.EncodeRgb(rgb, 256, 1)).Luma<byte>());
        Assert.Equal([76, 150, 29], Png.Decode(Png.EncodeRgb([255, 0, 0, 0, 255, 0, 0, 0, 255], 3, 1)).Luma<byte>());
    }

    [Fact]
    public void PillowReadsWhatWeWrite()
    {
        const string Python = "/usr/bin/python3";
        Assert.SkipUnless(File.Exists(Python), "python3 with Pillow is not here");
        using var scratch = new Scratch();
        var grey = Bytes(35, 3);
        File.WriteAllBytes(scratch["grey.png"], Png.Encode(grey, 7, 5));
        File.WriteAllBytes(scratch["words.png"], Png.Encode(Array.ConvertAll(grey, v => (ushort)(v * 201)), 7, 5));
        File.WriteAllBytes(scratch["rgb.png"], Png.EncodeRgb(Bytes(105, 3), 7, 5));
        File.WriteAllBytes(scratch["labels.png"], Png.EncodeLabels(Array.ConvertAll(grey, v => (byte)(v % 3)), 7, 5, [new(1, "pore", "#102030")]));
        const string Script = """
            import sys
            from PIL import Image
            for name in sys.argv[1:]:
                image = Image.open(name)
                image.load()
                print(image.mode, *image.getdata() if image.mode != "RGB" else [v for p in image.getdata() for v in p])
            """;
        using var process = Process.Start(new ProcessStartInfo(Python, ["-c", Script, .. new[] { "grey", "words", "rgb", "labels" }.Select(n => scratch[n + ".png"])])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        var lines = process.StandardOutput.ReadToEnd().TrimEnd().Split('\n');
        process.WaitForExit();
        Assert.SkipUnless(process.ExitCode == 0, "Pillow is not here");
        Assert.Equal("L " + string.Join(' ', grey), lines[0]);
        Assert.Equal("I " + string.Join(' ', grey.Select(v => v * 201)), lines[1]);
        Assert.Equal("RGB " + string.Join(' ', Bytes(105, 3)), lines[2]);
        Assert.Equal("P " + string.Join(' ', grey.Select(v => v % 3)), lines[3]);
    }

    [Fact]
    public void RefusesWhatIsWrongAndSaysSo()
    {
        var good = Png.Encode(Bytes(64, 3), 8, 8);
        Says([], "is empty");
        Says([1, 2, 3], "is no PNG image");
        Says(good[..^5], "is cut off after");
        Says(good[..30], "is cut off after 30 bytes");
        var flipped = (byte[])good.Clone();
        flipped[50] ^= 1;
        Says(flipped, "the checksum of its part at byte 33 is wrong");
        Says(Patched(good, file => BinaryPrimitives.WriteInt32BigEndian(file.AsSpan(16), 0)), "declares 0×8 pixels");
        Says(Patched(good, file => file[24] = 5), "colour type 0 with 5 bits");
        Says(Patched(good, file => BinaryPrimitives.WriteInt32BigEndian(file.AsSpan(20), 1 << 30)), "more than its");
        Says(Patched(good, file => BinaryPrimitives.WriteInt32BigEndian(file.AsSpan(20), 9)), "ends before the last row");
        Says(Patched(good, file => file[25] = 3), "has indexed pixels but no palette");
        Says(Patched(good, file => file[37] = (byte)'X'), "no PNG reader of this version knows");
        var missing = Assert.Throws<InputError>(() => Png.Read("/nowhere/a.png"));
        Assert.Equal("/nowhere/a.png: no such file. Check the name.", missing.Message);

        static void Says(byte[] file, string words)
        {
            var error = Assert.Throws<InputError>(() => Png.Decode(file, "a.png"));
            Assert.StartsWith("a.png: ", error.Message);
            Assert.Contains(words, error.Message);
            Assert.Matches(@"\. (Export|Copy|Give|Cut) .*\.$", error.Message);
        }
    }

    [Fact]
    public void DamagedFilesAreRefusedWithinBoundedMemory()
    {
        var seeds = Directory.GetFiles(References, "*.png").Order(StringComparer.Ordinal).Select(File.ReadAllBytes).ToList();
        seeds.Add(Png.EncodeLabels(new byte[400], 20, 20, [new(1, "pore", "#010203")]));
        var refused = 0;
        var runs = Slow.Enabled ? 150_000 : 3_000;
        for (var run = 0; run < runs; run++)
        {
            var random = new CounterRandom(11, (ulong)run);
            var file = (byte[])seeds[random.NextInt(seeds.Count)].Clone();
            for (var change = random.NextInt(4); change >= 0; change--) file[random.NextInt(file.Length)] = (byte)random.NextUInt();
            if (random.NextInt(5) == 0) Array.Resize(ref file, random.NextInt(file.Length + 1));
            // most damage stops at a checksum; mended ones let it through to the parts behind
            if (random.NextInt(4) != 0) file = Patched(file, _ => { });
            var before = GC.GetAllocatedBytesForCurrentThread();
            try { Png.Decode(file, "fuzz"); }
            catch (InputError) { refused++; }
            Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 100_000 + 8_300L * file.Length);
        }
        Assert.InRange(refused, runs / 4, runs - 1);
    }

    private static byte[] Bytes(int count, ulong seed)
    {
        var random = new CounterRandom(seed, 0);
        // smooth, so that every filter is the best of some row
        return [.. Enumerable.Range(0, count).Select(i => (byte)(i * 3 + (i / 16 % 3 == 0 ? random.NextInt(256) : random.NextInt(3))))];
    }

    // changes a file and mends the checksums that are reachable
    private static byte[] Patched(byte[] file, Action<byte[]> change)
    {
        var copy = (byte[])file.Clone();
        change(copy);
        for (var at = 8; at + 12 <= copy.Length;)
        {
            var length = BinaryPrimitives.ReadUInt32BigEndian(copy.AsSpan(at));
            if (length > copy.Length - at - 12) break;
            BinaryPrimitives.WriteUInt32BigEndian(copy.AsSpan(at + 8 + (int)length), Crc32.Of(copy.AsSpan(at + 4, (int)length + 4)));
            at += 12 + (int)length;
        }
        return copy;
    }
}
