namespace Kerf.Volumes;

/// <summary>A line through a volume: corners (z, y, x) and a value at each.</summary>
public sealed record SceneLine(IReadOnlyList<(double Z, double Y, double X)> Points, IReadOnlyList<double> Values);

/// <summary>What a measure shows in three dimensions: bodies or lines, coloured by a value. Where there are lines, bodies are only their setting.</summary>
/// <param name="Name">kebab-case, for a file.</param>
/// <param name="Title">What one sees.</param>
/// <param name="Quantity">What colours stand for.</param>
/// <param name="Unit">Its unit.</param>
/// <param name="Extent">Edges of the whole volume.</param>
/// <param name="LengthUnit">Unit of <paramref name="Extent"/> and of corners.</param>
public sealed record Scene(string Name, string Title, string Quantity, string Unit, VoxelSize Extent, string LengthUnit)
{
    private const int MostCells = 160;

    /// <summary>Bodies in a coarse grid over the whole volume: the value of the body in each cell, NaN where there is none.</summary>
    public required Volume<float> Bodies { get; init; }

    /// <summary>Lines.</summary>
    public IReadOnlyList<SceneLine> Lines { get; init; } = [];

    /// <summary>Colours go by the logarithm.</summary>
    public bool Logarithmic { get; init; }

    /// <summary>Samples bodies: cells as near to cubes as the voxels allow, each takes the value of its middle voxel.</summary>
    /// <param name="info">Extent and voxel size.</param>
    /// <param name="fill">Fills a slice with values, NaN where there is no body.</param>
    public static Volume<float> Sample(VolumeInfo info, Action<int, Span<float>> fill)
    {
        var (size, voxel) = (info.Size, info.Voxel ?? VoxelSize.Cube(1));
        var edge = Math.Max(size.Z * voxel.Z, Math.Max(size.Y * voxel.Y, size.X * voxel.X)) / MostCells;
        int Cells(int count, double length) => Math.Clamp((int)Math.Round(count * length / edge), 1, count);
        var cells = new Size3(Cells(size.Z, voxel.Z), Cells(size.Y, voxel.Y), Cells(size.X, voxel.X));
        var (bodies, slice) = (new Volume<float>(cells), new float[size.SliceCount]);
        int Middle(int cell, int axis) => (int)((cell + 0.5) * size[axis] / cells[axis]);
        for (int z = 0, i = 0; z < cells.Z; z++)
        {
            fill(Middle(z, 0), slice);
            for (var y = 0; y < cells.Y; y++)
            {
                for (var x = 0; x < cells.X; x++, i++) bodies.Data[i] = slice[Middle(y, 1) * size.X + Middle(x, 2)];
            }
        }
        return bodies;
    }
}
