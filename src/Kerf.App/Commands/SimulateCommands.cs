using System.CommandLine;
using System.Globalization;
using System.Text.Json.Nodes;
using Kerf.Simulation;
using Kerf.Volumes;

namespace Kerf.App;

/// <summary>kerf simulate: virtual specimens under a virtual microscope.</summary>
public static class SimulateCommands
{
    /// <summary>The command with its subcommands.</summary>
    public static Command Make() => new("simulate", "Virtual specimens, and what a microscope would see of them.")
    {
        SimulateStructureCommand.Make(), SimulateImageCommand.Make(), Yield(), TwoDetectorCommand.Make(),
    };

    private static Command Yield()
    {
        var material = new Option<string>("--material") { Description = "Au, SiO2:2.65 (formula and g/cm³), epoxy, NMC811 …", HelpName = "material", Required = true };
        var energy = new Option<string>("--energy") { Description = "Energy of the beam in keV, 0.5 to 30.", HelpName = "keV", Required = true };
        var electrons = new Option<string?>("--electrons") { Description = "Electrons to follow (default 200000).", HelpName = "n" };
        var tilt = new Option<string?>("--tilt") { Description = "Angle between beam and surface normal in degrees (default 0).", HelpName = "degrees" };
        var elastic = new Option<string?>("--elastic") { Description = "mott (default) or rutherford: ready at once, less true.", HelpName = "name" };
        var command = new Command("yield", "Backscatter coefficient of a flat bulk by Monte Carlo transport.") { material, energy, electrons, tilt, elastic };
        return Invocation.With(Invocation.Making(Invocation.Running(command)), (parsed, session) =>
        {
            var bulk = Material.Parse(parsed.GetValue(material)!);
            var keV = Number(energy, parsed.GetValue(energy)!);
            var count = Whole(electrons, parsed.GetValue(electrons) ?? "200000");
            var result = BulkYield.Of(bulk, keV, count, session.SeedValue, session.Walk with { Progress = session.Progress.Begin("electrons") },
                Number(tilt, parsed.GetValue(tilt) ?? "0"), Cross(elastic, parsed));
            session.Print(Json(result), () => string.Create(CultureInfo.InvariantCulture,
                $"{bulk.Name} at {keV} keV: η {result.Eta:F4} ± {result.StandardError:F4}, half of it from above {result.HalfDepth:F1} nm; {result.Electrons / result.Seconds:G3} electrons/s"));
        });
    }

    private static JsonObject Json(BulkYield result) => new()
    {
        ["eta"] = result.Eta,
        ["standardError"] = result.StandardError,
        ["electronsPerSecond"] = result.Electrons / result.Seconds,
        ["rangeNanometres"] = result.RangeNanometres,
        ["halfDepthNanometres"] = result.HalfDepth,
    };

    internal static Elastic Cross(Option<string?> option, ParseResult parsed) => parsed.GetValue(option) switch
    {
        null or "mott" => Elastic.Mott,
        "rutherford" => Elastic.Rutherford,
        var other => throw new InputError($"--elastic is \"{other}\"; choose mott or rutherford."),
    };

    // 1e6 is a whole number, too
    internal static long Whole(Option option, string text) => Number(option, text) is var value && value == Math.Round(value) && Math.Abs(value) < 1e18 ? (long)value
        : throw new InputError($"{option.Name} is \"{text}\"; give a whole number.");

    internal static double Number(Option option, string text) => double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var value) ? value
        : throw new InputError($"{option.Name} is \"{text}\"; give a number.");
}
