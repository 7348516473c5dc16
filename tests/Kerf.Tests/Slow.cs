namespace Kerf.Tests;

public static class Slow
{
    public static bool Enabled => Environment.GetEnvironmentVariable("KERF_SLOW") == "1";
}
