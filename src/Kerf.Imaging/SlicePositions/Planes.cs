using Kerf.Volumes;

namespace Kerf.Imaging;

/// <summary>Copies whole planes between volumes of one type.</summary>
internal static class Planes
{
    /// <summary>Plane z of the target is plane <paramref name="from"/>(z) of the source, or 0 where that is negative.</summary>
    public static void Copy(IVolume source, IVolume target, Func<int, int> from, Traversal walk)
    {
        switch (source)
        {
            case IVolume<byte> bytes: Copy(bytes, (IWritableVolume<byte>)target, from, walk); break;
            case IVolume<ushort> words: Copy(words, (IWritableVolume<ushort>)target, from, walk); break;
            default: Copy((IVolume<float>)source, (IWritableVolume<float>)target, from, walk); break;
        }
    }

    private static void Copy<T>(IVolume<T> source, IWritableVolume<T> target, Func<int, int> from, Traversal walk) where T : unmanaged =>
        Blocks.MapSlices<T, T>(new View<T>(source, target.Info, from), target, 0, Border.Zero, walk, (block, output) => block.Voxels.CopyTo(output));

    private sealed class View<T>(IVolume<T> source, VolumeInfo info, Func<int, int> from) : IVolume<T> where T : unmanaged
    {
        public VolumeInfo Info => info;

        public void Read(Box box, Span<T> target)
        {
            var count = box.Size.Y * box.Size.X;
            for (var z = 0; z < box.Size.Z; z++)
            {
                var plane = from(box.Start.Z + z);
                var row = target.Slice(z * count, count);
                if (plane < 0) row.Clear();
                else source.Read(new(box.Start with { Z = plane }, box.Size with { Z = 1 }), row);
            }
        }
    }
}
