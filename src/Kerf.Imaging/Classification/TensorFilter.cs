using System.Numerics;
using System.Runtime.CompilerServices;
using Kerf.Volumes;
using static Kerf.Imaging.TapRows;

namespace Kerf.Imaging;

/// <summary>
/// Structure tensor of one scale. The gradient (kernels of radius 1, from the presmoothed block) is kept for five slices; for one slice, rows of its
/// products are smoothed along z from those five, along y from a ring of five rows and along x, and solved for the eigenvalues. The gradient is kept
/// in float, which the products' small eigenvalues survive (an error δg enters them as δg·√λ); all that follows is double, which they need.
/// </summary>
internal sealed class TensorFilter
{
    private const int Margin = 3;
    // columns of the gradient and of the products left of the block; the block starts at this index
    private const int Left = 2;
    private readonly int _dimensions;
    private readonly FiveTaps[] _g = new FiveTaps[3], _d = new FiveTaps[3], _smooth = new FiveTaps[3];
    private readonly int[] _slices = new int[5];
    private readonly AlignedBuffer<double> _alongY = new(), _products = new(), _blended = new();
    private readonly AlignedBuffer<float> _gradient = new();
    private AlignedBuffer<double> _p = new();
    private Box _inner;
    private Size3 _volume;
    private int _height, _stride;

    public TensorFilter(double sigma, double[] spacing, int dimensions)
    {
        _dimensions = dimensions;
        for (var axis = 3 - dimensions; axis < 3; axis++)
        {
            var (narrow, wide) = (0.5 * sigma / spacing[axis], sigma / spacing[axis]);
            var radius = GaussianTaps.Radius(narrow, 2);
            _g[axis] = new(GaussianTaps.Smooth(narrow, radius));
            _d[axis] = new([.. GaussianTaps.First(narrow, Math.Max(1, radius)).Select(t => t / spacing[axis])]);
            _smooth[axis] = new(GaussianTaps.Smooth(wide, GaussianTaps.Radius(wide, 2)));
        }
    }

    private int Components => _dimensions == 3 ? 6 : 3;

    /// <summary>Takes a presmoothed block; see <see cref="ScaleFilter"/> for its layout.</summary>
    public void Take(AlignedBuffer<double> presmoothed, int height, int stride, Box inner, Size3 volume)
    {
        (_p, _height, _stride, _inner, _volume) = (presmoothed, height, stride, inner, volume);
        _alongY.Ensure(3 * stride + 4 * Padding);
        _gradient.Ensure(5 * 3 * (inner.Size.Y + 4) * stride + 4 * Padding);
        _products.Ensure(5 * 6 * stride + 4 * Padding);
        _blended.Ensure(6 * stride + 4 * Padding);
        Array.Fill(_slices, int.MinValue);
    }

    private static int Slot(int k) => (k + 10) % 5;

    // row of one component (0 x, 1 y, 2 z) of the gradient of slice z; rows −2 … height + 1
    private int GradientRow(int z, int component, int y) => ((Slot(z) * 3 + component) * (_inner.Size.Y + 4) + y + 2) * _stride;

    private int ProductRow(int y, int component) => (Slot(y) * 6 + component) * _stride;

    /// <summary>Eigenvalues of one slice of the block, largest first, one plane each.</summary>
    public void Emit(int z, float[] target, int offset, int plane, int stride)
    {
        var reach = _dimensions == 3 ? 2 : 0;
        for (var k = z - reach; k <= z + reach; k++)
        {
            if (_slices[Slot(k)] == k) continue;
            for (var y = -2; y < _inner.Size.Y + 2; y++) Gradient(k, y);
            _slices[Slot(k)] = k;
        }
        for (var y = -2; y < _inner.Size.Y + 2; y++)
        {
            Products(z, y);
            if (y < 2) continue;
            BlendAlongY(y - 2);
            Solve(ref target[offset + (y - 2) * stride], plane);
        }
    }

    private void Gradient(int z, int y)
    {
        var plane = _height * _stride;
        ref var p = ref _p[((z + (_dimensions == 3 ? Margin : 0)) * _height + y + Margin) * _stride];
        ref var alongY = ref _alongY[0];
        var (stride, g, d) = (_stride, _g[1], _d[1]);
        for (var x = 0; x < stride; x += Vector<double>.Count)
        {
            // z first, for the three rows that y needs; then y
            ref var at = ref Unsafe.Add(ref p, x);
            var (g0, d0) = AlongZ(ref Unsafe.Add(ref at, -stride), plane);
            var (g1, d1) = AlongZ(ref at, plane);
            var (g2, d2) = AlongZ(ref Unsafe.Add(ref at, stride), plane);
            Store(g.Even(g1, g0 + g2, Vector<double>.Zero), ref alongY, x);
            Store(d.Odd(g2 - g0, Vector<double>.Zero), ref alongY, stride + x);
            Store(g.Even(d1, d0 + d2, Vector<double>.Zero), ref alongY, 2 * stride + x);
        }
        AlongX(z, y);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private (Vector<double> G, Vector<double> D) AlongZ(ref double p, int plane)
    {
        var c = Load(ref p, 0);
        if (_dimensions == 2) return (c, Vector<double>.Zero);
        var (a, b) = (Load(ref p, -plane), Load(ref p, plane));
        return (_g[0].Even(c, a + b, Vector<double>.Zero), _d[0].Odd(b - a, Vector<double>.Zero));
    }

    // The products' mirror beyond a face keeps its sign, a derivative across that face changes it: so the derivative is turned there
    private void AlongX(int z, int y)
    {
        ref var rows = ref _alongY[Margin - Left];
        ref var gradientX = ref _gradient[GradientRow(z, 0, y)];
        ref var gradientY = ref _gradient[GradientRow(z, 1, y)];
        ref var gradientZ = ref _gradient[GradientRow(z, 2, y)];
        var (g, d, stride) = (_g[2], _d[2], _stride);
        var half = Vector<double>.Count;
        var signY = new Vector<float>(Outside(y, _inner.Start.Y, _volume.Y) ? -1 : 1);
        var signZ = new Vector<float>(Outside(z, _inner.Start.Z, _volume.Z) ? -1 : 1);
        for (var x = 0; x < _inner.Size.X + 2 * Left; x += 2 * half)
        {
            ref var at = ref Unsafe.Add(ref rows, x);
            Store(Odd(ref at), Odd(ref Unsafe.Add(ref at, half)), ref gradientX, x);
            Store(Vector.Narrow(Even(ref at, stride), Even(ref at, stride + half)) * signY, ref gradientY, x);
            if (_dimensions == 3) Store(Vector.Narrow(Even(ref at, 2 * stride), Even(ref at, 2 * stride + half)) * signZ, ref gradientZ, x);
        }
        for (var x = -Left; x < 0; x++)
            if (Outside(x, _inner.Start.X, _volume.X)) Turn(ref gradientX, x);
        for (var x = _inner.Size.X; x < _inner.Size.X + Left; x++)
            if (Outside(x, _inner.Start.X, _volume.X)) Turn(ref gradientX, x);

        Vector<double> Odd(ref double at) => d.Odd(Load(ref at, 1) - Load(ref at, -1), Vector<double>.Zero);
        Vector<double> Even(ref double at, int x) => g.Even(Load(ref at, x), Load(ref at, x - 1) + Load(ref at, x + 1), Vector<double>.Zero);
        static void Turn(ref float row, int x) => Unsafe.Add(ref row, x + Left) = -Unsafe.Add(ref row, x + Left);
    }

    private static bool Outside(int local, int start, int length) => (uint)(local + start) >= (uint)length;

    // products zz, yy, xx, zy, zx, yx of the gradient (yy, xx, yx in 2-D), smoothed along z; the product of two floats is exact in double
    private void Products(int z, int y)
    {
        ref var target = ref _products[ProductRow(y, 0)];
        var (stride, width) = (_stride, _inner.Size.X + 2 * Left);
        ref var centre = ref _gradient[GradientRow(z, 0, y)];
        var component = (_inner.Size.Y + 4) * stride;
        if (_dimensions == 2)
        {
            for (var x = 0; x < width; x += Vector<double>.Count)
            {
                var (gx, gy, _) = Gradient(ref centre, x, component);
                ref var to = ref Unsafe.Add(ref target, x);
                Store(gy * gy, ref to, 0);
                Store(gx * gx, ref to, stride);
                Store(gy * gx, ref to, 2 * stride);
            }
            return;
        }
        var (w0, w1, w2) = (_smooth[0].W0, _smooth[0].W1, _smooth[0].W2);
        ref var before1 = ref _gradient[GradientRow(z - 1, 0, y)];
        ref var after1 = ref _gradient[GradientRow(z + 1, 0, y)];
        ref var before2 = ref _gradient[GradientRow(z - 2, 0, y)];
        ref var after2 = ref _gradient[GradientRow(z + 2, 0, y)];
        for (var x = 0; x < width; x += Vector<double>.Count)
        {
            var (ax, ay, az) = Gradient(ref centre, x, component);
            var (zz, yy, xx, zy, zx, yx) = (w0 * (az * az), w0 * (ay * ay), w0 * (ax * ax), w0 * (az * ay), w0 * (az * ax), w0 * (ay * ax));
            Add(ref before1, ref after1, w1);
            Add(ref before2, ref after2, w2);
            ref var to = ref Unsafe.Add(ref target, x);
            Store(zz, ref to, 0);
            Store(yy, ref to, stride);
            Store(xx, ref to, 2 * stride);
            Store(zy, ref to, 3 * stride);
            Store(zx, ref to, 4 * stride);
            Store(yx, ref to, 5 * stride);

            [MethodImpl(MethodImplOptions.AggressiveInlining)]
            void Add(ref float before, ref float after, Vector<double> w)
            {
                var (bx, by, bz) = Gradient(ref before, x, component);
                var (cx, cy, cz) = Gradient(ref after, x, component);
                zz = Vector.FusedMultiplyAdd(w, Vector.FusedMultiplyAdd(bz, bz, cz * cz), zz);
                yy = Vector.FusedMultiplyAdd(w, Vector.FusedMultiplyAdd(by, by, cy * cy), yy);
                xx = Vector.FusedMultiplyAdd(w, Vector.FusedMultiplyAdd(bx, bx, cx * cx), xx);
                zy = Vector.FusedMultiplyAdd(w, Vector.FusedMultiplyAdd(bz, by, cz * cy), zy);
                zx = Vector.FusedMultiplyAdd(w, Vector.FusedMultiplyAdd(bz, bx, cz * cx), zx);
                yx = Vector.FusedMultiplyAdd(w, Vector.FusedMultiplyAdd(by, bx, cy * cx), yx);
            }
        }
    }

    // the three components of half a vector of floats
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static (Vector<double> X, Vector<double> Y, Vector<double> Z) Gradient(ref float row, int x, int component) =>
        (Vector.WidenLower(Load(ref row, x)), Vector.WidenLower(Load(ref row, x + component)), Vector.WidenLower(Load(ref row, x + 2 * component)));

    private void BlendAlongY(int y)
    {
        var w = _smooth[1];
        ref var rows = ref _products[0];
        for (var component = 0; component < Components; component++)
        {
            ref var target = ref _blended[component * _stride];
            var (a2, a1, c, b1, b2) = (ProductRow(y - 2, component), ProductRow(y - 1, component), ProductRow(y, component), ProductRow(y + 1, component), ProductRow(y + 2, component));
            for (var x = 0; x < _inner.Size.X + 2 * Left; x += Vector<double>.Count)
            {
                var (centre, s1, s2, _, _) = ScaleFilter.Five(ref Unsafe.Add(ref rows, x), a2, a1, c, b1, b2);
                Store(w.Even(centre, s1, s2), ref target, x);
            }
        }
    }

    private void Solve(ref float target, int plane)
    {
        var (w, stride, half) = (_smooth[2], _stride, Vector<double>.Count);
        ref var rows = ref _blended[Left];
        for (var x = 0; x < _inner.Size.X; x += 2 * half)
        {
            ref var at = ref Unsafe.Add(ref rows, x);
            ref var next = ref Unsafe.Add(ref at, half);
            ref var to = ref Unsafe.Add(ref target, x);
            if (_dimensions == 3)
            {
                var (large, middle, small) = Eigenvalues.Roots(Reduced(ref at), Reduced(ref next));
                Store(large, ref to, 0);
                Store(middle, ref to, plane);
                Store(small, ref to, 2 * plane);
            }
            else
            {
                var (e0, e1) = Eigenvalues.Of2(Along(ref at, 0), Along(ref at, 2), Along(ref at, 1));
                var (f0, f1) = Eigenvalues.Of2(Along(ref next, 0), Along(ref next, 2), Along(ref next, 1));
                Store(e0, f0, ref to, 0);
                Store(e1, f1, ref to, plane);
            }
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        (Vector<double> Q, Vector<double> P, Vector<double> R) Reduced(ref double at) =>
            Eigenvalues.Reduce(Along(ref at, 0), Along(ref at, 1), Along(ref at, 2), Along(ref at, 3), Along(ref at, 4), Along(ref at, 5));

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        Vector<double> Along(ref double at, int component)
        {
            var (centre, s1, s2, _, _) = ScaleFilter.Five(ref Unsafe.Add(ref at, component * stride), -2, -1, 0, 1, 2);
            return w.Even(centre, s1, s2);
        }
    }
}
