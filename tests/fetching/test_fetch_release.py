"""Every fault of a download ends in one clear message and an unchanged landing folder."""

import logging
import re
import shutil
from dataclasses import replace
from datetime import UTC, date, datetime, time
from pathlib import Path
from time import tzset

import pytest
from filelock import FileLock
from pydantic import SecretStr

from dagster_project.base.errors import BadInput
from dagster_project.base.settings import Settings
from dagster_project.fetching.fetch_release import (
    DAY_OF_DOWNLOAD,
    FetchResult,
    _dates,
    fetch_source,
)
from dagster_project.fetching.fetcher import Fetcher, PublicationDate, Session
from tests.fetching.publisher_server import Publisher, Reply, landed_files, publisher, tree, zipped
from tests.support import BARE, BULK, COUNTRIES

CSV = BARE.read_bytes()
NEWER = CSV.replace(b"2900000", b"3000000")
TODAY = date(2022, 2, 2)
NOW = datetime.combine(TODAY, time(12), UTC)
DAY = date(2021, 9, 15)
WEB_PAGE = b"<!DOCTYPE html><html><title>Down for maintenance</title></html>"
MARCH = "Tue, 01 Mar 2016 10:00:00 GMT"
APRIL = "Fri, 01 Apr 2016 10:00:00 GMT"


def one_file(session: Session) -> PublicationDate:
    session.file(f"{session.base_url}/file.csv", "made_up.csv", "csv")
    return PublicationDate(DAY, "the test")


def undated(session: Session) -> None:
    one_file(session)


def archive(session: Session) -> PublicationDate:
    session.archive(f"{session.base_url}/archive.zip", re.compile(r".*\.csv"))
    return PublicationDate(DAY, "the test")


def with_key(session: Session) -> None:
    assert session.settings.bea_api_key
    session.file(
        f"{session.base_url}/file.csv?a=b",
        "made_up.csv",
        "csv",
        secret_params={"UserID": session.settings.bea_api_key},
    )


def fetcher(how: object = one_file, **changes: object) -> Fetcher:
    return Fetcher(
        source="worldbank_wdi",
        base_url="https://publisher.invalid",
        fetch=how,  # type: ignore[arg-type]
        dated_by="the test",
        **changes,  # type: ignore[arg-type]
    )


class PauseRecorder:
    """Replaces `time.sleep`: records the seconds."""

    def __init__(self) -> None:
        self.seconds: list[float] = []

    def __call__(self, seconds: float) -> None:
        self.seconds.append(seconds)


def fetch(
    settings: Settings, how: Fetcher | None = None, waiting: PauseRecorder | None = None
) -> FetchResult:
    return fetch_source(
        how or fetcher(), settings, sleep=waiting or PauseRecorder(), clock=lambda: NOW
    )


def refusal(
    settings: Settings, how: Fetcher | None = None, waiting: PauseRecorder | None = None
) -> BadInput:
    """The one error of a fetch, which must leave the landing folder unchanged."""
    before = tree(settings.landing_dir)
    with pytest.raises(BadInput) as caught:
        fetch(settings, how, waiting)
    assert tree(settings.landing_dir) == before
    problem = caught.value
    assert "worldbank_wdi" in problem.where
    assert all((problem.what, problem.expected, problem.found, problem.fix))
    assert "\n" not in str(problem)
    return problem


def landed(settings: Settings) -> list[str]:
    folder = settings.landing_dir / "worldbank_wdi"
    return sorted(path.name for path in folder.iterdir() if path.is_dir())


# What lands


def files_landed(settings: Settings) -> dict[str, bytes | None]:
    return landed_files(settings.landing_dir / "worldbank_wdi" / str(DAY))


def test_a_release_lands_whole_under_its_publication_date(
    settings: Settings, server: Publisher
) -> None:
    server.serve("/file.csv", CSV)
    fetched = fetch(settings)
    assert (fetched.release.label, fetched.is_new) == ("worldbank_wdi 2021-09-15", True)
    assert files_landed(settings) == {"made_up.csv": CSV}
    assert sorted(path.name for path in settings.landing_dir.iterdir()) == [
        "made_up",
        "worldbank_wdi",
    ]


def test_an_archive_lands_unpacked_without_unwanted_files(
    settings: Settings, server: Publisher
) -> None:
    server.serve(
        "/archive.zip",
        zipped({"a/data.csv": CSV, "countries.csv": COUNTRIES.read_bytes(), "read.me": b"1"}),
    )
    names = [path.name for path in fetch(settings, fetcher(archive)).release.files]
    assert names == ["countries.csv", "data.csv"]


def test_without_a_date_of_its_own_a_release_is_dated_by_the_header(
    settings: Settings, server: Publisher
) -> None:
    server.serve("/file.csv", Reply(CSV, headers={"Last-Modified": MARCH}))
    fetched = fetch(settings, fetcher(undated))
    assert (str(fetched.release.date), fetched.dated_by) == (
        "2016-03-01",
        "the Last-Modified header",
    )


def test_the_download_date_is_the_last_resort_and_is_reported(
    settings: Settings, server: Publisher
) -> None:
    server.serve("/file.csv", CSV)
    fetched = fetch(settings, fetcher(undated))
    assert (fetched.release.date, fetched.dated_by) == (TODAY, DAY_OF_DOWNLOAD)
    assert fetch(settings, fetcher(undated)).dated_by == DAY_OF_DOWNLOAD


# Unchanged content makes no release


def test_the_same_bytes_without_a_tag_make_no_release(
    settings: Settings, server: Publisher
) -> None:
    server.serve("/file.csv", CSV)
    fetch(settings)
    before = tree(settings.landing_dir)
    again = fetch(settings)
    assert (again.release.label, again.is_new) == ("worldbank_wdi 2021-09-15", False)
    assert tree(settings.landing_dir) == before


def test_the_same_bytes_under_a_new_date_make_no_release(
    settings: Settings, server: Publisher
) -> None:
    server.serve("/file.csv", Reply(CSV, headers={"Last-Modified": MARCH}))
    fetch(settings, fetcher(undated))
    server.serve("/file.csv", Reply(CSV, headers={"Last-Modified": APRIL}))
    assert not fetch(settings, fetcher(undated)).is_new
    assert landed(settings) == ["2016-03-01"]


def test_the_same_bytes_that_a_person_landed_make_no_release(
    settings: Settings, server: Publisher
) -> None:
    folder = settings.landing_dir / "worldbank_wdi" / "2020-05-05"
    folder.mkdir(parents=True)
    (folder / "another_name.csv").write_bytes(CSV)
    server.serve("/file.csv", CSV)
    assert fetch(settings).release.date == date(2020, 5, 5)
    assert landed(settings) == ["2020-05-05"]


@pytest.mark.parametrize(
    ("header", "condition"),
    [(("ETag", '"v1"'), "if-none-match"), (("Last-Modified", MARCH), "if-modified-since")],
)
def test_an_unchanged_file_is_not_downloaded_again(
    settings: Settings, server: Publisher, header: tuple[str, str], condition: str
) -> None:
    server.serve("/file.csv", Reply(CSV, headers=dict([header])), Reply(status=304))
    fetch(settings)
    before = tree(settings.landing_dir)
    assert not fetch(settings).is_new
    assert not fetch(settings).is_new
    assert [asked.get(condition) for _, asked in server.asked] == [None, header[1], header[1]]
    assert tree(settings.landing_dir) == before


def test_an_unchanged_archive_is_not_downloaded_again(
    settings: Settings, server: Publisher
) -> None:
    packed = zipped({"data.csv": CSV})
    server.serve("/archive.zip", Reply(packed, headers={"ETag": '"v1"'}), Reply(status=304))
    fetch(settings, fetcher(archive))
    assert not fetch(settings, fetcher(archive)).is_new


@pytest.mark.parametrize("lost", ["the files", "what is known of them"])
def test_a_deleted_release_is_downloaded_again(
    settings: Settings, server: Publisher, lost: str
) -> None:
    server.serve("/file.csv", Reply(CSV, headers={"ETag": '"v1"'}))
    fetch(settings)
    folder = settings.landing_dir / "worldbank_wdi"
    if lost == "the files":
        shutil.rmtree(folder / "2021-09-15")
    else:
        (folder / ".fetched.json").write_text('{"release"')
    assert fetch(settings).is_new == (lost == "the files")
    assert "if-none-match" not in server.asked[1][1]
    assert landed(settings) == ["2021-09-15"]


# Changed content never replaces a release


def test_a_file_changed_under_its_old_date_becomes_a_release_of_its_own(
    settings: Settings, server: Publisher
) -> None:
    server.serve("/file.csv", CSV)
    fetch(settings)
    server.serve("/file.csv", Reply(NEWER, headers={"Last-Modified": "Mon, 01 Nov 2021 10:00:00"}))
    assert fetch(settings).dated_by == "the Last-Modified header"
    server.serve("/file.csv", CSV.replace(b"2900000", b"3100000"))
    assert fetch(settings).dated_by == DAY_OF_DOWNLOAD
    assert landed(settings) == ["2021-09-15", "2021-11-01", str(TODAY)]
    server.serve("/file.csv", CSV.replace(b"2900000", b"3200000"))
    assert refusal(settings).what == "other files under the same date"


def test_a_date_in_the_future_is_refused(settings: Settings, server: Publisher) -> None:
    server.serve("/file.csv", CSV)

    def dated(day: int) -> Fetcher:
        def fetch_dated(session: Session) -> PublicationDate:
            one_file(session)
            return PublicationDate(date(2022, 2, day), "the test")

        return fetcher(fetch_dated)

    problem = refusal(settings, dated(4))
    assert problem.what == "a release dated in the future"
    assert "2022-02-02 12:00 UTC by the machine's clock" in problem.found
    assert fetch(settings, dated(3)).release.date == date(2022, 2, 3)  # the publisher's tomorrow


@pytest.mark.parametrize("zone", ["UTC", "Etc/GMT+12", "Etc/GMT-14"])
@pytest.mark.parametrize(
    ("source", "now", "day"),
    [
        ("boj_flat_files", datetime(2022, 2, 2, 16, tzinfo=UTC), date(2022, 2, 3)),  # Tokyo
        ("worldbank_wdi", datetime(2022, 2, 2, 3, tzinfo=UTC), date(2022, 2, 1)),  # Washington
        ("worldbank_wdi", datetime(2022, 7, 2, 4, tzinfo=UTC), date(2022, 7, 2)),  # in summer
    ],
)
def test_a_release_is_dated_by_the_publishers_day_not_the_machines(
    zone: str, source: str, now: datetime, day: date, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TZ", zone)
    tzset()
    try:
        undated = _dates(replace(fetcher(), source=source), None, [], lambda: now)
        by_header = _dates(replace(fetcher(), source=source), None, [now], lambda: now)
    finally:
        monkeypatch.undo()
        tzset()
    assert undated == [PublicationDate(day, DAY_OF_DOWNLOAD)]
    assert by_header[0] == PublicationDate(day, "the Last-Modified header")


# Temporary faults are retried


@pytest.mark.parametrize(
    "fault",
    [
        Reply(silent=True),
        Reply(b"sorry", 500),
        Reply(b"sorry", 503),
        Reply(b"slower", 429),
        Reply(CSV[:100], length=len(CSV)),
        Reply(b""),
    ],
    ids=["time-out", "500", "503", "429", "truncated", "empty"],
)
def test_a_temporary_fault_is_retried(settings: Settings, server: Publisher, fault: Reply) -> None:
    server.serve("/file.csv", fault, fault, Reply(CSV))
    waiting = PauseRecorder()
    assert fetch(settings, waiting=waiting).is_new
    first, second = waiting.seconds
    assert 1 <= first <= 2 <= second <= 3  # 1 and 2 seconds, and up to one more by chance
    assert files_landed(settings) == {"made_up.csv": CSV}


@pytest.mark.parametrize(
    ("fault", "found"),
    [
        (Reply(silent=True), "no answer in time (ReadTimeout)"),
        (Reply(b"sorry", 500), "HTTP 500 Internal Server Error"),
        (Reply(CSV[:100], length=len(CSV)), "the connection broke (RemoteProtocolError"),
        (Reply(b""), "an empty response"),
    ],
    ids=["time-out", "500", "truncated", "empty"],
)
def test_a_permanent_fault_is_one_clear_error(
    settings: Settings, server: Publisher, fault: Reply, found: str
) -> None:
    server.serve("/file.csv", fault)
    waiting = PauseRecorder()
    problem = refusal(settings, waiting=waiting)
    assert problem.what == "a download that failed at every attempt"
    assert problem.found.startswith(found)
    assert problem.found.endswith("(3 attempts)")
    assert len(waiting.seconds) == 2


def test_an_endless_file_is_one_clear_error(settings: Settings, server: Publisher) -> None:
    server.serve("/file.csv", CSV)
    hurried = settings.model_copy(update={"fetch_total_seconds": 1e-9})
    assert "not complete in" in refusal(hurried).found


def test_a_host_that_does_not_answer_is_one_clear_error(settings: Settings) -> None:
    unreachable = settings.model_copy(
        update={"fetch_base_urls": {"worldbank_wdi": "http://127.0.0.1:9"}}
    )
    assert "the connection broke (ConnectError" in refusal(unreachable).found


def test_a_pause_requested_by_a_server_is_kept(settings: Settings, server: Publisher) -> None:
    server.serve("/file.csv", Reply(b"", 429, {"Retry-After": "7"}), Reply(CSV))
    waiting = PauseRecorder()
    fetch(settings, waiting=waiting)
    assert waiting.seconds == [7]


def test_a_pause_until_a_past_day_is_ignored(settings: Settings, server: Publisher) -> None:
    server.serve("/file.csv", Reply(b"", 503, {"Retry-After": MARCH}), Reply(CSV))
    waiting = PauseRecorder()
    fetch(settings, waiting=waiting)
    assert waiting.seconds == [0]


def test_a_requested_pause_of_an_hour_is_left_to_the_next_run(
    settings: Settings, server: Publisher
) -> None:
    server.serve("/file.csv", Reply(b"", 429, {"Retry-After": "3600"}), Reply(CSV))
    waiting = PauseRecorder()
    assert refusal(settings, waiting=waiting).what == "a server that asks for a long pause"
    assert waiting.seconds == []


def test_an_interrupted_download_resumes_where_it_stopped(
    settings: Settings, server: Publisher
) -> None:
    headers = {"ETag": '"v1"', "Accept-Ranges": "bytes"}
    rest = {**headers, "Content-Range": f"bytes 100-{len(CSV) - 1}/{len(CSV)}"}
    server.serve(
        "/file.csv",
        Reply(CSV[:100], headers=headers, length=len(CSV)),
        Reply(CSV[100:], 206, rest),
    )
    assert fetch(settings).is_new
    asked = server.asked[1][1]
    assert (asked["range"], asked["if-range"]) == ("bytes=100-", '"v1"')
    assert files_landed(settings) == {"made_up.csv": CSV}


@pytest.mark.parametrize(
    "answer",
    [
        Reply(NEWER, headers={"ETag": '"v2"'}),
        Reply(NEWER[50:], 206, {"Content-Range": f"bytes 50-{len(NEWER) - 1}/{len(NEWER)}"}),
        Reply(b"", 416),
    ],
    ids=["a newer file", "another range", "no such range"],
)
def test_an_interrupted_download_that_cannot_resume_starts_again(
    settings: Settings, server: Publisher, answer: Reply
) -> None:
    headers = {"ETag": '"v1"', "Accept-Ranges": "bytes"}
    server.serve(
        "/file.csv", Reply(CSV[:100], headers=headers, length=len(CSV)), answer, Reply(NEWER)
    )
    fetch(settings)
    assert files_landed(settings) == {"made_up.csv": NEWER}


def test_a_truncated_part_is_not_taken_for_the_whole(settings: Settings, server: Publisher) -> None:
    headers = {"ETag": '"v1"', "Accept-Ranges": "bytes"}
    short = {**headers, "Content-Range": f"bytes 100-149/{len(CSV)}"}
    rest = {**headers, "Content-Range": f"bytes 150-{len(CSV) - 1}/{len(CSV)}"}
    server.serve(
        "/file.csv",
        Reply(CSV[:100], headers=headers, length=len(CSV)),
        Reply(CSV[100:150], 206, short),
        Reply(CSV[150:], 206, rest),
    )
    fetch(settings)
    assert [asked["range"] for _, asked in server.asked[1:]] == ["bytes=100-", "bytes=150-"]
    assert files_landed(settings) == {"made_up.csv": CSV}


def test_a_weak_tag_does_not_vouch_for_the_bytes(settings: Settings, server: Publisher) -> None:
    headers = {"ETag": 'W/"v1"', "Accept-Ranges": "bytes"}
    server.serve("/file.csv", Reply(CSV[:100], headers=headers, length=len(CSV)), Reply(CSV))
    fetch(settings)
    assert "range" not in server.asked[1][1]


# Permanent faults end at once


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410])
def test_an_unknown_address_is_asked_once(
    settings: Settings, server: Publisher, status: int
) -> None:
    server.serve("/file.csv", Reply(b"no", status))
    problem = refusal(settings)
    assert problem.what == "the publisher does not serve this URL"
    assert problem.found.startswith(f"HTTP {status}")
    assert ("key" in problem.fix) == (status in (401, 403))
    assert len(server.asked) == 1


@pytest.mark.parametrize("type_", ["text/csv", "text/html"])
def test_a_web_page_instead_of_data_is_refused(
    settings: Settings, server: Publisher, type_: str
) -> None:
    server.serve("/file.csv", Reply(WEB_PAGE, headers={"Content-Type": type_}))
    assert refusal(settings).what == "a web page instead of the expected file"
    assert len(server.asked) == 1


def test_a_file_other_than_an_archive_is_refused(settings: Settings, server: Publisher) -> None:
    server.serve("/archive.zip", b"sorry, not today")
    problem = refusal(settings, fetcher(archive))
    assert problem.what == "something else instead of the expected file"
    assert "sorry, not today" in problem.found


def test_a_file_of_an_unknown_layout_is_refused(settings: Settings, server: Publisher) -> None:
    server.serve("/file.csv", CSV.replace(b"Country Code", b"Economy Code"))
    problem = refusal(settings)
    assert problem.what == "unknown layout"
    assert "'Economy Code' instead of 'Country Code'" in problem.found


def test_metadata_of_an_unknown_layout_lands_beside_the_data(
    settings: Settings, server: Publisher
) -> None:
    server.serve("/archive.zip", zipped({"API_1.csv": CSV, "Metadata_Country_1.csv": b"a,b\n"}))
    names = [path.name for path in fetch(settings, fetcher(archive)).release.files]
    assert names == ["API_1.csv", "Metadata_Country_1.csv"]


def test_a_release_without_its_main_table_is_refused(settings: Settings, server: Publisher) -> None:
    server.serve("/file.csv", COUNTRIES.read_bytes())
    assert refusal(settings).what == "a release without its main table"


def test_a_redirect_to_another_host_is_refused(settings: Settings, server: Publisher) -> None:
    elsewhere = server.url.replace("127.0.0.1", "localhost")
    server.serve("/file.csv", Reply(b"", 302, {"Location": f"{elsewhere}/other.csv"}))
    server.serve("/other.csv", CSV)
    problem = refusal(settings)
    assert problem.what == "a link or redirect to another host"
    assert "localhost" in problem.found
    assert server.paths == ["/file.csv"]


def test_a_redirect_on_an_allowed_host_is_followed(settings: Settings, server: Publisher) -> None:
    server.serve("/file.csv", Reply(b"", 302, {"Location": "/other.csv"}))
    server.serve("/other.csv", CSV)
    assert fetch(settings).is_new


def test_a_circular_redirect_ends(settings: Settings, server: Publisher) -> None:
    server.serve("/file.csv", Reply(b"", 302, {"Location": "/file.csv"}))
    assert refusal(settings).what == "a redirect loop"
    assert len(server.asked) == 6


@pytest.mark.parametrize("length", [None, -1], ids=["announced", "as it comes"])
def test_a_file_that_is_too_large_is_refused(
    settings: Settings, server: Publisher, length: int | None
) -> None:
    server.serve("/file.csv", Reply(CSV, length=length))
    assert refusal(settings, fetcher(max_bytes=200)).what == "a file that is too large"


@pytest.mark.parametrize(
    "name", ["../outside.csv", "/outside.csv", "a/../../outside.csv", "..\\outside.csv", "c:o.csv"]
)
def test_an_archive_with_a_path_outside_of_its_folder_is_refused(
    settings: Settings, server: Publisher, name: str
) -> None:
    server.serve("/archive.zip", zipped({"data.csv": CSV, name: CSV}))
    problem = refusal(settings, fetcher(archive))
    assert problem.what == "an archive that is not safe to unpack"
    assert "outside" in problem.found or "c:o" in problem.found


@pytest.mark.parametrize(
    ("members", "found"),
    [
        ({"bomb.csv": bytes(20 << 20)}, "bytes for 20,971,520"),
        ({"large.csv": bytes(60 << 20)}, "62,914,560 bytes unpacked"),
        ({f"{number}.csv": CSV for number in range(51)}, "51 members"),
    ],
    ids=["ratio", "size", "count"],
)
def test_a_zip_bomb_is_refused_before_it_is_unpacked(
    settings: Settings, server: Publisher, members: dict[str, bytes], found: str
) -> None:
    server.serve("/archive.zip", zipped(members))
    problem = refusal(settings, fetcher(archive, max_unpacked_bytes=50 << 20))
    assert problem.what == "an archive that is not safe to unpack"
    assert found in problem.found


def test_a_damaged_archive_is_refused(settings: Settings, server: Publisher) -> None:
    packed = bytearray(zipped({"data.csv": BULK.read_bytes()}))
    packed[100:110] = bytes(10)
    server.serve("/archive.zip", bytes(packed))
    assert refusal(settings, fetcher(archive)).what == "a damaged archive"


def test_an_archive_without_the_wanted_files_is_refused(
    settings: Settings, server: Publisher
) -> None:
    server.serve("/archive.zip", zipped({"read.me": b"1"}))
    assert refusal(settings, fetcher(archive)).what == "an archive without the expected files"


@pytest.mark.parametrize("name", ["*.csv", "-a.csv", "a?.csv"])
def test_an_odd_file_name_is_refused(settings: Settings, server: Publisher, name: str) -> None:
    def odd(session: Session) -> None:
        session.file(f"{session.base_url}/file.csv", name, "csv")

    server.serve("/file.csv", CSV)
    assert "characters" in refusal(settings, fetcher(odd)).what


# Simultaneous runs


def test_two_fetches_of_a_source_do_not_overlap(settings: Settings, server: Publisher) -> None:
    server.serve("/file.csv", CSV)
    settings.warehouse_dir.mkdir(parents=True)
    with FileLock(settings.warehouse_dir / ".fetch-worldbank_wdi.lock"):
        assert refusal(settings).what == "another run is fetching this source"
    assert fetch(settings).is_new


def test_leftovers_of_a_killed_process_are_removed(settings: Settings, server: Publisher) -> None:
    left = settings.landing_dir / ".incoming" / "worldbank_wdi.1" / "release"
    left.mkdir(parents=True)
    server.serve("/file.csv", CSV)
    fetch(settings)
    assert not (settings.landing_dir / ".incoming").exists()


def test_a_missing_landing_folder_is_named(settings: Settings, tmp_path: Path) -> None:
    nowhere = settings.model_copy(update={"landing_dir": tmp_path / "nowhere"})
    with pytest.raises(BadInput, match="no landing folder"):
        fetch(nowhere)
    assert not (tmp_path / "nowhere").exists()


# The disk


def test_a_release_that_cannot_be_moved_into_place_leaves_nothing(
    settings: Settings, server: Publisher, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    server.serve("/file.csv", CSV)
    monkeypatch.setattr("dagster_project.fetching.fetch_release.os.rename", full)
    problem = refusal(settings)
    assert problem.what == "the landing folder cannot be written"
    assert "No space left" in problem.found


def test_a_file_in_place_of_the_source_folder_is_left_alone(
    settings: Settings, server: Publisher
) -> None:
    (settings.landing_dir / "worldbank_wdi").write_text("made up")
    server.serve("/file.csv", CSV)
    assert refusal(settings).what == "the landing folder cannot be written"


# Keys

KEY = "a1b2c3d4-0000-made-up0key"


@pytest.mark.parametrize(
    "reply",
    [
        Reply(b"sorry", 500),
        Reply(b"no", 403),
        Reply(WEB_PAGE + KEY.encode()),
        Reply(f"<html>{KEY.upper()}".encode()),
        Reply(b"", 302, {"Location": f"http://localhost/?UserID={KEY}"}),
        Reply(silent=True),
        Reply(CSV.replace(b"Country Code", KEY.encode())),
    ],
)
def test_a_key_is_in_no_error_and_no_log(
    settings: Settings,
    server: Publisher,
    reply: Reply,
    caplog: pytest.LogCaptureFixture,
) -> None:
    server.serve("/file.csv", reply)
    caplog.set_level(logging.DEBUG)
    keyed = settings.model_copy(update={"bea_api_key": SecretStr(KEY)})
    problem = refusal(keyed, fetcher(with_key, keys=("bea_api_key",)))
    said = f"{problem} {vars(problem)} {problem.__cause__} {caplog.text}".lower()
    assert KEY not in said
    assert KEY in server.paths[0]  # it was sent


def test_a_key_in_a_header_is_not_logged_or_sent_to_another_host(
    settings: Settings, server: Publisher, caplog: pytest.LogCaptureFixture
) -> None:
    def with_header(session: Session) -> PublicationDate:
        key = session.settings.wto_api_key
        assert key
        url = f"{session.base_url}/file.csv"
        session.file(url, "made_up.csv", "csv", secret_headers={"X-Key": key})
        return PublicationDate(DAY, "the test")

    caplog.set_level(logging.DEBUG)
    keyed = settings.model_copy(update={"wto_api_key": SecretStr(KEY)})
    with publisher() as mirror:
        server.serve("/file.csv", Reply(status=302, headers={"Location": f"{mirror.url}/there"}))
        mirror.serve("/there", CSV)
        hosts = (mirror.url.removeprefix("http://"),)
        fetch(keyed, fetcher(with_header, keys=("wto_api_key",), further_hosts=hosts))
        assert [headers.get("x-key") for _, headers in server.asked] == [KEY]
        assert [headers.get("x-key") for _, headers in mirror.asked] == [None]
    assert KEY not in caplog.text.lower()


def test_a_key_that_the_answer_echoes_does_not_land(
    settings: Settings, server: Publisher, caplog: pytest.LogCaptureFixture
) -> None:
    server.serve("/file.csv", CSV.replace(b"Aruba", KEY.upper().encode()) + KEY.encode())
    caplog.set_level(logging.DEBUG)
    keyed = settings.model_copy(update={"bea_api_key": SecretStr(KEY)})
    fetch(keyed, fetcher(with_key, keys=("bea_api_key",)))
    everything = b"".join(content or b"" for content in tree(settings.landing_dir).values())
    assert KEY.encode() not in everything.lower()
    assert b"***" in everything
    assert KEY not in caplog.text
    assert "UserID" in caplog.text  # httpx did log the URL
    assert KEY not in repr(keyed)
