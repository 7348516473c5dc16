using System.Numerics;

namespace Kerf.Microstructure;

/// <summary>
/// Whether a voxel can be taken away without joining, parting or piercing anything: its neighbourhood has one piece of the phase (over 26 neighbours)
/// and one piece of the rest that touches it (over faces, within the 18 nearest). Bertrand and Malandain 1994, doi:10.1016/0167-8655(94)90046-9.
/// </summary>
internal static class SimplePoint
{
    /// <summary>The voxel itself in a neighbourhood: bit 13 of (z + 1)·9 + (y + 1)·3 + x + 1.</summary>
    public const uint Centre = 1u << 13;

    private static readonly uint[] Touching = Adjacent(3);
    private static readonly uint[] Facing = Adjacent(1);
    private static readonly uint Faces = Near(1);
    private static readonly uint Edges = Near(2);

    /// <summary>Whether the middle of a neighbourhood (a bit per voxel of the phase) is simple.</summary>
    public static bool Is(uint phase)
    {
        phase &= ~Centre;
        if (phase == 0) return false;
        var rest = ~phase & Edges;
        if ((rest & Faces) == 0) return false;
        return Piece(phase, phase & (0u - phase), Touching) == phase && (rest & Faces & ~Piece(rest, rest & Faces & (0u - (rest & Faces)), Facing)) == 0;
    }

    // what of a set hangs together with a seed
    private static uint Piece(uint set, uint seed, uint[] adjacent)
    {
        var (piece, fresh) = (seed, seed);
        while (fresh != 0)
        {
            var reached = 0u;
            for (; fresh != 0; fresh &= fresh - 1) reached |= adjacent[BitOperations.TrailingZeroCount(fresh)];
            fresh = reached & set & ~piece;
            piece |= fresh;
        }
        return piece;
    }

    private static (int Z, int Y, int X) At(int bit) => (bit / 9 - 1, bit / 3 % 3 - 1, bit % 3 - 1);

    private static uint Near(int most)
    {
        var set = 0u;
        for (var bit = 0; bit < 27; bit++)
        {
            var (z, y, x) = At(bit);
            if (z * z + y * y + x * x is var norm && norm > 0 && norm <= most) set |= 1u << bit;
        }
        return set;
    }

    private static uint[] Adjacent(int most)
    {
        var masks = new uint[27];
        for (var a = 0; a < 27; a++)
        {
            for (var b = 0; b < 27; b++)
            {
                var ((az, ay, ax), (bz, by, bx)) = (At(a), At(b));
                var (z, y, x) = (az - bz, ay - by, ax - bx);
                if (a != b && Math.Max(Math.Abs(z), Math.Max(Math.Abs(y), Math.Abs(x))) <= 1 && z * z + y * y + x * x <= most) masks[a] |= 1u << b;
            }
        }
        return masks;
    }
}
