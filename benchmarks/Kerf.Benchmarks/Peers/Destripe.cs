using Kerf.Imaging;
using Kerf.Volumes;

namespace Kerf.Benchmarks;

/// <summary>The work of <c>peers/destripe.py</c>: the plain wedge filter of each slice.</summary>
public static class DestripePeer
{
    public static Volume<byte> Run(IVolume stack, int threads) => Run(stack, threads, StripeFilter.Wedge);

    /// <summary>The guarded filter, which does more than its peer.</summary>
    public static Volume<byte> Guarded(IVolume stack, int threads) => Run(stack, threads, StripeFilter.Guarded);

    private static Volume<byte> Run(IVolume stack, int threads, StripeFilter method)
    {
        var target = new Volume<byte>(stack.Info);
        Destripe.Apply(stack.AsFloat(), target.AsFloatTarget(), new() { Method = method, HalfAngle = 5, LongestPeriod = 200 }, new() { Threads = threads });
        return target;
    }
}
