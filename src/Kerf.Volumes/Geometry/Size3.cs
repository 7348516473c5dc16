using System.Globalization;

namespace Kerf.Volumes;

/// <summary>A number of voxels along (z, y, x): the extent of a volume, a block, a chunk or a halo.</summary>
/// <param name="Z">Slices, along the milling direction.</param>
/// <param name="Y">Rows of the image plane, downwards.</param>
/// <param name="X">Columns of the image plane.</param>
public readonly record struct Size3(int Z, int Y, int X)
{
    /// <summary>The number of voxels, z·y·x.</summary>
    public long Count => (long)Z * Y * X;

    /// <summary>The number of voxels in one slice, y·x.</summary>
    public long SliceCount => (long)Y * X;

    /// <summary>The same extent along each axis.</summary>
    public static Size3 Cube(int edge) => new(edge, edge, edge);

    /// <summary>Axis 0 is z, 1 is y, 2 is x.</summary>
    public int this[int axis] => axis switch { 0 => Z, 1 => Y, 2 => X, _ => throw new ArgumentOutOfRangeException(nameof(axis)) };

    /// <summary>The smaller of the two, axis by axis.</summary>
    public static Size3 Min(Size3 a, Size3 b) => new(Math.Min(a.Z, b.Z), Math.Min(a.Y, b.Y), Math.Min(a.X, b.X));

    /// <summary>Sum, axis by axis.</summary>
    public static Size3 operator +(Size3 a, Size3 b) => new(a.Z + b.Z, a.Y + b.Y, a.X + b.X);

    /// <summary>Difference, axis by axis.</summary>
    public static Size3 operator -(Size3 a, Size3 b) => new(a.Z - b.Z, a.Y - b.Y, a.X - b.X);

    /// <summary>Scaled by a whole number.</summary>
    public static Size3 operator *(Size3 a, int k) => new(a.Z * k, a.Y * k, a.X * k);

    /// <summary>"z×y×x".</summary>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Z}×{Y}×{X}");
}
