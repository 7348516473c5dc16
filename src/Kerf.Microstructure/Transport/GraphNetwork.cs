using Kerf.Volumes;

namespace Kerf.Microstructure;

/// <summary>A network with its edges in lists: what is left of the voxels when blocks of them are joined.</summary>
internal sealed class GraphNetwork : Network
{
    private readonly int[] _layers;
    private readonly int[] _places;
    private readonly int[] _edges;
    private readonly int[] _others;
    private readonly float[] _conductances;

    public GraphNetwork(Size3 cells, int[] layers, int[] places, int[] edges, int[] others, float[] conductances, Traversal walk)
    {
        (Cells, _layers, _places, _edges, _others, _conductances) = (cells, layers, places, edges, others, conductances);
        AddUpEdges(walk);
    }

    public override int Count => _layers[^1];

    public override Size3 Cells { get; }

    /// <summary>Edges, counted from both ends.</summary>
    public int EdgeCount => _others.Length;

    public override int First(int layer) => _layers[layer];

    public override void Places(int layer, Size3 factors, int width, Span<int> places)
    {
        for (var node = _layers[layer]; node < _layers[layer + 1]; node++)
            places[node - _layers[layer]] = _places[node] / Cells.X / factors.Y * width + _places[node] % Cells.X / factors.X;
    }

    public override void Visit<T, TWork>(int layer, ref TWork work)
    {
        for (var node = _layers[layer]; node < _layers[layer + 1]; node++)
        {
            var sum = T.Zero;
            for (var edge = _edges[node]; edge < _edges[node + 1]; edge++) sum += work.Edge(node, _others[edge], _conductances[edge]);
            work.Node(node, 0, 0, sum);
        }
    }
}
