using System.Runtime.InteropServices;

namespace Kerf.Imaging;

/// <summary>XGBoost's C API, what of it training needs. Every call answers 0, or −1 and has words for it in <see cref="XGBGetLastError"/>.</summary>
internal static unsafe partial class Xgboost
{
    public const string Library = "xgboost";

    [LibraryImport(Library)]
    public static partial nint XGBGetLastError();

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int XGBSetGlobalConfig(string config);

    [LibraryImport(Library)]
    public static partial int XGDMatrixCreateFromMat(float* data, ulong rows, ulong columns, float missing, out XgboostMatrix matrix);

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int XGDMatrixSetFloatInfo(XgboostMatrix matrix, string field, float* values, ulong count);

    [LibraryImport(Library)]
    public static partial int XGDMatrixFree(nint matrix);

    [LibraryImport(Library)]
    public static partial int XGBoosterCreate(nint* matrices, ulong count, out XgboostBooster booster);

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int XGBoosterSetParam(XgboostBooster booster, string name, string value);

    [LibraryImport(Library)]
    public static partial int XGBoosterUpdateOneIter(XgboostBooster booster, int round, XgboostMatrix matrix);

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int XGBoosterSaveModelToBuffer(XgboostBooster booster, string config, out ulong length, out byte* bytes);

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int XGBoosterPredictFromDMatrix(XgboostBooster booster, XgboostMatrix matrix, string config, out ulong* shape, out ulong axes, out float* values);

    [LibraryImport(Library)]
    public static partial int XGBoosterFree(nint booster);
}

/// <summary>A matrix of samples that XGBoost holds.</summary>
internal sealed class XgboostMatrix : SafeHandle
{
    /// <summary>For the marshaller.</summary>
    public XgboostMatrix() : base(0, true) { }

    public override bool IsInvalid => handle == 0;

    protected override bool ReleaseHandle() => Xgboost.XGDMatrixFree(handle) == 0;
}

/// <summary>A model that XGBoost holds.</summary>
internal sealed class XgboostBooster : SafeHandle
{
    /// <summary>For the marshaller.</summary>
    public XgboostBooster() : base(0, true) { }

    public override bool IsInvalid => handle == 0;

    protected override bool ReleaseHandle() => Xgboost.XGBoosterFree(handle) == 0;
}
