using Kerf.Volumes;

namespace Kerf.Microstructure;

/// <summary>A volume cut into nearly equal tiles, numbered x fastest: what a bootstrap draws from.</summary>
/// <param name="Volume">Extent of the volume in voxels.</param>
/// <param name="Tiles">Tiles along each axis.</param>
/// <param name="Grain">Borders along x lie at multiples of it.</param>
public readonly record struct TileGrid(Size3 Volume, Size3 Tiles, int Grain = 1)
{

    /// <summary>About so many tiles, as near to cubes in nanometres as the extent allows.</summary>
    /// <param name="info">Extent and voxel size.</param>
    /// <param name="wanted">Tiles.</param>
    /// <param name="grain">Borders along x lie at multiples of it.</param>
    public static TileGrid Of(VolumeInfo info, int wanted = 512, int grain = 1)
    {
        var (size, voxel) = (info.Size, Lengths.Voxel(info));
        var x = Along((size.X + grain - 1) / grain, size.X * voxel.X, Math.Cbrt(size.Count * voxel.Volume / wanted));
        var edge = grain == 1 ? Math.Cbrt(size.Count * voxel.Volume / wanted) : Math.Sqrt(size.Z * voxel.Z * size.Y * voxel.Y * x / wanted);
        return new(size, new(Along(size.Z, size.Z * voxel.Z, edge), Along(size.Y, size.Y * voxel.Y, edge), x), grain);

        static int Along(int most, double length, double edge) => (int)Math.Clamp(Math.Round(length / edge), 1, Math.Min(most, 256));
    }

    /// <summary>All tiles.</summary>
    public int Count => (int)Tiles.Count;

    /// <summary>Which of the tiles along an axis (0 is z) a voxel lies in.</summary>
    public int Along(int axis, int voxel) => (int)((long)(axis == 2 ? voxel - voxel % Grain : voxel) * Tiles[axis] / Volume[axis]);

    /// <summary>The tile that a voxel lies in.</summary>
    public int Of(int z, int y, int x) => (Along(0, z) * Tiles.Y + Along(1, y)) * Tiles.X + Along(2, x);

    /// <summary>The voxels of a tile.</summary>
    public Box this[int tile]
    {
        get
        {
            var (volume, tiles, grain) = (Volume, Tiles, Grain);
            var (z, y, x) = (tile / (tiles.Y * tiles.X), tile / tiles.X % tiles.Y, tile % tiles.X);
            var start = new Size3(First(0, z), First(1, y), First(2, x));
            return new(start, new Size3(First(0, z + 1), First(1, y + 1), First(2, x + 1)) - start);

            // the first voxel v with ⌊v·tiles/volume⌋ = tile
            int First(int axis, int at)
            {
                var first = (int)(((long)at * volume[axis] + tiles[axis] - 1) / tiles[axis]);
                return axis < 2 ? first : Math.Min(volume.X, (first + grain - 1) / grain * grain);
            }
        }
    }
}
