using Kerf.Volumes;

namespace Kerf.Imaging;

/// <summary>Segments with a random forest: see <c>docs/methods/forest.md</c>. Its parameters are those of <c>kerf train forest</c> as well.</summary>
[Operation("forest", "Segments with a random forest: one that kerf train forest wrote, or one trained here on drawn labels.")]
public sealed record ForestSegmentation : Step
{
    /// <summary>A trained model.</summary>
    [Parameter("A model that kerf train forest wrote. Leave it empty to train on labels.", IsPath = true)]
    public string Model { get; init; } = "";

    /// <summary>Drawn labels.</summary>
    [Parameter("Labels drawn on the volume that this step reads, 0 where nothing is labelled: TIFF, PNG, .zarr, .npy.", IsPath = true)]
    public string Labels { get; init; } = "";

    /// <summary>Slices that the labels are.</summary>
    [Parameter("Numbers of the slices that the labels are, from 0, when they are not a volume of the image's size.", Min = 0)]
    public int[] Slice { get; init; } = [];

    /// <summary>Further channels.</summary>
    [Parameter("Further channels on the same grid, each as name=path. With two or more, the difference of the first two is used too.", IsPath = true)]
    public string[] Channel { get; init; } = [];

    /// <summary>2-D or 3-D features.</summary>
    [Parameter("2 looks at each slice alone, 3 at the volume. Left out: 3, or 2 for a single slice.", Min = 2, Max = 3)]
    public int? Dimensions { get; init; }

    /// <summary>Feature set.</summary>
    [Parameter("plain is ilastik's set, milling adds how the grey value changes while milling, all takes whatever is known to help, today the same.")]
    public FeatureKind Features { get; init; }

    /// <summary>Families of features.</summary>
    [Parameter("Families of features; empty for all.")]
    public FeatureFamily[] Families { get; init; } = [];

    /// <summary>Scales in voxels.</summary>
    [Parameter("Scales of the features; empty for ilastik's 0.3, 0.7, 1, 1.6, 3.5, 5, 10.", Unit = "voxels", Min = 0.1, Max = 64)]
    public double[] Scales { get; init; } = [];

    /// <summary>Scales as lengths.</summary>
    [Parameter("Scales as lengths instead: kernels then fit anisotropic voxels.", Unit = "nm", Min = 1e-3, Max = 1e6)]
    public double[] ScalesNm { get; init; } = [];

    /// <summary>Scales in units of the finest voxel edge.</summary>
    [Parameter("Takes the scales as multiples of the finest voxel edge along every axis, so that kernels fit anisotropic voxels.")]
    public bool Physical { get; init; }

    /// <summary>Trees.</summary>
    [Parameter("Trees of the forest.", Min = 1, Max = 10_000)]
    public int Trees { get; init; } = 100;

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

    /// <summary>The features that are selected for an image.</summary>
    /// <exception cref="InputError">Two kinds of scales are given, a length is needed and the voxel size unknown, or no feature is left.</exception>
    public FeatureSet Selection(VolumeInfo image)
    {
        if (Scales.Length > 0 && ScalesNm.Length > 0) throw new InputError("scales and scales-nm are both given; keep one of them.");
        double[] scales = ScalesNm.Length == 0 ? Scales : [.. ScalesNm.Select(nm => nm / image.RequireVoxel("scales-nm").Finest)];
        var set = new FeatureSet
        {
            // whatever is known to help: models name what that was, since it may grow
            Kind = Features == FeatureKind.All ? FeatureKind.Milling : Features,
            Dimensions = Dimensions ?? (image.Size.Z == 1 ? 2 : 3),
            Families = Families.Length == 0 ? Enum.GetValues<FeatureFamily>() : [.. Families.Distinct().Order()],
            Scales = scales.Length == 0 ? FeatureSet.AllScales : [.. scales.Distinct().Order()],
        };
        set.Check();
        return set;
    }

    /// <summary>True when scales are lengths.</summary>
    public bool HasLengths => Physical || ScalesNm.Length > 0;

    /// <summary>Trains a forest as the parameters say.</summary>
    /// <param name="channels">One or several on one grid.</param>
    /// <param name="labels">Path of the labels.</param>
    /// <param name="walk">Threads, budget, progress.</param>
    /// <param name="seed">Same seed, same forest.</param>
    /// <param name="options">How to open the labels.</param>
    /// <exception cref="InputError">As <see cref="ForestTraining.Run"/> and <see cref="DrawnLabels.Open"/>.</exception>
    public ForestModel Train(IReadOnlyList<(string Name, IVolume Volume)> channels, string labels, Traversal walk, ulong seed, OpenOptions? options = null)
    {
        var image = channels[0].Volume.Info;
        var training = new ForestTrainingOptions
        {
            Features = Selection(image),
            Physical = HasLengths,
            Dense = Dense,
            MaxSamples = Samples,
            Forest = new() { Trees = Trees, Seed = seed, Balance = Balance },
        };
        var drawn = DrawnLabels.Open(labels, image, Slice, options);
        using var held = drawn as IDisposable;
        var model = ForestTraining.Run(channels, drawn, training, walk).Model;
        if (Phases.Length == 0) return model;
        var named = PhaseNames.Of(model.Phases.Count, Phases);
        return model with { Phases = [.. model.Phases.Zip(named, (phase, name) => name with { Label = phase.Label })] };
    }

    /// <inheritdoc/>
    public override void Run(StepRun run)
    {
        if (Model.Length > 0 == Labels.Length > 0)
            throw new InputError(Model.Length > 0 ? "forest: model and labels are both given; keep one of them." : "forest: give a model, or labels to train on.");
        (string Name, IVolume Volume)[] others = [.. Channel.Select(ChannelFile.Parse).Select(c => (c.Name, c.Open()))];
        try
        {
            var model = Model.Length > 0 ? ForestFile.Load(Model) : Train([("image", run.Source), .. others], Labels, run.Walk.Part(0, 0.2), run.Seed);
            var channels = model.Arrange(run.Source, others);
            model.Check(channels);
            var target = run.CreateLabels(model.VisiblePhases);
            run.Fact("phases", model.Phases.Select(phase => phase.Name));
            run.Fact("samples", model.Training.Samples);
            run.Fact("outOfBagError", double.IsNaN(model.Training.Findings.OutOfBagError) ? (double?)null : model.Training.Findings.OutOfBagError);
            ForestPrediction.Run(model, channels, target, new(), run.Walk.Part(Model.Length > 0 ? 0 : 0.2, 1));
        }
        finally
        {
            foreach (var (_, volume) in others) (volume as IDisposable)?.Dispose();
        }
    }
}
