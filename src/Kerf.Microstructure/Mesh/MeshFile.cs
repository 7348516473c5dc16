using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using Kerf.Volumes;

namespace Kerf.Microstructure;

/// <summary>Writes meshes as binary STL, binary PLY or binary glTF 2.0, by the path's ending.</summary>
public static class MeshFile
{
    /// <summary>Writes the file, whole or not at all. Coordinates are those of the mesh; glTF readers that take its unit for metres see them 10⁹ times too large.</summary>
    /// <param name="path">Ends in .stl, .ply or .glb.</param>
    /// <param name="mesh">The mesh.</param>
    /// <param name="phase">Name and colour.</param>
    /// <exception cref="InputError">Another ending; the disk refuses; more than 2 GiB of glTF.</exception>
    public static void Save(string path, SurfaceMesh mesh, Phase phase)
    {
        Action<BinaryWriter> write = Path.GetExtension(path).ToLowerInvariant() switch
        {
            ".stl" => to => Stl(to, mesh),
            ".ply" => to => Ply(to, mesh, phase),
            ".glb" => to => Glb(to, mesh, phase),
            var ending => throw new InputError($"{path}: no mesh format has the ending \"{ending}\". Write .stl, .ply or .glb."),
        };
        var partial = $"{path}.{Environment.ProcessId}{AtomicFile.PartialSuffix}";
        try
        {
            using (var writer = new BinaryWriter(new FileStream(partial, FileMode.Create, FileAccess.Write, FileShare.None, 1 << 20))) write(writer);
            File.Move(partial, path, overwrite: true);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            if (File.Exists(partial)) File.Delete(partial);
            throw new InputError($"{path}: cannot be written ({exception.Message}). Check the folder's rights and the space left on the disk.", exception);
        }
    }

    private static void Stl(BinaryWriter to, SurfaceMesh mesh)
    {
        to.Write(Encoding.ASCII.GetBytes("binary STL".PadRight(80)));
        to.Write((uint)mesh.Triangles.Count);
        foreach (var (a, b, c) in mesh.Triangles)
        {
            var (x, y, z) = mesh.Cross(a, b, c);
            var length = Math.Sqrt(x * x + y * y + z * z);
            if (length > 0) (x, y, z) = (x / length, y / length, z / length);
            Write(to, ((float)x, (float)y, (float)z));
            foreach (var vertex in (int[])[a, b, c]) Write(to, mesh.Vertices[vertex]);
            to.Write((ushort)0);
        }
    }

    private static void Ply(BinaryWriter to, SurfaceMesh mesh, Phase phase)
    {
        to.Write(Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"""
            ply
            format binary_little_endian 1.0
            comment {new string([.. phase.Name.Select(c => char.IsAscii(c) && !char.IsControl(c) ? c : '?')])}
            element vertex {mesh.Vertices.Count}
            property float x
            property float y
            property float z
            element face {mesh.Triangles.Count}
            property list uchar int vertex_indices
            end_header

            """).ReplaceLineEndings("\n")));
        foreach (var vertex in mesh.Vertices) Write(to, vertex);
        foreach (var (a, b, c) in mesh.Triangles)
        {
            to.Write((byte)3);
            Write(to, a, b, c);
        }
    }

    // https://registry.khronos.org/glTF/specs/2.0/glTF-2.0.html#binary-gltf-layout: header, a chunk of JSON, a chunk of positions and indices
    private static void Glb(BinaryWriter to, SurfaceMesh mesh, Phase phase)
    {
        var (positions, indices) = (12L * mesh.Vertices.Count, 12L * mesh.Triangles.Count);
        if (positions + indices > int.MaxValue) throw new InputError("mesh: a .glb holds at most 2 GiB. Write .ply, or make the volume coarser with kerf resample.");
        var json = Encoding.UTF8.GetBytes(Scene(mesh, phase, positions, indices));
        var padded = new byte[(json.Length + 3) / 4 * 4];
        padded.AsSpan().Fill((byte)' ');
        json.CopyTo(padded, 0);
        to.Write(0x46546C67u);
        to.Write(2u);
        to.Write((uint)(12 + 8 + padded.Length + 8 + positions + indices));
        to.Write((uint)padded.Length);
        to.Write(0x4E4F534Au);
        to.Write(padded);
        to.Write((uint)(positions + indices));
        to.Write(0x004E4942u);
        foreach (var vertex in mesh.Vertices) Write(to, vertex);
        foreach (var (a, b, c) in mesh.Triangles) Write(to, a, b, c);
    }

    private static string Scene(SurfaceMesh mesh, Phase phase, long positions, long indices)
    {
        static string Three(float x, float y, float z) => string.Create(CultureInfo.InvariantCulture, $"[{x:R},{y:R},{z:R}]");
        var v = mesh.Vertices;
        var low = v.Count == 0 ? "[0,0,0]" : Three(v.Min(p => p.X), v.Min(p => p.Y), v.Min(p => p.Z));
        var high = v.Count == 0 ? "[0,0,0]" : Three(v.Max(p => p.X), v.Max(p => p.Y), v.Max(p => p.Z));
        // glTF's colours are linear, ours sRGB
        static double Linear(byte level) => Math.Round(Math.Pow(level / 255.0, 2.2), 4);
        var (red, green, blue) = (Linear(phase.Rgb.R), Linear(phase.Rgb.G), Linear(phase.Rgb.B));
        var name = System.Text.Json.JsonSerializer.Serialize(phase.Name);
        return string.Create(CultureInfo.InvariantCulture, $$$"""
            {"asset":{"version":"2.0","generator":"kerf"},"scene":0,"scenes":[{"nodes":[0]}],"nodes":[{"mesh":0,"name":{{{name}}}}],
            "materials":[{"name":{{{name}}},"pbrMetallicRoughness":{"baseColorFactor":[{{{red}}},{{{green}}},{{{blue}}},1],"metallicFactor":0}}],
            "meshes":[{"primitives":[{"attributes":{"POSITION":0},"indices":1,"material":0}]}],
            "accessors":[{"bufferView":0,"componentType":5126,"count":{{{v.Count}}},"type":"VEC3","min":{{{low}}},"max":{{{high}}}},
            {"bufferView":1,"componentType":5125,"count":{{{3L * mesh.Triangles.Count}}},"type":"SCALAR"}],
            "bufferViews":[{"buffer":0,"byteOffset":0,"byteLength":{{{positions}}},"target":34962},{"buffer":0,"byteOffset":{{{positions}}},"byteLength":{{{indices}}},"target":34963}],
            "buffers":[{"byteLength":{{{positions + indices}}}}]}
            """);
    }

    private static void Write(BinaryWriter to, (float X, float Y, float Z) vertex)
    {
        Span<byte> bytes = stackalloc byte[12];
        BinaryPrimitives.WriteSingleLittleEndian(bytes, vertex.X);
        BinaryPrimitives.WriteSingleLittleEndian(bytes[4..], vertex.Y);
        BinaryPrimitives.WriteSingleLittleEndian(bytes[8..], vertex.Z);
        to.Write(bytes);
    }

    private static void Write(BinaryWriter to, int a, int b, int c)
    {
        Span<byte> bytes = stackalloc byte[12];
        BinaryPrimitives.WriteInt32LittleEndian(bytes, a);
        BinaryPrimitives.WriteInt32LittleEndian(bytes[4..], b);
        BinaryPrimitives.WriteInt32LittleEndian(bytes[8..], c);
        to.Write(bytes);
    }
}
