"""How to break each expectation of each suite, by a change to one thing in a good table.

A case is the table, the expectation's description, and a query on the good table: the change. `row`
is what the gate's failing rows must name, where the expectation can name a row. `also` names other
expectations that the same change cannot but break.
"""

from collections.abc import Iterator
from dataclasses import dataclass

KEYS = {
    "worldbank_wdi__countries": "country_code = 'JPN'",
    "worldbank_wdi__indicators": "indicator_code = 'BX.GSR.ROYL.CD'",
    "worldbank_wdi__observations": (
        "country_code = 'JPN' and indicator_code = 'BX.GSR.ROYL.CD' and _column = '2013'"
        " and _release = '2021-09-15'"
    ),
    "published_figures__figures": "figure_id = 'made-up-04'",
    "iso_3166__countries": "alpha_3 = 'NAM'",
    "iso_3166__subdivisions": "code = 'CN-GD'",
    "ecb_reference_rates__daily": "date = '2020-01-02' and _column = 'USD'",
}


@dataclass(frozen=True)
class Case:
    """One change that breaks one expectation."""

    table: str
    expectation: str
    query: str
    row: str | None = None
    also: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.table}: {self.expectation}"


def cell(table: str, column: str, value: str, where: str) -> str:
    """The table with another value (SQL) in one column of the rows that a condition picks."""
    changed = f'case when {where} then {value} else "{column}" end as "{column}"'
    return f"select * replace ({changed}) from {table}"


def twice(table: str, where: str, **different: str) -> str:
    """The table with one row twice, the second time with other values (SQL)."""
    replaced = ", ".join(f'{value} as "{column}"' for column, value in different.items())
    second = f"* replace ({replaced})" if replaced else "*"
    return (
        f"select * from {table} union all by name"
        f" (select {second} from {table} where {where} limit 1)"
    )


def few(table: str, rows: int = 0) -> str:
    """The table with only its first rows."""
    return f"select * from {table} limit {rows}"


def _raw(name: str, expectation: str, column: str, value: str, where: str = "", *also: str) -> Case:
    table = f"raw.{name}"
    where = where or KEYS[name]
    return Case(table, expectation, cell(table, column, value, where), where, also)


def _raw_twice(name: str, expectation: str, *also: str, **different: str) -> Case:
    table, where = f"raw.{name}", KEYS[name]
    return Case(table, expectation, twice(table, where, **different), where, also)


def _raw_empty(name: str, expectation: str, *also: str) -> Case:
    return Case(f"raw.{name}", expectation, few(f"raw.{name}", 1), None, also)


def raw_cases() -> Iterator[Case]:
    """Every expectation of every raw suite."""
    countries = "worldbank_wdi__countries"
    known = (
        "country_code is a known economy"
        " (ISO 3166-1 alpha-3, or a code in the economies or economy_code_map seed)"
    )
    yield _raw(countries, "table_name is filled in every row", "table_name", "null")
    yield _raw_twice(countries, "one row for each country code")
    yield _raw(countries, known, "country_code", "'QQQ'")
    yield _raw(
        countries,
        "income_group is one of the four the World Bank uses, or empty",
        "income_group",
        "'Rich'",
    )

    indicators = "worldbank_wdi__indicators"
    for column in ("indicator_code", "indicator_name"):
        yield _raw(indicators, f"{column} is filled in every row", column, "null")
    yield _raw_twice(indicators, "one row for each indicator")

    observations = "worldbank_wdi__observations"
    number = "value is a number with a decimal point, below 10 trillion US dollars, or empty"
    tenth = "at least a tenth of the cells hold a figure"
    yield _raw(observations, known, "country_code", "'QQQ'")
    yield _raw(
        observations,
        "indicator_code is one of the two royalty indicators",
        "indicator_code",
        "'BX.GSR.ROYL.ZS'",
    )
    for value in ("'n/a'", "'1,000'", "'1e13'", "'12 000'", "'-1e14'"):
        yield _raw(observations, number, "value", value)
    yield _raw_twice(observations, "one figure for each country, indicator and year", value="'1'")
    yield _raw(observations, tenth, "value", "null", "country_code <> 'USA' or _column <> '2013'")
    yield _raw(observations, "no figure is of a year after the release", "_column", "'2022'")

    yield from _figure_cases()

    iso = "iso_3166__countries"
    shape = "the codes have 2 letters, 3 letters and 3 digits"
    for column in ("alpha_2", "alpha_3", "numeric"):
        yield _raw(iso, f"{column} is filled in every row", column, "null")
        copied = {"alpha_2": "'QQ'", "alpha_3": "'QQQ'", "numeric": "'999'"}
        del copied[column]
        yield _raw_twice(iso, f"{column} is unique", **copied)
        yield _raw(iso, shape, column, "'N?'")
    yield _raw(iso, "name is filled in every row", "name", "null")
    yield _raw_empty(iso, "ISO 3166-1 has about 249 countries and areas")

    subdivisions = "iso_3166__subdivisions"
    for column in ("code", "name", "type"):
        yield _raw(subdivisions, f"{column} is filled in every row", column, "null")
    yield _raw_twice(subdivisions, "code is unique")
    yield _raw_empty(subdivisions, "ISO 3166-2 has about five thousand subdivisions")
    yield _raw(
        subdivisions, "the code begins with a country's two letters and a hyphen", "code", "'CNGD'"
    )

    daily = "ecb_reference_rates__daily"
    dates, rate = "date is an ISO date, not after the release", "value is a rate above zero, or N/A"
    dollar = "every day has a rate of the US dollar"
    whole = "the history since 1999 is whole"
    currencies = "the currencies that figures are stated in are there"
    yen = "date = '2020-01-02' and _column = 'JPY'"
    for value in ("'2 January 2020'", "'2999-01-01'"):
        yield _raw(daily, dates, "date", value)
    for value in ("'0'", "'-1'", "'1,1'"):
        yield _raw(daily, rate, "value", value, yen)
    yield _raw_twice(daily, "one rate for each day and currency", value="'1'")
    yield _raw(daily, dollar, "value", "'N/A'")
    yield _raw_empty(daily, whole, currencies)
    yield Case(f"raw.{daily}", currencies, f"select * from raw.{daily} where _column <> 'KRW'")


def _figure_cases() -> Iterator[Case]:
    figures = "published_figures__figures"
    filled = "filled in every row: figure_id, citation, publisher, value, rounding, stated_as"
    numbers = "value and rounding are numbers with a decimal point, and rounding is above zero"
    units = (
        "unit is a currency (ISO 4217) for levels and changes; percent, rank or year for the others"
    )
    growth = "figure_id = 'made-up-12'"
    for column in ("figure_id", "citation", "publisher", "stated_as"):
        yield _raw(figures, filled, column, "null")
    for column in ("value", "rounding"):
        yield _raw(figures, filled, column, "null", "", numbers)
    yield _raw_twice(figures, "figure_id is unique within the release", partner="'FRA'")
    yield _raw_twice(figures, "each number is stated once", figure_id="'made-up-99'")
    for column, value, about in (
        (
            "reporter",
            "'QQQ'",
            "reporter is a known economy (ISO 3166-1 alpha-3, or a code in the economies seed)",
        ),
        ("partner", "'DEU+QQQ'", "partner is a known economy, or several joined by +"),
        ("partner", "null", "partner is a known economy, or several joined by +"),
        ("sector", "'C99'", "sector is an ISIC Rev.4 code of the sectors seed, or _T"),
        ("category", "'SH9'", "category is a code of the categories seed, or _T"),
        ("affiliation", "'SOME'", "affiliation is a code of the affiliations seed, or _T"),
        ("region", "'KR-99'", "region is an ISO 3166-2 code, or _T"),
        ("concept", "'BPM7'", "concept is one of the concepts seed"),
        ("flow", "'profit'", "flow is receipts, payments, balance or total"),
        ("comparator", "'>='", "comparator is =, <, > or ~"),
        ("unit_multiplier", "'7'", "unit_multiplier is 0, 6 (millions) or 9 (billions)"),
        ("unit", "'percent'", units),
        ("unit", "null", units),
        ("value", "'3,0'", numbers),
        ("rounding", "'0'", numbers),
        ("value", "'-3.0'", "receipts, payments and total are stated as positive levels"),
        (
            "period",
            "'2018S1'",
            "period is written as SDMX writes it: 2018, 2018-S1, 2018-Q3 or 2018-07",
        ),
        (
            "period",
            "'2018-Q5'",
            "period is written as SDMX writes it: 2018, 2018-S1, 2018-Q3 or 2018-07",
        ),
        ("period", "'2020'", "published_on is the release's date, and the period begins before it"),
        (
            "published_on",
            "'2019-07-01'",
            "published_on is the release's date, and the period begins before it",
        ),
    ):
        yield _raw(figures, about, column, value)
    yield _raw(figures, units, "unit", "'USD'", growth)
    yield _raw(
        figures, "measure is one of those in landing/README.md", "measure", "'mean_pct'", growth
    )
