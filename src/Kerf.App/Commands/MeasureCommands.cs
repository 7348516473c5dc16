using System.CommandLine;
using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Kerf.Volumes;

namespace Kerf.App;

/// <summary>kerf measure KIND IN.</summary>
public static class MeasureCommands
{
    /// <summary>The command with one subcommand per measure.</summary>
    public static Command Make()
    {
        var command = new Command("measure", "Measures a volume: numbers with unit and uncertainty.");
        foreach (var declared in Catalogue.Measures) command.Add(Kind(declared));
        return command;
    }

    private static Command Kind(Declared declared)
    {
        var input = new Argument<string>("IN") { Description = "A segmented (or grey) volume: .zarr, TIFF, or a slice folder." };
        var folder = new Option<string?>("--out") { Description = "Also write measurements.json, measurements.csv, curves.csv, tables, figures and report.html into this folder.", HelpName = "folder" };
        var options = StepCommands.Options(declared);
        var command = Invocation.Making(Invocation.Reading(Invocation.Running(new Command(declared.Name, declared.Summary) { input, folder })));
        foreach (var option in options) command.Add(option);
        return Invocation.With(command, (parsed, session) =>
        {
            var measure = (Measure)declared.Build(StepCommands.Values(declared, options, parsed));
            if (measure.Streams) session.HoldBudget();
            var source = VolumeFile.Open(parsed.GetValue(input)!, session.Opening);
            VolumeFile.CheckFinite(source, session.Walk, parsed.GetValue(input)!);
            var measured = measure.Run(source, session.Walk with { Progress = session.Progress.Begin(declared.Name) }, session.SeedValue);
            if (parsed.GetValue(folder) is { } place)
            {
                Directory.CreateDirectory(place);
                MeasurementFiles.Write(place, measured);
                var figures = MeasurementFiles.WriteExtras(place, measured, session.Walk);
                var title = $"{Wording.Title(declared.Name)} of {Path.GetFileName(parsed.GetValue(input)!.TrimEnd('/', '\\'))}";
                var provenance = new JsonObject { ["version"] = Machine.Version, ["seed"] = session.SeedValue, ["parameters"] = declared.Json(measure) };
                Report.Write(new(title, declared.Summary, [], measured.Measurements, measured.Curves, provenance, "") { Phases = source.Info.Phases ?? [], Figures = figures },
                    Path.Combine(place, "report.html"), session.Walk);
            }
            session.Print((JsonObject)JsonSerializer.SerializeToNode(measured, MeasurementFiles.Json)!, () => Table(measured.Measurements).TrimEnd());
        });
    }

    /// <summary>Measurements as aligned lines: name, phase, axis, value, unit, interval, and the range that the segmentation's doubt leaves.</summary>
    public static string Table(IReadOnlyList<Measurement> measurements)
    {
        var text = new StringBuilder();
        foreach (var m in measurements)
        {
            var interval = m is { Low: { } low, High: { } high } ? string.Create(CultureInfo.InvariantCulture, $"[{low:G4}, {high:G4}]") : "";
            var doubt = m is { DoubtLow: { } from, DoubtHigh: { } to } ? string.Create(CultureInfo.InvariantCulture, $"  segmentation [{from:G4}, {to:G4}]") : "";
            text.Append(CultureInfo.InvariantCulture, $"{m.Name,-24}{m.Phase,-22}{m.Axis,-3}{m.Value,12:G5} {(m.Unit == "1" ? "" : m.Unit),-8}{interval}{doubt}\n");
        }
        return text.ToString();
    }
}
