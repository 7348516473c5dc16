using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Kerf.Volumes;

namespace Kerf.Microstructure;

/// <summary>
/// Joins the nodes of a network that lie in one block of cells and hang together inside it, and adds up the conductances between what was joined:
/// Galerkin's coarse operator for piecewise constant potentials. Two pores on both sides of a thin wall stay two nodes, however coarse the blocks.
/// </summary>
internal static class Aggregation
{
    /// <summary>The coarse network, and per fine node the coarse one that it belongs to.</summary>
    /// <param name="fine">What is joined.</param>
    /// <param name="factors">Cells that are joined along each axis, 1 or 2.</param>
    /// <param name="walk">Threads.</param>
    public static (GraphNetwork Coarse, int[] Owner) Join(Network fine, Size3 factors, Traversal walk)
    {
        var cells = new Size3(Half(fine.Cells.Z, factors.Z), Half(fine.Cells.Y, factors.Y), Half(fine.Cells.X, factors.X));
        var owner = new int[fine.Count];
        var layers = new int[cells.Z + 1];
        var places = new int[cells.Z][];
        fine.ForEachLayer(walk, layer => places[layer / factors.Z] = Number(fine, factors, cells, layer, owner), factors.Z);
        for (var layer = 0; layer < cells.Z; layer++) layers[layer + 1] = layers[layer] + places[layer].Length;
        fine.ForEachLayer(walk, layer =>
        {
            foreach (ref var own in owner.AsSpan(fine.First(layer)..fine.First(End(fine, layer, factors)))) own += layers[layer / factors.Z];
        }, factors.Z);
        var parts = new (int[] Ends, int[] Others, float[] Conductances)[cells.Z];
        fine.ForEachLayer(walk, layer => parts[layer / factors.Z] = Edges(fine, layer, End(fine, layer, factors), owner, layers, layer / factors.Z), factors.Z);

        var edges = new int[layers[^1] + 1];
        var count = 0;
        for (var layer = 0; layer < cells.Z; layer++)
        {
            for (var node = 0; node < places[layer].Length; node++) edges[layers[layer] + node + 1] = checked(count + parts[layer].Ends[node]);
            count = edges[layers[layer + 1]];
        }
        var (others, conductances) = (new int[count], new float[count]);
        for (var layer = 0; layer < cells.Z; layer++)
        {
            parts[layer].Others.CopyTo(others, edges[layers[layer]]);
            parts[layer].Conductances.CopyTo(conductances, edges[layers[layer]]);
            parts[layer] = default;
        }
        return (new(cells, layers, [.. places.SelectMany(place => place)], edges, others, conductances, walk), owner);
    }

    private static int Half(int cells, int factor) => (cells + factor - 1) / factor;

    private static int End(Network fine, int layer, Size3 factors) => Math.Min(fine.Cells.Z, layer + factors.Z);

    // numbers what hangs together in each block of one coarse layer, by its first node; returns the blocks' places
    private static int[] Number(Network fine, Size3 factors, Size3 cells, int layer, int[] owner)
    {
        var (from, to, end) = (fine.First(layer), fine.First(End(fine, layer, factors)), End(fine, layer, factors));
        var places = new int[to - from];
        for (var l = layer; l < end; l++) fine.Places(l, factors, cells.X, places.AsSpan(fine.First(l) - from));
        for (var node = from; node < to; node++) owner[node] = node;
        var union = new Union(owner, places, from);
        for (var l = layer; l < end; l++) fine.Visit<float, Union>(l, ref union);
        var found = new List<int>();
        for (var node = from; node < to; node++)
        {
            // a parent comes before its children and has its number already
            if (owner[node] != node)
            {
                owner[node] = owner[owner[node]];
                continue;
            }
            owner[node] = ~found.Count;
            found.Add(places[node - from]);
        }
        for (var node = from; node < to; node++) owner[node] = ~owner[node];
        return [.. found];
    }

    private static (int[] Ends, int[] Others, float[] Conductances) Edges(Network fine, int layer, int end, int[] owner, int[] layers, int coarse)
    {
        var crossing = new Crossing(owner, []);
        for (var l = layer; l < end; l++) fine.Visit<float, Crossing>(l, ref crossing);
        var all = CollectionsMarshal.AsSpan(crossing.Found);
        var (from, nodes) = (layers[coarse], layers[coarse + 1] - layers[coarse]);
        var starts = new int[nodes + 1];
        foreach (var edge in all) starts[edge.Node - from + 1]++;
        for (var node = 0; node < nodes; node++) starts[node + 1] += starts[node];
        var (sorted, fill) = (new (int Other, float Conductance)[all.Length], starts.AsSpan().ToArray());
        foreach (var edge in all) sorted[fill[edge.Node - from]++] = (edge.Other, edge.Conductance);
        // edges between the same two nodes become one; the list shrinks in place
        var (ends, count) = (new int[nodes], 0);
        for (var node = 0; node < nodes; node++)
        {
            var first = count;
            for (var i = starts[node]; i < starts[node + 1]; i++)
            {
                var (at, edge) = (first, sorted[i]);
                while (at < count && sorted[at].Other != edge.Other) at++;
                if (at == count) sorted[count++] = edge;
                else sorted[at].Conductance += edge.Conductance;
            }
            ends[node] = count;
        }
        return (ends, Array.ConvertAll(sorted[..count], edge => edge.Other), Array.ConvertAll(sorted[..count], edge => edge.Conductance));
    }

    private readonly struct Union(int[] parents, int[] places, int from) : INodeWork<float>
    {
        public float Edge(int node, int other, float conductance)
        {
            // earlier nodes of the same block: later ones find this one themselves
            if (other >= node || other < from || places[node - from] != places[other - from]) return 0;
            var (a, b) = (Root(node), Root(other));
            parents[Math.Max(a, b)] = Math.Min(a, b);
            return 0;
        }

        public void Node(int node, int row, int column, float sum) { }

        private int Root(int node)
        {
            while (parents[node] != node) node = parents[node] = parents[parents[node]];
            return node;
        }
    }

    private readonly struct Crossing(int[] owner, List<(int Node, int Other, float Conductance)> found) : INodeWork<float>
    {
        public List<(int Node, int Other, float Conductance)> Found => found;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public float Edge(int node, int other, float conductance)
        {
            if (owner[node] != owner[other]) found.Add((owner[node], owner[other], conductance));
            return 0;
        }

        public void Node(int node, int row, int column, float sum) { }
    }
}
