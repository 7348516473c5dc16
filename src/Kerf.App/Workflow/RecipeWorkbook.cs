using System.Globalization;
using DocumentFormat.OpenXml;
using DocumentFormat.OpenXml.Packaging;
using DocumentFormat.OpenXml.Spreadsheet;
using Kerf.Volumes;

namespace Kerf.App;

/// <summary>
/// Recipes as an Excel workbook: one sheet "Recipe" with a row per parameter. Section and Operation start an entry; the rows below it with a
/// Parameter set its values. Unit, Default, Allowed and Description are for the reader and ignored when read.
/// </summary>
public static class RecipeWorkbook
{
    private static readonly string[] Columns = ["Section", "Operation", "Parameter", "Value", "Unit", "Default", "Allowed", "Description"];
    private static readonly double[] Widths = [11, 20, 20, 24, 11, 16, 26, 110];

    /// <summary>Reads a workbook.</summary>
    /// <exception cref="InputError">Not a workbook, no such sheet, or a row that does not fit; with the cell.</exception>
    public static RecipeText Read(string path)
    {
        var file = Path.GetFileName(path);
        try
        {
            using var document = SpreadsheetDocument.Open(path, isEditable: false);
            var book = document.WorkbookPart ?? throw new InputError($"{file}: the workbook is empty.");
            var sheet = book.Workbook.Descendants<Sheet>().FirstOrDefault(s => s.Name == "Recipe")
                ?? throw new InputError($"{file}: there is no sheet \"Recipe\". Make a workbook with kerf new FILE.xlsx --template NAME.");
            var strings = book.SharedStringTablePart?.SharedStringTable.Elements<SharedStringItem>().Select(s => s.InnerText).ToArray() ?? [];
            var rows = ((WorksheetPart)book.GetPartById(sheet.Id!.Value!)).Worksheet.Descendants<Row>();
            return Parse(rows.Select(row => (Number: row.RowIndex?.Value ?? 0, Cells: Cells(row, strings))), file);
        }
        catch (Exception exception) when (exception is OpenXmlPackageException or IOException or InvalidDataException or FormatException or System.Xml.XmlException or ArgumentException)
        {
            throw new InputError($"{file}: not a readable .xlsx workbook ({exception.Message.ReplaceLineEndings(" ")}). Save it again from Excel or LibreOffice.", exception);
        }
    }

    private static Dictionary<char, string> Cells(Row row, string[] strings)
    {
        var cells = new Dictionary<char, string>();
        foreach (var cell in row.Elements<Cell>())
        {
            var column = cell.CellReference?.Value is { Length: > 0 } reference ? reference[0] : (char)('A' + cells.Count);
            var text = cell.CellValue?.Text ?? cell.InnerText;
            var kind = cell.DataType?.Value;
            if (kind == CellValues.SharedString) text = int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var index) && index < strings.Length ? strings[index] : "";
            else if (kind == CellValues.Boolean) text = text == "1" ? "true" : "false";
            cells.TryAdd(column, text.Trim());
        }
        return cells;
    }

    private static RecipeText Parse(IEnumerable<(uint Number, Dictionary<char, string> Cells)> rows, string file)
    {
        var recipe = new RecipeText();
        TypedEntry? entry = null;
        foreach (var (number, cells) in rows.Skip(1))
        {
            string Cell(char column) => cells.GetValueOrDefault(column, "");
            string Where(char column) => string.Create(CultureInfo.InvariantCulture, $"{file}, cell {column}{number}");
            if (Cell('A').Length > 0)
            {
                entry = new(new(Cell('B'), Where('B')));
                switch (Cell('A'))
                {
                    case "recipe": recipe.Head = entry; break;
                    case "input": recipe.Input = entry; break;
                    case "output": recipe.Output = entry; break;
                    case "step": recipe.Steps.Add(entry); break;
                    case "measure": recipe.Measures.Add(entry); break;
                    default: throw new InputError($"{Where('A')}: \"{Cell('A')}\" is no section{Naming.Suggest(Cell('A'), ["recipe", "input", "step", "measure", "output"])}");
                }
            }
            if (Cell('C').Length == 0) continue;
            if (entry is null) throw new InputError($"{Where('C')}: a parameter before any section; fill column A of a row above.");
            entry.Values[Cell('C')] = new(Cell('D'), Where('D'));
        }
        return entry is null ? throw new InputError($"{file}: the sheet \"Recipe\" holds no rows.") : recipe;
    }

    /// <summary>Writes a workbook with every parameter, its unit, default, allowed values and description beside it.</summary>
    public static byte[] Write(RecipeText recipe)
    {
        var rows = new List<(string[] Cells, uint Style)> { (Columns, 1) };
        rows.Add((["recipe", "recipe"], 2));
        foreach (var (name, typed) in recipe.Head.Values) rows.Add((["", "", name, typed.Text], 0));
        Add("input", Catalogue.Input, recipe.Input);
        foreach (var entry in recipe.Steps) Add("step", Catalogue.Step(entry.Operation), entry);
        foreach (var entry in recipe.Measures) Add("measure", Catalogue.Measure(entry.Operation), entry);
        Add("output", Catalogue.Output, recipe.Output);
        return Package(rows);

        void Add(string section, Declared declared, TypedEntry entry)
        {
            rows.Add(([section, declared.Name, "", "", "", "", "", declared.Summary], 2));
            foreach (var name in (string[])["from", "to"])
                if (!declared.Has(name) && entry.Values.TryGetValue(name, out var typed)) rows.Add((["", "", name, typed.Text, "", "", "text", name == "from" ? "The volume to read." : "The name of the volume to write."], 0));
            foreach (var p in declared.Parameters)
                rows.Add((["", "", p.Name, entry.Values.TryGetValue(p.Name, out var typed) ? typed.Text : p.Default, p.Unit, p.Default, p.Allowed, p.Description], 0));
        }
    }

    private static byte[] Package(List<(string[] Cells, uint Style)> rows)
    {
        using var stream = new MemoryStream();
        using (var document = SpreadsheetDocument.Create(stream, SpreadsheetDocumentType.Workbook))
        {
            var book = document.AddWorkbookPart();
            var sheet = book.AddNewPart<WorksheetPart>();
            var styles = book.AddNewPart<WorkbookStylesPart>();
            styles.Stylesheet = Styles();
            var columns = new Columns(Widths.Select((width, i) => new Column { Min = (uint)i + 1, Max = (uint)i + 1, Width = width, CustomWidth = true }));
            var frozen = new SheetViews(new SheetView(new Pane { VerticalSplit = 1, TopLeftCell = "A2", ActivePane = PaneValues.BottomLeft, State = PaneStateValues.Frozen }) { WorkbookViewId = 0 });
            var data = new SheetData(rows.Select((row, r) => new Row(row.Cells.Select((text, c) => new Cell
            {
                CellReference = string.Create(CultureInfo.InvariantCulture, $"{(char)('A' + c)}{r + 1}"),
                DataType = CellValues.InlineString,
                StyleIndex = row.Style == 0 && c == 3 ? 3u : row.Style,
                InlineString = new InlineString(new Text(text) { Space = SpaceProcessingModeValues.Preserve }),
            }))
            { RowIndex = (uint)r + 1 }));
            sheet.Worksheet = new Worksheet(frozen, columns, data);
            book.Workbook = new Workbook(new Sheets(new Sheet { Id = book.GetIdOfPart(sheet), SheetId = 1, Name = "Recipe" }));
        }
        return stream.ToArray();
    }

    // 0 plain, 1 head, 2 the row that starts an operation, 3 a value to edit
    private static Stylesheet Styles()
    {
        static Fill Solid(string rgb) => new(new PatternFill(new ForegroundColor { Rgb = rgb }) { PatternType = PatternValues.Solid });
        return new(
            new Fonts(new Font(), new Font(new Bold(), new Color { Rgb = "FFFFFFFF" }), new Font(new Bold())),
            new Fills(new Fill(new PatternFill { PatternType = PatternValues.None }), new Fill(new PatternFill { PatternType = PatternValues.Gray125 }), Solid("FF2F4858"), Solid("FFE3ECF1"), Solid("FFFFF9E0")),
            new DocumentFormat.OpenXml.Spreadsheet.Borders(new DocumentFormat.OpenXml.Spreadsheet.Border()),
            new CellFormats(
                new CellFormat(),
                new CellFormat { FontId = 1, FillId = 2, ApplyFont = true, ApplyFill = true },
                new CellFormat { FontId = 2, FillId = 3, ApplyFont = true, ApplyFill = true },
                new CellFormat { FillId = 4, ApplyFill = true }));
    }
}
