using Kerf.Volumes;

namespace Kerf.Imaging;

/// <summary>Thresholds learned from drawn labels: see <see cref="GreyTree"/> and <c>docs/methods/learned-threshold.md</c>.</summary>
[Operation("learned-threshold", "Thresholds learned from drawn labels by a small decision tree on the grey value; one phase may get several ranges.")]
public sealed record LearnedThreshold : Step
{
    /// <summary>Drawn labels.</summary>
    [Parameter("Labels drawn on the volume that this step reads, 0 where nothing is labelled: TIFF, PNG, .zarr, .npy.", IsPath = true)]
    public string Labels { get; init; } = "";

    /// <summary>Slices that the labels are.</summary>
    [Parameter("Numbers of the slices that the labels are, from 0, when they are not a volume of the image's size.", Min = 0)]
    public int[] Slice { get; init; } = [];

    /// <summary>Depth of the tree.</summary>
    [Parameter("Depth of the tree: 1 gives one threshold, 2 up to three (the triple threshold), and so on.", Min = 1, Max = 6)]
    public int Depth { get; init; } = 2;

    /// <summary>Class balancing.</summary>
    [Parameter("Makes every phase count the same, however many strokes it got.")]
    public bool Balance { get; init; }

    /// <summary>Names of the phases.</summary>
    [Parameter("Names of the phases in label order, with a colour if wanted: pore, carbon=#444444.")]
    public string[] Phases { get; init; } = [];

    /// <inheritdoc/>
    public override void Run(StepRun run)
    {
        if (Labels.Length == 0) throw new InputError("learned-threshold: labels are missing; draw a few strokes of each phase and give them as labels.");
        var ranges = run.Remember("ranges", () =>
        {
            var drawn = DrawnLabels.Open(Labels, run.Source.Info, Slice);
            using var held = drawn as IDisposable;
            return GreyTree.Learn(run.Source, drawn, Depth, run.Walk.Part(0, 0.5), balance: Balance).Select(range => range.ToString()).ToArray();
        });
        var parsed = Array.ConvertAll(ranges, GreyRange.Parse);
        var target = run.CreateLabels(PhaseNames.Of(parsed.Max(range => range.Label), Phases));
        Threshold.Apply(run.Source, target, new(parsed), run.Walk.Part(0.5, 1));
    }
}
