using System.Runtime.CompilerServices;
using Kerf.Volumes;

namespace Kerf.Microstructure;

/// <summary>What is done with a network's nodes: a sum over the edges of each, then something with the sum.</summary>
/// <typeparam name="T">double or float.</typeparam>
internal interface INodeWork<T> where T : struct
{
    /// <summary>The share of one edge in the sum of <paramref name="node"/>.</summary>
    T Edge(int node, int other, float conductance);

    /// <summary>Called once per node, in ascending order within a layer, with its place where the network is one of voxels.</summary>
    void Node(int node, int row, int column, T sum);
}

/// <summary>
/// A resistor network: nodes in layers along the flow, edges between nodes of the same and of neighbouring layers, and some nodes joined to the
/// inlet or the outlet. With A = diagonal − conductances, A x = b is the balance of currents.
/// </summary>
internal abstract class Network
{
    /// <summary>Nodes.</summary>
    public abstract int Count { get; }

    /// <summary>Cells (voxels, or blocks of them) along (z, y, x); nodes lie in cells, layers are cells of one z.</summary>
    public abstract Size3 Cells { get; }

    /// <summary>Per node, all its conductances: to other nodes and to inlet and outlet.</summary>
    public float[] Diagonal { get; protected set; } = [];

    /// <summary>The number of the first node of a layer; for the number of layers: all nodes.</summary>
    public abstract int First(int layer);

    /// <summary>Per node of a layer, the place (y·X + x) of its cell within its layer once cells are joined by the factors.</summary>
    public abstract void Places(int layer, Size3 factors, int width, Span<int> places);

    /// <summary>Calls the work for all nodes of a layer.</summary>
    public abstract void Visit<T, TWork>(int layer, ref TWork work) where T : struct, System.Numerics.INumber<T> where TWork : struct, INodeWork<T>;

    /// <summary>Joins nodes to the inlet or the outlet by more conductance (or less).</summary>
    public void Join(ReadOnlySpan<int> nodes, ReadOnlySpan<float> conductances)
    {
        for (var i = 0; i < nodes.Length; i++) Diagonal[nodes[i]] += conductances[i];
    }

    /// <summary>
    /// Calls the body with each layer, or with the first of <paramref name="together"/> layers; small networks stay on this thread.
    /// </summary>
    public void ForEachLayer(Traversal walk, Action<int> body, int together = 1)
    {
        var runs = (Cells.Z + together - 1) / together;
        walk.ForEach(runs, run => body(run * together), Count < 50_000 ? 1 : null);
    }

    /// <summary>The conductances between nodes, added up into <see cref="Diagonal"/>.</summary>
    protected void AddUpEdges(Traversal walk)
    {
        Diagonal = new float[Count];
        ForEachLayer(walk, layer =>
        {
            var work = new Degree(Diagonal);
            Visit<float, Degree>(layer, ref work);
        });
    }

    private readonly struct Degree(float[] diagonal) : INodeWork<float>
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public float Edge(int node, int other, float conductance) => conductance;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Node(int node, int row, int column, float sum) => diagonal[node] = sum;
    }
}
