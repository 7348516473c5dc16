using Kerf.Volumes;
using Xunit;

namespace Kerf.Tests;

/// <summary>Images for tests of filters, and the walks that must give the same bytes.</summary>
internal static class Restored
{
    public static Volume<float> Texture(Size3 size, double noise, ulong seed = 3)
    {
        var volume = new Volume<float>(size);
        var i = 0;
        for (var z = 0; z < size.Z; z++)
            for (var y = 0; y < size.Y; y++)
                for (var x = 0; x < size.X; x++, i++)
                {
                    var random = new CounterRandom(seed, (ulong)i);
                    volume.Data[i] = (float)(110 + 50 * Math.Sin(x * 0.3 + z * 0.2) * Math.Cos(y * 0.25) + noise * random.NextNormal());
                }
        return volume;
    }

    public static Volume<byte> Bytes(Volume<float> from)
    {
        var volume = new Volume<byte>(from.Info with { Type = PixelType.UInt8 });
        Grey.Narrow<byte>(from.Data, volume.Data);
        return volume;
    }

    public static Volume<ushort> Words(Volume<float> from, float scale = 1)
    {
        var volume = new Volume<ushort>(from.Info with { Type = PixelType.UInt16 });
        Grey.Narrow<ushort>([.. from.Data.Select(v => v * scale)], volume.Data);
        return volume;
    }

    public static void SameForAnyWalk(IVolume source, Action<Volume<float>, Traversal> filter)
    {
        float[]? first = null;
        foreach (var walk in new Traversal[] { new() { Threads = 1 }, new() { Threads = 2, BlockEdge = 32 }, new() { Threads = 2, BlockEdge = 64 } })
        {
            var target = new Volume<float>(source.Info.Size);
            filter(target, walk);
            first ??= target.Data;
            Assert.Equal(first, target.Data);
        }
    }
}
