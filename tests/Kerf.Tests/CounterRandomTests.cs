using Kerf.Volumes;
using Xunit;

namespace Kerf.Tests;

public class CounterRandomTests
{
    [Fact]
    public void MatchesThePublishedPhiloxVector()
    {
        // Random123 known-answer test, philox4x32 10 rounds, zero counter and key: 6627e8d5 e169c58d bc57ac4c 9b00dbd8
        var random = new CounterRandom(0, 0);
        Assert.Equal([0x6627e8d5u, 0xe169c58du, 0xbc57ac4cu, 0x9b00dbd8u], [random.NextUInt(), random.NextUInt(), random.NextUInt(), random.NextUInt()]);
    }

    [Theory]
    [InlineData(3.5)]
    [InlineData(400)]
    public void PoissonHasItsMeanAndVariance(double mean)
    {
        var random = new CounterRandom(7, 1);
        var draws = Enumerable.Range(0, 40000).Select(_ => (double)random.NextPoisson(mean)).ToArray();
        var average = draws.Average();
        Assert.InRange(average, mean * 0.99, mean * 1.01);
        Assert.InRange(draws.Sum(d => (d - average) * (d - average)) / draws.Length, mean * 0.97, mean * 1.03);
    }
}
