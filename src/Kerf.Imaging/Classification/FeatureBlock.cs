using Kerf.Volumes;

namespace Kerf.Imaging;

/// <summary>
/// Computes a <see cref="FeatureSet"/> on one block of one channel: load the block with its halo, then take the slices in order. Buffers are kept
/// between blocks; one instance per thread.
/// </summary>
public sealed class FeatureBlock
{
    private readonly ScaleFilter[] _scales;
    private double[] _input = [];

    /// <summary>Prepares kernels for a set.</summary>
    public FeatureBlock(FeatureSet set)
    {
        Set = set;
        Count = set.Features.Count;
        _scales = [.. set.Scales.Select(sigma => new ScaleFilter(set, sigma))];
    }

    /// <summary>The features.</summary>
    public FeatureSet Set { get; }

    /// <summary>How many features a voxel has.</summary>
    public int Count { get; }

    /// <summary>Values per row of a plane given to <see cref="Emit"/>.</summary>
    public static int RowStride(int width) => TapRows.Padded(width);

    /// <summary>Takes a block.</summary>
    /// <param name="voxels">Grey values of <paramref name="inner"/> grown by the set's halo, mirrored at the volume's faces, x fastest.</param>
    /// <param name="inner">The region whose features are wanted.</param>
    /// <param name="volume">Extent of the whole volume.</param>
    public void Load(ReadOnlySpan<float> voxels, Box inner, Size3 volume)
    {
        var outer = inner.Grow(Set.Halo).Size;
        var stride = TapRows.Padded(outer.X) + TapRows.Padding;
        ScaleFilter.Ensure(ref _input, outer.Z * outer.Y * stride + 4 * TapRows.Padding);
        for (var row = 0; row < outer.Z * outer.Y; row++)
        {
            var from = voxels.Slice(row * outer.X, outer.X);
            var to = _input.AsSpan(row * stride, outer.X);
            for (var x = 0; x < from.Length; x++) to[x] = from[x];
        }
        foreach (var scale in _scales) scale.Presmooth(_input, outer, stride, inner, volume);
    }

    /// <summary>Computes all features of one slice of the block; call it for slices 0, 1, 2 … in order.</summary>
    /// <param name="z">Slice inside the block.</param>
    /// <param name="planes">One plane per feature; rows of <see cref="RowStride"/> values; room for <see cref="TapRows.Padding"/> more at the end.</param>
    /// <param name="plane">Values per plane.</param>
    /// <param name="stride">Values per row.</param>
    public void Emit(int z, float[] planes, int plane, int stride)
    {
        foreach (var scale in _scales) scale.Emit(z, planes, plane, stride);
    }
}
