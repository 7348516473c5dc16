using System.Buffers;
using System.IO.Compression;
using Kerf.Volumes;

namespace Kerf.App;

/// <summary>A volume reduced to at most 128³ voxels, for the view one can turn; and the same view as a static picture.</summary>
internal sealed class VolumeView
{
    private const long MostVoxels = 128L * 128 * 128;
    private const int LongestAxis = 256;

    private VolumeView(VolumeInfo info, Size3 size) => (Info, Size, Voxels) = (info, size, new byte[size.Count]);

    public VolumeInfo Info { get; }

    public Size3 Size { get; }

    /// <summary>Labels, or grey values in a window.</summary>
    public byte[] Voxels { get; }

    /// <summary>Reduces a volume: labels by the most frequent of 3 × 3 samples of a cell's middle slice, grey values by their mean.</summary>
    public static VolumeView Of(IVolume volume, GreyWindow window, Traversal walk)
    {
        var size = volume.Info.Size;
        var view = new VolumeView(volume.Info, Reduced(size, volume.Info.Voxel ?? VoxelSize.Cube(1)));
        var source = volume.AsFloat();
        var labels = volume.Info.Phases is not null;
        var affordable = (int)Math.Clamp(walk.MemoryBytes / 2 / Math.Max(1, size.SliceCount * 8), 1, 64);
        walk.ForEach(view.Size.Z, k =>
        {
            var slice = ArrayPool<float>.Shared.Rent(checked((int)size.SliceCount));
            source.Read(Box.Slice(size, (int)((k + 0.5) * size.Z / view.Size.Z)), slice);
            Span<float> samples = stackalloc float[9];
            for (var j = 0; j < view.Size.Y; j++)
            {
                for (var i = 0; i < view.Size.X; i++)
                {
                    for (var s = 0; s < 9; s++)
                    {
                        var y = (int)((j + (s / 3 + 0.5) / 3) * size.Y / view.Size.Y);
                        var x = (int)((i + (s % 3 + 0.5) / 3) * size.X / view.Size.X);
                        samples[s] = slice[y * size.X + x];
                    }
                    view.Voxels[(k * view.Size.Y + j) * view.Size.X + i] = labels ? Mode(samples) : Level(samples, window);
                }
            }
            ArrayPool<float>.Shared.Return(slice);
        }, affordable);
        return view;
    }

    /// <summary>The section of the page: static picture, canvas, controls and the packed voxels.</summary>
    public Html Draw(IReadOnlyList<(Phase Phase, double Share)> phases)
    {
        var hidden = Hidden(phases);
        var extent = Extent();
        var packed = new MemoryStream();
        using (var deflate = new ZLibStream(packed, CompressionLevel.SmallestSize, leaveOpen: true)) deflate.Write(Voxels);
        var shown = phases.Where(p => p.Phase != hidden).Select(p => p.Phase).ToArray();
        var picture = Convert.ToBase64String(VolumePicture.Draw(this, shown));
        var (kind, unit) = (Info.Phases is null ? "grey" : "labels", Info.Voxel is null ? "px" : "nm");
        return Html.Of($"""
            <div class="space" data-size="{Size.X},{Size.Y},{Size.Z}" data-extent="{extent.X},{extent.Y},{extent.Z}"
            data-unit="{unit}" data-kind="{kind}">
            <div class="space-stage"><img class="still" alt="The volume from an oblique angle" src="data:image/png;base64,{picture}">
            <svg class="behind" aria-hidden="true"></svg>
            <canvas tabindex="0" aria-label="The volume in three dimensions. Arrow keys turn it, plus and minus zoom." hidden></canvas>
            <svg class="front" aria-hidden="true"></svg><div class="scalebar"><span></span></div></div>
            <form class="space-controls" hidden>{Surfaces(phases, hidden)}
            <fieldset><legend>Cut</legend><div class="choice cut">{Axes}</div>
            <input type="range" class="cut-at" min="0" max="100" value="0" aria-label="Cutting plane">
            <label class="row"><input type="checkbox" class="cut-flip"> from the other side</label></fieldset>
            <fieldset><legend>View</legend><div class="buttons"><button type="button" data-view="oblique">oblique</button>
            <button type="button" data-view="xy">xy</button> <button type="button" data-view="xz">xz</button>
            <button type="button" data-view="yz">yz</button></div></fieldset>
            <p class="hint">Drag to turn, Ctrl + wheel or + and − to zoom. Reduced to {Size.X} × {Size.Y} × {Size.Z} voxels and smoothed: specks
            of a voxel or two do not show.</p></form>
            <script type="text/plain" class="voxels">{Convert.ToBase64String(packed.ToArray())}</script></div>
            """);
    }

    private static Html Axes => Html.Join(new[] { "x", "y", "z" }.Select(a => Html.Of($"""
        <label><input type="radio" name="cut" value="{a}"{Html.When(a == "z", " checked")}><span>{a}</span></label>
        """)));

    private static Html Surfaces(IReadOnlyList<(Phase Phase, double Share)> phases, Phase? hidden) => phases.Count == 0
        ? new("""
            <fieldset><legend>Surface</legend><label class="row">Brighter than
            <input type="range" class="iso" min="2" max="98" value="60"></label></fieldset>
            """)
        : Html.Of($"""
            <fieldset><legend>Phases</legend>{phases.Select(p => Html.Of($"""
            <div class="phase-row" data-label="{p.Phase.Label}" data-colour="{p.Phase.Colour}">
            <label><input type="checkbox"{Html.When(p.Phase != hidden, " checked")}><i style="background:{p.Phase.Colour}"></i>{p.Phase.Name}</label>
            <input type="range" min="5" max="100" value="100" aria-label="Opacity of {p.Phase.Name}"></div>
            """))}</fieldset>
            """);

    /// <summary>Edge lengths in nanometres (voxels when their size is unknown).</summary>
    public (double X, double Y, double Z) Extent()
    {
        var voxel = Info.Voxel ?? VoxelSize.Cube(1);
        return (Info.Size.X * voxel.X, Info.Size.Y * voxel.Y, Info.Size.Z * voxel.Z);
    }

    // the matrix would hide all else: the most abundant phase starts out hidden
    private static Phase? Hidden(IReadOnlyList<(Phase Phase, double Share)> phases) => phases.Count < 2 ? null : phases.MaxBy(p => p.Share).Phase;

    // cells as near to cubes as the budget and the volume's own voxels allow
    private static Size3 Reduced(Size3 size, VoxelSize voxel)
    {
        var longest = Math.Max(size.Z * voxel.Z, Math.Max(size.Y * voxel.Y, size.X * voxel.X));
        for (var edge = longest / LongestAxis; ; edge *= 1.03)
        {
            int Cells(int count, double length) => Math.Clamp((int)Math.Ceiling(count * length / edge), 1, Math.Min(count, LongestAxis));
            var cells = new Size3(Cells(size.Z, voxel.Z), Cells(size.Y, voxel.Y), Cells(size.X, voxel.X));
            if (cells.Count <= MostVoxels) return cells;
        }
    }

    private static byte Mode(ReadOnlySpan<float> samples)
    {
        var (best, most) = (0f, 0);
        foreach (var candidate in samples)
        {
            var count = 0;
            foreach (var other in samples) count += other == candidate ? 1 : 0;
            if (count > most) (best, most) = (candidate, count);
        }
        return (byte)best;
    }

    private static byte Level(ReadOnlySpan<float> samples, GreyWindow window)
    {
        var sum = 0f;
        foreach (var sample in samples) sum += sample;
        // 64 levels are enough for a surface and pack well
        return (byte)(Math.Clamp((int)((sum / 9 - window.Low) / (window.High - window.Low) * 64), 0, 63) * 4);
    }
}
