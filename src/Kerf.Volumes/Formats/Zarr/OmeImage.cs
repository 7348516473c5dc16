using System.Text.Json;

namespace Kerf.Volumes;

/// <summary>Which axis of an array is which; −1 for one that it lacks.</summary>
internal readonly record struct ZarrAxes(int C, int Z, int Y, int X)
{
    /// <summary>The axes of arrays that are written: z, y, x, or c, z, y, x.</summary>
    public static ZarrAxes Written(bool channels) => channels ? new(0, 1, 2, 3) : new(-1, 0, 1, 2);

    /// <summary>(z, y, x) of per-axis numbers; 1 where an axis is missing.</summary>
    public Size3 Of(int[] extents) => new(Z < 0 ? 1 : extents[Z], extents[Y], extents[X]);
}

/// <summary>One resolution of an image.</summary>
/// <param name="Path">Folder of its array, relative to the image's.</param>
/// <param name="Voxel">Edge lengths in nanometres, if known.</param>
internal sealed record OmeLevel(string Path, VoxelSize? Voxel);

/// <summary>What the folder of an OME-Zarr image or of a bare array says of itself: NGFF 0.4 (zarr v2), 0.5 (zarr v3).</summary>
internal sealed record OmeImage
{
    /// <summary>The image's folder.</summary>
    public required string Path { get; init; }

    /// <summary>The file that holds the metadata.</summary>
    public required string File { get; init; }

    /// <summary>Resolutions, finest first.</summary>
    public required IReadOnlyList<OmeLevel> Levels { get; init; }

    /// <summary>Names of the axes, slowest first; null when only the array can tell.</summary>
    public IReadOnlyList<string>? Axes { get; init; }

    /// <summary>Names of the channels; null when there are none.</summary>
    public IReadOnlyList<string>? Channels { get; init; }

    /// <summary>The phases when it is a label image.</summary>
    public IReadOnlyList<Phase>? Phases { get; init; }

    /// <summary>What the microscope wrote.</summary>
    public IReadOnlyDictionary<string, string> Metadata { get; init; } = new Dictionary<string, string>();

    /// <summary>Whether Kerf finished it: null for a volume of another program.</summary>
    public bool? Complete { get; init; }

    /// <summary>Reads the metadata of an image.</summary>
    /// <exception cref="InputError">There is none, or they are wrong.</exception>
    public static OmeImage Read(string path)
    {
        if (!Directory.Exists(path)) throw new InputError($"{path}: is no folder, so no zarr volume. Check the path.");
        var root = ZarrMeta.Open(System.IO.Path.Combine(path, "zarr.json"));
        var attributes = root is not null ? root.Value.Find("attributes") : ZarrMeta.Open(System.IO.Path.Combine(path, ".zattrs"));
        var ome = attributes?.Find("ome") ?? attributes;
        if (attributes is { } all && ome is { } image && image.Find("multiscales") is { } multiscales)
            return Multiscale(path, all, image, multiscales.Items(1, 1024)[0]);
        if (root?.Find("node_type")?.Text == "array" || System.IO.File.Exists(System.IO.Path.Combine(path, ".zarray")))
            return new() { Path = path, File = root?.File ?? System.IO.Path.Combine(path, ".zarray"), Levels = [new("", null)] };
        throw new InputError(ome?.Find("bioformats2raw.layout") is not null
            ? $"{path}: holds several images in folders of their own. Open one of them, such as {System.IO.Path.Combine(path, "0")}."
            : $"{path}: holds neither an OME-Zarr image (0.4, 0.5) nor a zarr array. Check the path; images inside a larger zarr have folders of their own.");
    }

    /// <summary>Maps the axes of one of its arrays.</summary>
    /// <exception cref="InputError">There are axes that a volume does not have.</exception>
    public ZarrAxes AxesOf(ZarrArray array)
    {
        var rank = array.Shape.Length;
        var names = Axes ?? (array.AxisNames is { } own && own.All(name => name is not null) && own.Contains("y") && own.Contains("x")
            ? own.Select(name => name!).ToArray() : ["t", "c", "z", "y", "x"]);
        if (Axes is null && names.Count != rank) names = [.. names.Skip(names.Count - rank)];
        if (names.Count != rank) throw new InputError($"{array.File}: has {rank} axes where {File} names {names.Count}. The metadata are damaged.");
        int Find(string name) => names.ToList().IndexOf(name);
        var axes = new ZarrAxes(Find("c"), Find("z"), Find("y"), Find("x"));
        if (axes.Y < 0 || axes.X < 0) throw new InputError($"{File}: has no axes y and x, so no image. Only arrays of t, c, z, y, x are read.");
        for (var axis = 0; axis < rank; axis++)
        {
            if (axis == axes.C || axis == axes.Z || axis == axes.Y || axis == axes.X || array.Shape[axis] == 1) continue;
            throw new InputError(
                $"{array.File}: axis {axis} (\"{names[axis]}\") has {array.Shape[axis]} entries; a volume has z, y, x and channels only. Export one alone.");
        }
        return axes;
    }

    private static OmeImage Multiscale(string path, ZarrMeta attributes, ZarrMeta ome, ZarrMeta multiscale)
    {
        var axes = multiscale.Find("axes")?.Items(2, 5);
        var names = axes?.Select(axis => axis.Json.ValueKind == JsonValueKind.String ? axis.Text : axis["name"].Text).ToArray();
        if (names is not null && names.Distinct().Count() != names.Length) throw multiscale["axes"].Fault("two axes have one name");
        var units = axes?.Select(Nanometres).ToArray();
        var common = Scale(multiscale, names?.Length);
        var kerf = attributes.Find("kerf");
        return new()
        {
            Path = path,
            File = multiscale.File,
            Axes = names,
            Levels = [.. multiscale["datasets"].Items(1, 64).Select(data => new OmeLevel(Inside(data["path"]), Voxel(data, names, units, common)))],
            Channels = ome.Find("omero")?.Find("channels") is { } channels
                ? [.. channels.Items(0, 4096).Select((channel, i) => channel.Find("label")?.Text ?? $"channel {i}")] : null,
            Phases = kerf?.Find("phases") is { } own ? OmePhases.Own(own) : ome.Find("image-label") is { } labels ? OmePhases.ImageLabel(labels) : null,
            Metadata = kerf?.Find("metadata") is { Json.ValueKind: JsonValueKind.Object } metadata
                ? metadata.Names().ToDictionary(name => name, name => metadata[name].Text) : new Dictionary<string, string>(),
            Complete = kerf?.Find("complete")?.Flag,
        };
    }

    // the path comes from the file: it must not lead out of the volume's folder
    private static string Inside(ZarrMeta path)
    {
        var parts = path.Text.Split('/');
        if (path.Text.Length > 255 || parts.Any(part => part is "" or "." or ".." || part.Any(c => c is '\\' or ':' || char.IsControl(c))))
            throw path.Fault("is no folder inside the volume");
        return path.Text;
    }

    private static VoxelSize? Voxel(ZarrMeta dataset, string[]? names, double?[]? units, double[]? common)
    {
        if (names is null || units is null || Scale(dataset, names.Length) is not { } scale) return null;
        double? Edge(string name)
        {
            var axis = Array.IndexOf(names, name);
            return axis < 0 ? null : scale[axis] * (common?[axis] ?? 1) * units[axis];
        }
        var (y, x) = (Edge("y"), Edge("x"));
        // a single image has no thickness; a cube is as good as any
        var z = names.Contains("z") ? Edge("z") : x;
        if (z is null || y is null || x is null) return null;
        if (!(z > 0 && y > 0 && x > 0 && z * y * x is > 0 and < double.PositiveInfinity))
            throw dataset["coordinateTransformations"].Fault("a scale is not above 0");
        return new(z.Value, y.Value, x.Value);
    }

    private static double[]? Scale(ZarrMeta meta, int? rank)
    {
        foreach (var transformation in meta.Find("coordinateTransformations")?.Items(0, 16) ?? [])
            if (transformation.Find("type")?.Text == "scale" && rank is { } axes && transformation.Find("scale") is { } scale)
                return [.. scale.Items(axes, axes).Select(item => item.Number)];
        return null;
    }

    private static double? Nanometres(ZarrMeta axis) => axis.Find("unit")?.Text switch
    {
        "nanometer" or "nanometre" or "nm" => 1,
        "micrometer" or "micrometre" or "micron" or "um" or "µm" => 1e3,
        "millimeter" or "millimetre" or "mm" => 1e6,
        "centimeter" or "centimetre" or "cm" => 1e7,
        "meter" or "metre" or "m" => 1e9,
        "angstrom" => 0.1,
        "picometer" or "picometre" or "pm" => 1e-3,
        _ => null,
    };
}

/// <summary>Phases as NGFF's image-label metadata and as Kerf's own attribute have them.</summary>
internal static class OmePhases
{
    /// <summary>The "phases" list of the kerf attribute.</summary>
    public static List<Phase> Own(ZarrMeta list) =>
        [.. list.Items(0, 255).Select(item => new Phase(item["label"].Integer(1, 255), item["name"].Text, Colour(item["colour"])))];

    /// <summary>Colours, and names where properties give one.</summary>
    public static List<Phase>? ImageLabel(ZarrMeta meta)
    {
        var names = new Dictionary<int, string>();
        foreach (var property in meta.Find("properties")?.Items(0, 1 << 20) ?? [])
        {
            if (Label(property) is { } label && property.Find("name") is { Json.ValueKind: JsonValueKind.String } name)
                names.TryAdd(label, name.Text);
        }
        var phases = new SortedDictionary<int, Phase>();
        foreach (var colour in meta.Find("colors")?.Items(0, 1 << 20) ?? [])
        {
            if (Label(colour) is not { } label) continue;
            var unnamed = Phase.Unnamed(label);
            var rgba = colour.Find("rgba")?.Integers(4, 0, 255);
            var shade = rgba is null ? unnamed.Colour : $"#{rgba[0]:x2}{rgba[1]:x2}{rgba[2]:x2}";
            phases[label] = new(label, names.GetValueOrDefault(label, unnamed.Name), shade);
        }
        foreach (var (label, name) in names) phases.TryAdd(label, Phase.Unnamed(label) with { Name = name });
        return phases.Count == 0 ? null : [.. phases.Values];
    }

    // other programs label objects beyond 255; those are no phases
    private static int? Label(ZarrMeta meta) =>
        meta.Find("label-value")?.Json is { ValueKind: JsonValueKind.Number } value && value.TryGetInt32(out var label) && label is > 0 and < 256 ? label : null;

    private static string Colour(ZarrMeta meta) =>
        meta.Text is ['#', .. { Length: 6 } hex] && hex.All(char.IsAsciiHexDigit) ? meta.Text : throw meta.Fault("is no colour like #3b7dd8");
}
