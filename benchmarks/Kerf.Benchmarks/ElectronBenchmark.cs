using System.Diagnostics;
using System.Globalization;
using System.Text;
using Kerf.App;
using Kerf.Simulation;
using Kerf.Volumes;

namespace Kerf.Benchmarks;

/// <summary>
/// Images of levelled-wave gold at 2 keV, through-lens detector, two threads. Without arguments: time against electrons per pixel, and against the
/// size of the volume; writes <c>benchmarks/results/electrons.md</c>. With <c>z y x electrons</c>: one stack in epoxy as <c>kerf simulate image</c>
/// makes it, truth and slices written, progress shown, interruptible; writes <c>benchmarks/results/electron-stack.md</c>.
/// </summary>
public static class ElectronBenchmark
{
    private static readonly Traversal Walk = Traversal.Default with { Threads = 2 };

    // as deep as is looked at in vacuum, and more: pores of a shallower one would be shafts of mirror images
    private static readonly Size3 Base = new(96, 96, 96);

    public static int Run(int[] stack) => stack is [var z, var y, var x, var electrons] ? Stack(new(z, y, x), electrons) : Scaling();

    private static int Scaling()
    {
        var text = new StringBuilder("# Electrons against time\n\nBy `kerf-benchmarks electrons`. ").Append(Header());
        text.Append("Nanoseconds are of both processors together (the load of a shared machine would show in wall time). ");
        text.Append("The first rows vary the electrons per pixel, the others the size: larger volumes repeat the first one as its mirror image, since another part of a random structure has other pores.\n\n");
        text.Append("| medium | voxels | electrons per pixel | electrons | s of processors | ns per electron | million a second on two threads | lost % |\n|---|---|---|---|---|---|---|---|\n");
        Shoot("epoxy", new(4, 48, 48), 10);
        Shoot("vacuum", new(4, 48, 48), 10);
        foreach (var medium in new[] { "epoxy", "vacuum" })
        {
            foreach (var (size, electrons) in new (Size3, int)[] { (Base, 5), (Base, 10), (Base, 20), (Base, 40),
                (new(192, 96, 96), 5), (new(96, 192, 192), 5), (new(192, 192, 192), 5) })
            {
                var (seconds, count, lost) = Shoot(medium, size, electrons);
                var line = string.Create(CultureInfo.InvariantCulture, $"| {medium} | {size} | {electrons} | {count / 1e6:F1} million | {seconds:F2} | {seconds / count * 1e9:F0} | {2 * count / seconds / 1e6:F2} | {100 * lost:F1} |");
                Console.WriteLine(line);
                text.Append(line).Append('\n');
            }
        }
        File.WriteAllText(Result("electrons.md"), text.ToString());
        return 0;
    }

    private static (double Seconds, double Electrons, double Lost) Shoot(string medium, Size3 size, int electrons)
    {
        var first = Volume<byte>.Load(VirtualStructure.Make("levelled-wave", Base, VoxelSize.Cube(10), 0.3, 200, 1, Walk));
        var labels = new Volume<byte>(size, first.Info.Voxel);
        Borders.Read(first, Box.Whole(size), Border.Mirror, labels.Data);
        var (signal, error) = (new Volume<float>(size), new Volume<float>(size));
        GC.Collect();
        var before = Process.GetCurrentProcess().TotalProcessorTime;
        var result = ElectronImage.Make(labels, Materials(medium), Beam(electrons), signal, error, 1, Walk);
        return ((Process.GetCurrentProcess().TotalProcessorTime - before).TotalSeconds, result.Electrons, result.Lost);
    }

    private static int Stack(Size3 size, int electrons)
    {
        var folder = Path.Combine(Path.GetTempPath(), "kerf-electron-stack");
        Directory.CreateDirectory(folder);
        using var stop = new CancellationTokenSource();
        Console.CancelKeyPress += (_, pressed) => { pressed.Cancel = true; stop.Cancel(); };
        var structure = Path.Combine(folder, "structure.zarr");
        if (!ZarrVolume.IsKerfVolume(structure)) VolumeFile.Save(VirtualStructure.Make("levelled-wave", size, VoxelSize.Cube(10), 0.3, 200, 1, Walk), structure, Walk);
        using var opened = ZarrVolume.Open(structure);
        using var progress = new ConsoleProgress(quiet: false);
        var (watch, before) = (Stopwatch.StartNew(), Process.GetCurrentProcess().TotalProcessorTime);
        var image = new VirtualImage((IVolume<byte>)opened, Materials("epoxy"), Beam(electrons), null, 1);
        var status = Fault.Report(() =>
        {
            var made = image.Write(Path.Combine(folder, "images.tif"), overwrite: false, Walk with { Progress = progress.Begin("electrons"), Cancellation = stop.Token });
            var (seconds, processors) = (watch.Elapsed.TotalSeconds, (Process.GetCurrentProcess().TotalProcessorTime - before).TotalSeconds);
            var whole = made.Electrons == size.Count * electrons ? "in one run" : $"of which the last run shot {made.Electrons / 1e6:F0} million after an interruption";
            File.WriteAllText(Result("electron-stack.md"), string.Create(CultureInfo.InvariantCulture, $"""
                # A whole stack

                By `kerf-benchmarks electrons {size.Z} {size.Y} {size.X} {electrons}`. {Header()}

                {size} voxels of 10 nm, gold in epoxy, {electrons} electrons per pixel: {size.Count * electrons / 1e6:F0} million electrons {whole}, from opening the structure to the slices and their truth on disk.

                - minutes: {seconds / 60:F2}
                - s of processors: {processors:F0}
                - million electrons a second: {made.Electrons / seconds / 1e6:F2} by the clock, {2 * made.Electrons / processors / 1e6:F2} by processor time on two threads
                - most memory: {Process.GetCurrentProcess().PeakWorkingSet64 >> 20} MiB

                """));
            Console.WriteLine(File.ReadAllText(Result("electron-stack.md")));
        }, stop.Token);
        if (status == 0) Directory.Delete(folder, recursive: true);
        return status;
    }

    private static Dictionary<int, Material> Materials(string medium) => new() { [1] = Material.Parse(medium), [2] = Material.Parse("Au") };

    private static Beam Beam(int electrons) => new() { KeV = 2, ElectronsPerPixel = electrons };

    private static string Header() => string.Create(CultureInfo.InvariantCulture,
        $"Levelled-wave gold, solid fraction 0.3, wavelength 200 nm, 2 keV, TLD, seed 1, two threads. {Machine.Version}, {Machine.Description}, {DateTime.UtcNow:yyyy-MM-dd}. ");

    private static string Result(string name)
    {
        var folder = Environment.CurrentDirectory;
        while (!File.Exists(Path.Combine(folder, "Kerf.slnx"))) folder = Path.GetDirectoryName(folder)!;
        return Path.Combine(folder, "benchmarks/results", name);
    }
}
