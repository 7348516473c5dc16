using System.Globalization;
using Kerf.Networks;
using Kerf.Volumes;

namespace Kerf.App;

/// <summary>Trains a network of a study, on the processor.</summary>
internal static class StudyTraining
{
    /// <summary>The network that is there already, or one trained now; a killed training goes on with the epochs that it has.</summary>
    /// <param name="path">Where the model is kept.</param>
    /// <param name="name">For the lines that tell of epochs.</param>
    /// <param name="channels">Images on one grid, with their names.</param>
    /// <param name="labels">0 where nothing is labelled.</param>
    /// <param name="options">Network and training.</param>
    /// <param name="seed">Same seed and threads, same network.</param>
    /// <param name="walk">Threads, cancellation.</param>
    /// <param name="say">Receives a line for each epoch.</param>
    /// <param name="finish">Last touch before the model is kept.</param>
    public static NetworkModel Model(string path, string name, IReadOnlyList<(string Name, IVolume Volume)> channels, IVolume<byte> labels, NetworkOptions options,
        ulong seed, Traversal walk, Action<string> say, Func<NetworkModel, NetworkModel>? finish = null)
    {
        if (File.Exists(path)) return NetworkFile.Load(path);
        var training = new NetworkTraining(channels, labels, options, seed, path, walk)
        {
            Report = (stage, e) => say(string.Create(CultureInfo.InvariantCulture,
                $"{name} {(stage.Length > 0 ? stage + " " : "")}epoch {e.Epoch}: loss {e.Loss:0.0000}, validation {e.Validation:0.0000}, accuracy {e.Accuracy:0.0000}, {e.Seconds:0.0} s")),
        };
        var model = training.Run(resume: true, "cpu");
        if (finish is not null) model = finish(model);
        NetworkFile.Save(model, path);
        training.Clean();
        return model;
    }
}
