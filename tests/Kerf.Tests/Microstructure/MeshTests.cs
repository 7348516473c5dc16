using System.Buffers.Binary;
using System.Text;
using System.Text.Json.Nodes;
using System.Xml.Linq;
using Kerf.Microstructure;
using Kerf.Volumes;
using Xunit;

namespace Kerf.Tests;

public sealed class MeshTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(5)]
    [InlineData(10)]
    public void ABallHasItsAreaAndVolume(double thickness)
    {
        var mesh = Mesh(Ball(new(thickness, 5, 5)), 10);
        const double Radius = 60;
        Assert.Equal(1, mesh.Area() / (4 * Math.PI * Radius * Radius), 0.03);
        Assert.Equal(1, mesh.Volume() / (4.0 / 3 * Math.PI * Math.Pow(Radius, 3)), 0.03);
        // closed: each edge once in either direction; a sphere: V − E + F = 2
        var edges = mesh.Triangles.SelectMany(t => ((int, int)[])[(t.A, t.B), (t.B, t.C), (t.C, t.A)]).ToHashSet();
        Assert.Equal(mesh.Triangles.Count * 3, edges.Count);
        Assert.All(edges, edge => Assert.Contains((edge.Item2, edge.Item1), edges));
        Assert.Equal(2, mesh.Vertices.Count - edges.Count / 2 + mesh.Triangles.Count);
    }

    [Fact]
    public void VoxelsStayOnTheirSideAndTheBorderCloses()
    {
        var volume = new Volume<byte>(new Size3(2, 3, 4), new(10, 5, 5));
        volume.Data.AsSpan().Fill(1);
        var mesh = Mesh(volume, 0);
        // the whole volume: a box with cut corners, within half a voxel of the outside
        Assert.InRange(mesh.Volume(), 0.7 * 20 * 15 * 20, 20 * 15 * 20);
        Assert.All(mesh.Vertices, v => Assert.True(v.X is >= 0 and <= 20 && v.Y is >= 0 and <= 15 && v.Z is >= 0 and <= 20));
    }

    [Fact]
    public void FilesHoldTheMesh()
    {
        var mesh = Mesh(Ball(new(10, 5, 5)), 3);
        var phase = new Phase(1, "pore", "#3b7dd8");
        foreach (var ending in (string[])["stl", "ply", "glb"]) MeshFile.Save(_folder["ball." + ending], mesh, phase);
        var stl = File.ReadAllBytes(_folder["ball.stl"]);
        Assert.Equal((84 + 50 * mesh.Triangles.Count, mesh.Triangles.Count), (stl.Length, BinaryPrimitives.ReadInt32LittleEndian(stl.AsSpan(80))));
        var ply = File.ReadAllBytes(_folder["ball.ply"]);
        var header = Encoding.ASCII.GetString(ply)[..(Encoding.ASCII.GetString(ply).IndexOf("end_header\n", StringComparison.Ordinal) + 11)];
        Assert.Contains($"element vertex {mesh.Vertices.Count}\n", header, StringComparison.Ordinal);
        Assert.Equal(header.Length + 12 * mesh.Vertices.Count + 13 * mesh.Triangles.Count, ply.Length);
        Assert.Equal(mesh.Vertices[0].X, BinaryPrimitives.ReadSingleLittleEndian(ply.AsSpan(header.Length)));
        var glb = File.ReadAllBytes(_folder["ball.glb"]);
        var length = BinaryPrimitives.ReadInt32LittleEndian(glb.AsSpan(12));
        var json = JsonNode.Parse(Encoding.UTF8.GetString(glb, 20, length))!;
        Assert.Equal(glb.Length, BinaryPrimitives.ReadInt32LittleEndian(glb.AsSpan(8)));
        Assert.Equal(mesh.Vertices.Count, (int)json["accessors"]![0]!["count"]!);
        Assert.Equal(20 + length + 8 + (int)json["buffers"]![0]!["byteLength"]!, glb.Length);
        Assert.Equal(mesh.Vertices.Max(v => v.Z), (float)json["accessors"]![0]!["max"]![2]!);
        Assert.StartsWith("x.obj: no mesh format has the ending \".obj\"", Assert.Throws<InputError>(() => MeshFile.Save("x.obj", mesh, phase)).Message);
    }

    [Fact]
    public void TheCommandWritesMeshesAndVtkImages()
    {
        VolumeFile.Save(Ball(new(10, 5, 5)), _folder["ball.npy"], new());
        var made = KerfProcess.Run(_folder.Path, ["mesh", "ball.npy", "ball.ply", "--phase", "1", "--voxel", "10,5,5", "--json"]);
        Assert.Equal((0, "nm"), (made.Status, (string?)made.Json["unit"]));
        Assert.Contains("is there already", KerfProcess.Run(_folder.Path, ["mesh", "ball.npy", "ball.ply", "--phase", "1"]).Error, StringComparison.Ordinal);
        Assert.Equal("kerf: x.obj: no mesh format has the ending \".obj\". Write .stl, .ply or .glb.", KerfProcess.Run(_folder.Path, ["mesh", "ball.npy", "x.obj"]).Error.Trim());
        Assert.Equal("kerf: --relax is \"many\"; allowed: a whole number from 0 to 100.", KerfProcess.Run(_folder.Path, ["mesh", "ball.npy", "x.ply", "--relax", "many"]).Error.Trim());
        Assert.Equal(0, KerfProcess.Run(_folder.Path, ["convert", "ball.npy", "ball.vti", "--voxel", "10,5,5"]).Status);
        var vti = File.ReadAllBytes(_folder["ball.vti"]);
        var text = Encoding.Latin1.GetString(vti);
        var start = text.IndexOf("\n_", StringComparison.Ordinal) + 2;
        var volume = Ball(new(10, 5, 5));
        var image = XDocument.Parse(text[..(start - 1)] + "</AppendedData></VTKFile>").Root!.Element("ImageData")!;
        Assert.Equal(("5 5 10", "0 30 0 30 0 15"), (image.Attribute("Spacing")!.Value, image.Attribute("WholeExtent")!.Value));
        Assert.Equal(volume.Data.Length, BitConverter.ToInt64(vti, start));
        Assert.Equal(volume.Data, vti.AsSpan(start + 8, volume.Data.Length).ToArray());
        Assert.EndsWith("\n</AppendedData>\n</VTKFile>\n", text, StringComparison.Ordinal);
    }

    private static SurfaceMesh Mesh(Volume<byte> volume, int relaxations) => SurfaceNets.Of(PhaseMask.Of(volume, "1", "mesh", new()), relaxations, new());

    private static Volume<byte> Ball(VoxelSize voxel) => KnownStructures.Where(new((int)(150 / voxel.Z), 30, 30), voxel, (z, y, x) =>
        (z - 75) * (z - 75) + (y - 75) * (y - 75) + (x - 75) * (x - 75) <= 3600);
}
