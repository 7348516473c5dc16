using Kerf.Volumes;
using Xunit;

namespace Kerf.Tests;

public class GreyTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(64)]
    [InlineData(203)]
    public void NarrowsToTheNearestEvenLevelWhateverTheVector(int length)
    {
        float[] awkward = [0.5f, 1.5f, 2.5f, -0.4f, -7, 254.5f, 255.5f, 1e9f, float.NaN, float.PositiveInfinity, float.NegativeInfinity, 0.49999997f];
        byte[] levels = [0, 2, 2, 0, 0, 254, 255, 255, 0, 255, 0, 0];
        var bytes = new byte[length];
        Grey.Narrow<byte>([.. Enumerable.Range(0, length).Select(i => awkward[i % awkward.Length])], bytes);
        Assert.Equal(Enumerable.Range(0, length).Select(i => levels[i % levels.Length]), bytes);
        var floats = new float[length];
        Grey.Widen<byte>([.. Enumerable.Range(0, length).Select(i => (byte)i)], floats);
        Assert.Equal(Enumerable.Range(0, length).Select(i => (float)(byte)i), floats);
    }
}
