namespace Kerf.Tests;

/// <summary>Real images beside the repository, in ../shared/data.</summary>
public static class SharedData
{
    /// <summary>The full path, or null when it is not there.</summary>
    public static string? Path(string relative)
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (!File.Exists(System.IO.Path.Combine(folder.FullName, "Kerf.slnx"))) continue;
            var path = System.IO.Path.Combine(folder.FullName, "..", "shared", "data", relative);
            return File.Exists(path) || Directory.Exists(path) ? System.IO.Path.GetFullPath(path) : null;
        }
        return null;
    }
}
