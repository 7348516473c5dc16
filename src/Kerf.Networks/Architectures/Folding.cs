namespace Kerf.Networks;

/// <summary>Batch normalisation as part of the convolution before it, for prediction: the same function with fewer passes over memory.</summary>
internal static class Folding
{
    /// <summary>The network without batch normalisation, and its numbers. w′ = w·γ/√(σ² + ε), b′ = (b − μ)·γ/√(σ² + ε) + β, in double.</summary>
    public static (Network Network, float[][] Values) Fold(Network network, IReadOnlyList<float[]> values)
    {
        var builder = new List<Layer>();
        var (slots, numbers) = (new List<Slot>(), new List<float[]>());
        var place = new int[network.Layers.Count];
        for (var i = 0; i < place.Length; i++)
        {
            var layer = network.Layers[i];
            if (layer.Kind == LayerKind.BatchNorm)
            {
                // every one follows a convolution that nothing else reads
                place[i] = place[layer.Inputs[0]];
                continue;
            }
            var norm = layer.Kind == LayerKind.Conv ? network.Layers.FirstOrDefault(l => l.Kind == LayerKind.BatchNorm && l.Inputs[0] == i) : null;
            var own = layer.Slots.Select(s => (Slot: network.Slots[s], Values: values[s])).ToArray();
            if (norm is not null) own = Merge(layer, own, [.. norm.Slots.Select(s => values[s])]);
            place[i] = builder.Count;
            builder.Add(layer with { Inputs = [.. layer.Inputs.Select(input => place[input])], Slots = [.. own.Select((_, s) => slots.Count + s)] });
            slots.AddRange(own.Select(o => o.Slot));
            numbers.AddRange(own.Select(o => o.Values));
        }
        return (network with { Layers = builder, Slots = slots }, [.. numbers]);
    }

    private static (Slot, float[])[] Merge(Layer conv, (Slot Slot, float[] Values)[] own, float[][] norm)
    {
        var (gamma, beta, mean, variance) = (norm[0], norm[1], norm[2], norm[3]);
        var (weight, per) = ((float[])own[0].Values.Clone(), own[0].Values.Length / conv.Channels);
        var bias = new float[conv.Channels];
        for (var c = 0; c < conv.Channels; c++)
        {
            var factor = gamma[c] / Math.Sqrt(variance[c] + 1e-5);
            foreach (ref var w in weight.AsSpan(c * per, per)) w = (float)(w * factor);
            bias[c] = (float)(((own.Length > 1 ? own[1].Values[c] : 0.0) - mean[c]) * factor + beta[c]);
        }
        return [(own[0].Slot, weight), (new(conv.Name + ".bias", [conv.Channels], own[0].Slot.Learns, 0, 0), bias)];
    }
}
