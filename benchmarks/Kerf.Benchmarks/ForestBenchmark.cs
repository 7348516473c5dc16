using System.Diagnostics;
using Kerf.Imaging;
using Kerf.Volumes;

namespace Kerf.Benchmarks;

/// <summary>Growing and walking a forest on hard samples: 20,000 × 61, three classes, labels that features explain only in part.</summary>
public static class ForestBenchmark
{
    public static (float[][] Columns, byte[] Classes) Hard(int samples, int features, double noise)
    {
        var columns = Enumerable.Range(0, features).Select(_ => new float[samples]).ToArray();
        var classes = new byte[samples];
        for (var i = 0; i < samples; i++)
        {
            var random = new CounterRandom(7, (ulong)i);
            var common = random.NextNormal();
            for (var f = 0; f < features; f++) columns[f][i] = (float)(0.7 * common + random.NextNormal());
            var signal = columns[0][i] + columns[1][i] * columns[2][i] + noise * random.NextNormal();
            classes[i] = (byte)(signal < -0.5 ? 0 : signal < 0.5 ? 1 : 2);
        }
        return (columns, classes);
    }

    public static int Run()
    {
        foreach (var (samples, noise) in new[] { (20_000, 3) })
        {
            var (columns, classes) = Hard(samples, 61, noise);
            var walk = new Traversal { Threads = 2 };
            for (var round = 0; round < 2; round++)
            {
                var (clock, cpu) = (Stopwatch.StartNew(), Process.GetCurrentProcess().TotalProcessorTime);
                var (forest, findings) = Forest.Train(columns, classes, 3, new(), walk);
                var spent = (Process.GetCurrentProcess().TotalProcessorTime - cpu).TotalSeconds;
                Console.WriteLine($"{samples} samples, noise {noise}: train {clock.Elapsed.TotalSeconds:f2} s wall, {spent:f2} s processor; error {findings.OutOfBagError:f3}, depth {forest.Trees.Average(t => t.Depth):f1}, nodes {forest.Trees.Average(t => t.Nodes.Length):f0}");
                var traversal = new ForestTraversal(forest);
                var steps = 0L;
                var quantiser = new BinQuantiser(forest.Bins);
                for (var f = 0; f < 61; f++) traversal.Take(quantiser, f, [.. Enumerable.Range(0, traversal.Tile).Select(v => columns[f][v % samples] * 0.98f)]);
                var row = new byte[61];
                for (var v = 0; v < 256; v++)
                {
                    for (var f = 0; f < 61; f++) row[f] = forest.Bins.Bin(f, columns[f][v % samples] * 0.98f);
                    foreach (var tree in forest.Trees) for (var i = 0; !DecisionTree.IsLeaf(tree.Nodes[i]); steps++) i = DecisionTree.Next(tree.Nodes[i], row[DecisionTree.Feature(tree.Nodes[i])]);
                }
                traversal.Vote();
                for (var k = 0; k < 3; k++)
                {
                    cpu = Process.GetCurrentProcess().TotalProcessorTime;
                    for (var i = 0; i < 60; i++) traversal.Vote();
                    var time = Process.GetCurrentProcess().TotalProcessorTime - cpu;
                    Console.WriteLine($"  walk: {60 * traversal.Tile / time.TotalSeconds / 1e6:f3} M voxels/s of one processor; {steps / 256.0 / 100:f1} steps per tree; {time.TotalNanoseconds / (60.0 * traversal.Tile * steps / 256):f3} ns per step");
                }
            }
        }
        return 0;
    }
}
