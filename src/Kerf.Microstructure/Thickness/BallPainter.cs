using System.Numerics;
using Kerf.Volumes;

namespace Kerf.Microstructure;

/// <summary>
/// Paints balls into a few slices, the largest first, so that each voxel is painted once, by the largest ball that covers it. One bit per voxel says
/// that it still waits.
/// </summary>
internal sealed class BallPainter
{
    private readonly Size3 _size;
    private readonly int _first;
    private readonly (float Z, float Y) _weights;
    private readonly int _words;
    private readonly ulong[] _waiting;
    private long _left;

    /// <summary>A painter of some slices.</summary>
    /// <param name="size">The slices to paint.</param>
    /// <param name="first">The number of their first one in the volume.</param>
    /// <param name="weights">Squared voxel edges over that of x.</param>
    /// <param name="squared">Squared distances, 0 outside the phase.</param>
    /// <param name="at">The slice of <paramref name="squared"/> that is the first one.</param>
    public BallPainter(Size3 size, int first, (float Z, float Y) weights, float[] squared, int at)
    {
        (_size, _first, _weights, _words) = (size, first, weights, (size.X + 63) / 64);
        _waiting = new ulong[size.Z * size.Y * _words];
        for (var row = 0; row < size.Z * size.Y; row++)
        {
            var voxels = squared.AsSpan((int)(((long)at * size.Y + row) * size.X), size.X);
            for (var x = 0; x < size.X; x++)
            {
                if (voxels[x] > 0) _waiting[row * _words + (x >> 6)] |= 1UL << x;
            }
        }
        foreach (var word in _waiting) _left += BitOperations.PopCount(word);
    }

    /// <summary>Fills <paramref name="painted"/> with the squared radius of the largest ball over each voxel, 0 outside the phase.</summary>
    /// <param name="slices">Balls, any that do not touch the slices among them.</param>
    /// <param name="painted">Filled.</param>
    public void Paint(Ridge.Ball[][] slices, Span<float> painted)
    {
        painted[..(int)_size.Count].Clear();
        var touching = new List<Ridge.Ball>();
        var end = _first + _size.Z - 1;
        foreach (var slice in slices)
        {
            if (slice.Length == 0) continue;
            double away = Math.Max(0, Math.Max(_first - slice[0].Z, slice[0].Z - end));
            foreach (var ball in slice)
            {
                if (ball.Squared > away * away * _weights.Z) touching.Add(ball);
            }
        }
        // any order among equals: they paint the same
        var balls = touching.ToArray();
        Array.Sort(Array.ConvertAll(balls, ball => -ball.Squared), balls);
        foreach (var ball in balls)
        {
            if (_left == 0) break;
            Paint(ball, painted);
        }
    }

    private void Paint(Ridge.Ball ball, Span<float> painted)
    {
        // one more than the quotient tells, for it is rounded; rows that the ball does not reach come out empty
        var squared = ball.Squared * (1 - (double)LocalThickness.Tie);
        var reachZ = Below(squared / _weights.Z) + 1;
        for (var z = Math.Max(ball.Z - reachZ, _first); z <= Math.Min(ball.Z + reachZ, _first + _size.Z - 1); z++)
        {
            var disc = squared - _weights.Z * ((double)(z - ball.Z) * (z - ball.Z));
            var reachY = Below(disc / _weights.Y) + 1;
            for (var y = Math.Max(ball.Y - reachY, 0); y <= Math.Min(ball.Y + reachY, _size.Y - 1); y++)
            {
                var reachX = Below(disc - _weights.Y * ((double)(y - ball.Y) * (y - ball.Y)));
                PaintRow((z - _first) * _size.Y + y, Math.Max(ball.X - reachX, 0), Math.Min(ball.X + reachX, _size.X - 1), ball.Squared, painted);
            }
        }
    }

    // the largest whole number whose square is below a positive number; −1 for none
    private static int Below(double squared)
    {
        var root = (int)Math.Sqrt(Math.Max(0, squared));
        return (double)root * root < squared ? root : root - 1;
    }

    private void PaintRow(int row, int from, int to, float value, Span<float> painted)
    {
        if (to < from) return;
        for (var word = from >> 6; word <= to >> 6; word++)
        {
            var within = ulong.MaxValue;
            if (word == from >> 6) within &= ulong.MaxValue << from;
            if (word == to >> 6) within &= ulong.MaxValue >> (63 - to);
            ref var waiting = ref _waiting[row * _words + word];
            var fresh = waiting & within;
            if (fresh == 0) continue;
            waiting &= ~fresh;
            _left -= BitOperations.PopCount(fresh);
            var voxels = painted[(row * _size.X + (word << 6))..];
            for (; fresh != 0; fresh &= fresh - 1) voxels[BitOperations.TrailingZeroCount(fresh)] = value;
        }
    }
}
