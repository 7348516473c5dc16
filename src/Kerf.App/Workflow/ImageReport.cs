using System.Text.Json.Nodes;
using Kerf.Volumes;

namespace Kerf.App;

/// <summary>report.html of an imaging run: the structure beside its ideal images, those beside what the session made of them, and all that is known.</summary>
internal static class ImageReport
{
    /// <summary>Writes TRUTH/report.html from what lies there and at OUT.</summary>
    public static void Write(VirtualImage image, string output, string truth, JsonObject facts, double seconds, Traversal walk)
    {
        var opened = new List<IDisposable>();
        IVolume Open(string path)
        {
            var volume = VolumeFile.Open(path);
            if (volume is IDisposable held) opened.Add(held);
            return volume;
        }
        try
        {
            var (labels, images) = (Open(Path.Combine(truth, "labels.zarr")), Open(output));
            var perfect = image.Session is null ? images : Open(Path.Combine(truth, "ideal.zarr"));
            var beam = new JsonObject();
            foreach (var (name, key) in ((string, string)[])[("materials", "materials"), ("energy, keV", "voltageKeV"), ("detector", "detector"), ("acceptance, degrees", "acceptanceDegrees"), ("energy window", "energyWindow"), ("cross-sections", "elastic"),
                ("electrons per pixel", "electronsPerPixel"), ("tilt, degrees", "tiltDegrees"), ("probe σ, nm", "probeSigmaNanometres")])
                beam[name] = facts[key]!.DeepClone();
            List<ReportStep> steps = [new("electrons", "simulate image", "What a scanning beam sees of the structure: slice k shows it from its cut on; what lies above is milled away.",
                beam, Electrons(facts, perfect, walk), seconds, labels, perfect, false)];
            if (image.Session is { } session)
            {
                var (found, given) = (facts["session"]!.AsObject(), facts["artefacts"]!.DeepClone().AsObject());
                var seen = new JsonObject { ["shifts"] = found["shifts"]!.DeepClone(), ["brightnessOffset"] = found["brightnessOffsets"]!.DeepClone() };
                if (session.ThicknessDeviation > 0) seen["thickness"] = Thickness(facts["depths"]!.AsArray());
                foreach (var name in (string[])["curtains", "squares", "bands"]) seen[name] = found[name]!.AsArray().Count;
                steps.Add(new("session", "artefacts", "What the session did to the ideal images; the true values of all of it lie in truth.json.", given, seen, 0, perfect, images, false));
            }
            var provenance = new JsonObject { ["version"] = Machine.Version, ["machine"] = Machine.Description, ["seed"] = image.Seed, ["structure"] = facts["structure"]!.DeepClone() };
            Report.Write(new($"{Path.GetFileName(output.TrimEnd('/'))}: a virtual specimen under a virtual microscope",
                "Simulated images with their truth: what was there, what the beam saw, what the session did to it.", steps, [], [], provenance, ""), Path.Combine(truth, "report.html"), walk);
        }
        finally
        {
            foreach (var held in opened) held.Dispose();
        }
    }

    private static JsonObject Electrons(JsonObject facts, IVolume images, Traversal walk)
    {
        var histogram = Histogram.OfStack(images, walk with { Progress = null });
        var (levels, counts) = (new JsonArray(), new JsonArray());
        // counts are few: single levels would show a comb
        const int width = 8;
        for (var i = 0; i < histogram.Bins; i += width)
        {
            levels.Add(i + width / 2);
            counts.Add(histogram.Counts.AsSpan(i, width).ToArray().Sum());
        }
        return new()
        {
            ["histogram"] = new JsonObject { ["levels"] = levels, ["counts"] = counts },
            ["whiteSignal"] = facts["whiteSignal"]!.DeepClone(),
            ["lostShare"] = facts["lostShare"]!.DeepClone(),
            ["depthNanometres"] = facts["depthNanometres"]!.DeepClone(),
        };
    }

    private static JsonArray Thickness(JsonArray depths) =>
        [.. depths.Zip(depths.Skip(1), (a, b) => JsonValue.Create(b!.GetValue<double>() - a!.GetValue<double>()))];
}
