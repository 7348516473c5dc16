using Kerf.Volumes;
using Xunit;

namespace Kerf.Tests;

public sealed class VolumeFileTests : IDisposable
{
    private static readonly Size3 Size = new(3, 5, 7);
    private readonly Scratch _scratch = new();

    public void Dispose() => _scratch.Dispose();

    [Theory]
    [InlineData("a.tif")]
    [InlineData("a.npy")]
    [InlineData("a/")]
    [InlineData("a.zarr")]
    public void EveryFormatKeepsEveryType(string name)
    {
        RoundTrip<byte>(name, v => (byte)v);
        RoundTrip<ushort>("2" + name, v => (ushort)(v * 600));
        RoundTrip<float>("3" + name, v => v * 0.37f - 2);
    }

    [Theory]
    [InlineData("a.tif")]
    [InlineData("a/")]
    [InlineData("a.zarr")]
    public void LabelsKeepNamesColoursAndVoxelSize(string name)
    {
        Phase[] phases = [new(1, "pore", "#102030"), new(2, "CAM", "#a0b0c0")];
        var labels = new Volume<byte>(Size, new VoxelSize(10, 5, 4)) is var empty ? new Volume<byte>(empty.Info with { Phases = phases }) : null!;
        for (var i = 0; i < labels.Data.Length; i++) labels.Data[i] = (byte)(i % 3);
        VolumeFile.Save(labels, _scratch[name], Traversal.Default);
        var back = VolumeFile.Open(_scratch[name]);
        using var held = back as IDisposable;
        Assert.Equal(phases, back.Info.Phases);
        Assert.Equal(new VoxelSize(10, 5, 4), back.Info.Voxel);
        Assert.Equal(labels.Data, Volume<byte>.Load((IVolume<byte>)back).Data);
    }

    [Fact]
    public void APngHoldsOneSlice()
    {
        var one = new Volume<ushort>(new Size3(1, 2, 3), null, [1, 2, 3, 40000, 5, 6]);
        VolumeFile.Save(one, _scratch["one.png"], Traversal.Default);
        Assert.Equal(one.Data, Volume<ushort>.Load((IVolume<ushort>)VolumeFile.Open(_scratch["one.png"])).Data);
        SaveSays(new Volume<byte>(Size), "s.png", "a PNG holds one slice, the volume has 3. Write ");
        SaveSays(new Volume<float>(new Size3(1, 2, 3)), "f.png", "PNG holds no float values");
    }

    [Fact]
    public void NothingIsOverwrittenUnlessAskedFor()
    {
        var volume = new Volume<byte>(Size);
        File.WriteAllText(_scratch["a.npy"], "mine");
        SaveSays(volume, "a.npy", "is there already. Choose another name, or replace it with --force.");
        Assert.Equal("mine", File.ReadAllText(_scratch["a.npy"]));
        VolumeFile.Save(volume, _scratch["a.npy"], Traversal.Default, new() { Overwrite = true });
        Directory.CreateDirectory(_scratch["folder"]);
        VolumeFile.Save(volume, _scratch["folder/"], Traversal.Default);
        Assert.Equal(["slice_0000.png", "slice_0001.png", "slice_0002.png"], Directory.GetFiles(_scratch["folder"]).Select(Path.GetFileName).Order());
        SaveSays(volume, "folder/", "is there already and not empty");
        VolumeFile.Save(new Volume<byte>(new Size3(1, 2, 2)), _scratch["folder/"], Traversal.Default, new() { Overwrite = true });
        Assert.Single(Directory.GetFiles(_scratch["folder"]));
        File.WriteAllText(_scratch["folder/notes.txt"], "mine");
        SaveSays(volume, "folder/", "holds files that Kerf did not save there", new() { Overwrite = true });
        SaveSays(volume, "a.npy/", "is a file, a folder is to be written");
        SaveSays(volume, "x.doc", "no format has the ending .doc. Write .zarr, .tif");
        SaveSays(volume, "x", "the name has no ending");
        SaveSays(volume, "nowhere/x.tif", "does not exist. Make it first.");
        Directory.CreateDirectory(_scratch["d.tif"]);
        SaveSays(volume, "d.tif", "is a folder, a file is to be written");
        Assert.Empty(Directory.GetFileSystemEntries(_scratch.Folder, "*.partial*"));
    }

    [Fact]
    public void AFailedSaveLeavesNothing()
    {
        Assert.Throws<InputError>(() => VolumeFile.Save(new Broken(), _scratch["a/"], Traversal.Default));
        Assert.Throws<InputError>(() => VolumeFile.Save(new Broken(), _scratch["a.npy"], Traversal.Default));
        Assert.Throws<InputError>(() => VolumeFile.Save(new Broken(), _scratch["a.tif"], Traversal.Default));
        Assert.Empty(Directory.GetFileSystemEntries(_scratch.Folder));
    }

    [Fact]
    public void AMissingPathSuggestsItsNeighbour()
    {
        Directory.CreateDirectory(_scratch["slices"]);
        OpenSays("slics", $"no such file or folder. Did you mean {_scratch["slices"]}?");
        OpenSays("somethingelse", "no such file or folder. Check the path.");
        OpenSays("no/where.tif", "and the folder ");
        File.WriteAllText(_scratch["a.mrc"], "");
        OpenSays("a.mrc", ".mrc files are not read; Kerf reads a folder of TIFF or PNG slices, .tif, .png, .zarr or .npy.");
    }

    [Fact]
    public void NumpyArraysOfOtherKindsAreRefused()
    {
        Says("'descr': '<f8', 'fortran_order': False, 'shape': (1, 2)", "holds values of type <f8");
        Says("'descr': '|u1', 'fortran_order': True, 'shape': (1, 2)", "is in Fortran order");
        Says("'descr': '|u1', 'fortran_order': False, 'shape': (5, 2, 3, 4)", "has the shape (5, 2, 3, 4)");
        Says("'descr': '|u1', 'fortran_order': False, 'shape': (4000, 4000, 4000)", "is cut off: 4000×4000×4000 voxels");
        Says("'fortran_order': False, 'shape': (1, 2)", "does not tell type, order and shape");
        File.WriteAllText(_scratch["a.npy"], "no array");
        OpenSays("a.npy", "is no NumPy array");

        void Says(string header, string words)
        {
            byte[] file = [0x93, .. "NUMPY"u8, 1, 0, (byte)(header.Length + 2), 0, .. System.Text.Encoding.ASCII.GetBytes("{" + header + "}"), 1, 2];
            File.WriteAllBytes(_scratch["a.npy"], file);
            OpenSays("a.npy", words);
        }
    }

    [Fact]
    public void ReadsWhatNumpyWrites()
    {
        // numpy.save of arange(6, dtype='<u2').reshape(2, 3), numpy 1.24
        byte[] file = [0x93, .. "NUMPY"u8, 1, 0, 118, 0, .. System.Text.Encoding.ASCII.GetBytes("{'descr': '<u2', 'fortran_order': False, 'shape': (2, 3), }".PadRight(117) + "\n"),
            0, 0, 1, 0, 2, 0, 3, 0, 4, 0, 5, 0];
        File.WriteAllBytes(_scratch["a.npy"], file);
        var volume = (IVolume<ushort>)VolumeFile.Open(_scratch["a.npy"]);
        using var held = (IDisposable)volume;
        Assert.Equal(new Size3(1, 2, 3), volume.Info.Size);
        var part = new ushort[4];
        volume.Read(new(new(0, 0, 1), new(1, 2, 2)), part);
        Assert.Equal([1, 2, 4, 5], part);
    }

    [Fact]
    public void DamagedArraysAreRefused()
    {
        VolumeFile.Save(new Volume<ushort>(Size), _scratch["good.npy"], Traversal.Default);
        var good = File.ReadAllBytes(_scratch["good.npy"]);
        for (var run = 0; run < (Slow.Enabled ? 20_000 : 500); run++)
        {
            var random = new CounterRandom(5, (ulong)run);
            var file = good[..(random.NextInt(3) == 0 ? random.NextInt(good.Length + 1) : good.Length)];
            for (var change = random.NextInt(4); change >= 0 && file.Length > 0; change--) file[random.NextInt(Math.Min(80, file.Length))] = (byte)random.NextUInt();
            File.WriteAllBytes(_scratch["a.npy"], file);
            try
            {
                var volume = VolumeFile.Open(_scratch["a.npy"]);
                using var held = (IDisposable)volume;
                Assert.True(volume.Info.Size.Count * volume.Info.Type.Bytes() <= file.Length);
            }
            catch (InputError) { }
        }
    }

    [Fact]
    public void ChannelsAndLevelsOfAZarrAreChosen()
    {
        var info = new VolumeInfo(new(2, 300, 300), PixelType.UInt8, VoxelSize.Cube(4));
        var channels = ZarrVolume.CreateChannels(_scratch["a.zarr"], info, ["SE2", "ESB"]);
        foreach (var (number, channel) in channels.Index())
            ((IWritableVolume<byte>)channel).Write(Box.Whole(info.Size), Enumerable.Repeat((byte)(number + 1), (int)info.Size.Count).ToArray());
        OpenSays("a.zarr", "holds 2 channels (SE2, ESB). Choose one with --channel SE2.");
        Assert.Contains("is not complete", Assert.Throws<InputError>(() => VolumeFile.Open(_scratch["a.zarr"], new() { Channel = "ESB" })).Message);
        channels[0].Complete(Traversal.Default);
        Assert.Equal(["SE2", "ESB"], VolumeFile.Channels(_scratch["a.zarr"]));
        Directory.Move(_scratch["a.zarr"], _scratch["bare"]);
        var volume = (IVolume<byte>)VolumeFile.Open(_scratch["bare"], new() { Channel = "ESB", Level = 1 });
        Assert.Equal(150, volume.Info.Size.X);
        Assert.All(Volume<byte>.Load(volume).Data, value => Assert.Equal(2, value));
        VolumeFile.Save(new Volume<byte>(Size), _scratch["b.npy"], Traversal.Default);
        Assert.Contains("has no level 1", Assert.Throws<InputError>(() => VolumeFile.Open(_scratch["b.npy"], new() { Level = 1 })).Message);
    }

    [Fact]
    public void NotANumberIsFoundAndItsSliceNamed()
    {
        var volume = new Volume<float>(Size);
        VolumeFile.CheckFinite(volume, Traversal.Default);
        volume[1, 2, 3] = float.NaN;
        volume[2, 0, 0] = float.PositiveInfinity;
        Assert.Equal("raw.npy: slice 1 holds 1 voxels that are NaN or infinite, 2 slices in all do. Replace them before import, for example with numpy.nan_to_num.",
            Assert.Throws<InputError>(() => VolumeFile.CheckFinite(volume, Traversal.Default, "raw.npy")).Message);
    }

    private void RoundTrip<T>(string name, Func<int, T> value) where T : unmanaged
    {
        var volume = new Volume<T>(Size);
        for (var i = 0; i < volume.Data.Length; i++) volume.Data[i] = value(i);
        VolumeFile.Save(volume, _scratch[name], new() { Threads = 3 });
        var back = VolumeFile.Open(_scratch[name], new() { Voxel = VoxelSize.Cube(8) });
        using var held = back as IDisposable;
        Assert.Equal(VoxelSize.Cube(8), back.Info.Voxel);
        Assert.Equal(volume.Data, Volume<T>.Load((IVolume<T>)back).Data);
    }

    private void SaveSays(IVolume volume, string name, string words, SaveOptions? options = null) =>
        Assert.Contains(words, Assert.Throws<InputError>(() => VolumeFile.Save(volume, _scratch[name], Traversal.Default, options)).Message);

    private void OpenSays(string name, string words)
    {
        var error = Assert.Throws<InputError>(() => VolumeFile.Open(_scratch[name]));
        Assert.StartsWith(_scratch[name], error.Message);
        Assert.Contains(words, error.Message);
    }

    private sealed class Broken : IVolume<byte>
    {
        public VolumeInfo Info { get; } = new(Size, PixelType.UInt8, null);

        public void Read(Box box, Span<byte> target)
        {
            if (box.Start.Z == 1) throw new InputError("slice 1 is damaged.");
        }
    }
}
