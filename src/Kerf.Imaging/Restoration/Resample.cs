using System.Numerics.Tensors;
using Kerf.Volumes;

namespace Kerf.Imaging;

/// <summary>How grey values between voxels are found.</summary>
public enum Interpolation
{
    /// <summary>Straight lines between voxel centres.</summary>
    Linear,

    /// <summary>Cubic convolution (Keys 1981, doi:10.1109/TASSP.1981.1163711, a = −½): sharper, may overshoot at edges.</summary>
    Cubic,
}

/// <summary>Brings a volume to another voxel size.</summary>
[Operation("resample", "Brings a volume to another voxel size, cubes for example; phases by majority, grey values without aliasing.")]
public sealed record Resample : Step
{
    /// <summary>The new voxel size.</summary>
    [Parameter("New voxel size: z,y,x, or one number for cubes. Left out: cubes of the finest edge.", Unit = "nm", Min = 0)]
    public double[]? To { get; init; }

    /// <summary>For grey values.</summary>
    [Parameter("Grey values: linear or cubic. Phases are always decided by majority.")]
    public Interpolation Interpolation { get; init; } = Interpolation.Linear;

    /// <inheritdoc/>
    public override void Run(StepRun run)
    {
        var info = run.Source.Info;
        var voxel = info.RequireVoxel("resample");
        var to = To switch
        {
            null or [] => VoxelSize.Cube(voxel.Finest),
            [var edge] => VoxelSize.Cube(edge),
            [var z, var y, var x] => new VoxelSize(z, y, x),
            _ => throw new InputError($"to has {To.Length} numbers; write z,y,x in nanometres, or one number for cubes."),
        };
        var target = run.Create(info with { Size = Resampling.SizeOf(info, to), Voxel = to });
        if (info.Phases is null) Resampling.Grey(run.Source, target, Interpolation, run.Walk);
        else Resampling.Majority(run.Source.AsLabels(), (IWritableVolume<byte>)target, run.Walk);
    }
}

/// <summary>
/// Resampling between voxel sizes. The first corners of both volumes coincide, so the centre of new voxel j lies at (j + ½)·v'/v − ½ old
/// voxels; the extent is kept to half a new voxel. Beyond the volume its outermost voxels repeat.
/// </summary>
public static class Resampling
{
    /// <summary>Voxels along each axis that keep the extent at voxel size <paramref name="to"/>.</summary>
    public static Size3 SizeOf(VolumeInfo info, VoxelSize to)
    {
        var voxel = info.RequireVoxel("resample");
        int Count(int axis) => Math.Max(1, checked((int)Math.Round(info.Size[axis] * voxel[axis] / to[axis])));
        return new(Count(0), Count(1), Count(2));
    }

    /// <summary>
    /// Grey values: the interpolant, averaged where the new voxel is longer than the old one over the difference of the two lengths. This keeps
    /// aliases out, keeps ramps exact at any ratio, is the identity at ratio 1 and the mean of two at ratio 2.
    /// </summary>
    /// <param name="source">Grey values with a voxel size.</param>
    /// <param name="target">A volume of size <see cref="SizeOf"/> with the new voxel size.</param>
    /// <param name="interpolation">Linear or cubic.</param>
    /// <param name="walk">Threads, budget, progress.</param>
    public static void Grey(IVolume source, IVolume target, Interpolation interpolation, Traversal walk)
    {
        Kernel kernel = interpolation == Interpolation.Linear ? new(1, Line, LineIntegral) : new(2, Keys, KeysIntegral);
        var axes = Axes(source.Info, target.Info, kernel, ratio => Math.Max(0, ratio - 1));
        Each<float>(source.AsFloat(), target.AsFloatTarget(), axes, walk, (voxels, from, to, output) =>
        {
            var (nx, ny) = (to.Size.X, to.Size.Y);
            var rows = new float[from.Size.Y * nx];
            var planes = new float[from.Size.Z * ny * nx];
            for (var z = 0; z < from.Size.Z; z++)
            {
                for (var y = 0; y < from.Size.Y; y++)
                {
                    var row = voxels.Slice((z * from.Size.Y + y) * from.Size.X, from.Size.X);
                    for (var x = 0; x < nx; x++)
                    {
                        var (first, weights) = axes[2][to.Start.X + x];
                        var sum = 0f;
                        for (var k = 0; k < weights.Length; k++) sum += row[first - from.Start.X + k] * (float)weights[k];
                        rows[y * nx + x] = sum;
                    }
                }
                for (var y = 0; y < ny; y++) Combine(rows, from.Start.Y, axes[1][to.Start.Y + y], planes.AsSpan((z * ny + y) * nx, nx));
            }
            for (var z = 0; z < to.Size.Z; z++) Combine(planes, from.Start.Z, axes[0][to.Start.Z + z], output.Slice(z * ny * nx, ny * nx));
        });
    }

    /// <summary>
    /// Phases: the label that fills the largest part of the new voxel, or, along an axis where that is shorter than the old one, of an old
    /// voxel's length around its centre. The lower label wins a tie.
    /// </summary>
    /// <param name="source">Labels with a voxel size.</param>
    /// <param name="target">A volume of size <see cref="SizeOf"/> with the new voxel size.</param>
    /// <param name="walk">Threads, budget, progress.</param>
    public static void Majority(IVolume<byte> source, IWritableVolume<byte> target, Traversal walk)
    {
        var axes = Axes(source.Info, target.Info, new(0.5, _ => 0, t => Math.Clamp(t + 0.5, 0, 1)), ratio => Math.Max(1, ratio));
        Each<byte>(source, target, axes, walk, (voxels, from, to, output) =>
        {
            var votes = new double[256];
            for (var i = 0; i < output.Length; i++)
            {
                var (zFirst, zWeights) = axes[0][to.Start.Z + i / (to.Size.Y * to.Size.X)];
                var (yFirst, yWeights) = axes[1][to.Start.Y + i / to.Size.X % to.Size.Y];
                var (xFirst, xWeights) = axes[2][to.Start.X + i % to.Size.X];
                Array.Clear(votes);
                for (var z = 0; z < zWeights.Length; z++)
                    for (var y = 0; y < yWeights.Length; y++)
                    {
                        var line = (zFirst + z - from.Start.Z) * from.Size.Y + yFirst + y - from.Start.Y;
                        var row = voxels[(line * from.Size.X + xFirst - from.Start.X)..];
                        for (var x = 0; x < xWeights.Length; x++) votes[row[x]] += zWeights[z] * yWeights[y] * xWeights[x];
                    }
                var winner = 0;
                for (var label = 1; label < votes.Length; label++)
                    if (votes[label] > votes[winner] + 1e-9) winner = label;
                output[i] = (byte)winner;
            }
        });
    }

    // an interpolation kernel with its reach and its integral from −∞
    private sealed record Kernel(double Reach, Func<double, double> At, Func<double, double> Integral);

    private static double Line(double t) => Math.Max(0, 1 - Math.Abs(t));

    private static double LineIntegral(double t) => t <= -1 ? 0 : t >= 1 ? 1 : t < 0 ? (1 + t) * (1 + t) / 2 : 1 - (1 - t) * (1 - t) / 2;

    private static double Keys(double t)
    {
        t = Math.Abs(t);
        return t < 1 ? (1.5 * t - 2.5) * t * t + 1 : t < 2 ? ((-0.5 * t + 2.5) * t - 4) * t + 2 : 0;
    }

    private static double KeysIntegral(double t)
    {
        var a = Math.Min(Math.Abs(t), 2);
        var half = a < 1 ? ((0.375 * a - 2.5 / 3) * a * a + 1) * a : (((-0.125 * a + 2.5 / 3) * a - 2) * a + 2) * a - 1.0 / 6;
        return 0.5 + Math.Sign(t) * half;
    }

    // for each axis and new voxel the first old voxel and the weights from there on; averaged over a length in old voxels
    private static (int First, double[] Weights)[][] Axes(VolumeInfo source, VolumeInfo target, Kernel kernel, Func<double, double> averaged)
    {
        var (from, to) = (source.RequireVoxel("resample"), target.RequireVoxel("resample"));
        (int, double[])[] Of(int axis) => Axis(source.Size[axis], target.Size[axis], to[axis] / from[axis], kernel, averaged(to[axis] / from[axis]));
        return [Of(0), Of(1), Of(2)];
    }

    private static (int, double[])[] Axis(int length, int count, double ratio, Kernel kernel, double width)
    {
        var axis = new (int, double[])[count];
        for (var j = 0; j < count; j++)
        {
            var centre = (j + 0.5) * ratio - 0.5;
            var reach = kernel.Reach + width / 2;
            var first = Math.Clamp((int)Math.Ceiling(centre - reach), 0, length - 1);
            var weights = new double[Math.Clamp((int)Math.Floor(centre + reach), first, length - 1) - first + 1];
            for (var i = (int)Math.Ceiling(centre - reach); i <= centre + reach; i++)
            {
                var t = centre - i;
                weights[Math.Clamp(i - first, 0, weights.Length - 1)] +=
                    width > 0 ? (kernel.Integral(t + width / 2) - kernel.Integral(t - width / 2)) / width : kernel.At(t);
            }
            axis[j] = (first, weights);
        }
        return axis;
    }

    private static void Combine(float[] lines, int start, (int First, double[] Weights) line, Span<float> to)
    {
        to.Clear();
        for (var k = 0; k < line.Weights.Length; k++)
            TensorPrimitives.MultiplyAdd(lines.AsSpan((line.First - start + k) * to.Length, to.Length), (float)line.Weights[k], to, to);
    }

    private delegate void BoxKernel<T>(ReadOnlySpan<T> voxels, Box from, Box to, Span<T> output);

    // blocks of the target, so small along each axis that what they are made from is a block of the source
    private static void Each<T>(
        IVolume<T> source, IWritableVolume<T> target, (int First, double[] Weights)[][] axes, Traversal walk, BoxKernel<T> kernel)
        where T : unmanaged
    {
        int Edge(int axis) => (int)Math.Max(1, Math.Min(walk.BlockEdge, (long)walk.BlockEdge * target.Info.Size[axis] / source.Info.Size[axis]));
        var grid = new BlockGrid(target.Info.Size, new(Edge(0), Edge(1), Edge(2)));
        var bytes = 3L * sizeof(float) * (walk.BlockEdge + 8L) * (walk.BlockEdge + 8L) * (walk.BlockEdge + 8L);
        walk.ForEach(grid.Count, item =>
        {
            var to = grid[item];
            if (target.IsWritten(to)) return;
            var start = new Size3(axes[0][to.Start.Z].First, axes[1][to.Start.Y].First, axes[2][to.Start.X].First);
            var from = new Box(start, new Size3(End(0), End(1), End(2)) - start);
            var voxels = new T[from.Count];
            var output = new T[to.Count];
            source.Read(from, voxels);
            kernel(voxels, from, to, output);
            target.Write(to, output);

            int End(int axis)
            {
                var (first, weights) = axes[axis][to.End[axis] - 1];
                return first + weights.Length;
            }
        }, (int)Math.Clamp(walk.MemoryBytes / 2 / bytes, 1, walk.Threads));
    }
}
