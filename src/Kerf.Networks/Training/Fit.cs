using System.Diagnostics;
using Kerf.Volumes;

namespace Kerf.Networks;

/// <summary>How good a network is on labelled voxels.</summary>
/// <param name="Loss">Mean loss of the batches.</param>
/// <param name="Accuracy">Share of labelled voxels that are right.</param>
/// <param name="F1">2TP/(2TP + FP + FN) of each phase; NaN for one that neither occurs nor is found.</param>
/// <param name="Mse">Mean of (p − t)² over voxels and phases.</param>
/// <param name="Voxels">Labelled voxels.</param>
public sealed record NetworkScore(double Loss, double Accuracy, IReadOnlyList<double> F1, double Mse, long Voxels)
{
    /// <summary>Mean F1 of the phases that occur.</summary>
    public double MeanF1 => F1.Where(f => !double.IsNaN(f)).DefaultIfEmpty(0).Average();
}

/// <summary>Trains one network: epochs of batches, validation, a rate that falls on plateaus, an early stop, checkpoints.</summary>
internal sealed class Fit
{
    private readonly NetworkOptions _options;
    private readonly Architecture _architecture;
    private readonly Size3 _patch, _stride;
    private readonly ulong _seed;
    private readonly Traversal _walk;
    private readonly int _batch, _planes;

    /// <summary>Prepares a training.</summary>
    /// <param name="options">Parameters.</param>
    /// <param name="architecture">What is trained.</param>
    /// <param name="patch">Extent of a patch.</param>
    /// <param name="seed">Same seed, same network.</param>
    /// <param name="walk">Threads for the patches, cancellation.</param>
    public Fit(NetworkOptions options, Architecture architecture, Size3 patch, ulong seed, Traversal walk)
    {
        (_options, _architecture, _patch, _seed, _walk) = (options, architecture, patch, seed, walk with { Progress = null });
        _stride = new(architecture.Is3D ? Math.Max(1, patch.Z / 2) : 1, Math.Max(1, patch.Y / 2), Math.Max(1, patch.X / 2));
        _batch = options.BatchOf(architecture);
        _planes = architecture.Channels * (architecture.Is3D ? patch.Z : architecture.Slices);
    }

    /// <summary>Minutes that this training may take; 0 for no limit.</summary>
    public double Minutes { get; init; }

    /// <summary>Learning rate at the start.</summary>
    public double Rate { get; init; }

    /// <summary>Called after every epoch.</summary>
    public Action<EpochRecord>? Report { get; init; }

    /// <summary>Trains.</summary>
    /// <param name="network">The layers.</param>
    /// <param name="initial">Their numbers.</param>
    /// <param name="training">Where patches come from.</param>
    /// <param name="validation">Where they are judged.</param>
    /// <param name="checkpoints">Where the state is kept after each epoch.</param>
    /// <param name="key">What the state depends on.</param>
    /// <param name="before">A state to go on from.</param>
    /// <returns>The numbers of the best epoch and the state at the end.</returns>
    public (float[][] Best, Standing Standing) Run(
        Network network, float[][] initial, IReadOnlyList<PatchSource> training, PatchSource validation, Checkpoints checkpoints, string key, (Standing Standing, float[][] Arrays)? before)
    {
        var standing = before?.Standing ?? new Standing { Key = key, Rate = Rate };
        var best = before is { } resumed ? resumed.Arrays[^initial.Length..] : initial;
        if (standing.Done && (standing.Epoch >= _options.Epochs || standing.Stale >= _options.Stop || Minutes > 0)) return (best, standing);
        using var scope = new TensorScope();
        using var loaded = new LoadedNetwork(network, before?.Arrays[..initial.Length] ?? initial, learn: true);
        using var adam = new Adam(loaded.Learning);
        if (before is { } state) adam.Restore(state.Standing.Steps, state.Arrays[initial.Length..^initial.Length]);
        var windows = training.SelectMany(region => region.Windows(_patch, _stride, _architecture.Classes, _walk)).ToList();
        var judged = validation.Windows(_patch, _patch, _architecture.Classes, _walk);
        while (standing.Epoch < _options.Epochs && standing.Stale < _options.Stop && !OutOfTime(standing.Seconds))
        {
            _walk.Cancellation.ThrowIfCancellationRequested();
            var clock = Stopwatch.StartNew();
            var loss = Epoch(loaded, adam, windows, standing, clock);
            var score = judged.Count == 0 ? new(loss, double.NaN, [], double.NaN, 0) : Judge(loaded, judged);
            standing = Next(standing, loss, score, adam.Steps, clock.Elapsed.TotalSeconds);
            var values = loaded.Values();
            if (standing.Stale == 0) best = values;
            var over = standing.Epoch >= _options.Epochs || standing.Stale >= _options.Stop || OutOfTime(standing.Seconds);
            standing = standing with { Done = over };
            checkpoints.Save(standing, values, adam.State(), best);
            Report?.Invoke(standing.Curve[^1]);
        }
        return (best, standing);
    }

    private bool OutOfTime(double seconds) => Minutes > 0 && seconds >= Minutes * 60;

    // a limit of minutes may come before the last epoch
    private double RateAt(Standing standing, double share, double seconds)
    {
        if (_options.Schedule == Schedule.Plateau) return standing.Rate;
        var done = Math.Clamp(Math.Max((standing.Epoch + share) / _options.Epochs, Minutes > 0 ? (standing.Seconds + seconds) / (60 * Minutes) : 0), 0, 1);
        return standing.Rate * (done < 0.05 ? 0.05 + done / 0.05 * 0.95 : 0.5 * (1 + Math.Cos(Math.PI * (done - 0.05) / 0.95)));
    }

    private Standing Next(Standing standing, double loss, NetworkScore score, long steps, double seconds)
    {
        var better = score.Loss < standing.BestLoss * (1 - 1e-4) || double.IsInfinity(standing.BestLoss);
        var waited = better ? 0 : standing.Waited + 1;
        var slower = waited > _options.Patience && _options.Schedule == Schedule.Plateau;
        var record = new EpochRecord(standing.Epoch + 1, loss, score.Loss, score.Accuracy, score.MeanF1, score.Mse, RateAt(standing, 0, 0), seconds);
        return standing with
        {
            Epoch = standing.Epoch + 1,
            Steps = steps,
            Rate = slower ? standing.Rate * _options.Factor : standing.Rate,
            Waited = slower ? 0 : waited,
            Stale = better ? 0 : standing.Stale + 1,
            BestLoss = better ? score.Loss : standing.BestLoss,
            Seconds = standing.Seconds + seconds,
            Curve = [.. standing.Curve, record],
        };
    }

    private double Epoch(LoadedNetwork network, Adam adam, List<Window> windows, Standing standing, Stopwatch clock)
    {
        var order = Order(windows, standing.Epoch);
        var (sum, count) = (0.0, 0);
        for (var start = 0; start < order.Count; start += _batch)
        {
            _walk.Cancellation.ThrowIfCancellationRequested();
            // the first step is always made: a limit of seconds still gives a network
            if (start > 0 && OutOfTime(standing.Seconds + clock.Elapsed.TotalSeconds)) break;
            var items = order.GetRange(start, Math.Min(_batch, order.Count - start));
            var first = start;
            using var scope = new TensorScope();
            var (image, target) = Batch(items, i => new(_options.Augment, _stride, Unit, _seed, standing.Epoch, first + i));
            var loss = Learning.Of(_options.Loss, network.Forward(image, train: true).Logits, target);
            loss.Backward();
            adam.Step(RateAt(standing, (double)start / order.Count, clock.Elapsed.TotalSeconds));
            var value = loss.Scalar();
            if (!float.IsFinite(value)) throw new InputError($"training: the loss is {value} in epoch {standing.Epoch + 1}, so the network is lost. Choose a smaller --rate than {_options.Rate:g3} and go on with --resume.");
            sum += value * (double)items.Count;
            count += items.Count;
        }
        return sum / Math.Max(1, count);
    }

    private float Unit => new GreyScaling(_options.Grey, _options.EachSlice).Unit;

    // all windows in random order, or each phase in turn
    private List<Window> Order(List<Window> windows, int epoch)
    {
        var random = new CounterRandom(_seed, 0x4F52_0000_0000UL + (ulong)epoch);
        Window[] order = [.. windows];
        if (_options.Sampling == Sampling.Balanced)
        {
            List<Window>[] holding = [.. Enumerable.Range(0, _architecture.Classes).Select(c => windows.FindAll(w => w.Counts[c] > 0)).Where(w => w.Count > 0)];
            for (var i = 0; i < order.Length; i++) order[i] = holding[i % holding.Length][random.NextInt(holding[i % holding.Length].Count)];
        }
        else
        {
            for (var i = order.Length - 1; i > 0; i--)
            {
                var j = random.NextInt(i + 1);
                (order[i], order[j]) = (order[j], order[i]);
            }
        }
        return [.. _options.Windows > 0 ? order.Take(_options.Windows) : order];
    }

    private (Tensor Image, Tensor Target) Batch(List<Window> items, Func<int, PatchDraw> draw)
    {
        var (voxels, values) = ((int)_patch.Count, _planes * (int)_patch.SliceCount);
        var (image, target) = (new float[items.Count * values], new long[items.Count * voxels]);
        _walk.ForEach(items.Count, i => items[i].Region.Cut(items[i].Start, _patch, _architecture.Slices, draw(i), image.AsSpan(i * values, values), target.AsSpan(i * voxels, voxels)));
        long n = items.Count;
        long[] shape = _architecture.Is3D ? [n, _architecture.Channels, _patch.Z, _patch.Y, _patch.X] : [n, _planes, _patch.Y, _patch.X];
        return (Tensor.Of(image, shape, TensorFlags.ChannelsLast), Tensor.Of(target, [n, .. shape[2..]]));
    }

    /// <summary>Scores a network on a region.</summary>
    public NetworkScore Judge(LoadedNetwork network, PatchSource region) => Judge(network, region.Windows(_patch, _patch, _architecture.Classes, _walk));

    private NetworkScore Judge(LoadedNetwork network, List<Window> windows)
    {
        var classes = _architecture.Classes;
        var confusion = new long[classes, classes];
        var (loss, squares) = (0.0, 0.0);
        for (var start = 0; start < windows.Count; start += _batch)
        {
            _walk.Cancellation.ThrowIfCancellationRequested();
            using var scope = new TensorScope();
            var items = windows.GetRange(start, Math.Min(_batch, windows.Count - start));
            var (image, target) = Batch(items, _ => PatchDraw.None);
            var logits = network.Forward(image, train: false).Logits;
            loss += Learning.Of(_options.Loss, logits, target, record: false).Scalar() * (double)items.Count;
            squares += Tally(Learning.Softmax(logits).Read(), target.Read(), items.Count, confusion);
        }
        var all = confusion.Cast<long>().Sum();
        double[] f1 = [.. Enumerable.Range(0, classes).Select(c =>
        {
            var (mine, truth) = (Enumerable.Range(0, classes).Sum(t => confusion[t, c]), Enumerable.Range(0, classes).Sum(p => confusion[c, p]));
            return 2.0 * confusion[c, c] / (mine + truth);
        })];
        var right = Enumerable.Range(0, classes).Sum(c => confusion[c, c]);
        return new(loss / Math.Max(1, windows.Count), (double)right / all, f1, squares / classes / all, all);
    }

    private double Tally(float[] probabilities, float[] target, int items, long[,] confusion)
    {
        var classes = _architecture.Classes;
        var voxels = target.Length / items;
        var squares = 0.0;
        for (var n = 0; n < items; n++)
            for (var v = 0; v < voxels; v++)
            {
                var truth = (int)target[n * voxels + v];
                if (truth < 0) continue;
                var best = 0;
                for (var c = 0; c < classes; c++)
                {
                    var p = probabilities[(n * classes + c) * voxels + v];
                    if (p > probabilities[(n * classes + best) * voxels + v]) best = c;
                    squares += (p - (c == truth ? 1 : 0)) * (double)(p - (c == truth ? 1 : 0));
                }
                confusion[truth, best]++;
            }
        return squares;
    }
}
