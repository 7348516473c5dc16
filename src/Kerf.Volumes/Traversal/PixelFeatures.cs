namespace Kerf.Volumes;

/// <summary>A kind of features that a classifier learns from, before there is a specimen: filters, or the first blocks of a network.</summary>
public interface IPixelFeatures
{
    /// <summary>Names of the features, in their order.</summary>
    IReadOnlyList<string> Names { get; }

    /// <summary>Bytes that a thread holds for blocks of a size.</summary>
    long Bytes(Size3 inner);

    /// <summary>Binds them to a specimen; statistics of whole stacks are taken now. What comes back makes one worker per thread.</summary>
    /// <param name="channels">The specimen's channels, in the classifier's order.</param>
    /// <param name="walk">Threads.</param>
    Func<IBlockFeatures> On(IReadOnlyList<IVolume> channels, Traversal walk);
}

/// <summary>Computes features of a block slice by slice; they must not depend on the block. Buffers are kept between blocks; one instance per thread.</summary>
public interface IBlockFeatures
{
    /// <summary>Values per row of <see cref="Values"/>.</summary>
    int Stride { get; }

    /// <summary>Reads a block with its halo, mirrored at the volume's faces.</summary>
    void Load(Box inner);

    /// <summary>Computes one slice of the block, counted from its first; then <see cref="Values"/> holds it. Slices ascend; some may be left out.</summary>
    void Emit(int z);

    /// <summary>One feature of the slice, rows <see cref="Stride"/> apart; what lies between them is of no meaning.</summary>
    ReadOnlySpan<float> Values(int feature);
}
