using System.Buffers;
using Kerf.Volumes;

namespace Kerf.Networks;

/// <summary>A window on the labels of a region.</summary>
/// <param name="Region">The region.</param>
/// <param name="Start">Its first voxel in the region.</param>
/// <param name="Counts">Labelled voxels of each class.</param>
internal sealed record Window(PatchSource Region, Size3 Start, int[] Counts);

/// <summary>What patches are cut from.</summary>
internal abstract class PatchSource
{
    /// <summary>The windows that hold a label.</summary>
    public abstract List<Window> Windows(Size3 patch, Size3 stride, int classes, Traversal walk);

    /// <summary>Cuts a patch out: values of every channel and slice, and the classes of its voxels.</summary>
    /// <param name="start">Where the window is.</param>
    /// <param name="patch">Extent.</param>
    /// <param name="slices">Adjacent slices as channels; 1 in 3-D.</param>
    /// <param name="draw">How the patch is changed.</param>
    /// <param name="image">channels · slices planes, or channels · z planes.</param>
    /// <param name="target">Classes, −1 for none.</param>
    public abstract void Cut(Size3 start, Size3 patch, int slices, PatchDraw draw, Span<float> image, Span<long> target);
}

/// <summary>A part of the specimen that patches are cut from. Outside of it lies its mirror image: no patch sees another region.</summary>
internal sealed class Region : PatchSource
{
    private readonly IVolume<float>[] _channels;
    private readonly IVolume<byte> _labels;

    /// <summary>A region.</summary>
    /// <param name="channels">Scaled grey values.</param>
    /// <param name="labels">On the same grid.</param>
    /// <param name="classes">Class of each label, −1 for none.</param>
    /// <param name="box">Where it is.</param>
    public Region(IReadOnlyList<IVolume<float>> channels, IVolume<byte> labels, int[] classes, Box box)
    {
        (Box, Classes) = (box, classes);
        _channels = [.. channels.Select(c => new Part<float>(c, box))];
        _labels = new Part<byte>(labels, box);
    }

    /// <summary>Where it is.</summary>
    public Box Box { get; }

    /// <summary>Class of each label.</summary>
    public int[] Classes { get; }

    /// <summary>The last window along an axis is moved back to end with the region.</summary>
    public override List<Window> Windows(Size3 patch, Size3 stride, int classes, Traversal walk)
    {
        if (Box.Count == 0) return [];
        Size3[] starts = [.. from z in Starts(Box.Size.Z, patch.Z, stride.Z) from y in Starts(Box.Size.Y, patch.Y, stride.Y) from x in Starts(Box.Size.X, patch.X, stride.X) select new Size3(z, y, x)];
        var windows = new Window?[starts.Length];
        walk.ForEach(starts.Length, i =>
        {
            var box = new Box(starts[i], patch).Intersect(Box.Whole(Box.Size));
            var buffer = ArrayPool<byte>.Shared.Rent((int)box.Count);
            _labels.Read(box, buffer);
            var counts = new int[classes];
            foreach (var label in buffer.AsSpan(0, (int)box.Count)) if (Classes[label] >= 0) counts[Classes[label]]++;
            ArrayPool<byte>.Shared.Return(buffer);
            if (counts.Any(n => n > 0)) windows[i] = new(this, starts[i], counts);
        });
        return [.. windows.OfType<Window>()];
    }

    private static IEnumerable<int> Starts(int length, int patch, int stride)
    {
        if (length <= patch) return [0];
        return Enumerable.Range(0, (length - patch + stride - 1) / stride + 1).Select(i => Math.Min(i * stride, length - patch));
    }

    /// <summary>A start is relative to the region, and moved by the draw.</summary>
    public override void Cut(Size3 start, Size3 patch, int slices, PatchDraw draw, Span<float> image, Span<long> target)
    {
        var shift = draw.Shift;
        start = new(Limit(start.Z + shift.Z, Box.Size.Z - patch.Z), Limit(start.Y + shift.Y, Box.Size.Y - patch.Y), Limit(start.X + shift.X, Box.Size.X - patch.X));
        var margin = draw.Margin(patch);
        var halo = slices / 2;
        var wide = new Box(start - new Size3(halo, margin.Y, margin.X), new(patch.Z + 2 * halo, patch.Y + 2 * margin.Y, patch.X + 2 * margin.X));
        var source = ArrayPool<float>.Shared.Rent((int)wide.Count);
        var planes = wide.Size.Z;
        var plane = patch.Y * patch.X;
        for (var c = 0; c < _channels.Length; c++)
        {
            Borders.Read(_channels[c], wide, Border.Mirror, source.AsSpan(0, (int)wide.Count));
            for (var z = 0; z < planes; z++)
                draw.Turn(source.AsSpan(z * (int)wide.Size.SliceCount, (int)wide.Size.SliceCount), wide.Size, patch, image.Slice((c * planes + z) * plane, plane));
        }
        ArrayPool<float>.Shared.Return(source);
        draw.Change(image[..(_channels.Length * planes * plane)], patch.Y, patch.X);
        var below = new Box(start - new Size3(0, margin.Y, margin.X), new(patch.Z, wide.Size.Y, wide.Size.X));
        var labels = ArrayPool<byte>.Shared.Rent((int)below.Count);
        Borders.Read(_labels, below, Border.Mirror, labels.AsSpan(0, (int)below.Count));
        for (var z = 0; z < patch.Z; z++)
            draw.Turn(labels.AsSpan(z * (int)below.Size.SliceCount, (int)below.Size.SliceCount), below.Size, patch, Classes, target.Slice(z * plane, plane));
        ArrayPool<byte>.Shared.Return(labels);
        static int Limit(int at, int last) => Math.Clamp(at, 0, Math.Max(0, last));
    }

    private sealed class Part<T>(IVolume<T> whole, Box box) : IVolume<T> where T : unmanaged
    {
        public VolumeInfo Info { get; } = whole.Info with { Size = box.Size };

        public void Read(Box part, Span<T> target) => whole.Read(part.Shift(box.Start), target);
    }
}
