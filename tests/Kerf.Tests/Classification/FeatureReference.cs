using Kerf.Imaging;

namespace Kerf.Tests;

/// <summary>
/// ilastik's features in double, written straight from their definition, axis by axis on whole arrays with the mirror border applied at every
/// filter, as vigra and fastfilters do it. Slow and plain: the oracle for the fast path.
/// </summary>
public sealed class FeatureReference(int depth, int height, int width)
{
    private readonly int[] _size = [depth, height, width];

    public List<double[]> All(double[] image, FeatureSet set)
    {
        var axes = set.Dimensions == 3 ? new[] { 0, 1, 2 } : [1, 2];
        return [.. set.Features.Select(f => Feature(image, f, axes))];
    }

    private double[] Feature(double[] image, Feature feature, int[] axes)
    {
        var sigma = feature.Sigma;
        var p = Smooth(image, sigma > 1 ? Math.Sqrt(sigma * sigma - 1) : sigma, 3.5, axes);
        var s = Math.Min(sigma, 1);
        return feature.Family switch
        {
            FeatureFamily.GaussianSmoothing => Smooth(p, s, 2, axes),
            FeatureFamily.LaplacianOfGaussian => Sum(axes.Select(a => Derivative(p, s, a, a, axes))),
            FeatureFamily.GaussianGradientMagnitude => [.. Sum(axes.Select(a => Derivative(p, s, a, -1, axes).Select(v => v * v).ToArray())).Select(Math.Sqrt)],
            FeatureFamily.DifferenceOfGaussians => [.. Smooth(p, s, 2, axes).Zip(Smooth(p, 0.66 * s, 2, axes), (a, b) => a - b)],
            FeatureFamily.HessianOfGaussianEigenvalues => Eigenvalue(axes, (a, b) => Derivative(p, s, a, b, axes), feature.Eigenvalue),
            _ => Tensor(p, s, feature.Eigenvalue, axes),
        };
    }

    private double[] Tensor(double[] p, double s, int eigenvalue, int[] axes)
    {
        var gradient = axes.ToDictionary(a => a, a => Derivative(p, 0.5 * s, a, -1, axes));
        return Eigenvalue(axes, (a, b) => Smooth([.. gradient[a].Zip(gradient[b], (x, y) => x * y)], s, 2, axes), eigenvalue);
    }

    private static double[] Eigenvalue(int[] axes, Func<int, int, double[]> component, int index)
    {
        var n = axes.Length;
        var m = new double[n, n][];
        for (var i = 0; i < n; i++) for (var j = i; j < n; j++) m[i, j] = m[j, i] = component(axes[i], axes[j]);
        return [.. Enumerable.Range(0, m[0, 0].Length).Select(v =>
        {
            var a = new double[n, n];
            for (var i = 0; i < n; i++) for (var j = 0; j < n; j++) a[i, j] = m[i, j][v];
            return Jacobi(a)[index];
        })];
    }

    // cyclic Jacobi rotations: exact to rounding
    public static double[] Jacobi(double[,] a)
    {
        var n = a.GetLength(0);
        for (var sweep = 0; sweep < 30; sweep++)
        {
            for (var p = 0; p < n; p++)
            {
                for (var q = p + 1; q < n; q++)
                {
                    if (a[p, q] == 0) continue;
                    var theta = (a[q, q] - a[p, p]) / (2 * a[p, q]);
                    var t = (theta >= 0 ? 1 : -1) / (Math.Abs(theta) + Math.Sqrt(theta * theta + 1));
                    var (c, s) = (1 / Math.Sqrt(t * t + 1), t / Math.Sqrt(t * t + 1));
                    for (var k = 0; k < n; k++) (a[k, p], a[k, q]) = (c * a[k, p] - s * a[k, q], s * a[k, p] + c * a[k, q]);
                    for (var k = 0; k < n; k++) (a[p, k], a[q, k]) = (c * a[p, k] - s * a[q, k], s * a[p, k] + c * a[q, k]);
                }
            }
        }
        return [.. Enumerable.Range(0, n).Select(i => a[i, i]).OrderDescending()];
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
        for (var i = 0; i < f.Length; i++)
        {
            var at = i / stride % n;
            var sum = 0.0;
            for (var k = -r; k <= r; k++)
            {
                var j = at + k;
                var period = 2 * (n - 1);
                j = ((j % period) + period) % period;
                if (j >= n) j = period - j;
                sum += kernel[k + r] * f[i + (j - at) * stride];
            }
            result[i] = sum;
        }
        return result;
    }
}
