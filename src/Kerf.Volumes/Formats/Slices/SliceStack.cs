namespace Kerf.Volumes;

/// <summary>Slices on disk as one volume. A slice is decoded when first asked for; the last ones stay in memory.</summary>
/// <param name="info">Size and so on; rows of a slice beyond it (an info bar) are not shown.</param>
/// <param name="slices">One file per slice.</param>
/// <param name="channel">Channel inside each image.</param>
/// <param name="cacheBytes">Bytes of decoded slices that are kept; the last one is kept whatever its size.</param>
internal sealed class SliceStack<T>(VolumeInfo info, IReadOnlyList<SliceFile> slices, int channel, long cacheBytes) : IVolume<T> where T : unmanaged
{
    private readonly RecentArrays<int, T> _recent = new(cacheBytes);

    public VolumeInfo Info { get; } = info;

    public void Read(Box box, Span<T> target)
    {
        if (!Box.Whole(Info.Size).Contains(box)) throw new ArgumentOutOfRangeException(nameof(box), $"{box} is not inside {Info.Size}");
        for (var z = box.Start.Z; z < box.End.Z; z++)
        {
            var pixels = _recent.Get(z, number => slices[number].Decode<T>(channel));
            var held = new Box(new(z, 0, 0), slices[z].Info.Size);
            Rows.Copy(pixels, held, target, box, held.Intersect(box));
        }
    }
}
