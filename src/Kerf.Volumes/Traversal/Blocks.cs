using System.Buffers;
using System.Runtime.CompilerServices;

namespace Kerf.Volumes;

/// <summary>What a block kernel is given: the voxels of a block with its halo, already filled by the border rule.</summary>
/// <typeparam name="T">Voxel type.</typeparam>
public readonly ref struct Block<T> where T : unmanaged
{
    /// <summary>The voxels of <see cref="Outer"/>, x fastest.</summary>
    public required ReadOnlySpan<T> Voxels { get; init; }

    /// <summary>The region that <see cref="Voxels"/> covers, in volume coordinates; it may reach outside the volume.</summary>
    public required Box Outer { get; init; }

    /// <summary>The region whose result is wanted.</summary>
    public required Box Inner { get; init; }
}

/// <summary>Writes the result of <see cref="Block{T}.Inner"/> to <paramref name="output"/>, x fastest. Called from several threads.</summary>
public delegate void BlockKernel<TIn, TOut>(Block<TIn> input, Span<TOut> output) where TIn : unmanaged where TOut : unmanaged;

/// <summary>
/// Walks volumes block by block: read the block and its halo, call the kernel on spans, write the inner box. It knows no filters; a filter
/// states its halo, and its result must not depend on the block it is computed in.
/// </summary>
public static class Blocks
{
    /// <summary>Cubic blocks of <see cref="Traversal.BlockEdge"/>; the target has the source's size.</summary>
    /// <param name="source">What the kernel reads.</param>
    /// <param name="target">What it writes; regions that are durable already are skipped.</param>
    /// <param name="halo">Voxels that the kernel needs around each block.</param>
    /// <param name="border">What lies outside the volume.</param>
    /// <param name="walk">Threads, budget, progress.</param>
    /// <param name="kernel">The work.</param>
    /// <param name="scratchBytes">Bytes per voxel of the block with its halo that the kernel allocates besides its input and output.</param>
    public static void Map<TIn, TOut>(
        IVolume<TIn> source, IWritableVolume<TOut> target, Size3 halo, Border border, Traversal walk, BlockKernel<TIn, TOut> kernel, int scratchBytes = 0)
        where TIn : unmanaged where TOut : unmanaged =>
        Map(source, target, Size3.Cube(walk.BlockEdge), halo, border, walk, kernel, scratchBytes);

    /// <summary>One whole slice at a time, with <paramref name="haloZ"/> slices before and after; for kernels that need the full image plane.</summary>
    public static void MapSlices<TIn, TOut>(
        IVolume<TIn> source, IWritableVolume<TOut> target, int haloZ, Border border, Traversal walk, BlockKernel<TIn, TOut> kernel, int scratchBytes = 0)
        where TIn : unmanaged where TOut : unmanaged =>
        Map(source, target, new Size3(1, target.Info.Size.Y, target.Info.Size.X), new Size3(haloZ, 0, 0), border, walk, kernel, scratchBytes);

    /// <summary>
    /// Calls <paramref name="body"/> with each whole slice, from several threads and in no fixed order: keep one result per slice and combine
    /// them in slice order.
    /// </summary>
    public static void ForEachSlice<T>(IVolume<T> source, Traversal walk, Action<int, T[]> body) where T : unmanaged
    {
        var size = source.Info.Size;
        var count = checked((int)size.SliceCount);
        walk.ForEach(size.Z, z =>
        {
            var buffer = ArrayPool<T>.Shared.Rent(count);
            source.Read(Box.Slice(size, z), buffer);
            body(z, buffer);
            ArrayPool<T>.Shared.Return(buffer);
        });
    }

    private static void Map<TIn, TOut>(
        IVolume<TIn> source, IWritableVolume<TOut> target, Size3 edge, Size3 halo, Border border, Traversal walk, BlockKernel<TIn, TOut> kernel, int scratchBytes)
        where TIn : unmanaged where TOut : unmanaged
    {
        if (source.Info.Size != target.Info.Size) throw new ArgumentException($"target is {target.Info.Size}, source {source.Info.Size}", nameof(target));
        var grid = new BlockGrid(target.Info.Size, edge);
        var threads = Affordable<TIn, TOut>(grid, halo, scratchBytes, walk);
        walk.ForEach(grid.Count, item =>
        {
            var inner = grid[item];
            if (target.IsWritten(inner)) return;
            var outer = inner.Grow(halo);
            var input = ArrayPool<TIn>.Shared.Rent(checked((int)outer.Count));
            var output = ArrayPool<TOut>.Shared.Rent(checked((int)inner.Count));
            Borders.Read(source, outer, border, input.AsSpan(0, (int)outer.Count));
            kernel(new Block<TIn> { Voxels = input.AsSpan(0, (int)outer.Count), Outer = outer, Inner = inner }, output.AsSpan(0, (int)inner.Count));
            target.Write(inner, output.AsSpan(0, (int)inner.Count));
            ArrayPool<TIn>.Shared.Return(input);
            ArrayPool<TOut>.Shared.Return(output);
        }, threads);
    }

    // as many workers as the budget holds; half of it is left to the caches of the volumes
    private static int Affordable<TIn, TOut>(BlockGrid grid, Size3 halo, int scratchBytes, Traversal walk) where TIn : unmanaged where TOut : unmanaged
    {
        var inner = Size3.Min(grid.Edge, grid.Volume);
        var outer = inner + halo * 2;
        var bytes = outer.Count * (Unsafe.SizeOf<TIn>() + scratchBytes) + inner.Count * Unsafe.SizeOf<TOut>();
        var affordable = walk.MemoryBytes / 2 / Math.Max(1, bytes);
        return affordable >= 1 ? (int)Math.Min(affordable, walk.Threads) : throw new InputError(
            $"memory budget of {walk.MemoryBytes >> 20} MiB is too small: one block of {outer} needs {(2 * bytes >> 20) + 1} MiB. Raise --memory or lower --block.");
    }
}

/// <summary>The blocks that tile a volume, numbered x fastest, then y, then z. Pure arithmetic.</summary>
/// <param name="Volume">Extent of the volume.</param>
/// <param name="Edge">Extent of a block; the last ones are cut at the volume's end.</param>
public readonly record struct BlockGrid(Size3 Volume, Size3 Edge)
{
    /// <summary>Blocks along each axis.</summary>
    public Size3 Blocks => new((Volume.Z + Edge.Z - 1) / Edge.Z, (Volume.Y + Edge.Y - 1) / Edge.Y, (Volume.X + Edge.X - 1) / Edge.X);

    /// <summary>All blocks.</summary>
    public int Count => checked((int)Blocks.Count);

    /// <summary>The region of one block.</summary>
    public Box this[int block]
    {
        get
        {
            var n = Blocks;
            var start = new Size3(block / (n.Y * n.X) * Edge.Z, block / n.X % n.Y * Edge.Y, block % n.X * Edge.X);
            return new(start, Size3.Min(Edge, Volume - start));
        }
    }
}
