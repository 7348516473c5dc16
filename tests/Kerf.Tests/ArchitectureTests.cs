using System.Xml.Linq;
using Xunit;

namespace Kerf.Tests;

/// <summary>The map of docs/architecture.md, held by reading the project files and sources.</summary>
public class ArchitectureTests
{
    private static readonly string Root = Repository.Root;

    [Theory]
    [InlineData("Kerf.Volumes")]
    [InlineData("Kerf.Imaging", "Kerf.Volumes")]
    [InlineData("Kerf.Microstructure", "Kerf.Volumes")]
    [InlineData("Kerf.Simulation", "Kerf.Volumes")]
    [InlineData("Kerf.Networks", "Kerf.Volumes")]
    public void SiblingsKnowOnlyVolumes(string project, params string[] allowed)
    {
        var references = XDocument.Load(Path.Combine(Root, "src", project, project + ".csproj")).Descendants("ProjectReference")
            .Select(r => Path.GetFileNameWithoutExtension(r.Attribute("Include")!.Value));
        Assert.Equal(allowed, references);
    }

    [Fact]
    public void FilesAreReadableInOneSitting()
    {
        var longest = Directory.EnumerateFiles(Path.Combine(Root, "src"), "*.cs", SearchOption.AllDirectories)
            .Select(f => (File: Path.GetRelativePath(Root, f), Lines: File.ReadLines(f).Count()))
            .Where(f => f.Lines > 450);
        Assert.Empty(longest);
    }

    [Fact]
    public void EveryOperationHasAMethodPage()
    {
        var pages = Directory.GetFiles(Path.Combine(Root, "docs", "methods"), "*.md").Select(f => (Name: Path.GetFileNameWithoutExtension(f), Text: File.ReadAllText(f))).ToArray();
        var missing = App.Catalogue.Steps.Concat(App.Catalogue.Measures).Select(d => d.Name)
            .Where(name => !pages.Any(page => page.Name == name || page.Text.Contains($"`{name}`", StringComparison.Ordinal)));
        Assert.Empty(missing);
    }
}
