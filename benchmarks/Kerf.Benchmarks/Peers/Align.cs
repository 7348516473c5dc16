using System.Text.Json;
using Kerf.Imaging;
using Kerf.Volumes;

namespace Kerf.Benchmarks;

/// <summary>The work of <c>peers/align.py</c>: find the drift of each slice, move it back by cubic interpolation. Each slice is compared with four.</summary>
public static class AlignPeer
{
    public static Volume<byte> Run(IVolume stack, int threads)
    {
        var (walk, source) = (new Traversal { Threads = threads }, stack.AsFloat());
        var found = Align.Estimate(source, new() { MaxShift = 32 }, walk);
        var target = new Volume<byte>(stack.Info with { Metadata = new Dictionary<string, string> { ["facts"] = JsonSerializer.Serialize(new { shifts = found.Shifts }) } });
        Align.Apply(source, target.AsFloatTarget(), found.Shifts, SliceInterpolation.Cubic, null, walk);
        return target;
    }
}
