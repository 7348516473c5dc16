using Kerf.Imaging;
using Kerf.Volumes;
using Xunit;

namespace Kerf.Tests;

public class ForestTests(ITestOutputHelper output)
{
    private static (Volume<byte> Image, Volume<byte> Strokes) Phantom()
    {
        var image = Phantoms.Stack(40, 44, 48, seed: 4);
        var strokes = new Volume<byte>(image.Info.Size);
        for (var i = 0; i < image.Data.Length; i += 37) strokes.Data[i] = (byte)(image.Data[i] < 90 ? 1 : image.Data[i] > 135 ? 2 : 0);
        return (image, strokes);
    }

    private static byte[] Predict(ForestModel model, IVolume image, Traversal walk)
    {
        var labels = new Volume<byte>(image.Info.Size);
        ForestPrediction.Run(model, [image], labels, new ForestMaps(), walk);
        return labels.Data;
    }

    [Fact]
    public void ThreadsAndBudgetDoNotShowAndAModelFileGivesTheSame()
    {
        var (image, strokes) = Phantom();
        var options = new ForestTrainingOptions { Forest = new ForestOptions { Trees = 12 } };
        var (one, _) = ForestTraining.Run([("grey", image)], strokes, options, new Traversal { Threads = 1 });
        var (two, findings) = ForestTraining.Run([("grey", image)], strokes, options, new Traversal { Threads = 2 });
        var expected = Predict(one, image, new Traversal { Threads = 1 });
        Assert.Equal(expected, Predict(two, image, new Traversal { Threads = 2, MemoryBytes = 700L << 20, BlockEdge = 32 }));
        Assert.InRange(findings.OutOfBagError, 0, 0.1);
        Assert.All(expected, label => Assert.InRange(label, 1, 2));

        using var folder = new TempFolder();
        ForestFile.Save(two, folder["forest.kerf"]);
        Assert.Equal(expected, Predict(ForestFile.Load(folder["forest.kerf"]), image, new Traversal()));
    }

    [Fact]
    public void LeavesThatStayMixedAreKeptInTheFile()
    {
        // one feature with few values cannot tell noisy strokes apart: leaves of both classes
        var (image, strokes) = Phantom();
        var noise = new CounterRandom(3, 0);
        foreach (ref var label in strokes.Data.AsSpan()) if (label > 0 && noise.NextInt(4) == 0) label = (byte)(3 - label);
        var set = new FeatureSet { Dimensions = 2, Scales = [0.3], Families = [FeatureFamily.GaussianSmoothing] };
        var (model, _) = ForestTraining.Run([("grey", image)], strokes, new() { Features = set, Forest = new() { Trees = 3 } }, new Traversal());
        Assert.Contains(model.Forest.Trees, tree => tree.Votes.Length > 2 * DecisionTree.VoteStride(2));
        using var folder = new TempFolder();
        ForestFile.Save(model, folder["m.kerf"]);
        var loaded = ForestFile.Load(folder["m.kerf"]);
        float[] greys = [.. Enumerable.Range(0, 256).Select(grey => (float)grey)];
        Assert.Equal(greys.Select(grey => model.Forest.Votes([grey])), greys.Select(grey => loaded.Forest.Votes([grey])));
    }

    [Fact]
    public void RefusesStrokesThatTeachNothing()
    {
        var (image, strokes) = Phantom();
        Assert.Contains("label", Refusal(new Volume<byte>(image.Info.Size)), StringComparison.OrdinalIgnoreCase);
        foreach (ref var label in strokes.Data.AsSpan()) label = Math.Min(label, (byte)1);
        Assert.Contains("only label 1", Refusal(strokes), StringComparison.OrdinalIgnoreCase);
        Assert.NotEmpty(Refusal(new Volume<byte>(new Size3(2, 3, 4))));

        string Refusal(Volume<byte> labels) =>
            Assert.Throws<InputError>(() => ForestTraining.Run([("grey", image)], labels, new ForestTrainingOptions(), new Traversal())).Message;
    }

    [Fact]
    public void ScribblesOnTheSuperalloyReachThePlainSetsScore()
    {
        Assert.SkipWhen(SharedData.Path("sem-scribbles") is null, "../shared/data/sem-scribbles is missing");
        var image = VolumeFile.Open(SharedData.Path("sem-scribbles/superalloy_sem.tif")!);
        var strokes = Volume<byte>.Load((IVolume<byte>)VolumeFile.Open(SharedData.Path("sem-scribbles/superalloy_scribbles.tif")!));
        var truth = Volume<byte>.Load((IVolume<byte>)VolumeFile.Open(SharedData.Path("sem-scribbles/superalloy_ground_truth.tif")!));
        var options = new ForestTrainingOptions { Features = new FeatureSet { Dimensions = 2 } };
        var (model, findings) = ForestTraining.Run([("sem", image)], strokes, options, new Traversal());
        var labels = Predict(model, image, new Traversal());
        var scored = Enumerable.Range(0, labels.Length).Where(i => truth.Data[i] > 0).ToArray();
        var classes = scored.Select(i => truth.Data[i]).Distinct().Order().ToArray();
        var meanIou = classes.Average(c => scored.Count(i => labels[i] == c && truth.Data[i] == c) / (double)scored.Count(i => labels[i] == c || truth.Data[i] == c));
        var accuracy = scored.Count(i => labels[i] == truth.Data[i]) / (double)scored.Length;
        output.WriteLine(FormattableString.Invariant(
            $"mean IoU {meanIou:0.000}, accuracy {accuracy:0.000}, out of bag {findings.OutOfBagError:0.0000}, truth {string.Join(',', classes)}, strokes {string.Join(',', strokes.Data.Distinct().Order())}"));
        Assert.InRange(meanIou, 0.635, 1);
        Assert.InRange(accuracy, 0.819, 1);
    }
}
