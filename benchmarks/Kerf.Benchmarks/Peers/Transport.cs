using Kerf.Microstructure;
using Kerf.Volumes;

namespace Kerf.Benchmarks;

/// <summary>The work of <c>peers/geodesic.py</c> and <c>peers/tortuosity.py</c>: the phase is what is not 0.</summary>
public static class Transport
{
    private static readonly Phase Filled = new(1, "phase", "#ffffff");

    /// <summary>Lengths of the shortest chains of steps from the first slice; 0 where there is none.</summary>
    public static Volume<float> Geodesic(IVolume stack, int threads)
    {
        var walk = new Traversal { Threads = threads };
        var mask = PhaseMask.Of(Labels(stack), "1", "peer", walk);
        var map = Microstructure.Geodesic.In(mask, "peer", walk);
        var size = stack.Info.Size;
        map.Spread(Enumerable.Range(0, size.Y * size.X).Select(i => map.Index(0, i / size.X, i % size.X)).Where(i => map.Lengths[i] > 0).Select(i => (i, 0f)), Metric.Steps, walk);
        var target = new Volume<float>(size);
        for (var i = 0; i < target.Data.Length; i++)
        {
            var length = map.Lengths[map.Index(i / (size.Y * size.X), i / size.X % size.Y, i % size.X)];
            target.Data[i] = length > 0 && float.IsFinite(length) ? length : 0;
        }
        return target;
    }

    /// <summary>TauFactor's tortuosity along z, in every voxel.</summary>
    public static Volume<float> Tortuosity(IVolume stack, int threads)
    {
        var measured = TortuosityFactor.Of(Labels(stack), [(Filled, 1)], [Axis.Z], Sides.NoFlux, 1e-3, new() { Threads = threads }, 1);
        var target = new Volume<float>(stack.Info.Size);
        target.Data.AsSpan().Fill((float)measured.Measurements.Single(m => m.Name == "tortuosityFactor").Value);
        return target;
    }

    /// <summary>Eikonal lengths from the first slice.</summary>
    public static void Spread(IVolume<byte> mask, Traversal walk)
    {
        var (map, size) = (Microstructure.Geodesic.In(mask, "scaling", walk), mask.Info.Size);
        map.Spread(Enumerable.Range(0, size.Y * size.X).Select(i => map.Index(0, i / size.X, i % size.X)).Where(i => map.Lengths[i] > 0).Select(i => (i, 0f)), Metric.Eikonal, walk);
    }

    private static Volume<byte> Labels(IVolume stack)
    {
        var grey = (Volume<byte>)stack;
        var labels = new Volume<byte>(grey.Info.Size);
        for (var i = 0; i < labels.Data.Length; i++) labels.Data[i] = grey.Data[i] != 0 ? (byte)1 : (byte)2;
        return labels;
    }
}
