using System.CommandLine;
using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Kerf.Microstructure;
using Kerf.Volumes;

namespace Kerf.App;

/// <summary>kerf compare: a segmentation against the truth, or several segmentations against each other.</summary>
public static class CompareCommand
{
    /// <summary>The command.</summary>
    public static Command Make()
    {
        var paths = new Argument<string[]>("RESULT TRUTH") { Description = "8-bit labels: the result and the truth; with --users two or more results.", Arity = ArgumentArity.OneOrMore };
        var crop = new Option<string?>("--crop") { Description = "Judge this box alone, in voxels; the score of the whole volume is given beside it.", HelpName = "z,y,x,dz,dy,dx" };
        var users = new Option<bool>("--users") { Description = "Compare several users' segmentations of one volume with each other; there is no truth." };
        var dense = new Option<bool>("--dense") { Description = "Label 0 is a class; otherwise voxels whose true label is 0 are not judged (a mask of 0 and one label needs no --dense)." };
        var solid = new Option<int?>("--solid") { Description = "Of two classes the solid one, for MP and MGP (default: the higher label).", HelpName = "label" };
        var images = new Option<string?>("--out") { Description = "With --users: a folder for the difference image of each pair (255 where the two differ).", HelpName = "folder" };
        var command = new Command("compare", "Scores a segmentation against the truth (IoU, Dice, awe, MP, MGP …), or several users' segmentations against each other.")
        {
            paths, crop, users, dense, solid, images, Invocation.Force,
        };
        return Invocation.With(Invocation.Reading(Invocation.Running(command)), (parsed, session) =>
        {
            var (typed, place, zero) = (parsed.GetValue(paths)!, parsed.GetValue(images), parsed.GetValue(dense));
            if (parsed.GetValue(users))
            {
                if (parsed.GetValue(crop) is not null || parsed.GetValue(solid) is not null) throw new InputError("compare: --crop and --solid need a truth; drop them, or drop --users.");
                Variance(typed, zero, place, session);
            }
            else
            {
                if (typed.Length != 2) throw new InputError($"compare: {typed.Length} volume{(typed.Length > 1 ? "s" : "")} given; give RESULT and TRUTH, or add --users to compare several results.");
                if (place is not null) throw new InputError("compare: --out takes the difference images of --users; drop it, or add --users.");
                Score(typed, parsed.GetValue(crop), zero, parsed.GetValue(solid), session);
            }
        });
    }

    private static void Score(string[] paths, string? crop, bool dense, int? solid, Invocation session)
    {
        var volumes = Open(paths, session);
        var (found, truth) = (volumes[0], volumes[1]);
        var box = crop is null ? (Box?)null : Parse(crop);
        var walk = session.Walk with { Progress = session.Progress.Begin("compare") };
        var whole = Confusion.Of(found, truth, walk);
        var zero = dense || whole.IsMask;
        Phase[] phases = [.. (truth.Info.Phases ?? []).Concat(found.Info.Phases ?? [])];
        JsonObject json = Json(whole.Score(zero, solid), phases), shown = json;
        if (box is { } region)
        {
            shown = Json(Confusion.Of(found, truth, walk, region).Score(zero, solid), phases);
            shown["crop"] = new JsonArray([.. new[] { region.Start.Z, region.Start.Y, region.Start.X, region.Size.Z, region.Size.Y, region.Size.X }.Select(n => JsonValue.Create(n))]);
            shown["whole"] = json;
        }
        Close(volumes);
        session.Print(shown, () => box is null ? Text(json) : $"crop {crop}\n{Text(shown)}\nwhole volume\n{Text(json)}");
    }

    /// <summary>The keys that scripts read.</summary>
    public static JsonObject Json(SegmentationScore score, IReadOnlyList<Phase> phases)
    {
        var json = (JsonObject)JsonSerializer.SerializeToNode(score, MeasurementFiles.Json)!;
        json.Remove("binary");
        foreach (var row in json["classes"]!.AsArray())
        {
            var label = row!["label"]!.GetValue<int>();
            row["f1"] = row["dice"]!.GetValue<double>();
            row["name"] = phases.FirstOrDefault(phase => phase.Label == label)?.Name;
        }
        if (score.Binary is { } binary)
            (json["solid"], json["MP"], json["MGP"], json["solidFractionError"]) = (binary.Solid, binary.Mp, binary.Mgp, binary.SolidFractionError);
        return json;
    }

    private static string Text(JsonObject json)
    {
        var text = new StringBuilder();
        foreach (var (key, value) in json)
            if (value is JsonValue number && number.GetValueKind() == JsonValueKind.Number) text.Append(CultureInfo.InvariantCulture, $"{key,-20}{number.Deserialize<double>():0.#####}\n");
        text.Append(CultureInfo.InvariantCulture, $"{"label",-8}{"IoU",8}{"Dice",8}{"precision",11}{"recall",8}{"fraction",10}{"true",8}\n");
        foreach (var row in json["classes"]!.AsArray())
        {
            double Of(string key) => row![key]!.GetValue<double>();
            text.Append(CultureInfo.InvariantCulture, $"{row!["label"],-8}{Of("iou"),8:0.0000}{Of("dice"),8:0.0000}{Of("precision"),11:0.0000}{Of("recall"),8:0.0000}");
            text.Append(CultureInfo.InvariantCulture, $"{Of("fraction"),10:0.0000}{Of("trueFraction"),8:0.0000} {row["name"]}\n");
        }
        return text.ToString().TrimEnd();
    }

    private static void Variance(string[] paths, bool dense, string? place, Invocation session)
    {
        var users = Open(paths, session);
        var pairs = UserVariance.PairsOf(users.Length);
        var targets = place is null ? null : pairs.Select(pair => Target(place, pair, users[0].Info, session.Forced)).ToArray();
        var walk = session.Walk with { Progress = session.Progress.Begin("compare") };
        var found = UserVariance.Of(users, dense, targets is null ? null : [.. targets.Cast<IWritableVolume<byte>>()], walk);
        foreach (var target in targets ?? [])
        {
            target.Complete(walk with { Progress = null });
            target.Dispose();
        }
        Close(users);
        session.Print(Json(found, paths), () => Text(found));
    }

    private static ZarrVolume Target(string folder, (int A, int B) pair, VolumeInfo info, bool force)
    {
        var path = Path.Combine(folder, $"difference-{pair.A + 1}-{pair.B + 1}.zarr");
        if (Directory.Exists(path))
        {
            if (!force) throw new InputError($"{path}: is there already; choose another folder or add --force.");
            Directory.Delete(path, recursive: true);
        }
        Directory.CreateDirectory(folder);
        return ZarrVolume.Create(path, info with { Phases = null });
    }

    private static JsonObject Json(UserVariance found, string[] paths) => new()
    {
        ["users"] = new JsonArray([.. paths.Select(path => JsonValue.Create(path))]),
        ["phases"] = new JsonArray([.. found.Phases.Select(p => new JsonObject
        {
            ["label"] = p.Phase.Label,
            ["name"] = p.Phase.Name,
            ["fractions"] = new JsonArray([.. p.Fractions.Select(f => JsonValue.Create(f))]),
            ["mean"] = p.Mean,
            ["standardDeviation"] = p.StandardDeviation,
        })]),
        ["pairs"] = new JsonArray([.. found.Pairs.Select(p => new JsonObject { ["a"] = p.A + 1, ["b"] = p.B + 1, ["differencePercent"] = p.Percent })]),
        ["meanDifferencePercent"] = found.MeanDifference,
    };

    private static string Text(UserVariance found)
    {
        var text = new StringBuilder();
        foreach (var p in found.Phases)
            text.Append(CultureInfo.InvariantCulture, $"{p.Phase.Name,-24}fraction {p.Mean:0.0000} ± {p.StandardDeviation:0.0000} ({string.Join(", ", p.Fractions.Select(f => f.ToString("0.0000", CultureInfo.InvariantCulture)))})\n");
        foreach (var p in found.Pairs) text.Append(CultureInfo.InvariantCulture, $"{p.A + 1} and {p.B + 1} differ in {p.Percent:0.000} % of the voxels\n");
        return text.Append(CultureInfo.InvariantCulture, $"mean over pairs {found.MeanDifference:0.000} %").ToString();
    }

    private static IVolume<byte>[] Open(string[] paths, Invocation session)
    {
        var opening = session.Opening;
        return [.. paths.Select(path => VolumeFile.Open(path, opening with { CacheBytes = opening.CacheBytes / paths.Length }).AsLabels(path))];
    }

    private static void Close(IVolume<byte>[] volumes)
    {
        foreach (var volume in volumes) (volume as IDisposable)?.Dispose();
    }

    private static Box Parse(string text)
    {
        var parts = text.Split(',', StringSplitOptions.TrimEntries);
        var n = new int[parts.Length];
        var whole = parts.Select((part, i) => int.TryParse(part, NumberStyles.None, CultureInfo.InvariantCulture, out n[i])).ToArray();
        return parts.Length == 6 && whole.All(ok => ok) ? new(new(n[0], n[1], n[2]), new(n[3], n[4], n[5]))
            : throw new InputError($"--crop is \"{text}\"; write z,y,x,dz,dy,dx: the first voxel and the extent, six whole numbers.");
    }
}
