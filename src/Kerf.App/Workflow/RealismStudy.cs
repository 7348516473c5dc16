using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Kerf.Simulation;
using Kerf.Volumes;

namespace Kerf.App;

/// <summary>
/// A real stack beside a simulated one: what the first half of the real slices says of noise, greys and grain size sets the microscope and the specimen,
/// by formula; the images that come out are compared with the second half. See docs/methods/realism.md.
/// </summary>
public static class RealismStudy
{
    private const double KeV = 2, Pixel = 10;
    private static readonly Material Matrix = Material.Parse("SiO2:2.65"), Organic = Material.Parse("C10H12O:1.3"), Mineral = Material.Parse("FeCO3:3.96");

    /// <summary>What the fit found.</summary>
    private sealed record Fit(double MatrixGrey, double DarkGrey, double PoreShare, double Grain, double Thickness, double Gain, double Offset, int Electrons, Session Session);

    /// <summary>Runs the study on an 8-bit stack of a rock with mostly one matrix.</summary>
    /// <param name="real">At least four slices, in memory.</param>
    /// <param name="size">Voxels to simulate.</param>
    /// <param name="seed">Of the specimen, the electrons and the session.</param>
    /// <param name="picture">Receives the figure; null for none.</param>
    /// <param name="walk">Threads.</param>
    public static JsonObject Run(Volume<byte> real, Size3 size, ulong seed, string? picture, Traversal walk)
    {
        var half = real.Info.Size.Z / 2;
        var (first, second) = (Part(real, 0, half), Part(real, half, real.Info.Size.Z - half));
        var quiet = walk with { Progress = null };
        var (fitted, compared) = (ImageStatistics.Of(first, quiet), ImageStatistics.Of(second, quiet));
        var fit = Find(fitted, size, seed, quiet);
        var images = Simulate(fit, size, seed, walk.Part(0.1, 0.95));
        var made = ImageStatistics.Of(images, quiet);
        if (picture is not null) Draw(second, images, picture);
        return new()
        {
            ["study"] = "realism",
            ["fittedOn"] = $"slices 0 to {half - 1}",
            ["comparedWith"] = $"slices {half} to {real.Info.Size.Z - 1}",
            ["simulated"] = size.ToString(),
            ["seed"] = seed,
            ["version"] = Machine.Version,
            ["machine"] = Machine.Description,
            ["date"] = DateTime.UtcNow.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture),
            ["fit"] = JsonSerializer.SerializeToNode(fit, MeasurementFiles.Json),
            ["statistics"] = new JsonObject { ["fitted"] = Json(fitted), ["compared"] = Json(compared), ["made"] = Json(made) },
            ["histogramDistance"] = new JsonObject { ["halves"] = Distance(fitted, compared), ["simulated"] = Distance(made, compared) },
        };
    }

    private static Volume<byte> Part(Volume<byte> stack, int z, int count)
    {
        var part = new Volume<byte>(stack.Info.Size with { Z = count });
        stack.Read(new(new(z, 0, 0), part.Info.Size), part.Data);
        return part;
    }

    // largest difference of the cumulative histograms
    private static double Distance(ImageStatistics a, ImageStatistics b)
    {
        double sum = 0, worst = 0;
        for (var g = 0; g < 256; g++) worst = Math.Max(worst, Math.Abs(sum += a.Histogram[g] - b.Histogram[g]));
        return worst;
    }

    private static Fit Find(ImageStatistics real, Size3 size, ulong seed, Traversal walk)
    {
        double matrix = real.Matrix, dark = real.Quantile(0.02);
        var lag = Lag(real.NoiseAlongRow);
        // a lag makes noise of one pixel into that of two
        var kept = (1 - lag) * (1 - lag) + lag * lag;
        double Variance(double grey) => real.NoiseVariance[(int)grey] / kept;
        double Eta(Material material) => BulkYield.Of(material, KeV, 400_000, seed, walk).Eta;
        var (bright, faint) = (Eta(Matrix), Eta(Organic));
        var gain = (matrix - dark) / (bright - faint);
        // counting: variance gain²·η(1 − η)/n; what the dark phase has more than that is the detector's
        var counted = gain * gain * (bright * (1 - bright) - faint * (1 - faint));
        var electrons = Math.Max(1, (int)Math.Round(counted / Math.Max(1e-6, Variance(matrix) - Variance(dark))));
        var detector = Math.Sqrt(Math.Max(0, Variance(matrix) - gain * gain * bright * (1 - bright) / electrons));
        var mean = real.Means.Average();
        var jump = Math.Sqrt(3 * real.Means.Average(m => (m - mean) * (m - mean)));
        var pores = 0.0;
        for (var g = 0; g < (matrix + dark) / 2; g++) pores += real.LocalGreys[g];
        var (grain, thickness) = Scale(real, pores, size, seed, walk);
        var session = Session.Perfect with { NoiseSigma = detector, ScanLag = lag, BrightnessJump = jump, DriftStep = 0.3 };
        return new(matrix, dark, pores, grain, thickness, gain, matrix - gain * bright, electrons, session);
    }

    // c(1 − c)/((1 − c)² + c²) is the correlation that a lag c leaves between neighbours
    private static double Lag(double correlation)
    {
        double low = 0, high = 0.5;
        for (var i = 0; i < 50; i++)
        {
            var c = (low + high) / 2;
            if (c * (1 - c) / ((1 - c) * (1 - c) + c * c) < correlation) low = c;
            else high = c;
        }
        return low;
    }

    // grains as large as the likeness over 4 to 64 pixels asks for, slices as thick as the likeness of neighbours does; noise is white there and drops out of the ratio to lag 2
    private static (double Grain, double Thickness) Scale(ImageStatistics real, double pores, Size3 size, ulong seed, Traversal walk)
    {
        double[] Shape(ImageStatistics s) => [.. Enumerable.Range(2, 5).Select(i => (s.Likeness[0][i] + s.Likeness[1][i]) / (s.Likeness[0][1] + s.Likeness[1][1]))];
        ImageStatistics Rock(double grain, double thickness)
        {
            var labels = VirtualStructure.Make("rock", new(4, 768, 768), new(thickness, Pixel, Pixel), 1 - pores, grain, seed + 1000, walk);
            var grey = Volume<byte>.Load(labels);
            for (var i = 0; i < grey.Data.Length; i++) grey.Data[i] = grey.Data[i] switch { 2 => 118, 4 => 165, _ => 60 };
            return ImageStatistics.Of(grey, walk);
        }
        var wanted = Shape(real);
        var best = new[] { 600.0, 850, 1200, 1700, 2400, 3400 }.MinBy(grain => Shape(Rock(grain, Pixel)).Zip(wanted, (a, b) => (a - b) * (a - b)).Sum());
        var next = real.NextSlice / (real.Likeness[0][1] + real.Likeness[1][1]) * 2;
        return (best, new[] { 2.5, 5, 10, 20, 40 }.MinBy(t => { var r = Rock(best, t); return Math.Abs(r.NextSlice / (r.Likeness[0][1] + r.Likeness[1][1]) * 2 - next); }));
    }

    private static Volume<byte> Simulate(Fit fit, Size3 size, ulong seed, Traversal walk)
    {
        var shifts = fit.Session.Drift(size.Z, seed);
        var margin = fit.Session.Margin(shifts);
        var labels = Volume<byte>.Load(VirtualStructure.Make("rock", size + new Size3(0, 2 * margin, 2 * margin), new(fit.Thickness, Pixel, Pixel), 1 - fit.PoreShare, fit.Grain, seed, walk with { Progress = null }));
        var materials = new Dictionary<int, Material> { [1] = Material.Vacuum, [2] = Matrix, [3] = Organic, [4] = Mineral };
        var (signal, error) = (new Volume<float>(labels.Info.Size), new Volume<float>(labels.Info.Size));
        ElectronImage.Make(labels, materials, new() { KeV = KeV, ElectronsPerPixel = fit.Electrons, ProbeSigma = 0.6 * Pixel, Depth = 400 }, signal, error, seed, walk, null, Session.Fractions(shifts));
        for (var i = 0; i < signal.Data.Length; i++) signal.Data[i] = (float)(fit.Offset + fit.Gain * signal.Data[i]);
        var images = new Volume<byte>(size);
        fit.Session.Image(signal, shifts, images, null, seed, walk with { Progress = null }, Session.Fractions(shifts));
        return images;
    }

    // real above, simulated below: a field, and three times as large the part of it with most structure
    private static void Draw(Volume<byte> real, Volume<byte> made, string path)
    {
        var edge = Math.Min(480, Math.Min(made.Info.Size.Y, made.Info.Size.X));
        var montage = new Montage(2, edge, edge);
        foreach (var stack in new[] { real, made })
        {
            var z = stack.Info.Size.Z / 2;
            var (top, left) = stack == real ? (60, 20) : (0, 0);
            montage.Add(stack, z, top, left);
            var places = from y in Enumerable.Range(0, (2 * edge / 3 / 16) + 1) from x in Enumerable.Range(0, (2 * edge / 3 / 16) + 1) select (Y: top + 16 * y, X: left + 16 * x);
            var best = places.MaxBy(p => Variance(stack, z, p.Y, p.X, edge / 3));
            montage.Add(stack, z, best.Y, best.X, 3);
        }
        montage.Save(path);
    }

    private static double Variance(Volume<byte> stack, int z, int top, int left, int edge)
    {
        double sum = 0, squares = 0;
        for (var y = top; y < top + edge; y++)
            for (var x = left; x < left + edge; x++) (sum, squares) = (sum + stack[z, y, x], squares + (double)stack[z, y, x] * stack[z, y, x]);
        return squares - sum * sum / ((double)edge * edge);
    }

    private static JsonObject Json(ImageStatistics s)
    {
        static JsonArray Numbers(IEnumerable<double> values) => [.. values.Select(v => JsonValue.Create(Math.Round(v, 4)))];
        double mean = 0, variance = 0, skew = 0;
        for (var g = 0; g < 256; g++) mean += g * s.Histogram[g];
        for (var g = 0; g < 256; g++) (variance, skew) = (variance + (g - mean) * (g - mean) * s.Histogram[g], skew + Math.Pow(g - mean, 3) * s.Histogram[g]);
        return new()
        {
            ["mean"] = Math.Round(mean, 2),
            ["deviation"] = Math.Round(Math.Sqrt(variance), 2),
            ["skewness"] = Math.Round(skew / Math.Pow(variance, 1.5), 3),
            ["noise"] = Math.Round(s.Noise, 2),
            ["noiseMatrix"] = Math.Round(Math.Sqrt(s.NoiseVariance[s.Matrix]), 2),
            ["noiseDark"] = Math.Round(Math.Sqrt(s.NoiseVariance[s.Quantile(0.02)]), 2),
            ["noiseAlongRow"] = Math.Round(s.NoiseAlongRow, 3),
            ["localGreyQuantiles"] = Numbers(new[] { 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 0.75, 0.95, 0.99, 0.999 }.Select(q => (double)s.Quantile(q))),
            ["likenessX"] = Numbers(s.Likeness[0]),
            ["likenessY"] = Numbers(s.Likeness[1]),
            ["nextSlice"] = Math.Round(s.NextSlice, 4),
        };
    }
}
