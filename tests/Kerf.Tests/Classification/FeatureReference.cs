using Kerf.Imaging;
using Kerf.Volumes;

namespace Kerf.Tests;

/// <summary>
/// ilastik's features in double, written straight from their definition, axis by axis on whole arrays with the mirror border applied at every
/// filter, as vigra and fastfilters do it. Slow and plain: the oracle for the fast path.
/// </summary>
public sealed class FeatureReference(int depth, int height, int width)
{
    private readonly int[] _size = [depth, height, width];
    // what several features of a scale have in common
    private readonly Dictionary<(double, double, int, int), double[]> _shared = [];
    private readonly Dictionary<(double, int), double[][]> _solved = [];

    public List<double[]> All(double[] image, FeatureSet set)
    {
        var axes = set.Dimensions == 3 ? new[] { 0, 1, 2 } : [1, 2];
        return [.. set.Features.Select(f => Feature(image, f, axes))];
    }

    private double[] Feature(double[] image, Feature feature, int[] axes)
    {
        var sigma = feature.Sigma;
        var p = Shared(sigma, 0, 9, 9, () => Smooth(image, sigma > 1 ? Math.Sqrt(sigma * sigma - 1) : sigma, 3.5, axes));
        var s = Math.Min(sigma, 1);
        return feature.Family switch
        {
            FeatureFamily.GaussianSmoothing => Smooth(p, s, 2, axes),
            FeatureFamily.LaplacianOfGaussian => Sum(axes.Select(a => Along(s, a, a))),
            FeatureFamily.GaussianGradientMagnitude => [.. Sum(axes.Select(a => Along(s, a, -1).Select(v => v * v).ToArray())).Select(Math.Sqrt)],
            FeatureFamily.DifferenceOfGaussians => [.. Smooth(p, s, 2, axes).Zip(Smooth(p, 0.66 * s, 2, axes), (a, b) => a - b)],
            FeatureFamily.HessianOfGaussianEigenvalues => Solved(sigma, 1, () => Eigenvalues(axes, (a, b) => Along(s, a, b)), feature.Eigenvalue),
            _ => Solved(sigma, 0, () => Eigenvalues(axes, (a, b) => Shared(sigma, -s, a, b, () => Smooth([.. Along(0.5 * s, a, -1).Zip(Along(0.5 * s, b, -1), (x, y) => x * y)], s, 2, axes))), feature.Eigenvalue),
        };
        double[] Along(double scale, int a, int b) => Shared(sigma, scale, a, b, () => Derivative(p, scale, a, b, axes));
    }

    private double[] Solved(double sigma, int tensor, Func<double[][]> solve, int index) =>
        (_solved.TryGetValue((sigma, tensor), out var known) ? known : _solved[(sigma, tensor)] = solve())[index];

    private double[] Shared(double sigma, double scale, int a, int b, Func<double[]> compute) =>
        _shared.TryGetValue((sigma, scale, a, b), out var known) ? known : _shared[(sigma, scale, a, b)] = compute();

    // one array per eigenvalue, largest first
    private static double[][] Eigenvalues(int[] axes, Func<int, int, double[]> component)
    {
        var n = axes.Length;
        var m = new double[n, n][];
        for (var i = 0; i < n; i++) for (var j = i; j < n; j++) m[i, j] = m[j, i] = component(axes[i], axes[j]);
        var result = Enumerable.Range(0, n).Select(_ => new double[m[0, 0].Length]).ToArray();
        var (a, values) = (new double[n * n], new double[n]);
        for (var v = 0; v < result[0].Length; v++)
        {
            for (var i = 0; i < n; i++) for (var j = 0; j < n; j++) a[i * n + j] = m[i, j][v];
            Jacobi(a, n, values);
            for (var i = 0; i < n; i++) result[i][v] = values[i];
        }
        return result;
    }

    // cyclic Jacobi rotations until nothing is left beside the diagonal; a is n×n, row by row
    private static void Jacobi(double[] a, int n, double[] values)
    {
        for (var sweep = 0; sweep < 30; sweep++)
        {
            var rotated = false;
            for (var p = 0; p < n; p++)
            {
                for (var q = p + 1; q < n; q++)
                {
                    var (app, aqq, apq) = (a[p * n + p], a[q * n + q], a[p * n + q]);
                    if (Math.Abs(apq) <= 1e-17 * Math.Max(Math.Abs(app), Math.Abs(aqq))) continue;
                    rotated = true;
                    var theta = (aqq - app) / (2 * apq);
                    var t = (theta >= 0 ? 1 : -1) / (Math.Abs(theta) + Math.Sqrt(theta * theta + 1));
                    var c = 1 / Math.Sqrt(t * t + 1);
                    var s = t * c;
                    (a[p * n + p], a[q * n + q], a[p * n + q], a[q * n + p]) = (app - t * apq, aqq + t * apq, 0, 0);
                    for (var k = 0; k < n; k++)
                    {
                        if (k == p || k == q) continue;
                        var (kp, kq) = (a[k * n + p], a[k * n + q]);
                        a[k * n + p] = a[p * n + k] = c * kp - s * kq;
                        a[k * n + q] = a[q * n + k] = s * kp + c * kq;
                    }
                }
            }
            if (!rotated) break;
        }
        for (var i = 0; i < n; i++) values[i] = a[i * n + i];
        Array.Sort(values);
        Array.Reverse(values);
    }

    private static double[] Sum(IEnumerable<double[]> terms) => terms.Aggregate((a, b) => [.. a.Zip(b, (x, y) => x + y)]);

    private double[] Smooth(double[] f, double sigma, double window, int[] axes) => axes.Aggregate(f, (g, axis) => Filter(g, axis, Kernel(sigma, 0, window)));

    // first derivative along a when b is −1; else second derivative along a and b
    private double[] Derivative(double[] f, double sigma, int a, int b, int[] axes) =>
        axes.Aggregate(f, (g, axis) => Filter(g, axis, Kernel(sigma, (axis == a ? 1 : 0) + (axis == b ? 1 : 0), 2)));

    public static double[] Kernel(double sigma, int order, double window)
    {
        var r = Math.Max(order > 0 ? 1 : 0, (int)Math.Floor(window * sigma + 0.5));
        var g = Enumerable.Range(-r, 2 * r + 1).Select(x => (X: (double)x, G: Math.Exp(-x * x / (2 * sigma * sigma)))).ToArray();
        switch (order)
        {
            case 0: return [.. g.Select(t => t.G / g.Sum(u => u.G))];
            case 1:
                var ramp = g.Sum(t => t.X * t.X * t.G);
                return [.. g.Select(t => t.X * t.G / ramp)];
            default:
                var raw = g.Select(t => (t.X * t.X / (sigma * sigma) - 1) * t.G).ToArray();
                var mean = raw.Average();
                var free = raw.Select(v => v - mean).ToArray();
                var parabola = free.Zip(g, (v, t) => v * t.X * t.X / 2).Sum();
                return [.. free.Select(v => v / parabola)];
        }
    }

    private double[] Filter(double[] f, int axis, double[] kernel)
    {
        var result = new double[f.Length];
        var (n, r) = (_size[axis], kernel.Length / 2);
        var stride = axis switch { 0 => _size[1] * _size[2], 1 => _size[2], _ => 1 };
        var mirrored = Enumerable.Range(-r, n + 2 * r).Select(j => Borders.Map(Border.Mirror, j, n)).ToArray();
        for (var i = 0; i < f.Length; i++)
        {
            var at = i / stride % n;
            var sum = 0.0;
            for (var k = 0; k < kernel.Length; k++) sum += kernel[k] * f[i + (mirrored[at + k] - at) * stride];
            result[i] = sum;
        }
        return result;
    }
}
