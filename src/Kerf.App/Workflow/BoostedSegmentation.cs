using Kerf.Imaging;
using Kerf.Networks;
using Kerf.Volumes;

namespace Kerf.App;

/// <summary>Segments with boosted trees: see <c>docs/methods/boosted.md</c>. Its parameters are those of <c>kerf train boosted</c> as well.</summary>
[Operation("boosted", "Segments with gradient-boosted trees on the features of a network's first blocks, of filters, or both: a model that kerf train boosted wrote, or one trained here on drawn labels.")]
public sealed record BoostedSegmentation : Step
{
    /// <summary>A trained model.</summary>
    [Parameter("A model that kerf train boosted wrote. Leave it empty to train on labels.", IsPath = true)]
    public string Model { get; init; } = "";

    /// <summary>Drawn labels.</summary>
    [Parameter("Labels drawn on the volume that this step reads, 0 where nothing is labelled: TIFF, PNG, .zarr, .npy.", IsPath = true)]
    public string Labels { get; init; } = "";

    /// <summary>Slices that the labels are.</summary>
    [Parameter("Numbers of the slices that the labels are, from 0, when they are not a volume of the image's size.", Min = 0)]
    public int[] Slice { get; init; } = [];

    /// <summary>Further channels.</summary>
    [Parameter("Further channels on the same grid, each as name=path. With two or more, the filters see the difference of the first two too.", IsPath = true)]
    public string[] Channel { get; init; } = [];

    /// <summary>A network.</summary>
    [Parameter("A network that kerf train network wrote, or the name of one that comes with the program: its first blocks give features.", IsPath = true)]
    public string Network { get; init; } = "";

    /// <summary>Blocks of the network.</summary>
    [Parameter("Encoder blocks of the network whose activations are taken; each sees twice as far as the one before.", Min = 1, Max = 5)]
    public int Blocks { get; init; } = 2;

    /// <summary>Filters.</summary>
    [Parameter("Filters as for a forest: plain is ilastik's set, milling adds how the grey value changes while milling, all takes whatever there is. Left out: none with a network, plain without.")]
    public FeatureKind? Features { get; init; }

    /// <summary>2-D or 3-D filters.</summary>
    [Parameter("2 filters each slice alone, 3 the volume. Left out: 3, or 2 for a single slice.", Min = 2, Max = 3)]
    public int? Dimensions { get; init; }

    /// <summary>Scales in voxels.</summary>
    [Parameter("Scales of the filters; empty for ilastik's 0.3, 0.7, 1, 1.6, 3.5, 5, 10.", Unit = "voxels", Min = 0.1, Max = 64)]
    public double[] Scales { get; init; } = [];

    /// <summary>Scales in units of the finest voxel edge.</summary>
    [Parameter("Takes the scales as multiples of the finest voxel edge along every axis, so that filters fit anisotropic voxels.")]
    public bool Physical { get; init; }

    /// <summary>Rounds.</summary>
    [Parameter("Rounds of boosting: each adds a tree, with more than two phases one a phase.", Min = 1, Max = 10_000)]
    public int Trees { get; init; } = 100;

    /// <summary>Depth of a tree.</summary>
    [Parameter("Questions that a tree asks one after the other, at most.", Min = 1, Max = 12)]
    public int Depth { get; init; } = 6;

    /// <summary>Learning rate.</summary>
    [Parameter("Share of each tree's answer that is taken: less needs more trees.", Min = 0.001, Max = 1)]
    public double Rate { get; init; } = 0.1;

    /// <summary>Class balancing.</summary>
    [Parameter("Makes every phase count the same, however many strokes it got.")]
    public bool Balance { get; init; }

    /// <summary>Label 0 is a phase.</summary>
    [Parameter("Every voxel is labelled: 0 is a phase too instead of meaning none.")]
    public bool Dense { get; init; }

    /// <summary>Most samples.</summary>
    [Parameter("Labelled voxels that are used at most; of more, an even random choice is taken.", Min = 2, Max = 4_000_000)]
    public int Samples { get; init; } = 200_000;

    /// <summary>Names of the phases.</summary>
    [Parameter("Names of the phases in label order, with a colour if wanted: pore, carbon=#444444.")]
    public string[] Phases { get; init; } = [];

    /// <summary>Reads a model, and the network in it.</summary>
    /// <exception cref="InputError">As <see cref="BoostedFile.Load"/>.</exception>
    public static BoostedModel Load(string path) => BoostedFile.Load(path, (content, channels) => Blocked(content, channels, path));

    /// <summary>Trains as the parameters say.</summary>
    /// <param name="channels">One or several on one grid.</param>
    /// <param name="labels">Path of the labels.</param>
    /// <param name="walk">Threads, budget, progress.</param>
    /// <param name="seed">Same seed, same trees.</param>
    /// <param name="options">How to open the labels.</param>
    /// <exception cref="InputError">As <see cref="BoostedTraining.Run"/> and <see cref="DrawnLabels.Open"/>.</exception>
    public BoostedModel Train(IReadOnlyList<(string Name, IVolume Volume)> channels, string labels, Traversal walk, ulong seed, OpenOptions? options = null)
    {
        var image = channels[0].Volume.Info;
        var further = Network.Length == 0 ? null : Blocked([(byte)Blocks, .. Bytes(PretrainedModels.PathOf(Network))], [.. channels.Select(c => c.Name)], Network);
        var drawn = DrawnLabels.Open(labels, image, Slice, options);
        using var held = drawn as IDisposable;
        var boosted = new BoostedOptions { Trees = Trees, Depth = Depth, Rate = Rate, Seed = seed, Balance = Balance, Dense = Dense, MaxSamples = Samples };
        var model = BoostedTraining.Run(channels, drawn, Filters(image), Physical, further, boosted, walk);
        if (Phases.Length == 0) return model;
        var named = PhaseNames.Of(model.Phases.Count, Phases);
        return model with { Phases = [.. model.Phases.Zip(named, (phase, name) => name with { Label = phase.Label })] };
    }

    private FeatureSet? Filters(VolumeInfo image)
    {
        if (Features is null && Network.Length > 0)
        {
            if (Scales.Length > 0 || Physical || Dimensions is not null) throw new InputError("scales, physical and dimensions are of filters, and with a network alone there are none. Add --features plain.");
            return null;
        }
        var set = new ForestSegmentation { Features = Features ?? FeatureKind.Plain, Dimensions = Dimensions, Scales = Scales }.Selection(image);
        return Physical ? set.Scaled(image.RequireVoxel("a model with σ as a length")) : set;
    }

    // the number of blocks, then the network's file
    private static FurtherFeatures Blocked(byte[] content, IReadOnlyList<string> channels, string path)
    {
        var network = NetworkFile.Parse(content[1..], path);
        var blocks = new FirstBlocks(network, content[0], channels);
        return new(blocks, content, blocks.LooksAlongZ);
    }

    private static byte[] Bytes(string path)
    {
        try
        {
            return File.ReadAllBytes(path);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new InputError($"{path}: cannot be read ({exception.Message}). Give the file that kerf train network wrote.", exception);
        }
    }

    /// <inheritdoc/>
    public override void Run(StepRun run)
    {
        if (Model.Length > 0 == Labels.Length > 0)
            throw new InputError(Model.Length > 0 ? "boosted: model and labels are both given; keep one of them." : "boosted: give a model, or labels to train on.");
        (string Name, IVolume Volume)[] others = [.. Channel.Select(ChannelFile.Parse).Select(c => (c.Name, c.Open()))];
        try
        {
            var model = Model.Length > 0 ? Load(Model) : Train([("image", run.Source), .. others], Labels, run.Walk.Part(0, 0.2), run.Seed);
            var channels = model.Arrange(run.Source, others);
            model.Check(channels);
            var target = run.CreateLabels(model.VisiblePhases);
            run.Fact("phases", model.Phases.Select(phase => phase.Name));
            run.Fact("samples", model.Samples);
            run.Fact("trainingError", model.Training.Error);
            model.Predict(channels, target, new(), run.Walk.Part(Model.Length > 0 ? 0 : 0.2, 1));
        }
        finally
        {
            foreach (var (_, volume) in others) (volume as IDisposable)?.Dispose();
        }
    }
}
