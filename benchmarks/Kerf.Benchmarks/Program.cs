using System.Diagnostics;
using System.Globalization;
using Kerf.Benchmarks;
using Kerf.Volumes;

// kerf-benchmarks peers NAME --stack FILE.npy --threads N --out FILE.npy: does the work of benchmarks/peers/NAME.py once to warm up and once on
// the clock, and prints the seconds. benchmarks/peers/run.py calls it.
Dictionary<string, Func<IVolume, int, IVolume>> peers = new()
{
    ["align"] = AlignPeer.Run,
    ["destripe"] = DestripePeer.Run,
    ["destripe_numpy"] = DestripePeer.Run,
    ["destripe-guarded"] = DestripePeer.Guarded,
    ["nlm"] = Nlm.Run,
    ["electrode"] = Electrode.Run,
    ["distance"] = ShapePeers.Distance,
    ["thickness"] = ShapePeers.Thickness,
};

if (args is ["forest"]) return ForestBenchmark.Run();
if (args is ["scaling", .. var edges]) return ScalingBenchmark.Run([.. edges.Select(edge => int.Parse(edge, CultureInfo.InvariantCulture))]);
if (args is not ["peers", var name, "--stack", var stackPath, "--threads", var threads, "--out", var outPath] || !peers.TryGetValue(name, out var work))
{
    Console.Error.WriteLine($"usage: kerf-benchmarks peers {string.Join('|', peers.Keys)} --stack FILE.npy --threads N --out FILE.npy");
    return 2;
}
var opened = NpyVolume.Open(stackPath);
IVolume stack = opened is IVolume<byte> bytes ? Volume<byte>.Load(bytes) : Volume<float>.Load(opened.AsFloat());
work(stack, int.Parse(threads, CultureInfo.InvariantCulture));
GC.Collect();
var watch = Stopwatch.StartNew();
var result = work(stack, int.Parse(threads, CultureInfo.InvariantCulture));
Console.WriteLine(watch.Elapsed.TotalSeconds.ToString("F4", CultureInfo.InvariantCulture));
VolumeFile.Save(result, outPath, Traversal.Default);
if (result.Info.Metadata.TryGetValue("facts", out var facts)) File.WriteAllText(outPath + ".json", facts);
return 0;
