using Kerf.Imaging;
using Kerf.Volumes;

namespace Kerf.Benchmarks;

/// <summary>The work of <c>peers/nlm.py</c>: 2-D non-local means, patches 5×5, search window 15×15, h and σ 15 grey levels.</summary>
public static class Nlm
{
    public static Volume<float> Run(IVolume stack, int threads)
    {
        var target = new Volume<float>(stack.Info.Size, stack.Info.Voxel);
        NonLocalMeans.Filter(stack, target, new(0, 2, 2), new(0, 7, 7), h: 15, noise: 15, new() { Threads = threads });
        return target;
    }
}
