using Kerf.Imaging;
using Kerf.Networks;
using Kerf.Volumes;

namespace Kerf.App;

/// <summary>A network that fills planes, as the step fill calls it.</summary>
internal sealed class LearnedFill : IPlaneNetwork
{
    private readonly PlanePrediction _prediction;

    private LearnedFill(NetworkModel model) => _prediction = new(model);

    /// <summary>Opens a model on the thread that fills.</summary>
    /// <exception cref="InputError">No such model.</exception>
    public static IPlaneNetwork Open(string path, VolumeInfo info, Traversal walk)
    {
        var model = NetworkFile.Load(path);
        if (model.Architecture.Kind != ArchitectureKind.Inpaint || !model.Channels.SequenceEqual(FillChannels.Names))
            throw new InputError($"{path}: is a network for images, not for planes between slices. Train one with kerf train fill.");
        Torch.Start(walk.Threads, "auto");
        return new LearnedFill(model);
    }

    public void Run(ReadOnlySpan<float> channels, int height, int width, Span<float> field) => _prediction.Run(channels, height, width, field);

    public void Dispose() => _prediction.Dispose();
}
