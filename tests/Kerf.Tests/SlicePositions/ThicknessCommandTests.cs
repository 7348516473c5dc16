using Kerf.Imaging;
using Xunit;

namespace Kerf.Tests;

/// <summary>The whole way of a ruler: drawn by the virtual microscope, read by <c>kerf thickness</c>, held against the truth beside the stack.</summary>
public sealed class ThicknessCommandTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void ARulerUnderTheVirtualMicroscopeTellsTheTruth()
    {
        Run("simulate", "structure", "levelled-wave", "s.zarr", "--size", "200,84,560", "--voxel", "2.5,3.26,3.26", "--solid-fraction", "0.3", "--wavelength", "150", "--seed", "3");
        File.WriteAllText(_folder["a.json"], """
            {"sliceThickness": 10, "thicknessDeviation": 3.12, "driftStep": 0.8, "brightnessJump": 12, "noiseSigma": 12, "electronsAtWhite": 400, "pointSpread": 0.7,
             "ruler": {"columns": [0.08, 0.92, 0.14, 0.86], "top": 2}}
            """);
        Run("simulate", "image", "s.zarr", "i.zarr", "--material", "1=epoxy", "--material", "2=Au", "--energy", "2", "--electrons-per-pixel", "1", "--elastic", "rutherford", "--artefacts", "a.json", "--seed", "3");
        var depths = SliceDepths.Read(_folder["i.zarr.truth/depths.csv"], null);
        double[] truth = [.. depths.Zip(depths.Skip(1), (a, b) => b - a)];
        var told = Run("thickness", "i.zarr", "--method", "ruler", "--out", "d.csv", "--report", "t.html", "--json");
        double[] thickness = [.. told.Json["thickness"]!.AsArray().Select(t => t!.GetValue<double>())];
        var error = Math.Sqrt(truth.Zip(thickness, (a, b) => (a - b) * (a - b)).Average());
        Assert.True(error <= 0.5, $"{error:F2} nm of {truth.Length} slices");
        var page = File.ReadAllText(_folder["t.html"]);
        foreach (var part in (string[])["fitted gamma law", "data:image/png;base64,", "standard error of a thickness"]) Assert.Contains(part, page, StringComparison.Ordinal);
        Run("reposition", "i.zarr", "r.zarr", "--depths", "d.csv", "--grid", "2.5");
        // where there is no ruler the page still shows what was looked at, and why it was refused
        var refused = KerfProcess.Run(_folder.Path, ["thickness", "i.zarr", "--method", "ruler", "--box", "44,54,0,500", "--report", "u.html", "--quiet"]);
        Assert.Equal(2, refused.Status);
        Assert.StartsWith("kerf: thickness: ", refused.Error, StringComparison.Ordinal);
        Assert.Contains("Refused.", File.ReadAllText(_folder["u.html"]), StringComparison.Ordinal);
        foreach (var (marks, message) in ((string, string)[])[
            ("{\"angle\": 90}", "ruler: angle (degrees) is 90; choose 5 to 85."),
            ("{\"angel\": 45}", "there is no parameter of a ruler \"angel\""),
            ("{\"columns\": [0.1, 0.9]}", "ruler: columns has 2 values; give four shares of the width, the two that stay first."),
            ("{\"columns\": 3}", "columns is 3; give [numbers]."),
            ("7", "ruler is 7; give {\"angle\": 45, …}.")])
        {
            File.WriteAllText(_folder["b.json"], $"{{\"ruler\": {marks}}}");
            var odd = KerfProcess.Run(_folder.Path, ["simulate", "image", "s.zarr", "j.zarr", "--material", "1=epoxy", "--material", "2=Au", "--energy", "2", "--artefacts", "b.json", "--quiet"]);
            Assert.Equal(2, odd.Status);
            Assert.Contains(message, odd.Error, StringComparison.Ordinal);
        }
    }

    private KerfProcess.Result Run(params string[] call)
    {
        var result = KerfProcess.Run(_folder.Path, [.. call, "--quiet"]);
        Assert.True(result.Status == 0, $"{string.Join(' ', call)}: {result.Error}");
        return result;
    }
}
