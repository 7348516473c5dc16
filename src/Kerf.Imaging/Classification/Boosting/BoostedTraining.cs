using System.Globalization;
using Kerf.Volumes;

namespace Kerf.Imaging;

/// <summary>How trees are boosted.</summary>
public sealed record BoostedOptions
{
    /// <summary>Rounds; each adds a tree, with more than two phases one a phase.</summary>
    public int Trees { get; init; } = 100;

    /// <summary>Questions that a tree asks one after the other, at most.</summary>
    public int Depth { get; init; } = 6;

    /// <summary>Share of a tree's answer that is taken.</summary>
    public double Rate { get; init; } = 0.1;

    /// <summary>Seed of the choice among too many labels, and of XGBoost.</summary>
    public ulong Seed { get; init; } = 1;

    /// <summary>Weighs samples so that every class counts the same.</summary>
    public bool Balance { get; init; }

    /// <summary>Label 0 is a phase too.</summary>
    public bool Dense { get; init; }

    /// <summary>Labelled voxels used at most.</summary>
    public int MaxSamples { get; init; } = 200_000;
}

/// <summary>How boosted trees came about.</summary>
/// <param name="Options">Trees, depth, rate, seed.</param>
/// <param name="Samples">Labelled voxels of each phase.</param>
/// <param name="Error">Share of these that the trees get wrong: too low, since they were trained on them.</param>
public sealed record BoostedTrainingRecord(BoostedOptions Options, IReadOnlyList<int> Samples, double Error);

/// <summary>Trains boosted trees on labelled voxels of a specimen, by XGBoost.</summary>
public static class BoostedTraining
{
    private const int Tile = 256;

    /// <summary>Computes the features of labelled voxels and boosts trees on them. One thread boosts: sums of several would hang on their number. Border: mirror.</summary>
    /// <param name="channels">One or several detectors on one grid, with their names.</param>
    /// <param name="labels">0 where nothing is labelled.</param>
    /// <param name="features">Filters of each channel, or null.</param>
    /// <param name="physical">σ is a length; then the set is scaled already.</param>
    /// <param name="further">Features of another kind, or null.</param>
    /// <param name="options">How.</param>
    /// <param name="walk">Threads of the features, budget, progress.</param>
    /// <exception cref="InputError">As a forest's, and when XGBoost is missing.</exception>
    public static BoostedModel Run(
        IReadOnlyList<(string Name, IVolume Volume)> channels, IVolume<byte> labels, FeatureSet? features, bool physical, FurtherFeatures? further, BoostedOptions options, Traversal walk)
    {
        XgboostLibrary.Require();
        features?.Check();
        var voxels = LabelledVoxels.Of(channels, labels, options.Dense, options.MaxSamples, options.Seed, "boosting", walk.Part(0, 0.1));
        string[] names = [.. channels.Select(c => c.Name)];
        IVolume[] volumes = [.. channels.Select(c => c.Volume)];
        var kinds = BoostedModel.Kinds(features, names, further);
        float[][] columns = [.. kinds.SelectMany((kind, i) => voxels.Columns(kind, volumes, walk.Part(0.1 + 0.5 * i / kinds.Count, 0.1 + 0.5 * (i + 1) / kinds.Count)))];
        foreach (var column in columns) foreach (ref var value in column.AsSpan()) value = BoostedTrees.Clean(value);
        var json = Boost(columns, voxels.Classes, voxels.Phases.Length, options, walk.Part(0.6, 1));
        var trees = BoostedTrees.Parse(json, columns.Length, voxels.Phases.Length);
        return new(trees, json, features)
        {
            Further = further,
            Channels = names,
            Voxel = channels[0].Volume.Info.Voxel,
            Physical = physical,
            Phases = voxels.Phases,
            Training = new(options, voxels.Counts, Error(trees, columns, voxels.Classes)),
        };
    }

    /// <summary>Boosts trees on columns of finite values; the same ones give the same bytes.</summary>
    /// <returns>XGBoost's JSON.</returns>
    internal static byte[] Boost(IReadOnlyList<float[]> columns, byte[] classes, int count, BoostedOptions options, Traversal walk)
    {
        using var matrix = Matrix(columns);
        using var booster = Boost(matrix, classes, count, options, walk);
        return Save(booster);
    }

    internal static unsafe XgboostMatrix Matrix(IReadOnlyList<float[]> columns)
    {
        XgboostLibrary.Require();
        var (rows, width) = (columns[0].Length, columns.Count);
        if ((long)rows * width > Array.MaxLength) throw new InputError($"{rows} labelled voxels of {width} features are too many for XGBoost at once. Train on fewer: --samples.");
        var values = new float[rows * width];
        for (var f = 0; f < width; f++) for (var i = 0; i < rows; i++) values[i * width + f] = columns[f][i];
        fixed (float* data = values)
        {
            XgboostLibrary.Check(Xgboost.XGDMatrixCreateFromMat(data, (ulong)rows, (ulong)width, float.NaN, out var matrix));
            return matrix;
        }
    }

    internal static unsafe XgboostBooster Boost(XgboostMatrix matrix, byte[] classes, int count, BoostedOptions options, Traversal walk)
    {
        float[] labels = [.. classes.Select(c => (float)c)];
        fixed (float* data = labels) XgboostLibrary.Check(Xgboost.XGDMatrixSetFloatInfo(matrix, "label", data, (ulong)labels.Length));
        if (options.Balance)
        {
            float[] share = [.. Enumerable.Range(0, count).Select(c => (float)classes.Length / count / classes.Count(k => k == c))];
            float[] weights = [.. classes.Select(c => share[c])];
            fixed (float* data = weights) XgboostLibrary.Check(Xgboost.XGDMatrixSetFloatInfo(matrix, "weight", data, (ulong)weights.Length));
        }
        XgboostBooster booster;
        var handle = matrix.DangerousGetHandle();
        XgboostLibrary.Check(Xgboost.XGBoosterCreate(&handle, 1, out booster));
        string I(IFormattable value) => value.ToString(null, CultureInfo.InvariantCulture);
        void Set(string name, string value) => XgboostLibrary.Check(Xgboost.XGBoosterSetParam(booster, name, value));
        Set("tree_method", "hist");
        Set("objective", count == 2 ? "binary:logistic" : "multi:softprob");
        if (count > 2) Set("num_class", I(count));
        Set("base_score", "0.5");
        Set("max_depth", I(options.Depth));
        Set("eta", I(options.Rate));
        Set("seed", I((int)options.Seed));
        Set("nthread", "1");
        for (var round = 0; round < options.Trees; round++)
        {
            walk.Cancellation.ThrowIfCancellationRequested();
            XgboostLibrary.Check(Xgboost.XGBoosterUpdateOneIter(booster, round, matrix));
            walk.Progress?.Report((round + 1.0) / options.Trees);
        }
        return booster;
    }

    internal static unsafe byte[] Save(XgboostBooster booster)
    {
        XgboostLibrary.Check(Xgboost.XGBoosterSaveModelToBuffer(booster, """{"format":"json"}""", out var length, out var bytes));
        return new ReadOnlySpan<byte>(bytes, checked((int)length)).ToArray();
    }

    private static double Error(BoostedTrees trees, float[][] columns, byte[] classes)
    {
        var (tile, probabilities, wrong) = (new float[columns.Length * Tile], new float[trees.Classes * Tile], 0L);
        for (var start = 0; start < classes.Length; start += Tile)
        {
            var count = Math.Min(Tile, classes.Length - start);
            for (var f = 0; f < columns.Length; f++) columns[f].AsSpan(start, count).CopyTo(tile.AsSpan(f * Tile));
            trees.Predict(tile, Tile, count, probabilities);
            for (var v = 0; v < count; v++)
            {
                var truth = probabilities[classes[start + v] * Tile + v];
                for (var c = 0; c < trees.Classes; c++)
                {
                    if (probabilities[c * Tile + v] <= truth && (c >= classes[start + v] || probabilities[c * Tile + v] < truth)) continue;
                    wrong++;
                    break;
                }
            }
        }
        return (double)wrong / classes.Length;
    }
}
