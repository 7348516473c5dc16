using System.Text.Json.Nodes;
using Kerf.Volumes;
using Xunit;

namespace Kerf.Tests;

public class ConfusionTests
{
    private static Volume<byte> Labels(Size3 size, params int[] labels) => new(size, null, [.. labels.Select(label => (byte)label)]);

    private static SegmentationScore Score(int[] truth, int[] found, bool zeroIsClass = false, int? solid = null)
    {
        var size = new Size3(1, 1, truth.Length);
        return Confusion.Of(Labels(size, found), Labels(size, truth), Traversal.Default).Score(zeroIsClass, solid);
    }

    [Fact]
    public void FollowsTheDefinitionsByHand()
    {
        // 1: TP 3, FN 1, FP 1; 2: TP 2, FN 2, FP 1; 3: TP 1, FN 1, FP 2
        var score = Score([1, 1, 1, 1, 2, 2, 2, 2, 3, 3], [1, 1, 1, 3, 2, 2, 1, 3, 3, 2]);
        Assert.Equal(0.6, score.Accuracy, 12);
        Assert.Equal([0.6, 0.4, 0.25], score.Classes.Select(c => c.Iou));
        Assert.Equal((1 - (0.6 * 0.4 + 0.4 * 0.4 + 0.25 * 0.2)) * 100, score.Awe, 10);
        Assert.Equal([6.0 / 8, 4.0 / 7, 2.0 / 5], score.Classes.Select(c => c.Dice));
        Assert.Null(score.Binary);
    }

    [Fact]
    public void OfTwoClassesTheSolidOneIsJudged()
    {
        // solid = 2: TP 4, FN 2, TN 3, FP 1
        var score = Score([2, 2, 2, 2, 2, 2, 1, 1, 1, 1], [2, 2, 2, 2, 1, 1, 1, 1, 1, 2]);
        Assert.Equal((2, 30.0), (score.Binary!.Solid, Math.Round(score.Binary.Mp, 10)));
        Assert.Equal(100.0 / 3, score.Binary.Mgp, 10);
        Assert.Equal(5.0 / 6 - 1, score.Binary.SolidFractionError, 12);
        Assert.Equal((0.3, 8.0 / 11), (Math.Round(score.Mse, 12), score.F1));
        Assert.Equal(25, Score([2, 2, 2, 2, 2, 2, 1, 1, 1, 1], [2, 2, 2, 2, 1, 1, 1, 1, 1, 2], solid: 1).Binary!.Mgp, 10);
    }

    [Fact]
    public void AgreesWithScikitLearn()
    {
        var reference = JsonNode.Parse(File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "References", "compare", "scores.json")))!;
        var n = reference["shape"]!.AsArray().Select(v => (int)v!).ToArray();
        var size = new Size3(n[0], n[1], n[2]);
        foreach (var one in reference["cases"]!.AsArray())
        {
            int[] Whole(string key) => [.. one![key]!.AsArray().Select(v => (int)v!)];
            double[] Many(string key) => [.. one![key]!.AsArray().Select(v => (double)v!)];
            var score = Confusion.Of(Labels(size, Whole("found")), Labels(size, Whole("truth")), Traversal.Default with { Threads = 2 }).Score();
            void Near(double expected, double actual) => Assert.Equal(expected, actual, 12);
            Near((double)one!["accuracy"]!, score.Accuracy);
            Near((double)one["meanIoU"]!, score.MeanIoU);
            Near((double)one["meanDice"]!, score.MeanDice);
            Near((1 - (double)one["weightedIoU"]!) * 100, score.Awe);
            Assert.Equal(Whole("labels"), score.Classes.Select(c => c.Label));
            for (var c = 0; c < score.Classes.Count; c++)
            {
                Near(Many("iou")[c], score.Classes[c].Iou);
                Near(Many("dice")[c], score.Classes[c].Dice);
                Near(Many("precision")[c], score.Classes[c].Precision);
                Near(Many("recall")[c], score.Classes[c].Recall);
            }
            if (one["f1"] is not { } f1) continue;
            Near((double)f1, score.F1);
            Near((double)one["mse"]!, score.Mse);
        }
    }

    [Fact]
    public void UnlabelledTruthIsNotJudgedUnlessItIsAClass()
    {
        Assert.Equal(0.75, Score([0, 0, 1, 1, 2, 2], [1, 2, 1, 1, 2, 1]).Accuracy, 12);
        Assert.Equal(0.5, Score([0, 0, 1, 1, 2, 2], [1, 2, 1, 1, 2, 1], zeroIsClass: true).Accuracy, 12);
        // a result without an answer is wrong, but no class
        var open = Score([1, 1, 2, 2], [1, 0, 2, 2]);
        Assert.Equal((0.75, 2), (open.Accuracy, open.Classes.Count));
        var size = new Size3(1, 1, 4);
        Assert.True(Confusion.Of(Labels(size, 0, 0, 255, 255), Labels(size, 0, 255, 255, 0), Traversal.Default).IsMask);
        Assert.False(Confusion.Of(Labels(size, 0, 0, 255, 255), Labels(size, 0, 1, 2, 0), Traversal.Default).IsMask);
    }

    [Fact]
    public void ACropIsJudgedAlone()
    {
        var size = new Size3(2, 3, 4);
        var truth = new Volume<byte>(size);
        truth.Data.AsSpan().Fill(1);
        var found = Volume<byte>.Load(truth);
        truth[1, 2, 3] = found[1, 1, 1] = truth[1, 1, 2] = found[1, 1, 2] = 2;
        var score = Confusion.Of(found, truth, Traversal.Default, new(new(1, 1, 1), new(1, 1, 3))).Score();
        Assert.Equal((3, 2.0 / 3), (score.Voxels, score.Accuracy));
    }

    [Fact]
    public void RefusesWhatCannotBeJudged()
    {
        Assert.Equal("compare: every voxel of the truth is 0 (not labelled); there is nothing to judge. If 0 is a class, add --dense.",
            Assert.Throws<InputError>(() => Score([0, 0], [1, 2])).Message);
        Assert.Equal("compare: the result holds the labels 255, the truth 1, 2; none is common, so number them alike.",
            Assert.Throws<InputError>(() => Score([1, 2], [255, 255])).Message);
        Assert.Equal("compare: solid is 3, but the labels are 1 and 2; give one of them.", Assert.Throws<InputError>(() => Score([1, 2], [1, 1], solid: 3)).Message);
        Volume<byte> small = new(new Size3(1, 1, 2)), large = new(new Size3(1, 2, 2));
        Assert.Equal("compare: the result is 1×1×2 voxels, the truth 1×2×2; give volumes on one grid.",
            Assert.Throws<InputError>(() => Confusion.Of(small, large, Traversal.Default)).Message);
        Assert.Equal("compare: the crop z 0:1, y 0:3, x 0:2 is not inside the volume of 1×2×2; move or shrink it.",
            Assert.Throws<InputError>(() => Confusion.Of(large, large, Traversal.Default, Box.Whole(new(1, 3, 2)))).Message);
    }
}
