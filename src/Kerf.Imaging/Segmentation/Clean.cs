using System.Buffers;
using System.Globalization;
using Kerf.Volumes;

namespace Kerf.Imaging;

/// <summary>Where enclosed regions are looked for.</summary>
public enum HoleFilling
{
    /// <summary>Nowhere.</summary>
    Off,

    /// <summary>In each slice by itself.</summary>
    Slices,

    /// <summary>In the volume.</summary>
    Volume,
}

/// <summary>What the lengths and sizes of a step are measured in.</summary>
public enum LengthsIn
{
    /// <summary>Voxels (pixels in a slice).</summary>
    Voxels,

    /// <summary>Nanometres; sizes are then cubic nanometres.</summary>
    Nm,
}

/// <summary>
/// Tidies labels, in this order: opening, closing, holes, specks. Out of core: each stage is a lazy view on the one before it; components
/// come from <see cref="Components"/>. See <c>docs/methods/clean.md</c>.
/// </summary>
[Operation("clean", "Tidies labels: opening and closing by a ball, filling of enclosed holes, removal of specks.")]
public sealed record Clean : Step
{
    /// <summary>The phase to tidy.</summary>
    [Parameter("The label to tidy. 0 removes the specks of every phase; open, close and fill-holes need one phase.", Min = 0, Max = 255)]
    public int Phase { get; init; }

    /// <summary>Radius of the opening.</summary>
    [Parameter("Radius of the ball that opens the phase: drops what is thinner than twice this. 0 = off.", Unit = "voxels or nm", Min = 0)]
    public double Open { get; init; }

    /// <summary>Radius of the closing.</summary>
    [Parameter("Radius of the ball that closes the phase: bridges gaps thinner than twice this. 0 = off.", Unit = "voxels or nm", Min = 0)]
    public double Close { get; init; }

    /// <summary>Where holes are filled.</summary>
    [Parameter("Gives regions that the phase encloses entirely to it: off, slices (2-D) or volume (3-D). What touches the border is "
        + "not enclosed.")]
    public HoleFilling FillHoles { get; init; }

    /// <summary>Largest hole.</summary>
    [Parameter("Fills only holes up to this size. 0 = any size.", Unit = "voxels or nm³", Min = 0)]
    public double MaxHole { get; init; }

    /// <summary>Smallest component.</summary>
    [Parameter("Connected pieces smaller than this become the phase that most of their faces touch. 0 = off.", Unit = "voxels or nm³", Min = 0)]
    public double MinSize { get; init; }

    /// <summary>The unit of radii and sizes.</summary>
    [Parameter("voxels, or nm: radii are then nanometres and sizes cubic nanometres.")]
    public LengthsIn Unit { get; init; }

    /// <summary>2 or 3.</summary>
    [Parameter("3 opens, closes and connects through the volume, 2 within each slice.", Min = 2, Max = 3)]
    public int Dimensions { get; init; } = 3;

    /// <summary>Which voxels of a speck touch.</summary>
    [Parameter("Which voxels of a piece touch: faces (4 or 6 neighbours) or full (8 or 26). Holes are connected the other way round.")]
    public Connectivity Connectivity { get; init; }

    /// <inheritdoc/>
    public override void Run(StepRun run)
    {
        var source = run.Source.AsLabels("clean: the source");
        var target = run.CreateLabels(source.Info.Phases ?? []);
        var (removed, filled) = Apply(source, target, this, run.Walk);
        run.Fact("specksRemoved", removed);
        run.Fact("holesFilled", filled);
    }

    /// <summary>Tidies labels by the parameters of <paramref name="how"/>; returns how many specks and holes went.</summary>
    /// <exception cref="InputError">Nothing to do, a phase is missing, or the voxel size is unknown when lengths are in nm.</exception>
    public static (long Specks, long Holes) Apply(IVolume<byte> source, IWritableVolume<byte> target, Clean how, Traversal walk)
    {
        how.Check(source.Info);
        var voxel = how.Unit == LengthsIn.Nm ? source.Info.RequireVoxel("clean in nm") : VoxelSize.Cube(1);
        var edge = (how.Dimensions == 3 ? voxel.Z : double.PositiveInfinity, voxel.Y, voxel.X);
        var labels = source;
        if (how.Open > 0 || how.Close > 0) labels = Morphology.OpenClose(labels, (byte)how.Phase, how.Open, how.Close, edge);
        var (specks, holes) = (0L, 0L);
        if (how.FillHoles != HoleFilling.Off) (labels, holes) = Filled(labels, how, voxel.Volume, walk.Part(0, 0.3));
        if (how.MinSize > 0) (labels, specks) = Despecked(labels, how, voxel.Volume, walk.Part(0.3, 0.8));
        Slabs.Write(labels, target, walk.Part(0.8, 1));
        return (specks, holes);
    }

    private void Check(VolumeInfo info)
    {
        if (Open <= 0 && Close <= 0 && MinSize <= 0 && FillHoles == HoleFilling.Off)
            throw new InputError("clean has nothing to do; give open, close, fill-holes or min-size.");
        if (Phase == 0 && (Open > 0 || Close > 0 || FillHoles != HoleFilling.Off))
            throw new InputError("phase is 0, but open, close and fill-holes work on one phase; give its label, like --phase 1.");
        var widest = Math.Max(Open, Close) / (Unit == LengthsIn.Nm && info.Voxel is { } voxel ? voxel.Finest : 1);
        if (widest > 64) throw new InputError(string.Create(CultureInfo.InvariantCulture,
            $"{(Open >= Close ? "open" : "close")} is {Math.Max(Open, Close)}, a ball of {widest:0.#} voxels; it may span at most 64. "
            + $"Bin the volume first, or choose a smaller ball."));
    }

    // holes: what is not the phase, connected the other way round than it, and nowhere at the border
    private static (IVolume<byte>, long) Filled(IVolume<byte> labels, Clean how, double voxelVolume, Traversal walk)
    {
        var phase = (byte)how.Phase;
        var other = how.Connectivity == Connectivity.Faces ? Connectivity.Full : Connectivity.Faces;
        var rest = new SliceView(labels, (_, slice) => Complement(slice, slice, phase));
        var components = Components.OfMask(rest, how.FillHoles == HoleFilling.Volume, other, walk);
        var hole = components.Parts.Select(part => !part.AtBorder && (how.MaxHole <= 0 || part.Voxels * voxelVolume <= how.MaxHole)).ToArray();
        return (new SliceView(labels, (z, slice) =>
        {
            var mask = ArrayPool<byte>.Shared.Rent(slice.Length);
            var component = ArrayPool<int>.Shared.Rent(slice.Length);
            Complement(slice, mask, phase);
            components.Label(z, mask.AsSpan(0, slice.Length), component);
            for (var i = 0; i < slice.Length; i++)
            {
                if (component[i] > 0 && hole[component[i] - 1]) slice[i] = phase;
            }
            ArrayPool<byte>.Shared.Return(mask);
            ArrayPool<int>.Shared.Return(component);
        }), hole.LongCount(filled => filled));
    }

    private static void Complement(ReadOnlySpan<byte> slice, Span<byte> mask, byte phase)
    {
        for (var i = 0; i < slice.Length; i++) mask[i] = slice[i] == phase ? (byte)0 : (byte)1;
    }

    private static (IVolume<byte>, long) Despecked(IVolume<byte> labels, Clean how, double voxelVolume, Traversal walk)
    {
        var components = Components.OfLabels(labels, how.Dimensions == 3, how.Connectivity, walk.Part(0, 0.5));
        var speck = components.Parts.Select(part => (how.Phase == 0 || part.Value == how.Phase) && part.Voxels * voxelVolume < how.MinSize).ToArray();
        var heirs = Heirs(labels, components, speck, how.Dimensions == 3, walk.Part(0.5, 1));
        return (new SliceView(labels, (z, slice) =>
        {
            var component = ArrayPool<int>.Shared.Rent(slice.Length);
            components.Label(z, slice, component);
            for (var i = 0; i < slice.Length; i++)
            {
                if (component[i] > 0 && speck[component[i] - 1]) slice[i] = heirs.GetValueOrDefault(component[i], slice[i]);
            }
            ArrayPool<int>.Shared.Return(component);
        }), speck.LongCount(removed => removed));
    }

    // the label that most faces of a speck touch, the lowest of several; a speck that fills its volume has none and stays
    private static Dictionary<int, byte> Heirs(IVolume<byte> labels, Components components, bool[] speck, bool acrossSlices, Traversal walk)
    {
        var size = labels.Info.Size;
        var plane = (int)size.SliceCount;
        var votes = new Dictionary<(int Component, byte Label), long>();
        Slabs.ForEach(labels, 1, 8, walk, (first, count, before, voxels) =>
        {
            var own = new Dictionary<(int, byte), long>();
            var component = ArrayPool<int>.Shared.Rent(plane);
            for (var z = first; z < first + count; z++)
            {
                var slice = (z - first + before) * plane;
                components.Label(z, voxels.AsSpan(slice, plane), component);
                for (var i = 0; i < plane; i++)
                {
                    if (component[i] == 0 || !speck[component[i] - 1]) continue;
                    var (y, x) = (i / size.X, i % size.X);
                    if (x > 0) Vote(component[i], slice + i, -1);
                    if (x < size.X - 1) Vote(component[i], slice + i, 1);
                    if (y > 0) Vote(component[i], slice + i, -size.X);
                    if (y < size.Y - 1) Vote(component[i], slice + i, size.X);
                    if (acrossSlices && z > 0) Vote(component[i], slice + i, -plane);
                    if (acrossSlices && z < size.Z - 1) Vote(component[i], slice + i, plane);
                }
            }
            ArrayPool<int>.Shared.Return(component);
            lock (votes)
            {
                foreach (var (key, number) in own) votes[key] = votes.GetValueOrDefault(key) + number;
            }

            void Vote(int speckNumber, int voxel, int step)
            {
                if (voxels[voxel + step] == voxels[voxel]) return;
                var key = (speckNumber, voxels[voxel + step]);
                own[key] = own.GetValueOrDefault(key) + 1;
            }
        });
        return votes.GroupBy(vote => vote.Key.Component).ToDictionary(
            group => group.Key, group => group.OrderByDescending(vote => vote.Value).ThenBy(vote => vote.Key.Label).First().Key.Label);
    }
}
