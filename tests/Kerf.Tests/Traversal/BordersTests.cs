using Kerf.Volumes;
using Xunit;

namespace Kerf.Tests;

public class BordersTests
{
    [Theory]
    [InlineData(Border.Mirror)]
    [InlineData(Border.Nearest)]
    [InlineData(Border.Zero)]
    public void SlicesThatLieOutsideAreWhatStandsForThem(Border border)
    {
        var volume = new Volume<ushort>(new Size3(3, 4, 5));
        for (var i = 0; i < volume.Data.Length; i++) volume.Data[i] = (ushort)(i + 1);
        // all of the volume and far beyond every face
        var box = new Box(new(-7, -3, -2), new(17, 10, 9));
        var slice = new ushort[box.Size.SliceCount];
        for (var z = 0; z < box.Size.Z; z++)
        {
            Borders.ReadSlice(volume, box, z, border, slice);
            for (var y = 0; y < box.Size.Y; y++)
            {
                for (var x = 0; x < box.Size.X; x++)
                {
                    var (fromZ, fromY, fromX) = (Borders.Map(border, box.Start.Z + z, 3), Borders.Map(border, box.Start.Y + y, 4), Borders.Map(border, box.Start.X + x, 5));
                    var expected = fromZ < 0 || fromY < 0 || fromX < 0 ? 0 : volume[fromZ, fromY, fromX];
                    Assert.Equal(expected, slice[y * box.Size.X + x]);
                }
            }
        }
    }
}
