using Kerf.Volumes;

namespace Kerf.Imaging;

/// <summary>How a forest is trained on a specimen.</summary>
public sealed record ForestTrainingOptions
{
    /// <summary>The features of each channel; σ in voxels.</summary>
    public FeatureSet Features { get; init; } = new();

    /// <summary>Takes σ as a length in units of the finest voxel edge, so that anisotropic voxels get matching kernels; needs the voxel size.</summary>
    public bool Physical { get; init; }

    /// <summary>Label 0 is a phase too, instead of meaning "not labelled".</summary>
    public bool Dense { get; init; }

    /// <summary>Labelled voxels used at most; of more, an even random choice is taken.</summary>
    public int MaxSamples { get; init; } = 200_000;

    /// <summary>How the forest is grown.</summary>
    public ForestOptions Forest { get; init; } = new();
}

/// <summary>Trains a forest on labelled voxels of a specimen.</summary>
public static class ForestTraining
{
    /// <summary>
    /// Computes the features of labelled voxels, and only where there are some, and grows a forest on them. Breiman 2001, doi:10.1023/A:1010933404324;
    /// features as ilastik, Berg et al. 2019, doi:10.1038/s41592-019-0582-9. Border: mirror.
    /// </summary>
    /// <param name="channels">One or several detectors on one grid, with their names.</param>
    /// <param name="labels">0 where nothing is labelled.</param>
    /// <param name="options">Features, seed, trees.</param>
    /// <param name="walk">Threads, budget, progress.</param>
    /// <exception cref="InputError">No labels, one class only, sizes that differ, a voxel size that is needed and unknown.</exception>
    public static (ForestModel Model, ForestFindings Findings) Run(
        IReadOnlyList<(string Name, IVolume Volume)> channels, IVolume<byte> labels, ForestTrainingOptions options, Traversal walk)
    {
        if (options.MaxSamples is < 2 or > 4_000_000) throw new InputError($"max samples: {options.MaxSamples} is out of range; give 2 to 4000000.");
        options.Features.Check();
        var info = channels[0].Volume.Info;
        var set = options.Physical ? options.Features.Scaled(info.RequireVoxel("a forest with σ as a length")) : options.Features;
        var voxels = LabelledVoxels.Of(channels, labels, options.Dense, options.MaxSamples, options.Forest.Seed, "a forest", walk.Part(0, 0.1));
        string[] names = [.. channels.Select(c => c.Name)];
        var columns = voxels.Columns(new SignalKind(set, names), [.. channels.Select(c => c.Volume)], walk.Part(0.1, 0.6));
        var (phases, classes) = (voxels.Phases, voxels.Classes);
        var (forest, findings) = Forest.Train(columns, classes, phases.Length, options.Forest, walk.Part(0.6, 1));
        var groups = set.Groups;
        return (new(forest, set)
        {
            Channels = names,
            Voxel = info.Voxel,
            Physical = options.Physical,
            Phases = phases,
            Training = new(options.Forest, voxels.Counts, findings)
            {
                Importance = ForestImportance.Tables(findings, SignalFeatures.Names(set, names), [.. columns.Select((_, f) => groups[f % groups.Count])], [.. phases.Select(p => p.Name)]),
            },
        }, findings);
    }
}
