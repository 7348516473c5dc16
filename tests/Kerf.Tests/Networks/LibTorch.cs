using Kerf.Networks;
using Kerf.Volumes;
using Xunit;

namespace Kerf.Tests;

/// <summary>libtorch for a test, which is skipped where it cannot be had.</summary>
public static class LibTorch
{
    public static void Require(int threads = 1)
    {
        try
        {
            Torch.Start(threads, "cpu");
        }
        catch (InputError error)
        {
            Assert.Skip(error.Message);
        }
    }
}
