using System.Buffers;
using Kerf.Volumes;

namespace Kerf.Imaging;

/// <summary>Which voxels touch.</summary>
public enum Connectivity
{
    /// <summary>Those that share a face: 4 in a slice, 6 in a volume.</summary>
    Faces,

    /// <summary>Those that share a face, an edge or a corner: 8 in a slice, 26 in a volume.</summary>
    Full,
}

/// <summary>
/// Connected components of a volume that need not fit in memory. Each slice is labelled by itself, in raster order; a union-find joins the
/// pieces of neighbouring slices; whoever needs the labels of a slice has them made again. Held in memory: a few tens of bytes per in-slice
/// piece, never the voxels. Components are numbered from 1 by their first voxel (z, then y, then x), whatever the threads.
/// </summary>
public sealed class Components
{
    private readonly Size3 _size;
    private readonly bool _full;
    private readonly bool _mask;
    private readonly int[] _offset;
    private readonly int[] _component;

    private Components(Size3 size, bool full, bool mask, int[] offset, int[] component, Part[] parts)
    {
        (_size, _full, _mask, _offset, _component) = (size, full, mask, offset, component);
        Parts = parts;
    }

    /// <summary>What is known of a component.</summary>
    /// <param name="Value">The value of its voxels (of its first voxel in a mask).</param>
    /// <param name="Voxels">How many they are.</param>
    /// <param name="AtBorder">One lies on the border: of its slice when slices are kept apart, else of the volume.</param>
    /// <param name="Marked">One holds the value 2.</param>
    public readonly record struct Part(byte Value, long Voxels, bool AtBorder, bool Marked)
    {
        internal Part And(Part other) => this with
        {
            Voxels = Voxels + other.Voxels,
            AtBorder = AtBorder || other.AtBorder,
            Marked = Marked || other.Marked,
        };
    }

    /// <summary>All components; component n is at n − 1.</summary>
    public IReadOnlyList<Part> Parts { get; }

    /// <summary>Components of equal labels (0 belongs to none); every label at once.</summary>
    public static Components OfLabels(IVolume<byte> labels, bool acrossSlices, Connectivity connectivity, Traversal walk) =>
        Find(labels, acrossSlices, connectivity == Connectivity.Full, false, walk);

    /// <summary>Components of the voxels that are not 0; those of value 2 mark theirs.</summary>
    public static Components OfMask(IVolume<byte> mask, bool acrossSlices, Connectivity connectivity, Traversal walk) =>
        Find(mask, acrossSlices, connectivity == Connectivity.Full, true, walk);

    /// <summary>The component of each voxel of a slice, 0 for none, given the same voxels as before.</summary>
    public void Label(int z, ReadOnlySpan<byte> slice, Span<int> components)
    {
        LabelSlice(slice, _size.Y, _size.X, _full, _mask, components);
        var offset = _offset[z];
        for (var i = 0; i < slice.Length; i++)
        {
            if (components[i] != 0) components[i] = _component[offset + components[i] - 1];
        }
    }

    private static Components Find(IVolume<byte> volume, bool acrossSlices, bool full, bool mask, Traversal walk)
    {
        var size = volume.Info.Size;
        var parts = new Part[size.Z][];
        var links = new HashSet<(int Above, int Here)>[size.Z];
        Slabs.ForEach(volume, acrossSlices ? 1 : 0, 8, walk, (first, count, halo, voxels) =>
        {
            var plane = (int)size.SliceCount;
            var (above, here) = (ArrayPool<int>.Shared.Rent(plane), ArrayPool<int>.Shared.Rent(plane));
            if (halo > 0) LabelSlice(voxels.AsSpan(0, plane), size.Y, size.X, full, mask, above);
            for (var z = first; z < first + count; z++)
            {
                var slice = voxels.AsSpan((z - first + halo) * plane, plane);
                var pieces = LabelSlice(slice, size.Y, size.X, full, mask, here);
                parts[z] = Describe(slice, here, pieces, size, acrossSlices && (z == 0 || z == size.Z - 1));
                links[z] = [];
                if (z > 0 && acrossSlices) Link(voxels.AsSpan((z - 1 - first + halo) * plane, plane), slice, above, here, size, full, mask, links[z]);
                (above, here) = (here, above);
            }
            ArrayPool<int>.Shared.Return(above);
            ArrayPool<int>.Shared.Return(here);
        });
        return Join(size, full, mask, parts, links);
    }

    private static Components Join(Size3 size, bool full, bool mask, Part[][] parts, HashSet<(int Above, int Here)>[] links)
    {
        var offset = new int[size.Z + 1];
        for (var z = 0; z < size.Z; z++) offset[z + 1] = checked(offset[z] + parts[z].Length);
        var parent = new int[offset[size.Z]];
        for (var i = 0; i < parent.Length; i++) parent[i] = i;
        for (var z = 1; z < size.Z; z++)
        {
            foreach (var (above, here) in links[z]) Unite(parent, offset[z - 1] + above - 1, offset[z] + here - 1);
        }
        // a root is the first piece of its component, so it is met before the others
        var joined = new List<Part>();
        for (int z = 0, i = 0; z < size.Z; z++)
        {
            foreach (var part in parts[z])
            {
                var root = Root(parent, i);
                if (root == i)
                {
                    joined.Add(part);
                    parent[i] = ~joined.Count;
                }
                else
                {
                    parent[i] = parent[root];
                    joined[~parent[i] - 1] = joined[~parent[i] - 1].And(part);
                }
                i++;
            }
        }
        for (var i = 0; i < parent.Length; i++) parent[i] = ~parent[i];
        return new(size, full, mask, offset, parent, [.. joined]);
    }

    // ~number marks a piece that is numbered already: it is a root then
    private static int Root(int[] parent, int i)
    {
        while (parent[i] >= 0 && parent[i] != i)
        {
            if (parent[parent[i]] >= 0) parent[i] = parent[parent[i]];
            i = parent[i];
        }
        return i;
    }

    private static void Unite(int[] parent, int a, int b)
    {
        (a, b) = (Root(parent, a), Root(parent, b));
        parent[Math.Max(a, b)] = Math.Min(a, b);
    }

    private static int LabelSlice(ReadOnlySpan<byte> slice, int height, int width, bool full, bool mask, Span<int> labels)
    {
        var parent = new int[256];
        var next = 1;
        for (int y = 0, i = 0; y < height; y++)
        {
            for (var x = 0; x < width; x++, i++)
            {
                var value = slice[i];
                labels[i] = 0;
                if (value == 0) continue;
                var label = 0;
                if (x > 0 && Same(value, slice[i - 1], mask)) label = labels[i - 1];
                if (y > 0)
                {
                    if (Same(value, slice[i - width], mask)) label = Join(label, labels[i - width]);
                    if (full && x > 0 && Same(value, slice[i - width - 1], mask)) label = Join(label, labels[i - width - 1]);
                    if (full && x < width - 1 && Same(value, slice[i - width + 1], mask)) label = Join(label, labels[i - width + 1]);
                }
                if (label == 0)
                {
                    if (next == parent.Length) Array.Resize(ref parent, 2 * next);
                    parent[next] = next;
                    label = next++;
                }
                labels[i] = label;
            }
        }
        var count = 0;
        for (var label = 1; label < next; label++) parent[label] = parent[label] == label ? ~++count : parent[Root(parent, label)];
        for (var i = 0; i < slice.Length; i++)
        {
            if (labels[i] != 0) labels[i] = ~parent[labels[i]];
        }
        return count;

        int Join(int label, int other)
        {
            if (label == 0 || label == other) return other;
            Unite(parent, label, other);
            return Math.Min(label, other);
        }
    }

    private static bool Same(byte a, byte b, bool mask) => mask ? a != 0 && b != 0 : a == b;

    private static Part[] Describe(ReadOnlySpan<byte> slice, ReadOnlySpan<int> labels, int count, Size3 size, bool atEnd)
    {
        var parts = new Part[count];
        for (int y = 0, i = 0; y < size.Y; y++)
        {
            for (var x = 0; x < size.X; x++, i++)
            {
                if (labels[i] == 0) continue;
                ref var part = ref parts[labels[i] - 1];
                var border = atEnd || y == 0 || x == 0 || y == size.Y - 1 || x == size.X - 1;
                part = new(part.Voxels == 0 ? slice[i] : part.Value, part.Voxels + 1, part.AtBorder || border, part.Marked || slice[i] == 2);
            }
        }
        return parts;
    }

    private static void Link(
        ReadOnlySpan<byte> above, ReadOnlySpan<byte> here, ReadOnlySpan<int> aboveLabels, ReadOnlySpan<int> hereLabels, Size3 size,
        bool full, bool mask, HashSet<(int, int)> links)
    {
        var reach = full ? 1 : 0;
        var last = (0, 0);
        for (int y = 0, i = 0; y < size.Y; y++)
        {
            for (var x = 0; x < size.X; x++, i++)
            {
                if (hereLabels[i] == 0) continue;
                for (var v = Math.Max(0, y - reach); v <= Math.Min(size.Y - 1, y + reach); v++)
                {
                    for (var u = Math.Max(0, x - reach); u <= Math.Min(size.X - 1, x + reach); u++)
                    {
                        var j = v * size.X + u;
                        if (aboveLabels[j] == 0 || !Same(above[j], here[i], mask) || (aboveLabels[j], hereLabels[i]) == last) continue;
                        last = (aboveLabels[j], hereLabels[i]);
                        links.Add(last);
                    }
                }
            }
        }
    }
}

/// <summary>Walks a label volume in slabs of whole slices, as deep as the memory budget allows; no result depends on the depth.</summary>
internal static class Slabs
{
    /// <summary>Called with the first slice, the number of slices, the slices before them that <c>voxels</c> begins with, and the voxels.</summary>
    public delegate void Body(int first, int count, int before, byte[] voxels);

    /// <summary>Calls the body with every slab, from several threads and in no fixed order.</summary>
    /// <param name="volume">Read slab by slab.</param>
    /// <param name="halo">Slices that the body needs before and after its slab (cut at the volume's ends).</param>
    /// <param name="scratchBytes">Bytes per voxel of one slice that the body allocates.</param>
    /// <param name="walk">Threads, budget, progress.</param>
    /// <param name="body">The work.</param>
    public static void ForEach(IVolume<byte> volume, int halo, int scratchBytes, Traversal walk, Body body)
    {
        var size = volume.Info.Size;
        var slices = walk.MemoryBytes / 4 / Math.Max(1, walk.Threads) / Math.Max(1, size.SliceCount);
        var depth = (int)Math.Clamp(slices - scratchBytes - 2 * halo, 1, 16);
        walk.ForEach((size.Z + depth - 1) / depth, slab =>
        {
            var first = slab * depth;
            var count = Math.Min(depth, size.Z - first);
            var start = Math.Max(0, first - halo);
            var box = Box.Slices(size, start, Math.Min(size.Z, first + count + halo) - start);
            var voxels = ArrayPool<byte>.Shared.Rent(checked((int)box.Count));
            volume.Read(box, voxels);
            body(first, count, first - start, voxels);
            ArrayPool<byte>.Shared.Return(voxels);
        });
    }

    /// <summary>Copies a (lazy) volume into a target.</summary>
    public static void Write(IVolume<byte> volume, IWritableVolume<byte> target, Traversal walk)
    {
        var size = volume.Info.Size;
        ForEach(volume, 0, 8, walk, (first, count, _, voxels) =>
            target.Write(Box.Slices(size, first, count), voxels.AsSpan(0, (int)(count * size.SliceCount))));
    }
}

/// <summary>A label volume whose slices are changed one by one as they are read; it is only read in whole slices.</summary>
internal sealed class SliceView(IVolume<byte> inner, SliceView.Change change) : IVolume<byte>
{
    /// <summary>Changes a slice in place.</summary>
    public delegate void Change(int z, Span<byte> slice);

    public VolumeInfo Info => inner.Info;

    public void Read(Box box, Span<byte> target)
    {
        if (box.Size.SliceCount != Info.Size.SliceCount) throw new ArgumentException($"{box} is not made of whole slices", nameof(box));
        inner.Read(box, target);
        var plane = (int)box.Size.SliceCount;
        for (var z = 0; z < box.Size.Z; z++) change(box.Start.Z + z, target.Slice(z * plane, plane));
    }
}
