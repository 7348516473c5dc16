using System.Runtime.CompilerServices;
using Kerf.Volumes;

namespace Kerf.Microstructure;

/// <summary>Conductances from the nodes of the first layer to the inlet, and from those of the last to the outlet.</summary>
internal sealed record Ends(float[] Inlet, float[] Outlet);

/// <summary>What flows through a network between potential 1 at the inlet and 0 at the outlet.</summary>
/// <param name="Flow">
/// The current, from the dissipated energy: never below the exact one, and off by the square of the potentials' error.
/// </param>
/// <param name="FlowError">How far the exact current may lie below, by the energy that the last steps still found.</param>
/// <param name="Spread">(Largest − smallest) / mean current through the planes between layers; 0 at the solution.</param>
/// <param name="Steps">Steps of the iteration.</param>
internal readonly record struct Currents(double Flow, double FlowError, double Spread, int Steps)
{
    private const int Most = 1000;
    private const int Delay = 4;

    /// <summary>
    /// Solves for the potentials by flexible conjugate gradients (Notay 2000, doi:10.1137/S1064827599362314). Ends when the currents through
    /// all planes agree within <paramref name="tolerance"/>, and the energy found in the last four steps, which estimates the error of the current
    /// (Strakoš and Tichý 2002, Electron. Trans. Numer. Anal. 13:56), is below a hundredth of that. Sums are made layer by layer in double.
    /// </summary>
    /// <param name="network">The network, inlet and outlet joined.</param>
    /// <param name="inverse">Its approximate inverse.</param>
    /// <param name="ends">Conductances to inlet and outlet.</param>
    /// <param name="x">First guess of the potentials; the solution on return.</param>
    /// <param name="tolerance">How closely the currents must agree.</param>
    /// <param name="walk">Threads, progress.</param>
    public static Currents Solve(Network network, Multigrid inverse, Ends ends, double[] x, double tolerance, Traversal walk)
    {
        var quiet = walk with { Progress = null };
        var source = ends.Inlet.Aggregate(0.0, (sum, conductance) => sum + conductance);
        var (r, p, q, spare) = (new double[network.Count], new double[network.Count], new double[network.Count], new float[network.Count]);
        Multiply(network, ends, x, q, quiet);
        var state = Balance(network, ends.Inlet, x, r, p, q, 0, source, quiet);
        var (drops, spread0, pq) = (new Queue<double>(), double.NaN, 0.0);
        for (var step = 1; ; step++)
        {
            var z = Precondition(network, inverse, r, spare, quiet);
            var beta = step == 1 ? 0 : -Dot(network, z, q, quiet) / pq;
            Advance(network, z, p, beta, quiet);
            pq = Multiply(network, ends, p, q, quiet);
            var pr = Dot(network, p, r, quiet);
            if (!(pq > 0)) return new(state.Flow, 0, state.Spread, step - 1);
            state = Balance(network, ends.Inlet, x, r, p, q, pr / pq, source, quiet);
            drops.Enqueue(pr / pq * pr);
            if (drops.Count > Delay) drops.Dequeue();
            var error = drops.Sum();
            spread0 = double.IsNaN(spread0) ? state.Spread : spread0;
            var done = state.Spread <= tolerance && error <= 0.01 * tolerance * state.Flow && drops.Count == Delay;
            walk.Progress?.Report(done ? 1 : Math.Clamp(Math.Log(spread0 / state.Spread) / Math.Log(spread0 / tolerance), 0, 0.99));
            if (done || step == Most || state.Spread < 1e-13) return new(state.Flow, error, state.Spread, step);
        }
    }

    private static float[] Precondition(Network network, Multigrid inverse, double[] r, float[] spare, Traversal walk)
    {
        var right = inverse.Right;
        network.ForEachLayer(walk, layer =>
        {
            for (int i = network.First(layer), end = network.First(layer + 1); i < end; i++) right[i] = (float)r[i];
        });
        return inverse.Apply(spare);
    }

    private static void Advance(Network network, float[] z, double[] p, double beta, Traversal walk) => network.ForEachLayer(walk, layer =>
    {
        for (int i = network.First(layer), end = network.First(layer + 1); i < end; i++) p[i] = z[i] + beta * p[i];
    });

    private static double Dot(Network network, float[] a, double[] b, Traversal walk) => Sum(network, walk, layer =>
    {
        var sum = 0.0;
        for (int i = network.First(layer), end = network.First(layer + 1); i < end; i++) sum += a[i] * b[i];
        return sum;
    });

    private static double Dot(Network network, double[] a, double[] b, Traversal walk) => Sum(network, walk, layer =>
    {
        var sum = 0.0;
        for (int i = network.First(layer), end = network.First(layer + 1); i < end; i++) sum += a[i] * b[i];
        return sum;
    });

    // target = A x; returns x·A x
    private static double Multiply(Network network, Ends ends, double[] x, double[] target, Traversal walk) => Sum(network, walk, layer =>
    {
        var work = new Product(x, target);
        network.Visit<double, Product>(layer, ref work);
        var (sum, first, end) = (0.0, network.First(layer), network.First(layer + 1));
        if (layer == 0)
        {
            for (var i = first; i < end; i++) target[i] += ends.Inlet[i - first] * x[i];
        }
        if (layer == network.Cells.Z - 1)
        {
            for (var i = first; i < end; i++) target[i] += ends.Outlet[i - first] * x[i];
        }
        for (var i = first; i < end; i++) sum += x[i] * target[i];
        return sum;
    });

    // x += step·p and r −= step·q (at the start, with step 0: r = b − q); then the current through the planes: what enters the first layer,
    // less what
    // each layer keeps
    private static (double Flow, double Spread) Balance(
        Network network, float[] inlet, double[] x, double[] r, double[] p, double[] q, double step, double source, Traversal walk)
    {
        var layers = network.Cells.Z;
        var (kept, energy) = (new double[layers], new double[layers]);
        var entered = 0.0;
        network.ForEachLayer(walk, layer =>
        {
            double sum = 0, product = 0, enters = 0;
            for (int i = network.First(layer), end = network.First(layer + 1); i < end; i++)
            {
                var b = layer == 0 ? inlet[i] : 0.0;
                if (step == 0) r[i] = b - q[i];
                x[i] += step * p[i];
                r[i] -= step == 0 ? 0 : step * q[i];
                sum += r[i];
                product += x[i] * (b + r[i]);
                enters += b * (1 - x[i]);
            }
            (kept[layer], energy[layer]) = (sum, product);
            if (layer == 0) entered = enters;
        });
        var (flow, lowest, highest, mean) = (entered, entered, entered, entered);
        foreach (var layer in kept)
        {
            flow -= layer;
            (lowest, highest, mean) = (Math.Min(lowest, flow), Math.Max(highest, flow), mean + flow);
        }
        return (source - energy.Aggregate(0.0, (sum, layer) => sum + layer), (highest - lowest) / Math.Abs(mean / (layers + 1)));
    }

    private static double Sum(Network network, Traversal walk, Func<int, double> of)
    {
        var sums = new double[network.Cells.Z];
        network.ForEachLayer(walk, layer => sums[layer] = of(layer));
        return sums.Aggregate(0.0, (sum, layer) => sum + layer);
    }

    // by differences, not with the diagonal: what rounds in a sum of floats would leak at every node
    private readonly struct Product(double[] x, double[] target) : INodeWork<double>
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public double Edge(int node, int other, float conductance) => conductance * (x[node] - x[other]);

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Node(int node, int row, int column, double sum) => target[node] = sum;
    }
}
