using System.Numerics.Tensors;
using Kerf.Imaging;
using Kerf.Volumes;
using Xunit;

namespace Kerf.Tests;

/// <summary>The fast ways of filling phases against the plain ones.</summary>
public class FastFillTests
{
    [Theory]
    [InlineData(2, 16)]
    [InlineData(2, 5)]
    [InlineData(4, 11)]
    [InlineData(1, 3)]
    public void SumsLookedUpAreTheSumsOfWeightedIndicators(int phases, int slices)
    {
        var random = new CounterRandom(5, (ulong)(100 * phases + slices));
        byte[] labels = [.. Enumerable.Range(0, phases).Select(k => (byte)(1 + 3 * k))];
        byte[][] planes = [.. Enumerable.Range(0, slices).Select(_ => Plane(ref random, 5000, phases, k => labels[k]))];
        double[] weights = [.. Enumerable.Range(0, slices).Select(_ => random.NextNormal() * 0.3)];
        var fields = labels.Select(label =>
        {
            var field = new float[5000];
            for (var k = 0; k < slices; k++) TensorPrimitives.MultiplyAdd(Array.ConvertAll(planes[k], v => v == label ? 1f : 0f), (float)weights[k], field, field);
            return field;
        }).ToArray();
        var result = new byte[5000];
        var (rivals, floor) = phases == 2 ? (labels[1..], 0.5f) : (labels, float.NegativeInfinity);
        IndicatorSums.Highest(planes, weights, labels[0], rivals, floor, result);
        for (var i = 0; i < result.Length; i++)
        {
            var best = 0;
            for (var k = 1; k < phases; k++)
                if (phases == 2 ? fields[k][i] > 0.5f : fields[k][i] > fields[best][i]) best = k;
            Assert.Equal(labels[best], result[i]);
        }
    }

    [Theory]
    [InlineData(2, 0.5)]
    [InlineData(2, 0.85)]
    [InlineData(3, 0.6)]
    [InlineData(5, 0.7)]
    public void SpotsFoundByRunsAreThoseOfAFlood(int phases, double first)
    {
        for (var draw = 0; draw < 40; draw++)
        {
            var random = new CounterRandom(8, (ulong)(1000 * phases + draw));
            var (height, width) = (1 + random.NextInt(40), 1 + random.NextInt(90));
            var plane = new byte[height * width];
            for (var i = 0; i < plane.Length; i++) plane[i] = (byte)(random.NextDouble() < first ? 0 : random.NextInt(phases));
            byte[] runs = [.. plane], flood = [.. plane];
            PlaneHoles.Close(runs, height, width, 20);
            Flood(flood, height, width, 20);
            Assert.Equal(flood, runs);
        }
    }

    // every spot by a flood, in the order of its first pixel
    private static void Flood(byte[] plane, int height, int width, int below)
    {
        var seen = new bool[plane.Length];
        for (var start = 0; start < plane.Length; start++)
        {
            if (seen[start]) continue;
            List<int> spot = [start];
            var around = new HashSet<int>();
            var atBorder = false;
            seen[start] = true;
            for (var i = 0; i < spot.Count; i++)
            {
                var (y, x) = (spot[i] / width, spot[i] % width);
                atBorder |= y == 0 || x == 0 || y == height - 1 || x == width - 1;
                foreach (var (ny, nx) in ((int, int)[])[(y - 1, x), (y + 1, x), (y, x - 1), (y, x + 1)])
                {
                    if (ny < 0 || nx < 0 || ny >= height || nx >= width) continue;
                    var next = ny * width + nx;
                    if (plane[next] != plane[start]) around.Add(plane[next]);
                    else if (!seen[next])
                    {
                        seen[next] = true;
                        spot.Add(next);
                    }
                }
            }
            if (!atBorder && spot.Count < below && around.Count == 1) foreach (var pixel in spot) plane[pixel] = (byte)around.Single();
        }
    }

    private static byte[] Plane(ref CounterRandom random, int count, int phases, Func<int, byte> label)
    {
        var plane = new byte[count];
        for (var i = 0; i < count; i++) plane[i] = label(random.NextInt(phases));
        return plane;
    }
}
