using Kerf.Volumes;

namespace Kerf.Imaging;

/// <summary>
/// Computes a <see cref="FeatureSet"/> on one block of one channel: load the block with its halo, then take the slices in order. Buffers are kept
/// between blocks; one instance per thread.
/// </summary>
public sealed class FeatureBlock
{
    private readonly ScaleFilter[] _scales;
    private readonly PresmoothScratch _scratch;

    /// <summary>Prepares kernels for a set.</summary>
    public FeatureBlock(FeatureSet set) : this(set, new()) { }

    internal FeatureBlock(FeatureSet set, PresmoothScratch scratch)
    {
        _scratch = scratch;
        Set = set;
        Count = set.Features.Count;
        _scales = [.. set.Scales.Select(sigma => ScaleFilter.Of(set, sigma))];
    }

    /// <summary>The features.</summary>
    public FeatureSet Set { get; }

    /// <summary>How many features a voxel has.</summary>
    public int Count { get; }

    /// <summary>Values per row of a plane given to <see cref="Emit"/>.</summary>
    public static int RowStride(int width) => TapRows.Padded(width);

    /// <summary>About the bytes that a thread holds for blocks of a size: what all channels share, and what each adds.</summary>
    internal static (long Shared, long PerChannel) Bytes(FeatureSet set, Size3 inner)
    {
        var outer = Box.Whole(inner).Grow(set.Halo).Size;
        var row = outer.X + 2L * TapRows.Strip;
        var depth = inner.Z + 6;
        var smoothed = (inner.Y + 6) * (long)TapRows.Padded(inner.X + 6);
        var planes = set.Features.Count * (long)TapRows.Padded(inner.X) * inner.Y * sizeof(float);
        // the input, some slices of it as they are and after one axis; then per scale the presmoothed block and five slices of gradients, in float but for the widest scales
        return ((outer.Z + 4 + PresmoothScratch.Slices) * outer.Y * row * sizeof(float), set.Scales.Sum(sigma => (depth * ScaleFilter.BytesOf(sigma) + 15 * sizeof(float)) * smoothed) + planes);
    }

    /// <summary>Reads a block and what its features need around it, mirrored at the volume's faces.</summary>
    /// <param name="source">Grey values.</param>
    /// <param name="inner">The region whose features are wanted.</param>
    /// <param name="level">
    /// A grey value about which the volume varies, the same for all its blocks: single precision is spent on the differences from it. Features do not depend on it but
    /// for their last digits.
    /// </param>
    public void Load(IVolume<float> source, Box inner, float level)
    {
        _scratch.Read(source, inner.Grow(Set.Halo), level);
        foreach (var scale in _scales) scale.Presmooth(_scratch, inner, source.Info.Size);
    }

    /// <summary>Computes all features of one slice of the block. Slices in ascending order share work; some may be left out.</summary>
    /// <param name="z">Slice inside the block.</param>
    /// <param name="planes">One plane per feature; rows of <see cref="RowStride"/> values; room for <see cref="TapRows.Padding"/> more at the end.</param>
    /// <param name="plane">Values per plane.</param>
    /// <param name="stride">Values per row.</param>
    public void Emit(int z, float[] planes, int plane, int stride)
    {
        foreach (var scale in _scales) scale.Emit(z, planes, plane, stride);
    }
}
