using System.Globalization;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Kerf.Volumes;

namespace Kerf.Networks;

/// <summary>Trains networks on labelled voxels of a specimen.</summary>
public sealed class NetworkTraining
{
    private readonly NetworkOptions _options;
    private readonly IReadOnlyList<(string Name, IVolume Volume)> _channels;
    private readonly IVolume<byte> _labels;
    private readonly Traversal _walk;
    private readonly ulong _seed;
    private readonly string _path;
    private readonly Lazy<string> _voxels;

    /// <summary>Prepares a training.</summary>
    /// <param name="channels">One or several detectors on one grid, with their names.</param>
    /// <param name="labels">0 where nothing is labelled, unless every voxel is.</param>
    /// <param name="options">Network and training.</param>
    /// <param name="seed">Same seed, same network on one kind of processor.</param>
    /// <param name="path">Where the model will be; checkpoints are kept beside it.</param>
    /// <param name="walk">Threads, cancellation.</param>
    /// <exception cref="InputError">Sizes or names that do not fit, parameters that are not allowed.</exception>
    public NetworkTraining(IReadOnlyList<(string Name, IVolume Volume)> channels, IVolume<byte> labels, NetworkOptions options, ulong seed, string path, Traversal walk)
    {
        (_channels, _labels, _options, _seed, _path, _walk) = (channels, labels, options, seed, path, walk);
        _voxels = new(() => string.Join(' ', [.. channels.Select(c => Hash(c.Volume.AsFloat())), Hash(labels)]));
        options.Check();
        ChannelGrid.Check(channels);
        ChannelGrid.CheckLabels(channels[0].Volume.Info, labels.Info);
        if (channels.Count == 1 && options.Fusion != Fusion.Early) throw new InputError($"fusion {options.Fusion.ToString().ToLowerInvariant()} needs two channels or more; add --channel name=PATH.");
    }

    /// <summary>Told of every epoch; the stage is empty, or the name of the member that is trained.</summary>
    public Action<string, EpochRecord>? Report { get; init; }

    /// <summary>Told what the user should know, such as a corrupt checkpoint.</summary>
    public Action<string> Say { get; init; } = _ => { };

    /// <summary>Trains, from the checkpoints when <paramref name="resume"/> is set and there are some.</summary>
    /// <param name="resume">Goes on where a killed training stopped.</param>
    /// <param name="device">See <see cref="Torch.Start"/>.</param>
    /// <exception cref="InputError">No labels, one class only, a class that is missing where the network would learn it.</exception>
    public NetworkModel Run(bool resume, string device = "auto")
    {
        try
        {
            return Trained(resume, device);
        }
        catch (OutOfMemoryException exception)
        {
            throw new InputError($"out of memory in training, with {_options.BatchOf(_options.Of(_channels.Count, 2))} patches of edge {_options.Patch} at once. Choose a smaller --batch, --patch, --width or --depth, or raise --memory.", exception);
        }
    }

    private NetworkModel Trained(bool resume, string device)
    {
        var (used, classes) = Used();
        var architecture = _options.Of(_channels.Count, used.Length);
        Phase[] phases = [.. used.Select(label => _labels.Info.Phases?.FirstOrDefault(p => p.Label == label) ?? Phase.Unnamed(label))];
        var folds = _options.Folds;
        var splits = Enumerable.Range(0, Math.Max(1, folds)).Select(fold => RegionSplit.Of(_labels, classes, _options.Split, fold, folds, architecture.Is3D, _walk)).ToArray();
        foreach (var split in splits) CheckRegion(split.Training, classes, phases);
        Torch.Start(_walk.Threads, device);
        var scaling = new GreyScaling(_options.Grey, _options.EachSlice);
        IVolume<float>[] scaled = [.. _channels.Select(c => scaling.Of(c.Volume, _walk with { Progress = null }))];
        NetworkModel? best = null;
        var scores = new List<NetworkScore>();
        for (var fold = 0; fold < splits.Length; fold++)
        {
            var stage = folds > 0 ? string.Create(CultureInfo.InvariantCulture, $"fold {fold + 1} ") : "";
            var model = One(architecture, scaled, classes, splits[fold], scaling, phases, stage, resume);
            if (model.Training.Test is { } test) scores.Add(test);
            if (best is null || model.Training.BestLoss < best.Training.BestLoss) best = model;
        }
        return folds == 0 ? best! : best! with { Training = best.Training with { Folds = scores } };
    }

    /// <summary>Removes the checkpoints of all stages, once the model is saved.</summary>
    public void Clean()
    {
        var folder = Path.GetDirectoryName(Path.GetFullPath(_path))!;
        foreach (var file in Directory.GetFiles(folder, Path.GetFileName(_path) + "*.checkpoint-?")) File.Delete(file);
    }

    private NetworkModel One(
        Architecture architecture, IVolume<float>[] scaled, int[] classes, (Box[] Training, Box Validation, Box Test) split, GreyScaling scaling, Phase[] phases, string stage, bool resume)
    {
        var network = architecture.Build();
        var values = network.Initial(_seed);
        var members = new List<IReadOnlyList<EpochRecord>>();
        if (architecture.IsEnsemble)
        {
            for (var c = 0; c < scaled.Length; c++)
            {
                var (trained, curve, _) = Stage(architecture.OfMember(), [scaled[c]], classes, split, $"{stage}{_channels[c].Name}", resume, null, (ulong)c);
                Insert(network, values, architecture.OfMember().Build(), trained, $"channel{c}.");
                members.Add(curve);
            }
            if (architecture.Fusion == Fusion.Late) Average(values[network.Slots.TakeWhile(slot => slot.Name != "ensemble.weight").Count()], scaled.Length, architecture.Classes);
            // what members have learned by heart would make them weigh too much: an ensemble learns on what they have not seen (Wolpert 1992, doi:10.1016/S0893-6080(05)80023-1),
            // where all phases are there
            if (Seen([split.Validation], classes, architecture.Classes).All(seen => seen)) split.Training = [split.Validation];
        }
        var (best, record, score) = Stage(architecture, scaled, classes, split, architecture.IsEnsemble ? stage + "ensemble" : stage.TrimEnd(), resume, values, 0);
        return new(architecture, best, scaling)
        {
            Channels = [.. _channels.Select(c => c.Name)],
            Voxel = _channels[0].Volume.Info.Voxel,
            Phases = phases,
            Training = new(_options, _seed, record, score) { Members = members },
        };
    }

    // the geometric mean of the members, to begin with
    private static void Average(float[] weight, int members, int classes)
    {
        Array.Clear(weight);
        for (var c = 0; c < classes; c++)
            for (var m = 0; m < members; m++) weight[(c * members + m) * classes + c] = 1f / members;
    }

    private static void Insert(Network whole, float[][] values, Network member, float[][] trained, string prefix)
    {
        for (var i = 0; i < member.Slots.Count; i++)
        {
            var at = whole.Slots.Select((slot, k) => (slot, k)).First(s => s.slot.Name == prefix + member.Slots[i].Name).k;
            values[at] = trained[i];
        }
    }

    private (float[][] Best, EpochRecord[] Curve, NetworkScore? Test) Stage(
        Architecture architecture, IVolume<float>[] channels, int[] classes, (Box[] Training, Box Validation, Box Test) split, string stage, bool resume, float[][]? initial, ulong stream)
    {
        var network = architecture.Build();
        var checkpoints = new Checkpoints(stage.Length == 0 ? _path : $"{_path}.{stage.Replace(' ', '-')}");
        if (!resume) checkpoints.Delete();
        var key = Key(architecture, stage);
        var stages = architecture.IsEnsemble || architecture.Channels < _channels.Count ? _channels.Count + 0.5 : 1;
        // what an ensemble learns on top of its members is few numbers
        var options = architecture.IsEnsemble ? _options with { Epochs = Math.Max(Math.Min(_options.Epochs, 4), _options.Epochs / 8) } : _options;
        var fit = new Fit(options, architecture, PatchFor(network, split.Training[0].Size), _seed + stream * 1_000_003, _walk)
        {
            Minutes = _options.Minutes / stages / Math.Max(1, _options.Folds) * (architecture.IsEnsemble ? 0.5 : 1),
            // a vote's weights begin as equals and have far to go; a convolution's begin where they are nearly right
            Rate = Math.Min(1, _options.Rate * (!architecture.IsEnsemble ? 1 : architecture.Fusion == Fusion.Vote ? 30 : 3)),
            Report = record => Report?.Invoke(stage, record),
        };
        Region Make(Box box) => new(channels, _labels, classes, box);
        initial ??= network.Initial(_seed + stream * 1_000_003);
        var (best, standing) = fit.Run(network, initial, [.. split.Training.Select(Make)], Make(split.Validation), checkpoints, key, resume ? checkpoints.Load(key, Say) : null);
        if (split.Test.Count == 0) return (best, standing.Curve, null);
        using var loaded = new LoadedNetwork(network, best, learn: false);
        var score = fit.Judge(loaded, Make(split.Test));
        return (best, standing.Curve, score.Voxels > 0 ? score : null);
    }

    // multiples of what the network halves, not larger than what the region needs
    private Size3 PatchFor(Network network, Size3 region)
    {
        var m = network.Multiple;
        int Edge(int length) => Math.Min((_options.Patch + m - 1) / m * m, (length + m - 1) / m * m);
        return new(network.Dimensions == 3 ? Edge(region.Z) : 1, Edge(region.Y), Edge(region.X));
    }

    private (int[] Labels, int[] Classes) Used()
    {
        var slices = new bool[_labels.Info.Size.Z][];
        Blocks.ForEachSlice(_labels, _walk with { Progress = null }, (z, slice) =>
        {
            var seen = slices[z] = new bool[256];
            foreach (var label in slice.AsSpan(0, (int)_labels.Info.Size.SliceCount)) seen[label] = true;
        });
        int[] used = [.. Enumerable.Range(_options.Dense ? 0 : 1, _options.Dense ? 256 : 255).Where(label => slices.Any(seen => seen[label]))];
        if (used.Length == 0) throw new InputError("labels: no voxel is labelled (all are 0). Paint strokes of at least two phases.");
        if (used.Length == 1)
            throw new InputError($"labels: only label {used[0]} is used; a network needs two or more. Label a second phase{(_options.Dense ? "" : ", or add --dense if 0 is one")}.");
        return (used, [.. Enumerable.Range(0, 256).Select(label => Array.IndexOf(used, label))]);
    }

    // a class that is not there cannot be learned
    private void CheckRegion(Box[] parts, int[] classes, Phase[] phases)
    {
        var missing = Array.IndexOf(Seen(parts, classes, phases.Length), false);
        if (missing >= 0)
        {
            throw new InputError($"labels: no voxel of {phases[missing].Name} (label {phases[missing].Label}) lies in the part for training ({string.Join(" and ", parts)}). "
                + "Label some there, or share the parts out otherwise: --split 0.8,0.2,0.");
        }
    }

    private bool[] Seen(Box[] parts, int[] classes, int count)
    {
        var seen = new bool[count];
        foreach (var part in parts)
            for (var z = part.Start.Z; z < part.End.Z; z++)
            {
                var box = new Box(part.Start with { Z = z }, part.Size with { Z = 1 });
                var slice = new byte[box.Count];
                _labels.Read(box, slice);
                foreach (var label in slice) if (classes[label] >= 0) seen[classes[label]] = true;
            }
        return seen;
    }

    private string Key(Architecture architecture, string stage)
    {
        // more epochs or minutes may be asked for when going on, unless the rate depends on them
        var same = _options.Schedule == Schedule.Plateau ? _options with { Epochs = 1, Minutes = 0 } : _options;
        var info = _channels[0].Volume.Info;
        var text = string.Join('\n', JsonSerializer.Serialize(same), JsonSerializer.Serialize(architecture), stage, _seed.ToString(CultureInfo.InvariantCulture), info.Size, string.Join(',', _channels.Select(c => c.Name)), _voxels.Value);
        return Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)));
    }

    // of the voxels themselves: a file that changed since is another training
    private string Hash<T>(IVolume<T> volume) where T : unmanaged
    {
        var slices = new byte[volume.Info.Size.Z][];
        Blocks.ForEachSlice(volume, _walk with { Progress = null }, (z, slice) => slices[z] = SHA256.HashData(MemoryMarshal.AsBytes(slice.AsSpan(0, (int)volume.Info.Size.SliceCount))));
        return Convert.ToHexStringLower(SHA256.HashData(slices.SelectMany(hash => hash).ToArray()));
    }
}
