using System.CommandLine;
using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using Kerf.Imaging;
using Kerf.Volumes;

namespace Kerf.App;

/// <summary>kerf gabor-search IMAGE LABELS: the Gabor filters that tell a few labelled pixels apart, best first, and a contact sheet of them.</summary>
public static class GaborSearchCommand
{
    private const int Listed = 12;

    /// <summary>The command.</summary>
    public static Command Make()
    {
        var image = new Argument<string>("IMAGE") { Description = "Grey values: .zarr, TIFF, PNG or a slice folder." };
        var labels = new Argument<string>("LABELS") { Description = "8-bit labels of the same size, a few pixels of each phase drawn; 0 is unlabelled." };
        var sheet = new Option<string?>("--out") { Description = "Also write a contact sheet of the best filters here.", HelpName = "sheet.png" };
        var wanted = new Option<int>("--label") { Description = "The label that the filter shall bring out (default 1).", HelpName = "n", DefaultValueFactory = _ => 1 };
        var reverse = new Option<double?>("--reverse-above") { Description = "Reverse the image first, and take 0 from this grey level on.", HelpName = "grey" };
        var command = new Command("gabor-search", "Finds the Gabor filters that tell labelled pixels apart, from a few drawn labels.") { image, labels, sheet, wanted, reverse, Invocation.Force };
        return Invocation.With(Invocation.Reading(Invocation.Running(command)), (parsed, session) =>
        {
            var place = parsed.GetValue(sheet);
            if (place is not null) CheckSheet(place, session.Forced);
            if (parsed.GetValue(wanted) is var label && label is < 1 or > 255) throw new InputError($"--label is {label}; allowed: 1 to 255.");
            var (grey, drawn) = (VolumeFile.Open(parsed.GetValue(image)!, session.Opening), VolumeFile.Open(parsed.GetValue(labels)!, session.Opening));
            using var heldGrey = grey as IDisposable;
            using var heldDrawn = drawn as IDisposable;
            if (drawn is not IVolume<byte> bytes)
                throw new InputError($"{parsed.GetValue(labels)}: labels are {drawn.Info.Type.Name()}; give 8-bit labels, 0 where nothing is drawn.");
            var walk = session.Walk with { Progress = session.Progress.Begin("gabor-search") };
            var found = GaborSearch.Run(grey, bytes, walk, parsed.GetValue(wanted), reverseAbove: parsed.GetValue(reverse), shown: Listed);
            if (place is not null) AtomicFile.WriteAllBytes(place, Png.EncodeRgb(found.Sheet.Rgb, found.Sheet.Width, found.Sheet.Height));
            session.Print(Json(found, place), () => Text(found));
        });
    }

    private static void CheckSheet(string path, bool force)
    {
        if (!path.EndsWith(".png", StringComparison.OrdinalIgnoreCase)) throw new InputError($"--out is \"{path}\"; the contact sheet is a picture: end it in .png.");
        if (!force && File.Exists(path)) throw new InputError($"{path}: is there already; choose another name or add --force.");
    }

    private static JsonObject Json(GaborSearchResult found, string? sheet) => new()
    {
        ["tried"] = found.Ranked.Count,
        ["filters"] = new JsonArray([.. found.Ranked.Take(Listed).Select(Filter)]),
        ["sheet"] = sheet,
    };

    private static JsonNode Filter(GaborCandidate filter) => new JsonObject
    {
        ["wavelength"] = filter.Wavelength,
        ["theta"] = new JsonArray([.. filter.Theta.Select(angle => JsonValue.Create(angle))]),
        ["psi"] = filter.Psi,
        ["sigma"] = filter.Sigma,
        ["gamma"] = filter.Gamma,
        ["threshold"] = filter.Threshold,
        ["balancedAccuracy"] = filter.BalancedAccuracy,
        ["f1"] = filter.F1,
    };

    // each line is a step to paste into a recipe
    private static string Text(GaborSearchResult found)
    {
        var text = new StringBuilder();
        foreach (var (filter, rank) in found.Ranked.Take(Listed).Select((filter, i) => (filter, i + 1)))
        {
            var theta = string.Join(", ", filter.Theta.Select(angle => angle.ToString(CultureInfo.InvariantCulture)));
            text.Append(CultureInfo.InvariantCulture, $"  - gabor: {{wavelength: {filter.Wavelength}, theta: [{theta}], psi: {filter.Psi}, sigma: {filter.Sigma}, gamma: {filter.Gamma}, ");
            text.Append(CultureInfo.InvariantCulture, $"combine: mean, threshold: {filter.Threshold:R}}}  # {rank}: balanced accuracy {filter.BalancedAccuracy:F3}, F1 {filter.F1:F3}\n");
        }
        return text.ToString().TrimEnd('\n');
    }
}
