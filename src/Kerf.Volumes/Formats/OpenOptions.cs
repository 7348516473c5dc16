namespace Kerf.Volumes;

/// <summary>How to open a volume; the defaults take everything as the file tells it.</summary>
public sealed record OpenOptions
{
    /// <summary>Defaults.</summary>
    public static readonly OpenOptions Default = new();

    /// <summary>Voxel size in nanometres, instead of what the files tell.</summary>
    public VoxelSize? Voxel { get; init; }

    /// <summary>Distance of two slices in nanometres, where the files tell the pixel size alone.</summary>
    public double? SlicePitchNm { get; init; }

    /// <summary>Which channel (detector, voltage, colour) when there are several; see <see cref="VolumeFile.Channels"/>.</summary>
    public string? Channel { get; init; }

    /// <summary>
    /// How slices of a folder are named when they are not recognised: {slice} stands for the number, {channel} for what tells channels apart,
    /// * for anything; without ending: "{channel}_{slice}". Other files are passed over.
    /// </summary>
    public string? NamePattern { get; init; }

    /// <summary>Bytes of decoded slices or chunks that are kept in memory.</summary>
    public long CacheBytes { get; init; } = 1L << 30;

    /// <summary>Takes a slice folder with missing numbers as it is; they are named in the metadata "gaps".</summary>
    public bool AllowGaps { get; init; }

    /// <summary>Leaves the bar with text below the image, which is cut off otherwise.</summary>
    public bool KeepInfoBar { get; init; }

    /// <summary>Level of a multiscale OME-Zarr, 0 the finest.</summary>
    public int Level { get; init; }

    /// <summary>The voxel size: given, or completed by the pitch, or as told; null unless all three lengths are known.</summary>
    internal VoxelSize? Complete(VolumeInfo told, double? pitch = null)
    {
        if (Voxel is { } given) return given;
        if ((SlicePitchNm ?? pitch) is not { } z) return told.Voxel;
        if (told.Voxel is { } voxel) return new(z, voxel.Y, voxel.X);
        return LengthUnit.Number(told.Metadata.GetValueOrDefault("pixelSizeNm")) is { } pixel ? new(z, pixel, pixel) : null;
    }
}

/// <summary>How to save a volume.</summary>
public sealed record SaveOptions
{
    /// <summary>Defaults.</summary>
    public static readonly SaveOptions Default = new();

    /// <summary>Replaces a file, or a folder that holds nothing but what Kerf saves there. Foreign folders are never touched.</summary>
    public bool Overwrite { get; init; }

    /// <summary>Compresses TIFF (Deflate). PNG and Zarr always are, NumPy arrays never.</summary>
    public bool Compress { get; init; } = true;
}

/// <summary>Choosing one of several channels by name.</summary>
internal static class ChannelNames
{
    /// <summary>
    /// The index of <paramref name="wanted"/>; without a wish the only one, or the first where it stands for the whole (luma, grey).
    /// </summary>
    /// <exception cref="InputError">No such channel, or several and no wish.</exception>
    public static int Pick(IReadOnlyList<string> names, string? wanted, string path)
    {
        if (wanted is null)
        {
            return names.Count == 1 || names[0] is "luma" or "grey" ? 0 : throw new InputError(
                $"{path}: holds {names.Count} channels ({Listed(names)}). Choose one with --channel {Quoted(names[0])}.");
        }
        for (var i = 0; i < names.Count; i++)
            if (string.Equals(names[i], wanted, StringComparison.OrdinalIgnoreCase) || names[i] == $"channel {wanted}") return i;
        throw new InputError($"{path}: has no channel \"{wanted}\"; it has {Listed(names)}. Choose one of them with --channel.");
    }

    private static string Listed(IReadOnlyList<string> names) => string.Join(", ", names.Take(12)) + (names.Count > 12 ? ", …" : "");

    private static string Quoted(string name) => name.Contains(' ') ? $"\"{name}\"" : name;
}
