using System.Numerics;
using System.Numerics.Tensors;
using System.Runtime.CompilerServices;
using Kerf.Volumes;
using static Kerf.Imaging.TapRows;

namespace Kerf.Imaging;

/// <summary>Computes the <see cref="MillingFeatures"/> of one signal on one block. Rows are padded to whole vectors; every lane does the same.</summary>
internal sealed class MillingBlock
{
    private readonly double[][] _tapsY, _tapsX;
    private readonly float[][] _smooth;
    private readonly Size3 _halo;
    private readonly (MillingKind Kind, int Slices)[] _features;
    private double[] _rows = [], _row = [];
    private float[] _voxels = [];
    private int _height, _stride;

    public MillingBlock(FeatureSet set)
    {
        double[] Taps(double sigma, double spacing) => GaussianTaps.Smooth(sigma / spacing, GaussianTaps.Radius(sigma / spacing, MillingFeatures.Window));
        _tapsY = [.. MillingFeatures.Sigmas.Select(sigma => Taps(sigma, set.Spacing.Y))];
        _tapsX = [.. MillingFeatures.Sigmas.Select(sigma => Taps(sigma, set.Spacing.X))];
        _smooth = [.. MillingFeatures.Sigmas.Select(_ => Array.Empty<float>())];
        _halo = MillingFeatures.Halo(set);
        _features = [.. MillingFeatures.All.Take(MillingFeatures.PerScale).Select(f => (f.Kind, MillingFeatures.SlicesOf(f.Slices, set.Spacing.Z)))];
    }

    /// <summary>Bytes that a block holds.</summary>
    public static long Bytes(FeatureSet set, Size3 inner) =>
        (inner.Z + 2L * MillingFeatures.Halo(set).Z) * inner.Y * Padded(inner.X) * sizeof(float) * MillingFeatures.Sigmas.Length
        + (long)Padded(inner.X) * inner.Y * sizeof(float) * MillingFeatures.All.Count;

    /// <summary>Reads a block and what its features need around it, mirrored at the volume's faces.</summary>
    public void Read(IVolume<float> source, Box inner)
    {
        var outer = inner.Grow(_halo);
        (_height, _stride) = (inner.Size.Y, Padded(inner.Size.X));
        var (rows, columns) = (outer.Size.Y, outer.Size.X);
        var width = Padded(columns) + Padding;
        ScaleFilter.Ensure(ref _voxels, (int)outer.Size.SliceCount);
        ScaleFilter.Ensure(ref _rows, rows * width + 4 * Padding);
        ScaleFilter.Ensure(ref _row, width + 4 * Padding);
        for (var s = 0; s < _smooth.Length; s++) ScaleFilter.Ensure(ref _smooth[s], outer.Size.Z * _height * _stride + 4 * Padding);
        for (var z = 0; z < outer.Size.Z; z++)
        {
            Borders.ReadSlice(source, outer, z, Border.Mirror, _voxels);
            for (var y = 0; y < rows; y++) TensorPrimitives.ConvertTruncating<float, double>(_voxels.AsSpan(y * columns, columns), _rows.AsSpan(y * width));
            for (var s = 0; s < _smooth.Length; s++)
                for (var y = 0; y < _height; y++) SmoothRow(s, (y + _halo.Y) * width, width, columns, _halo.X, _smooth[s].AsSpan((z * _height + y) * _stride, inner.Size.X));
        }
    }

    private void SmoothRow(int scale, int centre, int width, int count, int left, Span<float> target)
    {
        Smooth(ref _rows[centre], width, _tapsY[scale], ref _row[0], count);
        var taps = _tapsX[scale];
        for (var x = 0; x < target.Length; x++)
        {
            var sum = taps[0] * _row[left + x];
            for (var k = 1; k < taps.Length; k++) sum += taps[k] * (_row[left + x - k] + _row[left + x + k]);
            target[x] = (float)sum;
        }
    }

    /// <summary>Computes one slice of the block into planes from <paramref name="first"/> on.</summary>
    public void Emit(int z, float[] planes, int first, int plane, int stride)
    {
        for (var s = 0; s < _smooth.Length; s++)
        {
            for (var y = 0; y < _height; y++)
            {
                for (var x = 0; x < _stride; x += Vector<float>.Count)
                {
                    ref var at = ref _smooth[s][((z + _halo.Z) * _height + y) * _stride + x];
                    Column(ref at, _height * _stride, ref planes[(first + s * MillingFeatures.PerScale) * plane + y * stride + x], plane);
                }
            }
        }
    }

    // the features of one scale in the order of MillingFeatures.All
    private void Column(ref float at, int slice, ref float target, int plane)
    {
        var here = Load(ref at, 0);
        for (var f = 0; f < _features.Length;)
        {
            var (kind, n) = _features[f];
            ref var to = ref Unsafe.Add(ref target, f * plane);
            switch (kind)
            {
                case MillingKind.AheadDifference:
                    Store(Load(ref at, n * slice) - here, ref to, 0);
                    f++;
                    break;
                case MillingKind.BehindDifference:
                    Store(here - Load(ref at, -n * slice), ref to, 0);
                    f++;
                    break;
                case MillingKind.AheadMinimum or MillingKind.BehindMinimum:
                    Range(ref at, kind == MillingKind.AheadMinimum ? slice : -slice, n, here, ref to, plane);
                    f += 3;
                    break;
                case MillingKind.AheadLevel:
                    Levels(ref at, slice, n, here, ref to, plane);
                    f += 3;
                    break;
                case MillingKind.Shadow:
                    Store(Shadow(ref at, slice, n) - here, ref to, 0);
                    f++;
                    break;
                default:
                    Steepest(ref at, slice, kind == MillingKind.NextFall ? 1 : -n + 1, n, ref to, plane);
                    f += 4;
                    break;
            }
        }
    }

    // least, greatest, mean of n slices, less the grey here
    private static void Range(ref float at, int step, int n, Vector<float> here, ref float target, int plane)
    {
        var (least, greatest, sum) = (Load(ref at, step), Load(ref at, step), Load(ref at, step));
        for (var k = 2; k <= n; k++)
        {
            var s = Load(ref at, k * step);
            (least, greatest, sum) = (Vector.Min(least, s), Vector.Max(greatest, s), sum + s);
        }
        Store(least - here, ref target, 0);
        Store(greatest - here, ref target, plane);
        Store(sum * new Vector<float>(1f / n) - here, ref target, 2 * plane);
    }

    // means of n slices and this one, ahead and behind, and the bend between them
    private static void Levels(ref float at, int slice, int n, Vector<float> here, ref float target, int plane)
    {
        var (ahead, behind) = (Load(ref at, slice), Load(ref at, -slice));
        for (var k = 2; k <= n; k++) (ahead, behind) = (ahead + Load(ref at, k * slice), behind + Load(ref at, -k * slice));
        var share = new Vector<float>(1f / (n + 1));
        Store((ahead + here) * share, ref target, 0);
        Store((behind + here) * share, ref target, plane);
        Store((ahead + behind) * new Vector<float>(0.5f / n) - here, ref target, 2 * plane);
    }

    // the brightest slice from here to the steepest fall
    private static Vector<float> Shadow(ref float at, int slice, int n)
    {
        var (brightest, fall, shadow) = (Load(ref at, 0), new Vector<float>(float.NegativeInfinity), Load(ref at, 0));
        for (var k = 1; k <= n; k++)
        {
            brightest = Vector.Max(brightest, Load(ref at, k * slice));
            var steep = Load(ref at, (k - 1) * slice) - Load(ref at, (k + 1) * slice);
            var falls = Vector.GreaterThan(steep, fall);
            (fall, shadow) = (Vector.ConditionalSelect(falls, steep, fall), Vector.ConditionalSelect(falls, brightest, shadow));
        }
        return shadow;
    }

    // steepest fall and its distance, steepest rise and its distance, among n slices from first on; of equals the nearest
    private static void Steepest(ref float at, int slice, int first, int n, ref float target, int plane)
    {
        var (fall, rise) = (new Vector<float>(float.NegativeInfinity), new Vector<float>(float.NegativeInfinity));
        var (fallAt, riseAt) = (Vector<float>.Zero, Vector<float>.Zero);
        for (var i = 0; i < n; i++)
        {
            var k = first > 0 ? first + i : first + n - 1 - i;
            var slope = Load(ref at, (k + 1) * slice) - Load(ref at, (k - 1) * slice);
            var depth = new Vector<float>(Math.Abs(k));
            var (falls, rises) = (Vector.GreaterThan(-slope, fall), Vector.GreaterThan(slope, rise));
            (fall, fallAt) = (Vector.ConditionalSelect(falls, -slope, fall), Vector.ConditionalSelect(falls, depth, fallAt));
            (rise, riseAt) = (Vector.ConditionalSelect(rises, slope, rise), Vector.ConditionalSelect(rises, depth, riseAt));
        }
        Store(fall, ref target, 0);
        Store(fallAt, ref target, plane);
        Store(rise, ref target, 2 * plane);
        Store(riseAt, ref target, 3 * plane);
    }
}
