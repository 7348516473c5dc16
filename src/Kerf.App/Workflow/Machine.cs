using System.Reflection;
using System.Runtime.InteropServices;

namespace Kerf.App;

/// <summary>Who did the work, for run records.</summary>
public static class Machine
{
    /// <summary>Kerf's version.</summary>
    public static string Version { get; } = typeof(Machine).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()!.InformationalVersion;

    /// <summary>"AMD EPYC, 2 processors, Debian GNU/Linux 12, .NET 10.0.12".</summary>
    public static string Description { get; } =
        $"{Processor()}, {Environment.ProcessorCount} processors, {RuntimeInformation.OSDescription}, {RuntimeInformation.FrameworkDescription}";

    private static string Processor()
    {
        const string info = "/proc/cpuinfo";
        var line = File.Exists(info) ? File.ReadLines(info).FirstOrDefault(l => l.StartsWith("model name", StringComparison.Ordinal)) : null;
        return line?[(line.IndexOf(':', StringComparison.Ordinal) + 1)..].Trim() ?? RuntimeInformation.ProcessArchitecture.ToString();
    }
}
