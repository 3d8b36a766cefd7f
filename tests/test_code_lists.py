from dagster_project.code_lists import code_lists, seed


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
