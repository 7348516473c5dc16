using Kerf.Imaging;
using Kerf.Volumes;
using Xunit;

namespace Kerf.Tests;

/// <summary>Labels in the forms in which programs save them, and on single slices.</summary>
public sealed class DrawnLabelsTests : IDisposable
{
    private static readonly Size3 Size = new(3, 5, 7);
    private readonly TempFolder _folder = new();
    private readonly byte[] _labels = new byte[Size.Count];

    public DrawnLabelsTests()
    {
        for (var i = 0; i < _labels.Length; i++) _labels[i] = (byte)(i % 11 == 0 ? 85 : i % 13 == 0 ? 2 : 0);
    }

    public void Dispose() => _folder.Dispose();

    private string Save(IVolume volume, string name)
    {
        VolumeFile.Save(volume, _folder[name], new Traversal { Threads = 1 });
        return _folder[name];
    }

    private static byte[] Read(string path, VolumeInfo image, params int[] slices) => Volume<byte>.Load(DrawnLabels.Open(path, image, slices)).Data;

    [Theory]
    [InlineData("labels.tif", PixelType.UInt8)]
    [InlineData("labels.tif", PixelType.UInt16)]
    [InlineData("labels.tif", PixelType.Float32)]
    [InlineData("labels.zarr", PixelType.UInt16)]
    [InlineData("labels.npy", PixelType.UInt8)]
    [InlineData("labels/", PixelType.UInt8)]
    public void AnyFormatAndPixelType(string name, PixelType type)
    {
        IVolume volume = type switch
        {
            PixelType.UInt8 => new Volume<byte>(Size, null, _labels),
            PixelType.UInt16 => new Volume<ushort>(Size, null, Array.ConvertAll(_labels, l => (ushort)l)),
            _ => new Volume<float>(Size, null, Array.ConvertAll(_labels, l => (float)l)),
        };
        Assert.Equal(_labels, Read(Save(volume, name), new(Size, PixelType.UInt16, null)));
    }

    [Fact]
    public void AxesOfLengthOneAsIlastikExportsThemAreNone()
    {
        var path = Save(new Volume<byte>(Size, null, _labels), "axes.npy");
        var bytes = File.ReadAllBytes(path);
        var shape = "'shape': (1, 3, 5, 7, 1), "u8;
        var at = bytes.AsSpan().IndexOf("'shape'"u8);
        shape.CopyTo(bytes.AsSpan(at));
        bytes.AsSpan(at + shape.Length, 118 - at - shape.Length).Fill((byte)' ');
        bytes[at + shape.Length] = (byte)'}';
        File.WriteAllBytes(path, bytes);
        Assert.Equal(_labels, Read(path, new(Size, PixelType.UInt16, null)));
    }

    [Fact]
    public void OfAPaletteTheIndicesCountAndTheColoursAreKept()
    {
        var info = new VolumeInfo(Size, PixelType.UInt8, null) { Phases = [new(2, "pore", "#102030"), new(85, "solid", "#a0b0c0")] };
        var path = Save(new Volume<byte>(Size, null, _labels) { Info = info }, "palette.tif");
        var drawn = DrawnLabels.Open(path, info, []);
        Assert.Equal(_labels, Volume<byte>.Load(drawn).Data);
        Assert.Equal(info.Phases, drawn.Info.Phases);
    }

    [Fact]
    public void SlicesLieWhereTheyAreSaidToLie()
    {
        var path = Save(new Volume<byte>(Size, null, _labels), "slices.tif");
        var image = new VolumeInfo(new(10, 5, 7), PixelType.UInt8, null);
        var run = Read(path, image, 4);
        Assert.Equal(_labels, run[(4 * 35)..(7 * 35)]);
        Assert.All(run[..(4 * 35)].Concat(run[(7 * 35)..]), l => Assert.Equal(0, l));
        var spread = Read(path, image, 9, 0, 5);
        Assert.Equal(_labels, (byte[])[.. spread[(9 * 35)..], .. spread[..35], .. spread[(5 * 35)..(6 * 35)]]);
        Assert.Equal(_labels.Count(l => l > 0), spread.Count(l => l > 0));
    }

    [Fact]
    public void RowsBelowTheImageThatAreItsInfoBarAreLeftOut()
    {
        var path = Save(new Volume<byte>(Size, null, _labels), "bar.tif");
        var image = new VolumeInfo(new(3, 4, 7), PixelType.UInt8, null) { Metadata = new Dictionary<string, string> { ["infoBarRowsCut"] = "1" } };
        Assert.Equal(_labels[..28], Read(path, image)[..28]);
        Assert.Throws<InputError>(() => Read(path, image with { Metadata = new Dictionary<string, string>() }));
    }

    [Fact]
    public void AStepThatTrainsGivesWhatItsModelGives()
    {
        var image = Phantoms.Stack(6, 40, 44, seed: 2);
        var strokes = new Volume<byte>(new Size3(1, 40, 44));
        for (var i = 0; i < strokes.Data.Length; i += 5) strokes.Data[i] = (byte)(image.Slice(3)[i] < 90 ? 1 : image.Slice(3)[i] > 135 ? 2 : 0);
        var step = new ForestSegmentation { Labels = Save(strokes, "strokes.png"), Slice = [3], Trees = 4, ScalesNm = [5, 8], Phases = ["pore", "solid"] };
        var expected = Run(step, out var phases);
        Assert.Equal(["pore", "solid"], phases);
        ForestFile.Save(step.Train([("image", image)], step.Labels, new Traversal(), seed: 1), _folder["m.kerf"]);
        Assert.Equal(expected, Run(new() { Model = _folder["m.kerf"] }, out _));

        byte[] Run(ForestSegmentation segmentation, out IEnumerable<string> names)
        {
            var run = new StepRun(image, info => new Volume<byte>(info));
            segmentation.Run(run);
            names = run.Target!.Info.Phases!.Select(p => p.Name);
            return ((Volume<byte>)run.Target).Data;
        }
    }
}
