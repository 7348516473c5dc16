using Kerf.Volumes;

namespace Kerf.Tests;

/// <summary>Small volumes made for tests.</summary>
public static class Phantoms
{
    /// <summary>Two-phase blobs with noise and a slow drift; 8-bit.</summary>
    public static Volume<byte> Stack(int z, int y, int x, ulong seed)
    {
        var volume = new Volume<byte>(new Size3(z, y, x), new VoxelSize(10, 5, 5));
        var waves = new CounterRandom(seed, 0);
        var k = Enumerable.Range(0, 24).Select(_ => (Z: waves.NextNormal() * 0.10, Y: waves.NextNormal() * 0.22, X: waves.NextNormal() * 0.22, P: waves.NextDouble() * 6.283)).ToArray();
        for (var i = 0; i < z; i++)
        {
            var noise = new CounterRandom(seed, (ulong)i + 1);
            var slice = volume.Slice(i);
            for (var j = 0; j < slice.Length; j++)
            {
                var (row, column) = (j / x + 0.6 * Math.Sin(i * 0.7), j % x - 0.5 * Math.Cos(i * 0.9));
                var field = k.Sum(w => Math.Cos(w.Z * i + w.Y * row + w.X * column + w.P));
                slice[j] = (byte)Math.Clamp(110 + 60 * Math.Tanh(field) + 12 * noise.NextNormal(), 0, 255);
            }
        }
        return volume;
    }

    /// <summary>Writes the volume as a folder of TIFF slices, as a microscope leaves them.</summary>
    public static void SaveSlices(this Volume<byte> volume, string folder)
    {
        Directory.CreateDirectory(folder);
        for (var z = 0; z < volume.Info.Size.Z; z++)
        {
            var slice = new Volume<byte>(new Size3(1, volume.Info.Size.Y, volume.Info.Size.X), null, volume.Slice(z).ToArray());
            TiffWriter.Save(slice, Path.Combine(folder, $"slice_{z:0000}.tif"), new Traversal { Threads = 1 });
        }
    }
}
