using Kerf.Imaging;
using Kerf.Volumes;
using Xunit;

namespace Kerf.Tests;

public class ForestGrowthTests
{
    private static readonly Traversal Walk = new();

    // three classes that two of the features explain in part; the others are noise
    private static (float[][] Columns, byte[] Classes) Samples(int count, int features, ulong seed, double noise = 0.7)
    {
        var columns = Enumerable.Range(0, features).Select(_ => new float[count]).ToArray();
        var classes = new byte[count];
        for (var i = 0; i < count; i++)
        {
            var random = new CounterRandom(seed, (ulong)i);
            foreach (var column in columns) column[i] = (float)random.NextNormal();
            var signal = columns[0][i] + columns[1][i] + noise * random.NextNormal();
            classes[i] = (byte)(signal < -0.6 ? 0 : signal < 0.6 ? 1 : 2);
        }
        return (columns, classes);
    }

    private static byte[] Winners(float[][] probabilities) =>
        [.. Enumerable.Range(0, probabilities[0].Length).Select(i => (byte)Enumerable.Range(0, probabilities.Length).MaxBy(c => probabilities[c][i]))];

    [Fact]
    public void OutOfBagErrorIsThatOfSamplesNeverSeen()
    {
        var (columns, classes) = Samples(3000, 9, seed: 1);
        var (forest, findings) = Forest.Train(columns, classes, 3, new(), Walk);
        var (fresh, truth) = Samples(6000, 9, seed: 2);
        var wrong = Winners(forest.Probabilities(fresh, Walk)).Zip(truth).Count(pair => pair.First != pair.Second) / 6000.0;
        Assert.InRange(findings.OutOfBagError, wrong - 0.025, wrong + 0.025);
        // and not that of the samples it was grown on
        Assert.True(Winners(forest.Probabilities(columns, Walk)).SequenceEqual(classes));
    }

    [Fact]
    public void ManyVoxelsAtOnceGiveThePlainAnswer()
    {
        var (columns, classes) = Samples(2500, 70, seed: 3);
        var (forest, _) = Forest.Train(columns, classes, 3, new() { Trees = 21 }, Walk);
        var (voxels, _) = Samples(5003, 70, seed: 4);
        for (var i = 0; i < 40; i++) voxels[i % 3][7 * i] = (i % 4) switch { 0 => float.NaN, 1 => float.PositiveInfinity, 2 => float.NegativeInfinity, _ => forest.Bins.Thresholds(i % 3)[i] };
        var fast = forest.Probabilities(voxels, new Traversal { Threads = 2 });
        for (var i = 0; i < 5003; i += i < 300 ? 1 : 13)
        {
            var votes = forest.Votes([.. voxels.Select(column => column[i])]);
            for (var c = 0; c < 3; c++) Assert.Equal((float)(votes[c] * (1.0 / (21L * DecisionTree.One))), fast[c][i]);
        }
    }

    [Theory]
    [InlineData(2)]
    [InlineData(40)]
    [InlineData(400)]
    public void ShallowTreesToo(int samples)
    {
        var (columns, classes) = Samples(samples, 5, seed: 12, noise: 0);
        for (var c = 0; c < Math.Min(samples, 3); c++) classes[c] = (byte)c;
        var count = Math.Min(samples, 3);
        var (forest, _) = Forest.Train(columns, [.. classes.Select(c => (byte)Math.Min((int)c, count - 1))], count, new() { Trees = 7 }, Walk);
        var (voxels, _) = Samples(700, 5, seed: 13);
        var fast = forest.Probabilities(voxels, Walk);
        for (var i = 0; i < 700; i += 3)
        {
            var votes = forest.Votes([.. voxels.Select(column => column[i])]);
            for (var c = 0; c < count; c++) Assert.Equal((float)(votes[c] * (1.0 / (7L * DecisionTree.One))), fast[c][i]);
        }
    }

    [Theory]
    [InlineData(100)]
    [InlineData(13)]
    [InlineData(1)]
    public void AWinnerThatIsCertainEarlyIsTheWinner(int trees)
    {
        var (columns, classes) = Samples(1500, 5, seed: 5);
        var (forest, _) = Forest.Train(columns, classes, 3, new() { Trees = trees }, Walk);
        var (quantiser, all, early) = (new BinQuantiser(forest.Bins), new ForestTraversal(forest), new ForestTraversal(forest));
        var (voxels, _) = Samples(all.Tile, 5, seed: 6);
        for (var f = 0; f < 5; f++)
        {
            all.Take(quantiser, f, voxels[f]);
            early.Take(quantiser, f, voxels[f]);
        }
        all.Vote();
        early.Vote(winnerOnly: true);
        for (var v = 0; v < all.Tile; v++) Assert.Equal(First(all, v), First(early, v));

        static int First(ForestTraversal traversal, int v) => Enumerable.Range(0, 3).MaxBy(c => traversal.Votes[v * traversal.VoteStride + c]);
    }

    [Fact]
    public void BinsSideBySideAreThePlainBins()
    {
        var random = new CounterRandom(8, 0);
        float[] many = [.. Enumerable.Range(0, 255).Select(i => i * 0.5f - 40)];
        var bins = new FeatureBins([many, [0.25f], [], many[..77]]);
        float[] values = [.. Enumerable.Range(0, 1000).Select(i => i % 3 == 0 ? many[random.NextInt(255)] : (float)(30 * random.NextNormal())), float.NaN, float.PositiveInfinity, float.NegativeInfinity];
        var quantiser = new BinQuantiser(bins);
        for (var f = 0; f < bins.Features; f++)
        {
            var found = new sbyte[values.Length];
            quantiser.Bin(f, values, found);
            Assert.Equal(values.Select(v => bins.Bin(f, v)), found.Select(b => (byte)(b ^ 0x80)));
        }
    }

    [Fact]
    public void TheSeedGrowsTheTreesAndThreadsDoNotShow()
    {
        var (columns, classes) = Samples(900, 8, seed: 9);
        var (one, of) = Forest.Train(columns, classes, 3, new() { Trees = 9 }, new Traversal { Threads = 1 });
        var (two, ot) = Forest.Train(columns, classes, 3, new() { Trees = 9 }, new Traversal { Threads = 2 });
        var (other, _) = Forest.Train(columns, classes, 3, new() { Trees = 9, Seed = 2 }, Walk);
        for (var t = 0; t < 9; t++) Assert.Equal(one.Trees[t].Nodes, two.Trees[t].Nodes);
        Assert.Equal(of.Permutation, ot.Permutation);
        Assert.Equal(of.OutOfBagError, ot.OutOfBagError);
        Assert.False(one.Trees[0].Nodes.SequenceEqual(other.Trees[0].Nodes));
    }

    [Fact]
    public void BalanceLendsARareClassAVoice()
    {
        var (columns, _) = Samples(4000, 4, seed: 10);
        byte[] Rare(float[][] features, ulong seed) => [.. features[0].Select((v, i) => (byte)(v + 1.2 * new CounterRandom(seed, (ulong)i).NextNormal() > 2.6 ? 1 : 0))];
        var classes = Rare(columns, 20);
        Assert.InRange(classes.Count(c => c == 1), 100, 400);
        var (fresh, _) = Samples(4000, 4, seed: 11);
        var truth = Rare(fresh, 21);
        double Recall(bool balance)
        {
            // leaves of a few samples: a tree grown to purity has nothing left to weigh
            var (forest, _) = Forest.Train(columns, classes, 2, new() { Balance = balance, MinSplit = 200 }, Walk);
            var found = Winners(forest.Probabilities(fresh, Walk));
            return Enumerable.Range(0, 4000).Count(i => truth[i] == 1 && found[i] == 1) / (double)truth.Count(c => c == 1);
        }
        Assert.True(Recall(true) > Recall(false) + 0.2, $"{Recall(false)} to {Recall(true)}");
    }

    [Fact]
    public void ImportanceFindsTheFeaturesThatMatter()
    {
        var (columns, classes) = Samples(2000, 6, seed: 12);
        var (_, findings) = Forest.Train(columns, classes, 3, new(), Walk);
        string[] names = ["a", "b", "c", "d", "e", "f"];
        FeatureGroup[] groups = [FeatureGroup.Smoothing, FeatureGroup.Edge, FeatureGroup.Texture, FeatureGroup.Texture, FeatureGroup.Texture, FeatureGroup.Texture];
        var tables = ForestImportance.Tables(findings, names, groups, ["x", "y", "z"]);
        Assert.Equal(["impurity", "permutation", "permutation of x", "permutation of y", "permutation of z"], tables.Select(t => t.Kind));
        foreach (var table in tables) Assert.Equal(["a", "b"], table.Features.OrderByDescending(b => b.Quantiles[2]).Take(2).Select(b => b.Name).Order());
        // shares of a tree sum to 1, and so do their groups; shuffled noise changes nothing on average
        Assert.Equal(1, tables[0].Groups.Sum(b => b.Mean), 5);
        Assert.All(tables[1].Features.Skip(2), box => Assert.InRange(box.Mean, -0.02, 0.02));
        Assert.Equal(findings.Permutation[0], tables[1].Features[0].Mean, 6);
        Assert.All(tables.SelectMany(t => t.Features), box => Assert.Equal(box.Quantiles.Order(), box.Quantiles));
    }
}
