using System.Globalization;

namespace Kerf.Volumes;

/// <summary>A region of a volume: its first voxel and its extent, both (z, y, x). It may reach outside the volume.</summary>
/// <param name="Start">First voxel.</param>
/// <param name="Size">Extent in voxels.</param>
public readonly record struct Box(Size3 Start, Size3 Size)
{
    /// <summary>One past the last voxel.</summary>
    public Size3 End => Start + Size;

    /// <summary>The number of voxels.</summary>
    public long Count => Size.Count;

    /// <summary>The box that starts at the origin.</summary>
    public static Box Whole(Size3 size) => new(default, size);

    /// <summary>The single slice <paramref name="z"/> of a volume.</summary>
    public static Box Slice(Size3 volume, int z) => new(new(z, 0, 0), new(1, volume.Y, volume.X));

    /// <summary>Slices <paramref name="z"/> to <paramref name="z"/> + <paramref name="count"/> − 1 of a volume.</summary>
    public static Box Slices(Size3 volume, int z, int count) => new(new(z, 0, 0), new(count, volume.Y, volume.X));

    /// <summary>Grown by <paramref name="halo"/> on both sides of each axis.</summary>
    public Box Grow(Size3 halo) => new(Start - halo, Size + halo * 2);

    /// <summary>Moved by <paramref name="by"/>.</summary>
    public Box Shift(Size3 by) => new(Start + by, Size);

    /// <summary>The part that lies in both; an extent of 0 where they do not meet.</summary>
    public Box Intersect(Box other)
    {
        var start = new Size3(Math.Max(Start.Z, other.Start.Z), Math.Max(Start.Y, other.Start.Y), Math.Max(Start.X, other.Start.X));
        var end = Size3.Min(End, other.End);
        return new(start, new(Math.Max(0, end.Z - start.Z), Math.Max(0, end.Y - start.Y), Math.Max(0, end.X - start.X)));
    }

    /// <summary>True when every voxel of <paramref name="inner"/> lies in this box.</summary>
    public bool Contains(Box inner) => inner.Intersect(this) == inner;

    /// <summary>"z a:b, y a:b, x a:b", half-open.</summary>
    public override string ToString() =>
        string.Create(CultureInfo.InvariantCulture, $"z {Start.Z}:{End.Z}, y {Start.Y}:{End.Y}, x {Start.X}:{End.X}");
}
