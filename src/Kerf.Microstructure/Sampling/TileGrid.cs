using Kerf.Volumes;

namespace Kerf.Microstructure;

/// <summary>A volume cut into nearly equal tiles, numbered x fastest: what a bootstrap draws from.</summary>
/// <param name="Volume">Extent of the volume in voxels.</param>
/// <param name="Tiles">Tiles along each axis.</param>
public readonly record struct TileGrid(Size3 Volume, Size3 Tiles)
{
    private const int Wanted = 512;

    /// <summary>About 512 tiles, as near to cubes in nanometres as the extent allows.</summary>
    public static TileGrid Of(VolumeInfo info)
    {
        var voxel = Lengths.Voxel(info);
        var edge = Math.Cbrt(info.Size.Count * voxel.Volume / Wanted);
        int Along(int voxels, double length) => (int)Math.Clamp(Math.Round(voxels * length / edge), 1, Math.Min(voxels, 256));
        return new(info.Size, new(Along(info.Size.Z, voxel.Z), Along(info.Size.Y, voxel.Y), Along(info.Size.X, voxel.X)));
    }

    /// <summary>All tiles.</summary>
    public int Count => (int)Tiles.Count;

    /// <summary>Which of the tiles along an axis (0 is z) a voxel lies in.</summary>
    public int Along(int axis, int voxel) => (int)((long)voxel * Tiles[axis] / Volume[axis]);

    /// <summary>The tile that a voxel lies in.</summary>
    public int Of(int z, int y, int x) => (Along(0, z) * Tiles.Y + Along(1, y)) * Tiles.X + Along(2, x);

    /// <summary>The voxels of a tile.</summary>
    public Box this[int tile]
    {
        get
        {
            var (volume, tiles) = (Volume, Tiles);
            var (z, y, x) = (tile / (tiles.Y * tiles.X), tile / tiles.X % tiles.Y, tile % tiles.X);
            var start = new Size3(First(0, z), First(1, y), First(2, x));
            return new(start, new Size3(First(0, z + 1), First(1, y + 1), First(2, x + 1)) - start);

            // the first voxel v with ⌊v·tiles/volume⌋ = tile
            int First(int axis, int at) => (int)(((long)at * volume[axis] + tiles[axis] - 1) / tiles[axis]);
        }
    }
}
