using System.Numerics.Tensors;
using Kerf.Volumes;

namespace Kerf.Networks;

/// <summary>
/// The activations of a network's first encoder blocks, each brought to full resolution by taking a value for all the voxels it stands for: features for another
/// classifier. They are computed here and not by libtorch, so that a value depends neither on the block that it is computed in nor on the threads: batch normalisation folded,
/// convolutions in float, summed input by input and tap by tap. Border: mirror.
/// </summary>
public sealed class FirstBlocks : IPixelFeatures
{
    private readonly NetworkModel _model;
    private readonly Network _network;
    private readonly float[][] _values;
    private readonly int[] _sources, _picks, _levels;
    private readonly bool[] _needed;
    private readonly int _slices, _multiple, _radius;

    /// <summary>Takes blocks of a network.</summary>
    /// <param name="model">The network.</param>
    /// <param name="blocks">How many of its encoder, from the first.</param>
    /// <param name="channels">Names of the specimen's channels; the first one is the network's first, whatever its name.</param>
    /// <exception cref="InputError">The network lacks encoder blocks, or needs a channel that there is not.</exception>
    public FirstBlocks(NetworkModel model, int blocks, IReadOnlyList<string> channels)
    {
        _model = model;
        (_network, _values) = Folding.Fold(model.Architecture.Build(), model.Values);
        _sources = [.. model.Channels.Select((name, c) => c == 0 ? 0 : Enumerable.Range(1, channels.Count - 1).FirstOrDefault(i => channels[i] == name, -1))];
        if (Array.IndexOf(_sources, -1) is >= 0 and var missing)
            throw new InputError($"channel {model.Channels[missing]}: is missing; the network was trained on {string.Join(", ", model.Channels)}. Add --channel {model.Channels[missing]}=PATH.");
        _slices = model.Architecture.Is3D ? 1 : model.Architecture.Slices;
        var layers = _network.Layers;
        _levels = new int[layers.Count];
        var (radii, picks) = (new int[layers.Count], new List<int>());
        for (var i = 1; i < layers.Count; i++)
        {
            var (kind, from) = (layers[i].Kind, layers[i].Inputs);
            (_levels[i], radii[i]) = (_levels[from[0]], from.Max(k => radii[k]));
            if (Halves(layers[i]))
            {
                if (_levels[i]++ < blocks && !picks.Contains(from[0])) picks.Add(from[0]);
            }
            else if (kind == LayerKind.Conv) radii[i] += (int)layers[i].Arguments[1] << _levels[i];
            // what comes after the first doubling is no encoder
            else if (kind is LayerKind.Upsample or LayerKind.Softmax) _levels[i] = int.MaxValue / 2;
        }
        _picks = [.. picks];
        if (_picks.Length == 0) throw new InputError("--network: this network has no encoder whose first blocks could be taken. Give one that kerf train network wrote.");
        _multiple = 1 << _picks.Max(p => _levels[p]);
        _radius = _picks.Max(p => radii[p] + (1 << _levels[p]) - 1);
        _needed = new bool[layers.Count];
        foreach (var pick in _picks) Need(pick);
        Names = [.. _picks.SelectMany(p => Enumerable.Range(0, layers[p].Channels).Select(c => FormattableString.Invariant($"network {layers[p].Name} [{c}]")))];
    }

    /// <inheritdoc/>
    public IReadOnlyList<string> Names { get; }

    /// <summary>Features depend on neighbouring slices.</summary>
    public bool LooksAlongZ => Halo.Z > 0;

    private Size3 Halo => new(_network.Dimensions == 3 ? _radius : _slices / 2, _radius, _radius);

    private static bool Halves(Layer layer) => layer.Kind == LayerKind.MaxPool || (layer.Kind == LayerKind.Conv && layer.Arguments[0] == 2);

    private void Need(int layer)
    {
        if (_needed[layer]) return;
        _needed[layer] = true;
        foreach (var input in _network.Layers[layer].Inputs) Need(input);
    }

    /// <inheritdoc/>
    public long Bytes(Size3 inner)
    {
        var outer = inner + Halo * 2;
        var one = outer + Size3.Cube(2 * _multiple);
        if (_network.Dimensions == 2) one = one with { Z = 1 };
        var activations = Enumerable.Range(0, _needed.Length).Where(i => _needed[i]).Sum(i => _network.Layers[i].Channels * Plane.Values(one, _levels[i], _network.Dimensions));
        return sizeof(float) * (activations + _sources.Length * outer.Count + Names.Count * inner.SliceCount);
    }

    /// <inheritdoc/>
    public Func<IBlockFeatures> On(IReadOnlyList<IVolume> channels, Traversal walk)
    {
        IVolume<float>[] scaled = [.. _sources.Select(c => _model.Scaling.Of(channels[c], walk))];
        return () => new Block(this, scaled);
    }

    // where the values of a layer lie: channels `Stride` apart, after room that a kernel may read before the first of them
    private readonly record struct Plane(Size3 Size, int Stride, int Room)
    {
        public static Plane Of(Size3 full, int level, int dimensions)
        {
            var size = new Size3(dimensions == 3 ? full.Z >> level : 1, full.Y >> level, full.X >> level);
            // taps reach 2 at most; whole vectors are written
            var room = 2 * (dimensions == 3 ? size.Y * size.X : 0) + 2 * size.X + 2 + Convolution.Chunk;
            return new(size, (int)(size.Count + Convolution.Chunk - 1) / Convolution.Chunk * Convolution.Chunk, room);
        }

        public static long Values(Size3 full, int level, int dimensions) => Of(full, level, dimensions) is var plane ? plane.Stride + plane.Room * 2L : 0;
    }

    private sealed class Block : IBlockFeatures
    {
        private readonly FirstBlocks _owner;
        private readonly IVolume<float>[] _channels;
        private readonly Convolution?[] _convolutions;
        private readonly float[][] _layers;
        private readonly Plane[] _planes;
        private float[] _voxels = [], _features = [];
        private Box _inner, _outer;
        private Size3 _lead;

        public Block(FirstBlocks owner, IVolume<float>[] channels)
        {
            (_owner, _channels) = (owner, channels);
            var layers = owner._network.Layers;
            (_layers, _planes) = ([.. layers.Select(_ => Array.Empty<float>())], new Plane[layers.Count]);
            _convolutions = [.. layers.Select((layer, i) => owner._needed[i] && layer.Kind == LayerKind.Conv && !Halves(layer)
                ? new Convolution(owner._values[layer.Slots[0]], layer.Slots.Length > 1 ? owner._values[layer.Slots[1]] : null, owner._network.Slots[layer.Slots[0]].Shape) : null)];
        }

        public int Stride => _inner.Size.X;

        public void Load(Box inner)
        {
            (_inner, _outer) = (inner, inner.Grow(_owner.Halo));
            var (count, m) = ((int)_outer.Count, _owner._multiple);
            Ensure(ref _voxels, count * _channels.Length);
            for (var c = 0; c < _channels.Length; c++) Borders.Read(_channels[c], _outer, Border.Mirror, _voxels.AsSpan(c * count, count));
            // pooled voxels lie on the volume's grid: what is put before the block up to its lines is read by nothing that counts
            static int Lead(int start, int m) => (start % m + m) % m;
            var deep = _owner._network.Dimensions == 3;
            _lead = new(deep ? Lead(_outer.Start.Z, m) : 0, Lead(_outer.Start.Y, m), Lead(_outer.Start.X, m));
            int Whole(int length) => (length + m - 1) / m * m;
            var full = new Size3(deep ? Whole(_lead.Z + _outer.Size.Z) : 1, Whole(_lead.Y + _outer.Size.Y), Whole(_lead.X + _outer.Size.X));
            for (var i = 0; i < _planes.Length; i++)
            {
                if (!_owner._needed[i]) continue;
                _planes[i] = Plane.Of(full, _owner._levels[i], _owner._network.Dimensions);
                Ensure(ref _layers[i], _planes[i].Stride * _owner._network.Layers[i].Channels + 2 * _planes[i].Room);
            }
            Ensure(ref _features, (int)(_owner.Names.Count * inner.Size.SliceCount));
            if (!deep) return;
            for (var z = 0; z < _outer.Size.Z; z++) for (var c = 0; c < _channels.Length; c++) Place(c, z, c, z + _lead.Z);
            Run();
        }

        public void Emit(int z)
        {
            if (_owner._network.Dimensions == 2)
            {
                for (var c = 0; c < _channels.Length; c++) for (var k = 0; k < _owner._slices; k++) Place(c, z + k, c * _owner._slices + k, 0);
                Run();
            }
            var (at, width) = (0, _inner.Size.X);
            foreach (var pick in _owner._picks)
            {
                var (plane, level) = (_planes[pick], _owner._levels[pick]);
                // of the first voxel of the inner box, at full resolution
                var first = _lead + _inner.Start - _outer.Start;
                var depth = _owner._network.Dimensions == 3 ? first.Z + z >> level : 0;
                for (var c = 0; c < _owner._network.Layers[pick].Channels; c++)
                {
                    for (var y = 0; y < _inner.Size.Y; y++, at += width)
                    {
                        var row = _layers[pick].AsSpan(plane.Room + c * plane.Stride + (depth * plane.Size.Y + (first.Y + y >> level)) * plane.Size.X, plane.Size.X);
                        for (var x = 0; x < width; x++) _features[at + x] = row[first.X + x >> level];
                    }
                }
            }
        }

        public ReadOnlySpan<float> Values(int feature) => _features.AsSpan((int)(feature * _inner.Size.SliceCount), (int)_inner.Size.SliceCount);

        // one slice of what was read into the image that the network sees
        private void Place(int channel, int slice, int to, int depth)
        {
            var plane = _planes[0];
            for (var y = 0; y < _outer.Size.Y; y++)
            {
                _voxels.AsSpan((int)(((long)channel * _outer.Size.Z + slice) * _outer.Size.SliceCount) + y * _outer.Size.X, _outer.Size.X)
                    .CopyTo(_layers[0].AsSpan(plane.Room + to * plane.Stride + (depth * plane.Size.Y + _lead.Y + y) * plane.Size.X + _lead.X));
            }
        }

        private void Run()
        {
            for (var i = 1; i < _layers.Length; i++)
            {
                if (!_owner._needed[i]) continue;
                var (layer, plane, target) = (_owner._network.Layers[i], _planes[i], _layers[i]);
                var (from, source) = (_planes[layer.Inputs[0]], _layers[layer.Inputs[0]]);
                var count = plane.Stride * layer.Channels;
                var to = target.AsSpan(plane.Room, count);
                var values = source.AsSpan(from.Room);
                switch (layer.Kind)
                {
                    case LayerKind.Conv when _convolutions[i] is { } convolution:
                        convolution.Run(source, from.Room, from.Stride, from.Size, target, plane.Room);
                        break;
                    case LayerKind.Conv:
                        Halve(values, from, _owner._network.Layers[layer.Inputs[0]].Channels, to, plane, layer);
                        break;
                    case LayerKind.MaxPool:
                        Pool(values, from, to, plane, layer.Channels);
                        break;
                    case LayerKind.Relu:
                        TensorPrimitives.Max(values[..count], 0f, to);
                        break;
                    case LayerKind.Prelu:
                        for (var k = 0; k < count; k++) to[k] = values[k] >= 0 ? values[k] : values[k] * _owner._values[layer.Slots[0]][k / plane.Stride];
                        break;
                    case LayerKind.Add:
                        var other = _layers[layer.Inputs[1]].AsSpan(plane.Room);
                        TensorPrimitives.Add(values[..count], other[..count], to);
                        break;
                    case LayerKind.Narrow:
                        values.Slice((int)layer.Arguments[0] * plane.Stride, count).CopyTo(to);
                        break;
                    default:
                        throw new NotSupportedException($"{layer.Kind} in an encoder");
                }
            }
        }

        private static void Pool(ReadOnlySpan<float> from, Plane wide, Span<float> to, Plane plane, int channels)
        {
            var deep = wide.Size.Z > plane.Size.Z ? 2 : 1;
            for (var c = 0; c < channels; c++)
                for (var z = 0; z < plane.Size.Z; z++)
                    for (var y = 0; y < plane.Size.Y; y++)
                        for (var x = 0; x < plane.Size.X; x++)
                        {
                            var top = float.NegativeInfinity;
                            for (var dz = 0; dz < deep; dz++)
                                for (var dy = 0; dy < 2; dy++)
                                {
                                    var at = c * wide.Stride + ((z * deep + dz) * wide.Size.Y + 2 * y + dy) * wide.Size.X + 2 * x;
                                    top = Math.Max(top, Math.Max(from[at], from[at + 1]));
                                }
                            to[c * plane.Stride + (z * plane.Size.Y + y) * plane.Size.X + x] = top;
                        }
        }

        // a convolution of 2×2(×2) with stride 2
        private void Halve(ReadOnlySpan<float> from, Plane wide, int inputs, Span<float> to, Plane plane, Layer layer)
        {
            var weights = _owner._values[layer.Slots[0]];
            var deep = wide.Size.Z > plane.Size.Z ? 2 : 1;
            for (var c = 0; c < layer.Channels; c++)
                for (var z = 0; z < plane.Size.Z; z++)
                    for (var y = 0; y < plane.Size.Y; y++)
                        for (var x = 0; x < plane.Size.X; x++)
                        {
                            var (sum, w) = (layer.Slots.Length > 1 ? _owner._values[layer.Slots[1]][c] : 0f, c * inputs * deep * 4);
                            for (var i = 0; i < inputs; i++)
                                for (var dz = 0; dz < deep; dz++)
                                    for (var dy = 0; dy < 2; dy++)
                                        for (var dx = 0; dx < 2; dx++, w++)
                                            sum += from[i * wide.Stride + ((z * deep + dz) * wide.Size.Y + 2 * y + dy) * wide.Size.X + 2 * x + dx] * weights[w];
                            to[c * plane.Stride + (z * plane.Size.Y + y) * plane.Size.X + x] = sum;
                        }
        }

        private static void Ensure(ref float[] buffer, int count)
        {
            if (buffer.Length < count) buffer = new float[count];
        }
    }
}
