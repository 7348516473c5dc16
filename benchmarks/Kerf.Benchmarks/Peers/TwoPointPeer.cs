using Kerf.Microstructure;
using Kerf.Volumes;

namespace Kerf.Benchmarks;

/// <summary>The work of <c>peers/two_point.py</c>, laid out as it does: a curve per slice, in row 32 from column 32.</summary>
public static class TwoPointPeer
{
    public static Volume<float> Run(IVolume stack, int threads)
    {
        var curves = new TwoPoint { Phase = "1" }.Run(stack, new() { Threads = threads }, 1).Curves;
        string[] names = ["x", "y", "z", "xy", "xz", "yz"];
        var longest = curves.Max(curve => curve.Y.Length) - 1;
        var target = new Volume<float>(new Size3(6, 65, longest + 65));
        for (var i = 0; i < names.Length; i++)
        {
            var y = curves.Single(curve => curve.Name == "twoPoint-" + names[i]).Y;
            for (var lag = 0; lag < y.Length; lag++) target[i, 32, 32 + lag] = (float)y[lag];
        }
        return target;
    }
}
