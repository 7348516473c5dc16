using System.Buffers;
using System.Diagnostics;
using Kerf.Volumes;

namespace Kerf.Networks;

/// <summary>What a prediction writes besides labels; each is filled when given.</summary>
public sealed record NetworkMaps
{
    /// <summary>The probability of each phase, in the model's order.</summary>
    public IReadOnlyList<IWritableVolume<float>>? Probabilities { get; init; }

    /// <summary>1 − (p₁ − p₂), with the two highest probabilities.</summary>
    public IWritableVolume<float>? Uncertainty { get; init; }

    /// <summary>Activations of <see cref="TileOptions.Layer"/>, one volume per channel.</summary>
    public IReadOnlyList<IWritableVolume<float>>? Activations { get; init; }
}

/// <summary>How a volume is cut into tiles, and what is asked of each.</summary>
public sealed record TileOptions
{
    /// <summary>Edge of a tile; 0 for 512 in 2-D, 64 in 3-D. Rounded up to what the network halves.</summary>
    public int Tile { get; init; }

    /// <summary>Voxels that neighbouring tiles share; 0 for an eighth of a tile in 2-D, a quarter in 3-D.</summary>
    public int Overlap { get; init; }

    /// <summary>Tiles that are computed at once; 0 chooses. Never changes a phase.</summary>
    public int Batch { get; init; }

    /// <summary>Averages the four mirror images of each tile in the slice.</summary>
    public bool Flips { get; init; }

    /// <summary>Width of numbers.</summary>
    public Precision Precision { get; init; }

    /// <summary>The layer whose activations are wanted.</summary>
    public string? Layer { get; init; }
}

/// <summary>
/// Classifies every voxel with a trained network, out of core: tiles overlap, their probabilities are averaged with weights that fall towards the rim, and a slice
/// is written when the last tile that reaches it is done. Border: mirror. Batch normalisation is folded into the convolutions.
/// </summary>
public sealed class NetworkPrediction : IDisposable
{
    private readonly NetworkModel _model;
    private readonly TileOptions _options;
    private readonly LoadedNetwork _network;
    private readonly int _slices, _layer;
    private readonly bool _is3D;

    /// <summary>Loads a model onto the device; after <see cref="Torch.Start"/>, on the same thread.</summary>
    /// <exception cref="InputError">The model has no layer of that name.</exception>
    public NetworkPrediction(NetworkModel model, TileOptions options)
    {
        (_model, _options) = (model, options);
        var (network, values) = Folding.Fold(model.Architecture.Build(), model.Values);
        var fused = Prepared(model.Architecture.Build(), model.Values);
        // an activation inside a fused layer is looked at in the network as it was
        if (options.Layer is null || fused.Network.Layers.Any(l => l.Name == options.Layer)) (network, values) = fused;
        _layer = options.Layer is { } name ? network.Layers.ToList().FindIndex(l => l.Name == name) : -1;
        if (options.Layer is not null && _layer <= 0)
            throw new InputError($"--layer is \"{options.Layer}\"; this network has {string.Join(", ", network.Layers.Where(l => l.Kind is LayerKind.Relu or LayerKind.Prelu).Select(l => l.Name))}.");
        _network = new(network, values, learn: false, options.Precision);
        _is3D = model.Architecture.Is3D;
        _slices = _is3D ? 1 : model.Architecture.Slices;
    }

    /// <summary>What runs: batch normalisation folded, layers fused.</summary>
    internal static (Network Network, float[][] Values) Prepared(Network network, IReadOnlyList<float[]> values)
    {
        var (folded, numbers) = Folding.Fold(network, values);
        return Fusing.Fuse(folded, numbers);
    }

    /// <summary>Channels of the wanted layer; 0 for none.</summary>
    public int LayerChannels => _layer < 0 ? 0 : _network.Network.Layers[_layer].Channels;

    /// <summary>Writes the label of the most probable phase (the first of equals) of each voxel, and the maps asked for.</summary>
    /// <param name="channels">The channels it was trained on, in that order.</param>
    /// <param name="labels">Slices that are durable already in all targets are skipped.</param>
    /// <param name="maps">Further targets.</param>
    /// <param name="walk">Threads, budget, progress.</param>
    /// <returns>Voxels classified per second; 0 when there was nothing left to do.</returns>
    public double Run(IReadOnlyList<IVolume> channels, IWritableVolume<byte> labels, NetworkMaps maps, Traversal walk)
    {
        try
        {
            return Predict(channels, labels, maps, walk);
        }
        catch (OutOfMemoryException exception)
        {
            throw new InputError("out of memory in prediction. Choose a smaller --tile or --batch, or raise --memory.", exception);
        }
    }

    private double Predict(IReadOnlyList<IVolume> channels, IWritableVolume<byte> labels, NetworkMaps maps, Traversal walk)
    {
        var clock = Stopwatch.StartNew();
        IVolume<float>[] scaled = [.. channels.Select(c => _model.Scaling.Of(c, walk with { Progress = null }))];
        var size = labels.Info.Size;
        var grid = Grid(size);
        var done = 0L;
        var bands = Bands(size, grid, walk);
        for (var b = 0; b < bands.Length; b++)
        {
            var band = new Band(this, grid, bands[b], size, labels, maps);
            done += band.Run(scaled, walk.Part((double)b / bands.Length, (b + 1.0) / bands.Length));
        }
        return done / clock.Elapsed.TotalSeconds;
    }

    private TileGrid Grid(Size3 size)
    {
        var tile = _options.Tile > 0 ? _options.Tile : _is3D ? 64 : 512;
        return new(size, _network.Network, tile, _options.Overlap > 0 ? _options.Overlap : tile / (_is3D ? 4 : 8));
    }

    // bands of rows whose sums fit a third of the budget; a tile that reaches into two is computed for both
    private (int From, int To)[] Bands(Size3 size, TileGrid grid, Traversal walk)
    {
        var row = (long)grid.Z.Tile * size.X * sizeof(float) * (1 + _model.Phases.Count + LayerChannels);
        var rows = (int)Math.Min(size.Y, walk.MemoryBytes / 3 / row);
        if (rows < 1) throw new InputError($"memory budget of {walk.MemoryBytes >> 20} MiB is too small for tiles of {grid.Tile} in rows of {size.X}. Raise --memory or lower --tile.");
        var count = (size.Y + rows - 1) / rows;
        return [.. Enumerable.Range(0, count).Select(i => ((int)((long)size.Y * i / count), (int)((long)size.Y * (i + 1) / count)))];
    }

    /// <inheritdoc/>
    public void Dispose() => _network.Dispose();

    // sums over tiles for some rows of the volume, as many slices as a tile is deep
    private sealed class Band(NetworkPrediction owner, TileGrid grid, (int From, int To) rows, Size3 size, IWritableVolume<byte> labels, NetworkMaps maps)
    {
        private readonly int _planes = owner._model.Phases.Count + owner.LayerChannels;
        private readonly int _slice = (rows.To - rows.From) * size.X;
        private readonly float[][] _sums = [.. Enumerable.Range(0, grid.Z.Tile).Select(_ => new float[(1 + owner._model.Phases.Count + owner.LayerChannels) * (rows.To - rows.From) * size.X])];

        public long Run(IVolume<float>[] channels, Traversal walk)
        {
            var layers = grid.Z.Starts.Length;
            var first = 0;
            while (first < layers && IsWritten(grid.Z.Starts[first], grid.Complete(first, size.Z))) first++;
            if (first == layers) return 0;
            var from = grid.Z.Starts[first];
            // earlier layers that reach into the first missing slice count again
            var start = Array.FindIndex(grid.Z.Starts, z => z + grid.Z.Tile > from);
            Size3[] tiles = [.. from y in grid.Y.Starts where y < rows.To && y + grid.Y.Tile > rows.From from x in grid.X.Starts select new Size3(0, y, x)];
            var batch = owner._options.Batch > 0 ? owner._options.Batch : (int)Math.Clamp((1L << 18) / grid.Tile.Count, 1, 16);
            for (var layer = start; layer < layers; layer++)
            {
                var z = grid.Z.Starts[layer];
                for (var t = 0; t < tiles.Length; t += batch)
                {
                    walk.Cancellation.ThrowIfCancellationRequested();
                    Compute(channels, [.. tiles.Skip(t).Take(batch).Select(tile => tile with { Z = z })], walk);
                    walk.Progress?.Report((layer - start + (t + batch < tiles.Length ? (double)(t + batch) / tiles.Length : 1)) / (layers - start));
                }
                for (; z < grid.Complete(layer, size.Z); z++) Finish(z, layer >= first);
            }
            return (long)(size.Z - from) * _slice;
        }

        private bool IsWritten(int from, int to)
        {
            var box = new Box(new(from, rows.From, 0), new(to - from, rows.To - rows.From, size.X));
            return labels.IsWritten(box) && maps.Uncertainty?.IsWritten(box) != false && maps.Probabilities?.All(p => p.IsWritten(box)) != false && maps.Activations?.All(p => p.IsWritten(box)) != false;
        }

        private void Compute(IVolume<float>[] channels, Size3[] tiles, Traversal walk)
        {
            using var scope = new TensorScope();
            var halo = owner._slices / 2;
            var wide = grid.Tile + new Size3(2 * halo, 0, 0);
            var one = channels.Length * (int)wide.Count;
            var image = ArrayPool<float>.Shared.Rent(tiles.Length * one);
            (walk with { Progress = null }).ForEach(tiles.Length * channels.Length, i => Borders.Read(channels[i % channels.Length],
                new(tiles[i / channels.Length] - new Size3(halo, 0, 0), wide), Border.Mirror, image.AsSpan(i * (int)wide.Count, (int)wide.Count)));
            long[] shape = owner._is3D ? [tiles.Length, channels.Length, wide.Z, wide.Y, wide.X] : [tiles.Length, channels.Length * wide.Z, wide.Y, wide.X];
            var input = Tensor.Of(image.AsSpan(0, tiles.Length * one), shape, owner._network.Layout, owner._options.Precision);
            ArrayPool<float>.Shared.Return(image);
            var y = shape.Length - 2;
            long[][] flips = owner._options.Flips ? [[], [y], [y + 1], [y, y + 1]] : [[]];
            foreach (var flip in flips)
            {
                using var inner = new TensorScope();
                var (logits, also) = owner._network.Forward(flip.Length == 0 ? input : Learning.Flip(input, flip), train: false, owner._layer);
                var probabilities = Learning.Softmax(Learning.Cast32(logits));
                Add(tiles, (flip.Length == 0 ? probabilities : Learning.Flip(probabilities, flip)).Read(), 0, grid.Tile);
                if (also is null) continue;
                var extent = also.Shape;
                Add(tiles, (flip.Length == 0 ? also : Learning.Flip(also, flip)).Read(), owner._model.Phases.Count,
                    new(owner._is3D ? (int)extent[^3] : 1, (int)extent[^2], (int)extent[^1]));
            }
        }

        // adds weighted values; coarser ones are doubled by taking each for all the voxels it stands for
        private void Add(Size3[] tiles, float[] values, int firstPlane, Size3 extent)
        {
            var planes = (int)(values.Length / tiles.Length / extent.Count);
            var (dz, dy, dx) = (grid.Z.Tile / extent.Z, grid.Y.Tile / extent.Y, grid.X.Tile / extent.X);
            for (var n = 0; n < tiles.Length; n++)
            {
                var tile = tiles[n];
                var (y0, y1, x1) = (Math.Max(tile.Y, rows.From), Math.Min(tile.Y + grid.Y.Tile, rows.To), Math.Min(tile.X + grid.X.Tile, size.X));
                for (var z = 0; z < grid.Z.Tile && tile.Z + z < size.Z; z++)
                {
                    var sums = _sums[(tile.Z + z) % grid.Z.Tile];
                    for (var y = y0; y < y1; y++)
                    {
                        var weight = grid.Z.Weights[z] * grid.Y.Weights[y - tile.Y];
                        var row = (y - rows.From) * size.X;
                        for (var p = firstPlane == 0 ? -1 : 0; p < planes; p++)
                        {
                            var to = sums.AsSpan((1 + p + (p < 0 ? 0 : firstPlane)) * _slice + row, size.X)[tile.X..x1];
                            if (p < 0)
                            {
                                for (var x = 0; x < to.Length; x++) to[x] += weight * grid.X.Weights[x];
                                continue;
                            }
                            var from = values.AsSpan((int)((((long)n * planes + p) * extent.Z + z / dz) * extent.Y + (y - tile.Y) / dy) * extent.X, extent.X);
                            if (dx == 1) for (var x = 0; x < to.Length; x++) to[x] += weight * grid.X.Weights[x] * from[x];
                            else for (var x = 0; x < to.Length; x++) to[x] += weight * grid.X.Weights[x] * from[x / dx];
                        }
                    }
                }
            }
        }

        private void Finish(int z, bool write)
        {
            var sums = _sums[z % grid.Z.Tile];
            if (write)
            {
                var box = new Box(new(z, rows.From, 0), new(1, rows.To - rows.From, size.X));
                for (var p = 1; p <= _planes; p++) for (var v = 0; v < _slice; v++) sums[p * _slice + v] /= sums[v];
                var classes = owner._model.Phases.Count;
                for (var c = 0; c < maps.Probabilities?.Count; c++) maps.Probabilities[c].Write(box, sums.AsSpan((1 + c) * _slice, _slice));
                for (var c = 0; c < maps.Activations?.Count; c++) maps.Activations[c].Write(box, sums.AsSpan((1 + classes + c) * _slice, _slice));
                var (label, doubt) = (new byte[_slice], maps.Uncertainty is null ? [] : new float[_slice]);
                for (var v = 0; v < _slice; v++)
                {
                    var (best, top, second) = (0, sums[_slice + v], 0f);
                    for (var c = 1; c < classes; c++)
                    {
                        var p = sums[(1 + c) * _slice + v];
                        if (p > top) (best, second, top) = (c, top, p);
                        else if (p > second) second = p;
                    }
                    label[v] = (byte)owner._model.Phases[best].Label;
                    if (doubt.Length > 0) doubt[v] = 1 - (top - second);
                }
                maps.Uncertainty?.Write(box, doubt);
                // labels last: once they are there, the slice is done
                labels.Write(box, label);
            }
            Array.Clear(sums);
        }
    }
}
