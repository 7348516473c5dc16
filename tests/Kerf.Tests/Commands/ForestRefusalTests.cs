using System.Buffers.Binary;
using System.Security.Cryptography;
using Kerf.Volumes;
using Xunit;

namespace Kerf.Tests;

/// <summary>Whatever is wrong with labels, channels, models and places: one line that says what and what to do, status 2, nothing written.</summary>
public sealed class ForestRefusalTests : IClassFixture<ForestRefusalTests.Files>
{
    private readonly TempFolder _folder;

    public ForestRefusalTests(Files files) => _folder = files.Folder;

    /// <summary>Made once for all refusals.</summary>
    public sealed class Files : IDisposable
    {
        public Files()
        {
            var size = new Size3(4, 40, 44);
            var (image, labels) = (Phantoms.Stack(4, 40, 44, seed: 2), new Volume<byte>(size));
            for (var i = 0; i < labels.Data.Length; i += 7) labels.Data[i] = (byte)(image.Data[i] < 90 ? 1 : image.Data[i] > 135 ? 2 : 0);
            Save(image, "image.tif");
            Save(labels, "labels.tif");
            Save(new Volume<byte>(size), "none.tif");
            Save(new Volume<byte>(size, null, Array.ConvertAll(labels.Data, l => Math.Min(l, (byte)1))), "one.tif");
            Save(new Volume<byte>(new Size3(4, 40, 50), null, new byte[4 * 40 * 50]), "wide.tif");
            Save(new Volume<byte>(new Size3(1, 40, 44), null, labels.Slice(0).ToArray()), "slice.tif");
            Save(new Volume<byte>(new Size3(2, 40, 44), null, [.. labels.Slice(0), .. labels.Slice(1)]), "two.tif");
            Save(new Volume<ushort>(size, null, Array.ConvertAll(labels.Data, l => (ushort)(l * 300))), "words.tif");
            Save(new Volume<float>(size, null, Array.ConvertAll(labels.Data, l => l * 0.75f)), "floats.tif");
            File.WriteAllBytes(Folder["colour.png"], Png.EncodeRgb(new byte[44 * 40 * 3], 44, 40));
            Train("image.tif", "labels.tif", "m.kerf");
            var model = File.ReadAllBytes(Folder["m.kerf"]);
            File.WriteAllBytes(Folder["short.kerf"], model[..^100]);
            File.WriteAllBytes(Folder["stub.kerf"], model[..10]);
            File.WriteAllBytes(Folder["damaged.kerf"], [.. model[..200], (byte)(model[200] ^ 1), .. model[201..]]);
            var later = model[..^32];
            BinaryPrimitives.WriteInt32LittleEndian(later.AsSpan(8), 99);
            File.WriteAllBytes(Folder["later.kerf"], [.. later, .. SHA256.HashData(later)]);
            File.WriteAllText(Folder["text.kerf"], "this is no model at all, but it is long enough to hold one's first bytes");
            File.WriteAllText(Folder["file"], "");
        }

        public TempFolder Folder { get; } = new();

        public void Train(params string[] names)
        {
            var result = KerfProcess.Run(Folder.Path, ["train", "forest", names[0], names[1], "--out", names[2], "--trees", "3", "--scales", "0.7,1", "--quiet"]);
            Assert.True(result.Status == 0, result.Error);
        }

        private void Save(IVolume volume, string name) => VolumeFile.Save(volume, Folder[name], new Traversal { Threads = 1 });

        public void Dispose() => Folder.Dispose();
    }

    [Theory]
    [InlineData("none.tif", "labels: no voxel is labelled (all are 0). Paint strokes of at least two phases.")]
    [InlineData("one.tif", "labels: only label 1 is used; a forest needs two or more. Paint strokes of a second phase.")]
    [InlineData("wide.tif", "wide.tif: labels are 4×40×50 voxels (z×y×x), the image is 4×40×44; labels need the image's grid")]
    [InlineData("slice.tif", "slice.tif: labels are 1×40×44 voxels (z×y×x), the image is 4×40×44; labels need the image's grid, 0 where nothing is labelled, or for single slices their numbers: --slice n.")]
    [InlineData("slice.tif --slice 4", "slice.tif: --slice puts labels on slice 4, outside the image; its slices are 0 to 3.")]
    [InlineData("two.tif --slice 3", "two.tif: --slice puts labels on slice 4, outside the image; its slices are 0 to 3.")]
    [InlineData("two.tif --slice 1,1", "two.tif: --slice names slice 1 twice; give each label slice its own.")]
    [InlineData("two.tif --slice 0,1,2", "two.tif: holds 2 slices, --slice names 3; give one number for each, or that of the first of a run.")]
    [InlineData("words.tif", "words.tif: slice 0 holds the value 300; labels are whole numbers from 0 (none) to 255.")]
    [InlineData("floats.tif", "floats.tif: slice 0 holds the value 0.75; labels are whole numbers from 0 (none) to 255.")]
    [InlineData("colour.png --slice 0", "colour.png: is a colour image; labels are numbers.")]
    [InlineData("missing.tif", "missing.tif: no such file or folder.")]
    [InlineData("labels.tif --trees 0", "--trees: forest.trees is \"0\"; allowed: 1 to 10000 (default 100).")]
    [InlineData("labels.tif --dimensions 4", "--dimensions: forest.dimensions is \"4\"; allowed: 2 to 3.")]
    [InlineData("labels.tif --features fancy", "--features: forest.features is \"fancy\"; allowed: plain | milling | all (default plain).")]
    [InlineData("labels.tif --families laplacian-of-gaussian --scales 0.3", "features: the families and scales leave none")]
    [InlineData("labels.tif --scales 1 --scales-nm 10", "scales and scales-nm are both given; keep one of them.")]
    [InlineData("labels.tif --phases a,b,c", "phases: 3 names for 2 phases; give at most 2.")]
    [InlineData("labels.tif --channel inlens=", "channel: \"inlens=\" is no channel; write name=PATH, like inlens=inlens.zarr.")]
    [InlineData("labels.tif --channel inlens=nowhere.tif", "nowhere.tif: no such file or folder.")]
    [InlineData("labels.tif --channel image=image.tif", "channels: image, image: two have one name; give each its own.")]
    [InlineData("labels.tif --channel b=wide.tif", "channel b: is 4×40×50 voxels, image is 4×40×44; align and crop them to one grid first.")]
    public void TrainingRefuses(string labels, string message)
    {
        var place = $"new{Guid.NewGuid():n}.kerf";
        Refuses(["train", "forest", "image.tif", .. labels.Split(' '), "--out", place], message);
        Assert.False(File.Exists(_folder[place]));
    }

    [Theory]
    [InlineData("m.kerf", "m.kerf: is there already; choose another name or add --force.")]
    [InlineData("nowhere/m.kerf", "does not exist; make it first.")]
    [InlineData(".", ".: is a folder; a model is a file, like pores.kerf.")]
    [InlineData("/proc/m.kerf", "/proc/m.kerf: cannot be written (")]
    public void TrainingRefusesAPlaceBeforeTheWork(string place, string message) =>
        Refuses(["train", "forest", "image.tif", "labels.tif", "--trees", "2", "--scales", "0.7", "--out", place], message);

    [Theory]
    [InlineData("short.kerf image.tif o.tif", "short.kerf: is damaged (its checksum or content is wrong). Copy it again, or train the model again.")]
    [InlineData("damaged.kerf image.tif o.tif", "damaged.kerf: is damaged (its checksum or content is wrong).")]
    [InlineData("stub.kerf image.tif o.tif", "stub.kerf: is damaged")]
    [InlineData("later.kerf image.tif o.tif", "later.kerf: is of format 99, this Kerf reads up to 1. Update Kerf, or train the model again.")]
    [InlineData("text.kerf image.tif o.tif", "text.kerf: is no model. Give the file that kerf train wrote.")]
    [InlineData("missing.kerf image.tif o.tif", "missing.kerf: cannot be read (")]
    [InlineData("m.kerf image.tif o.tif --voxel 20,5,5", "model: was trained on voxels of 10,5,5 nm (z,y,x), this stack has 20,5,5;")]
    [InlineData("m.kerf image.tif o.tif --channel b=image.tif", "channel b: the model was trained on image, the first being the image; it takes no other.")]
    [InlineData("m.kerf image.tif labels.tif", "labels.tif: is there already. Choose another name, or replace it with --force.")]
    [InlineData("m.kerf image.tif o.xyz", "o.xyz: no format has the ending .xyz.")]
    [InlineData("m.kerf image.tif o.png", "o.png: a PNG holds one slice, the volume has 4.")]
    [InlineData("m.kerf image.tif nowhere/o.tif", "does not exist. Make it first.")]
    [InlineData("m.kerf image.tif file/o.tif", "does not exist. Make it first.")]
    [InlineData("m.kerf image.tif o.tif --probabilities p.tif", "p.tif: has several channels, which only .zarr holds; end the name in .zarr.")]
    [InlineData("m.kerf image.tif o.tif --uncertainty ./o.tif", "two outputs have this name; give each its own.")]
    [InlineData("m.kerf image.tif o.tif --memory 16MiB", "memory budget of 16 MiB is too small:")]
    public void PredictionRefuses(string call, string message)
    {
        Refuses(["predict", .. call.Split(' ')], message);
        Assert.False(File.Exists(_folder["o.tif"]));
        Assert.False(Directory.Exists(_folder["nowhere"]));
        Assert.Empty(Directory.GetDirectories(_folder.Path, "*" + AtomicFile.PartialSuffix));
    }

    private void Refuses(string[] call, string message)
    {
        var result = KerfProcess.Run(_folder.Path, [.. call, "--quiet", "--json"]);
        Assert.True(result.Status == 2, $"status {result.Status}: {result.Error}");
        Assert.Contains(message, result.Error, StringComparison.Ordinal);
        Assert.Equal(1, result.Error.Count(c => c == '\n'));
        Assert.Empty(result.Output);
    }
}
