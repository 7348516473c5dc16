using Kerf.Volumes;

namespace Kerf.App;

/// <summary>The models that come with the program: see models/README.md. A name stands for its file wherever a model is asked for.</summary>
public static class PretrainedModels
{
    private static string Folder => Path.Combine(AppContext.BaseDirectory, "models");

    /// <summary>Their names.</summary>
    public static IReadOnlyList<string> Names => !Directory.Exists(Folder) ? [] : [.. Directory.GetFiles(Folder, "*.kerf").Select(f => Path.GetFileNameWithoutExtension(f)).Order(StringComparer.Ordinal)];

    /// <summary>The file of a model: the path itself, or where the program keeps the one of that name.</summary>
    /// <exception cref="InputError">Neither a file nor a name.</exception>
    public static string PathOf(string model)
    {
        if (File.Exists(model) || model.AsSpan().ContainsAny('/', '\\', '.')) return model;
        return Names.Contains(model) ? Path.Combine(Folder, model + ".kerf")
            : throw new InputError($"{model}: there is no such file, and no pretrained model of that name; there are {string.Join(", ", Names)}.");
    }
}
