"""Takes each protection out, one at a time, and shows which tests go red without it.

`python -m tests.security.mutations [words of a kind]` prints a table. Exit code 1 if a protection
can be taken out without a failing test, or is no longer there. No file changes: the processes of
the tests import this module first, which gives them the code without the protection.
"""

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from importlib.machinery import SourceFileLoader
from pathlib import Path
from tempfile import TemporaryDirectory
from types import CodeType

# Nothing of the project is imported before a protection is taken out.
PROJECT_ROOT = Path(__file__).parents[2]
SECONDS = 300
_FIRST = "import sys; sys.path.insert(0, {root!r}); from tests.security import mutations; "


@dataclass(frozen=True)
class Mutation:
    """A protection: the file that has it, its text there, the text without it, and its tests."""

    kind: str
    file: str
    text: str
    without: str
    tests: str


def mutations() -> list[Mutation]:
    """Read the table below."""
    found = []
    for block in filter(str.strip, _TABLE.split("\n\n")):
        kind, file, text, without, tests = block.strip("\n").split("\n")
        found.append(Mutation(kind, f"dagster_project/{file}", text, without, tests))
    return found


# A protection is five lines: kind, file, text, text without it, tests.
_TABLE = r"""
text that XML 1.0 does not allow: cells
layouts/xml_text.py
    return text is not None and not text.isprintable() and _FORBIDDEN.search(text) is not None
    return False
test_text.py

text that XML 1.0 does not allow: bulk CSV
layouts/xml_text.py
            if len(chunk.translate(None, _CONTROLS)) < len(chunk):
            if False:
test_text.py -k bulk

text that XML 1.0 does not allow: across two blocks
layouts/xml_text.py
            end = block[-2:]
            end = b""
test_text.py -k blocks

workbook: what the reader leaves out of a text
layouts/xlsx_precheck.py
        if self._path and self._path[-1] == "v":
        if False:
test_reader.py -k leave_something_out

workbook: references in a figure
layouts/xlsx_precheck.py
            if b"&" in value:  # a number ends at it for the reader
            if False:
test_reader.py -k leave_something_out

workbook: a value in two parts
layouts/xlsx_precheck.py
        if self._path[-2:-1] == ["v"] or (name == "v" and self._value_at is not None):
        if False:
test_reader.py -k leave_something_out

workbook: sheets of one name
layouts/workbook.py
        if len(found) != 1:
        if not found:
test_reader.py -k sheets_of_one_name

workbook: cells twice
layouts/xlsx_precheck.py
        if not is_next and "sheetData" in self._path:
        if False:
test_reader.py -k leave_something_out

workbook: cells in two parts
layouts/xlsx_precheck.py
                if self._is_sheet:
                if False:
test_reader.py -k leave_something_out

workbook: a sheet that is not XML
layouts/xlsx_precheck.py
            if _CELLS in content:  # the reader takes them for a sheet, whatever is around them
            if False:
test_reader.py -k behind_something_else

SDMX-ML: attributes of one column
layouts/sdmx_ml.py
        if len(data) < len(own):
        if False:
../layouts/test_sdmx_layout.py -k two_attributes

SDMX-JSON: dimensions of one column
layouts/sdmx_json.py
        if len(found) < len(listed):
        if False:
../layouts/test_sdmx_layout.py -k another_structure

SDMX-JSON: observations that are lists
layouts/sdmx_json.py
                if not isinstance(values, list):
                if False:
../layouts/test_sdmx_layout.py -k another_structure

SDMX-CSV: deleted observations in any spelling
layouts/sdmx_layout.py
_DELETED = "from incoming where upper(trim(action)) = 'D'"
_DELETED = "from incoming where action = 'D'"
../layouts/test_sdmx_layout.py -k another_structure

CSV: number of fields
layouts/csv_file.py
            if len(record) > _MOST_FIELDS:
            if False:
test_limits.py -k too_many_fields

reader: what it may use
base/child.py
    for kind, size in ((resource.RLIMIT_DATA, memory), (resource.RLIMIT_CORE, 0)):
    for kind, size in ((resource.RLIMIT_CORE, 0),):
test_reader.py -k memory_of_an_earlier

reader: its time
base/child.py
        timer.start()
        pass
test_reader.py -k "rejects_its_release"

reader: its death is a rejection
ingest/release_reader.py
        except ChildDied as death:
        except ZeroDivisionError as death:
test_reader.py -k death_of_a_reader_rejects

reader: secrets
base/child.py
            env=environment,
            env=dict(os.environ),
test_reader.py -k secrets

reader: ends with its parent
base/child.py
    threading.Thread(target=_receive, args=[orders], daemon=True).start()
    orders.put(pickle.load(sys.stdin.buffer))
test_reader.py -k ends_with_the_process

reader: replaced after a refusal
base/child.py
            if late.is_set() or not goes_on:
            if False:
test_reader.py -k replaced

reader: damaged by a release before
ingest/release_reader.py
    had_worked = reader.has_worked
    had_worked = False
test_reader.py -k damage

reader: says no sense
base/child.py
    except ValueError as error:  # also: not UTF-8
    except ZeroDivisionError as error:
test_reader.py -k no_sense

workbook: last cell
layouts/xlsx_precheck.py
        if max(self._count, self._rows * self._columns) > MAX_CELLS:
        if False:
test_reader.py -k under_any_prefix

workbook: prefixes
layouts/xlsx_precheck.py
        name = tag.rpartition(":")[2]
        name = tag.removeprefix("x:")
test_reader.py -k under_any_prefix

workbook: texts
layouts/xlsx_precheck.py
            if self._text > MAX_TEXT:
            if False:
test_reader.py -k no_longer_than

workbook: document type
layouts/xlsx_precheck.py
        parser.StartDoctypeDeclHandler = self._doctype
        pass
test_reader.py -k other_hostile

workbook: depth
layouts/xlsx_precheck.py
        if len(self._path) > MAX_DEPTH:
        if False:
test_reader.py -k other_hostile

workbook: a member twice
layouts/xlsx_precheck.py
        if twice:
        if False:
test_reader.py -k twice

archive: size
base/safe_zip.py
    if total > max_bytes:
    if False:
test_reader.py test_limits.py ../layouts -k "archive or zip or bomb"

archive: ratio
base/safe_zip.py
        if member.file_size > max(small_bytes, MAX_RATIO * member.compress_size):
        if False:
test_reader.py -k archives

archive: outside
base/safe_zip.py
        if outside or stat.S_ISLNK(member.external_attr >> 16):
        if False:
../fetching/test_fetch_release.py -k path_outside

file: copied before it is read
ingest/release_files.py
        _raise_if_changed(path.name, before, os.fstat(descriptor))
        pass
test_release_files.py

file: in place, unchanged
ingest/release_files.py
        if self.descriptor is not None:
        if False:
test_release_files.py

file: a link
ingest/release_files.py
            flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK
            flags = os.O_RDONLY | os.O_NONBLOCK
test_release_files.py

file: a linked folder
ingest/release_files.py
        folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
test_release_files.py

file: a pipe or device
ingest/release_files.py
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
    if False:
test_release_files.py -k nothing_but

landing folder: links
base/hashing.py
                states[entry.name] = entry.stat(follow_symlinks=False)
                states[entry.name] = entry.stat()
test_landing_folder.py

landing folder: what vanishes
base/hashing.py
            with suppress(FileNotFoundError):
            if True:
test_landing_folder.py

landing folder: a link to itself
sources/source.py
            if _is_folder(entry) and not is_of_other_programs(entry.name)
            if entry.is_dir() and not is_of_other_programs(entry.name)
test_landing_folder.py

machine: by words
base/machine_errors.py
    return machine_error_named(kind, text, _number(error), where)
    return machine_error_named("OSError", text, 13 if "denied" in text else None, where)
test_machine_errors.py ../base/test_machine_errors.py

limits: files
sources/source.py
    if len(entries) > limits.files:
    if False:
test_limits.py -k "limit or thousand"

limits: bytes
sources/source.py
    if size > limits.bytes:
    if False:
test_limits.py -k limit

output: control characters
base/errors.py
    return _escaped(text)
    return text
test_output.py -m "not slow" -k "printable or forged or json_line"

output: lines that continue
base/errors.py
    marked = line_end[1:]  # a line that is marked already is not marked twice
    return text
test_output.py -k "forged or progress"

output: Markdown
base/errors.py
    return re.sub(r"[\\`*_{}\[\]()<>#+!|~-]", r"\\\g<0>", printable(text))
    return printable(text)
test_output.py -k "markdown or alert"

output: pages
base/errors.py
    return type(value)(_escaped(value, keep="\n\t\N{NO-BREAK SPACE}"))
    return value
test_output.py -k page

UI: Host
ui/guard.py
        if not parts or not {host, parts[1]} & self._hosts:
        if False:
test_ui_guard.py -k "name_that_points or without_hosts"

UI: Origin
ui/guard.py
    if origin is not None and origin.lower() not in (f"http://{host}", f"https://{host}"):
    if False:
test_ui_guard.py -k another

UI: Sec-Fetch-Site
ui/guard.py
    if site is not None and site not in _OWN_PAGES and not is_link:
    if False:
test_ui_guard.py -k another

UI: mutations by GET
ui/guard.py
    if any(map(_may_change, request.query_params.getlist("query"))):
    if False:
test_ui_guard.py -k mutation

UI: what cannot be parsed
ui/guard.py
    except GraphQLError:
    except ZeroDivisionError:
test_ui_guard.py -k nested

UI: several documents
ui/guard.py
    if any(map(_may_change, request.query_params.getlist("query"))):
    if _may_change(request.query_params.get("query", "{ a }")):
test_ui_guard.py -k mutation

UI: content types
ui/guard.py
    if (kind or "").partition(";")[0].strip().lower() != "application/json":
    if False:
test_ui_guard.py -k body

UI: content types that only contain JSON's
ui/guard.py
    if (kind or "").partition(";")[0].strip().lower() != "application/json":
    if "application/json" not in (kind or "").lower():
test_ui_guard.py -k body

UI: headers twice
ui/guard.py
    if len(found) > 1:
    if False:
test_ui_guard.py -k twice

UI: web sockets
ui/guard.py
        if scope["type"] in ("http", "websocket"):
        if scope["type"] == "http":
test_ui_guard.py -k web_socket

lock: another user's
workbench/lock.py
        is_plain = stat.S_ISREG(found.st_mode) and found.st_uid in owners
        is_plain = True
test_neighbours.py -k "lock"

lock: permissions
workbench/lock.py
        if is_plain and not (found.st_mode & _OTHERS and _has_permissions(path.parent)):
        if is_plain:
test_neighbours.py -k "lock"

folders: closed to others
base/private_files.py
        set_mode(path, stat.S_IMODE(found.st_mode) & ~_OTHERS)
        pass
test_neighbours.py -k "closed or link"

folders: links
base/private_files.py
        if stat.S_ISLNK(found.st_mode) or not found.st_mode & _OTHERS or not _is_ours(found):
        if not _is_ours(found):
test_neighbours.py -k link

candidate: tables
publication/publish.py
    reasons = [*catalog_errors(settings.candidate), *changed_tables(settings, gated)]
    reasons = [*catalog_errors(settings.candidate)]
test_candidate.py -k "changed_after_its_gate"

candidate: objects
publication/catalog.py
        if (kind, name) not in expected:
        if False:
test_candidate.py -k "not_the_projects"

candidate: definitions
publication/catalog.py
        elif definition != expected[kind, name]:
        elif False:
test_candidate.py -k "not_the_projects"

candidate: missing objects
publication/catalog.py
    return [*_foreign(expected, found), *missing]
    return [*_foreign(expected, found)]
test_candidate.py -k "not_the_projects"

candidate: swapped before its new name
publication/sealed_file.py
        if _times(now) != _times(self.state) or now.st_ctime_ns != self.state.st_ctime_ns:
        if False:
test_candidate.py -k "swapped_or_written"

candidate: swapped while it is renamed
publication/sealed_file.py
        if _times(target.lstat()) != _times(self.state):
        if False:
test_candidate.py -k "swapped_or_written"

candidate: second name
publication/sealed_file.py
            "it has another name": state.st_nlink != 1,
            "it has another name": False,
test_candidate.py -k "others_could_change"

candidate: log
publication/sealed_file.py
            "it has a write-ahead log": write_ahead_log(path).exists(),
            "it has a write-ahead log": False,
test_candidate.py -k "others_could_change"

gate: macros of the candidate
defs/gate_checks.py
        _refuse_foreign_objects(workbench.settings)
        pass
test_candidate.py -k macro_of_its_own

nothing skipped: variables of dbt
base/environment.py
    return [name for name in os.environ if name.upper().startswith(FOREIGN)]
    return []
../base/test_environment.py

nothing skipped: expectations by name
publication/eligibility.py
        if left_out := Counter(needed.expectations) - Counter(evaluated):
        if left_out := Counter():
test_nothing_skipped.py -k "evaluated or place"

nothing skipped: another suite
publication/eligibility.py
        elif sha256 != needed.sha256:
        elif False:
test_nothing_skipped.py -k "another_suite"

nothing skipped: what Great Expectations leaves out
gates/run_suites.py
    _raise_if_not_run(suite, details)
    pass
test_nothing_skipped.py -k "leaves_out or as_often"

nothing skipped: empty suites
gates/suite_files.py
    if not expectations:
    if False:
test_nothing_skipped.py -k has_expectations

nothing skipped: weakened expectations
gates/suite_files.py
    lenient = [f"{name}: {arguments[name]}" for name in _LENIENT if name in arguments]
    lenient = []
test_nothing_skipped.py -k gives_a_reason

nothing skipped: files that change
publication/eligibility.py
    if has_changed():
    if False:
test_nothing_skipped.py -k void

nothing skipped: weakened data tests
publication/requirements.py
            if changed:
            if False:
test_nothing_skipped.py -k "weakened_data_test"

nothing skipped: tests of no layer
publication/requirements.py
                if node["resource_type"] == "test"
                if False
test_nothing_skipped.py -k no_layer

native crash: record
base/native_crash.py
        faulthandler.enable(record, all_threads=False)
        pass
test_native_crash.py -m "not slow" -k record

native crash: the search
defs/after_crash.py
        if fault := crash(frozenset(new)):
        if fault := "":
test_native_crash.py -m "not slow" -k "without_any"

native crash: killed from outside
defs/trial.py
        return str(death) if death.code and -death.code in FAULTS else None
        return str(death)
test_native_crash.py -m "not slow" -k "trial"

fetcher: private addresses
fetching/download.py
        if not ip_address(str(address[0]).partition("%")[0]).is_global:
        if False:
test_fetching.py -k this_network
"""


def install(number: int) -> None:
    """Have this process, and its readers, import the code without a protection."""
    each = mutations()[number]
    path = str(PROJECT_ROOT / each.file)
    original = SourceFileLoader.get_code

    def get_code(loader: SourceFileLoader, name: str) -> CodeType | None:
        if loader.path != path:
            return original(loader, name)
        source = Path(path).read_text("utf-8").replace(each.text, each.without)
        return compile(source, path, "exec")

    SourceFileLoader.get_code = get_code  # type: ignore[method-assign, assignment]
    from dagster_project.base import child

    begin = "sys.path[:] = {path!r}; "
    here = f"from tests.security import mutations; mutations.install({number}); "
    child._START = child._START.replace(begin, begin + here)


def _run(shared: str, tests: str, number: int) -> tuple[int, list[str]]:
    """Run tests; return pytest's exit code, 1 if they don't end, and the failed tests."""
    arguments = [
        f"tests/security/{part}" if ".py" in part or part.startswith("../") else part.strip('"')
        for part in re.findall(r'"[^"]*"|\S+', tests)
    ]
    # Python imports it before anything else, also in the processes that the tests start.
    first = Path(shared) / "first"
    first.mkdir(exist_ok=True)
    here = f"{_FIRST.format(root=str(PROJECT_ROOT))}mutations.install({number})\n"
    (first / "sitecustomize.py").write_text(here)
    try:
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-n0", "-qx", "--no-header", *arguments],
            cwd=PROJECT_ROOT,
            env={**os.environ, "SHARED_FOLDER": shared, "PYTHONPATH": str(first)},
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return 1, [f"no end after {SECONDS} seconds"]
    failed = re.findall(r"^(?:FAILED|ERROR) \S*?::(\w+)", done.stdout, re.M)
    return done.returncode, sorted(set(failed))


def main(*words: str) -> int:
    """Try the mutations whose kind has all the words."""
    survived = 0
    print("| kind | protection taken out | tests that went red |\n|---|---|---|", flush=True)
    with TemporaryDirectory() as folder:
        for number, each in enumerate(mutations()):
            if not all(word in each.kind for word in words):
                continue
            if (PROJECT_ROOT / each.file).read_text("utf-8").count(each.text) != 1:
                code, found = 0, "not there, or twice"
            else:
                code, failed = _run(folder, each.tests, number)
                found = ", ".join(failed) if code == 1 else f"NONE (pytest: {code})"
            survived += code != 1
            print(f"| {each.kind} | `{each.text.strip()}` | {found} |", flush=True)
    return int(survived > 0)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
