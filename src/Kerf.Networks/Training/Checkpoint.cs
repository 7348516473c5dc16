using Kerf.Volumes;

namespace Kerf.Networks;

/// <summary>One epoch of a training.</summary>
/// <param name="Epoch">From 1.</param>
/// <param name="Loss">Mean training loss.</param>
/// <param name="Validation">Loss on the validation region.</param>
/// <param name="Accuracy">Share of its labelled voxels that are right.</param>
/// <param name="F1">Mean over the phases of 2TP/(2TP + FP + FN).</param>
/// <param name="Mse">Mean of (p − t)² over voxels and phases.</param>
/// <param name="Rate">Learning rate.</param>
/// <param name="Seconds">How long it took.</param>
public sealed record EpochRecord(int Epoch, double Loss, double Validation, double Accuracy, double F1, double Mse, double Rate, double Seconds);

/// <summary>Where a training stands after an epoch.</summary>
internal sealed record Standing
{
    /// <summary>Hash of what the training depends on.</summary>
    public required string Key { get; init; }

    /// <summary>Epochs done.</summary>
    public int Epoch { get; init; }

    /// <summary>Steps of Adam.</summary>
    public long Steps { get; init; }

    /// <summary>Learning rate.</summary>
    public double Rate { get; init; }

    /// <summary>Epochs since the last better loss, counted anew when the rate falls.</summary>
    public int Waited { get; init; }

    /// <summary>Epochs since the last better loss.</summary>
    public int Stale { get; init; }

    /// <summary>Lowest validation loss.</summary>
    public double BestLoss { get; init; } = double.PositiveInfinity;

    /// <summary>Seconds spent.</summary>
    public double Seconds { get; init; }

    /// <summary>True when training has come to its end.</summary>
    public bool Done { get; init; }

    /// <summary>All epochs.</summary>
    public EpochRecord[] Curve { get; init; } = [];
}

/// <summary>
/// Checkpoints of one training: epochs take turns in two files, each written whole or not at all, so that one before the last is always there.
/// </summary>
/// <param name="path">The model's path; ".checkpoint-0" and ".checkpoint-1" are added.</param>
internal sealed class Checkpoints(string path)
{
    private const int Version = 1;

    private static ReadOnlySpan<byte> Magic => "KERFCKPT"u8;

    private string PathOf(int epoch) => $"{path}.checkpoint-{epoch % 2}";

    /// <summary>Writes the state after an epoch.</summary>
    /// <param name="standing">Numbers.</param>
    /// <param name="values">Of all slots.</param>
    /// <param name="adam">Moments.</param>
    /// <param name="best">Values of the best epoch.</param>
    public void Save(Standing standing, float[][] values, float[][] adam, float[][] best) =>
        ArrayFile.Write(PathOf(standing.Epoch), Magic, Version, standing, [.. values, .. adam, .. best]);

    /// <summary>The latest sound checkpoint; null when there is none. What is corrupt is told.</summary>
    /// <exception cref="InputError">The checkpoint belongs to another training.</exception>
    public (Standing Standing, float[][] Arrays)? Load(string key, Action<string> say)
    {
        (Standing Standing, float[][] Arrays)? latest = null;
        var corrupt = new List<string>();
        foreach (var file in new[] { PathOf(0), PathOf(1) }.Where(File.Exists))
        {
            try
            {
                var read = ArrayFile.Read<Standing>(File.ReadAllBytes(file), Magic, Version);
                if (latest is null || read.Header.Epoch > latest.Value.Standing.Epoch) latest = read;
            }
            catch (Exception exception) when (exception is InvalidDataException or NotSupportedException)
            {
                corrupt.Add(file);
            }
        }
        foreach (var file in corrupt)
            say($"{file}: is corrupt; {(latest is { } found ? $"going on from the one before, epoch {found.Standing.Epoch}" : "training starts again")}.");
        if (latest is { } one && one.Standing.Key != key)
            throw new InputError($"{PathOf(one.Standing.Epoch)}: belongs to a training with other parameters or data. Give the same ones, or leave --resume out to start again.");
        return latest;
    }

    /// <summary>Removes them.</summary>
    public void Delete()
    {
        File.Delete(PathOf(0));
        File.Delete(PathOf(1));
    }
}
