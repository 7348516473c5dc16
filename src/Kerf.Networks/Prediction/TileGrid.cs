using Kerf.Volumes;

namespace Kerf.Networks;

/// <summary>Overlapping tiles on one axis, and how much each of their voxels counts. Pure arithmetic.</summary>
internal sealed class TileAxis
{
    /// <summary>Tiles that cover an axis evenly, overlapping by at least <paramref name="overlap"/> voxels.</summary>
    /// <param name="length">Voxels of the axis.</param>
    /// <param name="tile">Voxels of a tile; longer than the axis when the network needs it.</param>
    /// <param name="overlap">Voxels that neighbours share.</param>
    public TileAxis(int length, int tile, int overlap)
    {
        Tile = tile;
        var count = length <= tile ? 1 : (length - overlap + tile - overlap - 1) / (tile - overlap);
        Starts = [.. Enumerable.Range(0, count).Select(i => count == 1 ? 0 : (int)Math.Round((double)i * (length - tile) / (count - 1)))];
        // rises from the rim over the overlap, so that what a tile sees least of counts least
        Weights = [.. Enumerable.Range(0, tile).Select(i => Math.Min(1f, (Math.Min(i, tile - 1 - i) + 1f) / (overlap + 1f)))];
    }

    /// <summary>Voxels of a tile.</summary>
    public int Tile { get; }

    /// <summary>First voxel of each tile.</summary>
    public int[] Starts { get; }

    /// <summary>Importance of each voxel of a tile.</summary>
    public float[] Weights { get; }
}

/// <summary>The tiles of a volume: layers along z, and the tiles of a layer.</summary>
internal sealed class TileGrid
{
    /// <summary>Tiles for a network.</summary>
    /// <param name="volume">Extent.</param>
    /// <param name="network">Says what extents must be multiples of.</param>
    /// <param name="tile">Wanted edge.</param>
    /// <param name="overlap">Wanted overlap.</param>
    public TileGrid(Size3 volume, Network network, int tile, int overlap)
    {
        var m = network.Multiple;
        TileAxis Axis(int length)
        {
            var edge = Math.Min((tile + m - 1) / m, (length + m - 1) / m) * m;
            return new(length, edge, Math.Min(overlap, edge / 2));
        }
        Z = network.Dimensions == 3 ? Axis(volume.Z) : new(volume.Z, 1, 0);
        (Y, X) = (Axis(volume.Y), Axis(volume.X));
    }

    /// <summary>Along z: single slices for 2-D networks.</summary>
    public TileAxis Z { get; }

    /// <summary>Along y.</summary>
    public TileAxis Y { get; }

    /// <summary>Along x.</summary>
    public TileAxis X { get; }

    /// <summary>Extent of a tile.</summary>
    public Size3 Tile => new(Z.Tile, Y.Tile, X.Tile);

    /// <summary>The slice after the last one that is complete when a layer is done.</summary>
    public int Complete(int layer, int depth) => layer + 1 < Z.Starts.Length ? Z.Starts[layer + 1] : depth;
}
