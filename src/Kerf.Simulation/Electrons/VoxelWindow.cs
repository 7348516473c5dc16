using Kerf.Volumes;

namespace Kerf.Simulation;

/// <summary>
/// The part of a structure that a beam can reach from a tile of the image: materials, and for each voxel how many voxels around it are of the same
/// material (a cube of edge 2c + 1), so that transport looks for faces only where there are some.
/// </summary>
internal sealed class VoxelWindow
{
    /// <summary>Largest cube that is looked for.</summary>
    public const int MostClear = 12;

    /// <summary>Reads a box, mirrored where it reaches outside the structure, and measures it.</summary>
    /// <exception cref="InputError">A phase has no material.</exception>
    public VoxelWindow(IVolume<byte> structure, Box box, ReadOnlySpan<byte> materialOf)
    {
        Box = box;
        Cells = new ushort[box.Count + 2];
        var size = structure.Info.Size;
        int[] Mapped(int start, int count, int length) => [.. Enumerable.Range(start, count).Select(i => Borders.Map(Border.Mirror, i, length))];
        var (ys, xs) = (Mapped(box.Start.Y, box.Size.Y, size.Y), Mapped(box.Start.X, box.Size.X, size.X));
        var (top, left) = (ys.Min(), xs.Min());
        var part = new Size3(1, ys.Max() - top + 1, xs.Max() - left + 1);
        var labels = new byte[part.Count];
        var at = 0;
        for (var z = 0; z < box.Size.Z; z++)
        {
            structure.Read(new(new(Borders.Map(Border.Mirror, box.Start.Z + z, size.Z), top, left), part), labels);
            foreach (var y in ys)
            {
                var row = labels.AsSpan((y - top) * part.X, part.X);
                foreach (var x in xs)
                {
                    var label = row[x - left];
                    Cells[at++] = materialOf[label] < byte.MaxValue ? materialOf[label] : throw NoMaterial(structure, label);
                }
            }
        }
        Clear();
    }

    /// <summary>Where the window lies; it may reach outside the structure.</summary>
    public Box Box { get; }

    /// <summary>Material in the low byte, clearance in the high one.</summary>
    public ushort[] Cells { get; }

    internal static InputError NoMaterial(IVolume structure, int label)
    {
        var name = structure.Info.Phases?.FirstOrDefault(p => p.Label == label)?.Name;
        return new($"phase {label}{(name is null ? "" : $" ({name})")} has no material. Add --material {label}=Au, or {label}=vacuum where nothing is.");
    }

    // chessboard distance to another material or to the window's border, in two sweeps over the 26 neighbours
    private void Clear()
    {
        var size = Box.Size;
        int row = size.X, plane = size.X * size.Y;
        int[] before = [.. from z in new[] { -1, 0 } from y in new[] { -1, 0, 1 } from x in new[] { -1, 0, 1 }
                           where z < 0 || y < 0 || (y == 0 && x < 0) select z * plane + y * row + x];
        var distance = new byte[Box.Count];
        void Visit(int at, int sign)
        {
            var material = (byte)Cells[at];
            int least = sign > 0 ? MostClear + 1 : distance[at];
            foreach (var step in before)
            {
                var other = at + sign * step;
                least = Math.Min(least, (byte)Cells[other] == material ? distance[other] + 1 : 1);
            }
            distance[at] = (byte)Math.Min(least, MostClear + 1);
        }
        // a voxel at the border keeps 1: nothing is known of what lies beyond
        Array.Fill(distance, (byte)1);
        for (var z = 1; z < size.Z - 1; z++)
            for (var y = 1; y < size.Y - 1; y++)
                for (var x = 1; x < size.X - 1; x++) Visit(z * plane + y * row + x, 1);
        for (var z = size.Z - 2; z > 0; z--)
            for (var y = size.Y - 2; y > 0; y--)
                for (var x = size.X - 2; x > 0; x--) Visit(z * plane + y * row + x, -1);
        for (var i = 0; i < distance.Length; i++) Cells[i] |= (ushort)((distance[i] - 1) << 8);
    }
}
