using System.Text.Json;
using System.Text.Json.Nodes;

namespace Kerf.Volumes;

/// <summary>The metadata of images that are written. The text is a function of its arguments alone: a partial volume is recognised by it.</summary>
internal static class OmeWriter
{
    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true };

    /// <summary>The file of a group that holds its attributes.</summary>
    public static string GroupFile(string path, int format) => Path.Combine(path, format == 3 ? "zarr.json" : ".zattrs");

    /// <summary>The attributes of the image's group; only level 0 is listed until it is complete.</summary>
    public static string Group(VolumeInfo info, IReadOnlyList<string>? channels, PyramidLevel[] levels, int format, bool complete)
    {
        var ome = new JsonObject();
        if (format == 3) ome["version"] = "0.5";
        ome["multiscales"] = new JsonArray(Multiscale(info, channels is not null, complete ? levels : levels[..1], format));
        if (channels is not null)
            ome["omero"] = new JsonObject { ["channels"] = new JsonArray([.. channels.Select(name => Channel(name, info.Type))]) };
        if (info.Phases is { Count: > 0 } phases) ome["image-label"] = ImageLabel(phases, format);
        var kerf = new JsonObject { ["complete"] = complete, ["phases"] = null, ["metadata"] = new JsonObject() };
        if (info.Phases is { } named)
        {
            kerf["phases"] = new JsonArray([.. named.Select(phase =>
                new JsonObject { ["label"] = phase.Label, ["name"] = phase.Name, ["colour"] = phase.Colour })]);
        }
        foreach (var (key, value) in info.Metadata.OrderBy(pair => pair.Key, StringComparer.Ordinal)) kerf["metadata"]![key] = value;
        if (format == 2)
        {
            ome["kerf"] = kerf;
            return Text(ome);
        }
        return Text(new() { ["zarr_format"] = 3, ["node_type"] = "group", ["attributes"] = new JsonObject { ["ome"] = ome, ["kerf"] = kerf } });
    }

    /// <summary>Indented JSON.</summary>
    public static string Text(JsonObject json) => json.ToJsonString(Indented) + "\n";

    private static JsonObject Multiscale(VolumeInfo info, bool channels, PyramidLevel[] levels, int format)
    {
        var axes = new JsonArray();
        if (channels) axes.Add(new JsonObject { ["name"] = "c", ["type"] = "channel" });
        foreach (var name in (ReadOnlySpan<string>)["z", "y", "x"])
        {
            var axis = new JsonObject { ["name"] = name, ["type"] = "space" };
            if (info.Voxel is not null) axis["unit"] = "nanometer";
            axes.Add(axis);
        }
        var multiscale = new JsonObject();
        if (format == 2) multiscale["version"] = "0.4";
        multiscale["axes"] = axes;
        multiscale["datasets"] = new JsonArray([.. levels.Select((level, i) => Dataset(info, channels, level, i))]);
        multiscale["type"] = info.Phases is null ? "mean" : "mode";
        return multiscale;
    }

    private static JsonObject Dataset(VolumeInfo info, bool channels, PyramidLevel level, int number)
    {
        var (scale, translation) = (new JsonArray(), new JsonArray());
        if (channels) scale.Add(1.0);
        if (channels) translation.Add(0.0);
        for (var axis = 0; axis < 3; axis++)
        {
            var edge = info.Voxel?[axis] ?? 1;
            scale.Add(edge * level.Factor[axis]);
            // coordinates are those of voxel centres: the first merged voxel lies between the ones that it merges
            translation.Add(edge * (level.Factor[axis] - 1) / 2);
        }
        var transformations = new JsonArray(new JsonObject { ["type"] = "scale", ["scale"] = scale });
        if (number > 0) transformations.Add(new JsonObject { ["type"] = "translation", ["translation"] = translation });
        return new() { ["path"] = level.Path, ["coordinateTransformations"] = transformations };
    }

    private static JsonObject Channel(string name, PixelType type) => new()
    {
        ["label"] = name,
        ["color"] = "FFFFFF",
        ["active"] = true,
        ["window"] = new JsonObject { ["min"] = 0, ["max"] = (double)type.TopLevel(), ["start"] = 0, ["end"] = (double)type.TopLevel() },
    };

    private static JsonObject ImageLabel(IReadOnlyList<Phase> phases, int format)
    {
        var label = new JsonObject();
        if (format == 2) label["version"] = "0.4";
        label["colors"] = new JsonArray([.. phases.Select(phase =>
            new JsonObject { ["label-value"] = phase.Label, ["rgba"] = new JsonArray(phase.Rgb.R, phase.Rgb.G, phase.Rgb.B, 255) })]);
        label["properties"] = new JsonArray([.. phases.Select(phase => new JsonObject { ["label-value"] = phase.Label, ["name"] = phase.Name })]);
        return label;
    }
}
