using Kerf.Imaging;
using Kerf.Volumes;
using Xunit;

namespace Kerf.Tests;

public class ForestModelTests
{
    private static readonly FeatureSet Small = new() { Scales = [0.7, 1.6] };

    private static byte[] Labels(ForestModel model, params IVolume[] channels)
    {
        var labels = new Volume<byte>(channels[0].Info.Size);
        ForestPrediction.Run(model, channels, labels, new ForestMaps(), new Traversal());
        return labels.Data;
    }

    // two detectors whose common structure hides the phases; only their difference tells them apart
    private static (Volume<float> A, Volume<float> B, Volume<byte> Truth) Detectors(ulong seed)
    {
        var size = new Size3(12, 32, 36);
        var (a, b, truth) = (new Volume<float>(size), new Volume<float>(size), new Volume<byte>(size));
        for (var i = 0; i < a.Data.Length; i++)
        {
            var random = new CounterRandom(seed, (ulong)i);
            var common = 100 + 40 * (float)random.NextNormal();
            truth.Data[i] = (byte)(i % 36 / 6 % 2 + 1);
            a.Data[i] = common + (truth.Data[i] == 1 ? 0 : 8) + 2 * (float)random.NextNormal();
            b.Data[i] = common + 2 * (float)random.NextNormal();
        }
        return (a, b, truth);
    }

    [Fact]
    public void TwoChannelsSeeWhatNeitherSeesAlone()
    {
        var (a, b, truth) = Detectors(1);
        var strokes = new Volume<byte>(truth.Info.Size, null, [.. truth.Data.Select((label, i) => i % 7 == 0 ? label : (byte)0)]);
        var options = new ForestTrainingOptions { Features = Small, Forest = new() { Trees = 30 } };
        var (alone, one) = ForestTraining.Run([("SE2", a)], strokes, options, new Traversal());
        var (model, two) = ForestTraining.Run([("SE2", a), ("InLens", b)], strokes, options, new Traversal());
        Assert.Equal(3 * Small.Features.Count, model.FeatureNames.Count);
        Assert.StartsWith("SE2 - InLens: ", model.FeatureNames[^1], StringComparison.Ordinal);
        Assert.True(two.OutOfBagError < 0.3 * one.OutOfBagError, $"{one.OutOfBagError} to {two.OutOfBagError}");
        var (freshA, freshB, freshTruth) = Detectors(2);
        double Wrong(byte[] labels) => labels.Zip(freshTruth.Data).Count(p => p.First != p.Second) / (double)labels.Length;
        Assert.True(Wrong(Labels(model, freshA, freshB)) < 0.3 * Wrong(Labels(alone, freshA)));
        Assert.Contains("2 channels (SE2, InLens)", Assert.Throws<InputError>(() => Labels(model, freshA)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void AModelComesBackAsItWas()
    {
        var (a, b, truth) = Detectors(3);
        var options = new ForestTrainingOptions { Features = Small, Forest = new() { Trees = 12, MinSplit = 40, Balance = true, Seed = 9 } };
        var (model, _) = ForestTraining.Run([("SE2", a), ("InLens", b)], truth, options, new Traversal());
        using var folder = new TempFolder();
        Directory.CreateDirectory(folder.Path);
        ForestFile.Save(model, folder["a.kerf"]);
        var loaded = ForestFile.Load(folder["a.kerf"]);
        ForestFile.Save(loaded, folder["b.kerf"]);
        Assert.Equal(File.ReadAllBytes(folder["a.kerf"]), File.ReadAllBytes(folder["b.kerf"]));
        Assert.Equal(model.FeatureNames, loaded.FeatureNames);
        Assert.Equal(options.Forest, loaded.Training.Options);
        Assert.Equal(model.Training.Importance![1].Features[5].Quantiles, loaded.Training.Importance![1].Features[5].Quantiles);
        Assert.Equal(Labels(model, a, b), Labels(loaded, a, b));
    }

    [Fact]
    public void LabelsAloneAreThoseOfTheFullVote()
    {
        var (a, _, truth) = Detectors(4);
        var (model, _) = ForestTraining.Run([("SE2", a)], truth, new() { Features = Small }, new Traversal());
        var labels = new Volume<byte>(truth.Info.Size);
        var uncertainty = new Volume<float>(truth.Info.Size);
        ForestPrediction.Run(model, [a], labels, new ForestMaps { Uncertainty = uncertainty }, new Traversal());
        Assert.Equal(labels.Data, Labels(model, a));
        Assert.All(uncertainty.Data, u => Assert.InRange(u, 0, 1));
    }

    [Fact]
    public void ImportanceIsToldAndDrawn()
    {
        var (a, _, truth) = Detectors(5);
        var (model, _) = ForestTraining.Run([("SE2", a)], truth, new() { Features = Small, Forest = new() { Trees = 8 } }, new Traversal());
        using var folder = new TempFolder();
        Directory.CreateDirectory(folder.Path);
        ForestFile.Save(model, folder["model.kerf"]);
        var result = KerfProcess.Run(folder.Path, ["importance", "model.kerf", "--out", "boxes.svg", "--json", "--quiet"]);
        Assert.True(result.Status == 0, result.Error);
        Assert.Equal(8, (int)result.Json["trees"]!);
        Assert.Equal(["impurity", "permutation", "permutation of phase 1", "permutation of phase 2"], result.Json["importance"]!.AsArray().Select(t => (string)t!["kind"]!));
        Assert.Equal(Small.Features.Count, result.Json["importance"]![0]!["features"]!.AsArray().Count);
        var drawing = System.Xml.Linq.XDocument.Load(folder["boxes.svg"]);
        // a box for each group and feature in each of the four columns, and the ground
        Assert.Equal(4 * (3 + Small.Features.Count) + 1, drawing.Descendants().Count(e => e.Name.LocalName == "rect"));

        ForestFile.Save(model with { Training = model.Training with { Importance = null } }, folder["old.kerf"]);
        Refuses("old.kerf", "keeps no importance over its trees");
        Refuses("model.kerf --out boxes.png", "end it in .svg");
        Refuses("model.kerf --out boxes.svg", "is there already");

        void Refuses(string call, string message)
        {
            var refused = KerfProcess.Run(folder.Path, ["importance", .. call.Split(' '), "--quiet"]);
            Assert.Equal(2, refused.Status);
            Assert.Contains(message, refused.Error, StringComparison.Ordinal);
            Assert.Equal(1, refused.Error.Count(c => c == '\n'));
        }
    }
}
