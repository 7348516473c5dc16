using Kerf.Volumes;

namespace Kerf.Microstructure;

/// <summary>
/// The void around a particle and the pores in it. A ball of radius r rolls in from the border of the volume; void that it cannot reach is inner pore
/// (RF 3.7). A ball is centred on a void voxel that has no solid voxel nearer than r, moves from face to face, and covers what is nearer than r. It
/// may reach beyond the border of the volume, where nothing is.
/// </summary>
public static class RollingBall
{
    private const int BytesPerVoxel = 10;

    /// <summary>Values of the result.</summary>
    public const byte Outside = 0, InnerPore = 1, Solid = 2;

    /// <summary>Which voxels are solid, inner pore, outside. In memory: 10 bytes per voxel while it works, 1 in the end.</summary>
    /// <param name="solid">Not 0 = solid.</param>
    /// <param name="radius">Radius of the ball in nm (voxels where the size is unknown).</param>
    /// <param name="walk">Threads, budget, progress.</param>
    /// <exception cref="InputError">No ball of this radius fits at the border, or the budget is too small.</exception>
    public static Volume<byte> Of(IVolume<byte> solid, double radius, Traversal walk)
    {
        var (size, x) = (solid.Info.Size, Lengths.Voxel(solid.Info).X);
        if (size.Count > Array.MaxLength || size.Count > walk.MemoryBytes / BytesPerVoxel) throw new InputError(
            $"particle-interior: {size} voxels need {(BytesPerVoxel * size.Count >> 20) + 1} MiB, the memory budget is {walk.MemoryBytes >> 20} MiB. "
            + "Raise --memory (2³¹ voxels at most), or crop the volume to the particle.");
        var limit = radius / x * (radius / x) * (1 - (double)LocalThickness.Tie);
        var toSolid = DistanceMap.Squared(new Complement(solid), walk.Part(0, 0.3));
        var centres = new Volume<byte>(solid.Info with { Phases = null });
        for (var i = 0; i < toSolid.Length; i++) centres.Data[i] = (byte)(toSolid[i] >= limit && toSolid[i] > 0 ? 1 : 0);
        if (!FromBorder(centres.Data, size)) throw new InputError(FormattableString.Invariant(
            $"particle-interior: no ball of radius {radius} {Lengths.Unit(solid.Info)} fits at the border of the volume, so none can roll in. Lower --radius, or leave more room around the particle."));
        SquaredDistance.Fill(new Complement(centres), Box.Whole(size), toSolid, Lengths.Voxel(solid.Info), walk.Part(0.4, 0.8));
        var result = centres.Data;
        var plane = (int)size.SliceCount;
        walk.Part(0.8, 1).ForEach(size.Z, z =>
        {
            var row = new byte[plane];
            solid.Read(Box.Slice(size, z), row);
            var at = z * plane;
            for (var i = 0; i < plane; i++) result[at + i] = row[i] != 0 ? Solid : toSolid[at + i] < limit ? Outside : InnerPore;
        });
        return centres;
    }

    // keeps the centres (1) that hang together with one at the border, over faces; the others become 0
    private static bool FromBorder(byte[] centres, Size3 size)
    {
        const byte Reached = 2;
        var waiting = new Queue<int>();
        void Reach(int voxel)
        {
            if (centres[voxel] != 1) return;
            centres[voxel] = Reached;
            waiting.Enqueue(voxel);
        }
        var (row, plane) = (size.X, size.Y * size.X);
        for (var voxel = 0; voxel < centres.Length; voxel++)
        {
            var (z, y, x) = (voxel / plane, voxel / row % size.Y, voxel % row);
            if (z == 0 || y == 0 || x == 0 || z == size.Z - 1 || y == size.Y - 1 || x == size.X - 1) Reach(voxel);
        }
        var any = waiting.Count > 0;
        while (waiting.TryDequeue(out var voxel))
        {
            var (z, y, x) = (voxel / plane, voxel / row % size.Y, voxel % row);
            if (z > 0) Reach(voxel - plane);
            if (z < size.Z - 1) Reach(voxel + plane);
            if (y > 0) Reach(voxel - row);
            if (y < size.Y - 1) Reach(voxel + row);
            if (x > 0) Reach(voxel - 1);
            if (x < size.X - 1) Reach(voxel + 1);
        }
        for (var voxel = 0; voxel < centres.Length; voxel++) centres[voxel] = (byte)(centres[voxel] == Reached ? 1 : 0);
        return any;
    }
}

/// <summary>A mask turned round: 1 where it was 0.</summary>
internal sealed class Complement(IVolume<byte> mask) : IVolume<byte>
{
    public VolumeInfo Info => mask.Info;

    public void Read(Box box, Span<byte> target)
    {
        mask.Read(box, target);
        foreach (ref var voxel in target[..checked((int)box.Count)]) voxel = (byte)(voxel == 0 ? 1 : 0);
    }
}
