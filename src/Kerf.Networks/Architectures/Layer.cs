namespace Kerf.Networks;

/// <summary>What a layer computes. The numbers are those of the C ABI.</summary>
public enum LayerKind
{
    /// <summary>The image.</summary>
    Input = -1,

    /// <summary>Convolution; with padding (kernel − 1)/2, so that stride 1 keeps the size.</summary>
    Conv = 0,

    /// <summary>Batch normalisation: momentum 0.1, ε 1e-5.</summary>
    BatchNorm = 1,

    /// <summary>max(0, x).</summary>
    Relu = 2,

    /// <summary>x, or slope·x below 0; one learned slope a channel.</summary>
    Prelu = 3,

    /// <summary>Maximum over 2×2(×2).</summary>
    MaxPool = 4,

    /// <summary>Every voxel doubled along each spatial axis.</summary>
    Upsample = 5,

    /// <summary>Channels of all inputs, one after the other.</summary>
    Concat = 6,

    /// <summary>Sum of two inputs.</summary>
    Add = 7,

    /// <summary>Probabilities over the channels.</summary>
    Softmax = 8,

    /// <summary>Some channels of the input.</summary>
    Narrow = 9,

    /// <summary>One logit z as the two logits 0, z: the softmax then is a sigmoid.</summary>
    TwoClass = 10,

    /// <summary>Σ wₖ·inputₖ, the w a softmax of learned weights: a weighted vote.</summary>
    Blend = 11,

    /// <summary>Logarithm, of 1e-7 at least.</summary>
    Log = 12,

    /// <summary>Voxels doubled and convolved in one, behind the channels of another input where there are two; in prediction only.</summary>
    Grow = 15,
}

/// <summary>One layer of a <see cref="Network"/>.</summary>
/// <param name="Kind">What it computes.</param>
/// <param name="Name">Unique; parts are separated by dots.</param>
/// <param name="Inputs">Indices of the layers that it takes.</param>
/// <param name="Channels">Channels that it gives.</param>
public sealed record Layer(LayerKind Kind, string Name, int[] Inputs, int Channels)
{
    /// <summary>Its weights and buffers: indices into <see cref="Network.Slots"/>.</summary>
    public int[] Slots { get; init; } = [];

    /// <summary>Whole-number arguments: stride and padding (and 1 for max(0, x) of the result), first channel and channels, or what the C ABI tells.</summary>
    public long[] Arguments { get; init; } = [];

    /// <summary>True for layers of a network that is trained already: they neither learn nor use the statistics of a batch.</summary>
    public bool Frozen { get; init; }
}

/// <summary>An array of numbers that belongs to a layer.</summary>
/// <param name="Name">Layer name and role, like "down0.conv1.weight".</param>
/// <param name="Shape">Extents.</param>
/// <param name="Learns">False for running statistics and for frozen layers.</param>
/// <param name="Scale">Standard deviation of the initial normal draw; 0 for a constant.</param>
/// <param name="Start">Mean of the initial draw.</param>
public sealed record Slot(string Name, int[] Shape, bool Learns, double Scale, float Start)
{
    /// <summary>How many numbers.</summary>
    public int Count => Shape.Aggregate(1, (a, b) => a * b);
}
