namespace Kerf.Microstructure;

/// <summary>Eigenvalues and eigenvectors of a symmetric 3×3 matrix by Jacobi rotations.</summary>
internal static class SymmetricMatrix
{
    /// <summary>Eigenvalues, largest first, and the eigenvectors as columns. The matrix is spent.</summary>
    public static (double[] Values, double[,] Vectors) Eigen(double[,] a)
    {
        double[,] v = { { 1, 0, 0 }, { 0, 1, 0 }, { 0, 0, 1 } };
        for (var sweep = 0; sweep < 12; sweep++)
        {
            for (var p = 0; p < 2; p++)
            {
                for (var q = p + 1; q < 3; q++) Rotate(a, v, p, q);
            }
        }
        int[] order = [.. Enumerable.Range(0, 3).OrderByDescending(i => a[i, i])];
        var vectors = new double[3, 3];
        for (var row = 0; row < 3; row++)
        {
            for (var column = 0; column < 3; column++) vectors[row, column] = v[row, order[column]];
        }
        return (Array.ConvertAll(order, i => a[i, i]), vectors);
    }

    private static void Rotate(double[,] a, double[,] v, int p, int q)
    {
        if (a[p, q] == 0) return;
        var theta = (a[q, q] - a[p, p]) / (2 * a[p, q]);
        var t = (theta < 0 ? -1 : 1) / (Math.Abs(theta) + Math.Sqrt(theta * theta + 1));
        var c = 1 / Math.Sqrt(t * t + 1);
        var s = t * c;
        for (var k = 0; k < 3; k++) (a[k, p], a[k, q]) = (c * a[k, p] - s * a[k, q], s * a[k, p] + c * a[k, q]);
        for (var k = 0; k < 3; k++) (a[p, k], a[q, k]) = (c * a[p, k] - s * a[q, k], s * a[p, k] + c * a[q, k]);
        for (var k = 0; k < 3; k++) (v[k, p], v[k, q]) = (c * v[k, p] - s * v[k, q], s * v[k, p] + c * v[k, q]);
    }
}
