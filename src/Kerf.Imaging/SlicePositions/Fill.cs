using Kerf.Volumes;

namespace Kerf.Imaging;

/// <summary>How planes between slices are made.</summary>
public enum FillMethod
{
    /// <summary>The nearest slice, the earlier of two.</summary>
    Nearest,

    /// <summary>Straight lines between the two slices around.</summary>
    Linear,

    /// <summary>The natural cubic spline along z through the slices.</summary>
    Cubic,

    /// <summary>Phases: the cubic spline through the saturated distance to each phase's outline, so that outlines move instead of fading.</summary>
    Shape,

    /// <summary>Grey values: both slices moved along the motion found between them, and blended.</summary>
    Flow,

    /// <summary>Phases: a network that saw simulated structures, or the stack's own, cut as unevenly.</summary>
    Learned,
}

/// <summary>Fills the planes between repositioned slices. See docs/methods/fill.md.</summary>
[Operation("fill", "Makes the planes between repositioned slices, from the slices around them.")]
public sealed record Fill : Step
{
    /// <summary>How.</summary>
    [Parameter("nearest, linear, cubic (spline along z), flow (grey: moves what moves between slices; the best in noise), shape (segmentations: moves the outlines of phases), or learned (segmentations: a network; the best).")]
    public FillMethod Method { get; init; } = FillMethod.Cubic;

    /// <summary>The network of <see cref="FillMethod.Learned"/>.</summary>
    [Parameter("learned: a model that kerf train fill wrote.", IsPath = true)]
    public string Model { get; init; } = "";

    /// <summary>Opens a network from a model file; Kerf.App sets it, since networks are not known here.</summary>
    public static Func<string, VolumeInfo, Traversal, IPlaneNetwork>? Networks { get; set; }

    /// <summary>New plane distance.</summary>
    [Parameter("Distance between the planes of the result. Left out: as in the input.", Unit = "nm", Min = 0.001)]
    public double? To { get; init; }

    /// <summary>Whether values are labels.</summary>
    [Parameter("Values are labels of phases, not grey values. Left out: as the volume says, else true for 8-bit data of at most eight values.")]
    public bool? Labels { get; init; }

    /// <summary>Largest hole that is closed.</summary>
    [Parameter("After cubic: spots of a phase in a made plane, enclosed by one other phase and smaller than this, are given to it.", Unit = "pixels", Min = 0)]
    public int HoleSize { get; init; } = 20;

    /// <inheritdoc/>
    public override void Run(StepRun run)
    {
        var info = run.Source.Info;
        var (knots, pitch) = (Knots(run.Source, run.Walk.Part(0, 0.1)), Pitch(info));
        var to = To ?? pitch;
        // whatever is refused is refused before anything is made
        var labels = AreLabels(run.Source, knots, run.Walk);
        if (labels is not null && Method == FillMethod.Flow)
            throw new InputError("fill: flow moves and blends grey values, and this volume holds labels. Choose shape.");
        if (labels is null && Method is FillMethod.Shape or FillMethod.Learned)
            throw new InputError($"fill: {Method.ToString().ToLowerInvariant()} moves outlines of phases, and this volume holds grey values. Segment it first, or choose flow.");
        using var network = Method == FillMethod.Learned ? Open(info, run.Walk) : null;
        var count = (int)Math.Floor((info.Size.Z - 1) * pitch / to + 1e-9) + 1;
        var metadata = info.Metadata.Where(m => m.Key is not (SliceDepths.PlanesKey or SliceDepths.DepthsKey)).ToDictionary();
        var target = run.Create(info with
        {
            Size = info.Size with { Z = count },
            Voxel = info.Voxel is { } v ? new(to, v.Y, v.X) : null,
            Metadata = metadata,
        });
        run.Fact("slices", knots.Length);
        run.Fact("made", count - Enumerable.Range(0, count).Count(z => IsKnot(z * (to / pitch), knots)));
        // a network takes all threads for each plane
        var walk = run.Walk.Part(0.1, 1) with { Threads = network is null ? run.Walk.Threads : 1 };
        if (labels is null) GreyFilling.Run(run.Source.AsFloat(), target.AsFloatTarget(), knots, to / pitch, Method, walk);
        else PhaseFilling.Run((IVolume<byte>)run.Source, (IWritableVolume<byte>)target, knots, to / pitch, labels, this, network, walk);
    }

    private IPlaneNetwork Open(VolumeInfo info, Traversal walk)
    {
        if (Model.Length == 0) throw new InputError("fill: learned needs --model, a file that kerf train fill wrote. Without one choose shape.");
        return (Networks ?? throw new InvalidOperationException("Fill.Networks is not set"))(Model, info, walk);
    }

    private static double Pitch(VolumeInfo info) => info.Voxel?.Z ?? 1;

    private static bool IsKnot(double at, int[] knots) => Array.BinarySearch(knots, (int)Math.Round(at)) >= 0 && Math.Abs(at - Math.Round(at)) < 1e-9;

    // planes that hold a slice: what reposition noted, else those that are not empty
    private static int[] Knots(IVolume source, Traversal walk)
    {
        var size = source.Info.Size;
        var noted = SliceDepths.Of(source.Info, SliceDepths.PlanesKey);
        int[] knots;
        if (noted is not null) knots = [.. noted.Select(plane => (int)plane)];
        else
        {
            var used = new bool[size.Z];
            Blocks.ForEachSlice(source.AsFloat(), walk, (z, voxels) => used[z] = voxels.AsSpan(0, checked((int)size.SliceCount)).ContainsAnyExcept(0f));
            knots = [.. Enumerable.Range(0, size.Z).Where(z => used[z])];
        }
        if (knots.Length == 0) throw new InputError("fill: every plane is empty (0); there is no slice to fill from.");
        return knots;
    }

    // the labels in ascending order; null for grey values
    private byte[]? AreLabels(IVolume source, int[] knots, Traversal walk)
    {
        if (Labels == false || source is not IVolume<byte> bytes)
        {
            return Labels != true ? null : throw new InputError($"fill: labels are 8-bit, and this volume holds {source.Info.Type.Name()} voxels.");
        }
        if (Labels is null && source.Info.Phases is null && !Few()) return null;
        var seen = Seen(knots);
        return [.. Enumerable.Range(0, 256).Where(value => seen[value]).Select(value => (byte)value)];

        // one slice tells most grey volumes from labels
        bool Few() => Seen(knots[..1]).Count(s => s) <= 8 && Seen(knots).Count(s => s) <= 8;

        bool[] Seen(int[] planes)
        {
            var size = source.Info.Size;
            var all = new bool[256];
            walk.ForEach(planes.Length, k =>
            {
                var plane = new byte[size.SliceCount];
                bytes.Read(Box.Slice(size, planes[k]), plane);
                var own = new bool[256];
                foreach (var value in plane) own[value] = true;
                lock (all)
                    for (var value = 0; value < 256; value++) all[value] |= own[value];
            });
            return all;
        }
    }
}
