using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using Kerf.Volumes;

namespace Kerf.App;

/// <summary><c>measurements.json</c>, <c>measurements.csv</c> and <c>curves.csv</c>.</summary>
public static class MeasurementFiles
{
    /// <summary>camelCase, with NaN and Infinity as words.</summary>
    public static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        WriteIndented = true,
        NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals,
    };

    /// <summary>Writes the three files into a folder, each atomically.</summary>
    public static void Write(string folder, Measured measured)
    {
        AtomicFile.WriteAllText(Path.Combine(folder, "measurements.json"), JsonSerializer.Serialize(measured, Json) + "\n");
        var table = new StringBuilder("name,phase,axis,value,unit,low,high,method,doubtLow,doubtHigh\n");
        foreach (var m in measured.Measurements)
            table.Append(CultureInfo.InvariantCulture, $"{m.Name},{Field(m.Phase)},{m.Axis},{m.Value:R},{m.Unit},{m.Low:R},{m.High:R},{Field(m.Method)},{m.DoubtLow:R},{m.DoubtHigh:R}\n");
        AtomicFile.WriteAllText(Path.Combine(folder, "measurements.csv"), table.ToString());
        var curves = new StringBuilder("curve,unit,x,y,low,high\n");
        foreach (var c in measured.Curves)
            for (var i = 0; i < c.X.Length; i++) curves.Append(CultureInfo.InvariantCulture, $"{Field(c.Name)},{c.Unit},{c.X[i]:R},{c.Y[i]:R},{c.Low?[i]:R},{c.High?[i]:R}\n");
        AtomicFile.WriteAllText(Path.Combine(folder, "curves.csv"), curves.ToString());
    }

    /// <summary>Writes a file per table (NAME.csv) and per scene (NAME.svg); returns the figures.</summary>
    public static IReadOnlyList<string> WriteExtras(string folder, Measured measured, Traversal walk)
    {
        foreach (var rows in measured.Tables)
        {
            var text = new StringBuilder(string.Join(',', rows.Columns.Select(Field)) + "\n");
            foreach (var row in rows.Rows) text.Append(string.Join(',', row.Select(value => value.ToString("R", CultureInfo.InvariantCulture)))).Append('\n');
            AtomicFile.WriteAllText(Path.Combine(folder, rows.Name + ".csv"), text.ToString());
        }
        var figures = new List<string>();
        foreach (var scene in measured.Scenes)
        {
            figures.Add(SceneFigure.Draw(scene, walk with { Progress = null }));
            AtomicFile.WriteAllText(Path.Combine(folder, scene.Name + ".svg"), figures[^1]);
        }
        return figures;
    }

    private static string Field(string? text) => text is null ? "" : text.AsSpan().IndexOfAny(",\"\n") < 0 ? text : $"\"{text.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";
}
