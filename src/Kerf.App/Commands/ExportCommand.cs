using System.CommandLine;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Kerf.Networks;
using Kerf.Volumes;

namespace Kerf.App;

/// <summary>kerf export MODEL OUT.pt: a network for other programs, with a bioimage.io description beside it.</summary>
public static class ExportCommand
{
    /// <summary>The command.</summary>
    public static Command Make()
    {
        var model = new Argument<string>("MODEL") { Description = "A network that kerf train network wrote." };
        var output = new Argument<string>("OUT") { Description = "A .pt file (TorchScript); beside it goes its description, OUT.rdf.yaml." };
        var command = new Command("export", "Writes a network as TorchScript, with a bioimage.io description.") { model, output, Invocation.Force };
        return Invocation.With(Invocation.Running(command), (parsed, session) =>
        {
            var (from, path) = (parsed.GetValue(model)!, parsed.GetValue(output)!);
            if (path.EndsWith(".onnx", StringComparison.OrdinalIgnoreCase))
                throw new InputError($"{path}: ONNX is not written; TorchScript is, which PyTorch opens as it is. End the name in .pt.");
            if (!path.EndsWith(".pt", StringComparison.OrdinalIgnoreCase)) throw new InputError($"{path}: is no name for a network; end it in .pt (TorchScript).");
            var network = NetworkFile.Load(from);
            TrainCommands.CheckModelPlace(path, session.Forced);
            Torch.Start(session.Walk.Threads, "cpu");
            TorchScript.Save(network, path);
            var description = path[..^3] + ".rdf.yaml";
            AtomicFile.WriteAllText(description, Description(network, path));
            var json = new JsonObject { ["output"] = path, ["description"] = description, ["format"] = "torchscript", ["bytes"] = new FileInfo(path).Length, ["parameters"] = network.Architecture.Build().Parameters };
            session.Print(json, () => $"{path}: TorchScript, described in {description}");
        });
    }

    // bioimage.io model description, format 0.4.10
    private static string Description(NetworkModel model, string path)
    {
        var (architecture, file) = (model.Architecture, Path.GetFileName(path));
        var (axes, m) = (architecture.Is3D ? "bczyx" : "bcyx", architecture.Build().Multiple);
        var channels = architecture.Channels * architecture.Slices;
        string Shape(int first) => string.Join(", ", new[] { 1, first }.Concat(Enumerable.Repeat(m, architecture.Is3D ? 3 : 2)));
        string Step(int spatial) => string.Join(", ", new[] { 0, 0 }.Concat(Enumerable.Repeat(spatial, architecture.Is3D ? 3 : 2)));
        string Quoted(string value) => "\"" + value.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal) + "\"";
        var hash = Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(path)));
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"""
            format_version: 0.4.10
            type: model
            name: {Quoted(Path.GetFileNameWithoutExtension(path))}
            description: {Quoted($"{architecture.Kind} for {string.Join(", ", model.Phases.Select(p => p.Name))}, trained by Kerf {Machine.Version}")}
            authors: [{"{"}name: "the user of Kerf"{"}"}]
            license: CC-BY-4.0
            tags: [segmentation, fib-sem, {(architecture.Is3D ? "3d" : "2d")}]
            inputs:
              - name: image
                axes: {axes}
                data_type: float32
                data_range: [-inf, inf]
                shape: {"{"}min: [{Shape(channels)}], step: [{Step(m)}]{"}"}

            """);
        var stretched = model.Scaling.Rule switch
        {
            GreyRule.Standard => "zero_mean_unit_variance, kwargs: {mode: per_sample, axes: " + (architecture.Is3D ? "zyx" : "yx") + "}",
            GreyRule.Stretched => "scale_range, kwargs: {mode: per_sample, axes: " + (architecture.Is3D ? "zyx" : "yx") + ", min_percentile: 0.5, max_percentile: 99.5}",
            _ => null,
        };
        if (stretched is not null) text.Append(CultureInfo.InvariantCulture, $"    preprocessing: [{{name: {stretched}}}]\n");
        text.Append(CultureInfo.InvariantCulture, $"""
            outputs:
              - name: probabilities
                axes: {axes}
                data_type: float32
                data_range: [0, 1]
                shape: {"{"}reference_tensor: image, scale: [1, 0{string.Concat(Enumerable.Repeat(", 1", architecture.Is3D ? 3 : 2))}], offset: [0, {model.Phases.Count / 2.0}{string.Concat(Enumerable.Repeat(", 0", architecture.Is3D ? 3 : 2))}]{"}"}
            weights:
              torchscript:
                source: {file}
                sha256: {hash}
                pytorch_version: 1.13.1
            config:
              kerf:
                grey: {model.Scaling.Rule.ToString().ToLowerInvariant()}
                each_slice: {(model.Scaling.EachSlice ? "true" : "false")}
                slices: {architecture.Slices}
                channels: [{string.Join(", ", model.Channels.Select(Quoted))}]
                phases: [{string.Join(", ", model.Phases.Select(p => "{" + string.Create(CultureInfo.InvariantCulture, $"label: {p.Label}, name: {Quoted(p.Name)}") + "}"))}]
                voxel_nm: {(model.Voxel is { } v ? string.Create(CultureInfo.InvariantCulture, $"[{v.Z}, {v.Y}, {v.X}]") : "null")}

            """);
        return text.ToString();
    }
}
