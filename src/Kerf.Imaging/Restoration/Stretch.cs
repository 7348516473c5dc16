using Kerf.Volumes;

namespace Kerf.Imaging;

/// <summary>What a histogram is taken of.</summary>
public enum HistogramScope
{
    /// <summary>The whole stack: slices stay comparable.</summary>
    Stack,

    /// <summary>Each slice for itself.</summary>
    Slice,
}

/// <summary>Stretches grey levels to the full range of the output.</summary>
[Operation("stretch", "Stretches the grey levels so that they fill the range of an 8- or 16-bit volume.")]
public sealed record Stretch : Step
{
    /// <summary>Percentile that becomes black.</summary>
    [Parameter("Percentile of the grey levels that becomes black; above 0, outliers do not waste the range.", Unit = "%", Min = 0, Max = 100)]
    public double Low { get; init; }

    /// <summary>Percentile that becomes white.</summary>
    [Parameter("Percentile of the grey levels that becomes white.", Unit = "%", Min = 0, Max = 100)]
    public double High { get; init; } = 100;

    /// <summary>Of a slice, or of the stack.</summary>
    [Parameter("stack keeps slices comparable; slice stretches each one for itself.")]
    public HistogramScope Scope { get; init; } = HistogramScope.Stack;

    /// <summary>Depth of the output.</summary>
    [Parameter("8 or 16 bit output; 0 keeps the depth of the input (8 for float).", Min = 0, Max = 16)]
    public int Bits { get; init; }

    /// <inheritdoc/>
    public override void Run(StepRun run)
    {
        var target = run.Create(run.Source.Info with { Type = Depth(run.Source.Info.Type, Bits) });
        if (Scope == HistogramScope.Slice)
        {
            PerSlice(run.Source, target, Low, High, run.Walk);
            return;
        }
        var range = run.Remember("range", () => Range(Histogram.OfStack(run.Source, run.Walk.Part(0, 0.5)), Low, High));
        Levels(run.Source, target, range, run.Walk.Part(0.5, 1));
    }

    /// <summary>The range of grey levels between two percentiles.</summary>
    /// <exception cref="InputError">The lower percentile is not below the upper one.</exception>
    public static double[] Range(Histogram histogram, double low, double high) => low < high
        ? [histogram.Percentile(low), histogram.Percentile(high)]
        : throw new InputError($"low is {low} % and high {high} %; low must be below high.");

    /// <summary>
    /// g = (f − f_min)/(f_max − f_min) · top level, rounded and clamped, f_min and f_max the two entries of <paramref name="range"/>; 0 where
    /// they are equal.
    /// </summary>
    public static void Levels(IVolume source, IVolume target, double[] range, Traversal walk) => Each(source, target, walk, _ => range);

    /// <summary>The same with the range of each slice.</summary>
    public static void PerSlice(IVolume source, IVolume target, double low, double high, Traversal walk) =>
        Each(source, target, walk, z => Range(Histogram.OfSlice(source, z), low, high));

    private static void Each(IVolume source, IVolume target, Traversal walk, Func<int, double[]> rangeOf)
    {
        var top = target.Info.Type.TopLevel();
        Blocks.MapSlices<float, float>(source.AsFloat(), target.AsFloatTarget(), 0, Border.Nearest, walk, (block, output) =>
        {
            var range = rangeOf(block.Inner.Start.Z);
            var scale = range[1] > range[0] ? top / (range[1] - range[0]) : 0;
            for (var i = 0; i < output.Length; i++) output[i] = (float)((block.Voxels[i] - range[0]) * scale);
        });
    }

    /// <summary>The integer type of an output of <paramref name="bits"/> bits; 0 means that of the input, and 8 bits for floats.</summary>
    /// <exception cref="InputError">Not 0, 8 or 16.</exception>
    internal static PixelType Depth(PixelType input, int bits) => bits switch
    {
        0 => input == PixelType.Float32 ? PixelType.UInt8 : input,
        8 => PixelType.UInt8,
        16 => PixelType.UInt16,
        _ => throw new InputError($"bits is {bits}; it must be 8 or 16, or 0 for the depth of the input."),
    };
}
