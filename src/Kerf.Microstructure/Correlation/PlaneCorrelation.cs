using System.Numerics.Tensors;
using Kerf.Volumes;

namespace Kerf.Microstructure;

/// <summary>
/// The autocorrelation of a mask for displacements within the planes across an axis, summed over these planes: A(dr, dc) = Σ m(r, c)·m(r+dr, c+dc).
/// By Fourier transforms of the planes, padded with zeros so that nothing wraps around; power spectra are added up in the order of the planes,
/// 16 of them in single precision and these sums in double, and one inverse transform gives the sums, to about 10⁻⁶ of A(0, 0).
/// </summary>
internal sealed class PlaneCorrelation
{
    private readonly (int Rows, int Columns) _plane, _longest, _padded;
    private readonly int _planes;
    private readonly bool _periodic;
    private readonly float[] _sums;

    private PlaneCorrelation(Size3 size, int normal, (int, int) longest, bool periodic)
    {
        (_plane, _longest, _periodic, _planes) = ((size[Planes.RowAxis(normal)], size[Planes.ColumnAxis(normal)]), longest, periodic, size[normal]);
        _padded = (Padded(_plane.Rows, _longest.Rows), Padded(_plane.Columns, _longest.Columns));
        _sums = new float[_padded.Rows * _padded.Columns];
    }

    /// <summary>Adds up the planes of a mask.</summary>
    /// <param name="mask">0 or 1 per voxel.</param>
    /// <param name="normal">The axis across the planes; 0 is z.</param>
    /// <param name="longest">The longest displacement along the rows' axis and along the columns' axis, in voxels.</param>
    /// <param name="periodic">Opposite borders touch.</param>
    /// <param name="walk">Threads, budget, progress.</param>
    public static PlaneCorrelation Of(IVolume<byte> mask, int normal, (int Rows, int Columns) longest, bool periodic, Traversal walk)
    {
        var result = new PlaneCorrelation(mask.Info.Size, normal, longest, periodic);
        var (height, width) = result._padded;
        var plan = RealFourier.For(height, width);
        var total = new OrderedSum(plan.Length);
        Planes.ForEach(mask, normal, walk, group =>
        {
            var image = new float[height * width];
            var (re, im, scratch) = (new float[plan.Length], new float[plan.Length], new float[plan.ScratchLength]);
            var power = new float[plan.Length];
            return ((_, voxels) =>
            {
                var (rows, columns) = result._plane;
                for (var row = 0; row < rows; row++) Grey.Widen(voxels.Slice(row * columns, columns), image.AsSpan(row * width, columns));
                plan.Forward(image, re, im, scratch, columns: columns);
                TensorPrimitives.MultiplyAdd<float>(re, re, power, power);
                TensorPrimitives.MultiplyAdd<float>(im, im, power, power);
            }, () => total.Add(group, power));
        }, 4L * (height * width + 4 * plan.Length + plan.ScratchLength));
        var spectrum = Array.ConvertAll(total.Sum, sum => (float)sum);
        plan.Inverse(spectrum, new float[plan.Length], result._sums, new float[plan.ScratchLength]);
        return result;
    }

    /// <summary>The sum for a displacement.</summary>
    public double this[int rows, int columns]
    {
        get
        {
            var sum = Raw(rows, columns);
            if (!_periodic) return sum;
            // where the transform is longer than the period, what wraps around is the sum for the rest of the period
            var (foldRows, foldColumns) = (_padded.Rows != _plane.Rows && rows != 0, _padded.Columns != _plane.Columns && columns != 0);
            var (otherRows, otherColumns) = (rows > 0 ? rows - _plane.Rows : rows + _plane.Rows, columns > 0 ? columns - _plane.Columns : columns + _plane.Columns);
            if (foldRows) sum += Raw(otherRows, columns);
            if (foldColumns) sum += Raw(rows, otherColumns);
            if (foldRows && foldColumns) sum += Raw(otherRows, otherColumns);
            return sum;
        }
    }

    /// <summary>How many pairs there is room for.</summary>
    public double Room(int rows, int columns) => _periodic ? (double)_planes * _plane.Rows * _plane.Columns
        : (double)_planes * (_plane.Rows - Math.Abs(rows)) * (_plane.Columns - Math.Abs(columns));

    /// <summary>
    /// A ratio averaged over the directions of the plane at radii 0, step, 2·step …: at k steps over 4k directions of the half circle, between
    /// grid points by bilinear interpolation, as Berryman does it in a quadrant (doi:10.1063/1.334346).
    /// </summary>
    /// <param name="ratio">Of a displacement in voxels (rows, columns).</param>
    /// <param name="edges">Voxel edges along rows' and columns' axis.</param>
    /// <param name="step">Step of the radius in the same unit.</param>
    /// <param name="count">Radii.</param>
    /// <param name="last">The longest displacements that there are.</param>
    public static double[] AngleAverage(Func<int, int, double> ratio, (double Rows, double Columns) edges, double step, int count, (int Rows, int Columns) last)
    {
        var average = new double[count];
        average[0] = ratio(0, 0);
        for (var k = 1; k < count; k++)
        {
            var sum = 0.0;
            for (var l = 0; l < 4 * k; l++)
            {
                var (sin, cos) = Math.SinCos(Math.PI * l / (4 * k));
                // rounding must not ask for the voxel after the last
                var (row, column) = (Math.Min(k * step * sin / edges.Rows, last.Rows), Math.Clamp(k * step * cos / edges.Columns, -last.Columns, last.Columns));
                var (r, c) = (Math.Floor(row), Math.Floor(column));
                sum += Between(ratio, (int)r, (int)c, row - r, column - c);
            }
            average[k] = sum / (4 * k);
        }
        return average;
    }

    private static double Between(Func<int, int, double> ratio, int row, int column, double down, double right)
    {
        double Across(int at) => right == 0 ? ratio(at, column) : (1 - right) * ratio(at, column) + right * ratio(at, column + 1);
        return down == 0 ? Across(row) : (1 - down) * Across(row) + down * Across(row + 1);
    }

    private double Raw(int rows, int columns) =>
        _sums[(rows + _padded.Rows) % _padded.Rows * _padded.Columns + (columns + _padded.Columns) % _padded.Columns];

    private int Padded(int extent, int lag) => !_periodic ? RealFourier.GoodSize(extent + lag)
        : RealFourier.GoodSize(extent) == extent ? extent : RealFourier.GoodSize(2 * extent - 1);

    // adds parts in the order of their numbers, whenever they come
    private sealed class OrderedSum(int length)
    {
        private readonly SortedDictionary<int, float[]> _waiting = [];
        private int _next;

        public double[] Sum { get; } = new double[length];

        public void Add(int number, float[] part)
        {
            lock (_waiting)
            {
                _waiting.Add(number, part);
                while (_waiting.Remove(_next, out var next))
                {
                    for (var i = 0; i < next.Length; i++) Sum[i] += next[i];
                    _next++;
                }
            }
        }
    }
}
