using Kerf.Volumes;

namespace Kerf.Imaging;

/// <summary>What classifies voxels by their features, with all that is needed to use it on another stack: a forest, or boosted trees.</summary>
public abstract record PixelClassifier
{
    /// <summary>Names of the channels in the order that prediction takes them.</summary>
    public required IReadOnlyList<string> Channels { get; init; }

    /// <summary>Voxel size of the training stack in nanometres; null when unknown.</summary>
    public required VoxelSize? Voxel { get; init; }

    /// <summary>True when σ is a length: then stacks must tell their voxel size.</summary>
    public required bool Physical { get; init; }

    /// <summary>The phases; class c is phase c.</summary>
    public required IReadOnlyList<Phase> Phases { get; init; }

    /// <summary>The phases that a label volume can name: label 0, a phase in dense labels, is none there.</summary>
    public IReadOnlyList<Phase> VisiblePhases => [.. Phases.Where(phase => phase.Label > 0)];

    /// <summary>Names of the features, in their order.</summary>
    public abstract IReadOnlyList<string> FeatureNames { get; }

    /// <summary>Labelled voxels of each phase that it was trained on.</summary>
    public abstract IReadOnlyList<int> Samples { get; }

    /// <summary>True when features depend on neighbouring slices.</summary>
    public abstract bool LooksAlongZ { get; }

    /// <summary>Writes the label of the most probable phase of each voxel, and the maps asked for, out of core. Border: mirror.</summary>
    /// <param name="channels">The channels it was trained on, in that order.</param>
    /// <param name="labels">Regions that are durable already in all targets are skipped.</param>
    /// <param name="maps">Further targets.</param>
    /// <param name="walk">Threads, budget, progress.</param>
    /// <returns>Voxels classified per second; 0 when there was nothing left to do.</returns>
    /// <exception cref="InputError">The stack does not fit the model, or the memory budget is too small.</exception>
    public abstract double Predict(IReadOnlyList<IVolume> channels, IWritableVolume<byte> labels, ForestMaps maps, Traversal walk);

    /// <summary>Refuses channels that it was not trained for.</summary>
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
        ChannelGrid.Check([.. Channels.Zip(channels)]);
        if (Voxel is not { } trained || (!Physical && info.Voxel is null)) return;
        var voxel = info.RequireVoxel("a model with σ as a length");
        // features of single slices do not see the slice thickness
        for (var axis = LooksAlongZ || Physical ? 0 : 1; axis < 3; axis++)
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
    public IReadOnlyList<IVolume> Arrange(IVolume first, IReadOnlyList<(string Name, IVolume Volume)> others) => ChannelGrid.Arrange(Channels, first, others);
}
