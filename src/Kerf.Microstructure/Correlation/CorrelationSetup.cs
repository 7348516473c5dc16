using Kerf.Volumes;

namespace Kerf.Microstructure;

/// <summary>What the correlation measures share: a mask, where the specimen is, tiles of 64-voxel words, and how far to go.</summary>
internal sealed class CorrelationSetup
{
    private const int Tiles = 64;
    private const int MostSteps = 256;
    private readonly double? _longest;

    /// <summary>Prepares a mask.</summary>
    /// <param name="mask">The phase.</param>
    /// <param name="longest">The longest distance in <see cref="Lengths.Unit"/>; null for half the extent, at most 256 voxels.</param>
    /// <param name="walk">Threads.</param>
    public CorrelationSetup(PhaseMask mask, double? longest, Traversal walk)
    {
        (Mask, _longest, Specimen) = (mask, longest, mask.Specimen(walk));
        Grid = TileGrid.Of(mask.Info, Tiles, grain: 64);
    }

    /// <summary>The phase.</summary>
    public PhaseMask Mask { get; }

    /// <summary>Where the specimen is; null when everywhere.</summary>
    public IVolume<byte>? Specimen { get; }

    /// <summary>The tiles.</summary>
    public TileGrid Grid { get; }

    /// <summary>Extent in voxels.</summary>
    public Size3 Size => Mask.Info.Size;

    /// <summary>Voxel edges along the rows' and the columns' axis of planes.</summary>
    public (double Rows, double Columns) Edges(int normal) => (Mask.Voxel[Planes.RowAxis(normal)], Mask.Voxel[Planes.ColumnAxis(normal)]);

    /// <summary>Voxels to go along an axis.</summary>
    public int Steps(int axis) => (int)Math.Clamp(Math.Floor((_longest ?? double.MaxValue) / Mask.Voxel[axis] + 1e-9), 1, Math.Max(1, Math.Min(Size[axis] / 2, MostSteps)));

    /// <summary>Radii in a plane: a step as fine as its finer voxel edge, and how many.</summary>
    public (double Step, int Count) Radii(int normal)
    {
        var (rows, columns) = (Planes.RowAxis(normal), Planes.ColumnAxis(normal));
        var step = Math.Min(Mask.Voxel[rows], Mask.Voxel[columns]);
        var longest = Math.Min(Steps(rows) * Mask.Voxel[rows], Steps(columns) * Mask.Voxel[columns]);
        return (step, (int)Math.Floor(longest / step + 1e-9) + 1);
    }

    /// <summary>Voxels of the specimen by tile.</summary>
    public double[] Weights(Traversal walk)
    {
        if (Specimen is null) return [.. Enumerable.Range(0, Grid.Count).Select(tile => (double)Grid[tile].Count)];
        var counts = new PairCounts(Grid, periodic: false);
        counts.Count(Specimen, Axis.X, 0, walk with { Progress = null });
        return [.. counts[Axis.X].Select(tile => (double)tile[0])];
    }

    /// <summary>Name of a plane by its normal: "yz", "xz", "xy".</summary>
    public static string PlaneName(int normal) => normal switch { 0 => "xy", 1 => "xz", _ => "yz" };
}
