"""Turns raw files into rows: raw tables, and the layouts in which publishers serve them.

A source module lists `RawTable`s and the layouts that fill them; the readers are here.
Peculiarities of one publisher's files belong in that source's module, not here.
"""

from dagster_project.layouts.csv_layout import CsvLayout
from dagster_project.layouts.csv_sheet_layout import CsvSheetLayout
from dagster_project.layouts.json_layout import JsonDocumentLayout, JsonLayout
from dagster_project.layouts.layout import LINEAGE_COLUMNS, Extract, Layout, RawTable, layout_of
from dagster_project.layouts.sdmx_layout import SdmxDataset
from dagster_project.layouts.workbook import Sheet, Workbook
from dagster_project.layouts.workbook_layout import Cell, WorkbookLayout
from dagster_project.layouts.zip_layout import ZipLayout

__all__ = [
    "LINEAGE_COLUMNS",
    "Cell",
    "CsvLayout",
    "CsvSheetLayout",
    "Extract",
    "JsonDocumentLayout",
    "JsonLayout",
    "Layout",
    "RawTable",
    "SdmxDataset",
    "Sheet",
    "Workbook",
    "WorkbookLayout",
    "ZipLayout",
    "layout_of",
]
