using System.Text.Json.Nodes;
using Kerf.Networks;
using Kerf.Volumes;

namespace Kerf.App;

/// <summary>report.html of kerf adapt: the virtual specimen that the network learned from, what it found in the stack, and where it is not sure.</summary>
internal static class AdaptReport
{
    /// <summary>Writes the report.</summary>
    /// <param name="stack">The stack.</param>
    /// <param name="name">Its path.</param>
    /// <param name="traits">What was measured of it.</param>
    /// <param name="simulated">The virtual specimen: image and truth.</param>
    /// <param name="model">The network.</param>
    /// <param name="phases">What it found.</param>
    /// <param name="uncertainty">1 − (p₁ − p₂).</param>
    /// <param name="json">What the command prints.</param>
    /// <param name="verdict">The same for people.</param>
    /// <param name="seconds">How long the prediction took; 0 when it was there.</param>
    /// <param name="path">The file to write.</param>
    /// <param name="walk">Threads.</param>
    public static void Write(
        IVolume stack, string name, StackTraits traits, (Volume<byte> Image, Volume<byte> Truth) simulated, NetworkModel model, IVolume phases, IVolume uncertainty, JsonObject json,
        string verdict, double seconds, string path, Traversal walk)
    {
        JsonObject Part(string of) => json[of]!.DeepClone().AsObject();
        var options = model.Training.Options;
        var network = new JsonObject
        {
            ["slices"] = options.Slices,
            ["blocks"] = options.Depth,
            ["features"] = options.Width,
            ["parameters"] = model.Architecture.Build().Parameters,
            ["patch"] = options.Patch,
            ["rate"] = options.Rate,
        };
        var doubt = new JsonObject { ["meanUncertainty"] = json["trust"]!["meanUncertainty"]?.DeepClone(), ["uncertainShare"] = json["trust"]!["uncertainShare"]?.DeepClone() };
        List<ReportStep> steps =
        [
            new("segment", "network", "What the network found in the stack.", network, Part("trust"), seconds, stack, phases, seconds == 0),
            new("simulate", "adapt", "A virtual specimen with the stack's share, chord, grey levels, blur and noise: compare it with the stack above. The network learned from it alone.",
                Part("measured"), Part("simulated"), model.Training.Curve.Sum(e => e.Seconds), simulated.Truth, simulated.Image, false),
            new("doubt", "uncertainty", "1 − (p₁ − p₂): bright where the network wavers. It knows nothing of what the simulation lacks, and may be sure and wrong there.", [], doubt, 0,
                new Shares(stack.AsFloat(), traits), uncertainty, false) { IsMap = true },
        ];
        var provenance = new JsonObject { ["version"] = Machine.Version, ["machine"] = Machine.Description, ["seed"] = model.Training.Seed, ["stack"] = name, ["model"] = json["model"]!.DeepClone() };
        Report.Write(new($"{Path.GetFileName(name.TrimEnd('/'))}: segmented without a label",
            $"{verdict} The network was trained on a simulated specimen like this stack; the curves of its training lie in models/adapted.kerf.html.", steps, [], [], provenance, ""), path, walk);
    }

    // the stack on the scale of the uncertainty: 0 and 1 a noise beyond the grey levels of the phases
    private sealed class Shares(IVolume<float> source, StackTraits traits) : IVolume<float>
    {
        public VolumeInfo Info { get; } = source.Info with { Type = PixelType.Float32 };

        public void Read(Box box, Span<float> target)
        {
            source.Read(box, target);
            var (low, range) = ((float)(traits.Dark - traits.Noise), (float)(traits.Bright - traits.Dark + 2 * traits.Noise));
            foreach (ref var value in target[..(int)box.Count]) value = Math.Clamp((value - low) / range, 0, 1);
        }
    }
}
