using System.Numerics;
using Kerf.Volumes;

namespace Kerf.Microstructure;

/// <summary>A direction in a plane, followed by a digital line: one row (or column) a step, and <see cref="Slope"/> columns (or rows) with it.</summary>
/// <param name="AlongRows">True when a step goes to the next column: the plane is turned before it is walked.</param>
/// <param name="Slope">Voxels sideways per step, −1 to 1.</param>
/// <param name="Step">Length of a step.</param>
internal readonly record struct Direction(bool AlongRows, double Slope, double Step)
{
    /// <summary>The direction at an angle to the columns' axis.</summary>
    /// <param name="angle">Radians.</param>
    /// <param name="edges">Voxel edges along the rows' axis and the columns' axis.</param>
    public static Direction At(double angle, (double Rows, double Columns) edges)
    {
        var (sin, cos) = Math.SinCos(angle);
        // what is zero but for rounding is zero
        var (rows, columns) = (Math.Abs(sin) < 1e-12 ? 0 : sin / edges.Rows, Math.Abs(cos) < 1e-12 ? 0 : cos / edges.Columns);
        return Math.Abs(rows) >= Math.Abs(columns) ? new(false, columns / rows, 1 / Math.Abs(rows)) : new(true, rows / columns, 1 / Math.Abs(columns));
    }
}

/// <summary>
/// Lengths of the runs of set bits on all digital lines of some directions in the planes across an axis, counted per tile and length. Every voxel
/// lies on one line of each direction. A run ends at the border too.
/// </summary>
internal sealed class RunLengths
{
    private RunLengths(Direction[] directions, int tiles, int longest)
    {
        Directions = directions;
        Counts = [.. directions.Select(_ => Enumerable.Range(0, tiles).Select(_ => new long[longest + 1]).ToArray())];
        Whole = [.. directions.Select(_ => new long[longest + 1])];
    }

    /// <summary>The directions.</summary>
    public Direction[] Directions { get; }

    /// <summary>Runs by direction, tile and length in steps.</summary>
    public long[][][] Counts { get; }

    /// <summary>Runs that no border cuts, by direction and length; only for directions along an axis.</summary>
    public long[][] Whole { get; }

    /// <summary>Counts the runs.</summary>
    public static RunLengths Of(IVolume<byte> mask, int normal, Direction[] directions, TileGrid grid, Traversal walk)
    {
        var size = mask.Info.Size;
        var (rowAxis, columnAxis) = (Planes.RowAxis(normal), Planes.ColumnAxis(normal));
        var (rows, columns) = (size[rowAxis], size[columnAxis]);
        var result = new RunLengths(directions, grid.Count, Math.Max(rows, columns));
        var tile = new TileWeights(grid.Tiles);
        var rowTiles = Enumerable.Range(0, rows).Select(row => grid.Along(rowAxis, row) * tile[rowAxis]).ToArray();
        var columnTiles = Enumerable.Range(0, columns).Select(column => grid.Along(columnAxis, column) * tile[columnAxis]).ToArray();
        Planes.ForEach(mask, normal, walk, _ =>
        {
            var (upright, turned) = (new BitPlane(rows, columns), new BitPlane(columns, rows));
            var (lines, turnedLines) = (new Lines(rows, columns, rowTiles, columnTiles), new Lines(columns, rows, columnTiles, rowTiles));
            var own = new SortedDictionary<int, int[][]>();
            var whole = directions.Select(_ => new int[Math.Max(rows, columns) + 1]).ToArray();
            return ((plane, voxels) =>
            {
                var offset = grid.Along(normal, plane) * tile[normal];
                if (!own.TryGetValue(offset, out var counts))
                    own[offset] = counts = [.. directions.Select(_ => new int[grid.Count * (Math.Max(rows, columns) + 1)])];
                upright.Fill(voxels);
                upright.TransposeTo(turned);
                for (var i = 0; i < directions.Length; i++)
                    (directions[i].AlongRows ? turnedLines : lines).Walk(directions[i].AlongRows ? turned : upright, directions[i].Slope, counts[i], whole[i]);
            }, () =>
            {
                lock (result) result.Add(own, whole);
            }
            );
        }, 8L * directions.Length * grid.Count * Math.Max(rows, columns));
        return result;
    }

    /// <summary>Runs that a volume of set bits has: the room for segments.</summary>
    public static long[][] Room(Size3 size, int normal, Direction[] directions)
    {
        var (rows, columns) = (size[Planes.RowAxis(normal)], size[Planes.ColumnAxis(normal)]);
        return [.. directions.Select(direction =>
        {
            var (r, c) = direction.AlongRows ? (columns, rows) : (rows, columns);
            var plane = new BitPlane(r, c);
            plane.FillWhole();
            var (counts, whole) = (new int[Math.Max(r, c) + 1], new int[Math.Max(r, c) + 1]);
            new Lines(r, c, new int[r], new int[c]).Walk(plane, direction.Slope, counts, whole);
            return counts.Select(count => (long)count * size[normal]).ToArray();
        })];
    }

    /// <summary>Segments of 0, 1, 2 … steps that lie wholly within the runs: Σ max(0, length − steps).</summary>
    public static double[] Segments(ReadOnlySpan<long> runs, int steps)
    {
        var segments = new double[steps + 1];
        for (var k = 0; k <= steps; k++)
        {
            for (var length = k + 1; length < runs.Length; length++) segments[k] += (double)runs[length] * (length - k);
        }
        return segments;
    }

    private void Add(SortedDictionary<int, int[][]> own, int[][] whole)
    {
        for (var i = 0; i < Directions.Length; i++)
        {
            var lengths = Whole[i].Length;
            foreach (var (offset, counts) in own)
            {
                for (var at = 0; at < counts[i].Length; at++)
                {
                    if (counts[i][at] > 0) Counts[i][offset + at / lengths][at % lengths] += counts[i][at];
                }
            }
            for (var length = 0; length < lengths; length++) Whole[i][length] += whole[i][length];
        }
    }

    // what one step along an axis of the grid adds to a tile's number
    private readonly struct TileWeights(Size3 tiles)
    {
        public int this[int axis] => axis switch { 0 => tiles.Y * tiles.X, 1 => tiles.X, _ => 1 };
    }

    // walks all digital lines of one direction, row by row; line j holds column j + shift(row)
    private sealed class Lines(int rows, int columns, int[] rowTiles, int[] columnTiles)
    {
        private readonly int[] _start = new int[columns + 2 * rows + 2];
        private readonly ulong[] _last = new ulong[(columns + 63) / 64];
        private readonly int _lengths = Math.Max(rows, columns) + 1;

        public void Walk(BitPlane plane, double slope, int[] counts, int[] whole)
        {
            _last.AsSpan().Clear();
            var shift = 0;
            for (var row = 0; row < rows; row++)
            {
                var next = (int)Math.Floor(row * slope + 0.5);
                if (next > shift) LeaveRight(row, shift, counts);
                else if (next < shift) LeaveLeft(row, shift, counts);
                shift = next;
                Compare(plane.Row(row), row, shift, counts, slope == 0 ? whole : null);
            }
            for (var word = 0; word < _last.Length; word++)
            {
                for (var left = _last[word]; left != 0; left &= left - 1)
                    End(rows, word * 64 + BitOperations.TrailingZeroCount(left), shift, counts);
            }
        }

        private void Compare(ReadOnlySpan<ulong> now, int row, int shift, int[] counts, int[]? whole)
        {
            for (var word = 0; word < now.Length; word++)
            {
                for (var changed = _last[word] ^ now[word]; changed != 0; changed &= changed - 1)
                {
                    var bit = BitOperations.TrailingZeroCount(changed);
                    var column = word * 64 + bit;
                    if ((now[word] >> bit & 1) != 0)
                    {
                        _start[column - shift + rows] = row;
                        continue;
                    }
                    var length = End(row, column, shift, counts);
                    if (whole is not null && length < row) whole[length]++;
                }
                _last[word] = now[word];
            }
        }

        // the run on the line through a column of the row before this one is over
        private int End(int row, int column, int shift, int[] counts)
        {
            var length = row - _start[column - shift + rows];
            counts[(rowTiles[row - 1] + columnTiles[column]) * _lengths + length]++;
            return length;
        }

        private void LeaveRight(int row, int shift, int[] counts)
        {
            var edge = columns - 1;
            if ((_last[edge >> 6] >> edge & 1) != 0)
            {
                End(row, edge, shift, counts);
                _last[edge >> 6] &= ~(1UL << edge);
            }
            for (var word = _last.Length - 1; word > 0; word--) _last[word] = _last[word] << 1 | _last[word - 1] >> 63;
            _last[0] <<= 1;
        }

        private void LeaveLeft(int row, int shift, int[] counts)
        {
            if ((_last[0] & 1) != 0) End(row, 0, shift, counts);
            for (var word = 0; word < _last.Length - 1; word++) _last[word] = _last[word] >> 1 | _last[word + 1] << 63;
            _last[^1] >>= 1;
        }
    }
}
