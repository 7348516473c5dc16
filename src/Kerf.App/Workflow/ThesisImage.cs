using Kerf.Simulation;
using Kerf.Volumes;

namespace Kerf.App;

/// <summary>
/// Simulated images as T-III treated its own: 8 bits, noise, blurred edges. scikit-image's Poisson noise of an 8-bit image counts 256 electrons at white,
/// then Gaussian noise of variance 0.001 on 0 to 1 (T-III 2.2.1); the blur of edges (2.2.2) has no number there, one pixel is ours.
/// </summary>
internal static class ThesisImage
{
    /// <summary>The noise.</summary>
    public static readonly Session Noise = Session.Perfect with { ElectronsAtWhite = 256, NoiseSigma = 255 * Math.Sqrt(0.001) };

    /// <summary>Noise and blurred edges.</summary>
    public static readonly Session NoiseAndBlur = Noise with { EdgeBlur = 1 };

    /// <summary>Sessions by name: all of it; without the Poisson noise, which counts once more what the simulation has counted; nothing.</summary>
    public static readonly IReadOnlyDictionary<string, Session> Sessions = new Dictionary<string, Session>
    {
        ["thesis"] = NoiseAndBlur,
        ["gaussian"] = NoiseAndBlur with { ElectronsAtWhite = Session.Perfect.ElectronsAtWhite },
        ["none"] = Session.Perfect,
    };

    /// <summary>8 bit: the signal that one pixel in a thousand exceeds becomes grey 240, as images on disk have it.</summary>
    public static Volume<byte> Grey(Volume<float> signal)
    {
        var scale = 240 / signal.Data.Order().ElementAt((int)(signal.Data.Length * 0.999));
        return new(signal.Info.Size, signal.Info.Voxel, [.. signal.Data.Select(v => (byte)Math.Clamp(Math.Round(v * scale), 0, 255))]);
    }

    /// <summary>The images with what a session does to them.</summary>
    public static Volume<byte> Spoil(Volume<byte> grey, Volume<byte> labels, Session session, ulong seed, Traversal walk)
    {
        var size = grey.Info.Size;
        var margin = session.Margin([(0, 0)]);
        // the session looks at a canvas larger than its field: mirror what there is
        var canvas = new Volume<float>(size + new Size3(0, 2 * margin, 2 * margin));
        IVolume<float> scene = session.EdgeBlur > 0 ? new BlurredEdges(grey.AsFloat(), labels, session.EdgeBlur) : grey.AsFloat();
        Borders.Read(scene, new Box(new(0, -margin, -margin), canvas.Info.Size), Border.Mirror, canvas.Data);
        var images = new Volume<byte>(grey.Info);
        session.Image(canvas, new (double, double)[size.Z], images, null, seed, walk with { Progress = null });
        return images;
    }
}
