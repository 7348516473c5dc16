using Kerf.App;
using Kerf.Simulation;
using Kerf.Volumes;
using Xunit;

namespace Kerf.Tests;

public class ElectronTests
{
    private static readonly Traversal Walk = Traversal.Default;

    private static BulkYield Yield(string material, double keV, long electrons = 100_000, double tilt = 0, ulong seed = 1) =>
        BulkYield.Of(Material.Parse(material), keV, electrons, seed, Walk, tilt);

    // Hunger and Küchler 1979, doi:10.1002/pssa.2210560157; measured from 4 to 40 keV
    private static double HungerKuechler(double z, double keV)
    {
        var l = Math.Log(z);
        return Math.Pow(keV, 0.1382 - 0.9211 / Math.Sqrt(z)) * (0.1904 - 0.2236 * l + 0.1292 * l * l - 0.01491 * l * l * l);
    }

    [Theory]
    [InlineData("C", 20e3)]
    [InlineData("O", 30e3)]
    public void PartialWavesTendToBornsApproximationForLightAtoms(string symbol, double electronVolt)
    {
        // the Fourier transform of Salvat's potential is known; 20 keV electrons see carbon as a weak scatterer, at small angles most of all
        var (weights, decays) = symbol == "C" ? (new[] { 0.1537, 0.8463 }, new[] { 8.0404, 1.4913 }) : ([0.0625, 0.9375], [14.823, 2.0403]);
        var element = Element.Of(symbol)!;
        double e = electronVolt / 27.211386, c = 137.035999, k2 = e * (e + 2 * c * c) / (c * c), gamma = 1 + e / (c * c);
        var computed = MottScattering.Differential(element, electronVolt / 1000);
        for (var i = 20; i <= 160; i += 20)
        {
            var mu = Math.Pow(i / 400.0, 4);
            var q2 = 4 * k2 * mu;
            var amplitude = 2 * element.Number * gamma * (weights[0] / (q2 + decays[0] * decays[0]) + weights[1] / (q2 + decays[1] * decays[1]));
            Assert.InRange(computed[i] / (amplitude * amplitude * 0.0529177211 * 0.0529177211), 0.95, 1.05);
        }
    }

    [Fact]
    public void BulksScatterBackWhatWasMeasured()
    {
        // what docs/methods/electron-transport.md says: within 5 % wherever the formula is a measure, which is not so for carbon at 4, 5 and 20 keV;
        // among the measurements elsewhere but for the cases named
        var rows = BackscatterStudy.Run(100_000, Walk)["rows"]!.AsArray();
        Assert.Equal(36, rows.Count);
        foreach (var row in rows)
        {
            var (element, keV, verdict) = (row!["element"]!.GetValue<string>(), row["keV"]!.GetValue<double>(), row["verdict"]!.GetValue<string>());
            var formula = keV >= 4 && !(element == "C" && keV is 4 or 5 or 20);
            Assert.Equal(formula, row["formulaValid"]!.GetValue<bool>());
            Assert.InRange(row["standardError"]!.GetValue<double>(), 0.0005, 0.002);
            Assert.Equal(HungerKuechler(Element.Of(element)!.Number, keV), row["formula"]!.GetValue<double>(), 12);
            if (formula) Assert.True(verdict == "within 5 % of the formula", $"{element} {keV}: {verdict}");
            else if (element == "Ag") Assert.Equal("nothing to compare with", verdict);
            else Assert.True(verdict == "among the measurements" || (element, keV) is ("Au", 1 or 2) or ("Si", 1 or 2), $"{element} {keV}: {verdict}");
        }
    }

    [Theory]
    [InlineData("C", 20, 11.775)]
    [InlineData("C", 10, 20.145)]
    [InlineData("Si", 30, 7.49)]
    public void FastElectronsLoseWhatBethesRelativisticFormulaSays(string symbol, double keV, double stopping)
    {
        // MeV cm²/g: 0.153536·Z/(A·β²)·(ln(E²/J²) + ln(1 + τ/2) + F(τ)) of ICRU report 37, J = 78 and 172 eV; Gauvin's k adds below 0.3 % here
        var material = Material.Parse(symbol);
        Assert.InRange(new Transport(material).Loss(keV) * 1e4 / material.Density / stopping, 0.995, 1.006);
    }

    [Fact]
    public void TheFastFormHasTheScalarFormsDistributions()
    {
        const int electrons = 20_000;
        var transport = new Transport(Material.Parse("Au"), 2);
        var plain = new Trajectory[electrons];
        Walk.ForEach(electrons, i => plain[i] = ScalarTransport.Follow(transport, 2, 0, new CounterRandom(77, (ulong)i)));
        var back = plain.Where(t => t.Escaped).ToArray();
        var fast = Yield("Au", 2, 1_000_000);
        var eta = (double)back.Length / electrons;
        Assert.InRange((eta - fast.Eta) / Math.Sqrt(eta * (1 - eta) / electrons), -4, 4);
        var critical = 1.63 * Math.Sqrt(1.0 / back.Length + 1.0 / fast.Backscattered); // Kolmogorov and Smirnov, 1 %
        Assert.InRange(Distance([.. back.Select(t => t.Energy / 2)], fast.Energies, 1), 0, critical);
        Assert.InRange(Distance([.. back.Select(t => t.Depth / transport.Range(2))], fast.Depths, 0.5), 0, critical);
    }

    // largest difference of the two cumulative distributions at the bins' edges
    private static double Distance(double[] sample, long[] histogram, double top)
    {
        Array.Sort(sample);
        double worst = 0, total = histogram.Sum(), sum = 0;
        for (var (bin, at) = (0, 0); bin < histogram.Length; bin++)
        {
            sum += histogram[bin];
            while (at < sample.Length && sample[at] < top * (bin + 1) / histogram.Length) at++;
            worst = Math.Max(worst, Math.Abs(sum / total - (double)at / sample.Length));
        }
        return worst;
    }

    [Fact]
    public void RutherfordsCrossSectionIsTheTextbooksAndReadyAtOnce()
    {
        // Joy 1995: carbon at 10 keV, α = 3.4e-3·6^0.67/10; 5.21e-21·36/100·4π/(α(1+α))·(521/1034)² cm²
        var alpha = 3.4e-4 * Math.Pow(6, 0.67);
        Assert.Equal(5.21e-7 * 0.36 * 4 * Math.PI / (alpha * (1 + alpha)) * Math.Pow(521.0 / 1034, 2), ScreenedRutherford.Total(Element.Of("C")!, 10), 12);
        var transport = new Transport(Material.Parse("C"), 10, Elastic.Rutherford);
        Assert.Equal(1 / (ScreenedRutherford.Total(Element.Of("C")!, 10) * (7.0 / 6) * Material.Parse("C").PerVolume(0)), transport.FreePath(10), 1);
        // half of the deflections lie below μ = α/(1 + 2α)
        Assert.Equal(alpha / (1 + 2 * alpha), transport.Deflection(10, 0.5), 4);
        var (mott, plain) = (Yield("Au", 20), BulkYield.Of(Material.Parse("Au"), 20, 100_000, 1, Walk, elastic: Elastic.Rutherford));
        Assert.InRange(plain.Eta / mott.Eta, 0.8, 1.2);
        Assert.NotEqual(mott.Energies, plain.Energies);
    }

    [Fact]
    public void EnergyIsConservedToRounding()
    {
        var transport = new Transport(Material.Parse("SiO2:2.65"), 5);
        for (var i = 0UL; i < 300; i++)
        {
            var t = ScalarTransport.Follow(transport, 5, 30, new CounterRandom(3, i));
            Assert.InRange(t.Energy + t.Deposited, 5 - 1e-12, 5 + 1e-12);
            Assert.True(t.Escaped ? t.Energy > 0.05 && t.Cosine is > 0 and <= 1 : t.Energy == 0);
        }
    }

    [Fact]
    public void RangeAndInformationDepthGrowWithEnergyAndYieldWithTilt()
    {
        var steps = new[] { 1.0, 2, 4, 8, 16 }.Select(keV => Yield("Au", keV, 50_000)).ToArray();
        for (var i = 1; i < steps.Length; i++)
        {
            Assert.InRange(steps[i].RangeNanometres / steps[i - 1].RangeNanometres, 1.8, 4);
            Assert.InRange(steps[i].HalfDepth / steps[i - 1].HalfDepth, 1.5, 5);
        }
        Assert.True(Yield("Si", 5, tilt: 60).Eta > 1.5 * Yield("Si", 5).Eta);
    }

    [Fact]
    public void SameCountsForAnyThreadsAndProcessors()
    {
        var one = BulkYield.Of(Material.Parse("Au"), 2, 40_000, 5, Walk with { Threads = 1 });
        var two = BulkYield.Of(Material.Parse("Au"), 2, 40_000, 5, Walk with { Threads = 3 });
        Assert.Equal(one.Energies, two.Energies);
        Assert.Equal(one.Depths, two.Depths);
        Assert.NotEqual(one.Energies, Yield("Au", 2, 40_000, seed: 6).Energies);
        string[] call = ["simulate", "yield", "--material", "Au", "--energy", "2", "--electrons", "40000", "--seed", "5", "--json"];
        using var folder = new TempFolder();
        Directory.CreateDirectory(folder.Path);
        foreach (var switches in new (string, string)[][] { [], [("DOTNET_EnableAVX2", "0")], [("DOTNET_EnableHWIntrinsic", "0")] })
            Assert.Equal(one.Eta, KerfProcess.Run(folder.Path, call, switches).Json["eta"]!.GetValue<double>());
    }

    [Theory]
    [InlineData("Au", 19.32, 79)]
    [InlineData("gold", 19.32, 79)]
    [InlineData("SiO2:2.65", 2.65, 14)]
    [InlineData("LiNi0.8Mn0.1Co0.1O2:4.7", 4.7, 3)]
    public void ReadsMaterials(string text, double density, int first)
    {
        var material = Material.Parse(text);
        Assert.Equal(density, material.Density);
        Assert.Equal(first, material.Atoms[0].Element.Number);
        Assert.Equal(92, Element.All.Count);
    }

    [Theory]
    [InlineData("Xx", "material Xx: there is no element \"Xx\". Write a formula like Au or SiO2:2.65, or one of vacuum, epoxy,*")]
    [InlineData("Au:-3", "material Au:-3: density is \"-3\"; give g/cm³ between 0.001 and 25, like Au:2.65.")]
    [InlineData("SiO2", "material SiO2: the density of a compound must be given, in g/cm³: SiO2:2.65.")]
    [InlineData("Si0:2", "material Si0:2: \"0\" after Si is no number of atoms; write one above 0 and up to 1000.")]
    [InlineData(":2", "material: is empty. Write a formula like Au or SiO2:2.65, or vacuum.")]
    public void RefusesMaterials(string text, string message)
    {
        var error = Assert.Throws<InputError>(() => Material.Parse(text)).Message;
        if (message.EndsWith('*')) Assert.StartsWith(message[..^1], error);
        else Assert.Equal(message, error);
    }

    [Theory]
    [InlineData("Au", 0.2, 100, 0, "energy is 0.2 keV; choose 0.5 to 30.")]
    [InlineData("Au", 2, 0, 0, "electrons is 0; choose 1 to 10^12.")]
    [InlineData("Au", 2, 10, 90, "tilt is 90 degrees; choose 0 to 85.")]
    [InlineData("vacuum", 2, 10, 0, "material is vacuum: nothing scatters there. Choose a material with atoms.")]
    public void RefusesBeams(string material, double keV, long electrons, double tilt, string message) =>
        Assert.Equal(message, Assert.Throws<InputError>(() => Yield(material, keV, electrons, tilt)).Message);
}
