namespace Kerf.Networks;

/// <summary>
/// Computes planes with a network of <see cref="ArchitectureKind.Inpaint"/>, in tiles that overlap by as much as its convolutions reach: the same values as of one tile. Beyond the border the
/// nearest pixel goes on.
/// </summary>
public sealed class PlanePrediction : IDisposable
{
    // a convolution of 3×3 reaches one pixel further; ten of them follow each other
    private const int Halo = 10, Tile = 256;

    private readonly LoadedNetwork _network;
    private readonly int _channels;

    /// <summary>Loads the network; call <see cref="Torch.Start"/> before, on the same thread.</summary>
    /// <param name="model">A network that kerf train fill made.</param>
    public PlanePrediction(NetworkModel model)
    {
        _network = new(model.Architecture.Build(), model.Values, learn: false);
        _channels = model.Channels.Count;
    }

    /// <summary>The logit of each pixel: above 0 for inside.</summary>
    /// <param name="channels">Channel by channel, x fastest.</param>
    /// <param name="height">Rows.</param>
    /// <param name="width">Columns.</param>
    /// <param name="field">Receives the logits.</param>
    public void Run(ReadOnlySpan<float> channels, int height, int width, Span<float> field)
    {
        var plane = height * width;
        for (var y0 = 0; y0 < height; y0 += Tile)
            for (var x0 = 0; x0 < width; x0 += Tile)
            {
                var (rows, columns) = (Math.Min(Tile, height - y0) + 2 * Halo, Math.Min(Tile, width - x0) + 2 * Halo);
                var image = new float[_channels * rows * columns];
                for (int c = 0, i = 0; c < _channels; c++)
                    for (var y = 0; y < rows; y++)
                    {
                        var row = channels.Slice(c * plane + Math.Clamp(y0 + y - Halo, 0, height - 1) * width, width);
                        for (var x = 0; x < columns; x++, i++) image[i] = row[Math.Clamp(x0 + x - Halo, 0, width - 1)];
                    }
                var logits = Compute(image, rows, columns);
                for (var y = 0; y < rows - 2 * Halo; y++)
                    logits.AsSpan(rows * columns + (y + Halo) * columns + Halo, columns - 2 * Halo).CopyTo(field[((y0 + y) * width + x0)..]);
            }
    }

    private float[] Compute(float[] image, int rows, int columns)
    {
        using var scope = new TensorScope();
        var input = Tensor.Of(image, [1, _channels, rows, columns], TensorFlags.ChannelsLast);
        return _network.Forward(input, train: false).Logits.Read();
    }

    /// <inheritdoc/>
    public void Dispose() => _network.Dispose();
}
