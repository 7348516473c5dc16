using System.Globalization;

namespace Kerf.Volumes;

/// <summary>The edge lengths of a voxel in nanometres. z, y and x may differ: FIB-SEM voxels seldom are cubes.</summary>
public readonly record struct VoxelSize
{
    /// <summary>Edge lengths in nanometres.</summary>
    /// <exception cref="InputError">A length is not a positive, finite number.</exception>
    public VoxelSize(double z, double y, double x)
    {
        (Z, Y, X) = (Checked(z, "z"), Checked(y, "y"), Checked(x, "x"));
        static double Checked(double length, string axis) => double.IsFinite(length) && length > 0 ? length : throw new InputError(
            string.Create(CultureInfo.InvariantCulture, $"voxel size: {axis} is {length} nm; it must be above 0. Set it with --voxel z,y,x (nanometres)."));
    }

    /// <summary>Slice thickness in nanometres.</summary>
    public double Z { get; }

    /// <summary>Pixel height in nanometres.</summary>
    public double Y { get; }

    /// <summary>Pixel width in nanometres.</summary>
    public double X { get; }

    /// <summary>Volume of one voxel in cubic nanometres.</summary>
    public double Volume => Z * Y * X;

    /// <summary>The finest edge in nanometres.</summary>
    public double Finest => Math.Min(Z, Math.Min(Y, X));

    /// <summary>Axis 0 is z, 1 is y, 2 is x.</summary>
    public double this[int axis] => axis switch { 0 => Z, 1 => Y, 2 => X, _ => throw new ArgumentOutOfRangeException(nameof(axis)) };

    /// <summary>A cube of the given edge in nanometres.</summary>
    public static VoxelSize Cube(double edge) => new(edge, edge, edge);

    /// <summary>Reads "z,y,x" in nanometres, or one number for a cube.</summary>
    /// <exception cref="InputError">The text is not one or three positive numbers.</exception>
    public static VoxelSize Parse(string text)
    {
        var parts = text.Split(',', StringSplitOptions.TrimEntries);
        var lengths = new double[parts.Length];
        for (var i = 0; i < parts.Length; i++)
        {
            if (!double.TryParse(parts[i], NumberStyles.Float, CultureInfo.InvariantCulture, out lengths[i])) lengths = [];
            if (lengths.Length == 0) break;
        }
        return lengths.Length switch
        {
            1 => Cube(lengths[0]),
            3 => new(lengths[0], lengths[1], lengths[2]),
            _ => throw new InputError($"voxel size: \"{text}\" is not a size; write z,y,x in nanometres, like 10,5,5."),
        };
    }

    /// <summary>"z,y,x" in nanometres, as <see cref="Parse"/> reads it.</summary>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Z},{Y},{X}");
}
