"""ISO 3166 country and subdivision codes, as `pycountry` ships them (Debian's iso-codes).

The release is the package's version, which is a date. The numeric code is also the UN's M49 code.
"""

from datetime import date
from importlib.metadata import version
from pathlib import Path

from dagster_project.layouts import JsonLayout, RawTable
from dagster_project.sources.source import Release, Source

countries = RawTable(
    "iso_3166__countries",
    ("alpha_2", "alpha_3", "numeric", "name", "official_name", "common_name"),
)
subdivisions = RawTable("iso_3166__subdivisions", ("code", "name", "type", "parent"))


def _packaged() -> Release:
    import pycountry

    year, month, day = (int(part) for part in version("pycountry").split(".")[:3])
    folder = Path(pycountry.DATABASE_DIR)
    return Release(
        "iso_3166",
        date(2000 + year, month, day),
        tuple((folder / f"iso3166-{part}.json").resolve() for part in (1, 2)),
    )


SOURCE = Source(
    name="iso_3166",
    tables=(countries, subdivisions),
    required=(countries, subdivisions),
    packaged=_packaged,
    layouts=(
        JsonLayout("ISO 3166-1 as JSON", countries, "3166-1", ("alpha_2", "alpha_3", "name")),
        JsonLayout("ISO 3166-2 as JSON", subdivisions, "3166-2", ("code", "name", "type")),
    ),
)
