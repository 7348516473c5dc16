using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Kerf.Volumes;

namespace Kerf.Networks;

/// <summary>
/// A convolution of 1, 3 or 5 voxels along each axis on a plane or a volume that lies in one piece: a tap is an offset, and near the rim it reads what is not there, so only voxels farther
/// inside than the kernel reaches come out right. Four output channels and two vectors of voxels at a time; every voxel is summed in the same order, whatever the width of a vector.
/// </summary>
internal sealed class Convolution
{
    /// <summary>Voxels that are computed together, at the widest.</summary>
    public const int Chunk = 32;

    private const int Group = 4;
    private readonly int[] _shape;
    private readonly float[] _bias, _weights;

    /// <summary>Lays the weights out.</summary>
    /// <param name="weights">Outputs × inputs × kernel.</param>
    /// <param name="bias">One an output, or null.</param>
    /// <param name="shape">Extents of the weights.</param>
    public Convolution(float[] weights, float[]? bias, int[] shape)
    {
        _shape = shape;
        var (outputs, per) = (shape[0], weights.Length / shape[0]);
        var groups = (outputs + Group - 1) / Group;
        (_bias, _weights) = (new float[groups * Group], new float[groups * Group * per]);
        bias?.CopyTo(_bias, 0);
        for (var c = 0; c < outputs; c++) for (var k = 0; k < per; k++) _weights[(c / Group * per + k) * Group + c % Group] = weights[c * per + k];
    }

    /// <summary>Convolves.</summary>
    /// <param name="source">Inputs, with readable values around them.</param>
    /// <param name="first">Where the first of them lies.</param>
    /// <param name="stride">From channel to channel, of source and target; a multiple of <see cref="Chunk"/>.</param>
    /// <param name="size">Extent; one slice in 2-D.</param>
    /// <param name="target">Outputs.</param>
    /// <param name="to">Where the first of them goes.</param>
    public void Run(float[] source, int first, int stride, Size3 size, float[] target, int to)
    {
        var (inputs, outputs, width) = (_shape[1], _shape[0], Vector<float>.Count);
        var taps = Taps(size);
        // the read ends inside the room after the last channel
        if (first + taps[0] < 0 || first + inputs * stride + taps[^1] > source.Length) throw new ArgumentException("no room around the values", nameof(source));
        ref var from = ref Unsafe.Add(ref MemoryMarshal.GetArrayDataReference(source), first);
        ref var weights = ref MemoryMarshal.GetArrayDataReference(_weights);
        for (var at = 0; at < stride; at += 2 * width)
        {
            for (var group = 0; group < _bias.Length; group += Group)
            {
                Vector<float> a0 = new(_bias[group]), b0 = new(_bias[group + 1]), c0 = new(_bias[group + 2]), d0 = new(_bias[group + 3]);
                var (a1, b1, c1, d1) = (a0, b0, c0, d0);
                ref var w = ref Unsafe.Add(ref weights, group * inputs * taps.Length);
                for (var input = 0; input < inputs; input++)
                {
                    ref var plane = ref Unsafe.Add(ref from, input * stride + at);
                    foreach (var tap in taps)
                    {
                        var (low, high) = (Vector.LoadUnsafe(ref Unsafe.Add(ref plane, tap)), Vector.LoadUnsafe(ref Unsafe.Add(ref plane, tap + width)));
                        (a0, a1) = (a0 + low * w, a1 + high * w);
                        (b0, b1) = (b0 + low * Unsafe.Add(ref w, 1), b1 + high * Unsafe.Add(ref w, 1));
                        (c0, c1) = (c0 + low * Unsafe.Add(ref w, 2), c1 + high * Unsafe.Add(ref w, 2));
                        (d0, d1) = (d0 + low * Unsafe.Add(ref w, 3), d1 + high * Unsafe.Add(ref w, 3));
                        w = ref Unsafe.Add(ref w, Group);
                    }
                }
                Store(target.AsSpan(to + group * stride + at), a0, a1);
                if (group + 1 < outputs) Store(target.AsSpan(to + (group + 1) * stride + at), b0, b1);
                if (group + 2 < outputs) Store(target.AsSpan(to + (group + 2) * stride + at), c0, c1);
                if (group + 3 < outputs) Store(target.AsSpan(to + (group + 3) * stride + at), d0, d1);
            }
        }
    }

    private static void Store(Span<float> to, Vector<float> low, Vector<float> high)
    {
        low.CopyTo(to);
        high.CopyTo(to[Vector<float>.Count..]);
    }

    // in the order of the weights, which is that of places too
    private int[] Taps(Size3 size)
    {
        var taps = new List<int>();
        int[] kernel = _shape.Length == 5 ? _shape[2..] : [1, .. _shape[2..]];
        for (var z = -(kernel[0] / 2); z <= kernel[0] / 2; z++)
            for (var y = -(kernel[1] / 2); y <= kernel[1] / 2; y++)
                for (var x = -(kernel[2] / 2); x <= kernel[2] / 2; x++) taps.Add((z * size.Y + y) * size.X + x);
        return [.. taps];
    }
}
