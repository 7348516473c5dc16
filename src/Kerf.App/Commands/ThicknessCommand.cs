using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Kerf.Imaging;
using Kerf.Volumes;

namespace Kerf.App;

/// <summary>kerf thickness IN --method ruler|metadata|images|csv: how thick each slice is.</summary>
public static class ThicknessCommand
{
    private static readonly string[] Methods = ["ruler", "metadata", "images", "csv"];

    /// <summary>The command.</summary>
    public static Command Make()
    {
        var input = new Argument<string>("IN") { Description = "The slices: a folder, a TIFF or a .zarr (for csv also the table itself)." };
        var method = new Option<string>("--method") { Description = "ruler (marks on the specimen), metadata (positions in headers or names), images (likeness alone), csv (a table).", HelpName = "name", DefaultValueFactory = _ => "metadata" };
        var angle = new Option<double>("--angle") { Description = "ruler: angle between inclined and parallel marks in degrees (default 45).", HelpName = "degrees", DefaultValueFactory = _ => 45 };
        var box = new Option<string?>("--box") { Description = "ruler: rows and columns that hold the marks; left out, it looks for them.", HelpName = "y0,y1,x0,x1" };
        var table = new Option<string?>("--depths") { Description = "csv: a table with a column depth_nm or thickness_nm.", HelpName = "file.csv" };
        var output = new Option<string?>("--out") { Description = "Also write the depths as a table, for kerf reposition --depths.", HelpName = "file.csv" };
        var picture = new Option<string?>("--picture") { Description = "ruler: draw the band through all slices, and the marks in it.", HelpName = "file.png" };
        var report = new Option<string?>("--report") { Description = "Write a page: each slice's thickness, their histogram with the gamma law, and for a ruler its marks, also when they are refused.", HelpName = "file.html" };
        var command = new Command("thickness", "Measures how thick each slice is: from ruler marks, the microscope's notes, a table, or the images alone.")
        {
            input, method, angle, box, table, output, picture, report, Invocation.Force,
        };
        return Invocation.With(Invocation.Reading(Invocation.Running(command)), (parsed, session) =>
        {
            string?[] files = [parsed.GetValue(output), parsed.GetValue(picture), parsed.GetValue(report)];
            foreach (var file in files)
                if (file is not null && !session.Forced && File.Exists(file)) throw new InputError($"{file}: is there already; choose another name or add --force.");
            var walk = session.Walk with { Progress = session.Progress.Begin("thickness") };
            var path = parsed.GetValue(input)!;
            byte[]? drawn = null;
            void Draw(RulerSight sight)
            {
                var (rgb, width, height) = RulerPicture.Draw(sight);
                drawn = Png.EncodeRgb(rgb, width, height);
                if (files[1] is { } target) AtomicFile.WriteAllBytes(target, drawn);
            }
            void Tell(SliceThickness? thickness, string? fault)
            {
                if (files[2] is { } target) AtomicFile.WriteAllText(target, ThicknessReport.Page(path, parsed.GetValue(method)!, thickness, drawn, fault));
            }
            var found = parsed.GetValue(method) switch
            {
                "ruler" => Opened(path, session, source =>
                {
                    try
                    {
                        return Ruler.Read(source.AsFloat(), parsed.GetValue(angle), Numbers(parsed.GetValue(box)), walk, Draw).Thickness;
                    }
                    catch (InputError fault) when (drawn is not null)
                    {
                        Tell(null, fault.Message);
                        throw;
                    }
                }),
                "metadata" => Opened(path, session, ByMetadata),
                "images" => Opened(path, session, source => ImageThickness.Measure(source.AsFloat(), walk)),
                "csv" => ByTable(path, parsed.GetValue(table), session),
                var other => throw new InputError($"--method: there is no \"{other}\"{Naming.Suggest(other!, Methods)} Choose {string.Join(", ", Methods)}."),
            };
            if (files[0] is { } target) AtomicFile.WriteAllText(target, SliceDepths.ToCsv(found.Depths));
            Tell(found, null);
            session.Print(ToJson(found), () => ToText(found));
        });
    }

    private static SliceThickness Opened(string path, Invocation session, Func<IVolume, SliceThickness> measure)
    {
        var source = VolumeFile.Open(path, session.Opening);
        using var held = source as IDisposable;
        return measure(source);
    }

    private static SliceThickness ByMetadata(IVolume source) => SliceThickness.FromDepths(SliceDepths.Of(source.Info, SliceDepths.DepthsKey) ?? throw new InputError(
        "thickness: neither the headers nor the names of these slices tell where they lie. Choose --method ruler, csv or images."));

    private static SliceThickness ByTable(string path, string? table, Invocation session)
    {
        var isTable = path.EndsWith(".csv", StringComparison.OrdinalIgnoreCase) || path.EndsWith(".txt", StringComparison.OrdinalIgnoreCase);
        if (table is null && !isTable) throw new InputError("thickness: --method csv needs the table: --depths FILE.csv.");
        return isTable ? SliceThickness.FromDepths(SliceDepths.Read(table ?? path, null))
            : Opened(path, session, source => SliceThickness.FromDepths(SliceDepths.Read(table!, source.Info.Size.Z)));
    }

    private static int[]? Numbers(string? text)
    {
        if (text is null) return null;
        var parts = text.Split(',', StringSplitOptions.TrimEntries);
        return parts.Length == 4 && parts.All(p => int.TryParse(p, NumberStyles.None, CultureInfo.InvariantCulture, out _)) ? [.. parts.Select(p => int.Parse(p, CultureInfo.InvariantCulture))]
            : throw new InputError($"--box is \"{text}\"; write y0,y1,x0,x1 in pixels, like 0,40,0,1024.");
    }

    private static JsonObject ToJson(SliceThickness found) => (JsonObject)JsonSerializer.SerializeToNode(new
    {
        thickness = found.Thickness,
        uncertainty = found.Uncertainty.Select(u => double.IsFinite(u) ? (double?)u : null),
        outliers = found.Outliers,
        mean = found.Mean,
        sd = found.Sd,
        gamma = new { shape = Finite(found.Gamma.Shape), scale = Finite(found.Gamma.Scale) },
        depths = found.Depths,
        warnings = found.Warnings,
    })!;

    private static double? Finite(double value) => double.IsFinite(value) ? value : null;

    private static string ToText(SliceThickness found) => string.Create(CultureInfo.InvariantCulture,
        $"{found.Thickness.Length + 1} slices: {found.Mean:F2} ± {found.Sd:F2} nm without {found.Outliers.Length} outliers; gamma law with shape {found.Gamma.Shape:F2}, scale {found.Gamma.Scale:F3} nm")
        + string.Concat(found.Warnings.Select(w => $"\nmind: {w}"));
}
