using System.Diagnostics;
using System.Globalization;
using Kerf.Benchmarks;
using Kerf.Volumes;

// kerf-benchmarks peers NAME --stack FILE.npy --threads N --out FILE.npy: does the work of benchmarks/peers/NAME.py for two seconds to warm up and once on
// the clock, and prints the seconds. benchmarks/peers/run.py calls it. What an entry does before it returns its work is on no clock.
Dictionary<string, Func<IVolume, string, Func<int, IVolume>>> peers = new()
{
    ["align"] = (stack, _) => threads => AlignPeer.Run(stack, threads),
    ["destripe"] = (stack, _) => threads => DestripePeer.Run(stack, threads),
    ["destripe_numpy"] = (stack, _) => threads => DestripePeer.Run(stack, threads),
    ["destripe-guarded"] = (stack, _) => threads => DestripePeer.Guarded(stack, threads),
    ["nlm"] = (stack, _) => threads => Nlm.Run(stack, threads),
    ["electrode"] = (stack, _) => threads => Electrode.Run(stack, threads),
    ["distance"] = (stack, _) => threads => ShapePeers.Distance(stack, threads),
    ["thickness"] = (stack, _) => threads => ShapePeers.Thickness(stack, threads),
    ["features"] = ForestPeers.Features,
    ["forest-train"] = ForestPeers.Train,
    ["forest-predict"] = ForestPeers.Predict,
    ["forest-seeds"] = ForestPeers.Seeds,
    ["forest-end-to-end"] = ForestPeers.EndToEnd,
    ["network-train"] = NetworkPeers.Train,
    ["network-predict"] = NetworkPeers.Predict,
    ["network-predict-bf16"] = NetworkPeers.PredictHalf,
    ["two_point"] = (stack, _) => threads => TwoPointPeer.Run(stack, threads),
    ["geodesic"] = (stack, _) => threads => Transport.Geodesic(stack, threads),
    ["tortuosity"] = (stack, _) => threads => Transport.Tortuosity(stack, threads),
};

if (args is ["forest"]) return ForestBenchmark.Run();
if (args is ["scaling", .. var edges]) return ScalingBenchmark.Run([.. edges.Select(edge => int.Parse(edge, CultureInfo.InvariantCulture))]);
if (args is ["electrons", .. var stackSize]) return ElectronBenchmark.Run([.. stackSize.Select(n => int.Parse(n, CultureInfo.InvariantCulture))]);
if (args is ["fill", var fillModel]) return FillBenchmark.Run(fillModel);
if (args is ["textures", var folder, var output]) return TextureStudy.Run(folder, output);
if (args is not ["peers", var name, "--stack", var stackPath, "--threads", var count, "--out", var outPath] || !peers.TryGetValue(name, out var prepare))
{
    Console.Error.WriteLine($"usage: kerf-benchmarks peers {string.Join('|', peers.Keys)} --stack FILE.npy --threads N --out FILE.npy");
    return 2;
}
var opened = NpyVolume.Open(stackPath);
IVolume stack = opened switch
{
    IVolume<byte> bytes => Volume<byte>.Load(bytes),
    IVolume<ushort> words => Volume<ushort>.Load(words),
    _ => Volume<float>.Load(opened.AsFloat()),
};
var threads = int.Parse(count, CultureInfo.InvariantCulture);
var work = prepare(stack, stackPath);
// the compiler behind works while the first calls run
for (var warm = Stopwatch.StartNew(); ;)
{
    work(threads);
    if (warm.Elapsed.TotalSeconds > 2) break;
}
GC.Collect();
var (watch, before) = (Stopwatch.StartNew(), Process.GetCurrentProcess().TotalProcessorTime);
var result = work(threads);
var (wall, processor) = (watch.Elapsed.TotalSeconds, (Process.GetCurrentProcess().TotalProcessorTime - before).TotalSeconds);
Console.WriteLine(FormattableString.Invariant($"{processor:F4} s of processors; {wall:F4}"));
VolumeFile.Save(result, outPath, Traversal.Default);
if (result.Info.Metadata.TryGetValue("facts", out var facts)) File.WriteAllText(outPath + ".json", facts);
return 0;
