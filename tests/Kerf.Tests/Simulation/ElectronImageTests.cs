using Kerf.Simulation;
using Kerf.Volumes;
using Xunit;

namespace Kerf.Tests;

public class ElectronImageTests
{
    private static readonly Traversal Walk = Traversal.Default;
    private static readonly IReadOnlyDictionary<int, Material> GoldInVacuum = new Dictionary<int, Material> { [1] = Material.Vacuum, [2] = Material.Parse("Au") };

    private static (Volume<float> Signal, Volume<float> Error, ImagingResult Result) Image(
        Volume<byte> labels, Beam beam, IReadOnlyDictionary<int, Material>? materials = null, Traversal? walk = null, ulong seed = 1)
    {
        var (signal, error) = (new Volume<float>(labels.Info.Size, labels.Info.Voxel), new Volume<float>(labels.Info.Size, labels.Info.Voxel));
        return (signal, error, ElectronImage.Make(labels, materials ?? GoldInVacuum, beam, signal, error, seed, walk ?? Walk));
    }

    private static Volume<byte> Labels(Size3 size, Func<int, int, int, int> label, double edge = 5)
    {
        var labels = new Volume<byte>(size, VoxelSize.Cube(edge));
        for (var z = 0; z < size.Z; z++)
            for (var y = 0; y < size.Y; y++)
                for (var x = 0; x < size.X; x++) labels[z, y, x] = (byte)label(z, y, x);
        return labels;
    }

    [Theory]
    [InlineData("Au", 2, 0)]
    [InlineData("Si", 1, 40)]
    [InlineData("epoxy", 1, 0)]
    public void AFilledVolumeScattersAsABulkDoes(string material, double keV, double tilt)
    {
        var labels = Labels(new(2, 24, 24), (_, _, _) => 2);
        var materials = new Dictionary<int, Material> { [2] = Material.Parse(material) };
        var (signal, error, result) = Image(labels, new() { KeV = keV, ElectronsPerPixel = 200, TiltDegrees = tilt }, materials);
        var bulk = BulkYield.Of(materials[2], keV, 400_000, 3, Walk, tilt);
        var eta = signal.Data.Average(v => (double)v);
        var deviation = Math.Sqrt(eta * (1 - eta) / result.Electrons);
        Assert.InRange((eta - bulk.Eta) / Math.Sqrt(deviation * deviation + bulk.StandardError * bulk.StandardError), -4, 4);
        // the error that each pixel states is the scatter between pixels
        var scatter = Math.Sqrt(signal.Data.Average(v => (v - eta) * (v - eta)));
        Assert.InRange(scatter / error.Data.Average(v => (double)v), 0.9, 1.1);
    }

    [Fact]
    public void FacesBetweenVoxelsOfOneMaterialDoNotMatter()
    {
        // gold under two names: one material for transport, faces everywhere
        var labels = Labels(new(2, 24, 24), (z, y, x) => 2 + (z + y + x) % 2, edge: 2);
        var materials = new Dictionary<int, Material> { [2] = Material.Parse("Au"), [3] = Material.Parse("gold") };
        var eta = Image(labels, new() { KeV = 2, ElectronsPerPixel = 100 }, materials).Signal.Data.Average(v => (double)v);
        var bulk = BulkYield.Of(materials[2], 2, 400_000, 3, Walk).Eta;
        Assert.InRange(eta - bulk, -4 * Math.Sqrt(0.25 / 115_200), 4 * Math.Sqrt(0.25 / 115_200));
    }

    [Fact]
    public void GoldBelowEpoxyShinesThroughMoreWithEnergyAndLessInTheInColumnDetector()
    {
        // a step: gold at the surface on the left, 20 nm of epoxy over gold on the right
        var deep = Labels(new(12, 24, 48), (z, _, x) => x < 24 || z >= 4 ? 2 : 1);
        var materials = new Dictionary<int, Material> { [1] = Material.Parse("epoxy"), [2] = Material.Parse("Au") };
        double Ratio(double keV, Detector detector)
        {
            var signal = Image(deep, new() { KeV = keV, ElectronsPerPixel = 60, Detector = detector }, materials).Signal;
            double gold = 0, covered = 0;
            for (var y = 0; y < 24; y++)
                for (var x = 0; x < 16; x++) (gold, covered) = (gold + signal[0, y, x], covered + signal[0, y, 47 - x]);
            return covered / gold;
        }
        var (one, two, four) = (Ratio(1, Detector.Tld), Ratio(2, Detector.Tld), Ratio(4, Detector.Tld));
        Assert.True(one < 0.6 * two && two < four, $"{one} {two} {four}");
        Assert.True(Ratio(2, Detector.Icd) < two - 0.05);
    }

    [Fact]
    public void TheBeamSeesOnlyWhatIsNotYetMilled()
    {
        // gold in slices 0 and 1 only, vacuum below: slice 2 on must be black
        var signal = Image(Labels(new(8, 16, 16), (z, _, _) => z < 2 ? 2 : 1, edge: 50), new() { KeV = 1, ElectronsPerPixel = 30, Depth = 100 }).Signal;
        Assert.InRange(signal.Slice(1).ToArray().Average(), 0.38f, 0.48f);
        Assert.All(signal.Slice(3).ToArray(), v => Assert.Equal(0, v));
    }

    [Fact]
    public void ACutMayLieWithinAVoxel()
    {
        // 40 nm of epoxy over gold in voxels of 40 nm: the deeper the cut within the first voxel, the more gold shines through
        var labels = Labels(new(6, 24, 24), (z, _, _) => z == 0 ? 1 : 2, edge: 40);
        var materials = new Dictionary<int, Material> { [1] = Material.Parse("epoxy"), [2] = Material.Parse("Au") };
        var (signal, error) = (new Volume<float>(new Size3(5, 24, 24)), new Volume<float>(new Size3(5, 24, 24)));
        ElectronImage.Make(labels, materials, new() { KeV = 2, ElectronsPerPixel = 60 }, signal, error, 1, Walk, [0, 0.3, 0.6, 0.9, 1]);
        double[] eta = [.. Enumerable.Range(0, 5).Select(z => signal.Slice(z).ToArray().Average(v => (double)v))];
        for (var z = 1; z < 5; z++) Assert.True(eta[z] > eta[z - 1] + 0.01, string.Join(' ', eta));
        Assert.InRange(eta[4] - BulkYield.Of(materials[2], 2, 400_000, 3, Walk).Eta, -0.012, 0.012);
    }

    [Fact]
    public void TheBeamDriftsByPartsOfAPixel()
    {
        // an edge before pixel 12: shifted by a third to the right the pixel shows a third more of what lies left of it
        var labels = Labels(new(1, 24, 24), (_, _, x) => x < 12 ? 2 : 1, edge: 100);
        var materials = new Dictionary<int, Material> { [1] = Material.Parse("C"), [2] = Material.Parse("Au") };
        double Edge(double shift)
        {
            var (signal, error) = (new Volume<float>(new Size3(1, 24, 24)), new Volume<float>(new Size3(1, 24, 24)));
            ElectronImage.Make(labels, materials, new() { KeV = 1, ElectronsPerPixel = 100, ProbeSigma = 0 }, signal, error, 1, Walk, null, [(0, shift)]);
            double At(int x) => Enumerable.Range(0, 24).Average(y => signal[0, y, x]);
            return (At(12) - At(20)) / (At(3) - At(20));
        }
        Assert.InRange(Edge(1.0 / 3) - Edge(0), 0.29, 0.37);
    }

    [Fact]
    public void DeepElectronsEndEarlyWithoutAnyoneMissingThem()
    {
        // vacuum among the materials switches the bound off that ends electrons too deep to come back; it occurs nowhere
        var labels = Labels(new(4, 24, 24), (z, y, x) => (z + y / 5 + x / 6) % 3 == 0 ? 2 : 1);
        var materials = new Dictionary<int, Material> { [1] = Material.Parse("epoxy"), [2] = Material.Parse("Au") };
        var beam = new Beam { KeV = 2, ElectronsPerPixel = 30, Depth = 300 };
        var bounded = Image(labels, beam, materials);
        var free = Image(labels, beam, new Dictionary<int, Material>(materials) { [9] = Material.Vacuum });
        Assert.Equal(free.Signal.Data, bounded.Signal.Data);
    }

    [Theory]
    [InlineData(Detector.Tld)]
    [InlineData(Detector.InLens)]
    public void SameBytesForAnyThreads(Detector detector)
    {
        var labels = Labels(new(3, 20, 30), (z, y, x) => (z + y / 3 + x / 4) % 3 == 0 ? 2 : 1);
        var beam = new Beam { KeV = 2, ElectronsPerPixel = 20, Detector = detector };
        var one = Image(labels, beam, walk: Walk with { Threads = 1 });
        var three = Image(labels, beam, walk: Walk with { Threads = 3 });
        Assert.Equal(one.Signal.Data, three.Signal.Data);
        Assert.Equal(one.Error.Data, three.Error.Data);
        Assert.NotEqual(one.Signal.Data, Image(labels, beam, seed: 2).Signal.Data);
        Assert.True(one.Signal.Data.Average() > 0.1);
    }

    [Fact]
    public void RefusesAPhaseWithoutMaterialAndBadBeams()
    {
        var labels = Labels(new(1, 8, 8), (_, _, x) => x == 3 ? 7 : 2);
        string Message(Beam beam) => Assert.Throws<InputError>(() => Image(labels, beam)).Message;
        var beam = new Beam { KeV = 2, ElectronsPerPixel = 5 };
        Assert.Equal("phase 7 has no material. Add --material 7=Au, or 7=vacuum where nothing is.", Message(beam));
        Assert.Equal("energy is 40 keV; choose 0.5 to 30.", Message(beam with { KeV = 40 }));
        Assert.Equal("electrons per pixel is 0; choose 1 to 1000000.", Message(beam with { ElectronsPerPixel = 0 }));
        Assert.Equal("probe is -1 nm; choose 0 to 1000.", Message(beam with { ProbeSigma = -1 }));
        Assert.Equal("depth is 1 nm; choose 10 to 100000.", Message(beam with { Depth = 1 }));
        Assert.Equal("acceptance is 40 to 30 degrees; choose 0 to 90, the inner angle first.", Message(beam with { Acceptance = (40, 30) }));
        Assert.Equal("energy window is 0.5 to 1.5 of the beam's energy; choose 0 to 1, the lower end first.", Message(beam with { EnergyWindow = (0.5, 1.5) }));
        Assert.Equal("acceptance and energy window are of backscattered electrons, se2 counts secondary ones; choose tld or icd.",
            Message(beam with { Detector = Detector.Se2, Acceptance = (0, 30) }));
    }

    [Fact]
    public void ADetectorCountsWhatItsAnglesAndEnergiesLetIn()
    {
        var labels = Labels(new(1, 24, 24), (_, _, _) => 2);
        var beam = new Beam { KeV = 2, ElectronsPerPixel = 100 };
        double Eta(Beam with) => Image(labels, with).Signal.Data.Average(v => (double)v);
        // the same electrons fly, so parts add up to the whole but for the last digit of a mean
        Assert.Equal(Eta(beam), Eta(beam with { Acceptance = (0, 40) }) + Eta(beam with { Acceptance = (40, 90) }), 6);
        Assert.Equal(Eta(beam with { Detector = Detector.Icd }), Eta(beam with { Acceptance = (0, 60), EnergyWindow = (0.85, 1) }), 9);
        var (slow, fast) = (Eta(beam with { EnergyWindow = (0, 0.7) }), Eta(beam with { EnergyWindow = (0.7, 1) }));
        Assert.InRange((slow + fast) / Eta(beam), 0.995, 1.005);
        Assert.True(slow > 0.05 && fast > 0.05, $"{slow} {fast}");
        // the scalar form says how many of those that come back do so within 35 degrees
        var transport = new Transport(Material.Parse("Au"), 2);
        var back = Enumerable.Range(0, 20_000).AsParallel().Select(i => ScalarTransport.Follow(transport, 2, 0, new CounterRandom(9, (ulong)i))).Where(t => t.Escaped).ToArray();
        var share = back.Count(t => t.Cosine >= Math.Cos(35 * Math.PI / 180)) / (double)back.Length;
        Assert.InRange(Eta(beam with { Acceptance = (0, 35) }) / Eta(beam), share - 0.025, share + 0.025);
    }

    [Fact]
    public void TheClearanceIsTheChessboardDistance()
    {
        var labels = Labels(new(26, 30, 34), (z, y, x) => (z * z + 3 * y * y + x * y) % 97 == 0 || (z > 12 && x < 9) ? 2 : 1);
        byte[] materialOf = [255, 0, 1];
        var window = new VoxelWindow(labels, Box.Whole(labels.Info.Size), materialOf);
        var size = labels.Info.Size;
        int At(int z, int y, int x) => (z * size.Y + y) * size.X + x;
        bool Same(int z, int y, int x, int c)
        {
            if (z < c || y < c || x < c || z + c >= size.Z || y + c >= size.Y || x + c >= size.X) return false;
            for (var k = z - c; k <= z + c; k++)
                for (var j = y - c; j <= y + c; j++)
                    for (var i = x - c; i <= x + c; i++) if ((window.Cells[At(k, j, i)] & 0xFF) != (window.Cells[At(z, y, x)] & 0xFF)) return false;
            return true;
        }
        for (var z = 0; z < size.Z; z++)
            for (var y = 0; y < size.Y; y++)
                for (var x = 0; x < size.X; x++)
                {
                    var clear = window.Cells[At(z, y, x)] >> 8;
                    Assert.True((clear == 0 || Same(z, y, x, clear)) && (clear == VoxelWindow.MostClear || !Same(z, y, x, clear + 1)), $"{z} {y} {x}: {clear}");
                }
    }

    [Fact]
    public void TheCommandsWriteImagesWithTheirTruthBeside()
    {
        using var folder = new TempFolder();
        File.WriteAllText(folder["artefacts.json"], """{"driftStep": 0.3, "curtainGrey": 5, "brightnessJump": 4, "noiseSigma": 3}""");
        File.WriteAllText(folder["wrong.json"], """{"noiseSigma": -3}""");
        File.WriteAllText(folder["unknown.json"], """{"noiseSigmas": 3}""");
        File.WriteAllText(folder["three.json"], "3");
        File.WriteAllText(folder["broken.json"], "{\n\"noiseSigma\": ");
        File.WriteAllText(folder["word.json"], """{"noiseSigma": "much"}""");
        File.WriteAllText(folder["far.json"], """{"driftStep": 10, "pointSpread": 5}""");
        File.WriteAllText(folder["redeposit.json"], """{"redepositRate": 0.5}""");
        var made = KerfProcess.Run(folder.Path, ["simulate", "structure", "levelled-wave", "s.zarr", "--size", "3,60,60", "--voxel", "10,10,10", "--solid-fraction", "0.3",
            "--wavelength", "150", "--seed", "2", "--json"]).Json;
        Assert.InRange(made["fractions"]!["solid"]!.GetValue<double>(), 0.297, 0.303);
        string[] call = ["simulate", "image", "s.zarr", "i/", "--material", "1=epoxy", "--material", "2=Au", "--energy", "2", "--electrons-per-pixel", "20",
            "--detector", "icd", "--seed", "3", "--json"];
        var plain = KerfProcess.Run(folder.Path, call);
        Assert.True(plain.Status == 0, plain.Error);
        Assert.True(plain.Json["electronsPerSecond"]!.GetValue<double>() > 0 && plain.Json["seconds"]!.GetValue<double>() > 0);
        Assert.Equal(new Size3(3, 60, 60), VolumeFile.Open(folder["i"]).Info.Size);
        call[3] = "j/";
        var spoilt = KerfProcess.Run(folder.Path, [.. call, "--artefacts", "artefacts.json"]);
        Assert.True(spoilt.Status == 0, spoilt.Error);
        var labels = VolumeFile.Open(folder["j.truth/labels.zarr"]).Info.Size;
        Assert.Equal(labels, VolumeFile.Open(folder["j"]).Info.Size);
        Assert.Equal(labels, VolumeFile.Open(folder["j.truth/ideal.zarr"]).Info.Size);
        Assert.Contains("\"shifts\"", File.ReadAllText(folder["j.truth/truth.json"]));
        call[3] = "k/";
        string[] Left() => [.. Directory.EnumerateFileSystemEntries(folder.Path).Order()];
        var before = Left();
        foreach (var (change, message) in new (string[], string)[]
        {
            (["simulate", "image", "s.zarr", "k/", "--material", "2=Au", "--energy", "2"], "kerf: phase 1 (pore) has no material. Add --material 1=Au, or 1=vacuum where nothing is."),
            (["simulate", "structure", "levelled-wave", "x.zarr", "--size", "1000000,32768,32768"], "kerf: x.zarr: 1000000×32768×32768 voxels take 1024000000 MiB, the disk has"),
            (["simulate", "image", "s.zarr", "k/", "--material", "2=Au", "--energy", "2", "--detector", "etd"], "kerf: --detector is \"etd\"; choose tld, icd, inlens or se2."),
            (["simulate", "image", "s.zarr", "k/", "--material", "Au", "--energy", "2"], "kerf: --material is \"Au\"; write label=material, like 2=Au."),
            (["simulate", "image", "s.zarr", "k/", "--material", "1=Xx", "--energy", "2"], "kerf: material Xx: there is no element \"Xx\"."),
            (["simulate", "image", "s.zarr", "k/", "--material", "1=Au:-3", "--energy", "2"], "kerf: material Au:-3: density is \"-3\"; give g/cm³ between 0.001 and 25"),
            ([.. call[..8], "--energy", "40", .. call[10..]], "kerf: energy is 40 keV; choose 0.5 to 30."),
            ([.. call, "--acceptance", "wide"], "kerf: --acceptance is \"wide\"; give"),
            ([.. call, "--energy-window", "0.5"], "kerf: --energy-window is \"0.5\"; give two numbers with a comma between them."),
            ([.. call, "--acceptance", "20,100"], "kerf: acceptance is 20 to 100 degrees; choose 0 to 90, the inner angle first."),
            ([.. call, "--elastic", "born"], "kerf: --elastic is \"born\"; choose mott or rutherford."),
            ([.. call, "--artefacts", "none.json"], "kerf: none.json: no such file."),
            ([.. call, "--artefacts", "wrong.json"], "kerf: wrong.json: session: noise sigma is -3; choose 0 to 100."),
            ([.. call, "--artefacts", "unknown.json"], "kerf: unknown.json: there is no artefact \"noiseSigmas\"; did you mean noiseSigma?"),
            ([.. call, "--artefacts", "three.json"], "kerf: three.json: is no JSON object."),
            ([.. call, "--artefacts", "broken.json"], "kerf: broken.json: is not readable as JSON (line 2)."),
            ([.. call, "--artefacts", "word.json"], "kerf: word.json: noiseSigma is \"much\"; give a number."),
            ([.. call, "--artefacts", "far.json"], "kerf: structure: 3×60×60 voxels leave no field of view, the drift and the point spread need"),
            ([.. call[..11], "0", .. call[12..]], "kerf: electrons per pixel is 0; choose 1 to 1000000."),
            ([.. call[..11], "2.5", .. call[12..]], "kerf: --electrons-per-pixel is \"2.5\"; give a whole number."),
            ([.. call, "--tilt", "90"], "kerf: tilt is 90 degrees; choose 0 to 85."),
            ([.. call, "--memory", "16MiB", "--depth", "3000", "--quiet"], "kerf: a window of"),
            (["simulate", "image", "none.zarr", "k/", "--material", "2=Au", "--energy", "2"], "kerf: none.zarr: no such file or folder."),
            ([.. call[..3], "k.png", .. call[4..]], "kerf: k.png: a PNG holds one slice, the volume has 3."),
            ([.. call[..3], "away/k.tif", .. call[4..]], "kerf: away/k.tif: the folder"),
            (["simulate", "structure", "levelled-wave", "x.zarr", "--size", "2147483647,2147483647,2147483647"], "kerf: x.zarr: 2147483647×2147483647×2147483647 voxels take"),
            (["simulate", "structure", "levelled-wave", "x.png", "--size", "3,60,60"], "kerf: x.png: a PNG holds one slice, the volume has 3."),
            (["simulate", "yield", "--energy", "2"], "kerf: simulate yield: Option '--material' is required. See kerf simulate yield --help."),
            ([.. call, "--artefacts", "redeposit.json"], "kerf: redeposition: no phase is vacuum, and filled pores collect nothing."),
            (["simulate", "yield", "--material", "Xx", "--energy", "2"], "kerf: material Xx: there is no element \"Xx\"."),
            (["simulate", "yield", "--material", "Au:-3", "--energy", "2"], "kerf: material Au:-3: density is"),
            (["simulate", "yield", "--material", "Au", "--energy", "0.1"], "kerf: energy is 0.1 keV; choose 0.5 to 30."),
        })
        {
            var refused = KerfProcess.Run(folder.Path, change);
            Assert.True(refused.Status == 2, string.Join(" ", change));
            Assert.StartsWith(message, refused.Error.TrimStart());
            Assert.Single(refused.Error.Trim().Split('\n'));
            Assert.Equal(before, Left());
        }
    }
}
