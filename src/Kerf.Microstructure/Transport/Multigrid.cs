using System.Runtime.CompilerServices;
using Kerf.Volumes;

namespace Kerf.Microstructure;

/// <summary>
/// An approximate inverse of a network's matrix: ever coarser networks by <see cref="Aggregation"/>, two damped Jacobi sweeps (Chebyshev
/// weights) before and
/// after each coarse correction, and up to two steps of conjugate gradients on each coarse level (K-cycle: Notay and Vassilevski 2008,
/// doi:10.1002/nla.542). It is not quite linear: the iteration around it must be flexible.
/// </summary>
internal sealed class Multigrid
{
    // the roots of Chebyshev's polynomial for the part 0.4 to 2 of the spectrum of D⁻¹A, which coarse networks cannot see
    private const float LongStep = 1.5767f;
    private const float ShortStep = 0.5663f;
    private readonly Network[] _networks;
    private readonly int[][] _owners;
    private readonly float[][][] _vectors;
    private readonly Traversal _walk;

    /// <summary>Builds the coarse networks.</summary>
    /// <param name="fine">The network to be solved.</param>
    /// <param name="spacing">Edge of its cells along (z, y, x): the finer axes are joined first.</param>
    /// <param name="walk">Threads.</param>
    public Multigrid(Network fine, (double Z, double Y, double X) spacing, Traversal walk)
    {
        _walk = walk;
        var (networks, owners) = (new List<Network> { fine }, new List<int[]>());
        while (networks[^1] is not GraphNetwork { EdgeCount: 0 } && networks[^1].Cells != Size3.Cube(1))
        {
            var cells = networks[^1].Cells;
            double Open(int count, double step) => count > 1 ? step : double.MaxValue;
            var finest = Math.Min(Open(cells.Z, spacing.Z), Math.Min(Open(cells.Y, spacing.Y), Open(cells.X, spacing.X)));
            int Factor(int count, double step) => count > 1 && step < 1.5 * finest ? 2 : 1;
            var factors = new Size3(Factor(cells.Z, spacing.Z), Factor(cells.Y, spacing.Y), Factor(cells.X, spacing.X));
            var (coarse, owner) = Aggregation.Join(networks[^1], factors, walk);
            networks.Add(coarse);
            owners.Add(owner);
            spacing = (spacing.Z * factors.Z, spacing.Y * factors.Y, spacing.X * factors.X);
        }
        (_networks, _owners) = ([.. networks], [.. owners]);
        // b, x, and where needed: t, c, v
        _vectors = [.. _networks.Select((network, level) => Enumerable.Range(0, level == 0 ? 2 : 5).Select(_ => new float[network.Count]).ToArray())];
    }

    /// <summary>Nodes of each level, finest first.</summary>
    public IEnumerable<int> Sizes => _networks.Select(network => network.Count);

    /// <summary>Where the caller leaves the right-hand side; overwritten by <see cref="Apply"/>.</summary>
    public float[] Right => _vectors[0][0];

    /// <summary>Joins nodes of the finest network to inlet or outlet, on all levels.</summary>
    public void Join(int[] nodes, float[] conductances)
    {
        for (var level = 0; ; level++)
        {
            _networks[level].Join(nodes, conductances);
            if (level == _owners.Length) return;
            nodes = Array.ConvertAll(nodes, node => _owners[level][node]);
        }
    }

    /// <summary>The approximate solution for <see cref="Right"/>, in a vector that lives until the next call.</summary>
    public float[] Apply(float[] spare)
    {
        Cycle(0, Right, _vectors[0][1], spare);
        return _vectors[0][1];
    }

    private void Cycle(int level, float[] b, float[] x, float[] t)
    {
        var network = _networks[level];
        var diagonal = network.Diagonal;
        if (level == _networks.Length - 1 && network is GraphNetwork { EdgeCount: 0 } or { Count: 1 })
        {
            for (var i = 0; i < network.Count; i++) x[i] = b[i] / diagonal[i];
            return;
        }
        network.ForEachLayer(_walk, layer =>
        {
            for (int i = network.First(layer), end = network.First(layer + 1); i < end; i++) t[i] = LongStep * b[i] / diagonal[i];
        });
        Relax(network, b, t, x, ShortStep);
        if (level < _owners.Length)
        {
            var (owner, coarse) = (_owners[level], _networks[level + 1]);
            var (right, correction) = (_vectors[level + 1][0], _vectors[level + 1][1]);
            var together = (network.Cells.Z + coarse.Cells.Z - 1) / coarse.Cells.Z;
            network.ForEachLayer(_walk, first =>
            {
                var end = Math.Min(network.Cells.Z, first + together);
                right.AsSpan(coarse.First(first / together)..coarse.First(first / together + 1)).Clear();
                var work = new Restrict(diagonal, b, x, right, owner);
                for (var layer = first; layer < end; layer++) network.Visit<float, Restrict>(layer, ref work);
            }, together);
            Krylov(level + 1);
            network.ForEachLayer(_walk, layer =>
            {
                for (int i = network.First(layer), end = network.First(layer + 1); i < end; i++) x[i] += correction[owner[i]];
            });
        }
        Relax(network, b, x, t, ShortStep);
        Relax(network, b, t, x, LongStep);
    }

    // up to two steps of flexible conjugate gradients; the solution of level's b goes to its x
    private void Krylov(int level)
    {
        var network = _networks[level];
        var (b, x, t, c, v) = (_vectors[level][0], _vectors[level][1], _vectors[level][2], _vectors[level][3], _vectors[level][4]);
        Cycle(level, b, c, t);
        if (level == _networks.Length - 1)
        {
            c.CopyTo(x, 0);
            return;
        }
        var first = Multiply(network, c, v, b);
        var step = first.Energy > 0 ? (float)(first.Right / first.Energy) : 0;
        var (before, after) = Reduce(network, b, v, step);
        if (!(after > 0.0625 * before) || first.Energy <= 0)
        {
            network.ForEachLayer(_walk, layer =>
            {
                for (int i = network.First(layer), end = network.First(layer + 1); i < end; i++) x[i] = step * c[i];
            });
            return;
        }
        // v·d, d·A d and d·r; A d goes where x will be
        Cycle(level, b, x, t);
        var second = Multiply(network, x, t, b, v);
        var rest = second.Energy - second.Cross * second.Cross / first.Energy;
        var along = rest > 0 ? second.Right / rest : 0;
        var (alpha, beta) = ((float)(first.Right / first.Energy - along * second.Cross / first.Energy), (float)along);
        network.ForEachLayer(_walk, layer =>
        {
            for (int i = network.First(layer), end = network.First(layer + 1); i < end; i++) x[i] = alpha * c[i] + beta * x[i];
        });
    }

    private void Relax(Network network, float[] b, float[] from, float[] to, float weight) => network.ForEachLayer(_walk, layer =>
    {
        var work = new Relaxation(network.Diagonal, b, from, to, weight);
        network.Visit<float, Relaxation>(layer, ref work);
    });

    // target = A x; x·A x, x·right and x·other, added layer by layer
    private (double Energy, double Right, double Cross) Multiply(Network network, float[] x, float[] target, float[] right, float[]? other = null)
    {
        var sums = new (double Energy, double Right, double Cross)[network.Cells.Z];
        network.ForEachLayer(_walk, layer =>
        {
            var work = new Product(network.Diagonal, x, target);
            network.Visit<float, Product>(layer, ref work);
            double energy = 0, rightSum = 0, cross = 0;
            for (int i = network.First(layer), end = network.First(layer + 1); i < end; i++)
            {
                energy += (double)x[i] * target[i];
                rightSum += (double)x[i] * right[i];
                if (other is not null) cross += (double)x[i] * other[i];
            }
            sums[layer] = (energy, rightSum, cross);
        });
        return sums.Aggregate((Energy: 0.0, Right: 0.0, Cross: 0.0), (all, one) => (all.Energy + one.Energy, all.Right + one.Right, all.Cross + one.Cross));
    }

    // r −= step·v; r·r before and after
    private (double Before, double After) Reduce(Network network, float[] r, float[] v, float step)
    {
        var sums = new (double Before, double After)[network.Cells.Z];
        network.ForEachLayer(_walk, layer =>
        {
            double before = 0, after = 0;
            for (int i = network.First(layer), end = network.First(layer + 1); i < end; i++)
            {
                before += (double)r[i] * r[i];
                r[i] -= step * v[i];
                after += (double)r[i] * r[i];
            }
            sums[layer] = (before, after);
        });
        return sums.Aggregate((Before: 0.0, After: 0.0), (all, one) => (all.Before + one.Before, all.After + one.After));
    }

    private readonly struct Relaxation(float[] diagonal, float[] b, float[] from, float[] to, float weight) : INodeWork<float>
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public float Edge(int node, int other, float conductance) => conductance * from[other];

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Node(int node, int row, int column, float sum) =>
            to[node] = from[node] + weight * (b[node] + sum - diagonal[node] * from[node]) / diagonal[node];
    }

    private readonly struct Restrict(float[] diagonal, float[] b, float[] x, float[] coarse, int[] owner) : INodeWork<float>
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public float Edge(int node, int other, float conductance) => conductance * x[other];

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Node(int node, int row, int column, float sum) => coarse[owner[node]] += b[node] + sum - diagonal[node] * x[node];
    }

    private readonly struct Product(float[] diagonal, float[] x, float[] target) : INodeWork<float>
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public float Edge(int node, int other, float conductance) => conductance * x[other];

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Node(int node, int row, int column, float sum) => target[node] = diagonal[node] * x[node] - sum;
    }
}
