"""OECD and WTO: the balanced trade in services dataset (BaTIS), as the WTO serves it in bulk.

The WTO's URL stays the same when the content changes; the OECD's contains the edition. Neither the
file nor its name states when it was published: the Last-Modified header does.
"""

import re

from dagster_project.fetching.fetcher import Fetcher, Session

_GIGA = 1 << 30


def _fetch(session: Session) -> None:
    session.archive(
        f"{session.base_url}/OECD-WTO_BATIS_data_BPM6-1.zip", re.compile(r".*\.csv", re.IGNORECASE)
    )


FETCHERS = (
    Fetcher(
        source="oecd_wto_batis",
        base_url="https://www.wto.org/english/res_e/statis_e/daily_update_e",
        fetch=_fetch,
        dated_by="the Last-Modified header",
        max_bytes=4 * _GIGA,
        max_unpacked_bytes=8 * _GIGA,  # the edition of December 2025 unpacks to 3 GB
    ),
)
