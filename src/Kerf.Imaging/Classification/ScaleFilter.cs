using System.Numerics;
using System.Numerics.Tensors;
using System.Runtime.CompilerServices;
using Kerf.Volumes;
using static Kerf.Imaging.TapRows;

namespace Kerf.Imaging;

/// <summary>
/// All features of one scale on one block, slice by slice. Layout: the presmoothed block P is kept in double (a second derivative at σ = 10 is
/// a hundred times smaller than P itself, too small for float), with a margin of 3 voxels on each side of each filtered axis; its rows are padded
/// to whole vectors. For one slice, rows flow z → y → x through small rings: every separable kernel along an axis reads rows that are still in
/// the first-level cache. The structure tensor needs its gradient's products around the slice, so they are kept, smoothed in the plane, for five slices.
/// </summary>
internal sealed class ScaleFilter
{
    private const int Margin = 3;
    private readonly int _marginZ;
    private readonly bool _derivatives;
    private readonly FiveTaps[] _g = new FiveTaps[3], _d = new FiveTaps[3], _s = new FiveTaps[3], _minor = new FiveTaps[3];
    private readonly TensorFilter? _tensor;
    private readonly double[][] _presmooth = new double[3][];
    private readonly int[] _channel = new int[6];
    private readonly AlignedBuffer<double> _own = new(), _planeRows = new();
    private AlignedBuffer<double> _p;
    private Size3 _inner;
    private int _stride, _height;

    public ScaleFilter(FeatureSet set, double sigma)
    {
        _p = _own;
        Radii = set.PresmoothRadii(sigma);
        _marginZ = set.Dimensions == 3 ? Margin : 0;
        var fine = Math.Min(sigma, 1.0);
        double[] spacing = [set.Spacing.Z, set.Spacing.Y, set.Spacing.X];
        for (var axis = 0; axis < 3; axis++)
        {
            var filtered = axis > 0 || set.Dimensions == 3;
            _presmooth[axis] = filtered ? GaussianTaps.Smooth(FeatureSet.PresmoothSigma(sigma) / spacing[axis], Radii[axis]) : [1];
            if (!filtered) continue;
            var local = fine / spacing[axis];
            var radius = GaussianTaps.Radius(local, 2);
            _g[axis] = new(GaussianTaps.Smooth(local, radius));
            _d[axis] = new(Scaled(GaussianTaps.First(local, Math.Max(1, radius)), 1 / spacing[axis]));
            _s[axis] = new(Scaled(GaussianTaps.Second(local, Math.Max(1, radius)), 1 / (spacing[axis] * spacing[axis])));
            _minor[axis] = new(GaussianTaps.Smooth(0.66 * local, GaussianTaps.Radius(0.66 * local, 2)));
        }
        var features = set.Features;
        for (var family = 0; family < 6; family++)
            _channel[family] = features.ToList().FindIndex(f => (int)f.Family == family && f.Sigma == sigma && f.Eigenvalue == 0);
        _derivatives = _channel[1] >= 0 || _channel[2] >= 0 || _channel[3] >= 0 || _channel[5] >= 0;
        if (_channel[(int)FeatureFamily.StructureTensorEigenvalues] >= 0) _tensor = new(fine, spacing, set.Dimensions);
    }

    /// <summary>Radii of the presmoothing kernel.</summary>
    public Size3 Radii { get; }

    private static double[] Scaled(double[] taps, double factor) => [.. taps.Select(t => t * factor)];

    /// <summary>Whether the scale is filtered as it is, without presmoothing.</summary>
    public bool Unsmoothed => Radii == default;

    /// <summary>Presmooths a block.</summary>
    /// <param name="scratch">Its input, and buffers that all scales use in turn.</param>
    /// <param name="inner">The region whose features are wanted.</param>
    /// <param name="volume">Extent of the whole volume, for the mirror at its faces.</param>
    /// <param name="same">A scale without presmoothing that has taken this block already, when this one needs none either.</param>
    public void Presmooth(PresmoothScratch scratch, Box inner, Size3 volume, ScaleFilter? same)
    {
        _inner = inner.Size;
        _height = inner.Size.Y + 2 * Margin;
        _stride = Padded(inner.Size.X + 2 * Margin);
        _planeRows.Ensure(5 * 4 * _stride + 7 * _stride + 4 * Padding);
        _p = same?._p ?? _own;
        if (same == null) Smooth(scratch, new(inner.Size.Z + 2 * _marginZ, _height, inner.Size.X + 2 * Margin));
        _tensor?.Take(_p, _height, _stride, inner, volume);
    }

    private void Smooth(PresmoothScratch scratch, Size3 size)
    {
        _p.Ensure(size.Z * _height * _stride + 4 * Padding);
        var input = scratch.Size;
        var (front, top, left) = ((input.Z - size.Z) / 2, (input.Y - size.Y) / 2, (input.X - size.X) / 2);
        // the strips of the input that this scale reaches
        var (first, last) = ((left - Radii.X) / Padding, (left + size.X + Radii.X - 1) / Padding);
        var (strips, rows) = (last - first + 1, _height + 2 * Radii.Y);
        var (strip, slice, stride) = (rows * Padding, strips * rows * Padding, strips * Padding);
        scratch.AfterZ.Ensure(size.Z * slice);
        scratch.AfterY.Ensure(_height * stride + 4 * Padding);
        for (var y = 0; y < rows; y++)
            for (var s = 0; s < strips; s++)
                for (var z = 0; z < size.Z; z++)
                    TapRows.Smooth(ref scratch.Input[scratch.Place(front + z, top - Radii.Y + y, first + s)], Padding, _presmooth[0], ref scratch.AfterZ[z * slice + s * strip + y * Padding], Padding);
        for (var z = 0; z < size.Z; z++)
        {
            for (var s = 0; s < strips; s++)
                for (var y = 0; y < _height; y++)
                    TapRows.Smooth(ref scratch.AfterZ[z * slice + s * strip + (y + Radii.Y) * Padding], Padding, _presmooth[1], ref scratch.AfterY[y * stride + s * Padding], Padding);
            for (var y = 0; y < _height; y++)
                TapRows.Smooth(ref scratch.AfterY[y * stride + left - first * Padding], 1, _presmooth[2], ref _p[(z * _height + y) * _stride], size.X);
        }
    }

    internal static void Ensure<T>(ref T[] buffer, int length)
    {
        if (buffer.Length < length) buffer = new T[length];
    }

    /// <summary>Features of one slice of the block. Call it for slices 0, 1, 2 … in order.</summary>
    /// <param name="z">Slice inside the block.</param>
    /// <param name="target">Planes of the whole set, one per feature.</param>
    /// <param name="plane">Values per plane; rows are padded to <paramref name="stride"/>.</param>
    /// <param name="stride">Values per row of a plane.</param>
    public void Emit(int z, float[] target, int plane, int stride)
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
            else _p.Slice(row, _stride).CopyTo(_planeRows.Slice(RowOf(Slot(y), 0), _stride));
            if (y < 2) continue;
            AlongY<TAxes>(y - 2);
            AlongX<TAxes>(target, plane, (y - 2) * stride);
        }
    }

    private static int Slot(int y) => (y + 5) % 5;

    // ring of five rows for each kernel along z: 0 smoothed, 1 first derivative, 2 second derivative, 3 the narrower smoothing
    private int RowOf(int slot, int kind) => (kind * 5 + slot) * _stride;

    private void AlongZ(ref double p, int plane, int slot)
    {
        var (g, d, s, m) = (_g[0], _d[0], _s[0], _minor[0]);
        ref var target = ref _planeRows[RowOf(slot, 0)];
        var (stride, ring) = (_stride, 5 * _stride);
        for (var x = 0; x < stride; x += Vector<double>.Count)
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

    // rows of the plane after y: 0 gg, 1 gd, 2 gs, 3 mm, 4 dg, 5 dd, 6 sg (first letter z, second y)
    private int AfterY(int row) => (20 + row) * _stride;

    private void AlongY<TAxes>(int y) where TAxes : struct, IAxes
    {
        ref var rows = ref _planeRows[0];
        var (g, d, s, m) = (_g[1], _d[1], _s[1], _minor[1]);
        // offsets of the five rows of the first ring; the other rings follow at whole distances
        var (a2, a1, c0, b1, b2) = (RowOf(Slot(y - 2), 0), RowOf(Slot(y - 1), 0), RowOf(Slot(y), 0), RowOf(Slot(y + 1), 0), RowOf(Slot(y + 2), 0));
        var (stride, ring, after) = (_stride, 5 * _stride, AfterY(0));
        var minorRing = TAxes.Three ? 3 * ring : 0;
        for (var x = 0; x < stride; x += Vector<double>.Count)
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
        ref var rows = ref _planeRows[AfterY(0) + Margin];
        ref var output = ref target[offset];
        var half = Vector<double>.Count;
        var (smooth, laplacian, gradient, difference, hessian) = (_channel[0] * plane, _channel[1] * plane, _channel[2] * plane, _channel[3] * plane, _channel[5] * plane);
        for (var x = 0; x < _inner.X; x += 2 * half)
        {
            ref var to = ref Unsafe.Add(ref output, x);
            var low = Derivatives<TAxes>(ref Unsafe.Add(ref rows, x));
            var high = Derivatives<TAxes>(ref Unsafe.Add(ref rows, x + half));
            if (smooth >= 0) Store(low.Smooth, high.Smooth, ref to, smooth);
            if (!_derivatives) continue;
            if (laplacian >= 0) Store(low.Laplacian, high.Laplacian, ref to, laplacian);
            if (gradient >= 0) Store(low.Gradient, high.Gradient, ref to, gradient);
            if (difference >= 0) Store(low.Difference, high.Difference, ref to, difference);
            if (hessian < 0) continue;
            if (TAxes.Three)
            {
                var (large, middle, small) = Eigenvalues.Roots(
                    Eigenvalues.Reduce(low.ZZ, low.YY, low.XX, low.ZY, low.ZX, low.YX), Eigenvalues.Reduce(high.ZZ, high.YY, high.XX, high.ZY, high.ZX, high.YX));
                Store(large, ref to, hessian);
                Store(middle, ref to, hessian + plane);
                Store(small, ref to, hessian + 2 * plane);
            }
            else
            {
                var (e0, e1) = Eigenvalues.Of2(low.YY, low.YX, low.XX);
                var (f0, f1) = Eigenvalues.Of2(high.YY, high.YX, high.XX);
                Store(e0, f0, ref to, hessian);
                Store(e1, f1, ref to, hessian + plane);
            }
        }
    }

    private struct Local
    {
        public Vector<double> Smooth, Laplacian, Gradient, Difference, ZZ, YY, XX, ZY, ZX, YX;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private Local Derivatives<TAxes>(ref double rows) where TAxes : struct, IAxes
    {
        var (g, d, s, stride) = (_g[2], _d[2], _s[2], _stride);
        Local local = default;
        var (c, s1, s2, d1, d2) = Five(ref Unsafe.Add(ref rows, 0 * stride), -2, -1, 0, 1, 2);
        local.Smooth = g.Even(c, s1, s2);
        if (!_derivatives) return local;
        var dx = d.Odd(d1, d2);
        local.XX = s.Even(c, s1, s2);
        (c, s1, s2, d1, d2) = Five(ref Unsafe.Add(ref rows, 1 * stride), -2, -1, 0, 1, 2);
        var dy = g.Even(c, s1, s2);
        local.YX = d.Odd(d1, d2);
        (c, s1, s2, _, _) = Five(ref Unsafe.Add(ref rows, 2 * stride), -2, -1, 0, 1, 2);
        local.YY = g.Even(c, s1, s2);
        (c, s1, s2, _, _) = Five(ref Unsafe.Add(ref rows, 3 * stride), -2, -1, 0, 1, 2);
        local.Difference = local.Smooth - _minor[2].Even(c, s1, s2);
        local.Laplacian = local.YY + local.XX;
        var squares = Vector.FusedMultiplyAdd(dy, dy, dx * dx);
        if (TAxes.Three)
        {
            (c, s1, s2, d1, d2) = Five(ref Unsafe.Add(ref rows, 4 * stride), -2, -1, 0, 1, 2);
            var dz = g.Even(c, s1, s2);
            local.ZX = d.Odd(d1, d2);
            (c, s1, s2, _, _) = Five(ref Unsafe.Add(ref rows, 5 * stride), -2, -1, 0, 1, 2);
            local.ZY = g.Even(c, s1, s2);
            (c, s1, s2, _, _) = Five(ref Unsafe.Add(ref rows, 6 * stride), -2, -1, 0, 1, 2);
            local.ZZ = g.Even(c, s1, s2);
            local.Laplacian += local.ZZ;
            squares = Vector.FusedMultiplyAdd(dz, dz, squares);
        }
        local.Gradient = Vector.SquareRoot(squares);
        return local;
    }

    // f(0), f(1) + f(−1), f(2) + f(−2), f(1) − f(−1), f(2) − f(−2)
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static (Vector<double> C, Vector<double> S1, Vector<double> S2, Vector<double> D1, Vector<double> D2) Five(ref double at, int a2, int a1, int c, int b1, int b2)
    {
        var (l2, l1, r1, r2) = (Load(ref at, a2), Load(ref at, a1), Load(ref at, b1), Load(ref at, b2));
        return (Load(ref at, c), l1 + r1, l2 + r2, r1 - l1, r2 - l2);
    }
}

/// <summary>
/// What presmoothing needs for a moment: one for all scales and channels of a thread. The input lies in strips of <see cref="TapRows.Padding"/> columns, all slices of
/// a row of a strip together, so that what a long kernel along z reads fills the first-level cache one line after the other; rows that lie whole slices apart
/// would push each other out of it. Behind z the same is done for y.
/// </summary>
internal sealed class PresmoothScratch
{
    public readonly AlignedBuffer<double> Input = new(), AfterZ = new(), AfterY = new();
    private int _strips;

    /// <summary>Extent of the input.</summary>
    public Size3 Size { get; private set; }

    /// <summary>Where a strip's row of a slice begins in <see cref="Input"/>.</summary>
    public int Place(int z, int y, int strip) => ((y * _strips + strip) * Size.Z + z) * TapRows.Padding;

    /// <summary>Takes a block, x fastest.</summary>
    public void Take(ReadOnlySpan<float> voxels, Size3 size)
    {
        (Size, _strips) = (size, TapRows.Padded(size.X) / TapRows.Padding);
        Input.Ensure(size.Z * size.Y * _strips * TapRows.Padding);
        for (var z = 0; z < size.Z; z++)
        {
            for (var y = 0; y < size.Y; y++)
            {
                var row = voxels.Slice((z * size.Y + y) * size.X, size.X);
                for (var strip = 0; strip < _strips; strip++)
                {
                    var from = row[(strip * TapRows.Padding)..Math.Min(size.X, (strip + 1) * TapRows.Padding)];
                    TensorPrimitives.ConvertTruncating(from, Input.Slice(Place(z, y, strip), TapRows.Padding));
                }
            }
        }
    }
}
