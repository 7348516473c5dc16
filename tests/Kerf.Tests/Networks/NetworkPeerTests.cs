using System.Globalization;
using System.Text.Json.Nodes;
using Kerf.Networks;
using Xunit;

namespace Kerf.Tests;

/// <summary>Losses, gradients and one Adam step of every layer, loss and architecture, against PyTorch on the same numbers (References/network/make.py).</summary>
public class NetworkPeerTests
{
    private static readonly JsonObject Reference = JsonNode.Parse(File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "References", "network", "torch.json")))!["cases"]!.AsObject();

    public static TheoryData<string> Cases => [.. Reference.Select(c => c.Key)];

    [Theory]
    [MemberData(nameof(Cases))]
    public void AgreesWithPyTorch(string name)
    {
        LibTorch.Require();
        var expected = Reference[name]!;
        long[] shape = [.. expected["shape"]!.AsArray().Select(n => (long)n!)];
        var network = name.StartsWith("architecture", StringComparison.Ordinal) ? Named(name["architecture ".Length..]) : Single(name.Split(' ')[1], int.Parse(name.Split(' ')[2], CultureInfo.InvariantCulture));
        using var scope = new TensorScope();
        using var loaded = new LoadedNetwork(network, Numbers(network), learn: true);
        var image = Tensor.Of(Image(shape, (int)expected["offset"]!), shape, TensorFlags.ChannelsLast);
        var (logits, _) = loaded.Forward(image, train: true);
        Near(expected["logits"]!, logits.Read(), name + " logits");
        long[] where = [shape[0], .. logits.Shape[2..]];
        var kind = Enum.Parse<Loss>(((string)expected["loss"]!).Replace("-", "", StringComparison.Ordinal), ignoreCase: true);
        var loss = Learning.Of(kind, logits, Tensor.Of(Target(where, network.Classes), where));
        Assert.Equal((double)expected["value"]!, loss.Scalar(), 1e-5);
        loss.Backward();
        var learning = loaded.Learning;
        var gradients = expected["gradients"]!.AsArray();
        Assert.Equal(gradients.Count, learning.Count);
        for (var i = 0; i < gradients.Count; i++) Near(gradients[i]!, learning[i].Gradient().Read(), $"{name} gradient {i}");
        using var adam = new Adam(learning);
        adam.Step(1e-4);
        var after = loaded.Values();
        for (var i = 0; i < after.Length; i++) Near(expected["after"]![i]!, after[i], $"{name} {network.Slots[i].Name} after a step");
        Near(expected["predicted"]!, Learning.Softmax(loaded.Forward(image, train: false).Logits).Read(), name + " predicted");
        // folding batch normalisation changes nothing but the rounding
        var (folded, values) = Folding.Fold(network, after);
        Assert.DoesNotContain(folded.Layers, layer => layer.Kind == LayerKind.BatchNorm && !name.StartsWith("layer", StringComparison.Ordinal));
        if (name.StartsWith("layer", StringComparison.Ordinal)) return;
        using var fast = new LoadedNetwork(folded, values, learn: false);
        Near(expected["predicted"]!, Learning.Softmax(fast.Forward(image, train: false).Logits).Read(), name + " folded");
    }

    // sum, sum of absolute values, product with a cosine; differences may be 1e-5 of the sum of absolute values, and 1e-6
    private static void Near(JsonNode expected, float[] values, string what)
    {
        double sum = 0, all = 0, product = 0;
        for (var i = 0; i < values.Length; i++)
        {
            sum += values[i];
            all += Math.Abs(values[i]);
            product += values[i] * Math.Cos(0.3f * i);
        }
        var scale = (double)expected[1]! + 0.1;
        foreach (var (found, k) in new[] { (sum, 0), (all, 1), (product, 2) })
            Assert.True(Math.Abs(found - (double)expected[k]!) <= 1e-5 * scale, $"{what}: {found} instead of {(double)expected[k]!} (number {k}, scale {scale})");
    }

    private static Network Named(string name) => (name switch
    {
        "unet 1" => new Architecture { Depth = 3, Width = 4 },
        "unet 3" => new Architecture { Depth = 3, Width = 4, Slices = 3 },
        "unet 7 residual" => new Architecture { Depth = 2, Width = 4, Slices = 7, Residual = true, Classes = 3 },
        "unet3d" => new Architecture { Kind = ArchitectureKind.Unet3d, Depth = 2, Width = 4 },
        "resunet3d" => new Architecture { Kind = ArchitectureKind.Resunet3d, Depth = 2, Width = 4 },
        "vnet" => new Architecture { Kind = ArchitectureKind.Vnet, Depth = 3, Width = 2 },
        "segnet" => new Architecture { Kind = ArchitectureKind.Segnet },
        _ => new Architecture { Depth = 2, Width = 4, Channels = 2, Fusion = Enum.Parse<Fusion>(name, ignoreCase: true) },
    }).Build();

    private static Network Single(string layer, int dimensions)
    {
        var b = new NetworkBuilder(dimensions, 2);
        var x = b.Conv(0, 3, "conv", bias: layer != "norm");
        int Relu() => b.Relu(x, "relu");
        _ = layer switch
        {
            "conv" => b.Conv(x, 3, "own"),
            "conv5" => b.Conv(x, 3, "own", kernel: 5, bias: true),
            "halve" => b.Conv(x, 3, "own", kernel: 2, stride: 2),
            "norm" => b.BatchNorm(x, "norm"),
            "relu" => Relu(),
            "prelu" => b.Prelu(x, "prelu"),
            "pool" => b.MaxPool(x, "pool"),
            "double" => b.Upsample(x, "double"),
            "concat" => b.Concat("concat", x, Relu()),
            "add" => b.Add(x, Relu(), "add"),
            "softmax" => b.Softmax(x, "softmax"),
            "narrow" => b.Narrow(x, 1, 2, "narrow"),
            "two-class" => b.TwoClass(b.Narrow(x, 0, 1, "narrow"), "two"),
            "blend" => b.Blend("blend", x, Relu()),
            "log" => b.Log(x, "log"),
            _ => 0,
        };
        return b.Build();
    }

    private static float[][] Numbers(Network network) => [.. network.Slots.Select((slot, i) =>
    {
        var values = new float[slot.Count];
        var scale = slot.Shape.Length > 1 ? 1 / Math.Sqrt(slot.Count / slot.Shape[0]) : 0.1;
        for (var j = 0; j < values.Length; j++)
            values[j] = (float)(slot.Start + (Network.IsBuffer(slot) ? 0 : scale * Math.Sin(0.37 * j + 1.13 * i + 0.5)));
        return values;
    })];

    private static float[] Image(long[] shape, int offset) =>
        [.. Enumerable.Range(offset, (int)shape.Aggregate(1L, (a, b) => a * b)).Select(j => (float)(Math.Sin(0.11 * j) + 0.5 * Math.Cos(0.017 * j)))];

    private static long[] Target(long[] shape, int classes) =>
        [.. Enumerable.Range(0, (int)shape.Aggregate(1L, (a, b) => a * b)).Select(j => j % 5 == 0 ? -1L : j * 7 % 11 % classes)];
}
