using System.Numerics;
using System.Runtime.CompilerServices;
using Kerf.Volumes;

namespace Kerf.Microstructure;

/// <summary>How well two neighbouring voxels conduct, as a multiple of what the geometry alone gives.</summary>
internal interface IConduction
{
    /// <summary>The factor for an edge.</summary>
    float Between(int voxel, int other);
}

/// <summary>One phase, diffusivity 1.</summary>
internal readonly struct OnePhase : IConduction
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public float Between(int voxel, int other) => 1;
}

/// <summary>Several phases: the harmonic mean of the diffusivities on both sides, as two half voxels in series have it.</summary>
internal readonly struct SeveralPhases(byte[] kinds, float[] means, int count) : IConduction
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public float Between(int voxel, int other) => means[kinds[voxel] * count + kinds[other]];
}

/// <summary>
/// The conducting voxels as a network, face to face; nothing of it is stored but the voxels' bits. Neighbours' numbers are counted along on the
/// way:
/// a neighbour's rank is that of its word plus the bits below it.
/// </summary>
/// <param name="voxels">The voxels.</param>
/// <param name="along">Conductance between voxels of neighbouring layers, rows and columns.</param>
/// <param name="conduction">The phases' part of it.</param>
internal sealed class VoxelNetwork<TConduction>(ConductingVoxels voxels, (float Z, float Y, float X) along, TConduction conduction) : Network
    where TConduction : struct, IConduction
{
    public override int Count => voxels.Count;

    public override Size3 Cells => voxels.Size;

    public override int First(int layer) => voxels.Start[layer * voxels.Size.Y];

    /// <summary>The network with its diagonal.</summary>
    public VoxelNetwork<TConduction> Ready(Traversal walk)
    {
        AddUpEdges(walk);
        return this;
    }

    public override void Places(int layer, Size3 factors, int width, Span<int> places)
    {
        var node = 0;
        for (var y = 0; y < voxels.Size.Y; y++)
        {
            var bits = voxels.Row(layer * voxels.Size.Y + y);
            var line = y / factors.Y * width;
            for (var word = 0; word < bits.Length; word++)
            {
                for (var open = bits[word]; open != 0; open &= open - 1)
                    places[node++] = line + (word * 64 + BitOperations.TrailingZeroCount(open)) / factors.X;
            }
        }
    }

    public override void Visit<T, TWork>(int layer, ref TWork work)
    {
        for (var y = 0; y < voxels.Size.Y; y++) VisitRow<T, TWork>(layer, y, ref work);
    }

    private void VisitRow<T, TWork>(int layer, int y, ref TWork work) where T : struct, INumber<T> where TWork : struct, INodeWork<T>
    {
        var (row, before, after) = (layer * voxels.Size.Y + y, voxels.Beside(layer, y, -1), voxels.Beside(layer, y, 1));
        var (under, over) = (voxels.Across(layer, y, -1), voxels.Across(layer, y, 1));
        ReadOnlySpan<ulong> ownBits = voxels.Row(row), beforeBits = voxels.Row(before), afterBits = voxels.Row(after);
        ReadOnlySpan<ulong> underBits = voxels.Row(under), overBits = voxels.Row(over);
        var start = voxels.Start;
        int beforeAt = start[before], afterAt = start[after], underAt = start[under], overAt = start[over];
        int first = start[row], last = start[row + 1] - 1;
        var node = first;
        var wraps = voxels.IsPeriodic && voxels.Size.X > 1 && node <= last && (ownBits[0] & 1) != 0 && (ownBits[^1] >> (voxels.Size.X - 1) & 1) != 0;
        var carry = wraps ? 1UL : 0;
        for (var word = 0; word < ownBits.Length; word++)
        {
            ulong own = ownBits[word], north = beforeBits[word], south = afterBits[word], down = underBits[word], up = overBits[word];
            var left = own << 1 | carry;
            var right = own >> 1 | (word + 1 < ownBits.Length ? ownBits[word + 1] << 63 : wraps ? 1UL << (voxels.Size.X - 1) : 0);
            for (var open = own; open != 0; open &= open - 1)
            {
                var bit = open & (0 - open);
                var below = bit - 1;
                var sum = T.Zero;
                if ((down & bit) != 0) sum += Edge<T, TWork>(ref work, node, underAt + BitOperations.PopCount(down & below), along.Z);
                if ((north & bit) != 0) sum += Edge<T, TWork>(ref work, node, beforeAt + BitOperations.PopCount(north & below), along.Y);
                if ((left & bit) != 0) sum += Edge<T, TWork>(ref work, node, node > first ? node - 1 : last, along.X);
                if ((right & bit) != 0) sum += Edge<T, TWork>(ref work, node, node < last ? node + 1 : first, along.X);
                if ((south & bit) != 0) sum += Edge<T, TWork>(ref work, node, afterAt + BitOperations.PopCount(south & below), along.Y);
                if ((up & bit) != 0) sum += Edge<T, TWork>(ref work, node, overAt + BitOperations.PopCount(up & below), along.Z);
                work.Node(node, y, word * 64 + BitOperations.TrailingZeroCount(bit), sum);
                node++;
            }
            carry = own >> 63;
            beforeAt += BitOperations.PopCount(north);
            afterAt += BitOperations.PopCount(south);
            underAt += BitOperations.PopCount(down);
            overAt += BitOperations.PopCount(up);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private T Edge<T, TWork>(ref TWork work, int node, int other, float geometry) where T : struct where TWork : struct, INodeWork<T> =>
        work.Edge(node, other, geometry * conduction.Between(node, other));
}
