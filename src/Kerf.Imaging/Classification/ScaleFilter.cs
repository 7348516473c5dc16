using System.Numerics;
using System.Numerics.Tensors;
using System.Runtime.CompilerServices;
using Kerf.Volumes;
using static Kerf.Imaging.TapRows;

namespace Kerf.Imaging;

/// <summary>All features of one scale on one block, slice by slice.</summary>
internal abstract class ScaleFilter
{
    /// <summary>Voxels that the kernels after presmoothing reach.</summary>
    protected const int Margin = 3;

    // a second derivative at σ = 10 is a hundred times smaller than the smoothed grey value it comes from: too small for float
    private const double LastOfFloat = 5;

    /// <summary>Bytes of a presmoothed value.</summary>
    public static int BytesOf(double sigma) => sigma > LastOfFloat ? sizeof(double) : sizeof(float);

    /// <summary>The filter of a scale, in the precision that it needs.</summary>
    public static ScaleFilter Of(FeatureSet set, double sigma) => BytesOf(sigma) == sizeof(double) ? new ScaleFilter<double>(set, sigma) : new ScaleFilter<float>(set, sigma);

    /// <summary>Presmooths a block.</summary>
    /// <param name="scratch">Its input, and buffers that all scales use in turn.</param>
    /// <param name="inner">The region whose features are wanted.</param>
    /// <param name="volume">Extent of the whole volume, for the mirror at its faces.</param>
    public abstract void Presmooth(PresmoothScratch scratch, Box inner, Size3 volume);

    /// <summary>Features of one slice of the block. Slices in ascending order share work.</summary>
    /// <param name="z">Slice inside the block.</param>
    /// <param name="target">Planes of the whole set, one per feature.</param>
    /// <param name="plane">Values per plane; rows are padded to <paramref name="stride"/>.</param>
    /// <param name="stride">Values per row of a plane.</param>
    public abstract void Emit(int z, float[] target, int plane, int stride);

    internal static void Ensure<T>(ref T[] buffer, int length)
    {
        if (buffer.Length < length) buffer = new T[length];
    }
}

/// <summary>
/// Layout: the presmoothed block P has a margin of 3 voxels on each side of each filtered axis; its rows are padded to whole vectors. For one slice, rows flow
/// z → y → x through small rings: every separable kernel along an axis reads rows that are still in the first-level cache.
/// </summary>
internal sealed class ScaleFilter<T> : ScaleFilter where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    private readonly int _marginZ;
    private readonly bool _derivatives;
    private readonly FiveTaps<T>[] _g = new FiveTaps<T>[3], _d = new FiveTaps<T>[3], _s = new FiveTaps<T>[3], _minor = new FiveTaps<T>[3];
    private readonly TensorFilter<T>? _tensor;
    private readonly Size3 _radii;
    private readonly T[] _presmoothZ, _presmoothY, _presmoothX;
    private readonly int[] _channel = new int[6];
    private readonly AlignedBuffer<T> _p = new(), _rows = new();
    private Size3 _inner;
    private float _level;
    private int _stride, _height;

    public ScaleFilter(FeatureSet set, double sigma)
    {
        _radii = set.PresmoothRadii(sigma);
        _marginZ = set.Dimensions == 3 ? Margin : 0;
        var (pre, fine) = (FeatureSet.PresmoothSigma(sigma), Math.Min(sigma, 1.0));
        double[] spacing = [set.Spacing.Z, set.Spacing.Y, set.Spacing.X];
        _presmoothZ = set.Dimensions == 3 ? [.. GaussianTaps.Smooth(pre / spacing[0], _radii.Z).Select(T.CreateTruncating)] : [T.One];
        _presmoothY = [.. GaussianTaps.Smooth(pre / spacing[1], _radii.Y).Select(T.CreateTruncating)];
        _presmoothX = [.. GaussianTaps.Smooth(pre / spacing[2], _radii.X).Select(T.CreateTruncating)];
        for (var axis = 3 - set.Dimensions; axis < 3; axis++)
        {
            var local = fine / spacing[axis];
            var radius = GaussianTaps.Radius(local, 2);
            _g[axis] = new(GaussianTaps.Smooth(local, radius), 1);
            _d[axis] = new(Scaled(GaussianTaps.First(local, Math.Max(1, radius)), 1 / spacing[axis]));
            _s[axis] = new(Scaled(GaussianTaps.Second(local, Math.Max(1, radius)), 1 / (spacing[axis] * spacing[axis])), 0);
            _minor[axis] = new(GaussianTaps.Smooth(0.66 * local, GaussianTaps.Radius(0.66 * local, 2)), 1);
        }
        var features = set.Features;
        for (var family = 0; family < 6; family++)
            _channel[family] = features.ToList().FindIndex(f => (int)f.Family == family && f.Sigma == sigma && f.Eigenvalue == 0);
        _derivatives = _channel[1] >= 0 || _channel[2] >= 0 || _channel[3] >= 0 || _channel[5] >= 0;
        if (_channel[(int)FeatureFamily.StructureTensorEigenvalues] >= 0) _tensor = new(fine, spacing, set.Dimensions);
    }

    private static double[] Scaled(double[] taps, double factor) => [.. taps.Select(t => t * factor)];

    public override void Presmooth(PresmoothScratch scratch, Box inner, Size3 volume)
    {
        (_inner, _level) = (inner.Size, scratch.Level);
        var size = new Size3(inner.Size.Z + 2 * _marginZ, inner.Size.Y + 2 * Margin, inner.Size.X + 2 * Margin);
        (_height, _stride) = (size.Y, Padded(size.X));
        _rows.Ensure(Rows * _stride + 4 * Padding);
        _p.Ensure(size.Z * _height * _stride + 4 * Padding);
        var input = scratch.Size;
        var (front, top, left) = ((input.Z - size.Z) / 2, (input.Y - size.Y) / 2, (input.X - size.X) / 2);
        // the strips of the input that this scale reaches
        var (first, last) = ((left - _radii.X) / Strip, (left + size.X + _radii.X - 1) / Strip);
        var (strips, rows) = (last - first + 1, _height + 2 * _radii.Y);
        var (strip, slice, stride) = (rows * Strip, strips * rows * Strip, strips * Strip);
        // as many slices each time, in pairs
        var times = (size.Z + PresmoothScratch.Slices - 1) / PresmoothScratch.Slices;
        var together = Math.Min(size.Z, ((size.Z + times - 1) / times + 1) & ~1);
        var (afterZ, afterY) = (scratch.AfterZ, scratch.AfterY<T>());
        afterZ.Ensure(together * slice + Strip);
        afterY.Ensure(_height * stride + 4 * Padding);
        scratch.Column.Ensure((Math.Max(together + 2 * _radii.Z, rows) + 1) * Strip);
        scratch.Smoothed.Ensure(together * Strip);
        for (var start = 0; start < size.Z; start += together)
        {
            var slices = Math.Min(together, size.Z - start);
            for (var s = 0; s < strips; s++)
            {
                for (var y = 0; y < rows; y++)
                {
                    ref var line = ref Lines(scratch, scratch.Input.Slice(scratch.Place(front + start - _radii.Z, top - _radii.Y + y, first + s), (slices + 2 * _radii.Z) * Strip));
                    SmoothAlongZ(scratch, ref Unsafe.Add(ref line, _radii.Z * Strip), s * strip + y * Strip, slice, slices);
                }
            }
            for (var z = 0; z < slices; z++)
            {
                for (var s = 0; s < strips; s++)
                {
                    ref var line = ref Lines(scratch, afterZ.Slice(z * slice + s * strip, strip));
                    SmoothStrip(ref Unsafe.Add(ref line, _radii.Y * Strip), _presmoothY, ref afterY[s * Strip], stride, _height);
                }
                for (var y = 0; y < _height; y++)
                    Smooth(ref afterY[y * stride + left - first * Strip], 1, _presmoothX, ref _p[((start + z) * _height + y) * _stride], size.X);
            }
        }
        _tensor?.Take(_p, _height, _stride, inner, volume);
    }

    // lines of a strip in the scale's precision
    private static ref T Lines(PresmoothScratch scratch, Span<float> lines)
    {
        if (typeof(T) == typeof(double)) TensorPrimitives.ConvertTruncating(lines, scratch.Column.Slice(0, lines.Length));
        return ref TapRows.Place(ref lines[0], ref Unsafe.As<double, T>(ref scratch.Column[0]));
    }

    private void SmoothAlongZ(PresmoothScratch scratch, ref T source, int to, int step, int slices)
    {
        if (typeof(T) == typeof(float))
        {
            SmoothStrip(ref source, _presmoothZ, ref Unsafe.As<float, T>(ref scratch.AfterZ[to]), step, slices);
            return;
        }
        SmoothStrip(ref source, _presmoothZ, ref Unsafe.As<double, T>(ref scratch.Smoothed[0]), Strip, slices);
        for (var z = 0; z < slices; z++) TensorPrimitives.ConvertTruncating(scratch.Smoothed.Slice(z * Strip, Strip), scratch.AfterZ.Slice(to + z * step, Strip));
    }

    public override void Emit(int z, float[] target, int plane, int stride)
    {
        if (_marginZ > 0) EmitRows<ThreeAxes>(z, target, plane, stride);
        else EmitRows<TwoAxes>(z, target, plane, stride);
        _tensor?.Emit(z, target, _channel[(int)FeatureFamily.StructureTensorEigenvalues] * plane, plane, stride);
    }

    private interface IAxes { static abstract bool Three { get; } }

    private readonly struct ThreeAxes : IAxes { public static bool Three => true; }

    private readonly struct TwoAxes : IAxes { public static bool Three => false; }

    private void EmitRows<TAxes>(int z, float[] target, int plane, int stride) where TAxes : struct, IAxes
    {
        var centre = (z + _marginZ) * _height * _stride;
        // rows −2 … height + 1 of the block; row y of the block is row y + Margin of P
        for (var y = -2; y < _inner.Y + 2; y++)
        {
            var row = centre + (y + Margin) * _stride;
            if (TAxes.Three) AlongZ(ref _p[row], _height * _stride, Slot(y));
            else _p.Slice(row, _stride).CopyTo(_rows.Slice(RowOf(Slot(y), 0), _stride));
            if (y < 2) continue;
            AlongY<TAxes>(y - 2);
            AlongX<TAxes>(target, plane, (y - 2) * stride);
            Finish<TAxes>(target, plane, (y - 2) * stride);
        }
    }

    private static int Slot(int y) => (y + 5) % 5;

    // ring of five rows for each kernel along z: 0 smoothed, 1 first derivative, 2 second derivative, 3 the narrower smoothing
    private int RowOf(int slot, int kind) => (kind * 5 + slot) * _stride;

    // then the plane after y: 0 gg, 1 gd, 2 gs, 3 mm, 4 dg, 5 dd, 6 sg (first letter z, second y)
    private const int AfterY = 20;

    // then, after x, the values of four families and the second derivatives, as Eigenvalues takes them
    private const int Values = 27, Hessian = 31, Rows = 37;

    private void AlongZ(ref T p, int plane, int slot)
    {
        var (g, d, s, m) = (_g[0], _d[0], _s[0], _minor[0]);
        ref var target = ref _rows[RowOf(slot, 0)];
        var (width, ring) = (_inner.X + 2 * Margin, 5 * _stride);
        for (var x = 0; x < width; x += Vector<T>.Count)
        {
            var (c, s1, s2, d1, d2) = Five(ref Unsafe.Add(ref p, x), -2 * plane, -plane, 0, plane, 2 * plane);
            ref var to = ref Unsafe.Add(ref target, x);
            Store(g.Even(c, s1, s2), ref to, 0);
            if (!_derivatives) continue;
            Store(d.Odd(d1, d2), ref to, ring);
            Store(s.Even(c, s1, s2), ref to, 2 * ring);
            Store(m.Even(c, s1, s2), ref to, 3 * ring);
        }
    }

    private void AlongY<TAxes>(int y) where TAxes : struct, IAxes
    {
        ref var rows = ref _rows[0];
        var (g, d, s, m) = (_g[1], _d[1], _s[1], _minor[1]);
        // offsets of the five rows of the first ring; the other rings follow at whole distances
        var (a2, a1, c0, b1, b2) = (RowOf(Slot(y - 2), 0), RowOf(Slot(y - 1), 0), RowOf(Slot(y), 0), RowOf(Slot(y + 1), 0), RowOf(Slot(y + 2), 0));
        var (width, stride, ring, after) = (_inner.X + 2 * Margin, _stride, 5 * _stride, AfterY * _stride);
        var minorRing = TAxes.Three ? 3 * ring : 0;
        for (var x = 0; x < width; x += Vector<T>.Count)
        {
            ref var at = ref Unsafe.Add(ref rows, x);
            ref var to = ref Unsafe.Add(ref rows, after + x);
            var (c, s1, s2, d1, d2) = Five(ref at, a2, a1, c0, b1, b2);
            Store(g.Even(c, s1, s2), ref to, 0);
            if (!_derivatives) continue;
            Store(d.Odd(d1, d2), ref to, stride);
            Store(s.Even(c, s1, s2), ref to, 2 * stride);
            (c, s1, s2, _, _) = Five(ref Unsafe.Add(ref at, minorRing), a2, a1, c0, b1, b2);
            Store(m.Even(c, s1, s2), ref to, 3 * stride);
            if (!TAxes.Three) continue;
            (c, s1, s2, d1, d2) = Five(ref Unsafe.Add(ref at, ring), a2, a1, c0, b1, b2);
            Store(g.Even(c, s1, s2), ref to, 4 * stride);
            Store(d.Odd(d1, d2), ref to, 5 * stride);
            (c, s1, s2, _, _) = Five(ref Unsafe.Add(ref at, 2 * ring), a2, a1, c0, b1, b2);
            Store(g.Even(c, s1, s2), ref to, 6 * stride);
        }
    }

    private void AlongX<TAxes>(float[] target, int plane, int offset) where TAxes : struct, IAxes
    {
        ref var rows = ref _rows[AfterY * _stride + Margin];
        ref var smooth = ref Family(FeatureFamily.GaussianSmoothing);
        ref var laplacian = ref Family(FeatureFamily.LaplacianOfGaussian);
        ref var gradient = ref Family(FeatureFamily.GaussianGradientMagnitude);
        ref var difference = ref Family(FeatureFamily.DifferenceOfGaussians);
        ref var hessian = ref _rows[Hessian * _stride];
        var (g, d, s, m, stride) = (_g[2], _d[2], _s[2], _minor[2], _stride);
        for (var x = 0; x < _inner.X; x += Vector<T>.Count)
        {
            ref var at = ref Unsafe.Add(ref rows, x);
            var (c, s1, s2, d1, d2) = Five(ref at, -2, -1, 0, 1, 2);
            var smoothed = g.Even(c, s1, s2);
            Store(smoothed, ref smooth, x);
            if (!_derivatives) continue;
            var dx = d.Odd(d1, d2);
            var xx = s.Even(c, s1, s2);
            (c, s1, s2, d1, d2) = Five(ref Unsafe.Add(ref at, stride), -2, -1, 0, 1, 2);
            var dy = g.Even(c, s1, s2);
            var yx = d.Odd(d1, d2);
            (c, s1, s2, _, _) = Five(ref Unsafe.Add(ref at, 2 * stride), -2, -1, 0, 1, 2);
            var yy = g.Even(c, s1, s2);
            (c, s1, s2, _, _) = Five(ref Unsafe.Add(ref at, 3 * stride), -2, -1, 0, 1, 2);
            Store(smoothed - m.Even(c, s1, s2), ref difference, x);
            var trace = yy + xx;
            var squares = Fused(dy, dy, dx * dx);
            ref var to = ref Unsafe.Add(ref hessian, x);
            if (TAxes.Three)
            {
                (c, s1, s2, d1, d2) = Five(ref Unsafe.Add(ref at, 4 * stride), -2, -1, 0, 1, 2);
                var dz = g.Even(c, s1, s2);
                var zx = d.Odd(d1, d2);
                (c, s1, s2, _, _) = Five(ref Unsafe.Add(ref at, 5 * stride), -2, -1, 0, 1, 2);
                var zy = g.Even(c, s1, s2);
                (c, s1, s2, _, _) = Five(ref Unsafe.Add(ref at, 6 * stride), -2, -1, 0, 1, 2);
                var zz = g.Even(c, s1, s2);
                trace += zz;
                squares = Fused(dz, dz, squares);
                Store(zz, ref to, 0);
                Store(yy, ref to, stride);
                Store(xx, ref to, 2 * stride);
                Store(zy, ref to, 3 * stride);
                Store(zx, ref to, 4 * stride);
                Store(yx, ref to, 5 * stride);
            }
            else
            {
                Store(yy, ref to, 0);
                Store(yx, ref to, stride);
                Store(xx, ref to, 2 * stride);
            }
            Store(trace, ref laplacian, x);
            Store(Vector.SquareRoot(squares), ref gradient, x);
        }

        ref T Family(FeatureFamily family)
        {
            ref var row = ref _rows[(Values + (int)family) * _stride];
            var channel = _channel[(int)family];
            if (channel < 0) return ref row;
            return ref Place(ref target[channel * plane + offset], ref row);
        }
    }

    // rows of the block's slice go to the planes of the set
    private void Finish<TAxes>(float[] target, int plane, int offset) where TAxes : struct, IAxes
    {
        for (var family = 0; family < 4; family++)
        {
            if (_channel[family] < 0) continue;
            var values = target.AsSpan(_channel[family] * plane + offset, _inner.X);
            Settle(_rows.Slice((Values + family) * _stride, _inner.X), values);
            if (family == 0) TensorPrimitives.Add(values, _level, values);
        }
        if (_channel[5] < 0) return;
        ref var eigenvalues = ref target[_channel[5] * plane + offset];
        if (TAxes.Three) Eigenvalues.Of3(ref _rows[Hessian * _stride], _stride, ref eigenvalues, plane, _inner.X);
        else Eigenvalues.Of2(ref _rows[Hessian * _stride], _stride, ref eigenvalues, plane, _inner.X);
    }

    // f(0), f(1) + f(−1), f(2) + f(−2), f(1) − f(−1), f(2) − f(−2)
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static (Vector<T> C, Vector<T> S1, Vector<T> S2, Vector<T> D1, Vector<T> D2) Five(ref T at, int a2, int a1, int c, int b1, int b2)
    {
        var (l2, l1, r1, r2) = (Load(ref at, a2), Load(ref at, a1), Load(ref at, b1), Load(ref at, b2));
        return (Load(ref at, c), l1 + r1, l2 + r2, r1 - l1, r2 - l2);
    }
}
