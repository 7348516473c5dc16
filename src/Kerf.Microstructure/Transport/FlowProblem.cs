using System.Runtime.CompilerServices;
using Kerf.Volumes;

namespace Kerf.Microstructure;

/// <summary>What a solution dissipates.</summary>
/// <param name="Total">All of it, so scaled that a volume filled with diffusivity 1 dissipates 1 per voxel.</param>
/// <param name="Error">By which share of it the exact one may be lower.</param>
/// <param name="Tiles">The part of each tile.</param>
/// <param name="Passing">Current along the flow through the voxels of each tile; they add up to <paramref name="Total"/> too.</param>
internal sealed record Dissipation(double Total, double Error, double[] Tiles, double[] Passing);

/// <summary>The voxels that conduct from one end of the volume to the other along an axis, and Laplace's equation on them.</summary>
internal sealed class FlowProblem
{
    private readonly ConductingVoxels _voxels;
    private readonly int _axis;
    private readonly Traversal _walk;
    private readonly double[] _diffusivities;
    private readonly byte[] _kinds = [];
    private readonly Network? _network;
    private readonly Multigrid? _inverse;
    private readonly double[] _potentials = [];
    private float _joined;

    /// <summary>Finds what percolates along the axis, and builds the networks.</summary>
    /// <param name="labels">A segmentation.</param>
    /// <param name="diffusivities">Of each label; 0 does not conduct.</param>
    /// <param name="axis">0 is z.</param>
    /// <param name="periodic">The sides continue on the other side.</param>
    /// <param name="walk">Threads, progress.</param>
    /// <param name="enough">Refuses more connected voxels than memory holds.</param>
    public FlowProblem(IVolume<byte> labels, double[] diffusivities, int axis, bool periodic, Traversal walk, Action<int> enough)
    {
        (_walk, _axis) = (walk, axis);
        var quiet = walk with { Progress = null };
        _voxels = ConductingVoxels.Of(labels, Array.ConvertAll(diffusivities, diffusivity => diffusivity > 0), axis, periodic, quiet);
        _voxels.KeepPercolating(quiet);
        enough(Count);
        _diffusivities = [.. diffusivities.Where(diffusivity => diffusivity > 0).Distinct()];
        if (Count == 0) return;
        var edges = Lengths.Voxel(labels.Info);
        var (z, y, x) = axis switch { 0 => (edges.Z, edges.Y, edges.X), 1 => (edges.Y, edges.Z, edges.X), _ => (edges.X, edges.Z, edges.Y) };
        // conductances as multiples of that along the flow: only their ratios count
        var along = (1f, (float)(z * z / (y * y)), (float)(z * z / (x * x)));
        if (_diffusivities.Length > 1)
        {
            _kinds = _voxels.Labelled(labels, Array.ConvertAll(diffusivities, d => (byte)Math.Max(0, Array.IndexOf(_diffusivities, d))), axis, quiet);
            float[] means = [.. _diffusivities.SelectMany(a => _diffusivities.Select(b => (float)(2 * a * b / (a + b))))];
            _network = new VoxelNetwork<SeveralPhases>(_voxels, along, new(_kinds, means, _diffusivities.Length)).Ready(quiet);
        }
        else
        {
            _network = new VoxelNetwork<OnePhase>(_voxels, along, default).Ready(quiet);
        }
        _inverse = new(_network, (z, y, x), quiet);
        _potentials = new double[Count];
        for (var layer = 0; layer < _voxels.Size.Z; layer++)
            _potentials.AsSpan(_network.First(layer).._network.First(layer + 1)).Fill(1 - (layer + 0.5) / _voxels.Size.Z);
    }

    /// <summary>Voxels that conduct from end to end.</summary>
    public int Count => _voxels.Count;

    /// <summary>The diffusivities of these voxels, added up tile by tile.</summary>
    public double[] Content(TileGrid grid) => Tiles(grid, (tiles, layer) =>
    {
        var work = new Contents(tiles, this);
        _network!.Visit<double, Contents>(layer, ref work);
    });

    /// <summary>
    /// Solves with the end voxels joined to the ends by <paramref name="ends"/> times the conductance between two voxels: 2 is the distance from
    /// centre to face, much more holds the centres themselves. A second call starts from the solution of the first.
    /// </summary>
    /// <param name="ends">Conductance to the ends.</param>
    /// <param name="layers">Distance of the ends in voxels.</param>
    /// <param name="grid">Where the dissipation is added up.</param>
    /// <param name="tolerance">See <see cref="Currents.Solve"/>.</param>
    /// <param name="from">Progress before.</param>
    /// <param name="to">Progress after.</param>
    public Dissipation Solve(float ends, int layers, TileGrid grid, double tolerance, double from, double to)
    {
        var (network, last) = (_network!, _network!.First(_voxels.Size.Z - 1));
        int[] nodes = [.. Enumerable.Range(0, network.First(1)), .. Enumerable.Range(last, Count - last)];
        _inverse!.Join(nodes, Array.ConvertAll(nodes, node => (ends - _joined) * Diffusivity(node)));
        _joined = ends;
        var joints = Array.ConvertAll(nodes, node => ends * Diffusivity(node));
        var (inlet, outlet) = (joints[..network.First(1)], joints[network.First(1)..]);
        var solved = Currents.Solve(network, _inverse, new(inlet, outlet), _potentials, tolerance, _walk.Part(from, to));
        var tiles = Tiles(grid, (tiles, layer) =>
        {
            var work = new Losses(tiles, _potentials, layer == 0 ? inlet : null, layer == _voxels.Size.Z - 1 ? outlet : null, last);
            network.Visit<double, Losses>(layer, ref work);
        });
        var passing = Tiles(grid, (tiles, layer) =>
        {
            var work = new Passing(tiles, _potentials, network.First(layer), network.First(layer + 1),
                layer == 0 ? inlet : null, layer == _voxels.Size.Z - 1 ? outlet : null, last);
            network.Visit<double, Passing>(layer, ref work);
        });
        var scale = (double)layers * _voxels.Size.Z;
        return new(solved.Flow * scale, solved.FlowError / solved.Flow, Array.ConvertAll(tiles, tile => tile * scale), Array.ConvertAll(passing, tile => tile * layers));
    }

    private float Diffusivity(int voxel) => _kinds.Length > 0 ? (float)_diffusivities[_kinds[voxel]] : (float)_diffusivities[0];

    // layer by layer into tiles, then the layers in their order
    private double[] Tiles(TileGrid grid, Action<LayerTiles, int> fill)
    {
        var layers = new LayerTiles[_voxels.Size.Z];
        _network!.ForEachLayer(_walk with { Progress = null }, layer => fill(layers[layer] = new(grid, _axis, _voxels.Size, layer), layer));
        var all = new double[grid.Count];
        foreach (var layer in layers) layer.AddTo(all);
        return all;
    }

    // the tiles that one layer passes through
    private sealed class LayerTiles
    {
        private readonly int _first;
        private readonly int[] _rows;
        private readonly int[] _columns;
        private readonly double[] _sums;

        public LayerTiles(TileGrid grid, int axis, Size3 turned, int layer)
        {
            var strides = (int[])[grid.Tiles.Y * grid.Tiles.X, grid.Tiles.X, 1];
            var (rows, columns) = axis switch { 0 => (1, 2), 1 => (0, 2), _ => (0, 1) };
            _first = grid.Along(axis, layer) * strides[axis];
            _rows = [.. Enumerable.Range(0, turned.Y).Select(row => grid.Along(rows, row) * strides[rows])];
            _columns = [.. Enumerable.Range(0, turned.X).Select(column => grid.Along(columns, column) * strides[columns])];
            _sums = new double[_rows[^1] + _columns[^1] + 1];
        }

        public void Add(int row, int column, double value) => _sums[_rows[row] + _columns[column]] += value;

        public void AddTo(double[] all)
        {
            for (var i = 0; i < _sums.Length; i++)
                if (_sums[i] != 0) all[_first + i] += _sums[i];
        }
    }

    private readonly struct Contents(LayerTiles tiles, FlowProblem problem) : INodeWork<double>
    {
        public double Edge(int node, int other, float conductance) => 0;

        public void Node(int node, int row, int column, double sum) => tiles.Add(row, column, problem.Diffusivity(node));
    }

    // mean of what comes from the layer before and what goes to the next
    private readonly struct Passing(LayerTiles tiles, double[] potentials, int first, int end, float[]? inlet, float[]? outlet, int last) : INodeWork<double>
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public double Edge(int node, int other, float conductance) =>
            other < first ? conductance * (potentials[other] - potentials[node]) : other >= end ? conductance * (potentials[node] - potentials[other]) : 0;

        public void Node(int node, int row, int column, double sum)
        {
            if (inlet is not null) sum += inlet[node] * (1 - potentials[node]);
            if (outlet is not null) sum += outlet[node - last] * potentials[node];
            tiles.Add(row, column, sum / 2);
        }
    }

    // half of what an edge dissipates belongs to each end
    private readonly struct Losses(LayerTiles tiles, double[] potentials, float[]? inlet, float[]? outlet, int last) : INodeWork<double>
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public double Edge(int node, int other, float conductance) =>
            conductance * (potentials[node] - potentials[other]) * (potentials[node] - potentials[other]);

        public void Node(int node, int row, int column, double sum)
        {
            var loss = sum / 2;
            if (inlet is not null) loss += inlet[node] * (1 - potentials[node]) * (1 - potentials[node]);
            if (outlet is not null) loss += outlet[node - last] * potentials[node] * potentials[node];
            tiles.Add(row, column, loss);
        }
    }
}
