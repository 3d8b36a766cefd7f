"""Made-up releases of the World Bank's layout and size, in each of which every figure is another."""

import re
import shutil
from datetime import date, timedelta
from pathlib import Path

import pycountry


def land(landing: Path, number: int) -> Path:
    """Land one release, each a month after the one before; return its file."""
    folder = landing / "worldbank_wdi" / f"{2021 + number // 12}-{number % 12 + 1:02}-15"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "made_up_API.csv"
    write(path, number)
    return path


def revise(release: Path, into: Path) -> Path:
    """Copy a real release, a month later, with other last digits in one of twenty lines."""
    later = into / str(date.fromisoformat(release.name) + timedelta(30))
    shutil.copytree(release, later)
    later.chmod(0o755)
    for path in later.glob("API_*.csv"):
        path.chmod(0o644)
        lines = path.read_bytes().splitlines(keepends=True)
        kept = [number for number, line in enumerate(lines) if b".GSR.ROYL.CD" in line]
        for number in kept[::20]:
            lines[number] = re.sub(rb'(?<=[0-9.])[0-9](?=",)', _another_digit, lines[number])
        path.write_bytes(b"".join(lines))
    return later


def _another_digit(digit: re.Match[bytes]) -> bytes:
    return b"%d" % ((int(digit[0]) + 1) % 10)


def write(path: Path, number: int) -> None:
    """A file of the World Bank's layout and size: 249 economies, 13 indicators, 61 years."""
    years = range(1960, 2021)
    names = ["BX.GSR.ROYL.CD", "BM.GSR.ROYL.CD", *(f"XX.OTHER.{n:02}" for n in range(11))]
    countries = sorted(country.alpha_3 for country in pycountry.countries)
    header = ["Country Name", "Country Code", "Indicator Name", "Indicator Code", *map(str, years)]
    lines = [
        '"Data Source","World Development Indicators",',
        "",
        '"Last Updated Date","2021-09-15",',
        "",
    ]
    lines.append("".join(f'"{cell}",' for cell in header))
    for code in countries:
        for name in names:
            cells = [code, code, name, name]
            # The gate on mart_world_ranking expects the United States among the first.
            least = 10**9 if code == "USA" else 0
            cells += [str(least + (_hash_of(code, name, year) + number) % 10**9) for year in years]
            lines.append("".join(f'"{cell}",' for cell in cells))
    path.write_text("\ufeff" + "\r\n".join(lines) + "\r\n", "utf-8", newline="")


def _hash_of(*words: object) -> int:
    """A number derived from words, the same in every process."""
    value = 7
    for letter in "".join(map(str, words)):
        value = (value * 48_271 + ord(letter)) % 2_147_483_647
    return value
