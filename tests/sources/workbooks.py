"""Made-up workbooks with one thing changed, as a publisher might change it."""

from pathlib import Path

from openpyxl import load_workbook


def changed_workbook(
    good: Path,
    folder: Path,
    cells: dict[tuple[str, str], object],
    rename: tuple[str, str] = ("", ""),
) -> Path:
    """Copy a workbook with other values in cells, named by (sheet, 'B7'), or a sheet renamed."""
    book = load_workbook(good)
    for (sheet, address), value in cells.items():
        book[sheet][address] = value
    if rename[0]:
        book[rename[0]].title = rename[1]
    path = folder / good.name
    book.save(path)
    return path


def staged(columns: str, *rows: tuple) -> str:
    """Return a query for rows in the shape of a staging model, with made-up lineage."""
    listed = ", ".join(
        "(" + ", ".join("null" if cell is None else repr(cell) for cell in row) + ")"
        for row in rows
    )
    return (
        "select 'made_up' as source, date '2021-07-12' as release_date, 'a.xlsx' as file_name,"
        f" 's' as sheet_name, 1 as row_number, 'A' as column_name, * from (values {listed})"
        f" as made_up ({columns})"
    )
