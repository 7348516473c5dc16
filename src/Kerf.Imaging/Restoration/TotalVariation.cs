using System.Numerics.Tensors;
using Kerf.Volumes;

namespace Kerf.Imaging;

/// <summary>
/// Total-variation denoising: the u that minimises Σ|∇u| + ‖u − f‖²/(2λ), by the dual projection of Chambolle 2004
/// (doi:10.1023/B:JMIV.0000011325.36760.1e) with a fixed number of iterations. It flattens regions and keeps edges, at the price of some
/// contrast. No flux leaves the volume. Voxels count as cubes.
/// </summary>
public static class TotalVariation
{
    /// <summary>Writes the filtered volume.</summary>
    /// <param name="source">Grey values.</param>
    /// <param name="target">A volume of the same size.</param>
    /// <param name="lambda">Strength in grey levels, above 0: near the standard deviation of the noise.</param>
    /// <param name="iterations">1 to 500; 50 are enough for images.</param>
    /// <param name="threeD">Along z too; otherwise each slice for itself.</param>
    /// <param name="walk">Threads, budget, progress.</param>
    /// <remarks>An iteration carries knowledge by one voxel, so a halo as wide as there are iterations makes blocks exact.</remarks>
    /// <exception cref="InputError">λ or the number of iterations is out of range.</exception>
    public static void Filter(IVolume source, IVolume target, double lambda, int iterations, bool threeD, Traversal walk)
    {
        if (!(lambda > 0)) throw new InputError($"lambda is {lambda} grey levels; it must be above 0, near the standard deviation of the noise.");
        if (iterations is < 1 or > 500) throw new InputError($"iterations is {iterations}; it must be 1 to 500.");
        var whole = Box.Whole(source.Info.Size);
        void Kernel(Block<float> block, Span<float> output)
        {
            // beyond the volume nothing exists: the block ends where the volume does
            var box = block.Outer.Intersect(whole);
            var grey = new float[box.Count];
            Rows.Copy(block.Voxels, block.Outer, grey, box, box);
            new Dual(grey, box.Size, (float)lambda, threeD).Solve(iterations);
            Rows.Copy(grey, box, output, block.Inner, block.Inner);
        }
        if (threeD) Blocks.Map<float, float>(source.AsFloat(), target.AsFloatTarget(), Size3.Cube(iterations + 1), Border.Nearest, walk, Kernel, 24);
        else Blocks.MapSlices<float, float>(source.AsFloat(), target.AsFloatTarget(), 0, Border.Nearest, walk, Kernel, 20);
    }

    // The dual field p, one array an axis (x, y, z); its last entry along its own axis stays 0, which keeps flux inside.
    private sealed class Dual(float[] grey, Size3 size, float lambda, bool threeD)
    {
        private readonly int[] _strides = threeD ? [1, size.X, size.X * size.Y] : [1, size.X];
        private readonly float[][] _p = [new float[grey.Length], new float[grey.Length], threeD ? new float[grey.Length] : []];
        private readonly float[] _u = new float[grey.Length];
        private readonly float[][] _gradient = [new float[size.X], new float[size.X], new float[size.X]];
        private readonly float[] _norm = new float[size.X];

        // turns grey into f − λ div p
        public void Solve(int iterations)
        {
            for (var i = 0; i < iterations; i++)
            {
                ForEachRow(Divergence);
                ForEachRow(Ascend);
            }
            ForEachRow(Divergence);
            TensorPrimitives.Multiply(_u, -lambda, grey);
        }

        private void ForEachRow(Action<int, int> row)
        {
            for (var z = 0; z < size.Z; z++)
                for (var y = 0; y < size.Y; y++) row(z, y);
        }

        // u = div p − f/λ
        private void Divergence(int z, int y)
        {
            var start = (z * size.Y + y) * size.X;
            var u = _u.AsSpan(start, size.X);
            TensorPrimitives.Multiply(grey.AsSpan(start, size.X), -1 / lambda, u);
            for (var axis = 0; axis < _strides.Length; axis++)
            {
                TensorPrimitives.Add(u, _p[axis].AsSpan(start, size.X), u);
                var before = axis switch { 0 => u[1..], 1 when y == 0 => [], 2 when z == 0 => [], _ => u };
                TensorPrimitives.Subtract(before, _p[axis].AsSpan(axis == 0 ? start : Math.Max(0, start - _strides[axis]), before.Length), before);
            }
        }

        // p ← (p + τ ∇u) / (1 + τ |∇u|)
        private void Ascend(int z, int y)
        {
            var start = (z * size.Y + y) * size.X;
            var step = 1f / (2 * _strides.Length);
            _norm.AsSpan().Clear();
            for (var axis = 0; axis < _strides.Length; axis++)
            {
                var gradient = _gradient[axis].AsSpan();
                gradient.Clear();
                var inside = axis switch { 0 => gradient[..^1], 1 when y == size.Y - 1 => [], 2 when z == size.Z - 1 => [], _ => gradient };
                if (inside.Length == 0) continue;
                TensorPrimitives.Subtract(_u.AsSpan(start + _strides[axis], inside.Length), _u.AsSpan(start, inside.Length), inside);
                TensorPrimitives.MultiplyAdd(gradient, gradient, _norm, _norm);
            }
            TensorPrimitives.Sqrt(_norm, _norm);
            TensorPrimitives.Multiply(_norm, step, _norm);
            TensorPrimitives.Add(_norm, 1f, _norm);
            for (var axis = 0; axis < _strides.Length; axis++)
            {
                var p = _p[axis].AsSpan(start, size.X);
                TensorPrimitives.MultiplyAdd(_gradient[axis], step, p, p);
                TensorPrimitives.Divide(p, _norm, p);
            }
        }
    }
}
