using Kerf.Networks;
using Kerf.Volumes;
using Xunit;

namespace Kerf.Tests;

/// <summary>Prediction in tiles: neither batches, bands of rows, nor a kill change a phase; folded and flipped it is the same function.</summary>
public sealed class NetworkPredictionTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    private static NetworkModel Model(Architecture architecture, ulong seed = 1) => new(architecture, architecture.Build().Initial(seed), new(GreyRule.Standard, false))
    {
        Channels = ["se"],
        Voxel = VoxelSize.Cube(5),
        Phases = [new(1, "pore", "#222222"), new(2, "solid", "#eeeeee")],
        Training = new(new(), seed, [], null),
    };

    private static (Volume<byte> Labels, Volume<float>[] Probabilities, Volume<float> Uncertainty) Predict(NetworkModel model, Volume<byte> image, TileOptions options, long memory = 4L << 30)
    {
        var labels = new Volume<byte>(image.Info.Size);
        Volume<float>[] maps = [new(image.Info.Size), new(image.Info.Size), new(image.Info.Size)];
        using var prediction = new NetworkPrediction(model, options);
        prediction.Run([image], labels, new() { Probabilities = maps[..2], Uncertainty = maps[2] }, new Traversal { Threads = 1, MemoryBytes = memory });
        return (labels, maps[..2], maps[2]);
    }

    [Theory]
    [InlineData(ArchitectureKind.Unet, 3)]
    [InlineData(ArchitectureKind.Unet3d, 1)]
    public void BatchesAndBandsChangeNoPhase(ArchitectureKind kind, int slices)
    {
        LibTorch.Require();
        var model = Model(new() { Kind = kind, Slices = slices, Depth = 2, Width = 4 });
        var image = NetworkPhantom.Make(3, new(11, 45, 52)).Image;
        var one = Predict(model, image, new() { Tile = 16, Overlap = 4, Batch = 1 });
        var five = Predict(model, image, new() { Tile = 16, Overlap = 4, Batch = 5 });
        Assert.Equal(one.Labels.Data, five.Labels.Data);
        Assert.All(one.Probabilities[0].Data.Zip(five.Probabilities[0].Data), p => Assert.Equal(p.First, p.Second, 1e-5f));
        // a third of the budget holds a few rows only
        var row = (kind == ArchitectureKind.Unet ? 1 : 16) * 52 * 4 * 3;
        var bands = Predict(model, image, new() { Tile = 16, Overlap = 4, Batch = 1 }, memory: 3 * 13 * row);
        Assert.Equal(one.Labels.Data, bands.Labels.Data);
        Assert.Equal(one.Probabilities[1].Data, bands.Probabilities[1].Data);
        Assert.All(one.Probabilities[0].Data.Zip(one.Probabilities[1].Data), p => Assert.Equal(1, p.First + p.Second, 1e-5f));
        Assert.All(one.Uncertainty.Data.Zip(one.Probabilities[0].Data), p => Assert.Equal(1 - Math.Abs(2 * p.Second - 1), p.First, 1e-5f));
    }

    [Theory]
    [InlineData(ArchitectureKind.Unet, false)]
    [InlineData(ArchitectureKind.Unet, true)]
    [InlineData(ArchitectureKind.Unet3d, false)]
    [InlineData(ArchitectureKind.Resunet3d, false)]
    [InlineData(ArchitectureKind.Vnet, false)]
    [InlineData(ArchitectureKind.Segnet, false)]
    public void FusedLayersAreTheSameFunction(ArchitectureKind kind, bool residual)
    {
        LibTorch.Require();
        var network = new Architecture { Kind = kind, Depth = 3, Width = 4, Residual = residual }.Build();
        float[][] values = [.. network.Initial(1).Select((v, i) => network.Slots[i].Name.EndsWith(".variance", StringComparison.Ordinal) ? v : [.. v.Select((x, k) => x + 0.1f * MathF.Sin(k + i))])];
        var (fused, numbers) = NetworkPrediction.Prepared(network, values);
        Assert.Contains(fused.Layers, layer => layer.Kind == LayerKind.Grow);
        Assert.True(fused.Layers.Count < Folding.Fold(network, values).Network.Layers.Count);
        Assert.Equal(network.Multiple, fused.Multiple);
        using var scope = new TensorScope();
        using var plain = new LoadedNetwork(network, values, learn: false);
        using var quick = new LoadedNetwork(fused, numbers, learn: false);
        long[] shape = network.Dimensions == 3 ? [2, 1, 8, 16, 24] : [2, 1, 16, 24];
        float[] image = [.. Enumerable.Range(0, (int)shape.Aggregate((a, b) => a * b)).Select(i => MathF.Sin(0.3f * i) + MathF.Cos(0.011f * i))];
        var (slow, fast) = (plain.Forward(Tensor.Of(image, shape), false).Logits.Read(), quick.Forward(Tensor.Of(image, shape, quick.Layout), false).Logits.Read());
        var scale = slow.Max(Math.Abs);
        Assert.All(slow.Zip(fast), p => Assert.Equal(p.First / scale, p.Second / scale, 1e-5f));
    }

    [Fact]
    public void AKilledPredictionGoesOnWithTheSameBytes()
    {
        LibTorch.Require();
        var model = Model(new() { Kind = ArchitectureKind.Unet3d, Depth = 2, Width = 2 });
        var image = NetworkPhantom.Make(3, new(40, 32, 32)).Image;
        using var prediction = new NetworkPrediction(model, new() { Tile = 16, Overlap = 4 });
        var whole = new Volume<byte>(image.Info.Size);
        prediction.Run([image], whole, new(), new Traversal { Threads = 1 });
        using var kill = new CancellationTokenSource();
        var options = new ZarrOptions { Chunk = new(4, 32, 32), Pyramid = false };
        var walk = new Traversal { Threads = 1, Cancellation = kill.Token, Progress = new Until(0.6, kill) };
        using (var killed = (ZarrVolume<byte>)ZarrVolume.Create(_folder["k.zarr"], image.Info, options))
            Assert.ThrowsAny<OperationCanceledException>(() => prediction.Run([image], killed, new(), walk));
        using var resumed = (ZarrVolume<byte>)ZarrVolume.Create(_folder["k.zarr"], image.Info, options);
        Assert.True(resumed.IsWritten(Box.Slices(image.Info.Size, 0, 4)));
        Assert.False(resumed.IsWritten(Box.Slices(image.Info.Size, 36, 4)));
        prediction.Run([image], resumed, new(), new Traversal { Threads = 1 });
        resumed.Complete(Traversal.Default);
        Assert.Equal(whole.Data, Volume<byte>.Load(resumed).Data);
    }

    [Fact]
    public void ANetworkThatSeesNothingGivesTheSameEverywhere()
    {
        LibTorch.Require();
        var architecture = new Architecture { Depth = 2, Width = 2 };
        var network = architecture.Build();
        float[][] values = [.. network.Slots.Select(slot => new float[slot.Count])];
        values[^1][1] = 1;
        var model = Model(architecture) with { Values = values };
        var (labels, probabilities, _) = Predict(model, NetworkPhantom.Make(3, new(3, 37, 41)).Image, new() { Tile = 16, Overlap = 6 });
        Assert.All(labels.Data, label => Assert.Equal(2, label));
        Assert.All(probabilities[1].Data, p => Assert.Equal(1 / (1 + Math.Exp(-1)), p, 1e-6f));
    }

    [Fact]
    public void FlipsMakeAPredictionSymmetric()
    {
        LibTorch.Require();
        var model = Model(new() { Depth = 2, Width = 4 });
        var image = NetworkPhantom.Make(3, new(1, 32, 32)).Image;
        var flipped = new Volume<byte>(image.Info.Size, null, [.. image.Data.AsEnumerable().Reverse()]);
        var there = Predict(model, image, new() { Tile = 32, Flips = true }).Probabilities[0].Data;
        var back = Predict(model, flipped, new() { Tile = 32, Flips = true }).Probabilities[0].Data;
        Assert.All(there.Zip(back.AsEnumerable().Reverse()), p => Assert.Equal(p.First, p.Second, 1e-5f));
    }

    [Fact]
    public void ActivationsAreVolumes()
    {
        LibTorch.Require();
        var model = Model(new() { Depth = 2, Width = 4 });
        var image = NetworkPhantom.Make(3, new(2, 32, 36)).Image;
        using var prediction = new NetworkPrediction(model, new() { Tile = 16, Layer = "down1.second.relu" });
        Assert.Equal(8, prediction.LayerChannels);
        Volume<float>[] maps = [.. Enumerable.Range(0, 8).Select(_ => new Volume<float>(image.Info.Size))];
        prediction.Run([image], new Volume<byte>(image.Info.Size), new() { Activations = maps }, new Traversal { Threads = 1 });
        Assert.Contains(maps, map => map.Data.Any(v => v > 0));
        Assert.All(maps, map => Assert.DoesNotContain(map.Data, v => v < 0 || float.IsNaN(v)));
        Assert.Contains("--layer is \"nothing\"; this network has down0.first.relu", Assert.Throws<InputError>(() => new NetworkPrediction(model, new() { Layer = "nothing" })).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void HalfPrecisionFindsNearlyTheSamePhases()
    {
        LibTorch.Require();
        var trained = NetworkPhantom.Training(_folder["m.kerf"]).Run(resume: false, "cpu");
        var image = NetworkPhantom.Make(3, new(4, 64, 64)).Image;
        var (full, half) = (Predict(trained, image, new()), Predict(trained, image, new() { Precision = Precision.Bf16 }));
        Assert.True(full.Labels.Data.Where((label, i) => label != half.Labels.Data[i]).Count() < full.Labels.Data.Length / 100);
    }

    [Fact]
    public void WithAmxHalfPrecisionIsFaster()
    {
        LibTorch.Require();
        Assert.SkipUnless(File.Exists("/proc/cpuinfo") && File.ReadAllText("/proc/cpuinfo").Contains(" amx_bf16", StringComparison.Ordinal), "the processor has no AMX");
        var (model, image) = (Model(new() { Depth = 3, Width = 32 }), NetworkPhantom.Make(3, new(4, 256, 256)).Image);
        double Seconds(Precision precision) => Enumerable.Range(0, 3).Min(_ =>
        {
            var clock = System.Diagnostics.Stopwatch.StartNew();
            Predict(model, image, new() { Precision = precision });
            return clock.Elapsed.TotalSeconds;
        });
        Assert.True(Seconds(Precision.Bf16) < Seconds(Precision.F32));
    }

    [Fact]
    public void TheGpuGivesThePhasesOfTheProcessor()
    {
        LibTorch.Require();
        Assert.SkipUnless(Torch.HasGpu, "libtorch sees no GPU here");
        var model = Model(new() { Depth = 3, Width = 8 });
        var image = NetworkPhantom.Make(3, new(4, 64, 64)).Image;
        var here = Predict(model, image, new()).Labels.Data;
        Torch.Start(1, "cuda");
        try
        {
            var there = Predict(model, image, new()).Labels.Data;
            Assert.True(here.Where((label, i) => label != there[i]).Count() < here.Length / 1000);
        }
        finally
        {
            Torch.Start(1, "cpu");
        }
    }

    [Fact]
    public void TheModelFileKeepsEverything()
    {
        var model = Model(new() { Slices = 5, Depth = 2, Width = 3 }) with { Voxel = new(10, 5, 4) };
        NetworkFile.Save(model, _folder["m.kerf"]);
        var read = NetworkFile.Load(_folder["m.kerf"]);
        Assert.Equal(model.Values, read.Values);
        Assert.Equal((model.Architecture, model.Scaling, model.Voxel), (read.Architecture, read.Scaling, read.Voxel));
        Assert.Equal(model.Phases, read.Phases);
        var bytes = File.ReadAllBytes(_folder["m.kerf"]);
        string Refused(byte[] changed)
        {
            File.WriteAllBytes(_folder["x.kerf"], changed);
            return Assert.Throws<InputError>(() => NetworkFile.Load(_folder["x.kerf"])).Message;
        }
        Assert.EndsWith("is damaged (its checksum or content is wrong). Copy it again, or train the model again.", Refused([.. bytes[..300], (byte)(bytes[300] ^ 1), .. bytes[301..]]), StringComparison.Ordinal);
        Assert.Contains("is damaged", Refused(bytes[..^40]), StringComparison.Ordinal);
        Assert.Contains("is damaged", Refused(bytes[..12]), StringComparison.Ordinal);
        Assert.Contains("is of a later format than this Kerf reads (1). Update Kerf", Refused([.. bytes[..8], 9, .. bytes[9..]]), StringComparison.Ordinal);
        Assert.Contains("is no network model. Give the file that kerf train network wrote.", Refused([1, 2, 3]), StringComparison.Ordinal);
        Assert.Contains("was trained on voxels of 10,5,4 nm (z,y,x), this stack has 20,5,4", read.Doubt(new(new(1, 8, 8), PixelType.UInt8, new(20, 5, 4))), StringComparison.Ordinal);
        Assert.Null(read.Doubt(new(new(1, 8, 8), PixelType.UInt8, new(11, 5, 4))));
    }

    private sealed class Until(double share, CancellationTokenSource kill) : IProgress<double>
    {
        public void Report(double value)
        {
            if (value > share) kill.Cancel();
        }
    }
}
