using System.Security.Cryptography;
using System.Text.Json.Nodes;
using Kerf.App;
using Kerf.Imaging;
using Kerf.Volumes;
using Xunit;

namespace Kerf.Tests;

/// <summary>kerf train forest, predict and features as a user calls them, on a small two-phase stack.</summary>
public sealed class ForestCommandTests : IDisposable
{
    private static readonly Size3 Size = new(20, 72, 80);
    private readonly TempFolder _folder = new();
    private readonly Volume<byte> _image = Phantoms.Stack(Size.Z, Size.Y, Size.X, seed: 4);

    public ForestCommandTests()
    {
        var labels = new Volume<byte>(Size);
        // labels of 7 and 9: what comes out are these and not 1 and 2
        for (var i = 0; i < labels.Data.Length; i += 41) labels.Data[i] = (byte)(_image.Data[i] < 90 ? 7 : _image.Data[i] > 135 ? 9 : 0);
        Save(_image, "image.tif");
        Save(labels, "labels.tif");
    }

    public void Dispose() => _folder.Dispose();

    private void Save(IVolume volume, string name) => VolumeFile.Save(volume, _folder[name], new Traversal { Threads = 1 });

    private JsonObject Do(string call)
    {
        var result = KerfProcess.Run(_folder.Path, [.. call.Split(' '), "--json", "--quiet"]);
        Assert.True(result.Status == 0, result.Error);
        return result.Json;
    }

    private byte[] Labels(string path) => Volume<byte>.Load((IVolume<byte>)VolumeFile.Open(_folder[path])).Data;

    [Fact]
    public void TrainsAndPredictsWithMaps()
    {
        var trained = Do("train forest image.tif labels.tif --out m.kerf --trees 10 --scales 0.7,1,1.6 --phases pore,solid=#112233");
        Assert.InRange((double)trained["outOfBagError"]!, 0, 0.1);
        Assert.Equal(2, (int)trained["classes"]!);
        Assert.True((double)trained["seconds"]! > 0);

        var predicted = Do("predict m.kerf image.tif out.tif --probabilities p.zarr --uncertainty u.zarr");
        Assert.True((double)predicted["voxelsPerSecond"]! > 0);
        var labels = Labels("out.tif");
        Assert.Equal((byte[])[7, 9], labels.Distinct().Order());
        var strokes = Labels("labels.tif");
        Assert.All(Enumerable.Range(0, labels.Length).Where(i => strokes[i] > 0), i => Assert.Equal(strokes[i], labels[i]));
        Assert.Equal(["pore", "solid"], VolumeFile.Channels(_folder["p.zarr"]));
        Assert.Equal(["pore", "solid"], VolumeFile.Open(_folder["out.tif"]).Info.Phases!.Select(p => p.Name));
        var (pore, unsure) = (Floats("p.zarr", "pore"), Floats("u.zarr", null));
        for (var i = 0; i < labels.Length; i++)
        {
            Assert.True(pore[i] >= 0.5 == (labels[i] == 7), $"voxel {i}: label {labels[i]} at a probability of {pore[i]}");
            Assert.Equal(1 - Math.Abs(2 * pore[i] - 1), unsure[i], 1e-6);
        }
        // 0, 1 … on request, also for a model that was trained on 0
        Do("predict m.kerf image.tif dense.npy --dense");
        Assert.Equal(labels.Select(l => (byte)(l == 9 ? 1 : 0)), Labels("dense.npy"));
        Assert.Empty(Directory.GetDirectories(_folder.Path, "*" + AtomicFile.PartialSuffix));
    }

    [Fact]
    public void DenseLabelsMakeZeroAPhase()
    {
        var threshold = new Volume<byte>(Size) { Info = new(Size, PixelType.UInt8, _image.Info.Voxel) };
        for (var i = 0; i < threshold.Data.Length; i++) threshold.Data[i] = (byte)(_image.Data[i] > 110 ? 1 : 0);
        Save(threshold, "dense.tif");
        Assert.Equal(2, (int)Do("train forest image.tif dense.tif --out d.kerf --trees 5 --scales 0.7 --dense --samples 2000")["classes"]!);
        Do("predict d.kerf image.tif out.npy");
        Assert.Equal((byte[])[0, 1], Labels("out.npy").Distinct().Order());
    }

    [Fact]
    public void FurtherChannelsGoByTheirNames()
    {
        var second = new Volume<byte>(Size, _image.Info.Voxel);
        for (var i = 0; i < second.Data.Length; i++) second.Data[i] = (byte)(255 - _image.Data[i]);
        Save(second, "second.zarr");
        var trained = Do("train forest image.tif labels.tif --channel inlens=second.zarr --out m.kerf --trees 5 --scales 0.7,1.6 --dimensions 2 --balance");
        Assert.Equal("""["image","inlens"]""", trained["channels"]!.ToJsonString());
        // 2 scales, 4 families of one value and 2 of two eigenvalues, of three signals
        Assert.Equal(2 * 8 * 3, (int)trained["features"]!);
        Do("predict m.kerf image.tif out.tif --channel inlens=second.zarr");
        Assert.Contains("channel inlens: is missing; the model was trained on image, inlens. Add --channel inlens=PATH.", Refusal("predict m.kerf image.tif o.tif"), StringComparison.Ordinal);
    }

    [Fact]
    public void FeaturesAreChannelsInIlastiksOrder()
    {
        var written = Do("features image.tif f.zarr --dimensions 3");
        Assert.Equal(61, written["features"]!.AsArray().Count);
        var names = VolumeFile.Channels(_folder["f.zarr"]);
        Assert.Equal(new FeatureSet().Features.Select(f => f.ToString()), names);
        Assert.Equal(4, Do("features image.tif few.zarr --families hessian-of-gaussian-eigenvalues --scales 1,3.5 --dimensions 2")["features"]!.AsArray().Count);

        // one channel against the computation of a single block
        const int feature = 40;
        var targets = names.Select(_ => new Volume<float>(Size)).ToArray();
        FeatureExtraction.Run([_image], new(), targets, new Traversal { Threads = 1, BlockEdge = 128 });
        Assert.Equal(targets[feature].Data, Floats("f.zarr", names[feature]));
    }

    [Fact]
    public void TheSameBytesWhateverTheMachineIsAskedToDo()
    {
        Do("train forest image.tif labels.tif --out a.kerf --trees 8 --scales 0.7,1.6,3.5 --threads 2");
        Do("predict a.kerf image.tif a.zarr --probabilities ap.zarr --threads 2");
        foreach (var call in (string[])["train forest image.tif labels.tif --out b.kerf --trees 8 --scales 0.7,1.6,3.5", "predict b.kerf image.tif b.zarr --probabilities bp.zarr"])
        {
            var result = KerfProcess.Run(_folder.Path, [.. call.Split(' '), "--threads", "1", "--block", "16", "--memory", "900MiB", "--quiet"], ("DOTNET_EnableAVX2", "0"));
            Assert.True(result.Status == 0, result.Error);
        }
        Assert.Equal(File.ReadAllBytes(_folder["a.kerf"]), File.ReadAllBytes(_folder["b.kerf"]));
        Assert.Equal(Hashes("a.zarr"), Hashes("b.zarr"));
        Assert.Equal(Hashes("ap.zarr"), Hashes("bp.zarr"));
    }

    private const int Interrupt = 2, End = 9;

    // at once: starting a program to do it takes longer than the work on a busy machine
    [System.Runtime.InteropServices.DllImport("libc", EntryPoint = "kill")]
    [System.Runtime.InteropServices.DefaultDllImportSearchPaths(System.Runtime.InteropServices.DllImportSearchPath.SafeDirectories)]
    private static extern int Kill(int process, int signal);

    [Fact]
    public void AKilledPredictionGoesOnAndGivesTheSameBytes()
    {
        Save(Phantoms.Stack(200, 96, 128, seed: 9), "large.tif");
        Do("train forest image.tif labels.tif --out m.kerf --trees 20 --scales 0.7,1.6,5");
        Do("predict m.kerf large.tif whole.zarr --uncertainty wholeu.zarr");
        // stopped by Ctrl-C, then killed, each time as soon as one more chunk is there
        foreach (var (chunks, signal, status) in ((int, int, int)[])[(1, Interrupt, 130), (3, End, 137)])
        {
            using var process = KerfProcess.Start(_folder.Path, ["predict", "m.kerf", "large.tif", "cut.zarr", "--uncertainty", "cutu.zarr", "--threads", "1", "--block", "16", "--quiet"]);
            while (!process.WaitForExit(5) && Chunks() < chunks) { }
            Assert.Equal(0, Kill(process.Id, signal));
            var error = process.StandardError.ReadToEnd();
            process.WaitForExit();
            Assert.Equal(status, process.ExitCode);
            Assert.Equal(signal == Interrupt ? "kerf: interrupted. The same command goes on where this one stopped.\n" : "", error);
        }
        Do("predict m.kerf large.tif cut.zarr --uncertainty cutu.zarr");
        Assert.Equal(Hashes("whole.zarr"), Hashes("cut.zarr"));
        Assert.Equal(Hashes("wholeu.zarr"), Hashes("cutu.zarr"));
        Assert.Empty(Directory.GetDirectories(_folder.Path, "*" + AtomicFile.PartialSuffix));

        int Chunks() => Directory.GetDirectories(_folder.Path, "cut.zarr.*").Where(folder => Directory.Exists(Path.Combine(folder, "output0.zarr/0/c")))
            .Sum(folder => Directory.GetFiles(Path.Combine(folder, "output0.zarr/0/c"), "*", SearchOption.AllDirectories).Length);
    }

    [Fact]
    public void AFileThatDecodesWholeSlicesIsCopiedOnceWhenItsCacheIsSmaller()
    {
        var image = VolumeFile.Open(_folder["image.tif"]);
        Assert.Same(image, ChannelSet.InBlocks([image], _folder.Path, 1 << 30, new Traversal())[0]);
        foreach (var pass in (int[])[1, 2])
        {
            using var copy = (ZarrVolume)ChannelSet.InBlocks([image], _folder.Path, 1, new Traversal())[0];
            Assert.Equal(_image.Data, Volume<byte>.Load((IVolume<byte>)copy).Data);
            Assert.Equal(image.Info.Voxel, copy.Info.Voxel);
            var mark = Path.Combine(copy.Path, "zarr.json");
            Assert.Equal(pass == 2, File.GetLastWriteTimeUtc(mark) == DateTime.UnixEpoch);
            File.SetLastWriteTimeUtc(mark, DateTime.UnixEpoch);
        }
    }

    [Fact]
    public void ScribblesOnTheSuperalloyReachThePlainSetsScoreByTheProgram()
    {
        Assert.SkipWhen(SharedData.Path("sem-scribbles") is null, "../shared/data/sem-scribbles is missing");
        string Shared(string name) => SharedData.Path($"sem-scribbles/superalloy_{name}.tif")!;
        // 2-D by itself: the image is a single slice
        Assert.Equal(3, (int)Do($"train forest {Shared("sem")} {Shared("scribbles")} --out m.kerf")["classes"]!);
        Do($"predict m.kerf {Shared("sem")} out.tif");
        var (labels, truth) = (Labels("out.tif"), Labels(Shared("ground_truth")));
        Assert.Equal((byte[])[85, 170, 255], labels.Distinct().Order());
        var meanIou = ((byte[])[85, 170, 255]).Average(c => labels.Zip(truth).Count(p => p.First == c && p.Second == c) / (double)labels.Zip(truth).Count(p => p.First == c || p.Second == c));
        Assert.InRange(meanIou, 0.635, 0.655);
    }

    private float[] Floats(string path, string? channel)
    {
        var volume = VolumeFile.Open(_folder[path], new() { Channel = channel });
        return Volume<float>.Load((IVolume<float>)volume).Data;
    }

    private string Refusal(string call)
    {
        var result = KerfProcess.Run(_folder.Path, [.. call.Split(' '), "--quiet"]);
        Assert.Equal(2, result.Status);
        Assert.Equal(1, result.Error.Count(c => c == '\n'));
        return result.Error;
    }

    private string[] Hashes(string zarr) => [.. Directory.GetFiles(_folder[zarr], "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal)
        .Select(f => $"{Path.GetRelativePath(_folder[zarr], f)} {Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(f)))}")];
}
