"""A simulated year: the calendars' schedules and the sensor, with a clock that the test sets.

Two publishers (servers on this machine) release on their calendars, one of them late and once with
a file that the gate rejects; a person puts texts into the landing folder, one of which is bad and
corrected afterwards, one is bad in a way that only a build finds out, and changes a current one.
Fetches, loads, gates, builds and publications are real; only the clock and the publishers are made
up.
"""

import io
import json
import shutil
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from itertools import takewhile

import dagster as dg
import pytest
from dagster._utils.schedules import schedule_execution_time_iterator

from dagster_project.alerts.run_failure import set_aside_by
from dagster_project.base.settings import Settings
from dagster_project.defs.resources import resources
from dagster_project.fetching.fetch_release import fetch_source
from dagster_project.fetching.publishers import all_fetchers
from tests.defs.daemon import Landing, schedule_of
from tests.fetching.publisher_server import Publisher, Reply
from tests.fetching.test_publishers import DATA, TOPIC, bulk
from tests.pipeline.test_run import text_of
from tests.support import BULK, MADE_UP, TEXT, Scenario, Warehouse, defs, job_named, rows

pytestmark = pytest.mark.slow

SOURCES = ("worldbank_wdi", "ons_pink_book")
YEAR = 2022
PINK_BOOK = "/economy/nationalaccounts/balanceofpayments/datasets/3tradeinservicesthepinkbook2016"
WORKBOOK = MADE_UP / "ons_pink_book" / "2020-10-30" / "made_up_pinkbookchapter3.xlsx"

# The ledger at the end, for all that landed in the year.
RELEASES = [
    ("ons_pink_book", "2022-11-21", "accepted"),
    ("published_figures", "2022-03-31", "accepted"),
    ("published_figures", "2022-04-30", "accepted"),
    ("published_figures", "2022-05-31", "rejected"),
    ("published_figures", "2022-06-10", "accepted"),
    ("worldbank_wdi", "2022-04-08", "accepted"),
    ("worldbank_wdi", "2022-07-08", "rejected"),
    ("worldbank_wdi", "2022-07-20", "accepted"),
]

# The publications, and the new releases in each.
PUBLICATIONS = [
    ("2022-04-12", ["published_figures 2022-03-31", "worldbank_wdi 2022-04-08"]),  # one batch
    ("2022-05-23", ["published_figures 2022-04-30"]),  # corrected, a week after it was rejected
    ("2022-06-13", ["published_figures 2022-06-10"]),  # a build set the other one aside
    ("2022-07-26", ["worldbank_wdi 2022-07-20"]),  # that of the 8th was rejected
    ("2022-11-21", ["ons_pink_book 2022-11-21"]),  # three weeks late
]

# The refused or rejected releases, and when.
ALARMS = [
    ("2022-05-16", "REJECTED published_figures 2022-04-30"),
    ("2022-06-13", "REJECTED published_figures/2022-05-31 by build"),
    ("2022-07-12", "REJECTED worldbank_wdi 2022-07-08"),
    ("2022-09-05", "REFUSED published_figures 2022-03-31"),
]


@dataclass
class Year:
    """The warehouse as the year goes by, and what happened on which day."""

    warehouse: Warehouse
    landing: Landing
    fetched: dict[str, int] = field(default_factory=dict)
    published: list[tuple[str, list[str]]] = field(default_factory=list)
    alarms: list[tuple[str, str]] = field(default_factory=list)
    jobs: list[str] = field(default_factory=list)

    def tick(self, source: str, at: datetime) -> None:
        """Evaluate the source's schedule; fetch as it asks, on that day; let the sensor work."""
        context = dg.build_schedule_context(
            self.landing.instance,
            scheduled_execution_time=at,
            repository_def=defs().get_repository_def(),
        )
        (request,) = schedule_of(source).evaluate_tick(context).run_requests or []
        assert request.asset_selection in (None, [dg.AssetKey(["fetch", source])])
        fetched = fetch_source(
            all_fetchers()[source], Settings(), sleep=lambda _: None, clock=lambda: at
        )
        self.fetched[source] = self.fetched.get(source, 0) + fetched.is_new
        self.look(at.date())

    def look(self, day: date) -> None:
        """Evaluate the sensor, and execute what it requests, until nothing is left to do."""
        while True:
            result = self.landing.evaluate()
            for request in result.run_requests or []:
                self._execute(request, day)
            for line in (result.skip_message or "").splitlines():
                if line.startswith("REFUSED "):
                    where = line.partition("where: ")[2].partition(" |")[0]
                    self.alarms.append((str(day), f"REFUSED {where}"))
            if not result.run_requests and "arriving" not in (result.skip_message or ""):
                return

    def _execute(self, request: dg.RunRequest, day: date) -> None:
        assert request.job_name
        before = self.current_releases()
        result = job_named(request.job_name).execute_in_process(
            run_config={"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}},
            instance=self.landing.instance,
            partition_key=request.partition_key,
            raise_on_error=False,
            resources=resources(Settings()),
            tags={"dagster/run_key": request.run_key or ""},
        )
        self.jobs.append(request.job_name)
        set_aside = set_aside_by(self.landing.instance.get_runs(limit=1)[0])
        if set_aside:
            assert not result.success
            self.alarms += [(str(day), f"REJECTED {name} by build") for name in set_aside]
        elif request.job_name == "build":
            assert result.success
            self.published.append((str(day), sorted(self.current_releases() - before)))
        elif not result.success:
            name = request.job_name.removeprefix("ingest_")
            self.alarms.append((str(day), f"REJECTED {name} {request.partition_key}"))

    def current_releases(self) -> set[str]:
        """The releases in the published file."""
        found = rows(
            self.warehouse.settings.warehouse,
            "select distinct source || ' ' || release_date from audit.releases"
            " where status = 'accepted'",
        )
        return {name for (name,) in found}


def ticks(source: str) -> Iterator[datetime]:
    """The times of a source's schedule within the year."""
    schedule = schedule_of(source)
    times = schedule_execution_time_iterator(
        datetime(YEAR, 1, 1, tzinfo=UTC).timestamp(),
        str(schedule.cron_schedule),
        schedule.execution_timezone,
    )
    return takewhile(lambda time: time.year == YEAR, times)


def world_bank(server: Publisher, day: str, *, bad: bool = False) -> Callable[[], None]:
    """Serve the bulk file as updated on a day; a bad one has an economy twice."""

    def serve() -> None:
        content = BULK.read_bytes().replace(b"2021-09-15", day.encode())
        if bad:
            content = content.replace(b'"Namibia","NAM"', b'"Namibia","JPN"')
        server.serve(TOPIC, bulk(**{DATA: content}))

    return serve


def pink_book(server: Publisher, day: str) -> Callable[[], None]:
    """Serve the edition of a day: the same figures, in a file of its own."""

    def serve() -> None:
        file = io.BytesIO(WORKBOOK.read_bytes())
        if day != "2020-10-30":
            with zipfile.ZipFile(file, "a") as workbook:
                workbook.comment = day.encode()
        uri = f"{PINK_BOOK}/{day[:4]}"
        about = {
            "uri": uri,
            "description": {"releaseDate": f"{day}T09:30:00.000Z"},
            "downloads": [{"file": WORKBOOK.name}],
        }
        server.serve(f"{PINK_BOOK}/data", json.dumps({"datasets": [{"uri": uri}]}).encode())
        server.serve(f"{uri}/data", json.dumps(about).encode())
        server.serve(f"/file?uri={uri}/{WORKBOOK.name}", Reply(file.getvalue()))

    return serve


def text(warehouse: Warehouse, release: str, content: str) -> Callable[[], None]:
    """Put a made-up text into the landing folder."""

    def put() -> None:
        warehouse.land("published_figures", release, TEXT.name, content)

    return put


@pytest.fixture
def year(
    template: Scenario,
    folders: Warehouse,
    server: Publisher,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Year]:
    """The simulated year, after its last day."""
    warehouse = template.warehouse.copy(folders.folder)
    monkeypatch.setenv("ROYALTY_FETCH_BASE_URLS", json.dumps(dict.fromkeys(SOURCES, server.url)))
    march, april = text_of("2022-03-31", reporter="FRA"), text_of("2022-04-30", reporter="ITA")
    june = text_of("2022-06-10", reporter="FRA")
    # The gate on raw lets it through; in staging its rounding is larger than the figure.
    may = text_of("2022-05-31", old="level,4.0,USD,9,0.1", new="level,0.00001,USD,9,0.1")
    twice = april + april.splitlines()[4] + "\n"
    events: list[tuple[datetime, Callable[[], None]]] = [
        (datetime.fromisoformat(f"{YEAR}-{when}+00:00"), event)
        for when, event in (
            ("01-01T00:00", world_bank(server, "2021-09-15")),
            ("01-01T00:00", pink_book(server, "2020-10-30")),
            ("04-08T00:00", world_bank(server, "2022-04-08")),
            ("04-12T09:59", text(warehouse, "2022-03-31", march)),  # a minute before the fetch
            ("05-16T00:00", text(warehouse, "2022-04-30", twice)),
            ("05-23T00:00", text(warehouse, "2022-04-30", april)),
            ("06-12T23:59", text(warehouse, "2022-05-31", may)),
            ("06-13T00:00", text(warehouse, "2022-06-10", june)),
            ("07-08T00:00", world_bank(server, "2022-07-08", bad=True)),
            ("07-20T00:00", world_bank(server, "2022-07-20")),
            ("09-05T00:00", text(warehouse, "2022-03-31", march.replace("4.0", "4.1"))),
            ("11-21T00:00", pink_book(server, "2022-11-21")),
        )
    ]
    with dg.DagsterInstance.ephemeral() as instance:
        played = Year(warehouse, Landing(instance))

        def fetch(source: str, at: datetime) -> Callable[[], None]:
            return lambda: played.tick(source, at)

        for source in SOURCES:
            events += [(at, fetch(source, at)) for at in ticks(source)]
        for at, event in sorted(events, key=lambda each: each[0]):
            server.asked.clear()
            event()
            if (at.hour, at.minute) == (0, 0):
                played.look(at.date())
        yield played
    shutil.rmtree(folders.folder)  # tens of megabytes


def test_a_year_ends_as_the_tables_say(year: Year) -> None:
    assert year.alarms == ALARMS
    assert year.published == PUBLICATIONS
    landed = (
        "select source, release_date::varchar, status from audit.releases"
        f" where year(release_date) = {YEAR} group by all order by all"
    )
    assert year.warehouse.workbench(landed) == RELEASES
    assert year.warehouse.published(landed) == RELEASES
    assert year.fetched == {"worldbank_wdi": 3, "ons_pink_book": 1}
    # Each release had one run, except the one that was corrected; nothing was built in vain.
    ingests = [job for job in year.jobs if job != "build"]
    assert len(ingests) == len(RELEASES) + 1
    assert year.jobs.count("build") == len(PUBLICATIONS) + 1  # which set a release aside
    ((count,),) = year.warehouse.published("select count(*) from audit.publication")
    assert count == 1 + len(PUBLICATIONS)
    # What a person changed below a current release has not become current.
    assert year.warehouse.published(
        "select count(*) from core.fct_royalty_observations"
        " where source = 'published_figures' and release_date = '2022-03-31' and value = 4.1"
    ) == [(0,)]
