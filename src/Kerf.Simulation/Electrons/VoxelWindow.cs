using System.Numerics.Tensors;
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
        var materials = new byte[box.Count];
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
                    materials[at++] = materialOf[label] < byte.MaxValue ? materialOf[label] : throw NoMaterial(structure, label);
                }
            }
        }
        var clear = Clearance(materials, box.Size);
        for (var i = 0; i < materials.Length; i++) Cells[i] = (ushort)(materials[i] | (clear[i] << 8));
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

    // How many voxels each way are of the same material: chessboard distance to another one or to the window's border, less one. A voxel with a neighbour
    // of another material has distance 1, the others one more than the least of their 26 neighbours: two sweeps, rows as vectors of bytes
    private static byte[] Clearance(byte[] material, Size3 size)
    {
        int row = size.X, plane = size.X * size.Y, inner = row - 2;
        var distance = new byte[size.Count];
        Array.Fill(distance, (byte)1);
        var (buffer, other) = (new byte[inner], new byte[inner]);
        for (var z = 1; z < size.Z - 1; z++)
            for (var y = 1; y < size.Y - 1; y++)
            {
                var at = z * plane + y * row + 1;
                Array.Clear(buffer);
                for (var step = 0; step < 27; step++)
                {
                    var neighbour = at + (step / 9 - 1) * plane + (step / 3 % 3 - 1) * row + step % 3 - 1;
                    TensorPrimitives.Xor<byte>(material.AsSpan(at, inner), material.AsSpan(neighbour, inner), other);
                    TensorPrimitives.BitwiseOr<byte>(buffer, other, buffer);
                }
                for (var x = 0; x < inner; x++) distance[at + x] = buffer[x] == 0 ? (byte)(MostClear + 1) : (byte)1;
                Sweep(at, 1);
            }
        for (var z = size.Z - 2; z > 0; z--)
            for (var y = size.Y - 2; y > 0; y--) Sweep(z * plane + y * row + 1, -1);

        // the three rows of the plane that was swept before, the row that was, then the row itself
        void Sweep(int at, int sign)
        {
            var before = at - sign * plane;
            var own = distance.AsSpan(at, inner);
            Array.Fill(buffer, (byte)MostClear);
            foreach (var start in (ReadOnlySpan<int>)[before - row, before, before + row, at - sign * row])
                for (var x = -1; x <= 1; x++) TensorPrimitives.Min<byte>(buffer, distance.AsSpan(start + x, inner), buffer);
            TensorPrimitives.Add<byte>(buffer, 1, buffer);
            TensorPrimitives.Min<byte>(own, buffer, own);
            var last = 1;
            for (var i = 0; i < inner; i++)
            {
                ref var value = ref own[sign > 0 ? i : inner - 1 - i];
                value = (byte)(last = Math.Min(value, last + 1));
            }
        }
        TensorPrimitives.Subtract<byte>(distance, 1, distance);
        return distance;
    }
}
