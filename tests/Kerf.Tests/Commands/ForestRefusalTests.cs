using System.Buffers.Binary;
using System.Security.Cryptography;
using Kerf.App;
using Kerf.Imaging;
using Kerf.Volumes;
using Xunit;

namespace Kerf.Tests;

/// <summary>Whatever is wrong with labels, channels, models and places: one line that says what, and what to do. Some by the program, for its status.</summary>
public sealed class ForestRefusalTests(ForestRefusalTests.Files files) : IClassFixture<ForestRefusalTests.Files>
{
    private static readonly Size3 Size = new(4, 40, 44);
    private static readonly Declared Parameters = Declared.Of<ForestSegmentation>();
    private readonly TempFolder _folder = files.Folder;

    /// <summary>Made once for all refusals.</summary>
    public sealed class Files : IDisposable
    {
        public Files()
        {
            var (image, labels) = (Phantoms.Stack(Size.Z, Size.Y, Size.X, seed: 2), new Volume<byte>(Size));
            for (var i = 0; i < labels.Data.Length; i += 7) labels.Data[i] = (byte)(image.Data[i] < 90 ? 1 : image.Data[i] > 135 ? 2 : 0);
            Save(image, "image.tif");
            Save(labels, "labels.tif");
            Save(new Volume<byte>(Size), "none.tif");
            Save(new Volume<byte>(Size, null, Array.ConvertAll(labels.Data, l => Math.Min(l, (byte)1))), "one.tif");
            Save(new Volume<byte>(new Size3(4, 40, 50)), "wide.tif");
            Save(new Volume<byte>(new Size3(1, 40, 44), null, labels.Slice(0).ToArray()), "slice.tif");
            Save(new Volume<byte>(new Size3(2, 40, 44), null, [.. labels.Slice(0), .. labels.Slice(1)]), "two.tif");
            Save(new Volume<ushort>(Size, null, Array.ConvertAll(labels.Data, l => (ushort)(l > 0 ? 300 : 0))), "words.tif");
            Save(new Volume<float>(Size, null, Array.ConvertAll(labels.Data, l => l > 0 ? 0.75f : 0)), "floats.tif");
            File.WriteAllBytes(Folder["colour.png"], Png.EncodeRgb(new byte[44 * 40 * 3], 44, 40));
            var model = new ForestSegmentation { Trees = 3, Scales = [0.7, 1] }.Train([("image", image)], Folder["labels.tif"], new Traversal(), seed: 1);
            ForestFile.Save(model, Folder["m.kerf"]);
            var bytes = File.ReadAllBytes(Folder["m.kerf"]);
            File.WriteAllBytes(Folder["short.kerf"], bytes[..^100]);
            File.WriteAllBytes(Folder["stub.kerf"], bytes[..10]);
            File.WriteAllBytes(Folder["damaged.kerf"], [.. bytes[..200], (byte)(bytes[200] ^ 1), .. bytes[201..]]);
            var later = bytes[..^32];
            BinaryPrimitives.WriteInt32LittleEndian(later.AsSpan(8), 99);
            File.WriteAllBytes(Folder["later.kerf"], [.. later, .. SHA256.HashData(later)]);
            File.WriteAllText(Folder["file"], "");
        }

        public TempFolder Folder { get; } = new();

        private void Save(IVolume volume, string name) => VolumeFile.Save(volume, Folder[name], new Traversal { Threads = 1 });

        public void Dispose() => Folder.Dispose();
    }

    [Theory]
    [InlineData("none.tif", "", "labels: no voxel is labelled (all are 0). Paint strokes of at least two phases.")]
    [InlineData("one.tif", "", "labels: only label 1 is used; a forest needs two or more. Paint strokes of a second phase.")]
    [InlineData("wide.tif", "", "wide.tif: labels are 4×40×50 voxels (z×y×x), the image is 4×40×44; labels need the image's grid")]
    [InlineData("slice.tif", "", "slice.tif: labels are 1×40×44 voxels (z×y×x), the image is 4×40×44; labels need the image's grid, 0 where nothing is labelled, or for single slices their numbers: --slice n.")]
    [InlineData("slice.tif", "slice=4", "slice.tif: --slice puts labels on slice 4, outside the image; its slices are 0 to 3.")]
    [InlineData("two.tif", "slice=3", "two.tif: --slice puts labels on slice 4, outside the image; its slices are 0 to 3.")]
    [InlineData("two.tif", "slice=1,1", "two.tif: --slice names slice 1 twice; give each label slice its own.")]
    [InlineData("two.tif", "slice=0,1,2", "two.tif: holds 2 slices, --slice names 3; give one number for each, or that of the first of a run.")]
    [InlineData("words.tif", "", " holds the value 300; labels are whole numbers from 0 (none) to 255.")]
    [InlineData("floats.tif", "", " holds the value 0.75; labels are whole numbers from 0 (none) to 255.")]
    [InlineData("colour.png", "slice=0", "colour.png: is a colour image; labels are numbers.")]
    [InlineData("missing.tif", "", "missing.tif: no such file or folder.")]
    [InlineData("labels.tif", "trees=0", "--trees: forest.trees is \"0\"; allowed: 1 to 10000 (default 100).")]
    [InlineData("labels.tif", "dimensions=4", "--dimensions: forest.dimensions is \"4\"; allowed: 2 to 3.")]
    [InlineData("labels.tif", "features=fancy", "--features: forest.features is \"fancy\"; allowed: plain | milling | all (default plain).")]
    [InlineData("labels.tif", "families=laplacian-of-gaussian scales=0.3", "features: the families and scales leave none")]
    [InlineData("labels.tif", "scales=1 scales-nm=10", "scales and scales-nm are both given; keep one of them.")]
    [InlineData("labels.tif", "phases=a,b,c", "phases: 3 names for 2 phases; give at most 2.")]
    [InlineData("labels.tif", "channel=image=image.tif", "channels: image, image: two have one name; give each its own.")]
    [InlineData("labels.tif", "channel=b=wide.tif", "channel b: is 4×40×50 voxels, image is 4×40×44; align and crop them to one grid first.")]
    [InlineData("labels.tif", "channel=b", "channel: \"b\" is no channel; write name=PATH, like inlens=inlens.zarr.")]
    [InlineData("labels.tif", "channel=b=nowhere.tif", "nowhere.tif: no such file or folder.")]
    [InlineData("", "", "forest: give a model, or labels to train on.")]
    [InlineData("labels.tif", "model=m.kerf", "forest: model and labels are both given; keep one of them.")]
    public void TrainingRefuses(string labels, string parameters, string message)
    {
        // paths stand in the test's own folder
        KeyValuePair<string, Typed> Value(string name, string text) => new(name, new(
            Parameters.Parameters.First(p => p.Name == name) is { IsPath: true } path ? path.MapPaths(text, p => p == "b" ? p : _folder[p]) : text, "--" + name));
        var values = parameters.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(p => p.Split('=', 2)).Select(p => Value(p[0], p[1]))
            .Append(Value("labels", labels)).Append(Value("scales", "0.7")).Append(Value("trees", "2"))
            .GroupBy(v => v.Key).Select(group => group.First());
        var refusal = Assert.Throws<InputError>(() =>
        {
            var step = (ForestSegmentation)Parameters.Build(values);
            step.Run(new(VolumeFile.Open(_folder["image.tif"]), info => new Volume<byte>(info)));
        }).Message;
        Assert.Contains(message, refusal, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', refusal);
    }

    [Theory]
    [InlineData("short.kerf", "short.kerf: is damaged (its checksum or content is wrong). Copy it again, or train the model again.")]
    [InlineData("damaged.kerf", "damaged.kerf: is damaged (its checksum or content is wrong).")]
    [InlineData("stub.kerf", "stub.kerf: is no forest model. Give the file that kerf train forest wrote.")]
    [InlineData("later.kerf", "later.kerf: is of format 99, this Kerf reads up to 1. Update Kerf, or train the model again.")]
    [InlineData("missing.kerf", "missing.kerf: cannot be read (")]
    public void ModelsThatAreNoneAreRefused(string model, string message) =>
        Assert.Contains(message, Assert.Throws<InputError>(() => ForestFile.Load(_folder[model])).Message, StringComparison.Ordinal);

    [Fact]
    public void AModelRefusesStacksThatDoNotFit()
    {
        var model = ForestFile.Load(_folder["m.kerf"]);
        var image = new Volume<byte>(Size, new VoxelSize(20, 5, 5));
        Assert.StartsWith("model: was trained on voxels of 10,5,5 nm (z,y,x), this stack has 20,5,5; resample it, train a model for it, or, when the file tells a wrong size",
            Refusal(() => model.Check([image])), StringComparison.Ordinal);
        // where σ counts in voxels, an unknown size passes; where it is a length it does not
        model.Check([new Volume<byte>(Size)]);
        Assert.StartsWith("voxel size is unknown, and a model with σ as a length needs it.", Refusal(() => (model with { Physical = true }).Check([new Volume<byte>(Size)])), StringComparison.Ordinal);
        Assert.StartsWith("memory budget of 1 MiB is too small:", Refusal(() =>
            ForestPrediction.Run(model, [new Volume<byte>(Size)], new Volume<byte>(Size), new(), new Traversal { MemoryBytes = 1 << 20 })), StringComparison.Ordinal);

        var two = model with { Channels = ["se", "inlens"] };
        Assert.Equal("channel inlens: is missing; the model was trained on se, inlens. Add --channel inlens=PATH.", Refusal(() => two.Arrange(image, [])));
        Assert.Equal("channel esb: the model was trained on se, inlens, the first being the image; it takes no other.", Refusal(() => two.Arrange(image, [("esb", image)])));
        Assert.Equal("channel inlens: is 1×2×3 voxels, se is 4×40×44; align and crop them to one grid first.",
            Refusal(() => (two with { Voxel = null }).Check([image, new Volume<byte>(new Size3(1, 2, 3))])));
        static string Refusal(Action work) => Assert.Throws<InputError>(work).Message;
    }

    [Theory]
    [InlineData("o.xyz", null, "o.xyz: no format has the ending .xyz.")]
    [InlineData("o.png", null, "o.png: a PNG holds one slice, the volume has 4.")]
    [InlineData("o.tif", "p.tif", "p.tif: has several channels, which only .zarr holds; end the name in .zarr.")]
    [InlineData("o.zarr", "./o.zarr", "two outputs have this name; give each its own.")]
    [InlineData("file/o.tif", null, "does not exist. Make it first.")]
    [InlineData("image.tif", null, "image.tif: is there already. Choose another name, or replace it with --force.")]
    public void PlacesAreRefusedBeforeTheWork(string place, string? channels, string message)
    {
        var info = new VolumeInfo(Size, PixelType.UInt8, null);
        VolumeOutput[] outputs = [new(Path.Combine(_folder.Path, place), info)];
        if (channels is not null) outputs = [.. outputs, new(Path.Combine(_folder.Path, channels), info) { Channels = ["a", "b"] }];
        Assert.Contains(message, Assert.Throws<InputError>(() => GrowingOutputs.Claim(outputs, new('0', 12), force: false)).Message, StringComparison.Ordinal);
        Assert.Empty(Directory.GetDirectories(_folder.Path, "*" + AtomicFile.PartialSuffix));
    }

    [Fact]
    public void OneRunAtATimeWorksOnAnOutput()
    {
        VolumeOutput[] outputs = [new(_folder["busy.zarr"], new(Size, PixelType.UInt8, null))];
        using (GrowingOutputs.Claim(outputs, new('0', 12), force: false))
        {
            Assert.Contains("busy.zarr: another run is at work on it. Wait for it, or choose another name.",
                Assert.Throws<InputError>(() => GrowingOutputs.Claim(outputs, new('0', 12), force: false)).Message, StringComparison.Ordinal);
        }
        GrowingOutputs.Claim(outputs, new('0', 12), force: false).Dispose();
    }

    [Theory]
    [InlineData("train forest image.tif none.tif --out new.kerf --scales 0.7", "labels: no voxel is labelled")]
    [InlineData("train forest image.tif labels.tif --out m.kerf", "m.kerf: is there already; choose another name or add --force.")]
    [InlineData("train forest image.tif labels.tif --out /proc/m.kerf --trees 2 --scales 0.7", "/proc/m.kerf: cannot be written (")]
    [InlineData("predict damaged.kerf image.tif o.tif", "damaged.kerf: is damaged")]
    [InlineData("predict m.kerf image.tif o.tif --voxel 20,5,5", "model: was trained on voxels of 10,5,5 nm (z,y,x), this stack has 20,5,5;")]
    [InlineData("predict m.kerf image.tif labels.tif", "labels.tif: is there already. Choose another name, or replace it with --force.")]
    [InlineData("predict m.kerf image.tif nowhere/o.tif", "does not exist. Make it first.")]
    public void TheProgramEndsWithOneLineAndStatus2(string call, string message)
    {
        var result = KerfProcess.Run(_folder.Path, [.. call.Split(' '), "--quiet", "--json"]);
        Assert.True(result.Status == 2, $"status {result.Status}: {result.Error}");
        Assert.Contains(message, result.Error, StringComparison.Ordinal);
        Assert.Equal(1, result.Error.Count(c => c == '\n'));
        Assert.Empty(result.Output);
        Assert.All((string[])["new.kerf", "o.tif", "nowhere"], name => Assert.False(Path.Exists(_folder[name])));
        Assert.Empty(Directory.GetDirectories(_folder.Path, "*" + AtomicFile.PartialSuffix));
    }
}
