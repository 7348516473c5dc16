using System.Numerics;
using System.Runtime.CompilerServices;
using Kerf.Volumes;

namespace Kerf.Imaging;

/// <summary>
/// Non-local means of one block, tile by tile. w(p, p+t) = w(p+t, p), so one half of all shifts t is enough: for each, the weights of every p
/// that lies in the tile or whose p+t does; then f(p+t) is added to p and f(p) to p+t. A voxel gets its summands in an order that only t
/// decides. Sums over a patch are row sums, then sums of rows (Darbon et al. 2008, doi:10.1109/ISBI.2008.4541250), each added anew in a fixed
/// order: a running sum would round differently wherever a block begins. Rows have a margin of vectors at their end, whose lanes are computed
/// and ignored, so there is no other code for the remainder.
/// </summary>
internal sealed class PatchTile
{
    private readonly Size3 _edge, _patch, _search, _halo;
    private readonly Similarity _similarity;
    private readonly int _greyPitch, _pitch, _rowCount, _weightPitch;
    private readonly float[] _grey, _squares, _rowSums, _planeSums, _weights, _values, _total;

    public PatchTile(Size3 edge, Size3 patch, Size3 search, Similarity similarity)
    {
        (_edge, _patch, _search, _halo, _similarity) = (edge, patch, search, patch + search, similarity);
        var margin = 2 * Vector<float>.Count;
        _greyPitch = edge.X + 2 * _halo.X + margin;
        _pitch = edge.X + search.X + 2 * patch.X + margin;
        _weightPitch = edge.X + margin;
        _rowCount = edge.Y + search.Y + 2 * patch.Y;
        _grey = new float[(edge.Z + 2 * _halo.Z) * (edge.Y + 2 * _halo.Y) * _greyPitch];
        _squares = new float[_pitch];
        _weights = new float[_pitch + margin];
        _rowSums = new float[_rowCount * _pitch];
        _planeSums = patch.Z == 0 ? [] : new float[(edge.Z + search.Z + 2 * patch.Z) * _rowCount * _pitch];
        _values = new float[edge.Z * edge.Y * _weightPitch];
        _total = new float[_values.Length];
    }

    /// <summary>Filters the inner box of a block.</summary>
    public void Filter(Block<float> block, Span<float> output)
    {
        var grid = new BlockGrid(block.Inner.Size, _edge);
        for (var i = 0; i < grid.Count; i++)
        {
            var tile = grid[i];
            Load(block, tile);
            for (var tz = 0; tz <= _search.Z; tz++)
                for (var ty = tz > 0 ? -_search.Y : 0; ty <= _search.Y; ty++)
                    for (var tx = tz > 0 || ty > 0 ? -_search.X : 1; tx <= _search.X; tx++)
                        Add(tile.Size, new(tz, ty, tx));
            Store(tile, block.Inner.Size, output);
        }
    }

    // the unshifted voxel has weight 1
    private void Load(Block<float> block, Box tile)
    {
        var outer = block.Outer.Size;
        for (var z = 0; z < tile.Size.Z + 2 * _halo.Z; z++)
        {
            for (var y = 0; y < tile.Size.Y + 2 * _halo.Y; y++)
            {
                var from = ((tile.Start.Z + z) * outer.Y + tile.Start.Y + y) * outer.X + tile.Start.X;
                block.Voxels.Slice(from, tile.Size.X + 2 * _halo.X).CopyTo(_grey.AsSpan(Grey(z - _halo.Z, y - _halo.Y, -_halo.X)));
            }
        }
        for (var z = 0; z < tile.Size.Z; z++)
            for (var y = 0; y < tile.Size.Y; y++)
                _grey.AsSpan(Grey(z, y, 0), tile.Size.X).CopyTo(_values.AsSpan(Result(z, y)));
        _total.AsSpan().Fill(1);
    }

    private void Store(Box tile, Size3 inner, Span<float> output)
    {
        for (var z = 0; z < tile.Size.Z; z++)
        {
            for (var y = 0; y < tile.Size.Y; y++)
            {
                var to = output.Slice(((tile.Start.Z + z) * inner.Y + tile.Start.Y + y) * inner.X + tile.Start.X, tile.Size.X);
                for (var x = 0; x < to.Length; x++) to[x] = _values[Result(z, y) + x] / _total[Result(z, y) + x];
            }
        }
    }

    private void Add(Size3 tile, Size3 t)
    {
        var start = new Size3(-t.Z, Math.Min(0, -t.Y), Math.Min(0, -t.X));
        var end = new Size3(tile.Z, Math.Max(tile.Y, tile.Y - t.Y), Math.Max(tile.X, tile.X - t.X));
        var (planes, rows, width) = (2 * _patch.Z + 1, 2 * _patch.Y + 1, end.X - start.X);
        for (var z = start.Z - _patch.Z; z < end.Z + _patch.Z; z++)
        {
            var plane = z - start.Z + _patch.Z;
            for (var y = start.Y - _patch.Y; y < end.Y + _patch.Y; y++)
            {
                var row = y - start.Y + _patch.Y;
                RowSums(z, y, start.X, width, t, ref _rowSums[row * _pitch]);
                var first = row - rows + 1;
                if (first < 0) continue;
                if (planes == 1)
                {
                    Sum(ref _rowSums[first * _pitch], _pitch, rows, width, ref _weights[0], _similarity);
                    Accumulate(tile, t, z, y - _patch.Y, start.X);
                    continue;
                }
                Sum(ref _rowSums[first * _pitch], _pitch, rows, width, ref _planeSums[(plane * _rowCount + first) * _pitch], default(Plain));
                if (plane < planes - 1) continue;
                ref var sums = ref _planeSums[((plane - planes + 1) * _rowCount + first) * _pitch];
                Sum(ref sums, _rowCount * _pitch, planes, width, ref _weights[0], _similarity);
                Accumulate(tile, t, z - _patch.Z, y - _patch.Y, start.X);
            }
        }
    }

    // squared differences between the row and the shifted row, summed over the width of a patch
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void RowSums(int z, int y, int x, int width, Size3 t, ref float sums)
    {
        ref var a = ref _grey[Grey(z, y, x - _patch.X)];
        ref var b = ref _grey[Grey(z + t.Z, y + t.Y, x - _patch.X + t.X)];
        ref var squares = ref _squares[0];
        for (var i = 0; i < width + 2 * _patch.X; i += Vector<float>.Count)
        {
            var difference = Vector.LoadUnsafe(ref a, (nuint)i) - Vector.LoadUnsafe(ref b, (nuint)i);
            (difference * difference).StoreUnsafe(ref squares, (nuint)i);
        }
        Sum(ref squares, 1, 2 * _patch.X + 1, width, ref sums, default(Plain));
    }

    // ((f(i) + f(i + stride)) + f(i + 2·stride)) + …: the usual patches unrolled, which doubles the speed
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Sum<TMap>(ref float from, int stride, int count, int width, ref float to, TMap map) where TMap : struct, ISumMap
    {
        ref var b = ref Unsafe.Add(ref from, stride);
        ref var c = ref Unsafe.Add(ref from, 2 * stride);
        ref var d = ref Unsafe.Add(ref from, 3 * stride);
        var (two, three) = ((nuint)(2 * stride), (nuint)(3 * stride));
        for (var i = (nuint)0; i < (nuint)width; i += (nuint)Vector<float>.Count)
        {
            var sum = Vector.LoadUnsafe(ref from, i);
            if (count == 3)
            {
                sum = sum + Vector.LoadUnsafe(ref b, i) + Vector.LoadUnsafe(ref c, i);
            }
            else if (count == 5)
            {
                sum = sum + Vector.LoadUnsafe(ref b, i) + Vector.LoadUnsafe(ref c, i)
                    + Vector.LoadUnsafe(ref b, i + two) + Vector.LoadUnsafe(ref c, i + two);
            }
            else if (count == 7)
            {
                sum = sum + Vector.LoadUnsafe(ref b, i) + Vector.LoadUnsafe(ref c, i) + Vector.LoadUnsafe(ref d, i)
                    + Vector.LoadUnsafe(ref b, i + three) + Vector.LoadUnsafe(ref c, i + three) + Vector.LoadUnsafe(ref d, i + three);
            }
            else
            {
                for (var k = 1; k < count; k++) sum += Vector.LoadUnsafe(ref from, i + (nuint)(k * stride));
            }
            map.Of(sum).StoreUnsafe(ref to, i);
        }
    }

    private readonly struct Plain : ISumMap
    {
        public Vector<float> Of(Vector<float> sum) => sum;
    }

    // weights of row (z, y), the first of them for column x: forwards to p, backwards to p + t, where these lie in the tile
    private void Accumulate(Size3 tile, Size3 t, int z, int y, int x)
    {
        if (z >= 0 && (uint)y < (uint)tile.Y) Accumulate(Result(z, y), Grey(z + t.Z, y + t.Y, t.X), -x, tile.X);
        if (z + t.Z < tile.Z && (uint)(y + t.Y) < (uint)tile.Y) Accumulate(Result(z + t.Z, y + t.Y), Grey(z, y, -t.X), -t.X - x, tile.X);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Accumulate(int to, int from, int weight, int width)
    {
        ref var values = ref _values[to];
        ref var total = ref _total[to];
        ref var grey = ref _grey[from];
        ref var weights = ref _weights[weight];
        for (var i = 0; i < width; i += Vector<float>.Count)
        {
            var w = Vector.LoadUnsafe(ref weights, (nuint)i);
            (Vector.LoadUnsafe(ref values, (nuint)i) + w * Vector.LoadUnsafe(ref grey, (nuint)i)).StoreUnsafe(ref values, (nuint)i);
            (Vector.LoadUnsafe(ref total, (nuint)i) + w).StoreUnsafe(ref total, (nuint)i);
        }
    }

    // where a voxel of the tile, or of its halo, lies in the buffers
    private int Grey(int z, int y, int x) => ((z + _halo.Z) * (_edge.Y + 2 * _halo.Y) + y + _halo.Y) * _greyPitch + x + _halo.X;

    private int Result(int z, int y) => (z * _edge.Y + y) * _weightPitch;
}
