using System.Globalization;
using System.Text.Json;
using Kerf.Volumes;

namespace Kerf.Imaging;

/// <summary>What aligning found, as kept in <c>transforms.json</c>.</summary>
/// <param name="Shifts">For each slice [dy, dx]: the displacement of its content against slice 0, in pixels.</param>
/// <param name="Residual">How well the pairs of slices agree on them: root mean square, in pixels.</param>
/// <param name="Coherence">For each slice, 0 to 1, how alike it is to the slices before: low where a slice is odd.</param>
/// <param name="Shared">[y start, y end, x start, x end] of the rectangle that all slices share once moved, ends not included.</param>
public sealed record AlignTransforms(double[][] Shifts, double Residual, double[] Coherence, int[] Shared);

/// <summary>What must stand still from slice to slice.</summary>
public enum AlignCriterion
{
    /// <summary>Slices look alike.</summary>
    Likeness,

    /// <summary>What shines through open pores lies level along z.</summary>
    Background,
}

/// <summary>Puts the slices of a stack back where they belong. See docs/methods/align.md.</summary>
[Operation("align", "Finds how slices drifted in x and y against each other, to a fraction of a pixel, and moves them back.")]
public sealed record Align : Step
{
    /// <summary>What must stand still.</summary>
    [Parameter("likeness: slices look alike. background: what shines through open pores stands still, so that a structure may slant; needs pores that are not filled.")]
    public AlignCriterion Criterion { get; init; }

    /// <summary>Grey below which a pixel is pore.</summary>
    [Parameter("background: grey below which a pixel is pore. Left out: Otsu's threshold of the stack.", Unit = "grey levels")]
    public double? Dark { get; init; }

    /// <summary>How many earlier slices each slice is compared with.</summary>
    [Parameter("How many earlier slices each slice is compared with: those 1, 2, 4, 8 … before it. More hold a long stack straighter; with a box of straight marks take 8 or so.", Min = 1, Max = 12)]
    public int Neighbours { get; init; } = 4;

    /// <summary>Largest displacement between slices that are compared.</summary>
    [Parameter("Largest displacement between two slices that are compared.", Unit = "pixels", Min = 1)]
    public int MaxShift { get; init; } = 64;

    /// <summary>Edge of the tiles that vote.</summary>
    [Parameter("Edge of the square tiles that each find their own displacement; the vote of tiles that move unlike the others is dropped.", Unit = "pixels", Min = 16)]
    public int Tile { get; init; } = 48;

    /// <summary>Where to look.</summary>
    [Parameter("Look only at this box, y start, y end, x start, x end: a mark that does not slant, such as a fiducial or the protective layer.", Unit = "pixels")]
    public int[]? Box { get; init; }

    /// <summary>Leaves the mean slope of the drift in the stack.</summary>
    [Parameter("Leave the mean slope of the found drift in the stack: for a structure that slants as a whole, in a microscope that does not creep.")]
    public bool KeepSlant { get; init; }

    /// <summary>Shifts to apply instead of estimating.</summary>
    [Parameter("JSON file of shifts to apply instead of estimating them: [[dy, dx], ...] or what a former run kept as transforms.json.", IsPath = true)]
    public string? Transforms { get; init; }

    /// <summary>How slices are resampled.</summary>
    [Parameter("How slices are resampled: cubic, linear (never overshoots), lanczos (sharpest), nearest (whole pixels).")]
    public SliceInterpolation Interpolation { get; init; }

    /// <summary>Grey value of what no image covers.</summary>
    [Parameter("Grey value where a moved slice has no pixels; if not set, its nearest pixel is repeated. crop --shared cuts that border off.", Unit = "grey levels")]
    public double? Fill { get; init; }

    /// <inheritdoc/>
    public override void Run(StepRun run)
    {
        var source = run.Source.AsFloat();
        var found = Transforms is null ? run.Remember("transforms", () => Estimate(source, this, run.Walk.Part(0, 0.7))) : Read(Transforms, source.Info.Size);
        run.Fact("shifts", found.Shifts);
        run.Fact("residual", found.Residual);
        run.Fact("shared", found.Shared);
        var metadata = new Dictionary<string, string>(source.Info.Metadata) { [Crop.SharedKey] = string.Join(',', found.Shared.Select(v => v.ToString(CultureInfo.InvariantCulture))) };
        var target = run.CreateGrey(run.Source.Info with { Metadata = metadata });
        Apply(source, target, found.Shifts, Interpolation, Fill, run.Walk.Part(0.7, 1));
    }

    /// <summary>Estimates the displacement of each slice. Reads the stack twice, slice by slice.</summary>
    /// <exception cref="InputError">The box or the slices are too small.</exception>
    public static AlignTransforms Estimate(IVolume<float> source, Align how, Traversal walk)
    {
        var size = source.Info.Size;
        var region = Region(how.Box, size, "align");
        var (positions, residual, coherence) = Drift.Estimate(source, region, how, how.Criterion == AlignCriterion.Background ? walk.Part(0, 0.4) : walk);
        if (how.Criterion == AlignCriterion.Background)
        {
            var dark = how.Dark ?? Threshold.Otsu(source, walk with { Progress = null })[0];
            (positions, residual, coherence) = LevelBackground.Estimate(source, region, dark, how, positions, walk.Part(0.4, 1));
        }
        if (how.KeepSlant && size.Z > 2)
        {
            // least squares through slice 0
            var squares = Enumerable.Range(0, size.Z).Sum(k => (double)k * k);
            var (y, x) = (positions.Select((p, k) => p.Y * k).Sum() / squares, positions.Select((p, k) => p.X * k).Sum() / squares);
            positions = [.. positions.Select((p, k) => (p.Y - y * k, p.X - x * k))];
        }
        double[][] shifts = [.. positions.Select(p => (double[])[Math.Round(p.Y, 4), Math.Round(p.X, 4)])];
        return new(shifts, Math.Round(residual, 4), [.. coherence.Select(c => Math.Round(c, 4))], SharedBy(shifts, size));
    }

    /// <summary>
    /// Moves each slice back: target(y, x) = source(y + dy, x + dx). Beyond its border a slice goes on with its nearest pixel, or with <paramref name="fill"/>.
    /// </summary>
    public static void Apply(IVolume<float> source, IWritableVolume<float> target, double[][] shifts, SliceInterpolation how, double? fill, Traversal walk) =>
        Blocks.MapSlices<float, float>(source, target, 0, Border.Nearest, walk, (block, output) =>
        {
            var shift = shifts[block.Inner.Start.Z];
            Translation.Apply(block.Voxels, block.Inner.Size.X, shift[0], shift[1], how, (float?)fill, output);
        });

    /// <summary>Reads shifts: [[dy, dx], …] or an object with "shifts".</summary>
    /// <exception cref="InputError">The file is missing, no JSON of that form, or has another number of slices.</exception>
    public static AlignTransforms Read(string path, Size3 size)
    {
        double[][]? shifts;
        try
        {
            using var json = JsonDocument.Parse(File.ReadAllText(path));
            var root = json.RootElement;
            shifts = (root.ValueKind == JsonValueKind.Object ? root.GetProperty("shifts") : root).Deserialize<double[][]>();
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException or JsonException or KeyNotFoundException or InvalidOperationException)
        {
            throw new InputError($"{path}: cannot be read as shifts; it must hold [[dy, dx], ...] or an object with \"shifts\".", fault);
        }
        if (shifts is null || shifts.Length != size.Z)
            throw new InputError($"{path}: holds {shifts?.Length ?? 0} shifts for {size.Z} slices; give one [dy, dx] for each slice.");
        if (Array.FindIndex(shifts, s => s is not [var y, var x] || !double.IsFinite(y) || !double.IsFinite(x)) is >= 0 and var bad)
            throw new InputError($"{path}: shift of slice {bad} is not [dy, dx].");
        return new(shifts, 0, [], SharedBy(shifts, size));
    }

    // [y start, y end, x start, x end] that every moved slice covers; empty when there is none
    private static int[] SharedBy(double[][] shifts, Size3 size)
    {
        return [.. Range(0, size.Y), .. Range(1, size.X)];
        int[] Range(int axis, int length)
        {
            var start = (int)Math.Ceiling(Math.Max(0, shifts.Max(s => -s[axis])));
            return [Math.Min(start, length), Math.Max(start, (int)Math.Floor(length - 1 - Math.Max(0, shifts.Max(s => s[axis]))) + 1)];
        }
    }

    /// <summary>The rows and columns of a box as typed, or of a whole slice.</summary>
    /// <exception cref="InputError">It reaches outside, or is too small.</exception>
    internal static Box Region(int[]? typed, Size3 size, string step)
    {
        var box = typed ?? [0, size.Y, 0, size.X];
        if (box.Length != 4 || box[0] < 0 || box[1] > size.Y || box[2] < 0 || box[3] > size.X || box[1] - box[0] < 16 || box[3] - box[2] < 16)
        {
            throw new InputError(string.Create(CultureInfo.InvariantCulture,
                $"{step}: box is {string.Join(',', box)}; it must be y start, y end, x start, x end inside 0,{size.Y},0,{size.X} and at least 16 pixels wide and high."));
        }
        return new(new(0, box[0], box[2]), new(1, box[1] - box[0], box[3] - box[2]));
    }
}
