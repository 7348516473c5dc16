namespace Kerf.Microstructure;

/// <summary>A closed triangle mesh around a phase; normals point out of it.</summary>
/// <param name="Vertices">Positions in (x, y, z), in nanometres, or voxels where their size is unknown; the volume's first corner is the origin.</param>
/// <param name="Triangles">Vertices of each triangle, anticlockwise from outside.</param>
public sealed record SurfaceMesh(IReadOnlyList<(float X, float Y, float Z)> Vertices, IReadOnlyList<(int A, int B, int C)> Triangles)
{
    /// <summary>Sum of the triangles' areas.</summary>
    public double Area()
    {
        var sum = 0.0;
        foreach (var (a, b, c) in Triangles)
        {
            var (x, y, z) = Cross(a, b, c);
            sum += Math.Sqrt(x * x + y * y + z * z) / 2;
        }
        return sum;
    }

    /// <summary>The volume inside.</summary>
    public double Volume()
    {
        var sum = 0.0;
        foreach (var (a, b, c) in Triangles)
        {
            var (x, y, z) = Cross(a, b, c);
            sum += (x * Vertices[a].X + y * Vertices[a].Y + z * Vertices[a].Z) / 6;
        }
        return sum;
    }

    /// <summary>(b − a) × (c − a).</summary>
    internal (double X, double Y, double Z) Cross(int a, int b, int c)
    {
        var (o, p, q) = (Vertices[a], Vertices[b], Vertices[c]);
        var (ux, uy, uz) = ((double)p.X - o.X, (double)p.Y - o.Y, (double)p.Z - o.Z);
        var (vx, vy, vz) = ((double)q.X - o.X, (double)q.Y - o.Y, (double)q.Z - o.Z);
        return (uy * vz - uz * vy, uz * vx - ux * vz, ux * vy - uy * vx);
    }
}
