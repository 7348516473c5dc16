using Kerf.Simulation;
using Kerf.Volumes;

namespace Kerf.App;

/// <summary>How well the chain did on a virtual specimen. Voxels whose true label is 0 (the cap) are not counted.</summary>
/// <param name="MeanDice">Mean of <paramref name="Dice"/>.</param>
/// <param name="Dice">2·|found ∩ true| / (|found| + |true|) of each phase, in label order; 1 for a phase that is in neither.</param>
/// <param name="ShiftRms">
/// Pixels: root of the mean squared distance between recovered and true shift over slices 1 … n − 1, both taken relative to their value at slice 0.
/// Nothing else is subtracted: no constant, no trend.
/// </param>
/// <param name="StripeReduction">
/// Share of the curtains' energy that destriping took. In each slice the difference to the ideal image is projected on the true curtains; the
/// energy is the squared coefficient times the curtains' energy, summed over slices; this is 1 − after/before. 1 when there are no curtains.
/// </param>
/// <param name="PhaseMeanChange">Largest relative change of a true phase's mean grey from before destriping to after.</param>
public sealed record DemoScore(double MeanDice, double[] Dice, double ShiftRms, double StripeReduction, double PhaseMeanChange)
{
    /// <summary>True when Dice ≥ 0.95, shifts ≤ 0.15 pixels, stripes ≥ 90 % down and phase means within 1 %.</summary>
    public bool Passes => MeanDice >= 0.95 && ShiftRms <= 0.15 && StripeReduction >= 0.9 && PhaseMeanChange <= 0.01;

    /// <summary>Compares what the chain made with the truth.</summary>
    /// <param name="truth">The truth, in the frame of slice 0.</param>
    /// <param name="shifts">Recovered displacement [dy, dx] of each slice's content against slice 0, in pixels.</param>
    /// <param name="start">Where voxel (0, 0, 0) of the three volumes lies in the frame of slice 0: the crop's first voxel.</param>
    /// <param name="phases">Segmentation: 1 pore, 2 solid electrolyte, 3 active material.</param>
    /// <param name="before">Aligned greys that went into destriping.</param>
    /// <param name="after">Greys that came out of it.</param>
    /// <param name="walk">Threads; they do not change a bit of the score.</param>
    /// <exception cref="InputError">The volumes differ in size or do not lie inside the truth.</exception>
    public static DemoScore Of(
        DemoTruth truth, IReadOnlyList<double[]> shifts, Size3 start, IVolume<byte> phases, IVolume before, IVolume after, Traversal walk)
    {
        var size = phases.Info.Size;
        var box = new Box(start, size);
        var whole = truth.Labels.Info.Size;
        if (before.Info.Size != size || after.Info.Size != size)
            throw new InputError($"score: phases are {size}, greys before destriping {before.Info.Size}, after {after.Info.Size}; give volumes of one size.");
        if (!Box.Whole(whole).Contains(box)) throw new InputError($"score: {box} is not inside the specimen of {whole}; give the crop's start.");
        if (shifts.Count != truth.Session.Shifts.Length)
            throw new InputError($"score: {shifts.Count} shifts for {truth.Session.Shifts.Length} slices; give one [dy, dx] a slice.");

        var slices = new SliceSums[size.Z];
        var confusion = new Confusion();
        walk.ForEach(size.Z, z => slices[z] = SliceSums.Of(z, truth, box, phases, before.AsFloat(), after.AsFloat(), confusion));
        double[] dice = [.. Electrode.Phases.Select(phase => confusion.Dice(phase.Label))];
        double energyBefore = slices.Sum(s => s.StripesBefore), energyAfter = slices.Sum(s => s.StripesAfter);
        var change = Electrode.Phases.Max(phase =>
        {
            double mean = slices.Sum(s => s.GreyBefore[phase.Label]), now = slices.Sum(s => s.GreyAfter[phase.Label]);
            return mean > 0 ? Math.Abs(now - mean) / mean : 0;
        });
        return new(dice.Average(), dice, Rms(shifts, truth.Session.Shifts), energyBefore > 0 ? 1 - energyAfter / energyBefore : 1, change);
    }

    private static double Rms(IReadOnlyList<double[]> found, double[][] real)
    {
        var sum = 0.0;
        for (var z = 1; z < real.Length; z++)
        {
            for (var axis = 0; axis < 2; axis++)
            {
                var error = found[z][axis] - found[0][axis] - (real[z][axis] - real[0][axis]);
                sum += error * error;
            }
        }
        return Math.Sqrt(sum / Math.Max(1, real.Length - 1));
    }

    // one slice's share; sums of them in slice order make the score
    private sealed class SliceSums
    {
        public double[] GreyBefore { get; } = new double[4];
        public double[] GreyAfter { get; } = new double[4];
        public double StripesBefore { get; private set; }
        public double StripesAfter { get; private set; }

        public static SliceSums Of(int z, DemoTruth truth, Box box, IVolume<byte> phases, IVolume<float> before, IVolume<float> after, Confusion confusion)
        {
            var there = Box.Slice(box.Size, z).Shift(box.Start);
            var here = Box.Slice(box.Size, z);
            var labels = Read(truth.Labels, there);
            var found = Read(phases, here);
            var (greyBefore, greyAfter) = (Read(before, here), Read(after, here));
            var sums = new SliceSums();
            confusion.Add(labels, found);
            for (var i = 0; i < labels.Length; i++)
            {
                var label = labels[i];
                if (label == 0) continue;
                sums.GreyBefore[label] += greyBefore[i];
                sums.GreyAfter[label] += greyAfter[i];
            }
            var ideal = Read(truth.Ideal, there);
            var curtains = new float[labels.Length];
            // the crop's frame is displaced against slice 0's by its start
            truth.Session.AddCurtains(there.Start.Z, box.Size, (-box.Start.Y, -box.Start.X), curtains);
            sums.StripesBefore = Energy(curtains, greyBefore, ideal, labels);
            sums.StripesAfter = Energy(curtains, greyAfter, ideal, labels);
            return sums;
        }

        private static T[] Read<T>(IVolume<T> volume, Box box) where T : unmanaged
        {
            var voxels = new T[box.Count];
            volume.Read(box, voxels);
            return voxels;
        }

        // ⟨d, s⟩² / ⟨s, s⟩ of the means-free difference d and curtains s
        private static double Energy(float[] curtains, float[] grey, byte[] ideal, byte[] labels)
        {
            double n = 0, d = 0, s = 0, ss = 0, ds = 0;
            for (var i = 0; i < labels.Length; i++)
            {
                if (labels[i] == 0) continue;
                double difference = grey[i] - ideal[i], curtain = curtains[i];
                (n, d, s) = (n + 1, d + difference, s + curtain);
                (ss, ds) = (ss + curtain * curtain, ds + difference * curtain);
            }
            var (energy, product) = (ss - s * s / n, ds - d * s / n);
            return n > 0 && energy > 1e-9 ? product * product / energy : 0;
        }
    }
}
