using System.Security.Cryptography;
using Kerf.App;
using Kerf.Volumes;
using Xunit;

namespace Kerf.Tests;

/// <summary>What a user may get wrong, by the program: one line that names the file or parameter and the remedy, status 2, nothing touched.</summary>
public sealed class BadInputTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public BadInputTests()
    {
        var stack = Phantoms.Stack(6, 32, 40, seed: 9);
        foreach (var name in (string[])["slices", "gap", "size", "depth", "cut", "double"]) stack.SaveSlices(_folder[name]);
        File.Delete(_folder["gap/slice_0003.tif"]);
        Slice<byte>("size/slice_0002.tif", 16, 40);
        Slice<ushort>("depth/slice_0002.tif", 32, 40);
        File.WriteAllBytes(_folder["cut/slice_0004.tif"], File.ReadAllBytes(_folder["slices/slice_0004.tif"])[..300]);
        File.Copy(_folder["slices/slice_0001.tif"], _folder["double/slice_1.tif"]);
        Directory.CreateDirectory(_folder["none"]);
        Directory.CreateDirectory(_folder["mine.zarr"]);
        File.WriteAllText(_folder["mine.zarr/thesis.txt"], "precious");
        Directory.CreateDirectory(_folder["broken.zarr"]);
        File.WriteAllText(_folder["broken.zarr/zarr.json"], "{");
        File.WriteAllText(_folder["empty.tif"], "");
        File.WriteAllText(_folder["notes.tif"], "not an image");
        File.WriteAllBytes(_folder["cut.tif"], File.ReadAllBytes(_folder["slices/slice_0000.tif"])[..200]);
        var nan = new Volume<float>(new Size3(6, 32, 40));
        nan.Data[4 * 32 * 40 + 5] = float.NaN;
        TiffWriter.Save(nan, _folder["nan.tif"], Traversal.Default);
        File.WriteAllText(_folder["nan.yaml"], "input: {path: nan.tif}\nsteps: [threshold]\n");
        File.WriteAllText(_folder["range.yaml"], "input: {path: slices}\nsteps:\n  - align\n  - destripe: {half-angle: 95}\n");
        File.WriteAllText(_folder["step.yaml"], "input: {path: slices}\nsteps:\n  - destrip\n");
        File.WriteAllText(_folder["name.yaml"], "input: {path: slices}\nsteps:\n  - destripe: {half-angel: 5}\n");
        File.WriteAllText(_folder["tabs.yaml"], "input: {path: slices\nsteps: [align]\n");
        var text = RecipeYaml.Read("input: {path: slices}\nsteps:\n  - destripe: {half-angle: 5}\n", "r.yaml").Apply(["destripe.half-angle=95"]);
        File.WriteAllBytes(_folder["range.xlsx"], RecipeWorkbook.Write(text));
    }

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("info missing.tif", "missing.tif: no such file or folder.")]
    [InlineData("info slides", "slides: no such file or folder. Did you mean slices?")]
    [InlineData("info empty.tif", "empty.tif: is empty.")]
    [InlineData("info notes.tif", "notes.tif: ")]
    [InlineData("info cut.tif", "cut.tif: ")]
    [InlineData("info none", "none: holds no TIFF or PNG slices (it is empty)")]
    [InlineData("info gap", "slice 3 missing between slice_0000.tif and slice_0005.tif. Add what is missing, or take the rest as it is with --allow-gaps.")]
    [InlineData("info size", "slice_0002.tif: is 40×16 pixels of uint8; 5 of the 6 slices in ")]
    [InlineData("info depth", "slice_0002.tif: is 40×32 pixels of uint16; 5 of the 6 slices in ")]
    [InlineData("info double", "are both slice 1.")]
    [InlineData("info broken.zarr", "broken.zarr/zarr.json: ")]
    [InlineData("info mine.zarr", "mine.zarr: ")]
    [InlineData("align cut out.zarr", "slice_0004.tif: ")]
    [InlineData("convert cut out.tif", "slice_0004.tif: ")]
    [InlineData("denoise nan.tif out.zarr", "nan.tif: slice 4 holds 1 voxels that are NaN or infinite. Replace them before import")]
    [InlineData("measure noise nan.tif", "nan.tif: slice 4 holds 1 voxels that are NaN or infinite. Replace them before import")]
    [InlineData("align slices out.zarr --voxel 10,0,5", "voxel size: y is 0 nm; it must be above 0. Set it with --voxel z,y,x (nanometres).")]
    [InlineData("align slices out.zarr --voxel 10,-5,5", "voxel size: y is -5 nm; it must be above 0.")]
    [InlineData("run step.yaml --project p", "step.yaml:3: there is no step \"destrip\"; did you mean destripe?")]
    [InlineData("run name.yaml --project p", "name.yaml:3: destripe has no parameter \"half-angel\"; did you mean half-angle?")]
    [InlineData("run range.yaml --project p", "range.yaml:4: destripe.half-angle is \"95\"; allowed: 0.1 to 40 degrees (default 6).")]
    [InlineData("check range.yaml", "range.yaml:4: destripe.half-angle is \"95\"; allowed: 0.1 to 40 degrees (default 6).")]
    [InlineData("check range.xlsx", "range.xlsx, cell D13: ")]
    [InlineData("check range.xlsx", ": destripe.half-angle is \"95\"; allowed: 0.1 to 40 degrees (default 6).")]
    [InlineData("check tabs.yaml", "tabs.yaml: not valid YAML; a bracket or a quotation mark is not closed.")]
    [InlineData("denoise slices mine.zarr", "mine.zarr: is there already and not empty.")]
    [InlineData("denoise slices mine.zarr --force", "mine.zarr: holds files that Kerf did not save there. Choose another name, or empty the folder yourself.")]
    [InlineData("convert slices mine.zarr/ --force", "mine.zarr/: holds files that Kerf did not save there.")]
    [InlineData("run range.yaml --set destripe.half-angle=5 --project none/../mine.zarr", "holds other files and is no Kerf project; give --project a new or empty folder.")]
    [InlineData("denoise slices notes.tif", "notes.tif: is there already. Choose another name, or replace it with --force.")]
    [InlineData("denoise slices nowhere/out.tif", "nowhere/out.tif: the folder ")]
    [InlineData("denoise slices out.gif", "out.gif: no format has the ending .gif.")]
    [InlineData("convert slices /proc/out.tif", "/proc/out.tif: cannot be written")]
    [InlineData("denoise slices /proc/out.tif", "/proc/out.tif")]
    [InlineData("run range.yaml --set destripe.half-angle=5 --project /proc/p", "/proc/p: cannot be written")]
    [InlineData("threshold slices out.zarr --thresholds 100 --method otsu", "method is automatic but thresholds or ranges are given")]
    [InlineData("crop slices out.zarr --z 4,2", "crop: z is 4,2; it must be a first index and one past the last, inside 0,6.")]
    [InlineData("new notes.tif", "notes.tif: a recipe ends in .yaml or .xlsx.")]
    [InlineData("new range.yaml", "range.yaml: is there already; choose another name or add --force.")]
    public void GetsOneLineAndTouchesNothing(string call, string message)
    {
        var before = Files();
        var result = KerfProcess.Run(_folder.Path, call.Split(' '));
        Assert.True(result.Status == 2, $"{result.Status} {result.Output} {result.Error}");
        Assert.Empty(result.Output);
        Assert.StartsWith("kerf: ", result.Error, StringComparison.Ordinal);
        Assert.Contains(message, result.Error, StringComparison.Ordinal);
        Assert.Equal(1, result.Error.Count(c => c == '\n'));
        var after = Files();
        // an empty project or the work folder of a step may stay, what was there does
        Assert.All(before, file => Assert.Contains(file, after));
        Assert.DoesNotContain(after, file => file.StartsWith("out.", StringComparison.Ordinal) && !file.Contains(AtomicFile.PartialSuffix, StringComparison.Ordinal));
    }

    [Fact]
    public void ARunNamesTheSliceThatHoldsNaN()
    {
        var result = KerfProcess.Run(_folder.Path, ["run", "nan.yaml", "--project", "p"]);
        Assert.Equal(2, result.Status);
        Assert.Contains("nan.tif: slice 4 holds NaN, which is no grey value. Replace it", result.Error, StringComparison.Ordinal);
    }

    private void Slice<T>(string name, int y, int x) where T : unmanaged =>
        TiffWriter.Save(new Volume<T>(new Size3(1, y, x)), _folder[name], new Traversal { Threads = 1 });

    private string[] Files() =>
    [
        .. Directory.GetFiles(_folder.Path, "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal)
            .Select(f => $"{Path.GetRelativePath(_folder.Path, f)} {Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(f)))}"),
    ];
}
