using Kerf.Volumes;

namespace Kerf.Networks;

/// <summary>Segments with a trained network: see <c>docs/methods/network.md</c>.</summary>
[Operation("network", "Segments with a convolutional network that kerf train network wrote.")]
public sealed record NetworkSegmentation : Step
{
    /// <summary>A trained model.</summary>
    [Parameter("A model that kerf train network wrote.", IsPath = true)]
    public string Model { get; init; } = "";

    /// <summary>Further channels.</summary>
    [Parameter("Further channels on the same grid, each as name=path.", IsPath = true)]
    public string[] Channel { get; init; } = [];

    /// <summary>Edge of a tile.</summary>
    [Parameter("Edge of a tile; 0 for 512, or 64 in 3-D.", Unit = "voxels", Min = 0, Max = 4096)]
    public int Tile { get; init; }

    /// <summary>Test-time flips.</summary>
    [Parameter("Averages over the four mirror images in the slice.")]
    public bool Flips { get; init; }

    /// <summary>Where libtorch computes.</summary>
    [Parameter("auto takes a GPU when there is one; cpu, cuda or cuda:N chooses.")]
    public string Device { get; init; } = "auto";

    /// <inheritdoc/>
    public override void Run(StepRun run)
    {
        if (Model.Length == 0) throw new InputError("network: model is empty; give the file that kerf train network wrote.");
        var model = NetworkFile.Load(Model);
        (string Name, IVolume Volume)[] others = [.. Channel.Select(ChannelFile.Parse).Select(c => (c.Name, c.Open()))];
        try
        {
            var channels = model.Arrange(run.Source, others);
            var target = run.CreateLabels(model.VisiblePhases);
            run.Fact("phases", model.Phases.Select(phase => phase.Name));
            if (model.Doubt(run.Source.Info) is { } doubt) run.Fact("doubt", doubt);
            Torch.Start(run.Walk.Threads, Device);
            using var prediction = new NetworkPrediction(model, new() { Tile = Tile, Flips = Flips });
            prediction.Run(channels, target, new(), run.Walk);
        }
        finally
        {
            foreach (var (_, volume) in others) (volume as IDisposable)?.Dispose();
        }
    }
}
