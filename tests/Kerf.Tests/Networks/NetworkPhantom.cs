using Kerf.Networks;
using Kerf.Volumes;

namespace Kerf.Tests;

/// <summary>A small noisy two-phase stack with its truth, and a training that takes a second.</summary>
internal static class NetworkPhantom
{
    public static readonly NetworkOptions Options = new() { Depth = 2, Width = 4, Patch = 16, Batch = 8, Epochs = 4, Rate = 0.01 };

    /// <summary>Waves of 1 (dark) and 2 (bright), grey 90 and 150, noise 15.</summary>
    public static (Volume<byte> Image, Volume<byte> Labels) Make(ulong seed, Size3 size)
    {
        var (image, labels) = (new Volume<byte>(size, VoxelSize.Cube(5)), new Volume<byte>(size, VoxelSize.Cube(5)));
        var phase = new CounterRandom(seed, 0).NextDouble() * 6;
        for (var z = 0; z < size.Z; z++)
        {
            var random = new CounterRandom(seed, 1 + (ulong)z);
            for (var y = 0; y < size.Y; y++)
                for (var x = 0; x < size.X; x++)
                {
                    var solid = Math.Sin(0.31 * y + phase) + Math.Sin(0.27 * x + 0.2 * z) + Math.Sin(0.2 * (x - y) + phase) > 0;
                    labels[z, y, x] = (byte)(solid ? 2 : 1);
                    image[z, y, x] = (byte)Math.Clamp((solid ? 150 : 90) + 15 * random.NextNormal(), 0, 255);
                }
        }
        return (image, labels);
    }

    public static NetworkTraining Training(string path, NetworkOptions? options = null, CancellationToken cancellation = default, Action<string, EpochRecord>? report = null, Action<string>? say = null, int channels = 1, bool spoil = false)
    {
        var (image, labels) = Make(1, new(10, 40, 48));
        // a voxel that is no number makes the loss none
        if (spoil) return new([("c0", new Volume<float>(image.Info.Size, null, Array.ConvertAll(image.Data, v => v == image.Data[500] ? float.NaN : v)))], labels, (options ?? Options) with { Grey = GreyRule.Raw }, 1, path, new Traversal { Threads = 1 });
        (string, IVolume)[] all = [.. Enumerable.Range(0, channels).Select(c => ($"c{c}", (IVolume)(c == 0 ? image : Make(1, new(10, 40, 48)).Image)))];
        return new(all, labels, options ?? Options, 1, path, new Traversal { Threads = 1, Cancellation = cancellation }) { Report = report, Say = say ?? (_ => { }) };
    }
}
