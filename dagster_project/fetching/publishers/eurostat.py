"""Eurostat: the dissemination API (SDMX 2.1), which needs no key.

One request, for item SH and its parts, as SDMX-CSV. The column LAST UPDATE has the date of the last
update in every row. If the response would be too large, the server sends XML that promises a file
later: it is refused, as it is not CSV.
"""

import csv
from datetime import date, datetime
from pathlib import Path

from dagster_project.fetching.fetcher import Fetcher, PublicationDate, Session

_KEY = "A.MIO_EUR+MIO_NAC.SH+SH1+SH2+SH3+SH4.CRE+DEB+BAL.."


def _fetch(session: Session) -> PublicationDate:
    url = f"{session.base_url}/data/bop_its6_det/{_KEY}?format=SDMX-CSV&compressed=false"
    path = session.file(url, "bop_its6_det.csv", "csv")
    return PublicationDate(_last_update(session, url, path), "LAST UPDATE in the file")


def _last_update(session: Session, url: str, path: Path) -> date:
    try:
        with path.open(encoding="utf-8-sig", errors="replace", newline="") as file:
            stamp = next(csv.DictReader(file))["LAST UPDATE"]
        return datetime.strptime(stamp, "%d/%m/%y %H:%M:%S").date()
    except (StopIteration, KeyError, TypeError, ValueError, csv.Error) as error:
        found = f"{type(error).__name__}: {error}"
        raise session.unexpected(url, "LAST UPDATE as DD/MM/YY hh:mm:ss", found) from None


FETCHERS = (
    Fetcher(
        source="eurostat_bop_its6",
        base_url="https://ec.europa.eu/eurostat/api/dissemination/sdmx/2.1",
        fetch=_fetch,
        dated_by="LAST UPDATE in the file",
    ),
)
