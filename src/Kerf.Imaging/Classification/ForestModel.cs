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
public sealed record ForestModel(Forest Forest, FeatureSet Features)
{
    /// <summary>Names of the channels in the order that prediction takes them.</summary>
    public required IReadOnlyList<string> Channels { get; init; }

    /// <summary>Voxel size of the training stack in nanometres; null when unknown.</summary>
    public required VoxelSize? Voxel { get; init; }

    /// <summary>True when σ is a length: then stacks must tell their voxel size.</summary>
    public required bool Physical { get; init; }

    /// <summary>The phases; class c of the forest is phase c.</summary>
    public required IReadOnlyList<Phase> Phases { get; init; }

    /// <summary>The phases that a label volume can name: label 0, a phase in dense labels, is none there.</summary>
    public IReadOnlyList<Phase> VisiblePhases => [.. Phases.Where(phase => phase.Label > 0)];

    /// <summary>How it was trained.</summary>
    public required ForestTrainingRecord Training { get; init; }

    /// <summary>Names of the forest's features, in their order.</summary>
    public IReadOnlyList<string> FeatureNames => SignalFeatures.Names(Features, Channels);

    /// <summary>Refuses channels that the forest was not trained for.</summary>
    /// <exception cref="InputError">
    /// Another number of channels, extents that differ, or another voxel size. Where σ counts in voxels an unknown voxel size passes.
    /// </exception>
    public void Check(IReadOnlyList<IVolume> channels)
    {
        if (channels.Count != Channels.Count)
        {
            throw new InputError($"model: was trained on {Channels.Count} channel{(Channels.Count > 1 ? "s" : "")} ({string.Join(", ", Channels)}), "
                + $"{channels.Count} given; give each as --channel name=PATH.");
        }
        var info = channels[0].Info;
        for (var c = 1; c < channels.Count; c++)
        {
            if (channels[c].Info.Size != info.Size)
                throw new InputError($"channel {Channels[c]}: is {channels[c].Info.Size} voxels, {Channels[0]} is {info.Size}; align and crop them to one grid first.");
        }
        if (Voxel is not { } trained || (!Physical && info.Voxel is null)) return;
        var voxel = info.RequireVoxel("a model with σ as a length");
        // features of single slices do not see the slice thickness
        for (var axis = Features.Dimensions == 2 && !Physical ? 1 : 0; axis < 3; axis++)
        {
            if (Math.Abs(voxel[axis] / trained[axis] - 1) > 0.01)
            {
                throw new InputError($"model: was trained on voxels of {trained} nm (z,y,x), this stack has {voxel}; "
                    + "resample it, train a model for it, or, when the file tells a wrong size, give the right one with --voxel.");
            }
        }
    }

    /// <summary>The channels in the model's order.</summary>
    /// <param name="first">The model's first channel, whatever its name.</param>
    /// <param name="others">The others by their names.</param>
    /// <exception cref="InputError">One is missing, or the model has none of that name.</exception>
    public IReadOnlyList<IVolume> Arrange(IVolume first, IReadOnlyList<(string Name, IVolume Volume)> others)
    {
        var names = string.Join(", ", Channels);
        foreach (var (name, _) in others)
        {
            if (!Channels.Skip(1).Contains(name)) throw new InputError($"channel {name}: the model was trained on {names}, the first being the image; it takes no other.");
        }
        return [first, .. Channels.Skip(1).Select(name => others.FirstOrDefault(o => o.Name == name).Volume
            ?? throw new InputError($"channel {name}: is missing; the model was trained on {names}. Add --channel {name}=PATH."))];
    }
}
