namespace Kerf.Microstructure;

/// <summary>What is known of one particle. Lengths in nm, or in voxels where the voxel size is unknown.</summary>
/// <param name="Id">Its number in the label volume.</param>
/// <param name="Voxels">How many voxels it has.</param>
/// <param name="Volume">Voxels × voxel volume.</param>
/// <param name="EquivalentDiameter">Diameter of the ball of the same volume.</param>
/// <param name="SurfaceArea">Area by Crofton's formula over 13 directions; faces cut by the volume's border are not in it.</param>
/// <param name="Sphericity">Area of the ball of the same volume / area: 1 for a ball, less for all else (Wadell 1935).</param>
/// <param name="Z">Centre of mass along z, from the volume's corner.</param>
/// <param name="Y">Centre of mass along y.</param>
/// <param name="X">Centre of mass along x.</param>
/// <param name="Axes">Full lengths of the axes of the ellipsoid with the same second moments, longest first.</param>
/// <param name="Orientation">Unit vector (z, y, x) of the longest axis; its first part that is not 0 is positive.</param>
/// <param name="Contacts">Particles that share a voxel face with it.</param>
/// <param name="ContactArea">Area of these contacts, by Crofton's formula.</param>
/// <param name="AtBorder">It touches the border of the volume: its size is a lower bound.</param>
/// <param name="Density">What it adds to the number of particles per volume: 1/(the volume in which it can lie without touching the border), 0 for one
/// at the border (Miles–Lantuéjoul, see Serra 1982, Image Analysis and Mathematical Morphology).</param>
public sealed record Particle(
    int Id, long Voxels, double Volume, double EquivalentDiameter, double SurfaceArea, double Sphericity, double Z, double Y, double X,
    double[] Axes, double[] Orientation, int Contacts, double ContactArea, bool AtBorder, double Density);
