using Kerf.Volumes;

namespace Kerf.Networks;

/// <summary>How a network came about.</summary>
/// <param name="Options">Parameters of its training.</param>
/// <param name="Seed">Seed.</param>
/// <param name="Curve">Epochs; of an ensemble those of its last stage.</param>
/// <param name="Test">Score on the part that was held back; null when there was none.</param>
public sealed record NetworkTrainingRecord(NetworkOptions Options, ulong Seed, IReadOnlyList<EpochRecord> Curve, NetworkScore? Test)
{
    /// <summary>Curves of the members of an ensemble, one per channel.</summary>
    public IReadOnlyList<IReadOnlyList<EpochRecord>> Members { get; init; } = [];

    /// <summary>Test scores of the folds of a cross-validation.</summary>
    public IReadOnlyList<NetworkScore> Folds { get; init; } = [];

    /// <summary>Lowest validation loss.</summary>
    public double BestLoss => Curve.Select(e => e.Validation).DefaultIfEmpty(double.NaN).Min();
}

/// <summary>A trained network with all that is needed to use it on another stack. See <see cref="NetworkFile"/>.</summary>
/// <param name="Architecture">The network.</param>
/// <param name="Values">The numbers of its slots.</param>
/// <param name="Scaling">How grey values are scaled.</param>
public sealed record NetworkModel(Architecture Architecture, float[][] Values, GreyScaling Scaling)
{
    /// <summary>Names of the channels in the order that prediction takes them.</summary>
    public required IReadOnlyList<string> Channels { get; init; }

    /// <summary>Voxel size of the training stack in nanometres; null when unknown.</summary>
    public required VoxelSize? Voxel { get; init; }

    /// <summary>The phases; class c is phase c.</summary>
    public required IReadOnlyList<Phase> Phases { get; init; }

    /// <summary>How it was trained.</summary>
    public required NetworkTrainingRecord Training { get; init; }

    /// <summary>The phases that a label volume can name.</summary>
    public IReadOnlyList<Phase> VisiblePhases => [.. Phases.Where(phase => phase.Label > 0)];

    /// <summary>One member of an ensemble as a model of its own.</summary>
    /// <param name="channel">Of which channel.</param>
    public NetworkModel Member(int channel)
    {
        var (whole, prefix) = (Architecture.Build(), $"channel{channel}.");
        return this with
        {
            Architecture = Architecture.OfMember(),
            Values = [.. Values.Where((_, i) => whole.Slots[i].Name.StartsWith(prefix, StringComparison.Ordinal))],
            Channels = [Channels[channel]],
            Training = Training with { Curve = Training.Members[channel], Members = [] },
        };
    }

    /// <summary>The channels in the model's order.</summary>
    /// <param name="first">The model's first channel, whatever its name.</param>
    /// <param name="others">The others by their names.</param>
    /// <exception cref="InputError">One is missing, the model has none of that name, or two are not of one size.</exception>
    public IReadOnlyList<IVolume> Arrange(IVolume first, IReadOnlyList<(string Name, IVolume Volume)> others)
    {
        var all = ChannelGrid.Arrange(Channels, first, others);
        ChannelGrid.Check([.. Channels.Zip(all)]);
        return all;
    }

    /// <summary>What is worth telling before the model is used on a stack: its voxel size, where it differs by more than 20 %. Null for nothing.</summary>
    public string? Doubt(VolumeInfo image) => Voxel is { } trained && image.Voxel is { } voxel
        && Enumerable.Range(Architecture.Is3D || Architecture.Slices > 1 ? 0 : 1, Architecture.Is3D || Architecture.Slices > 1 ? 3 : 2).Any(axis => Math.Abs(Math.Log(voxel[axis] / trained[axis])) > 0.2)
        ? $"the model was trained on voxels of {trained} nm (z,y,x), this stack has {voxel}: resample it, or do not trust the result" : null;
}
