using Kerf.Volumes;

namespace Kerf.Networks;

/// <summary>
/// A network as data: layers in the order of their computation, each naming the layers it takes; and what arrays of numbers they hold. Training,
/// prediction, export and the folding of batch normalisation all walk this list.
/// </summary>
/// <param name="Dimensions">2 or 3 spatial axes.</param>
/// <param name="Layers">The first one is the input, the last one gives the logits.</param>
/// <param name="Slots">Weights and buffers in the order of their making.</param>
public sealed record Network(int Dimensions, IReadOnlyList<Layer> Layers, IReadOnlyList<Slot> Slots)
{
    /// <summary>Channels of the input; slices of a 2-D network count.</summary>
    public int Inputs => Layers[0].Channels;

    /// <summary>Classes.</summary>
    public int Classes => Layers[^1].Channels;

    /// <summary>Numbers that are learned (or were, in frozen layers); running statistics do not count.</summary>
    public long Parameters => Slots.Where(slot => !IsBuffer(slot)).Sum(slot => (long)slot.Count);

    /// <summary>What the extents of an input must be multiples of: 2 to the number of times that they are halved.</summary>
    public int Multiple
    {
        get
        {
            var halvings = new int[Layers.Count];
            for (var i = 1; i < Layers.Count; i++)
            {
                var layer = Layers[i];
                halvings[i] = halvings[layer.Inputs[0]] + layer.Kind switch
                {
                    LayerKind.MaxPool => 1,
                    LayerKind.Conv when layer.Arguments[0] == 2 => 1,
                    LayerKind.Upsample => -1,
                    LayerKind.Grow when layer.Inputs.Length == 1 => -1,
                    _ => 0,
                };
            }
            return 1 << halvings.Max();
        }
    }

    /// <summary>Running mean and variance.</summary>
    internal static bool IsBuffer(Slot slot) => slot.Name.EndsWith(".mean", StringComparison.Ordinal) || slot.Name.EndsWith(".variance", StringComparison.Ordinal);

    /// <summary>Initial numbers: He et al. 2015, doi:10.1109/ICCV.2015.123, normal, from the counter (seed, slot).</summary>
    public float[][] Initial(ulong seed) => [.. Slots.Select((slot, i) =>
    {
        var values = new float[slot.Count];
        Array.Fill(values, slot.Start);
        if (slot.Scale == 0) return values;
        var random = new CounterRandom(seed, 0x4E45_0000UL + (ulong)i);
        foreach (ref var value in values.AsSpan()) value += (float)(slot.Scale * random.NextNormal());
        return values;
    })];
}
