"""The corpus: every mutation of every made-up landing file (and of the publishers' own)."""

import zipfile
from collections.abc import Iterator
from datetime import date
from pathlib import Path

from tests.corpus.any_file import BYTES, FOLDER, REPLACED
from tests.corpus.archives import ARCHIVES, inner
from tests.corpus.bench import Bench, Verdict
from tests.corpus.documents import DOCUMENTS
from tests.corpus.mutation import Mutation, Origin
from tests.corpus.texts import TEXTS
from tests.corpus.workbooks import HEAVY_WORKBOOKS, WORKBOOKS
from tests.support import MADE_UP

_HEAVY = {"safe_bop_time_series"}  # one file is enough for slow mutations
_ZIPPED = (
    "delimiter ';'",
    "a header renamed",
    "a record twice",
    "all figures localised",
    "in utf-16",
    "a record less",
    "a byte order mark",
)


def origins(landing: Path = MADE_UP) -> list[Origin]:
    """Every file of every release of a landing folder."""
    return [
        Origin(folder.parent.name, date.fromisoformat(folder.name), files, file)
        for folder in sorted(landing.glob("*/*/"))
        for files in [tuple(sorted(path for path in folder.iterdir() if path.is_file()))]
        for file in files
    ]


def zipped_origin(folder: Path) -> Origin:
    """The made-up BaTIS file as the archive that the publisher serves."""
    (plain,) = (MADE_UP / "oecd_wto_batis" / "2025-12-01").iterdir()
    path = folder / "made_up_wto_mirror.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.write(plain, plain.name)
    return Origin("oecd_wto_batis", date(2025, 12, 1), (path,), path)


def mutations(origin: Origin) -> list[Mutation]:
    """The mutations that suit a file's kind."""
    kinds = {
        ".csv": TEXTS,
        ".json": DOCUMENTS,
        ".xlsx": [*WORKBOOKS, *(HEAVY_WORKBOOKS if origin.source in _HEAVY else [])],
        ".xls": [],
        ".xml": [],
        ".tsv": [mutation for mutation in TEXTS if mutation.name == "a byte order mark"],
        ".zip": [*ARCHIVES, *inner(TEXTS, _ZIPPED)],
    }
    return [*BYTES, *REPLACED, *FOLDER, *kinds[origin.file.suffix]]


def corpus(folder: Path, landing: Path = MADE_UP) -> list[tuple[Origin, Mutation]]:
    """Every mutation of every file. `folder` is for generated files."""
    found = origins(landing)
    if landing == MADE_UP:
        found.append(zipped_origin(folder))
    return [(origin, mutation) for origin in found for mutation in mutations(origin)]


def sample(bench: Bench, kind: str) -> Iterator[Verdict]:
    """Try every mutation of a kind of file (a suffix) once, on the files in turn.

    Of those that only differ in the replacement of a figure, every second one.
    """
    cases: dict[str, list[tuple[Origin, Mutation]]] = {}
    for origin, mutation in corpus(bench.folder):
        if origin.file.suffix == kind:
            cases.setdefault(mutation.name, []).append((origin, mutation))
    alike = [name for name in cases if name.startswith(("a figure that is", "an economy called"))]
    for name in alike[1::2]:
        del cases[name]
    for at, turns in enumerate(cases.values()):
        start = at % len(turns)
        for case in turns[start:] + turns[:start]:
            if verdict := bench.try_case(*case, seed=0):
                yield verdict
                break
