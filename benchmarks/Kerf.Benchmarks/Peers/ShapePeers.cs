using Kerf.Microstructure;
using Kerf.Volumes;

namespace Kerf.Benchmarks;

/// <summary>The work of <c>peers/distance.py</c> and <c>peers/thickness.py</c>.</summary>
public static class ShapePeers
{
    public static Volume<float> Distance(IVolume stack, int threads) => DistanceMap.Of((IVolume<byte>)stack, new() { Threads = threads });

    /// <summary>All radii that occur, where the peer takes whole ones.</summary>
    public static Volume<float> Thickness(IVolume stack, int threads) => LocalThickness.Of((IVolume<byte>)stack, new() { Threads = threads });
}
