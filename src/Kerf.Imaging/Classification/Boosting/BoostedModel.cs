using Kerf.Volumes;

namespace Kerf.Imaging;

/// <summary>Features of another kind that a model takes along, such as those of a network.</summary>
/// <param name="Features">The features.</param>
/// <param name="Content">What they are made from, as the model file keeps it.</param>
/// <param name="LooksAlongZ">They depend on neighbouring slices.</param>
public sealed record FurtherFeatures(IPixelFeatures Features, byte[] Content, bool LooksAlongZ);

/// <summary>Boosted trees with all that is needed to use them on another stack. See <see cref="BoostedFile"/>.</summary>
/// <param name="Trees">The trees.</param>
/// <param name="Content">The same as XGBoost wrote them.</param>
/// <param name="Features">Filters of each channel, with the spacing they were computed at; null for none.</param>
public sealed record BoostedModel(BoostedTrees Trees, byte[] Content, FeatureSet? Features) : PixelClassifier
{
    /// <summary>Features of another kind, after those of <see cref="Features"/>; null for none.</summary>
    public FurtherFeatures? Further { get; init; }

    /// <summary>How they were trained.</summary>
    public required BoostedTrainingRecord Training { get; init; }

    /// <inheritdoc/>
    public override IReadOnlyList<string> FeatureNames => [.. Kinds(Features, Channels, Further).SelectMany(kind => kind.Names)];

    /// <inheritdoc/>
    public override IReadOnlyList<int> Samples => Training.Samples;

    /// <inheritdoc/>
    public override bool LooksAlongZ => Features is { Dimensions: 3 } || Features?.Milling.Count > 0 || Further?.LooksAlongZ == true;

    /// <inheritdoc/>
    public override double Predict(IReadOnlyList<IVolume> channels, IWritableVolume<byte> labels, ForestMaps maps, Traversal walk) =>
        BoostedPrediction.Run(this, channels, labels, maps, walk);

    internal static IReadOnlyList<IPixelFeatures> Kinds(FeatureSet? features, IReadOnlyList<string> channels, FurtherFeatures? further)
    {
        var kinds = new List<IPixelFeatures>();
        if (features is not null) kinds.Add(new SignalKind(features, channels));
        if (further is not null) kinds.Add(further.Features);
        return kinds;
    }
}
