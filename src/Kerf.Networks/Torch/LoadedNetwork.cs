namespace Kerf.Networks;

/// <summary>A network with its numbers as tensors: what runs. Use it on one thread.</summary>
internal sealed unsafe class LoadedNetwork : IDisposable
{
    private const int Record = 1, Train = 2, InPlace = 4;
    private static readonly double[] NormReals = [0.1, 1e-5];
    private readonly Tensor[] _slots;
    private readonly int[] _uses;

    /// <summary>Copies the numbers to the device.</summary>
    /// <param name="network">The layers.</param>
    /// <param name="values">Of each slot.</param>
    /// <param name="learn">False for prediction alone.</param>
    /// <param name="precision">Of the numbers and of all activations.</param>
    public LoadedNetwork(Network network, IReadOnlyList<float[]> values, bool learn, Precision precision = Precision.F32)
    {
        Network = network;
        _slots = new Tensor[network.Slots.Count];
        // channels innermost: the fast layout of convolutions, but not where oneDNN computes volumes
        Layout = learn || network.Dimensions == 2 || Torch.Device >= 0 ? TensorFlags.ChannelsLast : 0;
        for (var i = 0; i < _slots.Length; i++)
        {
            var slot = network.Slots[i];
            using var scope = new TensorScope();
            _slots[i] = scope.Keep(Tensor.Of(values[i], [.. slot.Shape.Select(n => (long)n)], (learn && slot.Learns ? TensorFlags.Learns : 0) | Layout, precision));
        }
        _uses = new int[network.Layers.Count];
        foreach (var input in network.Layers.SelectMany(layer => layer.Inputs)) _uses[input]++;
    }

    /// <summary>The layers.</summary>
    public Network Network { get; }

    /// <summary>How images for it are best laid out.</summary>
    public TensorFlags Layout { get; }

    /// <summary>The tensors that learn.</summary>
    public IReadOnlyList<Tensor> Learning => [.. _slots.Where((_, i) => Network.Slots[i].Learns)];

    /// <summary>The numbers of each slot as they are now.</summary>
    public float[][] Values() => [.. _slots.Select(slot => slot.Read())];

    /// <summary>Replaces the numbers.</summary>
    public void Set(IReadOnlyList<float[]> values)
    {
        for (var i = 0; i < _slots.Length; i++) _slots[i].Write(values[i]);
    }

    /// <summary>Computes all layers; activations are freed as soon as no layer needs them.</summary>
    /// <param name="image">(batch, channels, [z,] y, x).</param>
    /// <param name="train">Statistics of the batch, and a record for the gradients.</param>
    /// <param name="also">A further layer whose activation is wanted, or −1.</param>
    public (Tensor Logits, Tensor? Also) Forward(Tensor image, bool train, int also = -1)
    {
        using var scope = new TensorScope();
        var results = new Tensor[Network.Layers.Count];
        var left = (int[])_uses.Clone();
        if (also >= 0) left[also]++;
        results[0] = image;
        for (var i = 1; i < results.Length; i++)
        {
            var layer = Network.Layers[i];
            results[i] = Run(layer, results, train, left);
            foreach (var input in layer.Inputs)
                if (--left[input] == 0 && input > 0) scope.Free(results[input]);
        }
        return (scope.Keep(results[^1]), also >= 0 ? scope.Keep(results[also]) : null);
    }

    private Tensor Run(Layer layer, Tensor[] results, bool train, int[] left)
    {
        var inputs = stackalloc nint[layer.Inputs.Length + layer.Slots.Length];
        var count = 0;
        // the weights of a vote go first
        if (layer.Kind == LayerKind.Blend) foreach (var slot in layer.Slots) inputs[count++] = _slots[slot].DangerousGetHandle();
        foreach (var input in layer.Inputs) inputs[count++] = results[input].DangerousGetHandle();
        if (layer.Kind != LayerKind.Blend) foreach (var slot in layer.Slots) inputs[count++] = _slots[slot].DangerousGetHandle();
        var mode = train ? Record | (layer.Frozen ? 0 : Train) : 0;
        if (MayOverwrite(layer, train, left)) mode |= InPlace;
        fixed (long* ints = layer.Arguments) fixed (double* reals = NormReals)
            return Torch.Own(KerfTorch.kerf_apply((int)layer.Kind, inputs, count, ints, layer.Arguments.Length, reals, mode));
    }

    // an activation that no other layer reads; what made it must not need it for its gradient
    private bool MayOverwrite(Layer layer, bool train, int[] left)
    {
        if (layer.Kind is not (LayerKind.Relu or LayerKind.Add) || left[layer.Inputs[0]] > 1) return false;
        var maker = Network.Layers[layer.Inputs[0]].Kind;
        return maker is LayerKind.Conv or LayerKind.BatchNorm || (!train && maker == LayerKind.Add);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var slot in _slots) slot.Dispose();
    }
}

/// <summary>How wide numbers are in prediction.</summary>
public enum Precision
{
    /// <summary>32-bit floats.</summary>
    F32 = 0,

    /// <summary>bfloat16: 8 bits of precision; faster where the processor or the GPU has units for it.</summary>
    Bf16 = 2,
}

/// <summary>What a network is trained to make small. Voxels without a label do not count.</summary>
public enum Loss
{
    /// <summary>1 − mean over the classes of 2Σpt/(Σp + Σt), sums over the batch.</summary>
    Dice = 0,

    /// <summary>The same with Σp² + Σt² below (Milletari et al. 2016, doi:10.1109/3DV.2016.79).</summary>
    SquaredDice = 1,

    /// <summary>Mean of −log p of the true class.</summary>
    CrossEntropy = 2,

    /// <summary>Mean over voxels and classes of −t·log p − (1 − t)·log(1 − p).</summary>
    Bce = 3,

    /// <summary>Mean over voxels and classes of (p − t)².</summary>
    Mse = 4,
}

/// <summary>Losses and the step downhill.</summary>
internal static unsafe class Learning
{
    /// <summary>The loss of logits (batch, classes, …) against labels (batch, …), negative where there is none.</summary>
    public static Tensor Of(Loss loss, Tensor logits, Tensor target, bool record = true) => Torch.Own(KerfTorch.kerf_loss((int)loss, logits, target, record ? 1 : 0));

    /// <summary>Softmax over the channels, not recorded.</summary>
    public static Tensor Softmax(Tensor logits) => Apply((int)LayerKind.Softmax, logits, []);

    /// <summary>Mirrored along some axes.</summary>
    public static Tensor Flip(Tensor image, ReadOnlySpan<long> axes) => Apply(13, image, axes);

    /// <summary>As 32-bit floats.</summary>
    public static Tensor Cast32(Tensor image) => Apply(14, image, [(int)Precision.F32]);

    private static Tensor Apply(int op, Tensor image, ReadOnlySpan<long> arguments)
    {
        var input = image.DangerousGetHandle();
        fixed (long* ints = arguments) return Torch.Own(KerfTorch.kerf_apply(op, &input, 1, ints, arguments.Length, null, 0));
    }
}

/// <summary>Adam. Kingma and Ba 2015, arXiv:1412.6980; the same arithmetic as torch.optim.Adam.</summary>
internal sealed unsafe class Adam : IDisposable
{
    private readonly IReadOnlyList<Tensor> _weights;
    private readonly Tensor[] _first, _second;

    /// <summary>Starts with moments of zero.</summary>
    public Adam(IReadOnlyList<Tensor> weights)
    {
        _weights = weights;
        using var scope = new TensorScope();
        (_first, _second) = (Zeros(), Zeros());
        Tensor[] Zeros() => [.. weights.Select(w => scope.Keep(Tensor.Of(new float[w.Shape.Aggregate(1L, (a, b) => a * b)], w.Shape, TensorFlags.ChannelsLast)))];
    }

    /// <summary>Steps made.</summary>
    public long Steps { get; private set; }

    /// <summary>One step along the gradients, which are dropped.</summary>
    public void Step(double rate)
    {
        Steps++;
        fixed (nint* weights = Handles(_weights), first = Handles(_first), second = Handles(_second))
            Torch.Check(KerfTorch.kerf_adam(weights, first, second, _weights.Count, Steps, rate, 0.9, 0.999, 1e-8));
    }

    /// <summary>Moments, first ones first, for a checkpoint.</summary>
    public float[][] State() => [.. _first.Concat(_second).Select(t => t.Read())];

    /// <summary>Goes on from a checkpoint.</summary>
    public void Restore(long steps, IReadOnlyList<float[]> state)
    {
        Steps = steps;
        for (var i = 0; i < _first.Length; i++)
        {
            _first[i].Write(state[i]);
            _second[i].Write(state[_first.Length + i]);
        }
    }

    private static nint[] Handles(IReadOnlyList<Tensor> tensors) => [.. tensors.Select(t => t.DangerousGetHandle())];

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var tensor in _first.Concat(_second)) tensor.Dispose();
    }
}
