using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Kerf.App;
using Kerf.Volumes;
using Xunit;

namespace Kerf.Tests;

public sealed partial class ReportTests : IDisposable
{
    private static readonly Size3 Size = new(12, 40, 60);
    private static readonly VoxelSize Voxel = new(20, 10, 10);
    private static readonly Phase[] Phases = [new(1, "matrix", "#e8e6df"), new(2, "ball <large>", "#3b7dd8")];
    private readonly string _path = Path.Combine(Path.GetTempPath(), $"kerf-report-{Guid.NewGuid():N}.html");

    // most tests look at the same page
    private static readonly Lazy<string> Page = new(() =>
    {
        using var tests = new ReportTests();
        return tests.Write(Demo());
    });

    public void Dispose() => File.Delete(_path);

    [Fact]
    public void ShowsEveryStepMeasurementAndTheRecipe()
    {
        var page = Page.Value;
        foreach (var step in Demo().Steps)
        {
            Assert.Contains($"<h3>{step.Name}</h3>", page, StringComparison.Ordinal);
            Assert.Contains(step.Summary, page, StringComparison.Ordinal);
        }
        Assert.Contains("Drift: shift of each slice", page, StringComparison.Ordinal);
        Assert.Contains("Stripe energy", page, StringComparison.Ordinal);
        Assert.Contains("Histogram with thresholds", page, StringComparison.Ordinal);
        Assert.Contains("Phase fractions per slice", page, StringComparison.Ordinal);
        Assert.Contains("fractions/block-bootstrap-95", page, StringComparison.Ordinal);
        Assert.Contains("0.190 – 0.231", page, StringComparison.Ordinal);
        Assert.Contains("nm⁻¹", page, StringComparison.Ordinal);
        Assert.Contains("<b>steps:</b>", page, StringComparison.Ordinal);
        Assert.Contains("9f86d081", page, StringComparison.Ordinal);
        Assert.Contains("unchanged, kept from an earlier run", page, StringComparison.Ordinal);
        Assert.InRange(page.Length, 50_000, 2_000_000);
    }

    [Fact]
    public void AsksNothingOfAnyNetwork()
    {
        var page = Page.Value;
        Assert.DoesNotMatch(new Regex("""(src|href|url\()\s*=?\s*["']?(https?:)?//""", RegexOptions.IgnoreCase), page);
        Assert.Contains("default-src 'none'", page, StringComparison.Ordinal);
        foreach (Match source in Source().Matches(page)) Assert.StartsWith("data:", source.Groups[1].Value, StringComparison.Ordinal);
    }

    [Fact]
    public void EscapesWhatTheUserWrote()
    {
        var page = Write(Demo() with { Title = "<script>alert(1)</script> & more" });
        Assert.DoesNotContain("<script>alert", page, StringComparison.Ordinal);
        Assert.Contains("ball &lt;large&gt;", page, StringComparison.Ordinal);
    }

    [Fact]
    public void TagsAreBalancedAndPlaceholdersFilled()
    {
        var page = Page.Value;
        Assert.DoesNotContain("{{", page, StringComparison.Ordinal);
        var markup = Regex.Replace(page, "<(script|style)[^>]*>.*?</\\1>", "", RegexOptions.Singleline);
        var open = new Stack<string>();
        foreach (Match tag in Tag().Matches(markup))
        {
            var name = tag.Groups[2].Value;
            if (name is "img" or "input" or "meta" or "link" or "br" || tag.Value.EndsWith("/>", StringComparison.Ordinal)) continue;
            if (tag.Groups[1].Length == 0) open.Push(name);
            else Assert.Equal(name, open.Pop());
        }
        Assert.Empty(open);
    }

    [Fact]
    public void ImagesOfAVolumeThatTwoStepsShareAreEmbeddedOnce()
    {
        var page = Page.Value;
        var embedded = Embedded().Matches(page).Select(m => m.Groups[1].Value).ToArray();
        Assert.Equal(embedded.Length, embedded.Distinct().Count());
        Assert.Contains("data-same=", page, StringComparison.Ordinal);
    }

    [Fact]
    public void SectionsKeepPhysicalProportions()
    {
        // 60 × 10 nm wide, 12 × 20 nm high: the xz section; the yz section is 240 nm by 400 nm
        var page = Page.Value;
        Assert.Contains("--w:600;--h:240", page, StringComparison.Ordinal);
        Assert.Contains("--w:240;--h:400", page, StringComparison.Ordinal);
        Assert.Contains(">100 nm<", page, StringComparison.Ordinal);
    }

    [Fact]
    public void ThreadsDoNotChangeAByte()
    {
        Assert.Equal(Page.Value, Write(Demo(), 1));
    }

    [Fact]
    public void VolumesOfTwoSizesStandApart()
    {
        var small = new Volume<byte>(new Size3(6, 20, 30), Voxel);
        var page = Write(Demo() with { Steps = [Step("crop", Balls(Size), small, [])] });
        Assert.Contains("data-kind=\"apart\"", page, StringComparison.Ordinal);
        Assert.Contains("12×40×60 → 6×20×30 voxels", page, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(1, 1, 1)]
    [InlineData(1, 5, 300)]
    [InlineData(40, 2, 2)]
    public void DegenerateVolumesAreDrawn(int z, int y, int x)
    {
        var size = new Size3(z, y, x);
        var flat = new Volume<float>(size);
        var labels = new Volume<byte>(size) { Info = new(size, PixelType.UInt8, null) { Phases = Phases } };
        var page = Write(Demo() with { Steps = [Step("smooth", new Volume<ushort>(size), flat, []), Step("segment", flat, labels, [])] });
        Assert.DoesNotContain("NaN", Regex.Replace(page, "<script.*?</script>", "", RegexOptions.Singleline), StringComparison.Ordinal);
        Assert.Contains(" px<", page, StringComparison.Ordinal);
    }

    [Fact]
    public void ARunWithoutStepsStillHasItsRecipe() =>
        Assert.Contains("id=\"recipe\"", Write(Demo() with { Steps = [] }), StringComparison.Ordinal);

    [Fact]
    public void CurvesAlongAxesShareAChartAndHaveBands()
    {
        static Curve Along(string axis, params double[] x)
        {
            double[] Shifted(double by) => [.. x.Select(at => by - at / 100)];
            return new("twoPoint-" + axis, x, Shifted(1), "nm") { Low = Shifted(0.9), High = Shifted(1.1) };
        }
        var fraction = new Measurement("fraction", "pore", null, 0.5, "1", 0.4, 0.6, "fractions/block-bootstrap-95") { DoubtLow = 0.45, DoubtHigh = 0.52 };
        Curve[] curves = [Along("x", 0, 5, 10), Along("z", 0, 10, 20), new("twoPoint-xy", [0, 5], [1, 0.95], "nm")];
        const string Figure = "<svg xmlns=\"http://www.w3.org/2000/svg\"><path d=\"M0 0\"/></svg>";
        var page = Write(new("S2", "Two axes of other steps.", [], [fraction], curves, [], "") { Phases = Phases, Figures = [Figure] });
        Assert.Equal(2, Regex.Count(page, "<figure class=\"chart\">"));
        Assert.Equal(2, Regex.Count(page, "class=\"band\""));
        // x ends at 10, z goes on; between its steps z is interpolated
        Assert.Contains("&quot;x&quot;:[0,5,10,15,20],&quot;s&quot;:[[1,0.95,0.9,null,null],[1,0.95,0.9,0.85,0.8]]", page, StringComparison.Ordinal);
        Assert.Contains("segmentation 0.45 – 0.52", page, StringComparison.Ordinal);
        Assert.Contains("<figure class=\"scene\"><svg", page, StringComparison.Ordinal);
        Assert.DoesNotContain("id=\"steps\"", page, StringComparison.Ordinal);
    }

    [Fact]
    public void AFolderThatIsNotThereIsAnInputError()
    {
        var path = Path.Combine(Path.GetTempPath(), "kerf-not-there", "report.html");
        var error = Assert.Throws<InputError>(() => Report.Write(Demo() with { Steps = [] }, path, Traversal.Default));
        Assert.Contains("cannot be written", error.Message, StringComparison.Ordinal);
    }

    private string Write(ReportInput input, int threads = 2)
    {
        Report.Write(input, _path, Traversal.Default with { Threads = threads });
        return File.ReadAllText(_path);
    }

    // four balls in a noisy matrix, aligned, destriped, segmented
    private static ReportInput Demo()
    {
        var raw = Balls(Size);
        var aligned = new Volume<byte>(Size, Voxel, [.. raw.Data.Select(v => (byte)(v / 2 + 20))]);
        var smooth = new Volume<float>(Size, Voxel, [.. aligned.Data.Select(v => v * 0.9f)]);
        var labels = new Volume<byte>(Size, Voxel, [.. aligned.Data.Select(v => (byte)(v < 80 ? 1 : 2))]);
        labels = new Volume<byte>(Size, Voxel, labels.Data) { Info = labels.Info with { Phases = Phases } };
        var z = Enumerable.Range(0, Size.Z);
        return new("Balls", "A phantom.", [
            Step("align", raw, aligned, Json(new { shifts = z.Select(i => new[] { i * 0.5, -i * 0.25 }), residual = z.Select(i => 0.1 * i) })),
            Step("destripe", aligned, smooth, Json(new { stripeEnergyBefore = z.Select(i => 5.0 + i), stripeEnergyAfter = z.Select(i => 1.0) }))
                with { Skipped = true },
            Step("segment", smooth, labels, Json(new { thresholds = new[] { 72.0 }, histogram = new { levels = z, counts = z } }))],
            [new("fraction", "ball <large>", null, 0.21034, "1", 0.19012, 0.23101, "fractions/block-bootstrap-95"),
                new("specificSurfaceArea", "ball <large>", null, 0.0031, "1/nm", null, null, "surface-area/crofton")],
            [new("two-point-matrix", [0, 10, 20], [0.8, 0.7, 0.64], "nm")],
            Json(new { version = "0.1.0", seed = 1, inputs = new[] { new { path = "raw.tif", sha256 = "9f86d081" } } }), "steps:\n  - align # drift\n")
        { Score = Json(new { accuracy = 0.98 }) };
    }

    private static Volume<byte> Balls(Size3 size)
    {
        var volume = new Volume<byte>(size, Voxel);
        var random = new CounterRandom(3, 0);
        for (var z = 0; z < size.Z; z++)
        {
            for (var y = 0; y < size.Y; y++)
            {
                for (var x = 0; x < size.X; x++)
                {
                    var (dx, dy, dz) = (x % 30 - 15, y % 20 - 10, 2 * (z - 6));
                    volume[z, y, x] = (byte)((dx * dx + dy * dy + dz * dz < 70 ? 180 : 70) + random.NextInt(30));
                }
            }
        }
        return volume;
    }

    private static ReportStep Step(string name, IVolume before, IVolume after, JsonObject facts) =>
        new(name, name, $"What {name} does.", Json(new { radius = 3 }), facts, 1.5, before, after, false);

    private static JsonObject Json(object value) => (JsonObject)JsonSerializer.SerializeToNode(value)!;

    [GeneratedRegex("<img[^>]*? src=\"([^\"]{0,24})")]
    private static partial Regex Source();

    [GeneratedRegex("id=\"image-\\d+\"[^>]*src=\"([^\"]+)\"")]
    private static partial Regex Embedded();

    [GeneratedRegex("<(/?)([a-zA-Z][a-zA-Z0-9]*)(?:\"[^\"]*\"|[^>\"])*>")]
    private static partial Regex Tag();
}
