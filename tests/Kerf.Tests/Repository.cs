namespace Kerf.Tests;

/// <summary>Where the checkout is, seen from the test's program.</summary>
public static class Repository
{
    public static string Root { get; } = Find();

    private static string Find()
    {
        for (var folder = AppContext.BaseDirectory; folder is not null; folder = Path.GetDirectoryName(folder))
            if (File.Exists(Path.Combine(folder, "Kerf.slnx"))) return folder;
        throw new DirectoryNotFoundException("the tests must run inside a checkout");
    }
}
