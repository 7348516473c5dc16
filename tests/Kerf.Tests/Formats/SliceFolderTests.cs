using Kerf.Volumes;
using Xunit;

namespace Kerf.Tests;

public sealed class SliceFolderTests : IDisposable
{
    private static readonly OpenOptions Plain = new();
    private readonly Scratch _scratch = new();

    public void Dispose() => _scratch.Dispose();

    [Fact]
    public void ReadsSlicesInNaturalOrderAndPassesOverTheRest()
    {
        foreach (var z in new[] { 1, 2, 3, 10 }.Zip([0, 1, 2, 3])) Png($"slice{z.First}.png", z.Second);
        foreach (var other in new[] { "Thumbs.db", "log.txt", "._slice1.png", ".hidden.tif" }) File.WriteAllText(_scratch[other], "x");
        var volume = (IVolume<byte>)VolumeFile.Open(_scratch.Folder, Plain with { AllowGaps = true });
        Assert.Equal(new Size3(4, 5, 7), volume.Info.Size);
        Assert.Equal("4-9", volume.Info.Metadata["gaps"]);
        Assert.Equal(Enumerable.Range(0, 4).SelectMany(Pixels), Volume<byte>.Load(volume).Data);
        var part = new byte[8];
        volume.Read(new(new(1, 2, 3), new(2, 2, 2)), part);
        Assert.Equal(Pixels(1)[17], part[0]);
        Assert.Equal(Pixels(2)[25], part[7]);
    }

    [Fact]
    public void ManyThreadsReadTheSameThroughASmallCache()
    {
        for (var z = 0; z < 20; z++) Png($"s{z:00}.png", z);
        var volume = (IVolume<byte>)VolumeFile.Open(_scratch.Folder, Plain with { CacheBytes = 80 });
        new Traversal { Threads = 8 }.ForEach(400, i =>
        {
            var slice = new byte[35];
            volume.Read(Box.Slice(volume.Info.Size, i * 7 % 20), slice);
            Assert.Equal(Pixels(i * 7 % 20), slice);
        });
    }

    [Fact]
    public void ChannelsAreSubFoldersOrPartsOfNames()
    {
        foreach (var z in new[] { 1, 2 })
        {
            Png($"names/SE2_{z:0000}.png", z);
            Png($"names/InLens_{z:0000}.png", z + 10);
            Png($"folders/SE/a{z}.png", z);
            Png($"folders/BSE/a{z}.png", z + 20);
        }
        File.WriteAllText(_scratch["folders/readme.txt"], "");
        Assert.Equal(["InLens", "SE2"], VolumeFile.Channels(_scratch["names"]));
        Assert.Equal(["BSE", "SE"], VolumeFile.Channels(_scratch["folders"]));
        Assert.Equal(Pixels(11), First(VolumeFile.Open(_scratch["names"], Plain with { Channel = "inlens" })));
        Assert.Equal(Pixels(21), First(VolumeFile.Open(_scratch["folders"], Plain with { Channel = "BSE" })));
        Says(_scratch["names"], Plain, "holds 2 channels (InLens, SE2). Choose one with --channel InLens.");
        Says(_scratch["names"], Plain with { Channel = "ESB" }, "has no channel \"ESB\"; it has InLens, SE2.");
    }

    [Fact]
    public void ColourIsReadAsLumaOrByChannel()
    {
        File.WriteAllBytes(_scratch["a1.png"], Kerf.Volumes.Png.EncodeRgb([10, 20, 30, 40, 40, 40], 2, 1));
        Assert.Equal(["luma", "red", "green", "blue"], VolumeFile.Channels(_scratch.Folder));
        Assert.Equal([18, 40], First(VolumeFile.Open(_scratch.Folder)));
        Assert.Equal([30, 40], First(VolumeFile.Open(_scratch["a1.png"], Plain with { Channel = "blue" })));
    }

    [Fact]
    public void RefusesWhatIsWrongAndNamesTheSlice()
    {
        Directory.CreateDirectory(_scratch["empty"]);
        Says(_scratch["empty"], Plain, "holds no TIFF or PNG slices (it is empty)");
        foreach (var z in new[] { 1, 2, 4 }) Png($"gap/s{z}.png", z);
        Says(_scratch["gap"], Plain, "slice 3 missing between s1.png and s4.png. Add what is missing, or take the rest as it is with --allow-gaps.");
        for (var z = 0; z < 4; z++) Png($"odd/s{z}.png", z);
        File.WriteAllBytes(_scratch["odd/s2.png"], Kerf.Volumes.Png.Encode(new byte[12], 4, 3));
        Says(_scratch["odd"], Plain, "s2.png: is 4×3 pixels of uint8; 3 of the 4 slices in ");
        Says(_scratch["odd"], Plain, "are 7×5 pixels of uint8.");
        File.WriteAllBytes(_scratch["odd/s2.png"], Kerf.Volumes.Png.Encode(new ushort[35], 7, 5));
        Says(_scratch["odd"], Plain, "s2.png: is 7×5 pixels of uint16; 3 of");
        File.WriteAllBytes(_scratch["odd/s2.png"], []);
        Says(_scratch["odd"], Plain, "s2.png: is empty.");
        Png("double/s1.png", 1);
        Png("double/s01.png", 1);
        Says(_scratch["double"], Plain, "are both slice 1.");
        for (var z = 0; z < 4; z++) Png($"stray/s{z}.png", z);
        Png("stray/overview.png", 0);
        Says(_scratch["stray"], Plain, "4 slices are named like s#.png, but overview.png is not.");
        Says(_scratch["stray"], Plain with { NamePattern = "x{slice}" }, "no name of its 5 slices follows the pattern \"x{slice}\"");
    }

    [Fact]
    public void ATruncatedSliceIsNamedWhenItIsRead()
    {
        for (var z = 0; z < 3; z++) Png($"s{z}.png", z);
        var whole = File.ReadAllBytes(_scratch["s1.png"]);
        var volume = (IVolume<byte>)VolumeFile.Open(_scratch.Folder);
        File.WriteAllBytes(_scratch["s1.png"], whole[..^20]);
        Assert.Contains("s1.png: is cut off", Assert.Throws<InputError>(() => Volume<byte>.Load(volume)).Message);
        File.WriteAllBytes(_scratch["s1.png"], Kerf.Volumes.Png.Encode(new byte[12], 4, 3));
        Assert.Contains("s1.png: was 7×5 pixels", Assert.Throws<InputError>(() => Volume<byte>.Load(volume)).Message);
        File.WriteAllBytes(_scratch["s1.png"], whole);
        Assert.Equal(Pixels(1), Volume<byte>.Load(volume).Slice(1).ToArray());
    }

    [Fact]
    public void PositionsInNamesTellThePitch()
    {
        foreach (var (z, at) in new[] { "0.010", "0.020", "0.031", "0.041" }.Index()) Png($"s{z}_z={at}um.png", z);
        var info = VolumeFile.Open(_scratch.Folder).Info;
        Assert.Null(info.Voxel);
        Assert.Equal("0,10,21,31", info.Metadata["slicePositionsNm"]);
        Assert.Equal(new VoxelSize(3, 2, 1), VolumeFile.Open(_scratch.Folder, Plain with { Voxel = new(3, 2, 1) }).Info.Voxel);
    }

    [Fact]
    public void WhereSlicesAreMissingTheNumbersTellThePlaces()
    {
        foreach (var z in new[] { 1, 2, 5 }) Png($"s{z}.png", z);
        var info = VolumeFile.Open(_scratch.Folder, Plain with { AllowGaps = true, SlicePitchNm = 8 }).Info;
        Assert.Equal(("3-4", "0,8,32"), (info.Metadata["gaps"], info.Metadata["slicePositionsNm"]));
    }

    [Fact]
    public void TheMicroscopeTellsBarPixelAndPosition()
    {
        var references = Path.Combine(AppContext.BaseDirectory, "References", "tiff");
        Directory.CreateDirectory(_scratch["fei"]);
        foreach (var z in new[] { 1, 2 }) File.Copy(Path.Combine(references, "fei.tif"), _scratch[$"fei/{z}.tif"]);
        using (var file = TiffFile.Open(_scratch["fei/1.tif"]))
        {
            var bar = int.Parse(file.Info.Metadata["databarHeightPixels"]);
            var info = VolumeFile.Open(_scratch["fei"], Plain with { SlicePitchNm = 9 }).Info;
            Assert.Equal(file.Info.Size.Y - (bar < file.Info.Size.Y / 2 ? bar : 0), info.Size.Y);
            Assert.Equal(file.Info.Voxel!.Value.X, info.Voxel!.Value.X);
            Assert.Equal(9, info.Voxel.Value.Z);
        }
        // the pixel width that a single image takes as its thickness is none of a stack
        Assert.Null(VolumeFile.Open(_scratch["fei"]).Info.Voxel);
    }

    [Fact]
    public void AtlasPositionsTellThePitch()
    {
        // the reference file's note, at other positions of the same length: µm, pixels of 10 nm
        var bytes = File.ReadAllBytes(Path.Combine(AppContext.BaseDirectory, "References", "tiff", "fibics.tif"));
        var at = bytes.AsSpan().IndexOf("<ZPos>1.25"u8) + 6;
        foreach (var (z, position) in new[] { "1.25", "1.27", "1.30" }.Index())
        {
            System.Text.Encoding.ASCII.GetBytes(position).CopyTo(bytes, at);
            File.WriteAllBytes(_scratch[$"s{z}.tif"], bytes);
        }
        var info = VolumeFile.Open(_scratch.Folder).Info;
        Assert.Equal("0,20,50", info.Metadata["slicePositionsNm"]);
        Assert.Equal(new VoxelSize(25, 12, 10), info.Voxel);
        // a step of 400 µm does not fit pixels of 10 nm
        "9999"u8.CopyTo(bytes.AsSpan(at));
        File.WriteAllBytes(_scratch["s1.tif"], bytes);
        File.Delete(_scratch["s2.tif"]);
        Assert.Null(VolumeFile.Open(_scratch.Folder).Info.Voxel);
    }

    [Fact]
    public void AStackOfPagesIsNoSlice()
    {
        Directory.CreateDirectory(_scratch["a"]);
        VolumeFile.Save(new Volume<byte>(new Size3(3, 5, 7)), _scratch["a/s1.tif"], Traversal.Default);
        // alone in its folder it is what is meant
        Assert.Equal(3, VolumeFile.Open(_scratch["a"]).Info.Size.Z);
        VolumeFile.Save(new Volume<byte>(new Size3(1, 5, 7)), _scratch["a/s2.tif"], Traversal.Default);
        Assert.Contains("s1.tif: holds 3 pages; in a folder of slices each file is one slice.", Assert.Throws<InputError>(() => VolumeFile.Open(_scratch["a"])).Message);
    }

    [Fact]
    public void TheInfoBarOfARealZeissImageIsCutOff()
    {
        var path = SharedData.Path("nanoporous-gold/npg_sem_zeiss_500kx.tif");
        Assert.SkipWhen(path is null, "../shared/data is not here");
        var volume = VolumeFile.Open(path!);
        Assert.Equal(new Size3(1, 691, 1024), volume.Info.Size);
        Assert.Equal("77", volume.Info.Metadata["infoBarRowsCut"]);
        Assert.Equal(768, VolumeFile.Open(path!, Plain with { KeepInfoBar = true }).Info.Size.Y);
        Assert.Equal(0.543, double.Parse(volume.Info.Metadata["pixelSizeNm"]), 3);
        Assert.Equal(new VoxelSize(12, 0.543, 0.543), VolumeFile.Open(path!, Plain with { SlicePitchNm = 12 }).Info.Voxel);
    }

    [Fact]
    public void NoBarIsSeenInOrdinaryImages()
    {
        const int Height = 400, Width = 300;
        var random = new CounterRandom(1, 1);
        var noise = Enumerable.Range(0, Height * Width).Select(_ => (byte)(100 + random.NextInt(60))).ToArray();
        Assert.Equal(0, InfoBar.Rows<byte>(noise, Height, Width));
        // a black margin holds no text
        var margin = (byte[])noise.Clone();
        margin.AsSpan(360 * Width).Clear();
        Assert.Equal(0, InfoBar.Rows<byte>(margin, Height, Width));
        // with some text it is a bar
        for (var i = 0; i < 900; i++) margin[(370 + i / 100) * Width + 40 + i % 100] = (byte)(i % 3 == 0 ? 255 : 0);
        Assert.Equal(40, InfoBar.Rows<byte>(margin, Height, Width));
        Assert.Equal(0, InfoBar.Rows<byte>(new byte[Height * Width], Height, Width));
    }

    [Fact]
    public void RealSlicesOpen()
    {
        var path = SharedData.Path("shale-fibsem-stack/raw");
        Assert.SkipWhen(path is null, "../shared/data is not here");
        var volume = (IVolume<byte>)VolumeFile.Open(path!);
        Assert.Equal(new Size3(14, 832, 1280), volume.Info.Size);
        var one = (IVolume<byte>)VolumeFile.Open(Path.Combine(path!, "shale_for_alignment07.tif"));
        Assert.Equal(First(one), Volume<byte>.Load(volume).Slice(7).ToArray());
    }

    private static byte[] Pixels(int z) => [.. Enumerable.Range(0, 35).Select(i => (byte)(i * 3 + z * 40))];

    private static byte[] First(IVolume volume)
    {
        var slice = new byte[volume.Info.Size.SliceCount];
        ((IVolume<byte>)volume).Read(Box.Slice(volume.Info.Size, 0), slice);
        return slice;
    }

    private void Png(string name, int z)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(_scratch[name])!);
        File.WriteAllBytes(_scratch[name], Kerf.Volumes.Png.Encode(Pixels(z), 7, 5));
    }

    private static void Says(string path, OpenOptions options, string words)
    {
        var error = Assert.Throws<InputError>(() => VolumeFile.Open(path, options));
        Assert.StartsWith(path, error.Message);
        Assert.Contains(words, error.Message);
    }
}
