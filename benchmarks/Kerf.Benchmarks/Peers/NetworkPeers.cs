using Kerf.Networks;
using Kerf.Volumes;

namespace Kerf.Benchmarks;

/// <summary>The U-Net of benchmarks/peers/network_*.py: training steps, and prediction of whole tiles with batch normalisation folded.</summary>
internal static class NetworkPeers
{
    private static readonly Architecture Flat = new() { Depth = 4, Width = 32 };
    private static readonly Architecture Deep = new() { Kind = ArchitectureKind.Unet3d, Depth = 4, Width = 16 };

    /// <summary>Two steps of Adam on a batch of 32 patches of 64²; cross-entropy.</summary>
    public static Func<int, IVolume> Train(IVolume stack, string path)
    {
        Torch.Start(1, "cpu");
        var patches = Volume<float>.Load(stack.AsFloat()).Data;
        var network = Flat.Build();
        var loaded = new LoadedNetwork(network, network.Initial(1), learn: true);
        var adam = new Adam(loaded.Learning);
        long n = stack.Info.Size.Z;
        return threads =>
        {
            Torch.Start(threads, "cpu");
            var loss = 0f;
            for (var step = 0; step < 2; step++)
            {
                using var scope = new TensorScope();
                var image = Tensor.Of(patches, [n, 1, 64, 64], TensorFlags.ChannelsLast);
                var target = Tensor.Of([.. patches.Select(v => v > 0 ? 1L : 0L)], [n, 64, 64]);
                var value = Learning.Of(Loss.CrossEntropy, loaded.Forward(image, train: true).Logits, target);
                value.Backward();
                adam.Step(1e-3);
                loss = value.Scalar();
            }
            return new Volume<float>(new Size3(1, 1, 1), null, [loss]);
        };
    }

    /// <summary>Probabilities of a tile; three times.</summary>
    public static Func<int, IVolume> Predict(IVolume stack, string path) => Predict(stack, Precision.F32);

    /// <summary>The same in bfloat16.</summary>
    public static Func<int, IVolume> PredictHalf(IVolume stack, string path) => Predict(stack, Precision.Bf16);

    private static Func<int, IVolume> Predict(IVolume stack, Precision precision)
    {
        Torch.Start(1, "cpu");
        var values = Volume<float>.Load(stack.AsFloat()).Data;
        var size = stack.Info.Size;
        var architecture = size.Z == 1 ? Flat : Deep;
        var plain = architecture.Build();
        var (network, numbers) = NetworkPrediction.Prepared(plain, plain.Initial(1));
        var loaded = new LoadedNetwork(network, numbers, learn: false, precision);
        long[] shape = size.Z == 1 ? [1, 1, size.Y, size.X] : [1, 1, size.Z, size.Y, size.X];
        return threads =>
        {
            Torch.Start(threads, "cpu");
            float[] result = [];
            for (var i = 0; i < 3; i++)
            {
                using var scope = new TensorScope();
                var image = Tensor.Of(values, shape, loaded.Layout, precision);
                result = Learning.Softmax(Learning.Cast32(loaded.Forward(image, train: false).Logits)).Read();
            }
            return new Volume<float>(new Size3(2 * size.Z, size.Y, size.X), null, result);
        };
    }
}
