using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using Kerf.Simulation;
using Kerf.Volumes;

namespace Kerf.App;

/// <summary>kerf simulate image STRUCTURE OUT.</summary>
public static class SimulateImageCommand
{
    private static readonly JsonSerializerOptions Strict = new(JsonSerializerDefaults.Web)
    {
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals,
        ReadCommentHandling = JsonCommentHandling.Skip,
        WriteIndented = true,
    };

    /// <summary>The command.</summary>
    public static Command Make()
    {
        var structure = new Argument<string>("STRUCTURE") { Description = "8-bit labels with a voxel size." };
        var output = new Argument<string>("OUT") { Description = "Where the 8-bit slices go: .zarr, .tif, or a folder/. The truth goes beside it, into OUT.truth/." };
        var material = new Option<string[]>("--material") { Description = "What a label is made of: 1=epoxy, 2=Au, 3=SiO2:2.65, 1=vacuum.", HelpName = "label=material", Required = true };
        var energy = new Option<string>("--energy") { Description = "Energy of the beam in keV, 0.5 to 30.", HelpName = "keV", Required = true };
        var electrons = new Option<string?>("--electrons-per-pixel") { Description = "Electrons that a pixel gets (default 100).", HelpName = "n" };
        var detector = new Option<string?>("--detector") { Description = "tld (default), icd, inlens or se2.", HelpName = "name" };
        var acceptance = new Option<string?>("--acceptance") { Description = "Angles to the surface's normal between which tld and icd count, or the outer one alone (default tld 0,90; icd 0,60).", HelpName = "degrees" };
        var window = new Option<string?>("--energy-window") { Description = "Shares of the beam's energy between which tld and icd count (default tld 0,1; icd 0.85,1).", HelpName = "low,high" };
        var tilt = new Option<string?>("--tilt") { Description = "Angle between beam and surface normal in degrees (default 0).", HelpName = "degrees" };
        var probe = new Option<string?>("--probe") { Description = "Standard deviation of the probe in nm (default 1).", HelpName = "nm" };
        var depth = new Option<string?>("--depth") { Description = "How deep the structure is looked at, in nm (default: half of the longest range, at least 200, with vacuum 800).", HelpName = "nm" };
        var elastic = new Option<string?>("--elastic") { Description = "mott (default) or rutherford: ready at once, less true.", HelpName = "name" };
        var artefacts = new Option<string?>("--artefacts") { Description = "JSON of the session's artefacts: driftStep, curtainGrey, thicknessDeviation, noiseSigma …; what it does not name does not happen.", HelpName = "file" };
        var command = new Command("image", "Monte Carlo images of a structure, milled slice by slice.") { structure, output, material, energy, electrons, detector, acceptance, window, tilt, probe, depth, elastic, artefacts };
        return Invocation.With(Invocation.Reading(Invocation.Making(Invocation.Running(command))), (parsed, invocation) =>
        {
            double Value(Option<string?> option, string usual) => SimulateCommands.Number(option, parsed.GetValue(option) ?? usual);
            var beam = new Beam
            {
                KeV = SimulateCommands.Number(energy, parsed.GetValue(energy)!),
                ElectronsPerPixel = (int)Math.Clamp(SimulateCommands.Whole(electrons, parsed.GetValue(electrons) ?? "100"), int.MinValue, int.MaxValue),
                Detector = Enum.TryParse<Detector>(parsed.GetValue(detector) ?? "tld", true, out var known) && !int.TryParse(parsed.GetValue(detector), out _) ? known
                    : throw new InputError($"--detector is \"{parsed.GetValue(detector)}\"; choose tld, icd, inlens or se2."),
                Acceptance = Pair(acceptance, parsed.GetValue(acceptance) is { } angle && !angle.Contains(',', StringComparison.Ordinal) ? "0," + angle : parsed.GetValue(acceptance)),
                EnergyWindow = Pair(window, parsed.GetValue(window)),
                TiltDegrees = Value(tilt, "0"),
                ProbeSigma = Value(probe, "1"),
                Depth = Value(depth, "0"),
                Elastic = SimulateCommands.Cross(elastic, parsed),
            };
            var path = parsed.GetValue(structure)!;
            var opened = VolumeFile.Open(path, invocation.Opening);
            using var held = opened as IDisposable;
            if (opened is not IVolume<byte> labels) throw new InputError($"{path}: holds {opened.Info.Type.Name()}; a structure is 8-bit labels.");
            var made = new VirtualImage(labels, Materials(parsed.GetValue(material)!), beam, Artefacts(parsed.GetValue(artefacts)), invocation.SeedValue);
            var result = made.Write(parsed.GetValue(output)!, invocation.Forced, invocation.Walk with { Progress = invocation.Progress.Begin("electrons") });
            var json = new JsonObject
            {
                ["electronsPerSecond"] = result.Electrons / result.Seconds,
                ["seconds"] = result.Seconds,
                ["electrons"] = result.Electrons,
                ["lostShare"] = result.Lost,
                ["output"] = parsed.GetValue(output),
                ["truth"] = VirtualImage.TruthFolder(parsed.GetValue(output)!),
            };
            invocation.Print(json, () => string.Create(CultureInfo.InvariantCulture, $"{parsed.GetValue(output)}: {result.Electrons:G3} electrons in {result.Seconds:F0} s, {result.Electrons / result.Seconds:G3} a second{Dark(result)}"));
        });
    }

    // pores with no floor are darker than a deeper specimen would show them
    private static string Dark(ImagingResult result) => result.Lost < 0.1 ? ""
        : string.Create(CultureInfo.InvariantCulture, $"\n{result.Lost:P0} of the electrons fell out of the {result.Depth:F0} nm that are looked at: pores are too dark. Make the structure deeper, or raise --depth.");

    private static (double, double)? Pair(Option option, string? text) => text is null ? null
        : text.Split(',') is [var low, var high] ? (SimulateCommands.Number(option, low), SimulateCommands.Number(option, high))
        : throw new InputError($"{option.Name} is \"{text}\"; give two numbers with a comma between them.");

    private static Dictionary<int, Material> Materials(string[] texts)
    {
        var materials = new Dictionary<int, Material>();
        foreach (var text in texts)
        {
            var cut = text.IndexOf('=', StringComparison.Ordinal);
            if (cut < 1 || !int.TryParse(text[..cut], NumberStyles.None, CultureInfo.InvariantCulture, out var label) || label > 255)
                throw new InputError($"--material is \"{text}\"; write label=material, like 2=Au.");
            if (!materials.TryAdd(label, Material.Parse(text[(cut + 1)..]))) throw new InputError($"--material: label {label} has two materials.");
        }
        return materials;
    }

    // what the file does not name does not happen: the electrons that are counted bring noise enough
    private static Session? Artefacts(string? path)
    {
        if (path is null) return null;
        if (!File.Exists(path)) throw new InputError($"{path}: no such file. Write the artefacts as JSON, like {{\"driftStep\": 0.8, \"noiseSigma\": 10}}.");
        var all = JsonSerializer.SerializeToNode(Session.Perfect, Strict)!.AsObject();
        try
        {
            var named = JsonNode.Parse(File.ReadAllText(path), null, new() { CommentHandling = JsonCommentHandling.Skip }) as JsonObject
                ?? throw new InputError("is no JSON object. Write one like {\"driftStep\": 0.8, \"noiseSigma\": 10}.");
            Name(all, named, "artefact");
            var session = all.Deserialize<Session>(Strict)!;
            session.Check();
            return session;
        }
        catch (Exception error) when (error is JsonException or ArgumentException)
        {
            var line = error is JsonException { LineNumber: { } at } ? $" (line {at + 1})" : "";
            throw new InputError($"{path}: is not readable as JSON{line}. Write the artefacts like {{\"driftStep\": 0.8, \"noiseSigma\": 10}}.");
        }
        catch (InputError error)
        {
            throw new InputError($"{path}: {error.Message}", error);
        }
    }

    private static void Name(JsonObject all, JsonObject named, string kind)
    {
        string[] known = [.. all.Select(p => p.Key)];
        foreach (var (name, value) in named)
        {
            if (!known.Contains(name)) throw new InputError($"there is no {kind} \"{name}\"{Naming.Suggest(name, known)}");
            if (all[name] is null && value is JsonObject marks)
            {
                var ruler = JsonSerializer.SerializeToNode(new VirtualRuler(), Strict)!.AsObject();
                Name(ruler, marks, "parameter of a ruler");
                all[name] = ruler;
                continue;
            }
            bool IsNumber(JsonNode? node) => node is JsonValue v && (v.GetValueKind() == JsonValueKind.Number || v.ToString() == "Infinity");
            var (fits, wanted) = all[name] switch
            {
                null => (false, "{\"angle\": 45, …}"),
                JsonArray => (value is JsonArray list && list.All(IsNumber), "[numbers]"),
                _ => (IsNumber(value), "a number"),
            };
            all[name] = fits ? value!.DeepClone() : throw new InputError($"{name} is {value?.ToJsonString() ?? "null"}; give {wanted}.");
        }
    }
}
