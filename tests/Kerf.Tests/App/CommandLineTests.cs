using Xunit;

namespace Kerf.Tests;

/// <summary>The contract of the command line: statuses, one-line errors, JSON.</summary>
public sealed class CommandLineTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("destrip a b", "kerf: there is no command \"destrip\"; did you mean destripe?")]
    [InlineData("destripe in.tif out.zarr --half-angel 3", "kerf: destripe has no option \"--half-angel\"; did you mean --half-angle?")]
    [InlineData("destripe in.tif out.zarr --half-angle 300", "kerf: --half-angle: destripe.half-angle is \"300\"; allowed:")]
    [InlineData("info missing.tif", "missing.tif")]
    [InlineData("info x.tif --voxel 0,5,5", "kerf: voxel size: z is 0 nm; it must be above 0. Set it with --voxel z,y,x (nanometres).")]
    [InlineData("info x.tif --voxel five", "kerf: voxel size: \"five\" is not a size; write z,y,x in nanometres, like 10,5,5.")]
    [InlineData("run missing.yaml", "kerf: missing.yaml: there is no such recipe.")]
    [InlineData("new recipe.doc", "kerf: recipe.doc: a recipe ends in .yaml or .xlsx.")]
    [InlineData("new recipe.yaml --template solid-sate", "kerf: there is no template \"solid-sate\"; did you mean solid-state?")]
    [InlineData("steps destrip", "kerf: there is no step \"destrip\"; did you mean destripe?")]
    [InlineData("align a b --memory 3", "kerf: --memory is \"3\"; write a size of 16MiB or more, like 800MiB or 4GiB.")]
    [InlineData("align a b --threads none", "kerf: --threads is \"none\"; allowed: a whole number from 1 to 1024.")]
    [InlineData("", "kerf: no command given.")]
    public void WrongCallsGetOneLineAndStatusTwo(string call, string message)
    {
        var result = KerfProcess.Run(_folder.Path, call.Split(' ', StringSplitOptions.RemoveEmptyEntries));
        Assert.Equal(2, result.Status);
        Assert.Empty(result.Output);
        Assert.Contains(message, result.Error, StringComparison.Ordinal);
        Assert.Equal(1, result.Error.Count(c => c == '\n'));
        Assert.Empty(Directory.GetFileSystemEntries(_folder.Path));
    }

    [Fact]
    public void HelpAndVersionSucceed()
    {
        Assert.Equal(0, KerfProcess.Run(_folder.Path, ["--help"]).Status);
        Assert.Equal(0, KerfProcess.Run(_folder.Path, ["destripe", "--help"]).Status);
        Assert.StartsWith("0.", KerfProcess.Run(_folder.Path, ["--version"]).Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("recipe.yaml")]
    [InlineData("recipe.xlsx")]
    public void NewWritesARecipeThatCheckReads(string name)
    {
        Assert.Equal(0, KerfProcess.Run(_folder.Path, ["new", name, "--template", "solid-state"]).Status);
        // nothing is wrong with the recipe but the slices, which are not there
        var check = KerfProcess.Run(_folder.Path, ["check", name]);
        Assert.Equal(2, check.Status);
        Assert.Contains("slices", check.Error, StringComparison.Ordinal);
        Assert.Equal(2, KerfProcess.Run(_folder.Path, ["new", name]).Status);
    }

    [Fact]
    public void StepsListsEveryParameterAsJson()
    {
        var steps = KerfProcess.Run(_folder.Path, ["steps", "--json"]).Json["steps"]!.AsArray();
        Assert.All(steps, step => Assert.All(step!["parameters"]!.AsArray(), p => Assert.NotEqual("", (string?)p!["description"])));
    }
}
