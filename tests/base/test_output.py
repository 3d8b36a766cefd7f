"""No output stops a process: other encodings, closed and full outputs, readers that have gone."""

import contextlib
import io
import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from dagster_project.base.logs import say
from dagster_project.base.settings import PROJECT_ROOT

NAME = "国の統計 é \udcff \U0001f600"
SCRIPT = """
import logging, os, sys
from pathlib import Path
from dagster_project.base.logs import say
from dagster_project.base.output import unfailing_output, use_utf8
use_utf8()
unfailing_output()
name = os.fsdecode(os.environb[b"NAME"])
for _ in range(300):
    print(name)
    print(name, file=sys.stderr)
    say(name * 10)
    logging.error(name)
opened = open(sys.argv[1], "w", encoding="utf-8")
print("more")
opened.write(f"{os.fsdecode(name) in os.listdir(sys.argv[2])} {opened.fileno() > 2}")
"""


@pytest.fixture(scope="session")
def locales(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a locale in ISO-8859-1."""
    folder = tmp_path_factory.mktemp("locales")
    command = ["localedef", "-i", "en_US", "-f", "ISO-8859-1", str(folder / "en_US.ISO-8859-1")]
    if not shutil.which("localedef") or subprocess.run(command, check=False).returncode:
        pytest.skip("localedef cannot make a locale here")
    return folder


def works(tmp_path: Path, redirections: str = "", **environment: str) -> bool:
    """Whether a script that prints all it can runs to its end, and reads names as UTF-8."""
    landing = tmp_path / "landing"
    os.makedirs(os.fsencode(landing) + b"/" + os.fsencode(NAME))
    ended = tmp_path / "ended"
    paths = [shlex.quote(str(path)) for path in (sys.executable, ended, landing)]
    command = [paths[0], "-c", '"$SCRIPT"', *paths[1:], redirections]
    # Bash, for the exit code of the script and not of the pipe's last command.
    done = subprocess.run(
        ["bash", "-c", f"set -o pipefail; {' '.join(command)}"],
        cwd=PROJECT_ROOT,
        env={"PATH": os.environ["PATH"], "NAME": NAME, "SCRIPT": SCRIPT, **environment},
        capture_output=True,
        check=False,
        timeout=60,
    )
    assert b"Traceback" not in done.stderr
    return done.returncode == 0 and ended.read_text() == "True True"


@pytest.mark.parametrize(
    "environment",
    [
        {"PYTHONIOENCODING": "ascii"},
        {"PYTHONIOENCODING": "ascii:strict"},
        {"PYTHONIOENCODING": "latin-1:strict"},
        {"PYTHONIOENCODING": "cp1252:strict"},
        {"LC_ALL": "C"},
        {"LC_ALL": "POSIX", "PYTHONCOERCECLOCALE": "0"},
        {"LC_ALL": "C.UTF-8"},
    ],
    ids=str,
)
def test_what_an_encoding_does_not_have_stops_nothing(
    tmp_path: Path, environment: dict[str, str]
) -> None:
    assert works(tmp_path, **environment)


def test_names_are_utf8_in_a_locale_that_is_not(tmp_path: Path, locales: Path) -> None:
    assert works(tmp_path, LC_ALL="en_US.ISO-8859-1", LOCPATH=str(locales))


@pytest.mark.parametrize(
    "redirections",
    [
        ">/dev/full",
        ">/dev/full 2>&1",
        ">&-",
        "2>&-",
        "<&- >&- 2>&-",
        "| head -c 1",
        "2>&1 | true",
    ],
)
def test_an_output_that_takes_nothing_stops_nothing(tmp_path: Path, redirections: str) -> None:
    assert works(tmp_path, redirections)


def test_a_full_pipe_that_does_not_block_stops_nothing(tmp_path: Path) -> None:
    script = (
        "import os; from dagster_project.base.output import unfailing_output\n"
        "os.set_blocking(1, False); unfailing_output()\n"
        "for _ in range(3): print('x' * 60_000)\n"
        "open(os.environ['ENDED'], 'w').close()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script],
        cwd=PROJECT_ROOT,
        env={**os.environ, "ENDED": str(tmp_path / "ended")},
        stdout=subprocess.PIPE,
    ) as child:
        assert child.wait(30) == 0
    assert (tmp_path / "ended").exists()


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp1252", "utf-16", "utf-8"])
@pytest.mark.parametrize("form", ["text", "json"])
def test_a_line_reaches_a_stream_of_any_encoding(
    encoding: str, form: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ROYALTY_LOG_FORMAT", form)
    stream = io.TextIOWrapper(io.BytesIO(), encoding)
    with contextlib.redirect_stdout(stream):
        say(f"before {NAME} after")
    written = stream.buffer.getvalue().decode(encoding)
    assert "before" in written
    assert "after" in written


def test_a_closed_stream_stops_no_line() -> None:
    stream = io.StringIO()
    stream.close()
    with contextlib.redirect_stdout(stream):
        say("made up")
    with contextlib.redirect_stdout(None):
        say("made up")
