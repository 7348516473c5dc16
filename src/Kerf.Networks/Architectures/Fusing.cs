namespace Kerf.Networks;

/// <summary>
/// The same function in fewer and cheaper layers, for prediction: max(0, x) as part of the convolution before it; and a doubling with the 3×3 convolution after
/// it as 2×2 convolutions of the coarse image, four of nine products, written straight behind the channels that they are joined to.
/// </summary>
internal static class Fusing
{
    /// <summary>The network, already without batch normalisation, and its numbers. A fused layer has the name of the last one in it.</summary>
    public static (Network Network, float[][] Values) Fuse(Network network, IReadOnlyList<float[]> values)
    {
        var layers = network.Layers;
        var readers = layers.Select((_, i) => Enumerable.Range(0, layers.Count).Where(k => layers[k].Inputs.Contains(i)).ToArray()).ToArray();
        int Only(int i, LayerKind kind) => readers[i] is [var k] && layers[k].Kind == kind ? k : -1;
        var (made, slots, numbers) = (new List<Layer>(), new List<Slot>(), new List<float[]>());
        var place = Enumerable.Repeat(-1, layers.Count).ToArray();
        for (var i = 0; i < layers.Count; i++)
        {
            var layer = layers[i];
            if (layer.Kind == LayerKind.Upsample && Only(i, LayerKind.Conv) is var c and > 0 && IsThree(c)) continue;
            if (place[i] >= 0) continue;
            if (layer.Kind != LayerKind.Conv)
            {
                place[i] = Add(layer, layer.Inputs, [.. layer.Slots.Select(s => (network.Slots[s], values[s]))]);
                continue;
            }
            var relu = Only(i, LayerKind.Relu);
            var last = relu > 0 ? relu : i;
            var rectifies = relu > 0 ? 1L : 0;
            (Slot, float[])[] own = [.. layer.Slots.Select(s => (network.Slots[s], values[s]))];
            if (layers[layer.Inputs[0]].Kind == LayerKind.Upsample && place[layer.Inputs[0]] < 0)
            {
                var coarse = layers[layer.Inputs[0]].Inputs[0];
                // the join comes right after, with what goes before known already
                var join = Only(last, LayerKind.Concat);
                var joins = join > 0 && layers[join].Inputs is [var before, var other] && other == last && place[before] >= 0;
                var fused = layers[joins ? join : last] with { Kind = LayerKind.Grow, Arguments = [joins ? 1 : 0, rectifies] };
                place[i] = place[last] = place[joins ? join : last] = Add(fused, joins ? [layers[join].Inputs[0], coarse] : [coarse], Coarse(own, network.Dimensions));
            }
            else
            {
                place[i] = place[last] = Add(layer with { Name = layers[last].Name, Arguments = [.. layer.Arguments, rectifies] }, layer.Inputs, own);
            }
        }
        return (network with { Layers = made, Slots = slots }, [.. numbers]);

        bool IsThree(int conv) => layers[conv].Arguments is [1, 1] && network.Slots[layers[conv].Slots[0]].Shape[^1] == 3;

        int Add(Layer layer, int[] inputs, (Slot Slot, float[] Values)[] own)
        {
            made.Add(layer with { Inputs = [.. inputs.Select(input => place[input])], Slots = [.. own.Select((_, s) => slots.Count + s)] });
            slots.AddRange(own.Select(o => o.Slot));
            numbers.AddRange(own.Select(o => o.Values));
            return made.Count - 1;
        }
    }

    // along one axis voxel 2i sees w0·x[i−1] + (w1 + w2)·x[i], voxel 2i + 1 sees (w0 + w1)·x[i] + w2·x[i+1]: tap t of three belongs to tap (t + p)/2 of the two of parity p … (1 + t − p … )
    // along one axis voxel 2i sees w0·x[i−1] + (w1 + w2)·x[i], voxel 2i + 1 sees (w0 + w1)·x[i] + w2·x[i+1]: of parity p, tap t falls on (t + p + 1)/2 − p
    private static (Slot, float[])[] Coarse((Slot Slot, float[] Values)[] own, int dimensions)
    {
        var (slot, fine) = own[0];
        var (channels, inputs, parities) = (slot.Shape[0], slot.Shape[1], 1 << dimensions);
        var (taps, per) = ((int)Math.Pow(3, dimensions), channels * inputs);
        var sums = new double[parities * per * parities];
        for (var parity = 0; parity < parities; parity++)
            for (var tap = 0; tap < taps; tap++)
            {
                var (to, rest) = (0, tap);
                // the last axis first, in both
                for (var axis = 0; axis < dimensions; axis++, rest /= 3) to |= (rest % 3 + (parity >> axis & 1) + 1) / 2 - (parity >> axis & 1) << axis;
                for (var k = 0; k < per; k++) sums[(parity * per + k) * parities + to] += fine[k * taps + tap];
            }
        float[] bias = own.Length > 1 ? own[1].Values : new float[channels];
        int[] shape = [parities * channels, inputs, .. Enumerable.Repeat(2, dimensions)];
        return [(slot with { Shape = shape }, Array.ConvertAll(sums, v => (float)v)), (new(slot.Name + ".bias", [parities * channels], false, 0, 0), [.. Enumerable.Repeat(bias, parities).SelectMany(b => b)])];
    }
}
