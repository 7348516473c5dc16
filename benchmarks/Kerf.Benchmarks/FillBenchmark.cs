using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using Kerf.App;
using Kerf.Imaging;
using Kerf.Simulation;
using Kerf.Volumes;

namespace Kerf.Benchmarks;

/// <summary>
/// <c>kerf fill</c> on 128 images of 512² as a user calls it, start of the program, reading and writing of compressed files included, and the filling alone in memory; article II's methods took
/// 7 s (spline) and 44 s (learned, on a K80). Writes <c>benchmarks/results/fill.md</c>.
/// </summary>
public static class FillBenchmark
{
    private const int Threads = 2;

    private static readonly Traversal Walk = Traversal.Default with { Threads = Threads };

    public static int Run(string model)
    {
        var folder = Directory.CreateDirectory(Path.Combine(Path.GetTempPath(), "kerf-fill-benchmark")).FullName;
        var path = Path.Combine(folder, "gaps.zarr");
        if (!Directory.Exists(path)) VolumeFile.Save(Gaps(), path, Walk);
        var gaps = Volume<byte>.Load((IVolume<byte>)VolumeFile.Open(path));
        var slices = SliceDepths.Of(gaps.Info, SliceDepths.PlanesKey)!.Length;
        var text = new StringBuilder(string.Create(CultureInfo.InvariantCulture, $"""
            # Filling 128 images of 512²

            By `kerf-benchmarks fill MODEL`. Levelled-wave gold cut unevenly, {slices} slices on {gaps.Info.Size.Z} planes of {gaps.Info.Size.Y}×{gaps.Info.Size.X}, {gaps.Info.Size.Z - slices} to be made, {Threads} threads. {Machine.Version}, {Machine.Description}, {DateTime.UtcNow:yyyy-MM-dd}.
            Whole program: start, reading and writing of compressed zarr and its pyramid included; median of the runs (least to most). In memory: the filling alone, third run in one process. Article II: 7 s for its spline, 44 s for its network on a K80.

            | method | whole program, s | runs | s of processors | in memory, s |
            |---|---|---|---|---|

            """));
        foreach (var (method, runs) in ((FillMethod, int)[])[(FillMethod.Nearest, 5), (FillMethod.Linear, 5), (FillMethod.Cubic, 9), (FillMethod.Shape, 3), (FillMethod.Learned, 1)])
        {
            var (walls, processors) = Program(method, model, path, runs);
            var memory = method == FillMethod.Learned ? "" : Memory(gaps, method).ToString("F2", CultureInfo.InvariantCulture);
            var line = string.Create(CultureInfo.InvariantCulture,
                $"| {method.ToString().ToLowerInvariant()} | {walls[walls.Length / 2]:F2} ({walls[0]:F2} to {walls[^1]:F2}) | {runs} | {processors:F2} | {memory} |");
            Console.WriteLine(line);
            text.Append(line).Append('\n');
        }
        File.WriteAllText(Path.Combine("benchmarks", "results", "fill.md"), text.ToString());
        return 0;
    }

    // the first thicknesses that end with a slice at plane 127
    private static Volume<byte> Gaps()
    {
        var truth = Volume<byte>.Load(VirtualStructure.Make("hierarchical", new(128, 512, 512), VoxelSize.Cube(SlicesStudy.Grid), 0.12, SlicesStudy.Wavelength, 1, Walk));
        var seed = 1UL;
        while (Mimic.Cut(128, 1, SlicesStudy.Grid, 10.16, 3.12, seed)[^1] != 127) seed++;
        return Filled(Filled(truth, new Mimic { Grid = SlicesStudy.Grid }, seed), new Reposition { Grid = SlicesStudy.Grid });
    }

    private static Volume<byte> Filled(IVolume source, Step step, ulong seed = 1)
    {
        var run = new StepRun(source, info => new Volume<byte>(info)) { Walk = Walk, Seed = seed };
        step.Run(run);
        return (Volume<byte>)run.Target!;
    }

    private static (double[] Walls, double Processors) Program(FillMethod method, string model, string path, int runs)
    {
        var kerf = Path.Combine(AppContext.BaseDirectory, "kerf.dll");
        List<(double Wall, double Processors)> found = [];
        for (var i = 0; i < runs; i++)
        {
            var (clock, before) = (Stopwatch.StartNew(), OfChildren());
            using var process = Process.Start(new ProcessStartInfo("dotnet")
            {
                ArgumentList =
                {
                    kerf, "fill", path, Path.Combine(Path.GetDirectoryName(path)!, "filled.zarr"), "--method", method.ToString().ToLowerInvariant(), "--model", model,
                    "--threads", Threads.ToString(CultureInfo.InvariantCulture), "--force", "--quiet", "--json",
                },
                RedirectStandardOutput = true,
            })!;
            process.StandardOutput.ReadToEnd();
            process.WaitForExit();
            if (process.ExitCode != 0) throw new InvalidOperationException($"kerf fill ended with {process.ExitCode}");
            found.Add((clock.Elapsed.TotalSeconds, OfChildren() - before));
        }
        return ([.. found.Select(f => f.Wall).Order()], found.Select(f => f.Processors).Order().ElementAt(runs / 2));
    }

    // seconds of processors that ended processes took
    private static double OfChildren()
    {
        var usage = new long[18];
        return ResourceUsage(-1, usage) == 0 ? usage[0] + usage[2] + 1e-6 * (usage[1] + usage[3]) : double.NaN;
    }

    // user seconds, microseconds, system seconds, microseconds, and what does not matter here
    [DllImport("libc", EntryPoint = "getrusage")]
    private static extern int ResourceUsage(int who, [Out] long[] usage);

    private static double Memory(Volume<byte> gaps, FillMethod method)
    {
        var seconds = 0.0;
        for (var i = 0; i < 3; i++)
        {
            var clock = Stopwatch.StartNew();
            Filled(gaps, new Fill { Method = method });
            seconds = clock.Elapsed.TotalSeconds;
        }
        return seconds;
    }
}
