using Kerf.Imaging;
using Kerf.Volumes;

namespace Kerf.Benchmarks;

/// <summary>The work of <c>peers/electrode.py</c>: the electrode recipe by the paper's own rule, 8-bit slices.</summary>
public static class Electrode
{
    public static Volume<byte> Run(IVolume stack, int threads)
    {
        var target = new Volume<byte>(stack.Info.Size, stack.Info.Voxel);
        new SegmentElectrode { EdgeWidth = 0, Smoothing = 0, Wavelength = 12, Sigma = 1.5, PoreThreshold = 185 }.Apply(stack, target, new() { Threads = threads });
        return target;
    }
}
