"""Figures stated in texts: press releases, studies, newspapers. The layout is our own.

One file per text, one row per stated number; `landing/README.md` documents the columns. Rows are
transcribed by hand, with peculiarities in their `note`.
"""

from dagster_project.layouts import CsvLayout, RawTable
from dagster_project.sources.source import Source

figures = RawTable(
    "published_figures__figures",
    (
        "figure_id",
        "citation",
        "publisher",
        "published_on",
        "published_on_precision",
        "reporter",
        "partner",
        "sector",
        "category",
        "affiliation",
        "region",
        "concept",
        "flow",
        "period",
        "measure",
        "value",
        "unit",
        "unit_multiplier",
        "rounding",
        "comparator",
        "stated_as",
        "note",
    ),
)

SOURCE = Source(
    name="published_figures",
    tables=(figures,),
    required=(figures,),
    manual_instructions="transcribe them from texts, see landing/README.md",
    layouts=(CsvLayout("published figures", figures, header_row=1, header=figures.columns),),
)
