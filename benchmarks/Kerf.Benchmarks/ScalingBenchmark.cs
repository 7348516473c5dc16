using System.Diagnostics;
using System.Globalization;
using System.Text;
using Kerf.App;
using Kerf.Microstructure;
using Kerf.Volumes;

namespace Kerf.Benchmarks;

/// <summary>
/// Cost per voxel of whole-volume measures from 128³ to 768³ (or the edges given), two threads; writes <c>benchmarks/results/scaling.md</c>.
/// The volume is one block of 128³ voxels of overlapping balls, repeated, so that every size holds the same structure.
/// </summary>
public static class ScalingBenchmark
{
    private static readonly (string Name, Action<IVolume<byte>, Traversal> Work)[] Kinds =
    [
        ("distance", (mask, walk) => DistanceMap.Write(mask, new Nowhere(mask.Info), walk)),
        ("correlation", (mask, walk) => new TwoPoint { Phase = "1" }.Run(mask, walk, 1)),
        ("lineal-path", (mask, walk) => new LinealPath { Phase = "1" }.Run(mask, walk, 1)),
        ("surface", (mask, walk) => new Surface().Run(mask, walk, 1)),
        ("connectivity", (mask, walk) => new Connectedness { Phase = "1" }.Run(mask, walk, 1)),
        ("thickness", (mask, walk) => LocalThickness.ForEachSlice(mask, walk, (_, _) => { })),
        ("geodesic", Transport.Spread),
    ];

    public static int Run(int[] edges)
    {
        var text = new StringBuilder("# Cost against size\n\nNanoseconds of wall time per voxel on two threads, memory budget 4 GiB; overlapping balls, seed 1; made by `kerf-benchmarks scaling`. ");
        text.Append(CultureInfo.InvariantCulture, $"{Machine.Version}, {Machine.Description}, {DateTime.UtcNow:yyyy-MM-dd}.\n\n| measure |");
        if (edges.Length == 0) edges = [128, 256, 384, 512, 768];
        foreach (var edge in edges) text.Append(CultureInfo.InvariantCulture, $" {edge}³ |");
        text.Append("\n|---|").Append(string.Concat(edges.Select(_ => "---|"))).Append('\n');
        foreach (var (name, work) in Kinds)
        {
            text.Append(CultureInfo.InvariantCulture, $"| {name} |");
            work(new Repeated(128), new() { Threads = 2 });
            foreach (var edge in edges)
            {
                GC.Collect();
                var volume = new Repeated(edge);
                var watch = Stopwatch.StartNew();
                work(volume, new() { Threads = 2 });
                var cost = watch.Elapsed.TotalNanoseconds / volume.Info.Size.Count;
                Console.WriteLine($"{name} {edge}: {watch.Elapsed.TotalSeconds:f2} s, {cost:f1} ns per voxel, {Environment.WorkingSet >> 20} MiB");
                text.Append(CultureInfo.InvariantCulture, $" {cost:f1} |");
            }
            text.Append('\n');
        }
        var folder = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(folder, "Kerf.slnx"))) folder = Path.GetDirectoryName(folder)!;
        File.WriteAllText(Path.Combine(folder, "benchmarks/results/scaling.md"), text.ToString());
        return 0;
    }

    private sealed class Nowhere(VolumeInfo info) : IWritableVolume<float>
    {
        public VolumeInfo Info => info;

        public bool IsWritten(Box box) => false;

        public void Read(Box box, Span<float> target) => throw new NotSupportedException();

        public void Write(Box box, ReadOnlySpan<float> source) { }
    }

    private sealed class Repeated(int edge) : IVolume<byte>
    {
        private const int Period = 128;

        private static readonly byte[] Cell = Make();

        public VolumeInfo Info { get; } = new(Size3.Cube(edge), PixelType.UInt8, VoxelSize.Cube(5));

        public void Read(Box box, Span<byte> target)
        {
            var at = 0;
            for (var z = box.Start.Z; z < box.End.Z; z++)
                for (var y = box.Start.Y; y < box.End.Y; y++)
                    for (var x = box.Start.X; x < box.End.X; x++) target[at++] = Cell[(z % Period * Period + y % Period) * Period + x % Period];
        }

        // balls of radius 6 to 16, periodic, until half the cell is full
        private static byte[] Make()
        {
            var cell = new byte[Period * Period * Period];
            var full = 0;
            for (ulong ball = 0; full < cell.Length / 2; ball++)
            {
                var random = new CounterRandom(1, ball);
                var (cz, cy, cx, radius) = (random.NextInt(Period), random.NextInt(Period), random.NextInt(Period), 6 + random.NextInt(11));
                for (var z = -radius; z <= radius; z++)
                    for (var y = -radius; y <= radius; y++)
                        for (var x = -radius; x <= radius; x++)
                        {
                            if (z * z + y * y + x * x > radius * radius) continue;
                            ref var voxel = ref cell[((cz + z + Period) % Period * Period + (cy + y + Period) % Period) * Period + (cx + x + Period) % Period];
                            full += 1 - voxel;
                            voxel = 1;
                        }
            }
            return cell;
        }
    }
}
