using Kerf.Networks;
using Kerf.Volumes;
using Xunit;

namespace Kerf.Tests;

/// <summary>Training: it learns, it resumes with the same curve, it leaves unlabelled voxels out, it refuses what cannot be learned.</summary>
public sealed class NetworkTrainingTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void LearnsAndSegmentsAnotherStack()
    {
        LibTorch.Require();
        var model = NetworkPhantom.Training(_folder["m.kerf"]).Run(resume: false, "cpu");
        Assert.Equal(4, model.Training.Curve.Count);
        Assert.True(model.Training.Curve[^1].Loss < model.Training.Curve[0].Loss);
        Assert.True(model.Training.Test!.Accuracy > 0.9, $"test accuracy {model.Training.Test.Accuracy}");
        var (image, truth) = NetworkPhantom.Make(7, new(3, 37, 50));
        var found = new Volume<byte>(truth.Info.Size);
        using var prediction = new NetworkPrediction(model, new());
        prediction.Run([image], found, new(), new Traversal { Threads = 1 });
        var accuracy = Confusion.Of(found, truth, Traversal.Default).Score().Accuracy;
        Assert.True(accuracy > 0.9, $"accuracy {accuracy}");
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void AKilledTrainingGoesOnWithTheSameCurve(bool corrupt)
    {
        LibTorch.Require();
        var whole = NetworkPhantom.Training(_folder["whole.kerf"]).Run(resume: false, "cpu");
        using var kill = new CancellationTokenSource();
        var path = _folder["killed.kerf"];
        var killed = NetworkPhantom.Training(path, cancellation: kill.Token, report: (_, e) => { if (e.Epoch == 3) kill.Cancel(); });
        Assert.ThrowsAny<OperationCanceledException>(() => killed.Run(resume: false, "cpu"));
        Assert.Equal(2, Directory.GetFiles(_folder.Path, "killed.kerf.checkpoint-?").Length);
        if (corrupt)
        {
            var bytes = File.ReadAllBytes(path + ".checkpoint-1");
            bytes[bytes.Length / 2] ^= 1;
            File.WriteAllBytes(path + ".checkpoint-1", bytes);
        }
        var said = new List<string>();
        var resumed = NetworkPhantom.Training(path, say: said.Add);
        var model = resumed.Run(resume: true, "cpu");
        Assert.Equal(whole.Training.Curve.Select(e => e with { Seconds = 0 }), model.Training.Curve.Select(e => e with { Seconds = 0 }));
        Assert.Equal(whole.Values, model.Values);
        if (corrupt) Assert.Equal($"{path}.checkpoint-1: is corrupt; going on from the one before, epoch 2.", Assert.Single(said));
        else Assert.Empty(said);
        resumed.Clean();
        Assert.Empty(Directory.GetFiles(_folder.Path, "killed.kerf.checkpoint-?"));
    }

    [Fact]
    public void TheRateFallsAsACosineAndATrainingTakenUpFollowsIt()
    {
        LibTorch.Require();
        var options = NetworkPhantom.Options with { Schedule = Schedule.Cosine, Epochs = 5 };
        var whole = NetworkPhantom.Training(_folder["whole.kerf"], options).Run(resume: false, "cpu");
        double At(double done) => options.Rate * 0.5 * (1 + Math.Cos(Math.PI * (done - 0.05) / 0.95));
        Assert.Equal([0.05 * options.Rate, At(0.2), At(0.4), At(0.6), At(0.8)], whole.Training.Curve.Select(e => e.Rate), (a, b) => Math.Abs(a - b) < 1e-12);
        using var kill = new CancellationTokenSource();
        Assert.ThrowsAny<OperationCanceledException>(() => NetworkPhantom.Training(_folder["killed.kerf"], options, kill.Token, (_, e) => { if (e.Epoch == 2) kill.Cancel(); }).Run(resume: false, "cpu"));
        var resumed = NetworkPhantom.Training(_folder["killed.kerf"], options).Run(resume: true, "cpu");
        Assert.Equal(whole.Training.Curve.Select(e => e with { Seconds = 0 }), resumed.Training.Curve.Select(e => e with { Seconds = 0 }));
        // the rate depends on the number of epochs: another one is another training
        NetworkPhantom.Training(_folder["more.kerf"], options).Run(resume: false, "cpu");
        Assert.Contains("belongs to a training with other parameters", Assert.Throws<InputError>(() => NetworkPhantom.Training(_folder["more.kerf"], options with { Epochs = 6 }).Run(resume: true, "cpu")).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void ACheckpointOfOtherParametersIsRefused()
    {
        LibTorch.Require();
        var path = _folder["m.kerf"];
        NetworkPhantom.Training(path).Run(resume: false, "cpu");
        var error = Assert.Throws<InputError>(() => NetworkPhantom.Training(path, NetworkPhantom.Options with { Rate = 0.02 }).Run(resume: true, "cpu"));
        Assert.Contains("belongs to a training with other parameters or data. Give the same ones, or leave --resume out", error.Message, StringComparison.Ordinal);
        // more epochs may be asked for
        Assert.Equal(5, NetworkPhantom.Training(path, NetworkPhantom.Options with { Epochs = 5 }).Run(resume: true, "cpu").Training.Curve.Count);
        // one voxel of the image, one label
        foreach (var (grey, label) in new[] { (1, 0), (0, 1) })
        {
            var (image, labels) = NetworkPhantom.Make(1, new(10, 40, 48));
            image.Data[77] ^= (byte)grey;
            labels.Data[77] ^= (byte)(3 * label);
            var changed = new NetworkTraining([("c0", image)], labels, NetworkPhantom.Options, 1, path, new Traversal { Threads = 1 });
            Assert.Contains("other parameters or data", Assert.Throws<InputError>(() => changed.Run(resume: true, "cpu")).Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void CertainLogitsHaveAGradient()
    {
        LibTorch.Require();
        using var scope = new TensorScope();
        // probabilities that round to 0 and 1, right and wrong
        var network = new NetworkBuilder(2, 1);
        network.Conv(0, 2, "logits", kernel: 1, bias: true);
        var built = network.Build();
        using var loaded = new LoadedNetwork(built, [[200, -200], [0, 0]], learn: true);
        foreach (var kind in Enum.GetValues<Loss>())
        {
            var loss = Learning.Of(kind, loaded.Forward(Tensor.Of([1f, 1f], [1, 1, 1, 2]), train: true).Logits, Tensor.Of([0L, 1L], [1, 1, 2]));
            loss.Backward();
            Assert.All(loaded.Learning[0].Gradient().Read(), g => Assert.True(float.IsFinite(g), $"{kind}: {g}"));
        }
    }

    [Fact]
    public void ALossThatIsNoNumberStopsTheTraining()
    {
        LibTorch.Require();
        var error = Assert.Throws<InputError>(() => NetworkPhantom.Training(_folder["n.kerf"], NetworkPhantom.Options with { Rate = 1, Loss = Loss.CrossEntropy, Epochs = 1 }, channels: 1, spoil: true).Run(resume: false, "cpu"));
        Assert.Contains("the loss is NaN in epoch 1", error.Message, StringComparison.Ordinal);
        Assert.Contains("Choose a smaller --rate", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void UnlabelledVoxelsDoNotCount()
    {
        LibTorch.Require();
        float Loss(float unlabelledLogit)
        {
            using var scope = new TensorScope();
            float[] logits = [1, 0.5f, unlabelledLogit, -1, 2, 3 - unlabelledLogit];
            return Enum.GetValues<Loss>().Sum(kind => Learning.Of(kind, Tensor.Of(logits, [1, 2, 3]), Tensor.Of([0, 1, -1L], [1, 3]), record: false).Scalar());
        }
        Assert.Equal(Loss(0.1f), Loss(-4));
    }

    [Theory]
    [InlineData(Fusion.Early)]
    [InlineData(Fusion.Intermediate)]
    [InlineData(Fusion.Late)]
    [InlineData(Fusion.Vote)]
    public void ChannelsAreFused(Fusion fusion)
    {
        LibTorch.Require();
        var stages = new List<string>();
        var options = NetworkPhantom.Options with { Fusion = fusion, Epochs = 2, Windows = 32 };
        var model = NetworkPhantom.Training(_folder["f.kerf"], options, report: (stage, _) => stages.Add(stage), channels: 2).Run(resume: false, "cpu");
        string[] expected = fusion is Fusion.Late or Fusion.Vote ? ["c0", "c0", "c1", "c1", "ensemble", "ensemble"] : ["", ""];
        Assert.Equal(expected, stages);
        NetworkFile.Save(model, _folder["f.kerf"]);
        Assert.Equal(["c0", "c1"], NetworkFile.Load(_folder["f.kerf"]).Channels);
        if (fusion != Fusion.Late) return;
        // the members are networks of their own, and stayed as they were trained
        var member = model.Member(1);
        Assert.Equal(member.Architecture.Build().Slots.Count, member.Values.Length);
        // the ensemble weighs them by what they have not seen: no worse there than the better one
        Assert.True(model.Training.BestLoss <= model.Training.Members.Min(curve => curve.Min(e => e.Validation)) * 1.02);
        Assert.Equal("channel c1: is missing; the model was trained on c0, c1. Add --channel c1=PATH.",
            Assert.Throws<InputError>(() => model.Arrange(new Volume<byte>(new Size3(1, 8, 8)), [])).Message);
        Assert.Equal("channel x: the model was trained on c0, c1, the first being the image; it takes no other.",
            Assert.Throws<InputError>(() => model.Arrange(new Volume<byte>(new Size3(1, 8, 8)), [("x", new Volume<byte>(new Size3(1, 8, 8)))])).Message);
    }

    [Theory]
    [InlineData(ArchitectureKind.Unet3d)]
    [InlineData(ArchitectureKind.Resunet3d)]
    [InlineData(ArchitectureKind.Vnet)]
    [InlineData(ArchitectureKind.Segnet)]
    public void EveryArchitectureTrainsAndPredicts(ArchitectureKind kind)
    {
        LibTorch.Require();
        var options = NetworkPhantom.Options with { Architecture = kind, Width = 2, Epochs = 1, Windows = 4, Batch = 2 };
        var model = NetworkPhantom.Training(_folder["a.kerf"], options).Run(resume: false, "cpu");
        var found = new Volume<byte>(new Size3(5, 19, 23));
        using var prediction = new NetworkPrediction(model, new() { Tile = 16 });
        prediction.Run([NetworkPhantom.Make(3, found.Info.Size).Image], found, new(), new Traversal { Threads = 1 });
        Assert.All(found.Data, label => Assert.InRange(label, 1, 2));
    }

    [Fact]
    public void CrossValidationScoresEveryPart()
    {
        LibTorch.Require();
        var options = NetworkPhantom.Options with { Folds = 2, Epochs = 1, Windows = 8 };
        var model = NetworkPhantom.Training(_folder["k.kerf"], options).Run(resume: false, "cpu");
        Assert.Equal(2, model.Training.Folds.Count);
        // windows at the end of a part overlap the ones before
        Assert.True(model.Training.Folds.Sum(fold => fold.Voxels) >= 10 * 40 * 48);
    }

    [Fact]
    public void PartsShareNoVoxel()
    {
        var (_, labels) = NetworkPhantom.Make(1, new(20, 30, 30));
        int[] classes = [.. Enumerable.Range(0, 256).Select(l => l is 1 or 2 ? l - 1 : -1)];
        for (var fold = 0; fold < 5; fold++)
        {
            var (training, validation, test) = RegionSplit.Of(labels, classes, [0.6, 0.2, 0.2], fold, 5, deep: fold > 2, Traversal.Default);
            Box[] parts = [.. training, validation, test];
            Assert.Equal(labels.Info.Size.Count, parts.Sum(p => p.Count));
            for (var i = 0; i < parts.Length; i++) for (var j = 0; j < i; j++) Assert.Equal(0, parts[i].Intersect(parts[j]).Count);
        }
        var plain = RegionSplit.Of(labels, classes, [0.6, 0.2, 0.2], 0, 0, deep: false, Traversal.Default);
        Assert.Equal((12, 4, 4), (plain.Training[0].Size.Z, plain.Validation.Size.Z, plain.Test.Size.Z));
        // a part that is thinner than a patch would be filled up with what shines through from the wrong side
        var deep = RegionSplit.Of(labels, classes, [0.6, 0.2, 0.2], 0, 0, deep: true, Traversal.Default);
        Assert.Equal((18, 6, 6), (deep.Training[0].Size.Y, deep.Validation.Size.Y, deep.Test.Size.Y));
        Assert.Equal(20, deep.Validation.Size.Z);
    }

    [Fact]
    public void WhatCannotBeLearnedIsRefused()
    {
        var (image, labels) = NetworkPhantom.Make(1, new(10, 24, 24));
        string Message(Func<byte, int, byte> change, NetworkOptions? options = null, int channels = 1, Size3? size = null)
        {
            var changed = new Volume<byte>(size ?? labels.Info.Size);
            for (var i = 0; i < Math.Min(changed.Data.Length, labels.Data.Length); i++) changed.Data[i] = change(labels.Data[i], i);
            return Assert.Throws<InputError>(() => new NetworkTraining(
                [.. Enumerable.Repeat(("se", (IVolume)image), channels)], changed, options ?? NetworkPhantom.Options, 1, _folder["n.kerf"], Traversal.Default).Run(false, "cpu")).Message;
        }
        Assert.Equal("labels: no voxel is labelled (all are 0). Paint strokes of at least two phases.", Message((_, _) => 0));
        Assert.Equal("labels: only label 2 is used; a network needs two or more. Label a second phase, or add --dense if 0 is one.", Message((l, _) => (byte)(l == 2 ? 2 : 0)));
        Assert.Equal("labels: no voxel of phase 2 (label 2) lies in the part for training (z 0:6, y 0:24, x 0:24). Label some there, or share the parts out otherwise: --split 0.8,0.2,0.",
            Message((_, i) => (byte)(i < 6 * 24 * 24 ? 1 : 2)));
        Assert.Contains("labels: are 9×24×24 voxels, the image is 10×24×24", Message((l, _) => l, size: new(9, 24, 24)), StringComparison.Ordinal);
        Assert.Contains("channels: se, se: two have one name", Message((l, _) => l, channels: 2), StringComparison.Ordinal);
        Assert.Contains("fusion late needs two channels or more", Message((l, _) => l, NetworkPhantom.Options with { Fusion = Fusion.Late }), StringComparison.Ordinal);
        Assert.Contains("split is 0.5, 0.1, 0.1; give the shares", Message((l, _) => l, NetworkPhantom.Options with { Split = [0.5, 0.1, 0.1] }), StringComparison.Ordinal);
        Assert.Contains("folds is 1; give 2 or more parts", Message((l, _) => l, NetworkPhantom.Options with { Folds = 1 }), StringComparison.Ordinal);
    }

    [Fact]
    public void OutOfMemoryAsksForASmallerBatch()
    {
        LibTorch.Require();
        using var scope = new TensorScope();
        // a terabyte in one piece: refused at once, nothing is touched
        var b = new NetworkBuilder(2, 1);
        b.Concat("all", new int[20_000]);
        using var loaded = new LoadedNetwork(b.Build(), [], learn: false);
        var image = Tensor.Of(new float[1 << 24], [1, 1, 4096, 4096]);
        var error = Assert.Throws<InputError>(() => loaded.Forward(image, train: false));
        Assert.Contains("Choose a smaller --batch, --patch or --tile.", error.Message, StringComparison.Ordinal);
    }
}
