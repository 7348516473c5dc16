using Kerf.Volumes;

namespace Kerf.Imaging;

/// <summary>Undoes the geometry of an image plane that is seen at an angle. See docs/methods/geometry.md.</summary>
[Operation("geometry", "Stretches y by 1/sin(tilt) for a face that was seen at the tilt, and undoes a shear of the stack along y.")]
public sealed record Geometry : Step
{
    /// <summary>Angle between the electron beam and the imaged face.</summary>
    [Parameter("Angle between the electron beam and the imaged face: 52 or 54 in most instruments, 90 for a face seen straight on.", Unit = "degrees", Min = 5, Max = 90)]
    public double TiltDegrees { get; init; } = 52;

    /// <summary>Makes new rows instead of writing a larger pixel height.</summary>
    [Parameter("Make new rows, so that a pixel stays as high as it was; otherwise rows stay and the pixel height is written as pixel height / sin(tilt).")]
    public bool Resample { get; init; }

    /// <summary>Shift of the content along y for each nanometre of depth.</summary>
    [Parameter("Shift of the content along y for each nanometre milled, on the stretched scale; it is undone. 1/tan(tilt) if the images did not follow the receding face; 0 if they did, or if align came before.", Unit = "nm per nm")]
    public double Shear { get; init; }

    /// <summary>How new rows are found.</summary>
    [Parameter("How new rows are found: cubic, linear (never overshoots), lanczos (sharpest), nearest (for labels).")]
    public SliceInterpolation Interpolation { get; init; }

    /// <inheritdoc/>
    public override void Run(StepRun run)
    {
        var target = run.Create(Target(run.Source.Info)).AsFloatTarget();
        Apply(run.Source.AsFloat(), target, this, run.Walk);
    }

    /// <summary>What the result's size and voxel are.</summary>
    /// <exception cref="InputError">The voxel size is not known.</exception>
    public VolumeInfo Target(VolumeInfo source)
    {
        var (voxel, size) = (source.RequireVoxel("geometry"), source.Size);
        var stretch = 1 / Math.Sin(TiltDegrees * Math.PI / 180);
        return Resample
            ? source with { Size = size with { Y = 1 + (int)Math.Floor((size.Y - 1) * stretch + 1e-9) } }
            : source with { Voxel = new VoxelSize(voxel.Z, voxel.Y * stretch, voxel.X) };
    }

    /// <summary>
    /// Fills the target of <see cref="Target"/>: its row y of slice z shows the source at row (y + shear·z·thickness/pixel height)·sin(tilt) when
    /// resampling. Beyond its border a slice goes on with its nearest row.
    /// </summary>
    public static void Apply(IVolume<float> source, IWritableVolume<float> target, Geometry how, Traversal walk)
    {
        var (from, to) = (source.Info.Size, target.Info.Size);
        var voxel = target.Info.RequireVoxel("geometry");
        var scale = how.Resample ? Math.Sin(how.TiltDegrees * Math.PI / 180) : 1;
        walk.ForEach(to.Z, z =>
        {
            if (target.IsWritten(Box.Slice(to, z))) return;
            var (slice, output) = (new float[from.SliceCount], new float[to.SliceCount]);
            source.Read(Box.Slice(from, z), slice);
            var shift = how.Shear * z * voxel.Z / voxel.Y;
            for (var y = 0; y < to.Y; y++)
                Translation.Row(slice, from.X, (y + shift) * scale, how.Interpolation, output.AsSpan(y * to.X, to.X));
            target.Write(Box.Slice(to, z), output);
        });
    }
}
