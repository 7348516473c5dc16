using Kerf.Volumes;

namespace Kerf.Imaging;

/// <summary>How a forest came about.</summary>
/// <param name="Options">Trees, seed, balance.</param>
/// <param name="Samples">Labelled voxels of each phase.</param>
/// <param name="Findings">Out-of-bag error and importances.</param>
public sealed record ForestTrainingRecord(ForestOptions Options, IReadOnlyList<int> Samples, ForestFindings Findings)
{
    /// <summary>Importance over the trees, for box plots; null in models of versions that did not keep it.</summary>
    public IReadOnlyList<ImportanceTable>? Importance { get; init; }
}

/// <summary>A forest with all that is needed to use it on another stack: its features, channels, voxel size and phases. See <see cref="ForestFile"/>.</summary>
/// <param name="Forest">The trees.</param>
/// <param name="Features">The features of each channel, with the spacing they were computed at.</param>
public sealed record ForestModel(Forest Forest, FeatureSet Features) : PixelClassifier
{
    /// <summary>How it was trained.</summary>
    public required ForestTrainingRecord Training { get; init; }

    /// <inheritdoc/>
    public override IReadOnlyList<string> FeatureNames => SignalFeatures.Names(Features, Channels);

    /// <inheritdoc/>
    public override IReadOnlyList<int> Samples => Training.Samples;

    /// <inheritdoc/>
    public override bool LooksAlongZ => Features.Dimensions == 3;

    /// <inheritdoc/>
    public override double Predict(IReadOnlyList<IVolume> channels, IWritableVolume<byte> labels, ForestMaps maps, Traversal walk) =>
        ForestPrediction.Run(this, channels, labels, maps, walk);
}
