namespace Kerf.Networks;

/// <summary>Puts layers together. Each method adds one, or one of the field's usual units, and returns its index.</summary>
internal sealed class NetworkBuilder
{
    private readonly List<Layer> _layers = [];
    private readonly List<Slot> _slots = [];
    private readonly int _dimensions;

    public NetworkBuilder(int dimensions, int inputs)
    {
        _dimensions = dimensions;
        _layers.Add(new(LayerKind.Input, "image", [], inputs));
    }

    /// <summary>Goes before the names of layers.</summary>
    public string Prefix { get; set; } = "";

    /// <summary>Layers that are added now do not learn.</summary>
    public bool Frozen { get; set; }

    public Network Build() => new(_dimensions, _layers, _slots);

    public int Channels(int layer) => _layers[layer].Channels;

    /// <summary>Convolution that keeps the size, or halves it with stride 2.</summary>
    public int Conv(int x, int channels, string name, int kernel = 3, int stride = 1, bool bias = false, double gain = 2, float start = 0)
    {
        int[] shape = [channels, Channels(x), .. Enumerable.Repeat(kernel, _dimensions)];
        var fan = Channels(x) * Math.Pow(kernel, _dimensions);
        var slots = new List<int> { Slot(name, "weight", shape, Math.Sqrt(gain / fan), start) };
        if (bias) slots.Add(Slot(name, "bias", [channels], 0, 0));
        return Add(LayerKind.Conv, name, channels, [x], slots, [stride, (kernel - 1) / 2]);
    }

    public int BatchNorm(int x, string name)
    {
        var n = Channels(x);
        return Add(LayerKind.BatchNorm, name, n, [x], [Slot(name, "weight", [n], 0, 1), Slot(name, "bias", [n], 0, 0), Slot(name, "mean", [n], 0, 0), Slot(name, "variance", [n], 0, 1)]);
    }

    public int Relu(int x, string name) => Add(LayerKind.Relu, name, Channels(x), [x]);

    public int Prelu(int x, string name) => Add(LayerKind.Prelu, name, Channels(x), [x], [Slot(name, "slope", [Channels(x)], 0, 0.25f)]);

    public int MaxPool(int x, string name) => Add(LayerKind.MaxPool, name, Channels(x), [x]);

    public int Upsample(int x, string name) => Add(LayerKind.Upsample, name, Channels(x), [x]);

    public int Concat(string name, params int[] all) => Add(LayerKind.Concat, name, all.Sum(Channels), all);

    public int Add(int a, int b, string name) => Add(LayerKind.Add, name, Channels(a), [a, b]);

    public int Softmax(int x, string name) => Add(LayerKind.Softmax, name, Channels(x), [x]);

    public int Narrow(int x, int first, int count, string name) => Add(LayerKind.Narrow, name, count, [x], arguments: [first, count]);

    public int TwoClass(int x, string name) => Add(LayerKind.TwoClass, name, 2, [x]);

    public int Log(int x, string name) => Add(LayerKind.Log, name, Channels(x), [x]);

    public int Blend(string name, params int[] all) => Add(LayerKind.Blend, name, Channels(all[0]), all, [Slot(name, "weight", [all.Length], 0, 0)]);

    /// <summary>Convolution, batch normalisation, ReLU.</summary>
    public int ConvUnit(int x, int channels, string name) => Relu(BatchNorm(Conv(x, channels, name + ".conv"), name + ".norm"), name + ".relu");

    /// <summary>Two convolutions with batch normalisation and ReLU; residual: the input, matched by a 1×1 convolution, joins before the last ReLU.</summary>
    public int Block(int x, int channels, string name, bool residual)
    {
        var inner = ConvUnit(x, channels, name + ".first");
        if (!residual) return ConvUnit(inner, channels, name + ".second");
        var second = BatchNorm(Conv(inner, channels, name + ".second.conv"), name + ".second.norm");
        var matched = Channels(x) == channels ? x : Conv(x, channels, name + ".match", kernel: 1, gain: 1);
        return Relu(Add(second, matched, name + ".sum"), name + ".second.relu");
    }

    /// <summary>Doubled and convolved: what a transposed convolution would do, without its chequerboard and faster.</summary>
    public int UpUnit(int x, int channels, string name) => ConvUnit(Upsample(x, name + ".double"), channels, name);

    private int Slot(string layer, string role, int[] shape, double scale, float start)
    {
        _slots.Add(new($"{Prefix}{layer}.{role}", shape, !Frozen && role is not ("mean" or "variance"), scale, start));
        return _slots.Count - 1;
    }

    private int Add(LayerKind kind, string name, int channels, int[] inputs, IReadOnlyList<int>? slots = null, long[]? arguments = null)
    {
        _layers.Add(new(kind, Prefix + name, inputs, channels) { Slots = [.. slots ?? []], Arguments = arguments ?? [], Frozen = Frozen });
        return _layers.Count - 1;
    }
}
