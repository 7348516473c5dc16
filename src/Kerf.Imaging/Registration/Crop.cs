using Kerf.Volumes;

namespace Kerf.Imaging;

/// <summary>Cuts a box out of a volume.</summary>
[Operation("crop", "Cuts a box out of the volume: given ranges, or what all slices share after they were aligned.")]
public sealed record Crop : Step
{
    /// <summary>Where a volume's metadata keep the rectangle that its slices share: "y start,y end,x start,x end".</summary>
    public const string SharedKey = "shared";

    /// <summary>Slices to keep.</summary>
    [Parameter("Slices to keep: first, and one past the last. If not set, all.", Unit = "slices")]
    public int[]? Z { get; init; }

    /// <summary>Rows to keep.</summary>
    [Parameter("Rows to keep: first, and one past the last. Of these, shared keeps what all slices have.", Unit = "pixels")]
    public int[]? Y { get; init; }

    /// <summary>Columns to keep.</summary>
    [Parameter("Columns to keep: first, and one past the last. Of these, shared keeps what all slices have.", Unit = "pixels")]
    public int[]? X { get; init; }

    /// <summary>Keeps what all slices share.</summary>
    [Parameter("Keep the rectangle that all slices share since they were aligned.")]
    public bool Shared { get; init; }

    /// <summary>Shifts that tell what the slices share.</summary>
    [Parameter("The transforms.json of the align step that tells what slices share; only needed when the volume does not know it.", IsPath = true)]
    public string? Transforms { get; init; }

    /// <inheritdoc/>
    public override void Run(StepRun run)
    {
        var box = Region(run.Source.Info);
        run.Fact("box", (int[])[box.Start.Z, box.End.Z, box.Start.Y, box.End.Y, box.Start.X, box.End.X]);
        var metadata = run.Source.Info.Metadata.Where(m => m.Key != SharedKey).ToDictionary();
        var target = run.Create(run.Source.Info with { Size = box.Size, Metadata = metadata });
        switch (run.Source)
        {
            case IVolume<byte> source: Apply(source, (IWritableVolume<byte>)target, box, run.Walk); break;
            case IVolume<ushort> source: Apply(source, (IWritableVolume<ushort>)target, box, run.Walk); break;
            default: Apply((IVolume<float>)run.Source, (IWritableVolume<float>)target, box, run.Walk); break;
        }
    }

    /// <summary>Copies <paramref name="box"/> of the source, which becomes the whole of the target.</summary>
    public static void Apply<T>(IVolume<T> source, IWritableVolume<T> target, Box box, Traversal walk) where T : unmanaged =>
        Blocks.MapSlices<T, T>(new Part<T>(source, box), target, 0, Border.Zero, walk, (block, output) => block.Voxels.CopyTo(output));

    /// <summary>The box that the parameters mean for a volume.</summary>
    /// <exception cref="InputError">A range is empty or lies outside, or what is shared is not known or empty.</exception>
    public Box Region(VolumeInfo info)
    {
        var size = info.Size;
        int[] shared = Shared || Transforms is not null ? SharedOf(info) : [0, size.Y, 0, size.X];
        var z = Range("z", Z ?? [0, size.Z], size.Z);
        var y = Within(Range("y", Y ?? [0, size.Y], size.Y), shared[0], shared[1], "y");
        var x = Within(Range("x", X ?? [0, size.X], size.X), shared[2], shared[3], "x");
        return new(new(z[0], y[0], x[0]), new(z[1] - z[0], y[1] - y[0], x[1] - x[0]));
    }

    private int[] SharedOf(VolumeInfo info)
    {
        if (Transforms is not null) return Align.Read(Transforms, info.Size).Shared;
        var numbers = info.Metadata.TryGetValue(SharedKey, out var text) ? text.Split(',').Select(n => int.TryParse(n, out var v) ? v : -1).ToArray() : [];
        return numbers.Length == 4 ? numbers : throw new InputError(
            "crop: the volume does not know what its slices share. Run align first, or give --transforms, or --y and --x.");
    }

    private static int[] Within(int[] range, int start, int end, string axis)
    {
        int[] inside = [Math.Max(range[0], start), Math.Min(range[1], end)];
        return inside[0] < inside[1] ? inside : throw new InputError(
            $"crop: nothing of {axis} {range[0]},{range[1]} is shared by all slices; they share {start},{end}. Choose another range.");
    }

    private static int[] Range(string axis, int[] range, int length) =>
        range is [>= 0 and var start, var end] && start < end && end <= length ? range : throw new InputError(
            $"crop: {axis} is {string.Join(',', range)}; it must be a first index and one past the last, inside 0,{length}.");

    private sealed class Part<T>(IVolume<T> whole, Box box) : IVolume<T> where T : unmanaged
    {
        public VolumeInfo Info { get; } = whole.Info with { Size = box.Size };

        public void Read(Box inner, Span<T> target) => whole.Read(inner.Shift(box.Start), target);
    }
}
