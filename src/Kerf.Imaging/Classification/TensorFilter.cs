using System.Numerics;
using System.Numerics.Tensors;
using System.Runtime.CompilerServices;
using Kerf.Volumes;
using static Kerf.Imaging.TapRows;

namespace Kerf.Imaging;

/// <summary>
/// Structure tensor of one scale. The gradient (kernels of radius 1, from the presmoothed block) is kept for five slices; for one slice, rows of its
/// products are smoothed along z from those five, along y from a ring of five rows and along x, and solved for the eigenvalues. The gradient is kept
/// in float, which the products' small eigenvalues survive (an error δg enters them as δg·√λ); all that follows is double, which they need.
/// </summary>
internal sealed class TensorFilter<T> where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    private const int Margin = 3;
    // columns of the gradient and of the products left of the block; the block starts at this index
    private const int Left = 2;
    // products are made for so many columns at a time: five rows of six of them stay in the first-level cache
    private const int Tile = 64, TileStride = 72;
    private readonly int _dimensions;
    private readonly FiveTaps<T>[] _g = new FiveTaps<T>[3], _d = new FiveTaps<T>[3];
    private readonly FiveTaps<double>[] _smooth = new FiveTaps<double>[3];
    private readonly Vector<float>[] _roots;
    private readonly int[] _slices = new int[5];
    private readonly AlignedBuffer<double> _products = new(), _blended = new();
    private readonly AlignedBuffer<T> _rows = new();
    private readonly AlignedBuffer<float> _gradient = new();
    private AlignedBuffer<T> _p = new();
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
            _g[axis] = new(GaussianTaps.Smooth(narrow, radius), 1);
            _d[axis] = new([.. GaussianTaps.First(narrow, Math.Max(1, radius)).Select(t => t / spacing[axis])]);
            _smooth[axis] = new(GaussianTaps.Smooth(wide, GaussianTaps.Radius(wide, 2)), 1);
        }
        var along = sigma / spacing[0];
        // three weights, 0 where the kernel is shorter
        _roots = dimensions == 3 ? [.. GaussianTaps.Smooth(along, GaussianTaps.Radius(along, 2)).Concat([0, 0]).Take(3).Select(w => new Vector<float>((float)Math.Sqrt(w)))] : [];
        _products.Ensure(5 * 6 * TileStride + 4 * Padding);
        _blended.Ensure(12 * TileStride + 4 * Padding);
    }

    private int Components => _dimensions == 3 ? 6 : 3;

    /// <summary>Takes a presmoothed block; see <see cref="ScaleFilter{T}"/> for its layout.</summary>
    public void Take(AlignedBuffer<T> presmoothed, int height, int stride, Box inner, Size3 volume)
    {
        (_p, _height, _stride, _inner, _volume) = (presmoothed, height, stride, inner, volume);
        _rows.Ensure(Rows * stride + 4 * Padding);
        _gradient.Ensure(5 * 3 * (inner.Size.Y + 4) * stride + 4 * Padding);
        Array.Fill(_slices, int.MinValue);
    }

    private static int Slot(int k) => (k + 10) % 5;

    // row of one component (0 x, 1 y, 2 z) of the gradient of slice z; rows −2 … height + 1
    private int GradientRow(int z, int component, int y) => ((Slot(z) * 3 + component) * (_inner.Size.Y + 4) + y + 2) * _stride;

    private static int ProductRow(int y, int component) => (Slot(y) * 6 + component) * TileStride;

    /// <summary>Eigenvalues of one slice of the block, largest first, one plane each.</summary>
    public void Emit(int z, float[] target, int offset, int plane, int stride)
    {
        var reach = _dimensions == 3 ? 2 : 0;
        for (var k = z - reach; k <= z + reach; k++)
        {
            if (_slices[Slot(k)] == k) continue;
            Gradient(k);
            _slices[Slot(k)] = k;
        }
        for (var x = 0; x < _inner.Size.X; x += Tile)
        {
            var width = Math.Min(Tile, _inner.Size.X - x);
            for (var y = -2; y < _inner.Size.Y + 2; y++)
            {
                Products(z, y, x, width + 2 * Left);
                if (y < 2) continue;
                BlendAlongY(y - 2, width + 2 * Left);
                BlendAlongX(width);
                ref var tensor = ref _blended[Components * TileStride];
                ref var to = ref target[offset + (y - 2) * stride + x];
                if (_dimensions == 3) Eigenvalues.Of3(ref tensor, TileStride, ref to, plane, width);
                else Eigenvalues.Of2(ref tensor, TileStride, ref to, plane, width);
            }
        }
    }

    // rows: three times smoothed and derived along z; then gg, gd, dg (first letter z, second y); then a component of the gradient
    private const int AfterY = 6, AfterX = 9, Rows = 10;

    private void Gradient(int z)
    {
        for (var y = -3; y < _inner.Size.Y + 3; y++)
        {
            AlongZ(z, y);
            if (y < -1) continue;
            AlongY(y - 1);
            AlongX(z, y - 1);
        }
    }

    private int ZRow(int y) => (y + 6) % 3 * 2 * _stride;

    private void AlongZ(int z, int y)
    {
        var plane = _height * _stride;
        ref var p = ref _p[((z + (_dimensions == 3 ? Margin : 0)) * _height + y + Margin) * _stride];
        ref var target = ref _rows[ZRow(y)];
        var (g, d) = (_g[0], _d[0]);
        for (var x = 0; x < _inner.Size.X + 2 * Margin; x += Vector<T>.Count)
        {
            var centre = Load(ref p, x);
            if (_dimensions == 2)
            {
                Store(centre, ref target, x);
                continue;
            }
            var (a, b) = (Load(ref p, x - plane), Load(ref p, x + plane));
            Store(g.Even(centre, a + b), ref target, x);
            Store(d.Odd(b - a), ref target, _stride + x);
        }
    }

    private void AlongY(int y)
    {
        ref var target = ref _rows[AfterY * _stride];
        ref var before = ref _rows[ZRow(y - 1)];
        ref var here = ref _rows[ZRow(y)];
        ref var after = ref _rows[ZRow(y + 1)];
        var (g, d, stride) = (_g[1], _d[1], _stride);
        for (var x = 0; x < _inner.Size.X + 2 * Margin; x += Vector<T>.Count)
        {
            var (a, b) = (Load(ref before, x), Load(ref after, x));
            Store(g.Even(Load(ref here, x), a + b), ref target, x);
            Store(d.Odd(b - a), ref target, stride + x);
            if (_dimensions == 3) Store(g.Even(Load(ref here, stride + x), Load(ref before, stride + x) + Load(ref after, stride + x)), ref target, 2 * stride + x);
        }
    }

    // The products' mirror beyond a face keeps its sign, a derivative across that face changes it: so the derivative is turned there
    private void AlongX(int z, int y)
    {
        ref var rows = ref _rows[AfterY * _stride + Margin - Left];
        var (g, d, stride, width) = (_g[2], _d[2], _stride, _inner.Size.X + 2 * Left);
        for (var component = 0; component < _dimensions; component++)
        {
            ref var at = ref Unsafe.Add(ref rows, component * stride);
            var gradient = _gradient.Slice(GradientRow(z, component, y), width);
            ref var target = ref Place(ref gradient[0], ref _rows[AfterX * stride]);
            for (var x = 0; x < width; x += Vector<T>.Count)
            {
                var (a, b) = (Load(ref at, x - 1), Load(ref at, x + 1));
                Store(component == 0 ? d.Odd(b - a) : g.Even(Load(ref at, x), a + b), ref target, x);
            }
            Settle(_rows.Slice(AfterX * stride, width), gradient);
            if (component == 1 && Outside(y, _inner.Start.Y, _volume.Y) || component == 2 && Outside(z, _inner.Start.Z, _volume.Z)) TensorPrimitives.Negate(gradient, gradient);
            if (component > 0) continue;
            for (var x = -Left; x < _inner.Size.X + Left; x += x == -1 ? _inner.Size.X + 1 : 1)
                if (Outside(x, _inner.Start.X, _volume.X)) gradient[x + Left] = -gradient[x + Left];
        }
    }

    private static bool Outside(int local, int start, int length) => (uint)(local + start) >= (uint)length;

    // products zz, yy, xx, zy, zx, yx of the gradient (yy, yx, xx in 2-D), smoothed along z: √w·g is rounded to float as g is, its products are exact in double
    private void Products(int z, int y, int first, int width)
    {
        ref var target = ref _products[ProductRow(y, 0)];
        ref var centre = ref _gradient[GradientRow(z, 0, y) + first];
        var component = (_inner.Size.Y + 4) * _stride;
        if (_dimensions == 2)
        {
            for (var x = 0; x < width; x += Vector<double>.Count)
            {
                var (gx, gy) = (Vector.WidenLower(Load(ref centre, x)), Vector.WidenLower(Load(ref centre, component + x)));
                ref var to = ref Unsafe.Add(ref target, x);
                Store(gy * gy, ref to, 0);
                Store(gy * gx, ref to, TileStride);
                Store(gx * gx, ref to, 2 * TileStride);
            }
            return;
        }
        var (w0, w1, w2) = (_roots[0], _roots[1], _roots[2]);
        ref var before1 = ref _gradient[GradientRow(z - 1, 0, y) + first];
        ref var after1 = ref _gradient[GradientRow(z + 1, 0, y) + first];
        ref var before2 = ref _gradient[GradientRow(z - 2, 0, y) + first];
        ref var after2 = ref _gradient[GradientRow(z + 2, 0, y) + first];
        for (var x = 0; x < width; x += Vector<double>.Count)
        {
            var (gx, gy, gz) = Weighted(ref centre, w0);
            var (zz, yy, xx, zy, zx, yx) = (gz * gz, gy * gy, gx * gx, gz * gy, gz * gx, gy * gx);
            Add(ref before1, w1);
            Add(ref after1, w1);
            Add(ref before2, w2);
            Add(ref after2, w2);
            ref var to = ref Unsafe.Add(ref target, x);
            Store(zz, ref to, 0);
            Store(yy, ref to, TileStride);
            Store(xx, ref to, 2 * TileStride);
            Store(zy, ref to, 3 * TileStride);
            Store(zx, ref to, 4 * TileStride);
            Store(yx, ref to, 5 * TileStride);

            [MethodImpl(MethodImplOptions.AggressiveInlining)]
            void Add(ref float row, Vector<float> w)
            {
                (gx, gy, gz) = Weighted(ref row, w);
                zz = Vector.FusedMultiplyAdd(gz, gz, zz);
                yy = Vector.FusedMultiplyAdd(gy, gy, yy);
                xx = Vector.FusedMultiplyAdd(gx, gx, xx);
                zy = Vector.FusedMultiplyAdd(gz, gy, zy);
                zx = Vector.FusedMultiplyAdd(gz, gx, zx);
                yx = Vector.FusedMultiplyAdd(gy, gx, yx);
            }

            // the three components of half a vector of floats
            [MethodImpl(MethodImplOptions.AggressiveInlining)]
            (Vector<double> X, Vector<double> Y, Vector<double> Z) Weighted(ref float row, Vector<float> w) =>
                (Vector.WidenLower(w * Load(ref row, x)), Vector.WidenLower(w * Load(ref row, x + component)), Vector.WidenLower(w * Load(ref row, x + 2 * component)));
        }
    }

    private void BlendAlongY(int y, int width)
    {
        var w = _smooth[1];
        ref var rows = ref _products[0];
        var (a2, a1, c, b1, b2) = (ProductRow(y - 2, 0), ProductRow(y - 1, 0), ProductRow(y, 0), ProductRow(y + 1, 0), ProductRow(y + 2, 0));
        for (var component = 0; component < Components; component++)
        {
            ref var at = ref Unsafe.Add(ref rows, component * TileStride);
            ref var target = ref _blended[component * TileStride];
            for (var x = 0; x < width; x += Vector<double>.Count)
                Store(w.Even(Load(ref at, c + x), Load(ref at, a1 + x) + Load(ref at, b1 + x), Load(ref at, a2 + x) + Load(ref at, b2 + x)), ref target, x);
        }
    }

    private void BlendAlongX(int width)
    {
        var w = _smooth[2];
        for (var component = 0; component < Components; component++)
        {
            ref var at = ref _blended[component * TileStride + Left];
            ref var target = ref _blended[(Components + component) * TileStride];
            for (var x = 0; x < width; x += Vector<double>.Count)
                Store(w.Even(Load(ref at, x), Load(ref at, x - 1) + Load(ref at, x + 1), Load(ref at, x - 2) + Load(ref at, x + 2)), ref target, x);
        }
    }
}
