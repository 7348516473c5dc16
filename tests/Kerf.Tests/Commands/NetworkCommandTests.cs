using System.Diagnostics;
using System.Globalization;
using Kerf.Networks;
using Kerf.Volumes;
using Xunit;

namespace Kerf.Tests;

/// <summary>kerf train network, predict and export as a user calls them, and every refusal as one line.</summary>
public sealed class NetworkCommandTests(NetworkCommandTests.Files files) : IClassFixture<NetworkCommandTests.Files>
{
    private readonly TempFolder _folder = files.Folder;

    /// <summary>A trained model, made once.</summary>
    public sealed class Files : IDisposable
    {
        public Files()
        {
            var (image, labels) = NetworkPhantom.Make(1, new(10, 40, 48));
            VolumeFile.Save(image, Folder["image.tif"], Traversal.Default);
            VolumeFile.Save(labels, Folder["labels.tif"], Traversal.Default);
            VolumeFile.Save(new Volume<byte>(labels.Info.Size, null, Array.ConvertAll(labels.Data, l => (byte)(l == 2 ? 2 : 0))), Folder["one.tif"], Traversal.Default);
            VolumeFile.Save(NetworkPhantom.Make(2, new(5, 40, 48)).Image, Folder["other.tif"], Traversal.Default);
            try
            {
                Torch.Start(1, "cpu");
            }
            catch (InputError)
            {
                return;
            }
            Trained = KerfProcess.Run(Folder.Path, ["train", "network", "image.tif", "labels.tif", "--architecture", "unet", "--slices", "3", "--out", "m.kerf", "--depth", "2", "--width", "4",
                "--patch", "16", "--batch", "8", "--epochs", "3", "--rate", "0.01", "--phases", "pore,solid", "--seed", "1", "--threads", "1", "--json", "--quiet"]);
        }

        public TempFolder Folder { get; } = new();

        public KerfProcess.Result? Trained { get; }

        public void Dispose() => Folder.Dispose();
    }

    [Fact]
    public void TrainingTellsWhatItDid()
    {
        LibTorch.Require();
        Assert.True(files.Trained!.Status == 0, files.Trained.Error);
        Assert.Empty(files.Trained.Error);
        var json = files.Trained.Json;
        Assert.Equal(3, (int)json["epochs"]!);
        Assert.InRange((double)json["bestLoss"]!, 0, 0.5);
        Assert.Equal(new Architecture { Slices = 3, Depth = 2, Width = 4 }.Build().Parameters, (long)json["parameters"]!);
        Assert.True((double)json["secondsPerEpoch"]! > 0);
        Assert.Contains("F1 on the validation region", File.ReadAllText(_folder["m.kerf.html"]), StringComparison.Ordinal);
        Assert.Empty(Directory.GetFiles(_folder.Path, "*.checkpoint-?"));
    }

    [Fact]
    public void PredictTakesANetworkLikeAForest()
    {
        LibTorch.Require();
        var result = KerfProcess.Run(_folder.Path, ["predict", "m.kerf", "other.tif", "p.tif", "--probabilities", "p.zarr", "--uncertainty", "u.tif", "--tile", "24", "--json", "--quiet"]);
        Assert.True(result.Status == 0, result.Error);
        Assert.Equal("solid", (string)result.Json["phases"]![1]!["name"]!);
        var truth = NetworkPhantom.Make(2, new(5, 40, 48)).Labels;
        Assert.True(Confusion.Of((IVolume<byte>)VolumeFile.Open(_folder["p.tif"]), truth, Traversal.Default).Score().Accuracy > 0.85);
        Assert.Equal(["pore", "solid"], VolumeFile.Channels(_folder["p.zarr"]));
        // the same call by 2 threads and other batches
        KerfProcess.Run(_folder.Path, ["predict", "m.kerf", "other.tif", "q.tif", "--tile", "24", "--batch", "3", "--json", "--quiet"]);
        Assert.Equal(Volume<byte>.Load((IVolume<byte>)VolumeFile.Open(_folder["p.tif"])).Data, Volume<byte>.Load((IVolume<byte>)VolumeFile.Open(_folder["q.tif"])).Data);
    }

    [Fact]
    public void PyTorchOpensTheExport()
    {
        LibTorch.Require();
        var result = KerfProcess.Run(_folder.Path, ["export", "m.kerf", "m.pt", "--json", "--quiet"]);
        Assert.True(result.Status == 0, result.Error);
        var description = File.ReadAllText(_folder["m.rdf.yaml"]);
        Assert.Contains("torchscript:", description, StringComparison.Ordinal);
        Assert.Contains("axes: bcyx", description, StringComparison.Ordinal);
        const string python = "/usr/bin/python3";
        Assert.SkipUnless(Directory.Exists("/usr/lib/python3/dist-packages/torch"), "python3-torch is not installed");
        // the same input by PyTorch and by Kerf
        float[] input = [.. Enumerable.Range(0, 3 * 16 * 16).Select(i => (float)Math.Sin(0.1 * i))];
        File.WriteAllBytes(_folder["input.bin"], System.Runtime.InteropServices.MemoryMarshal.AsBytes(input.AsSpan()).ToArray());
        const string script = "import torch, numpy as np; m = torch.jit.load('m.pt'); x = torch.from_numpy(np.fromfile('input.bin', 'f4').reshape(1, 3, 16, 16)); m(x).numpy().astype('f4').tofile('output.bin')";
        using var process = Process.Start(new ProcessStartInfo(python) { ArgumentList = { "-c", script }, WorkingDirectory = _folder.Path, RedirectStandardError = true })!;
        var error = process.StandardError.ReadToEnd();
        process.WaitForExit();
        Assert.True(process.ExitCode == 0, error);
        var theirs = System.Runtime.InteropServices.MemoryMarshal.Cast<byte, float>(File.ReadAllBytes(_folder["output.bin"])).ToArray();
        var model = NetworkFile.Load(_folder["m.kerf"]);
        using var scope = new TensorScope();
        using var loaded = new LoadedNetwork(model.Architecture.Build(), model.Values, learn: false);
        var ours = Learning.Softmax(loaded.Forward(Tensor.Of(input, [1, 3, 16, 16]), train: false).Logits).Read();
        Assert.All(ours.Zip(theirs), p => Assert.Equal(p.First, p.Second, 1e-5f));
    }

    [Theory]
    [InlineData("train network image.tif labels.tif --architecture unet --slices 4 --out n.kerf", "slices is 4; allowed: 1, 3, 5, 7 or 9.")]
    [InlineData("train network image.tif labels.tif --architecture net --out n.kerf", "--architecture: network.architecture is \"net\"; allowed: unet | unet3d | vnet | resunet3d | segnet (default unet).")]
    [InlineData("train network image.tif one.tif --out n.kerf", "labels: only label 2 is used; a network needs two or more.")]
    [InlineData("train network image.tif labels.tif --out m.kerf", "m.kerf: is there already; choose another name or add --force.")]
    [InlineData("train network image.tif labels.tif --out n.kerf --fusion late", "fusion late needs two channels or more; add --channel name=PATH.")]
    [InlineData("train network image.tif labels.tif --out n.kerf --device cuda:7", "--device is \"cuda:7\"; this libtorch sees 0 GPUs.")]
    [InlineData("predict m.kerf image.tif o.tif --channel inlens=other.tif", "channel inlens: the model was trained on image, the first being the image; it takes no other.")]
    [InlineData("predict m.kerf image.tif o.tif --tile 3", "--tile is 3; allowed: 8 to 4096.")]
    [InlineData("predict m.kerf image.tif o.tif --precision f16", "--precision is \"f16\"; write f32 or bf16.")]
    [InlineData("predict m.kerf image.tif o.tif --layer down0", "--layer names a layer, and --activations is missing")]
    [InlineData("train network image.tif labels.tif --out n.kerf --width 256 --depth 6 --memory 16MiB", "out of memory in training, with 16 patches of edge 64 at once. Choose a smaller --batch, --patch, --width or --depth, or raise --memory.")]
    [InlineData("export m.kerf out.onnx", "out.onnx: ONNX is not written; TorchScript is, which PyTorch opens as it is. End the name in .pt.")]
    [InlineData("export m.kerf out.txt", "out.txt: is no name for a network; end it in .pt (TorchScript).")]
    [InlineData("export image.tif out.pt", "image.tif: is no network model.")]
    public void TheProgramEndsWithOneLineAndStatus2(string call, string message)
    {
        LibTorch.Require();
        Refused(call, message);
    }

    [Fact]
    public void WithoutLibtorchOneLineTellsHowToGetIt()
    {
        LibTorch.Require();
        Directory.CreateDirectory(_folder["empty"]);
        Refused("predict m.kerf image.tif o.tif", $"KERF_LIBTORCH: {_folder["empty"]} holds no libtorch (no share/cmake/Torch). Give the unpacked folder, or unset it to use Debian's.", ("KERF_LIBTORCH", _folder["empty"]));
    }

    private void Refused(string call, string message, params (string, string)[] environment)
    {
        var result = KerfProcess.Run(_folder.Path, [.. call.Split(' '), "--quiet", "--json"], environment);
        Assert.True(result.Status == 2, string.Create(CultureInfo.InvariantCulture, $"status {result.Status}: {result.Error}"));
        Assert.Contains(message, result.Error, StringComparison.Ordinal);
        Assert.Equal(1, result.Error.Count(c => c == '\n'));
        Assert.Empty(result.Output);
        Assert.All((string[])["n.kerf", "o.tif", "out.pt"], name => Assert.False(Path.Exists(_folder[name])));
    }
}
