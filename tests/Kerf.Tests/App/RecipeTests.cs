using Kerf.App;
using Kerf.Microstructure;
using Kerf.Volumes;
using Xunit;

namespace Kerf.Tests;

public class RecipeTests
{
    private const string Text = """
        title: A test
        seed: 7
        input:
          path: slices
          voxel: [10, 5, 5]
        steps:
          - align
          - destripe: {half-angle: 8, to: flat}
          - denoise: {from: align}
        measures:
          - noise: {from: raw}
        """;

    private static Recipe Build(string text, params string[] changes) => RecipeYaml.Read(text, "r.yaml").Apply(changes).Build("/somewhere/r.yaml");

    private static string Refusal(string text, params string[] changes) => Assert.Throws<InputError>(() => Build(text, changes)).Message;

    [Fact]
    public void WhatIsNoVolumeIsTheMeasuresOwnFrom()
    {
        var text = Text.Replace("  - noise: {from: raw}", "  - paths: {phase: grain, from: pore, to: carbon}\n  - paths: {phase: grain, from: flat}", StringComparison.Ordinal);
        foreach (var recipe in (Recipe[])[Build(text), Build(RecipeYaml.Write(Build(text).Text))])
        {
            Assert.Equal(["denoise", "flat"], recipe.Measures.Select(m => m.From));
            Assert.Equal(["pore", null], recipe.Measures.Select(m => ((Paths)m.Measure).From is { Length: > 0 } from ? from : null));
            Assert.Equal("carbon", ((Paths)recipe.Measures[0].Measure).To);
        }
    }

    [Fact]
    public void ReadsStepsAndTheFlowOfVolumes()
    {
        var recipe = Build(Text);
        Assert.Equal(["align", "flat", "denoise"], recipe.Steps.Select(s => s.Id));
        Assert.Equal(["raw", "align", "align"], recipe.Steps.Select(s => s.From));
        Assert.Equal("raw", Assert.Single(recipe.Measures).From);
        Assert.Equal("/somewhere/slices", recipe.Input.Path);
        Assert.Equal(7ul, recipe.Seed);
    }

    [Fact]
    public void SetChangesAParameterByIdOrOperation()
    {
        Assert.Equal("9", Parameter(Build(Text, "flat.half-angle=9"), 1, "half-angle"));
        Assert.Equal("9", Parameter(Build(Text, "destripe.half-angle=9"), 1, "half-angle"));
    }

    [Fact]
    public void PathsStartAtTheRecipesFolderOrNameAVolumeAlsoInLists()
    {
        var text = Text.Replace("denoise: {from: align}", "forest: {labels: strokes.tif, channel: [se=align, inlens=../inlens.zarr]}", StringComparison.Ordinal);
        var step = (Kerf.Imaging.ForestSegmentation)Build(text).Steps[2].Step;
        Assert.Equal("/somewhere/strokes.tif", step.Labels);
        Assert.Equal(["se=align", "inlens=/inlens.zarr"], step.Channel);
    }

    [Fact]
    public void WorkbookAndYamlHoldTheSame()
    {
        var text = RecipeYaml.Read(Text, "r.yaml");
        var path = Path.Combine(Path.GetTempPath(), $"kerf-{Guid.NewGuid():n}.xlsx");
        File.WriteAllBytes(path, RecipeWorkbook.Write(text));
        try
        {
            AssertSame(text.Build("/somewhere/r.yaml"), RecipeText.Read(path).Build("/somewhere/r.yaml"));
        }
        finally
        {
            File.Delete(path);
        }
        AssertSame(text.Build("/somewhere/r.yaml"), Build(RecipeYaml.Write(text)));
    }

    [Fact]
    public void EveryTemplateBuildsAndComesBackFromBothForms()
    {
        foreach (var name in Templates.Names) AssertSame(Templates.Read(name).Build("/somewhere/r.yaml"), Build(RecipeYaml.Write(Templates.Read(name))));
    }

    private static void AssertSame(Recipe expected, Recipe actual)
    {
        Assert.Equal(Lines(expected), Lines(actual));
        static IEnumerable<string> Lines(Recipe recipe) => recipe.Steps.Select(s => $"{s.Id} {s.From} {s.Declared.Json(s.Step).ToJsonString()}")
            .Concat(recipe.Measures.Select(m => $"{m.From} {m.Declared.Json(m.Measure).ToJsonString()}"))
            .Append(recipe.Title).Append(Catalogue.Input.Json(recipe.Input).ToJsonString()).Append(Catalogue.Output.Json(recipe.Output).ToJsonString());
    }

    private static string Parameter(Recipe recipe, int step, string name) =>
        recipe.Steps[step].Declared.Parameters.First(p => p.Name == name).TextOf(recipe.Steps[step].Step);

    [Theory]
    [InlineData("align", "algin", "r.yaml:7: there is no step \"algin\"; did you mean align?")]
    [InlineData("half-angle", "half-angel", "r.yaml:8: destripe has no parameter \"half-angel\"; did you mean half-angle?")]
    [InlineData("half-angle: 8", "half-angle: 95", "r.yaml:8: destripe.half-angle is \"95\"; allowed:")]
    [InlineData("half-angle: 8", "half-angle: wide", "r.yaml:8: destripe.half-angle is \"wide\"; allowed:")]
    [InlineData("from: align", "from: aligne", "r.yaml:9: there is no volume \"aligne\" before this step; did you mean align?")]
    [InlineData("to: flat", "to: align", "r.yaml:8: a volume \"align\" is there already; give this step another name with to.")]
    [InlineData("to: flat", "to: ../flat", "r.yaml:8: \"../flat\" cannot name a volume; use letters, digits, - and _.")]
    [InlineData("seed: 7", "seed: many", "r.yaml:2: seed is \"many\"; allowed: a whole number, 0 or more.")]
    [InlineData("title: A test", "titel: A test", "r.yaml:1: a recipe has no \"titel\"; did you mean title?")]
    [InlineData("[10, 5, 5]", "[10, 5]", "input.voxel has 2 numbers; give three: z, y, x in nanometres.")]
    [InlineData("[10, 5, 5]", "[10, 0, 5]", "r.yaml:5: input.voxel is \"10, 0, 5\"; allowed:")]
    [InlineData("  - align\n", "  align\n", "r.yaml:")]
    public void RefusesWithLineAndRemedy(string good, string bad, string message)
    {
        var text = Text.Replace(good, bad, StringComparison.Ordinal);
        var refusal = Assert.Throws<InputError>(() => Build(text).Input.Options(0)).Message;
        Assert.StartsWith(message.Split('"')[0], refusal, StringComparison.Ordinal);
        Assert.Contains(message, refusal, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', refusal);
    }

    [Theory]
    [InlineData("nonsense", "--set nonsense: write step.parameter=value, like destripe.half-angle=8.")]
    [InlineData("destrip.half-angle=8", "--set destrip.half-angle=8: the recipe has no step \"destrip\"; did you mean destripe?")]
    [InlineData("destripe.half-angle=80", "--set destripe.half-angle=80: destripe.half-angle is \"80\"; allowed:")]
    public void RefusesAChangeThatFitsNothing(string change, string message) => Assert.StartsWith(message, Refusal(Text, change), StringComparison.Ordinal);

    [Fact]
    public void RefusesAMissingRecipe() =>
        Assert.StartsWith("/nowhere/x.yaml: there is no such recipe.", Assert.Throws<InputError>(() => Recipe.Load("/nowhere/x.yaml")).Message, StringComparison.Ordinal);

    [Fact]
    public void RefusesAWorkbookThatIsNone()
    {
        var path = Path.Combine(Path.GetTempPath(), $"kerf-{Guid.NewGuid():n}.xlsx");
        File.WriteAllText(path, "not a zip");
        Assert.Contains("not a readable .xlsx workbook", Assert.Throws<InputError>(() => Recipe.Load(path)).Message, StringComparison.Ordinal);
        File.Delete(path);
    }
}
