using Kerf.App;
using Kerf.Simulation;
using Kerf.Volumes;
using Xunit;

namespace Kerf.Tests;

public class LadderStudyTests
{
    [Fact]
    public void StrokesLieInsideThePhasesOnTheirSlicesAndCoverTheirShare()
    {
        var truth = PorousCathode.Generate(new(6, 96, 96), VoxelSize.Cube(20), new(), 4, Traversal.Default);
        var strokes = Strokes.Draw(truth, [1, 4], 0.1, 7);
        for (var z = 0; z < 6; z++)
        {
            var (drawn, real) = (strokes.Slice(z).ToArray(), truth.Slice(z).ToArray());
            Assert.All(drawn.Zip(real), pair => Assert.True(pair.First == 0 || pair.First == pair.Second));
            // two pixels a step, less where strokes cross or turn back
            Assert.InRange(drawn.Count(label => label > 0) / (double)drawn.Length, z is 1 or 4 ? 0.05 : 0, z is 1 or 4 ? 0.13 : 0);
        }
        Assert.Equal([0, 1, 2, 3], strokes.Data.Distinct().Order().Select(label => (int)label));
        Assert.Equal(strokes.Data, Strokes.Draw(truth, [1, 4], 0.1, 7).Data);
        Assert.NotEqual(strokes.Data, Strokes.Draw(truth, [1, 4], 0.1, 8).Data);
    }

    [Fact]
    public void TheReportSaysWhetherTheOrderHolds()
    {
        IReadOnlyList<Rung> Run(params double[] awe) => [.. awe.Select((a, m) => new Rung(LadderStudy.Methods[m], a, a / 2, 1 - a / 100, [0.5, 0.6, 0.7]))];
        var json = LadderReport.Json(new(8, 9, 10), [1, 2], [Run(60, 50, 40, 30, 20, 10), Run(60, 50, 51, 30, 20, 14)]);
        Assert.True((bool)json["inPapersOrder"]!);
        Assert.False((bool)json["orderHoldsInEachSeed"]!);
        Assert.Equal((0.6, 12.0), ((double)json["lastBelowOneSignal"]!, (double)json["methods"]![5]!["awe"]!));
        var page = LadderReport.Markdown(json);
        Assert.Contains("| forest, z-evolution | 12.0 | 10.0, 14.0 | 6.0 | 0.880 | 0.5, 0.6, 0.7 | 6.1 / 11.0 |", page, StringComparison.Ordinal);
        Assert.Contains("In the paper's order: yes; in each seed: no. The last lies 60 % below the forest on one signal.", page, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--scale is \"huge\"; write small or full.", "--scale", "huge")]
    [InlineData("--seeds is \"1,x\"; write whole numbers like 1,2,3.", "--seeds", "1,x")]
    public void RefusesInOneLine(string message, params string[] arguments)
    {
        using var folder = new TempFolder();
        var result = KerfProcess.Run(folder.Path, ["study", "ladder", .. arguments, "--quiet"]);
        Assert.Equal((2, "kerf: " + message + "\n"), (result.Status, result.Error));
    }

    [Fact]
    public void ThePapersOrderHoldsOnASmallSpecimen()
    {
        Assert.SkipUnless(Slow.Enabled, "slow: ./test --slow");
        var rungs = LadderStudy.Run(new(80, 112, 112), 12, Traversal.Default);
        Assert.Equal(rungs.OrderByDescending(r => r.Awe), rungs);
        Assert.InRange(rungs[5].Awe / rungs[3].Awe, 0, 0.6);
    }
}
