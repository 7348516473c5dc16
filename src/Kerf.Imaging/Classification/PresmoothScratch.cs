using System.Numerics.Tensors;
using Kerf.Volumes;

namespace Kerf.Imaging;

/// <summary>
/// What presmoothing needs for a moment: one for all scales and channels of a thread. The input lies in strips of <see cref="TapRows.Strip"/> columns, all slices of
/// a row of a strip together, so that what a long kernel along z reads fills the first-level cache one line after the other; rows that lie whole slices apart
/// would push each other out of it. Behind z the same is done for y.
/// </summary>
internal sealed class PresmoothScratch
{
    /// <summary>Slices that are smoothed at a time: few enough to stay in the last-level cache from z to y.</summary>
    public const int Slices = 32;

    private readonly AlignedBuffer<float> _afterZ = new(), _afterY = new();
    private readonly AlignedBuffer<double> _wideAfterZ = new(), _wideAfterY = new();

    /// <summary>The block's strips.</summary>
    public readonly AlignedBuffer<float> Input = new();

    /// <summary>A row of a strip through all slices, for scales in double.</summary>
    public readonly AlignedBuffer<double> Column = new();

    /// <summary>Some slices after z, in strips.</summary>
    public AlignedBuffer<T> AfterZ<T>() where T : unmanaged => (AlignedBuffer<T>)(object)(typeof(T) == typeof(float) ? _afterZ : _wideAfterZ);

    /// <summary>A slice after z and y.</summary>
    public AlignedBuffer<T> AfterY<T>() where T : unmanaged => (AlignedBuffer<T>)(object)(typeof(T) == typeof(float) ? _afterY : _wideAfterY);

    /// <summary>Extent of the input.</summary>
    public Size3 Size { get; private set; }

    /// <summary>What was taken off the grey values: float has no digits for a constant that derivatives do not see.</summary>
    public float Level { get; private set; }

    /// <summary>Where a strip's row of a slice begins in <see cref="Input"/>.</summary>
    public int Place(int z, int y, int strip) => ((strip * Size.Y + y) * Size.Z + z) * TapRows.Strip;

    /// <summary>Takes a block, x fastest.</summary>
    public void Take(ReadOnlySpan<float> voxels, Size3 size, float level)
    {
        (Size, Level) = (size, level);
        var strips = (size.X + TapRows.Strip - 1) / TapRows.Strip;
        // one line more: see TapRows.SmoothStrip
        Input.Ensure((size.Z * size.Y * strips + 1) * TapRows.Strip);
        for (var y = 0; y < size.Y; y++)
        {
            for (var z = 0; z < size.Z; z++)
            {
                var row = voxels.Slice((z * size.Y + y) * size.X, size.X);
                for (var strip = 0; strip < strips; strip++)
                {
                    var from = row[(strip * TapRows.Strip)..Math.Min(size.X, (strip + 1) * TapRows.Strip)];
                    TensorPrimitives.Subtract(from, level, Input.Slice(Place(z, y, strip), from.Length));
                }
            }
        }
    }
}
