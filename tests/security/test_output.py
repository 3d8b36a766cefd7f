"""Outside texts (names, cells, reasons) on their way to a terminal, log, page or message."""

import json
import os
import re
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from pydantic import SecretStr

from dagster_project.alerts.delivery import send
from dagster_project.alerts.message import Alert, message
from dagster_project.base.errors import (
    BadInput,
    in_markdown,
    printable,
    printable_html,
    printable_text,
)
from dagster_project.base.logs import say
from dagster_project.base.progress import ProgressReport
from dagster_project.base.settings import Settings
from dagster_project.defs.gate_checks import check_results
from dagster_project.report.site import _environment
from dagster_project.transform.dbt_runner import DbtError
from dagster_project.workbench.gate_results import GateResult
from tests.alerts.receivers import mail_server, webhook
from tests.pipeline.test_run import text_of
from tests.support import Warehouse
from tests.test_main import command

FORGED = "accepted worldbank_wdi 2021-09-15: 7 of 7 records kept"
HOSTILE = {
    "line end": f"x\n  {FORGED}",
    "carriage return": f"x\r  {FORGED}",
    "line separator": f"x\u2028{FORGED}",
    "next line": f"x\x85{FORGED}",
    "vertical tab": f"x\x0b{FORGED}",
    "colour": f"x\x1b[2K\x1b[1G\x1b[32m{FORGED}\x1b[0m",
    "window title": "x\x1b]0;title\x07",
    "one-byte escape": "x\x9b2Kaccepted",
    "backspaces": "x" + "\x08" * 40 + FORGED,
    "right to left": "x\u202eretpecca",
    "isolate": "x\u2066\u2069accepted",
    "mark": "x\u200f\u061caccepted",
    "invisible": "x\u200b\u2060\ufeff\u00adaccepted",
    "tag letters": "x\U000e0041",
    "null": "x\x00",
    "not UTF-8": os.fsdecode(b"caf\xe9"),
    "half a pair": "x\ud83d",
    "private use": "x\ue000",
    "no character": "x\ufffe",
}
each_hostile = pytest.mark.parametrize("text", HOSTILE.values(), ids=list(HOSTILE))


def harmless(output: str) -> bool:
    """Whether a text is lines of printable characters, and none is the forged one."""
    output.encode()
    lines = output.split("\n")
    return all(line.isprintable() for line in lines) and not any(
        line.lstrip().startswith("accepted") for line in lines
    )


# The function


@each_hostile
def test_a_text_becomes_printable(text: str) -> None:
    assert printable(text).isprintable()
    assert printable(printable(text)) == printable(text)
    assert harmless(printable_text(text))
    assert in_markdown(text).isprintable()


def test_ordinary_letters_stay_as_they_are() -> None:
    for text in ("Türkiye, Côte d'Ivoire", "日本 (Japan)", "a b - c", "россия", "\N{MINUS SIGN}1"):
        assert printable(text) == printable_text(text) == printable_html(text) == text


@pytest.mark.parametrize(
    "text",
    ["](http://evil.example)", "`code`", "**bold**", "<img src=x>", "![x](y)", "# head", "a|b"],
)
def test_a_name_does_not_break_out_of_markdown(text: str) -> None:
    plain = re.sub(r"\\(.)", "", in_markdown(text))
    assert not set(plain) & set("[]()`*<>#!|")
    assert re.sub(r"\\(.)", r"\1", in_markdown(text)) == text


# Terminal and log


@each_hostile
def test_a_line_cannot_be_forged(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    say(f"  no source module yet: {text}")
    say(f"REFUSED {BadInput(text, where=text, expected=text, found=text, fix=text)}", "ERROR")
    output = capsys.readouterr().out
    assert harmless(output)
    marked = [line for line in output.splitlines() if line.startswith("    | ")]
    assert len(output.splitlines()) == 2 + len(marked)


@each_hostile
def test_a_json_line_stays_one_and_can_be_read(
    text: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ROYALTY_LOG_FORMAT", "json")
    say(text, source=text, made_up=Path(text))
    (line,) = capsys.readouterr().out.splitlines()
    assert line.isascii()
    for value in json.loads(line).values():
        assert all(part.isprintable() for part in value.split("\n"))


@each_hostile
def test_progress_is_one_line(text: str) -> None:
    with ProgressReport(print).follow(text, " rows", 10) as progress:
        progress.advance()
        assert progress.text().isprintable()


def test_a_terminal_that_cannot_show_a_letter_gets_its_code(
    folders: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONIOENCODING", "ascii")
    ended = command("reject", "国/2020-01-31", "--reason", "made up")
    assert "REFUSED" in ended.stdout
    assert "\\u56fd" in ended.stdout
    assert "Traceback" not in ended.stderr


NAMES = [
    *(os.fsencode(text) for name, text in HOSTILE.items() if name not in ("null", "half a pair")),
    b"](http:evil)",
    b"<img src=x onerror=alert(1)>",
]


def test_hostile_names_of_folders_and_files_stop_nothing_but_themselves(
    folders: Warehouse,
) -> None:
    """Names that a POSIX file system takes; all but those of sources stop a release."""
    folders.land("published_figures", "2019-06-30", "made_up.csv", text_of("2019-06-30"))
    landing = os.fsencode(folders.landing)
    source = landing + b"/published_figures/"
    for number, name in enumerate(NAMES, 1):
        os.mkdir(landing + b"/" + name)
        os.mkdir(source + name)
        for day in (b"2018-01-%02d" % number, name):
            os.makedirs(source + day, exist_ok=True)
            Path(os.fsdecode(source + day + b"/" + name)).write_text(text_of("2018-01-01"))
    outcome = folders.run()
    lines = [line.strip() for line in outcome.output.splitlines()]
    assert outcome.code == 2
    kept = [line for line in lines if line.startswith("accepted published_figures")]
    assert len(kept) == 1
    assert kept[0].startswith("accepted published_figures 2019-06-30")
    assert outcome.output.replace("\n", "").isprintable()
    assert FORGED not in lines
    assert outcome.output.count("a file name with unsupported characters") == len(NAMES)
    assert outcome.output.count("whose name is not a date") == len(NAMES)
    ((unescaped,),) = folders.published(
        "select count(*) from audit.releases where reason ~ '[\\x00-\\x1f]'"
    )
    assert unescaped == 0


# The UI


def shown(value: Any) -> list[str]:
    return [text for record in value.records for text in map(str, record.data.values())]


@each_hostile
def test_a_gates_result_shows_cells_as_text(text: str) -> None:
    detail = {
        "expectation": "made up",
        "success": False,
        "severity": "critical",
        "observed": text,
        "rows_checked": 1,
        "failing_rows": [{"_file": text, "value": text, text: "1"}],
        "fix": "made up",
    }
    result = GateResult("raw", "raw.made_up", None, False, 1, 1, [detail])
    (check,) = check_results([result])
    assert check.description
    assert check.description.isprintable()
    for table in check.metadata.values():
        assert all(map(str.isprintable, shown(table)))
        assert isinstance(table, dg.TableMetadataValue)
        assert all(column.name.isprintable() for column in table.schema.columns)


@each_hostile
def test_an_error_of_dbt_quotes_cells_as_text(text: str) -> None:
    assert harmless(str(DbtError(f"Conversion Error: Could not convert string '{text}'")))


# Pages


@each_hostile
def test_a_page_shows_it_as_text(text: str) -> None:
    environment = _environment({"id": "1", "day": "2 January 2020"})
    page = environment.from_string("<p title='{{ text }}'>{{ text }}</p>{{ text | e }}")
    html = page.render(text=text + "<b onclick='x'>")
    assert all(letter.isprintable() or letter == "\n" for letter in html)
    html.encode()
    assert html.count("<") == 2


def test_a_page_keeps_its_own_spaces_and_links() -> None:
    environment = _environment({"id": "1", "day": "2 January 2020"})
    page = environment.from_string(
        "{{ '1\N{NO-BREAK SPACE}m' }}{{ '<a>' | safe }}{{ 1 }}{{ none }}"
    )
    assert page.render() == "1\N{NO-BREAK SPACE}m<a>1None"


# Mail and webhook


@each_hostile
def test_an_alert_cannot_add_headers_lines_or_links(folders: Warehouse, text: str) -> None:
    extra = f"{text}\r\nBcc: evil@example.org\r\n\r\n<!channel> @all [bank](http://evil.example)"
    why = str(DbtError(extra))  # lines of a reason are as its author has left them
    alert = Alert(f"REJECTED {extra}", why, extra, None, extra, extra)
    made = message(folders.settings, [alert])
    with webhook() as hook, mail_server() as box:
        send(
            Settings(
                notify_seconds=1,
                notify_webhook=SecretStr(hook.url),
                notify_email="day@example.org",
                smtp_host="127.0.0.1",
                smtp_port=box.port,
                smtp_security="none",
            ),
            made,
        )
    (posted,), (mail,) = hook.received, box.received
    assert harmless(posted["text"])
    for markup in ("<!", "@all", "[bank]("):
        assert markup not in posted["text"]
    for value in posted["failures"][0].values():
        assert value is None or all(map(str.isprintable, value.split("\n")))
    assert box.recipients == ["day@example.org"]
    assert mail["Bcc"] is None
    assert str(mail["Subject"]).isprintable()
    assert harmless(mail.get_content().replace("\r\n", "\n"))
