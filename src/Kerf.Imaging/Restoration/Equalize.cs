using Kerf.Volumes;

namespace Kerf.Imaging;

/// <summary>Equalises the histogram.</summary>
[Operation("equalize", "Spreads the grey levels so that each is about equally frequent; contrast appears where there are many voxels.")]
public sealed record Equalize : Step
{
    /// <summary>Of a slice, or of the stack.</summary>
    [Parameter("stack keeps slices comparable; slice equalises each one for itself.")]
    public HistogramScope Scope { get; init; } = HistogramScope.Stack;

    /// <summary>Depth of the output.</summary>
    [Parameter("8 or 16 bit output; 0 keeps the depth of the input (8 for float).", Min = 0, Max = 16)]
    public int Bits { get; init; }

    /// <inheritdoc/>
    public override void Run(StepRun run) =>
        Levels(run.Source, run.Create(run.Source.Info with { Type = Stretch.Depth(run.Source.Info.Type, Bits) }), Scope, run.Walk);

    /// <summary>
    /// h(v) = round((cdf(v) − cdf_min)/(N − cdf_min) · (L − 1)), N the number of voxels and L that of the output's levels; 0 where all are equal.
    /// </summary>
    public static void Levels(IVolume source, IVolume target, HistogramScope scope, Traversal walk)
    {
        var levels = (int)target.Info.Type.TopLevel() + 1;
        var stack = scope == HistogramScope.Stack ? Histogram.OfStack(source, walk.Part(0, 0.5)) : null;
        var table = stack is null ? [] : Table(stack, levels);
        var rest = walk.Part(stack is null ? 0 : 0.5, 1);
        Blocks.MapSlices<float, float>(source.AsFloat(), target.AsFloatTarget(), 0, Border.Nearest, rest, (block, output) =>
        {
            var histogram = stack ?? Histogram.OfSlice(source, block.Inner.Start.Z);
            var map = stack is null ? Table(histogram, levels) : table;
            for (var i = 0; i < output.Length; i++) output[i] = map[histogram.BinOf(block.Voxels[i])];
        });
    }

    /// <summary>The new level of each bin.</summary>
    public static float[] Table(Histogram histogram, int levels)
    {
        var table = new float[histogram.Bins];
        var first = Array.Find(histogram.Counts, count => count > 0);
        long below = 0;
        for (var bin = 0; bin < table.Length; bin++)
        {
            below += histogram.Counts[bin];
            if (below > first) table[bin] = (float)Math.Round((double)(below - first) / (histogram.Total - first) * (levels - 1));
        }
        return table;
    }
}
