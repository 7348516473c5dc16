using Kerf.Volumes;

namespace Kerf.App;

/// <summary>The section <c>input</c> of a recipe.</summary>
[Operation("input", "Where the slices are and how large a voxel is.")]
public sealed record InputSection
{
    /// <summary>Slices.</summary>
    [Parameter("A folder of slices (TIFF or PNG), one TIFF stack, or an OME-Zarr folder. Relative paths start at the recipe's folder.", IsPath = true)]
    public string Path { get; init; } = "slices";

    /// <summary>Voxel size z, y, x.</summary>
    [Parameter("Voxel size z, y, x. Leave it empty to take what the files say.", Unit = "nm", Min = 1e-3, Max = 1e7)]
    public double[] Voxel { get; init; } = [];

    /// <summary>Slice pitch.</summary>
    [Parameter("Slice thickness alone, when the files tell the pixel size but not the thickness.", Unit = "nm", Min = 1e-3, Max = 1e7)]
    public double? SlicePitch { get; init; }

    /// <summary>Channel.</summary>
    [Parameter("Which channel to read when there are several; leave it empty for the first.")]
    public string Channel { get; init; } = "";

    /// <summary>Gaps.</summary>
    [Parameter("Go on although numbers are missing between the first and the last slice.")]
    public bool AllowGaps { get; init; }

    /// <summary>Info bar.</summary>
    [Parameter("Keep the microscope's info bar instead of cutting it off.")]
    public bool KeepInfoBar { get; init; }

    /// <summary>The same as options for opening a file.</summary>
    public OpenOptions Options(long cacheBytes) => new()
    {
        Voxel = Voxel.Length switch
        {
            0 => null,
            1 => VoxelSize.Cube(Voxel[0]),
            3 => new VoxelSize(Voxel[0], Voxel[1], Voxel[2]),
            _ => throw new InputError($"input.voxel has {Voxel.Length} numbers; give three: z, y, x in nanometres."),
        },
        SlicePitchNm = SlicePitch,
        Channel = Channel.Length > 0 ? Channel : null,
        AllowGaps = AllowGaps,
        KeepInfoBar = KeepInfoBar,
        CacheBytes = cacheBytes,
    };
}

/// <summary>The section <c>output</c> of a recipe.</summary>
[Operation("output", "What is written besides the OME-Zarr volumes, the measurements and the report.")]
public sealed record OutputSection
{
    /// <summary>PNG slices.</summary>
    [Parameter("Write the last volume as coloured PNG slices.")]
    public bool Png { get; init; } = true;

    /// <summary>3-D TIFF.</summary>
    [Parameter("Write the last volume as one 3-D TIFF that opens in Fiji with its voxel size.")]
    public bool Tiff { get; init; } = true;
}

/// <summary>One step of a recipe with its place in the flow of volumes.</summary>
/// <param name="Id">Name of the volume it writes; unique in the recipe.</param>
/// <param name="From">Name of the volume it reads.</param>
/// <param name="Declared">The operation.</param>
/// <param name="Step">Its parameters.</param>
/// <param name="Where">Where it stands in the file, for error lines.</param>
public sealed record RecipeStep(string Id, string From, Declared Declared, Step Step, string Where);

/// <summary>One measure of a recipe.</summary>
/// <param name="From">Name of the volume it reads.</param>
/// <param name="Declared">The operation.</param>
/// <param name="Measure">Its parameters.</param>
/// <param name="Where">Where it stands in the file, for error lines.</param>
public sealed record RecipeMeasure(string From, Declared Declared, Measure Measure, string Where);

/// <summary>The ordered steps, the input, the measures and the outputs. YAML and .xlsx hold the same.</summary>
public sealed record Recipe
{
    /// <summary>Name of the volume that the input is imported to.</summary>
    public const string Raw = "raw";

    /// <summary>One line for the report's head.</summary>
    public required string Title { get; init; }

    /// <summary>A sentence or two for a colleague.</summary>
    public string Description { get; init; } = "";

    /// <summary>Seed of every random draw.</summary>
    public ulong Seed { get; init; } = 1;

    /// <summary>Where the slices are.</summary>
    public required InputSection Input { get; init; }

    /// <summary>What is written besides volumes, measurements and report.</summary>
    public required OutputSection Output { get; init; }

    /// <summary>The steps in their order.</summary>
    public required IReadOnlyList<RecipeStep> Steps { get; init; }

    /// <summary>The measures in their order.</summary>
    public required IReadOnlyList<RecipeMeasure> Measures { get; init; }

    /// <summary>The same, as typed: for writing it out again.</summary>
    public required RecipeText Text { get; init; }

    /// <summary>Folder that relative paths start from.</summary>
    public required string Folder { get; init; }

    /// <summary>Reads a recipe by its ending.</summary>
    /// <param name="path">A .yaml, .yml or .xlsx file.</param>
    /// <param name="changes">"step.parameter=value", as given with --set.</param>
    /// <exception cref="InputError">Anything that is wrong, with the line or cell.</exception>
    public static Recipe Load(string path, IReadOnlyList<string>? changes = null) => RecipeText.Read(path).Apply(changes ?? []).Build(path);
}
