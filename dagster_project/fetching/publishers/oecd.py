"""OECD: the SDMX API of the Data Explorer, which needs no key.

One request, for item SH in all other dimensions, as CSV with labels. The API also returns the
item's parents, which the layout leaves out. The file does not state when it was published.
"""

from dagster_project.fetching.fetcher import Fetcher, Session

# REF_AREA.COUNTERPART_AREA.MEASURE.ACCOUNTING_ENTRY.FS_ENTRY.FREQ.UNIT_MEASURE.ADJUSTMENT
_KEY = "..SH....."


def _fetch(session: Session) -> None:
    session.file(
        f"{session.base_url}/data/OECD.SDD.TPS,DSD_BOP@DF_TIS,1.0/{_KEY}?format=csvfilewithlabels",
        "DF_TIS_SH.csv",
        "csv",
    )


FETCHERS = (
    Fetcher(
        source="oecd_tis",
        base_url="https://sdmx.oecd.org/public/rest",
        fetch=_fetch,
        dated_by="the Last-Modified header",
    ),
)
