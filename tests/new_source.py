"""Write the skeleton of a source: `make new-source NAME=bank_of_x LIKE=boj_balance_of_payments`.

It copies the files of a similar source without what is true of that one only: rows of mapping
seeds, made-up files, unit tests, thresholds. What a person must fill in says TODO, and
`tests/sources/test_sources.py` fails while one is left. It is here, as `tests.changed` is, because
it is a tool of a checkout: an installed program has no sources to write.
"""

import csv
import json
import keyword
import os
import re
import sys
from datetime import date
from itertools import count
from pathlib import Path

from dagster_project.base.errors import BadInput
from dagster_project.base.settings import PROJECT_ROOT
from dagster_project.workbench.gate_results import PLAUSIBILITY

ENTRIES = Path("dbt/models/intermediate/observations/_observations.yml")
UNITED = Path("dbt/models/intermediate/flows/int_united_observations.sql")
SEED = Path("dbt/seeds/sources.csv")
FIXTURES = Path("tests/fixtures/landing_made_up")
COPIED = (
    "dagster_project/sources/{0}.py",
    "dbt/models/staging/_{0}.yml",
    "dbt/models/staging/stg_{0}__*.sql",
    "dbt/models/intermediate/observations/int_{0}__*.sql",
    "expectations/*/{0}__*",
    "expectations/*/stg_{0}__*",
    "expectations/*/int_{0}__*",
)
# What to do in which files, in this order.
STEPS = {
    "dagster_project/": "the columns of the raw table, the layouts, how the files get here",
    "staging/_": "the columns of the raw table and of the staging model, each with a description",
    "models/staging/stg_": "names, types, one row per figure",
    "observations/int_": "the shared columns: codes, concept, currency, unit",
    "/_observations": "a description; the columns are those of every source",
    "/int_united": "nothing: the model is in the list",
    "expectations/": "what should hold, each with its ground; delete what does not apply",
    "dbt/seeds/": "publisher to citation; check precedence, covers_world, releases_are, kind; the"
    " publisher's codes or names go into economy_code_map.csv (sector_, category_) beside it",
    "/landing_made_up/": "a small file made_up_… that passes every gate, instead of .TODO, in a"
    " folder with the date of the release",
    "tests/sources/": "the file's rows, a moved label, a case per expectation",
}
GROUND = "TODO: the publisher's document, or the real files in which it was seen to hold"
STATUS = {"rule": "figure_suppressed_or_missing", "fix": "correct_staging_of_figures"}
BY_HAND = "TODO: how a person gets the files; with a fetcher, a calendar instead"
TEST = '''"""TODO: the file's rows, a moved label that ends in a clear message, and the cases."""

from tests.gates.suite_cases import Case

CASES: list[Case] = []
'''
CHECKS = """
.venv/bin/python -m pytest tests/sources tests/gates/test_suites.py -k "{0} or todo"
ROYALTY_LANDING_DIR=<folder with your file> ROYALTY_WAREHOUSE_DIR=<empty folder> make run
(after a correction of the code: make run RELOAD={0}/<publication date>, with the same folders)
make docs format lint
.venv/bin/python -m pytest tests/gates tests/fetching tests/test_definitions.py -k "{0} or every"
make test"""


def left_to_do(root: Path) -> list[str]:
    """Return `file:line` of each TODO in the files of sources."""
    folders = (
        "dagster_project/sources",
        "dbt/models",
        "dbt/seeds",
        "expectations",
        "tests/sources",
    )
    return [
        f"{path.relative_to(root)}:{number}"
        for folder in (*folders, FIXTURES)
        for path in sorted((root / folder).rglob("*"))
        if path.suffix in {".py", ".yml", ".sql", ".json", ".csv", ""} and path.is_file()
        for number, line in enumerate(path.read_text("utf-8", "replace").splitlines(), 1)
        if re.search(r"\bTODO\b", line)
    ]


def skeleton(root: Path, name: str, like: str) -> dict[Path, str]:
    """Return the text of each file to write. Raises BadInput if a name cannot be used."""
    entries, united, seed = ((root / path).read_text("utf-8") for path in (ENTRIES, UNITED, SEED))
    rows = list(csv.DictReader(seed.splitlines()))
    _raise_if_refused(root, name, like, {row["source"] for row in rows}, united)
    copied = {
        path.relative_to(root): path.read_text("utf-8")
        for pattern in COPIED
        for path in sorted(root.glob(pattern.format(like)))
    }
    files = {}
    for path, text in copied.items():
        suite = _suite(copied.get(path.with_suffix(".json"), ""))
        if new := _to_fill_in(path, text.replace(like, name), suite, like, name):
            files[Path(str(path).replace(like, name))] = new
    own = re.findall(rf"^  - name: int_{like}__\w+\n(?:    .*\n)+\n?", entries, re.M)
    new_entries = _described("".join(own).rstrip().replace(like, name), name) + "\n\n"
    line = f'    "int_{like}__observations",\n'
    precedence = next(at for at in count(9) if str(at) not in {row["precedence"] for row in rows})
    return files | {
        ENTRIES: entries.replace(own[-1], own[-1] + new_entries),
        UNITED: united.replace(line, line + line.replace(like, name)),
        SEED: f"{seed}{name},{'TODO,' * 5}{precedence},false,complete\n",
        FIXTURES / name / str(date.today()) / ".TODO": "TODO: name the folder after the release\n",
        Path(f"tests/sources/test_{name}.py"): TEST,
    }


def _raise_if_refused(root: Path, name: str, like: str, sources: set[str], united: str) -> None:
    taken = sources | {path.stem for path in (root / "dagster_project/sources").glob("*.py")}
    known = sorted(re.findall(r'"int_(\w+)__observations"', united))
    snake_case = re.fullmatch(r"[a-z][a-z0-9]*(_[a-z0-9]+)*", name) and not keyword.iskeyword(name)
    for good, where, expected, found in (
        (snake_case, "NAME", "snake_case, publisher and dataset, as in bank_of_x", name),
        (name not in taken, "NAME", "a name that no source or module has", name),
        (like in known, "LIKE", f"one of {', '.join(known)}", like),
    ):
        if not good:
            raise BadInput(
                "no skeleton written",
                where=where,
                expected=expected,
                found=found or "nothing",
                fix="run `make new-source NAME=bank_of_x LIKE=boj_balance_of_payments`, with yours",
            )


def _suite(text: str) -> str:
    """Return a suite without thresholds, with grounds to fill in."""
    if not text:
        return ""
    suite = json.loads(text)
    kept = [one for one in suite["expectations"] if "rule" in one or one["kind"] != PLAUSIBILITY]
    kept = kept or [{**STATUS, "ground": GROUND}]
    suite["expectations"] = [one | ({"ground": GROUND} if "ground" in one else {}) for one in kept]
    wide = json.dumps(suite, indent=2, ensure_ascii=False)
    flat = r"(?<=[\[{])\n\s+([^\[\]{}]{0,95})\n\s+(?=[\]}])"  # lists and arguments on one line
    return re.sub(flat, lambda found: re.sub(r"\n\s+", " ", found[1]), wide) + "\n"


def _to_fill_in(path: Path, text: str, suite: str, like: str, name: str) -> str:
    """Return a copied text with TODO where it says what is true of the other source only."""
    if path.suffix == ".json":
        return suite.replace(like, name)
    if path.suffix == ".yml":
        return _described(text, name)
    if path.parts[0] == "expectations":
        queries = re.findall(r"^-- name: (\w+)$\n(.*?^;$)", text, re.M | re.S)
        used = [f"-- name: {one}\n{query}\n" for one, query in queries if f'"{one}"' in suite]
        return "\n".join(used)
    if path.suffix == ".sql":
        return re.sub(r"\A(--.*\n)*", f"-- TODO: adapt this copy from {like}\n", text)
    docstring = f'"""TODO: publisher, dataset, unit, oddities; adapt this copy from {like}."""'
    text = re.sub(r'\A"""(?s:.*?)"""', docstring, text)
    text = re.sub(r"^from (datetime import timedelta|\S+ import Calendar)\n", "", text, flags=re.M)
    calendar = r"calendar=Calendar\(\n(?:\1 .*\n)+\1\),"
    how = rf"^(?: +#.*\n)*( +)(?:{calendar}|manual_instructions=.*)\n"
    text = re.sub(how, "", text, flags=re.M).replace("\n\n\nfrom", "\n\nfrom")
    by_hand = rf'\1name="{name}",\n\1manual_instructions="{BY_HAND}",\n'
    return re.sub(rf'^( +)name="{name}",\n', by_hand, text, flags=re.M)


def _described(text: str, name: str) -> str:
    """Return YAML with TODO for each description, except those that sources share."""
    text = re.sub(
        r"^( *)description: >-\n(?:\1 +.*\n)+", r"\1description: TODO\n", text, flags=re.M
    )
    column = r"(name: (?!_|raw\b)\w+,?\s+(?:data_type: \w+,?\s+)?description: )(.+?)(?=\}?$)"
    shared = re.compile(rf"""['"]\{{\{{ doc\("col_(?!{name}_)""")
    return re.sub(
        column,
        lambda found: found[0] if shared.match(found[2]) else f"{found[1]}TODO",
        text,
        flags=re.M,
    )


def write(root: Path, name: str, like: str) -> None:
    """Write the skeleton, and print what to do in each file and how to check it."""
    files = skeleton(root, name, like)
    for path, text in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text, "utf-8")
    for number, (step, what) in enumerate(STEPS.items(), 1):
        print(f"{number}. {what}", *(path for path in files if step in str(path)), sep="\n      ")
    print(CHECKS.format(name))


if __name__ == "__main__":
    try:
        write(PROJECT_ROOT, os.environ.get("NAME", ""), os.environ.get("LIKE", ""))
    except BadInput as refused:
        sys.exit(str(refused))
