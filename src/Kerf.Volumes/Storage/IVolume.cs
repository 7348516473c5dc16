namespace Kerf.Volumes;

/// <summary>How one voxel is stored.</summary>
public enum PixelType
{
    /// <summary>8-bit unsigned: grey values and labels.</summary>
    UInt8,

    /// <summary>16-bit unsigned: grey values.</summary>
    UInt16,

    /// <summary>32-bit float: grey values after filters, features, probabilities.</summary>
    Float32,
}

/// <summary>What is known of a volume without reading a voxel.</summary>
/// <param name="Size">Extent in voxels.</param>
/// <param name="Type">How a voxel is stored.</param>
/// <param name="Voxel">Edge lengths in nanometres, or null when the file does not tell.</param>
public sealed record VolumeInfo(Size3 Size, PixelType Type, VoxelSize? Voxel)
{
    /// <summary>The phases when the volume holds labels, in label order; null when it holds grey values.</summary>
    public IReadOnlyList<Phase>? Phases { get; init; }

    /// <summary>What the microscope wrote: "vendor", "voltageKeV", "detector", "tiltDegrees" and the like, as text.</summary>
    public IReadOnlyDictionary<string, string> Metadata { get; init; } = new Dictionary<string, string>();

    /// <summary>The voxel size, or an error that says how to give it.</summary>
    /// <exception cref="InputError">The voxel size is unknown.</exception>
    public VoxelSize RequireVoxel(string whatFor) => Voxel ?? throw new InputError(
        $"voxel size is unknown, and {whatFor} needs it. Give it with --voxel z,y,x (nanometres), or as input.voxel in the recipe.");
}

/// <summary>Voxels of any type: see <see cref="IVolume{T}"/>.</summary>
public interface IVolume
{
    /// <summary>Extent, type, voxel size, phases, metadata.</summary>
    VolumeInfo Info { get; }
}

/// <summary>A readable volume. Thread-safe for concurrent reads.</summary>
/// <typeparam name="T">byte, ushort or float, as <see cref="VolumeInfo.Type"/> says.</typeparam>
public interface IVolume<T> : IVolume where T : unmanaged
{
    /// <summary>Copies a region into <paramref name="target"/>, x fastest, then y, then z.</summary>
    /// <param name="box">A region that lies inside the volume.</param>
    /// <param name="target">At least <c>box.Count</c> long.</param>
    void Read(Box box, Span<T> target);
}

/// <summary>A volume under construction. Writes of disjoint boxes may run at the same time; each voxel is written once.</summary>
/// <typeparam name="T">byte, ushort or float.</typeparam>
public interface IWritableVolume<T> : IVolume<T> where T : unmanaged
{
    /// <summary>Stores a region, x fastest, then y, then z. A region that was already durable (see <see cref="IsWritten"/>) is left as it is.</summary>
    void Write(Box box, ReadOnlySpan<T> source);

    /// <summary>True when every voxel of the region is durably stored, by this process or by one that was killed: no need to compute it again.</summary>
    bool IsWritten(Box box);
}
