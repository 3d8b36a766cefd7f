"""The floor of a small release: one more World Bank release by hand, into the published file.

`python -m benchmarks.small_floor <file> <published file> <folder>` copies the published file into the
folder, replaces the release's rows in facts and marts (`floor_small.sql`), evaluates the rules as SQL
and renames. What depends on the choice between sources stays as it was.
"""

import argparse
import shutil
from pathlib import Path
from string import Template

from benchmarks.by_hand import build_and_publish

_SQL = Path(__file__).with_name("floor_small.sql")

# Only totals: shares are 100, and nothing is ranked.
_BALANCE_MART = """
delete from candidate.marts.mart_balance_by_$dimension where source = 'worldbank_wdi';
insert into candidate.marts.mart_balance_by_$dimension by name
select
    totals.* exclude ($others, reporter_name), $name as ${dimension}_name,
    $preferred as preferred
from totals
$join
order by reporter_code, period;
"""
DIMENSIONS = ("sector", "category", "affiliation", "region", "partner")


def _balance_marts() -> str:
    marts = []
    for dimension in DIMENSIONS:
        members = f"candidate.core.dim_{dimension}"
        marts.append(
            Template(_BALANCE_MART).substitute(
                dimension=dimension,
                others=", ".join(f"{other}_code" for other in DIMENSIONS if other != dimension),
                name=f"members.{dimension}_name",
                join=f"join {members} as members using ({dimension}_code)"
                + (
                    " left join (select distinct reporter_code, period, true as has_partners"
                    " from candidate.marts.mart_balance_by_partner where concept = 'BPM6_SH'"
                    " and source <> 'worldbank_wdi' and partner_code <> 'WLD')"
                    " as others using (reporter_code, period)"
                    if dimension == "partner"
                    else ""
                ),
                # A breakdown comes before a total without one.
                preferred="has_partners is null" if dimension == "partner" else "true",
            )
        )
    return "\n".join(marts)


def build(csv: Path, published: Path, folder: Path) -> None:
    """Add a release. Raises AssertionError if a rule finds rows."""
    folder.mkdir(parents=True, exist_ok=True)
    candidate = folder / "candidate.duckdb"
    shutil.copyfile(published, candidate)  # with the system's fast copy
    sql = Template(_SQL.read_text("utf-8")).substitute(
        csv=csv,
        file=csv.name,
        release=csv.parent.name,
        empty="column65",  # after the last comma of each line
        balance_marts=_balance_marts(),
    )
    build_and_publish(sql, candidate)


def main() -> None:
    """Add one release."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("csv", type=Path)
    parser.add_argument("published", type=Path)
    parser.add_argument("folder", type=Path)
    options = parser.parse_args()
    build(options.csv, options.published, options.folder)


if __name__ == "__main__":
    main()
