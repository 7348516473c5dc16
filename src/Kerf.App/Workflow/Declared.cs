using System.ComponentModel;
using System.Globalization;
using System.Reflection;
using System.Text.Json.Nodes;
using Kerf.Volumes;

namespace Kerf.App;

/// <summary>A value as it was typed, and where, for the error line: "recipe.yaml:12", "cell D7", "--half-angle".</summary>
public sealed record Typed(string Text, string Where);

/// <summary>What a record's <see cref="ParameterAttribute"/> says of one property.</summary>
public sealed class DeclaredParameter
{
    private readonly PropertyInfo _property;
    private readonly ParameterAttribute _attribute;
    private readonly Type _type;
    private readonly bool _unset;

    internal DeclaredParameter(PropertyInfo property, ParameterAttribute attribute, object defaults)
    {
        (_property, _attribute) = (property, attribute);
        _type = Nullable.GetUnderlyingType(property.PropertyType) ?? property.PropertyType;
        Name = Naming.Kebab(property.Name);
        Default = Text(property.GetValue(defaults));
        _unset = property.GetValue(defaults) is null;
    }

    /// <summary>kebab-case, as typed.</summary>
    public string Name { get; }

    /// <summary>What it does and how to choose it.</summary>
    public string Description => _attribute.Description;

    /// <summary>Unit, or empty.</summary>
    public string Unit => _attribute.Unit;

    /// <summary>The default as one would type it; empty when there is none.</summary>
    public string Default { get; }

    /// <summary>True when the value names a file or another volume.</summary>
    public bool IsPath => _attribute.IsPath;

    /// <summary>True for a switch, which needs no value on the command line.</summary>
    public bool IsSwitch => _type == typeof(bool);

    /// <summary>True when several values may be given.</summary>
    public bool IsList => _type.IsArray;

    // what is not browsable is made by another command
    private static IEnumerable<string> Choices(Type type) =>
        Enum.GetNames(type).Where(name => type.GetField(name)!.GetCustomAttribute<BrowsableAttribute>()?.Browsable != false);

    /// <summary>What may be typed: "0.5 to 45", "wedge | wavelet", "true | false", "text" …</summary>
    public string Allowed
    {
        get
        {
            var element = _type.IsArray ? _type.GetElementType()! : _type;
            if (element.IsEnum) return string.Join(" | ", Choices(element).Select(Naming.Kebab));
            if (element == typeof(bool)) return "true | false";
            if (element == typeof(string)) return IsPath ? "path" : "text";
            var kind = element == typeof(int) ? "whole number" : "number";
            var (min, max) = (_attribute.Min, _attribute.Max);
            return (double.IsFinite(min), double.IsFinite(max)) switch
            {
                (true, true) => string.Create(CultureInfo.InvariantCulture, $"{min} to {max}"),
                (true, false) => string.Create(CultureInfo.InvariantCulture, $"{kind}, {min} or more"),
                (false, true) => string.Create(CultureInfo.InvariantCulture, $"{kind}, {max} or less"),
                _ => kind,
            } + (_type.IsArray ? ", comma-separated" : "");
        }
    }

    /// <summary>"[nm; 0.5 to 45; default 5]", for comments and help.</summary>
    public string Legend => $"[{string.Join("; ", new[] { Unit, Allowed, Default.Length > 0 ? "default " + Default : "" }.Where(part => part.Length > 0))}]";

    /// <summary>The value in a record, as one would type it.</summary>
    public string TextOf(object record) => Text(_property.GetValue(record));

    /// <summary>The value in a record as JSON.</summary>
    public JsonNode? JsonOf(object record)
    {
        return Node(_property.GetValue(record));
        static JsonNode? Node(object? value) => value switch
        {
            null => null,
            bool b => b,
            int i => i,
            double d => d,
            Array array => new JsonArray([.. array.Cast<object>().Select(Node)]),
            _ => Text(value),
        };
    }

    /// <summary>The text with each path in it changed; a list holds paths, or name=path.</summary>
    public string MapPaths(string text, Func<string, string> change)
    {
        if (!IsList) return text.Length == 0 ? text : change(text);
        return string.Join(", ", text.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries).Select(item =>
        {
            var path = item.IndexOf('=', StringComparison.Ordinal) + 1;
            return item[..path] + change(item[path..].TrimStart());
        }));
    }

    /// <summary>Parses what was typed and sets it on the record.</summary>
    /// <exception cref="InputError">It is not of the parameter's type or out of its range; the message says where and what is allowed.</exception>
    public void Set(object record, Typed typed, string owner) => _property.SetValue(record, Parse(typed, owner));

    private object? Parse(Typed typed, string owner)
    {
        if (typed.Text.Length == 0) return Nullable.GetUnderlyingType(_property.PropertyType) is not null || !_type.IsValueType ? EmptyValue() : throw Wrong(typed, owner);
        if (!_type.IsArray) return Scalar(typed.Text, _type, typed, owner);
        var element = _type.GetElementType()!;
        var parts = typed.Text.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        var array = Array.CreateInstance(element, parts.Length);
        for (var i = 0; i < parts.Length; i++) array.SetValue(Scalar(parts[i], element, typed, owner), i);
        return array;
    }

    // nothing typed: an empty list or text, or "not set" where that is the default
    private object? EmptyValue() => !_unset && _type.IsArray ? Array.CreateInstance(_type.GetElementType()!, 0) : !_unset && _type == typeof(string) ? "" : null;

    private object Scalar(string text, Type type, Typed typed, string owner)
    {
        if (type == typeof(string)) return text;
        if (type == typeof(bool)) return text.ToLowerInvariant() switch { "true" or "yes" or "on" => true, "false" or "no" or "off" => false, _ => throw Wrong(typed, owner) };
        if (type.IsEnum)
        {
            var name = Choices(type).FirstOrDefault(n => string.Equals(Naming.Kebab(n), text, StringComparison.OrdinalIgnoreCase));
            return name is null ? throw Wrong(typed, owner) : Enum.Parse(type, name);
        }
        if (type == typeof(int)) return int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var whole) && InRange(whole) ? whole : throw Wrong(typed, owner);
        return double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) && double.IsFinite(number) && InRange(number) ? number : throw Wrong(typed, owner);
    }

    private bool InRange(double value) => value >= _attribute.Min && value <= _attribute.Max;

    private InputError Wrong(Typed typed, string owner)
    {
        var unit = Unit.Length > 0 ? " " + Unit : "";
        return new($"{typed.Where}: {owner}.{Name} is \"{typed.Text}\"; allowed: {Allowed}{unit}{(Default.Length > 0 ? $" (default {Default})" : "")}.");
    }

    private static string Text(object? value) => value switch
    {
        null => "",
        bool b => b ? "true" : "false",
        Enum e => Naming.Kebab(e.ToString()),
        double d => d.ToString("R", CultureInfo.InvariantCulture),
        Array array => string.Join(", ", array.Cast<object>().Select(Text)),
        IFormattable f => f.ToString(null, CultureInfo.InvariantCulture),
        _ => value.ToString() ?? "",
    };
}

/// <summary>A record type whose declared properties can be listed, set from text and written back: a step, a measure, a section of a recipe.</summary>
public sealed class Declared
{
    private readonly Func<object> _make;

    private Declared(string name, string summary, Func<object> make)
    {
        (Name, Summary, _make) = (name, summary, make);
        var defaults = make();
        Type = defaults.GetType();
        // declaration order is the order of the source, which is the order in which a person should read them
        Parameters = [.. Type.GetProperties().OrderBy(p => p.MetadataToken)
            .Select(p => (Property: p, Attribute: p.GetCustomAttribute<ParameterAttribute>()))
            .Where(p => p.Attribute is not null)
            .Select(p => new DeclaredParameter(p.Property, p.Attribute!, defaults))];
    }

    /// <summary>kebab-case name.</summary>
    public string Name { get; }

    /// <summary>One sentence.</summary>
    public string Summary { get; }

    /// <summary>The record type.</summary>
    public Type Type { get; }

    /// <summary>The parameters in the order of their declaration.</summary>
    public IReadOnlyList<DeclaredParameter> Parameters { get; }

    /// <summary>True when there is a parameter of this name.</summary>
    public bool Has(string parameter) => Parameters.Any(p => p.Name == parameter);

    /// <summary>Reads the declaration of a record type.</summary>
    public static Declared Of<T>() where T : class, new()
    {
        var attribute = typeof(T).GetCustomAttribute<OperationAttribute>() ?? throw new InvalidOperationException($"{typeof(T).Name} has no [Operation]");
        return new(attribute.Name, attribute.Summary, static () => new T());
    }

    /// <summary>A record with the defaults, changed by what was typed.</summary>
    /// <exception cref="InputError">An unknown name (with the nearest one) or a value that is not allowed.</exception>
    public object Build(IEnumerable<KeyValuePair<string, Typed>> values)
    {
        var record = _make();
        foreach (var (name, typed) in values)
        {
            var parameter = Parameters.FirstOrDefault(p => p.Name == name)
                ?? throw new InputError($"{typed.Where}: {Name} has no parameter \"{name}\"{Naming.Suggest(name, Parameters.Select(p => p.Name))}");
            parameter.Set(record, typed, Name);
        }
        return record;
    }

    /// <summary>All parameters of a record as JSON, defaults included.</summary>
    public JsonObject Json(object record)
    {
        var json = new JsonObject();
        foreach (var parameter in Parameters) json[parameter.Name] = parameter.JsonOf(record);
        return json;
    }
}
