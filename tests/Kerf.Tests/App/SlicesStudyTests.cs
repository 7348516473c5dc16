using System.Text.Json.Nodes;
using Kerf.App;
using Kerf.Volumes;
using Xunit;

namespace Kerf.Tests;

public class SlicesStudyTests
{
    [Fact]
    public void AStudyThatWasStoppedGoesOnAndTellsTheOrder()
    {
        using var folder = new TempFolder();
        var study = new SlicesStudy(40, 2, 128, null);
        var first = study.Run([31], folder.Path, Traversal.Default);
        var kept = Assert.Single(Directory.GetFiles(folder.Path));
        var written = File.GetLastWriteTimeUtc(kept);
        var all = study.Run([31, 32], folder.Path, Traversal.Default);
        Assert.Equal(written, File.GetLastWriteTimeUtc(kept));
        Assert.Equal(first[0].Cuts[1].Select(r => r.Mp), all[0].Cuts[1].Select(r => r.Mp));
        // shape is better than the spline, the spline than holding each slice
        Assert.All(all.SelectMany(s => s.Cuts), cut => Assert.True(Mp(cut, "shape") < Mp(cut, "RCS") && Mp(cut, "RCS") < Mp(cut, "held")));
        var json = SlicesReport.Json(study, all, study, first, null);
        var order = json["order"]!.AsArray().Single(p => (string)p!["worse"]! == "SRCS")!;
        Assert.Equal(all.Average(s => s.Cuts.Average(cut => Mp(cut, "SRCS") - Mp(cut, "RNN"))), (double)order["mp"]!, 1e-4);
        double[] means = [.. all.Select(s => s.Cuts.Average(cut => Mp(cut, "SRCS") - Mp(cut, "RNN")))];
        Assert.Equal(Math.Abs(means[0] - means[1]) / 2, (double)order["standardError"]!, 1e-4);
        var page = SlicesReport.Markdown((JsonObject)JsonNode.Parse(json.ToJsonString())!);
        Assert.Contains("RML, the learned one, is missing", page, StringComparison.Ordinal);
        Assert.Contains("| held |", page, StringComparison.Ordinal);
    }

    [Fact]
    public void DroppedSlicesOfAMovingDiscArePredicted()
    {
        const int edge = 96;
        var stack = new Volume<byte>(new Size3(9, edge, edge));
        for (var z = 0; z < 9; z++)
        {
            var random = new CounterRandom(4, (ulong)z);
            for (var y = 0; y < edge; y++)
                for (var x = 0; x < edge; x++)
                {
                    // still texture, so that alignment holds on to it, and a disc that grows
                    var grey = 120 + 40 * Math.Sin(0.31 * y) * Math.Cos(0.23 * x + 0.01 * y);
                    if ((y - 48) * (y - 48) + (x - 48) * (x - 48) < (8 + 3 * z) * (8 + 3 * z)) grey = 30;
                    stack[z, y, x] = (byte)Math.Clamp(Math.Round(grey + 6 * random.NextNormal()), 0, 255);
                }
        }
        var found = DroppedSlices.Predict(stack, null, Traversal.Default);
        Assert.Equal(4, found.Count);
        Assert.InRange(found.Noise, 5, 7);
        Assert.Equal(["nearest", "linear", "cubic", "flow"], found.Grey.Select(line => line.Method));
        Assert.All(found.Grey, line => Assert.True(line.Rms > found.Noise && line.BeyondNoise < line.Rms));
        Assert.True(found.Grey[3].Rms < found.Grey[0].Rms);
        Assert.Equal(["noise", "nearest", "cubic", "shape"], found.Phases.Select(line => line.Method));
        Assert.True(found.Phases[0].Mp < found.Phases[3].Mp && found.Phases[3].Mp < found.Phases[1].Mp, string.Join("; ", found.Phases.Select(p => p.ToString())));
    }

    private static double Mp(Rebuilt[] cut, string method) => cut.Single(r => r.Method == method).Mp;
}
