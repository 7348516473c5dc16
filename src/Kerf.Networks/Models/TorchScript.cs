using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using Kerf.Volumes;

namespace Kerf.Networks;

/// <summary>A network as TorchScript: a file that PyTorch opens by torch.jit.load, without Kerf. Image in, class probabilities out.</summary>
public static unsafe class TorchScript
{
    /// <summary>Writes the file; batch normalisation is folded into the convolutions. After <see cref="Torch.Start"/>.</summary>
    /// <param name="model">What is exported.</param>
    /// <param name="path">A .pt file.</param>
    public static void Save(NetworkModel model, string path)
    {
        var (network, values) = Folding.Fold(model.Architecture.Build(), model.Values);
        using var scope = new TensorScope();
        Tensor[] tensors = [.. network.Slots.Select((slot, i) => Tensor.Of(values[i], [.. slot.Shape.Select(n => (long)n)]))];
        nint[] names = [.. network.Slots.Select(slot => Marshal.StringToCoTaskMemUTF8(Name(slot.Name)))];
        nint[] handles = [.. tensors.Select(t => t.DangerousGetHandle())];
        var partial = path + AtomicFile.PartialSuffix;
        try
        {
            fixed (nint* n = names, t = handles) Torch.Check(KerfTorch.kerf_export(n, t, names.Length, Source(network), partial));
            File.Move(partial, path, overwrite: true);
        }
        finally
        {
            foreach (var name in names) Marshal.FreeCoTaskMem(name);
        }
    }

    /// <summary>The forward method, one line a layer.</summary>
    internal static string Source(Network network)
    {
        var text = new StringBuilder("def forward(self, x0: Tensor) -> Tensor:\n");
        for (var i = 1; i < network.Layers.Count; i++) text.Append(CultureInfo.InvariantCulture, $"    x{i} = {Line(network, network.Layers[i])}\n");
        return text.Append(CultureInfo.InvariantCulture, $"    return torch.softmax(x{network.Layers.Count - 1}, 1)\n").ToString();
    }

    private static string Line(Network network, Layer layer)
    {
        var d = network.Dimensions;
        string X(int k) => string.Create(CultureInfo.InvariantCulture, $"x{layer.Inputs[k]}");
        string Slot(int k) => "self." + Name(network.Slots[layer.Slots[k]].Name);
        string Each(object value) => "[" + string.Join(", ", Enumerable.Repeat(value, d)) + "]";
        var all = string.Join(", ", layer.Inputs.Select((_, k) => X(k)));
        return layer.Kind switch
        {
            LayerKind.Conv => $"torch.conv{d}d({X(0)}, {Slot(0)}, {(layer.Slots.Length > 1 ? Slot(1) : "None")}, {Each(layer.Arguments[0])}, {Each(layer.Arguments[1])})",
            LayerKind.Relu => $"torch.relu({X(0)})",
            LayerKind.Prelu => $"torch.prelu({X(0)}, {Slot(0)})",
            LayerKind.MaxPool => $"torch.max_pool{d}d({X(0)}, {Each(2)})",
            LayerKind.Upsample => $"torch.upsample_nearest{d}d({X(0)}, None, {Each("2.0")})",
            LayerKind.Concat => $"torch.cat([{all}], 1)",
            LayerKind.Add => $"{X(0)} + {X(1)}",
            LayerKind.Softmax => $"torch.softmax({X(0)}, 1)",
            LayerKind.Narrow => string.Create(CultureInfo.InvariantCulture, $"torch.narrow({X(0)}, 1, {layer.Arguments[0]}, {layer.Arguments[1]})"),
            LayerKind.TwoClass => $"torch.cat([torch.zeros_like({X(0)}), {X(0)}], 1)",
            LayerKind.Blend => string.Join(" + ", layer.Inputs.Select((_, k) => string.Create(CultureInfo.InvariantCulture, $"torch.softmax({Slot(0)}, 0)[{k}] * {X(k)}"))),
            LayerKind.Log => $"torch.log(torch.clamp_min({X(0)}, 1e-7))",
            var other => throw new NotSupportedException($"{other} is not exported"),
        };
    }

    private static string Name(string slot) => slot.Replace('.', '_');
}
