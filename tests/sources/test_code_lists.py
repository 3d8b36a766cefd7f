from datetime import date

from dagster_project.sources.code_lists import code_lists, seed


def test_a_seed_keeps_every_cell_as_text() -> None:
    namibia_like = [row for row in seed("economies") if row["iso2"] == ""]
    assert namibia_like
    assert all(isinstance(cell, str) for row in seed("economies") for cell in row.values())


def test_codes_are_those_of_iso_the_seeds_and_the_mappings() -> None:
    lists = code_lists()
    assert {"NAM", "USA", "WLD", "KSV", "XKX"} <= set(lists["economy_codes"])
    assert {"_T", "C", "GTU"} <= set(lists["sector_codes"])
    assert {"_T", "SH1", "COPYRIGHT"} <= set(lists["category_codes"])
    assert {"_T", "CN-GD"} <= set(lists["region_codes"])
    assert {"USD", "JPY", "EUR"} <= set(lists["currency_codes"])


def test_a_source_whose_codes_mean_something_else_has_a_list_of_its_own() -> None:
    lists = code_lists()
    for dimension in ("economy", "sector", "category", "currency"):
        for row in seed(f"{dimension}_code_map"):
            assert row["source_code"] in lists[f"{row['source']}_{dimension}_codes"]


def test_a_code_is_known_in_the_releases_for_which_its_row_is_valid() -> None:
    euro_area = [row for row in seed("economy_code_map") if row["source_code"] == "EMU"]
    assert [(row["valid_from"], row["valid_to"]) for row in euro_area] == [
        ("2015-01-01", "2023-01-01")
    ]
    known = {
        str(day): "EMU" in code_lists(day)["worldbank_wdi_economy_codes"]
        for day in (
            date(2014, 12, 31),
            date(2015, 1, 1),
            date(2022, 12, 31),
            date(2023, 1, 1),
        )
    }
    assert known == {
        "2014-12-31": False,
        "2015-01-01": True,
        "2022-12-31": True,
        "2023-01-01": False,
    }
    assert "EMU" in code_lists()["worldbank_wdi_economy_codes"]


def test_a_source_without_valid_rows_knows_no_code() -> None:
    lists = code_lists(date(1990, 1, 1))
    assert lists.keys() == code_lists().keys()
