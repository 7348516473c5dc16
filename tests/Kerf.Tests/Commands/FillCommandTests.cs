using System.Globalization;
using Kerf.App;
using Kerf.Imaging;
using Kerf.Networks;
using Kerf.Simulation;
using Kerf.Volumes;
using Xunit;

namespace Kerf.Tests;

/// <summary>kerf train fill, fill --method learned, reposition and thickness as a user calls them, and every refusal as one line.</summary>
public sealed class FillCommandTests(FillCommandTests.Files files) : IClassFixture<FillCommandTests.Files>
{
    private static readonly string Committed = Path.Combine(Repository.Root, "studies", "models", "fill-gold.kerf");

    private readonly TempFolder _folder = files.Folder;

    /// <summary>A structure cut unevenly and repositioned, inputs that do not fit, and a tiny model, made once.</summary>
    public sealed class Files : IDisposable
    {
        public Files()
        {
            // a seed that neither the model was trained on (101 to 108) nor the study takes (1 to 25)
            Truth = Volume<byte>.Load(VirtualStructure.Make("hierarchical", Size3.Cube(64), VoxelSize.Cube(2.5), 0.12, 256, 301, Traversal.Default));
            var cut = Step(Truth, new Mimic());
            Fine = Step(cut, new Reposition());
            foreach (var (name, volume) in ((string, IVolume)[])[("cut.zarr", cut), ("fine.zarr", Fine), ("coarse.zarr", Step(cut, new Reposition { Grid = 5 })), ("one.zarr", OnePhase(Fine))])
                VolumeFile.Save(volume, Folder[name], Traversal.Default);
            var grey = new Volume<byte>(Size3.Cube(24), VoxelSize.Cube(5), [.. Enumerable.Range(0, 24 * 24 * 24).Select(i => (byte)(i * 7))]);
            VolumeFile.Save(grey, Folder["grey.tif"], Traversal.Default);
            VolumeFile.Save(new Volume<float>(Size3.Cube(24), VoxelSize.Cube(5)), Folder["float.tif"], Traversal.Default);
            File.WriteAllText(Folder["text.kerf"], "no model");
            (string Name, string Table)[] tables =
            [
                ("longer", "depth_nm\n0\n10\n20\n"), ("zero", "thickness_nm\n" + Lines(cut.Info.Size.Z - 2) + "0\n"), ("negative", "thickness_nm\n-3\n" + Lines(cut.Info.Size.Z - 2)),
                ("even", "thickness_nm\n" + Lines(cut.Info.Size.Z - 1)),
            ];
            foreach (var (name, table) in tables) File.WriteAllText(Folder[name + ".csv"], table);
            var segmenting = new Architecture { Depth = 2, Width = 4 };
            NetworkModel segments = new(segmenting, segmenting.Build().Initial(1), new(GreyRule.Raw, false))
            {
                Channels = ["image"],
                Voxel = null,
                Phases = [new(1, "pore", "#000000"), new(2, "solid", "#ffffff")],
                Training = new(new(), 1, [], null),
            };
            NetworkFile.Save(segments, Folder["segments.kerf"]);
            try
            {
                Torch.Start(1, "cpu");
            }
            catch (InputError)
            {
                return;
            }
            Trained = KerfProcess.Run(Folder.Path, Tiny("tiny.kerf", 2, 64));
        }

        public TempFolder Folder { get; } = new();

        public Volume<byte> Truth { get; }

        public Volume<byte> Fine { get; }

        public KerfProcess.Result? Trained { get; }

        public static string[] Tiny(string model, int epochs, int windows) =>
            [.. $"train fill --out {model} --structures 2 --edge 32 --patch 16 --width 8 --windows {windows} --epochs {epochs} --batch 8 --threads 1 --json --quiet".Split(' ')];

        public void Dispose() => Folder.Dispose();

        private static string Lines(int count) => string.Concat(Enumerable.Repeat("10\n", count));

        private static Volume<byte> OnePhase(Volume<byte> fine)
        {
            var one = new Volume<byte>(fine.Info);
            Array.Fill(one.Data, (byte)1);
            return one;
        }
    }

    [Fact]
    public void TheCommittedModelBeatsEveryOtherMethodOnAStructureItNeverSaw()
    {
        LibTorch.Require();
        Fill.Networks = LearnedFill.Open;
        var (truth, fine) = (files.Truth, files.Fine);
        double Wrong(Fill how, int threads)
        {
            var filled = Step(fine, how, threads);
            foreach (var z in SliceDepths.Of(fine.Info, SliceDepths.PlanesKey)!) Assert.True(filled.Slice((int)z).SequenceEqual(fine.Slice((int)z)));
            return filled.Data.Zip(truth.Data, (p, q) => p == q ? 0 : 1).Sum();
        }
        double[] wrong = [.. ((FillMethod[])[FillMethod.Learned, FillMethod.Shape, FillMethod.Cubic]).Select(method => Wrong(new() { Method = method, Model = Committed }, 1))];
        Assert.True(wrong[0] < 0.95 * wrong[1] && wrong[1] < 0.7 * wrong[2], string.Join(", ", wrong));
        Assert.Equal(wrong[0], Wrong(new() { Method = FillMethod.Learned, Model = Committed }, 2));
    }

    [Fact]
    public void TheProgramTrainsAndFills()
    {
        LibTorch.Require();
        Assert.True(files.Trained!.Status == 0, files.Trained.Error);
        Assert.Empty(files.Trained.Error);
        var json = files.Trained.Json;
        Assert.Equal(2, (int)json["epochs"]!);
        Assert.Equal(10.16, (double)json["mean"]!);
        Assert.Equal(new Architecture { Kind = ArchitectureKind.Inpaint, Width = 8, Channels = 9 }.Build().Parameters, (long)json["parameters"]!);
        Assert.True(File.Exists(_folder["tiny.kerf.html"]));
        Assert.Empty(Directory.GetFiles(_folder.Path, "tiny.kerf.checkpoint-?"));
        var filled = KerfProcess.Run(_folder.Path, ["fill", "fine.zarr", "learned.zarr", "--method", "learned", "--model", "tiny.kerf", "--json", "--quiet"]);
        Assert.True(filled.Status == 0, filled.Error);
        Assert.Equal(SliceDepths.Of(files.Fine.Info, SliceDepths.PlanesKey)!.Length, (int)filled.Json["slices"]!);
        var learned = Volume<byte>.Load((IVolume<byte>)VolumeFile.Open(_folder["learned.zarr"]));
        Assert.Equal(files.Fine.Info.Size, learned.Info.Size);
        Assert.Equal([1, 2], learned.Data.Distinct().Order().Select(v => (int)v));
    }

    [Fact]
    public void AStackOfOnesOwnTrainsByThePlanesAcrossIt()
    {
        LibTorch.Require();
        var result = KerfProcess.Run(_folder.Path, ["train", "fill", "fine.zarr", "--out", "own.kerf", "--patch", "16", "--width", "8", "--windows", "32", "--batch", "8", "--epochs", "1", "--threads", "1", "--json", "--quiet"]);
        Assert.True(result.Status == 0, result.Error);
        var planes = SliceDepths.Of(files.Fine.Info, SliceDepths.PlanesKey)!;
        // the law of thickness is the stack's own
        Assert.Equal(2.5 * (planes[^1] - planes[0]) / (planes.Length - 1), (double)result.Json["mean"]!, 1e-9);
        Assert.Equal(0, KerfProcess.Run(_folder.Path, ["fill", "fine.zarr", "by-own.zarr", "--method", "learned", "--model", "own.kerf", "--quiet"]).Status);
    }

    [Fact]
    public void AKilledTrainingGoesOnToTheSameModel()
    {
        LibTorch.Require();
        var arguments = Files.Tiny("killed.kerf", 6, 256);
        Assert.Equal(0, KerfProcess.Run(_folder.Path, Files.Tiny("whole.kerf", 6, 256)).Status);
        using (var process = KerfProcess.Start(_folder.Path, arguments))
        {
            while (!process.HasExited && Directory.GetFiles(_folder.Path, "killed.kerf.checkpoint-?").Length == 0) Thread.Sleep(5);
            process.Kill();
            process.WaitForExit();
        }
        Assert.False(File.Exists(_folder["killed.kerf"]), "it was not killed in time");
        var result = KerfProcess.Run(_folder.Path, [.. arguments, "--resume"]);
        Assert.True(result.Status == 0, result.Error);
        Assert.Equal(6, (int)result.Json["epochs"]!);
        Assert.Equal(NetworkFile.Load(_folder["whole.kerf"]).Values, NetworkFile.Load(_folder["killed.kerf"]).Values);
    }

    [Fact]
    public void TilesOfAPlaneDoNotShow()
    {
        LibTorch.Require();
        using var prediction = new PlanePrediction(NetworkFile.Load(Committed));
        const int height = 40, width = 300, from = 200;
        var channels = new float[9 * height * width];
        for (var i = 0; i < channels.Length; i++) channels[i] = (float)Math.Sin(0.37 * i + 1e-4 * i * (i % 13));
        var part = new float[9 * height * (width - from)];
        for (var row = 0; row < 9 * height; row++) channels.AsSpan(row * width + from, width - from).CopyTo(part.AsSpan(row * (width - from)));
        var (whole, cut) = (new float[height * width], new float[height * (width - from)]);
        prediction.Run(channels, height, width, whole);
        prediction.Run(part, height, width - from, cut);
        // a tile ends at column 256; what lies further than ten columns from the cut sees the same
        for (var y = 0; y < height; y++)
            for (var x = from + 10; x < width; x++) Assert.Equal(whole[y * width + x], cut[y * (width - from) + x - from], 1e-4f * (1 + Math.Abs(whole[y * width + x])));
    }

    [Theory]
    [InlineData("fill fine.zarr o.zarr --method learned", "fill: learned needs --model, a file that kerf train fill wrote. Without one choose shape.")]
    [InlineData("fill fine.zarr o.zarr --method learned --model none.kerf", "none.kerf: there is no such file or folder.")]
    [InlineData("fill fine.zarr o.zarr --method learned --model text.kerf", "text.kerf: is no network model.")]
    [InlineData("fill fine.zarr o.zarr --method learned --model segments.kerf", "segments.kerf: is a network for images, not for planes between slices. Train one with kerf train fill.")]
    [InlineData("fill grey.tif o.zarr --method learned --model tiny.kerf", "fill: learned moves outlines of phases, and this volume holds grey values. Segment it first, or choose flow.")]
    [InlineData("predict tiny.kerf grey.tif o.zarr", "tiny.kerf: makes planes between slices and segments no images; it is a model of kerf fill --method learned.")]
    [InlineData("train network grey.tif cut.zarr --out n.kerf --architecture inpaint", "--architecture: network.architecture is \"inpaint\"; allowed: unet | unet3d | vnet | resunet3d | segnet (default unet).")]
    [InlineData("train fill --out tiny.kerf", "tiny.kerf: is there already; choose another name or add --force.")]
    [InlineData("train fill --out n.kerf --edge 32", "train fill: 8 structures of 32 voxels; choose 1 to 1000 of 64 (--patch) to 512.")]
    [InlineData("train fill --out n.kerf --mean 0", "train fill: slices of 0 ± 3.12 nm; the mean must be above 0, the deviation not below.")]
    [InlineData("train fill float.tif --out n.kerf", "float.tif: holds float32 voxels; train fill learns from a segmented stack (8-bit labels).")]
    [InlineData("train fill cut.zarr --out n.kerf", "cut.zarr: does not say which of its planes hold slices; put them on a grid of the pixel size with kerf reposition first.")]
    [InlineData("train fill coarse.zarr --out n.kerf", "coarse.zarr: planes are 5 nm apart and pixels 2.5 nm; reposition with --grid 2.5, so that planes across x and y look alike.")]
    [InlineData("train fill fine.zarr --out n.kerf --patch 512", "voxels, less than a patch of 512; choose a smaller --patch.")]
    [InlineData("train fill one.zarr --out n.kerf --patch 16", "train fill: the stack holds one phase only; there is nothing to learn.")]
    [InlineData("study slices --edge 32 --draws 1 --seeds 1 --model segments.kerf --out s", "segments.kerf: is a network for images")]
    [InlineData("study slices --stack none", "none: ")]
    [InlineData("study slices --draws 0", "--draws is 0; choose 1 to 1000.")]
    public void ModelsAndStacksThatDoNotFitAreRefused(string call, string message)
    {
        LibTorch.Require();
        Refused(call, message);
    }

    [Theory]
    [InlineData("reposition cut.zarr o.zarr --depths longer.csv --grid 2.5", "longer.csv: holds 3 depths for ")]
    [InlineData("reposition cut.zarr o.zarr --depths zero.csv --grid 2.5", "thickness 0 nm; it must be above 0.")]
    [InlineData("reposition cut.zarr o.zarr --depths negative.csv --grid 2.5", "negative.csv: line 2: thickness -3 nm; it must be above 0.")]
    [InlineData("reposition cut.zarr o.zarr --depths even.csv --grid 25", "reposition: a grid of 25 nm is coarser than the slices (10 nm on average), so they would not all find a place; choose 10 nm or less.")]
    [InlineData("reposition cut.zarr o.zarr --depths even.csv --grid 0", "--grid")]
    [InlineData("reposition cut.zarr o.zarr --depths even.csv --grid -2.5", "--grid")]
    [InlineData("thickness cut.zarr --method csv --depths longer.csv", "longer.csv: holds 3 depths for ")]
    [InlineData("thickness zero.csv --method csv", "thickness 0 nm; it must be above 0.")]
    [InlineData("thickness cut.zarr --method csv --depths negative.csv", "negative.csv: line 2: thickness -3 nm; it must be above 0.")]
    [InlineData("mimic fine.zarr o.zarr --mean -10", "--mean")]
    [InlineData("fill grey.tif o.zarr --to 0", "--to")]
    public void ThicknessesThatCannotBeAreRefused(string call, string message) => Refused(call, message);

    private static Volume<byte> Step(IVolume source, Step step, int threads = 1)
    {
        var run = new StepRun(source, info => new Volume<byte>(info)) { Walk = new() { Threads = threads }, Seed = 1 };
        step.Run(run);
        return (Volume<byte>)run.Target!;
    }

    private void Refused(string call, string message)
    {
        var result = KerfProcess.Run(_folder.Path, [.. call.Split(' '), "--quiet", "--json"]);
        Assert.True(result.Status == 2, string.Create(CultureInfo.InvariantCulture, $"status {result.Status}: {result.Error}"));
        Assert.Contains(message, result.Error, StringComparison.Ordinal);
        Assert.Equal(1, result.Error.Count(c => c == '\n'));
        Assert.Empty(result.Output);
        Assert.All((string[])["n.kerf", "o.zarr"], name => Assert.False(Path.Exists(_folder[name])));
    }
}
