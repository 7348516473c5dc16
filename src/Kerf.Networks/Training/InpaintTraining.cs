using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Kerf.Volumes;

namespace Kerf.Networks;

/// <summary>Makes one patch of a training: a pure function of its number.</summary>
/// <param name="item">Number of the patch.</param>
/// <param name="image">Receives channels · edge · edge values.</param>
/// <param name="target">Receives the class of each pixel, −1 where it does not count.</param>
public delegate void PatchMaker(int item, Span<float> image, Span<long> target);

/// <summary>Trains a network that fills planes, on patches that the caller makes.</summary>
/// <param name="options">Width, loss, rate, batch and how long.</param>
/// <param name="channels">Names of the input's channels; the last one is the interpolation that the network joins.</param>
/// <param name="description">What the patches are made of, in words: a checkpoint of another description is refused.</param>
public sealed class InpaintTraining(NetworkOptions options, IReadOnlyList<string> channels, string description)
{
    /// <summary>Numbers of the patches that are judged after every epoch come after these.</summary>
    public const int Patches = 1 << 18;

    private const int Judged = 256;

    /// <summary>Told of every epoch.</summary>
    public Action<EpochRecord>? Report { get; init; }

    /// <summary>Told what the user should know, such as a corrupt checkpoint.</summary>
    public Action<string> Say { get; init; } = _ => { };

    /// <summary>Voxel size in nanometres, z being the mean distance of slices: kept with the model.</summary>
    public VoxelSize? Voxel { get; init; }

    /// <summary>Trains, from the checkpoints when <paramref name="resume"/> is set and there are some.</summary>
    /// <param name="make">Makes patches; patches from <see cref="Patches"/> on judge.</param>
    /// <param name="seed">Same seed, same network on one kind of processor and for one number of threads.</param>
    /// <param name="path">Where the model will be; checkpoints are kept beside it.</param>
    /// <param name="resume">Goes on where a killed training stopped.</param>
    /// <param name="device">See <see cref="Torch.Start"/>.</param>
    /// <param name="walk">Threads, cancellation.</param>
    public NetworkModel Run(PatchMaker make, ulong seed, string path, bool resume, string device, Traversal walk)
    {
        var architecture = new Architecture { Kind = ArchitectureKind.Inpaint, Width = options.Width ?? 32, Channels = channels.Count };
        var network = architecture.Build();
        Torch.Start(walk.Threads, device);
        var checkpoints = new Checkpoints(path);
        if (!resume) checkpoints.Delete();
        var same = options with { Epochs = 1, Minutes = 0 };
        var key = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes($"inpaint\n{JsonSerializer.Serialize(same)}\n{description}\n{seed}")));
        var fit = new Fit(options, architecture, new(1, options.Patch, options.Patch), seed, walk) { Minutes = options.Minutes, Rate = options.Rate, Report = record => Report?.Invoke(record) };
        var (best, standing) = fit.Run(network, network.Initial(seed), [new Made(make, 0, Patches)], new Made(make, Patches, Judged), checkpoints, key, resume ? checkpoints.Load(key, Say) : null);
        return new(architecture, best, new(GreyRule.Raw, false))
        {
            Channels = [.. channels],
            Voxel = Voxel,
            Phases = [new(1, "outside", "#2b2b33"), new(2, "inside", "#e8b23a")],
            Training = new(options, seed, standing.Curve, null),
        };
    }

    /// <summary>Removes the checkpoints, once the model is saved.</summary>
    public static void Clean(string path) => new Checkpoints(path).Delete();

    private sealed class Made(PatchMaker make, int first, int count) : PatchSource
    {
        private static readonly int[] Any = [1, 1];

        public override List<Window> Windows(Size3 patch, Size3 stride, int classes, Traversal walk) => [.. Enumerable.Range(first, count).Select(item => new Window(this, new(item, 0, 0), Any))];

        public override void Cut(Size3 start, Size3 patch, int slices, PatchDraw draw, Span<float> image, Span<long> target) => make(start.Z, image, target);
    }
}
