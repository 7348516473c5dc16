using System.CommandLine;
using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using Kerf.Imaging;
using Kerf.Volumes;

namespace Kerf.App;

/// <summary>kerf importance MODEL: by which features a forest decides, over its trees, as a table and as a box plot.</summary>
public static class ImportanceCommand
{
    private const int Listed = 15;

    /// <summary>The command.</summary>
    public static Command Make()
    {
        var model = new Argument<string>("MODEL") { Description = "A forest that kerf train forest wrote." };
        var chart = new Option<string?>("--out") { Description = "Also draw the box plot here.", HelpName = "importance.svg" };
        var command = new Command("importance", "Tells by which features a forest decides: impurity and permutation, per feature, per phase and by group.") { model, chart, Invocation.Force };
        return Invocation.With(Invocation.Running(command), (parsed, session) =>
        {
            var (path, place) = (parsed.GetValue(model)!, parsed.GetValue(chart));
            if (place is not null && !place.EndsWith(".svg", StringComparison.OrdinalIgnoreCase)) throw new InputError($"--out is \"{place}\"; the box plot is a drawing: end it in .svg.");
            if (place is not null && !session.Forced && File.Exists(place)) throw new InputError($"{place}: is there already; choose another name or add --force.");
            var forest = ForestFile.Load(path);
            var tables = forest.Training.Importance
                ?? throw new InputError($"{path}: keeps no importance over its trees; it was trained by an earlier version. Train the model again.");
            if (place is not null) AtomicFile.WriteAllBytes(place, Encoding.UTF8.GetBytes(BoxChart.Draw(tables, $"Importance over {forest.Forest.Trees.Count} trees")));
            session.Print(Json(forest, tables, place), () => Text(tables));
        });
    }

    private static JsonObject Json(ForestModel model, IReadOnlyList<ImportanceTable> tables, string? chart) => new()
    {
        ["trees"] = model.Forest.Trees.Count,
        ["outOfBagError"] = model.Training.Findings.OutOfBagError,
        ["importance"] = new JsonArray([.. tables.Select(table => new JsonObject
        {
            ["kind"] = table.Kind,
            ["groups"] = new JsonArray([.. table.Groups.Select(Json)]),
            ["features"] = new JsonArray([.. table.Features.Select(Json)]),
        })]),
        ["chart"] = chart,
    };

    private static JsonNode Json(ImportanceBox box) => new JsonObject
    {
        ["name"] = box.Name,
        ["group"] = box.Group.ToString().ToLowerInvariant(),
        ["mean"] = box.Mean,
        ["quantiles"] = new JsonArray([.. box.Quantiles.Select(q => JsonValue.Create(q))]),
    };

    private static string Text(IReadOnlyList<ImportanceTable> tables)
    {
        var text = new StringBuilder();
        foreach (var table in tables.Take(2))
        {
            text.Append(CultureInfo.InvariantCulture, $"{table.Kind,-52}{"mean",9}{"5 %",9}{"median",9}{"95 %",9}\n");
            foreach (var box in table.Groups.Concat(table.Features.OrderByDescending(b => b.Mean).Take(Listed)))
                text.Append(CultureInfo.InvariantCulture, $"  {box.Name,-50}{box.Mean,9:F4}{box.Quantiles[0],9:F4}{box.Quantiles[2],9:F4}{box.Quantiles[4],9:F4}\n");
        }
        return text.ToString().TrimEnd('\n');
    }
}
