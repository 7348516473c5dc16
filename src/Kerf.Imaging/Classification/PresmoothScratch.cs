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
    public const int Slices = 36;

    // slices that are read at a time
    private const int Together = 4;

    private readonly AlignedBuffer<float> _slices = new(), _afterY = new();
    private readonly AlignedBuffer<double> _wideAfterY = new();

    /// <summary>The block's strips.</summary>
    public readonly AlignedBuffer<float> Input = new();

    /// <summary>Some slices after z, in strips. In float for all scales: what rounding adds is noise, which smoothing along y and x averages away.</summary>
    public readonly AlignedBuffer<float> AfterZ = new();

    /// <summary>For scales in double a column of a strip, through slices or rows, and the same after z.</summary>
    public readonly AlignedBuffer<double> Column = new(), Smoothed = new();

    /// <summary>A slice after z and y.</summary>
    public AlignedBuffer<T> AfterY<T>() where T : unmanaged => (AlignedBuffer<T>)(object)(typeof(T) == typeof(float) ? _afterY : _wideAfterY);

    /// <summary>Extent of the input.</summary>
    public Size3 Size { get; private set; }

    /// <summary>What was taken off the grey values: float has no digits for a constant that derivatives do not see.</summary>
    public float Level { get; private set; }

    /// <summary>Where a strip's row of a slice begins in <see cref="Input"/>.</summary>
    public int Place(int z, int y, int strip) => ((strip * Size.Y + y) * Size.Z + z) * TapRows.Strip;

    /// <summary>Reads a block, mirrored at the volume's faces, a few slices at a time: they stay in the second-level cache on their way into the strips.</summary>
    public void Read(IVolume<float> source, Box box, float level)
    {
        (Size, Level) = (box.Size, level);
        var (size, slice) = (box.Size, (int)box.Size.SliceCount);
        var strips = (size.X + TapRows.Strip - 1) / TapRows.Strip;
        // one line more: see TapRows.SmoothStrip
        Input.Ensure((size.Z * size.Y * strips + 1) * TapRows.Strip);
        _slices.Ensure(Together * slice);
        for (var first = 0; first < size.Z; first += Together)
        {
            var count = Math.Min(Together, size.Z - first);
            for (var z = 0; z < count; z++) Borders.ReadSlice(source, box, first + z, Border.Mirror, _slices.Slice(z * slice, slice));
            for (var y = 0; y < size.Y; y++)
            {
                for (var z = 0; z < count; z++)
                {
                    var row = _slices.Slice(z * slice + y * size.X, size.X);
                    for (var strip = 0; strip < strips; strip++)
                    {
                        var from = row[(strip * TapRows.Strip)..Math.Min(size.X, (strip + 1) * TapRows.Strip)];
                        TensorPrimitives.Subtract(from, level, Input.Slice(Place(first + z, y, strip), from.Length));
                    }
                }
            }
        }
    }
}
