using System.Text.Json.Nodes;
using Kerf.App;
using Xunit;

namespace Kerf.Tests;

/// <summary>The study's committed numbers hold what is asked of them, and its page is made of them.</summary>
public class ShineThroughTests
{
    private static readonly string Folder = Path.Combine(Repository.Root, "studies");
    private static readonly JsonObject Study = JsonNode.Parse(File.ReadAllText(Path.Combine(Folder, "shine-through.json")))!.AsObject();

    private static readonly string[] Structures = ["hierarchical", "fine wave", "coarse wave"];

    private static double[] Means(string structure, string medium, string detector, string key) =>
        [.. Study["rows"]!.AsArray().Where(r => (string?)r!["structure"] == structure && (string?)r["medium"] == medium && (string?)r["detector"] == detector)
            .OrderBy(r => (double)r!["keV"]!).Select(r => (double)r![key]![0]!)];

    [Fact]
    public void ThePageSaysWhatTheNumbersSay()
    {
        Assert.Equal(File.ReadAllText(Path.Combine(Folder, "shine-through.md")), ShineThroughReport.Markdown(Study));
        var page = ShineThroughReport.Page(Study, Path.Combine(Folder, "shine-through.png"));
        Assert.StartsWith("<!doctype html", page, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain("NaN", page, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("vacuum")]
    [InlineData("epoxy")]
    public void ErrorsGrowWithVoltage(string medium)
    {
        foreach (var structure in Structures)
            foreach (var key in (string[])["otsuPercent", "kmeansPercent", "shineThrough"])
                Assert.True(Means(structure, medium, "tld", key) is [var one, var two, var four] && one < two && two < four, $"{structure} {key}");
    }

    [Fact]
    public void TheInColumnDetectorShowsLessShineThrough()
    {
        foreach (var structure in Structures)
        {
            (double Icd, double Tld)[] Pairs(string medium) => [.. Means(structure, medium, "icd", "shineThrough").Zip(Means(structure, medium, "tld", "shineThrough"))];
            Assert.All(Pairs("epoxy"), p => Assert.True(p.Icd < 0.85 * p.Tld, $"{structure}: {p}"));
            // an empty shallow pore takes no energy from an electron: at low voltage the two are alike
            var empty = Pairs("vacuum");
            Assert.All(empty, p => Assert.True(p.Icd < 1.03 * p.Tld, $"{structure}: {p}"));
            Assert.True(empty[2].Icd < 0.95 * empty[2].Tld, $"{structure}: {empty[2]}");
        }
    }

    [Fact]
    public void UnderTheThesisConditionsErrorsLieNearItsTable()
    {
        var rows = Study["conditions"]!.AsArray().Where(r => (string?)r!["condition"] == "noise, blurred edges").OrderBy(r => (double)r!["keV"]!).ToArray();
        double[] errors = [.. rows.Select(r => (double)r!["mean"]![0]!)];
        double[] paper = [.. Study["paper"]!.AsArray().Select(p => (double)p![0]!)];
        for (var e = 0; e < 3; e++) Assert.InRange(errors[e] / paper[e], 0.5, 2);
        for (var e = 1; e < 3; e++) Assert.InRange(errors[e] / errors[e - 1] / (paper[e] / paper[e - 1]), 0.5, 2);
        Assert.True(errors[0] < errors[1] && errors[1] < errors[2]);
    }
}
