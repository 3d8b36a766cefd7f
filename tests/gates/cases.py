"""How to break each expectation on tables that no module of `tests/sources` covers.

These are the seeds, core, marts, the united observations, and the first four sources.
"""

from collections.abc import Iterator

from tests.dbt.additive_contract import AMOUNTS, TABLES
from tests.gates.suite_cases import FIRST, Case, cells, few, twice

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


def _raw(name: str, expectation: str, column: str, value: str, where: str = "", *also: str) -> Case:
    table = f"raw.{name}"
    where = where or KEYS[name]
    return Case(table, expectation, cells(table, where, **{column: value}), where, also)


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

    yield from _world_bank_cases(known)
    yield from _figure_cases()

    iso = "iso_3166__countries"
    shape = "the codes have 2 letters, 3 letters and 3 digits"
    for column in ("alpha_2", "alpha_3", "numeric"):
        yield _raw(iso, f"{column} is filled in every row", column, "null")
        copied = {"alpha_2": "'QQ'", "alpha_3": "'QQQ'", "numeric": "'999'"}
        del copied[column]
        yield _raw_twice(iso, f"{column} is unique", **copied)
        yield _raw(iso, shape, column, "'N#'")
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
    complete = "the history since 1999 is complete"
    currencies = "the currencies that figures are stated in are there"
    yen = "date = '2020-01-02' and _column = 'JPY'"
    for value in ("'2 January 2020'", "'2999-01-01'"):
        yield _raw(daily, dates, "date", value)
    for value in ("'0'", "'-1'", "'1,1'"):
        yield _raw(daily, rate, "value", value, yen)
    yield _raw_twice(daily, "one rate for each day and currency", value="'1'")
    yield _raw(daily, dollar, "value", "'N/A'")
    yield _raw_empty(daily, complete, currencies)
    yield Case(f"raw.{daily}", currencies, f"select * from raw.{daily} where _column <> 'KRW'")


def _world_bank_cases(known: str) -> Iterator[Case]:
    observations = "worldbank_wdi__observations"
    number = "value is a number with a decimal point, or missing (empty or ..)"
    tenth = "at least a tenth of the cells hold a figure"
    yield _raw(observations, known, "country_code", "'QQQ'")
    yield _raw(
        observations,
        "indicator_code is one of the two royalty indicators",
        "indicator_code",
        "'BX.GSR.ROYL.ZS'",
    )
    for value in ("'n/a'", "'1,000'", "'12 000'"):
        yield _raw(observations, number, "value", value)
    below = "a figure is below 10 trillion US dollars"
    for value in ("'1e13'", "'-10000000000000'"):
        yield _raw(observations, below, "value", value)
    once = "one figure for each country, indicator and year"
    yield _raw_twice(observations, once, value="'1'")
    yield _raw_twice(observations, once, _column="'2013 [YR2013]'")
    few_figures = "country_code <> 'USA' or _column <> '2013'"
    for missing in ("null", "'..'"):
        yield Case(
            f"raw.{observations}",
            tenth,
            cells(f"raw.{observations}", few_figures, value=missing),
        )
    yield _raw(observations, "no figure has a year after the release", "_column", "'2022'")


def _figure_cases() -> Iterator[Case]:
    figures = "published_figures__figures"
    filled = "filled in every row: figure_id, citation, publisher, value, rounding, stated_as"
    numbers = "value and rounding are numbers with a decimal point, and rounding is above zero"
    written = "period is written as SDMX writes it: 2018, 2018-S1, 2018-Q3 or 2018-07"
    dated = "published_on is the release's date, and the period begins before it"
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
        ("period", "'2018S1'", written),
        ("period", "'2018-Q5'", written),
        ("period", "'2020'", dated),
        ("published_on", "'2019-07-01'", dated),
    ):
        yield _raw(figures, about, column, value)
    yield _raw(figures, units, "unit", "'USD'", growth)
    yield _raw(
        figures, "measure is one of those in landing/README.md", "measure", "'mean_pct'", growth
    )


def model_cases() -> Iterator[Case]:
    """Expectations on seeds and models whose arguments do not show how to break them."""
    for of_layers in (_before_core, _core, _marts, _additive):
        for table, expectation, query in of_layers():
            yield Case(table, expectation, query)


def _claims() -> Iterator[tuple[str, str, str]]:
    t = "seeds.published_claims"
    yield t, "period is written as SDMX writes it", cells(t, FIRST, period="'2018S1'")
    yield (
        t,
        "a share of a level lies between 0 and 100 percent",
        cells(t, "claim_id = 'safe-2018s1-manufacturing-receipts-share'", stated_value="101"),
    )
    figure = "claim_id = 'safe-2018s1-receipts'"
    for rounding in ("-1", "0", "1001"):
        bound = "the rounding is above zero, or the claim is an open bound"
        yield t, bound, cells(t, figure, rounding=rounding)
    for claim, other in ((figure, "'2017'"), ("measure = 'receipts_ratio'", "null")):
        comparison = "a comparison names what it compares with, and no other claim does"
        yield t, comparison, cells(t, claim, compared_with=other)


def _before_core() -> Iterator[tuple[str, str, str]]:
    t = "seeds.economies"
    yield (
        t,
        "validity ends after it begins",
        cells(t, FIRST, valid_from="date '2020-01-02'", valid_to="date '2020-01-01'"),
    )
    t = "seeds.economy_code_map"
    yield (
        t,
        "a code is mapped to another, not to itself",
        cells(t, FIRST, economy_code="source_code"),
    )
    t = "seeds.currency_code_map"
    for wrong in ({"currency": "'yen'"}, {"first_year": "2020", "last_year": "2019"}):
        yield t, "a currency is a code of three letters", cells(t, FIRST, **wrong)
    yield from _claims()

    t = "staging.stg_ecb_reference_rates__daily"
    yield (
        t,
        "a rate neither doubles nor halves within ten days",
        cells(t, "day = '2020-01-02' and currency = 'JPY'", units_per_eur="3 * units_per_eur"),
    )
    yield (
        t,
        "a rate lies between 0.0001 and 10 million units per euro",
        f"select * replace (0 as units_per_eur) from {t} limit 1",
    )
    t = "staging.stg_published_figures__figures"
    yield (
        t,
        "a number is not smaller than its rounding by a factor of a thousand",
        cells(t, FIRST, value="0.00001"),
    )
    yield (
        t,
        "a level in US dollars is at most ten trillion",
        cells(t, "figure_id = 'made-up-01'", value="10001"),
    )
    t = "staging.stg_worldbank_wdi__countries"
    yield t, "region is one of the World Bank's seven", cells(t, FIRST, region="'Atlantis'")
    t = "staging.stg_worldbank_wdi__observations"
    yield (
        t,
        "the United States, the largest payee, is in every release"
        " that has more than a hundred countries",
        f"select r.* replace ('Q' || i as country_code) from (from {t} limit 1) as r,"
        " range(101) as numbers (i)",
    )

    for t, code in (
        ("intermediate.int_economies", "economy_code"),
        ("core.dim_reporter", "reporter_code"),
        ("core.dim_partner", "partner_code"),
    ):
        yield (
            t,
            "the countries of ISO 3166-1 and the seed's economies",
            f"select * from {t} where kind = 'country' or {code} = 'WLD'",
        )
    t = "intermediate.int_economies"
    yield (
        t,
        "Namibia is there, with NA as its ISO 3166-1 alpha-2 code",
        cells(t, "economy_code = 'NAM'", iso2="null"),
    )
    t = "intermediate.int_economy_classifications"
    yield t, "an interval ends after it begins", cells(t, FIRST, valid_to="valid_from")
    t = "intermediate.int_covering_members"
    japan = "dimension = 'partner' and member_code = 'JPN'"
    yield t, "a member that always counts", cells(t, japan, preferred_code="'CHN'")
    yield (
        t,
        "of two members that overlap",
        twice(
            t,
            "member_code = 'IND_PROP' and preferred_code = 'SH1'",
            member_code="preferred_code",
            preferred_code="member_code",
        ),
    )
    t = "intermediate.int_exchange_rates"
    yield (
        t,
        "an average covers enough days: 10 per month",
        cells(t, "currency = 'JPY' and period = '2018-S1'", days="59"),
    )
    yield (
        t,
        "where the Federal Reserve has a year",
        cells(t, "currency = 'JPY'", units_per_usd="1 / units_per_usd"),
    )
    t = "intermediate.int_flows_by_release"
    yield (
        t,
        "a row states at least one of receipts, payments, balance and total, or says why not",
        cells(t, FIRST, balance="null", balance_is_stated="true"),
    )
    yield (
        t,
        "a stated balance is the receipts less the payments",
        cells(
            t, "balance_is_stated and source = 'safe_bop_time_series'", balance="balance + 100000"
        ),
    )
    t = "intermediate.int_measures_by_release"
    yield (
        t,
        "a first year in surplus is a year",
        cells(t, FIRST, measure="'first_year_in_surplus'", found_value="1"),
    )
    yield t, "a rank is 1 or more", cells(t, "measure = 'rank_by_receipts'", found_value="0")
    t = "intermediate.int_members"
    part = "dimension = 'partner' and member_code = 'JPN'"
    yield t, "every part of a total takes a rank", cells(t, part, is_ranked="false")
    t = "intermediate.int_observations"
    yield (
        t,
        "a rate is there for every currency and period since 1999",
        cells(t, FIRST, rate_is_missing="true"),
    )
    t = "intermediate.int_united_observations"
    yield (
        t,
        "no figure has a year after its release",
        cells(t, "source = 'worldbank_wdi' and row_number = 2", period="'2999'"),
    )
    yield (
        t,
        "a figure without a value says why",
        cells(t, "obs_status = 'Q'", obs_status="'A'"),
    )
    for t in ("intermediate.int_published_figures__figures", "core.fct_stated_rates"):
        yield (
            t,
            "a growth rate lies between -100 and 10,000 percent",
            cells(t, "measure = 'growth_pct'", value="-101"),
        )
    t = "intermediate.int_levels_year_before"
    yield (
        t,
        "a derived level of the year before is below 500 billion US dollars",
        cells(t, FIRST, value_usd_m="500000"),
    )
    t = "intermediate.int_stated_rates"
    yield (
        t,
        "a stated share lies between 0 and 100 percent",
        cells(t, "measure = 'share_pct'", value="101"),
    )


def _core() -> Iterator[tuple[str, str, str]]:
    t = "core.dim_economy_classification"
    yield (
        t,
        "at least three income groups have ten economies or more"
        " in a release that classifies more than a hundred",
        "select r.* replace (case when i < 9 then 'Low income' else 'High income' end"
        f" as income_group) from (from {t} limit 1) as r, range(101) as numbers (i)",
    )
    t = "seeds.aggregate_members"
    yield (
        t,
        "no member is listed twice, and no aggregate has itself as a member",
        cells(t, FIRST, members="members || '+' || members"),
    )
    t = "core.dim_aggregate_member"
    yield (
        t,
        "no aggregate is a member of itself",
        cells(t, FIRST, member_code="aggregate_code"),
    )
    for role in ("reporter", "partner"):
        t = f"core.dim_{role}"
        yield (
            t,
            "the world and 240 countries or more are there",
            cells(t, f"{role}_code = 'WLD'", **{f"{role}_code": "'W00'"}),
        )
    t = "core.dim_exchange_rate"
    yield (
        t,
        "a rate is there unless the method says that there is none",
        cells(t, "currency = 'JPY' and period = '2018'", units_per_usd="null"),
    )
    t = "core.dim_period"
    yield (
        t,
        "a period has between 28 and 366 days",
        cells(t, FIRST, end_date="start_date + interval 366 days"),
    )
    t = "core.fct_royalty_observations"
    stated = "each source with a current release states at least one number"
    yield t, stated, f"select * from {t} where source <> 'worldbank_wdi'"
    yield t, stated, cells(t, "source = 'worldbank_wdi'", value="null", value_usd_m="null")
    yield (
        t,
        "US dollars and the stated currency agree where that is US dollars",
        cells(t, "source = 'worldbank_wdi' and row_number = 2", value_usd_m="value_usd_m / 1000"),
    )
    yield (
        t,
        "receipts or payments are negative in less than one of a hundred figures of a release"
        " (corrections)",
        cells(t, "flow = 'receipts'", value="-value", value_usd_m="-value_usd_m"),
    )
    t = "core.fct_royalty_flows"
    yield (
        t,
        "payments or receipts of one reporter stay below 500 billion US dollars",
        cells(t, "reporter_code = 'USA' and period = '2013'", payments_usd_m="500001"),
    )


def _marts() -> Iterator[tuple[str, str, str]]:
    for dimension in ("affiliation", "category", "partner", "region", "sector"):
        yield from _mart_special(f"marts.mart_balance_by_{dimension}", dimension)
    t = "marts.mart_revisions"
    yield (
        t,
        "fewer than half of the numbers of a release change by more than a half",
        cells(t, "reporter_code <> 'USA'", change_pct="-51"),
    )
    t = "marts.mart_aggregates"
    yield (
        t,
        "an aggregate is the sum of the members that report (1 percent is left for rounding)",
        cells(t, FIRST, receipts_usd_m="100", receipts_not_of_members_usd_m="2"),
    )
    yield (
        t,
        "no more members report, and no more are compared, than the aggregate has",
        cells(t, FIRST, members="1", reporters_counted_receipts="2"),
    )
    t = "marts.mart_world_ranking"
    yield (
        t,
        "ranks run from 1 to at most the number of reporters",
        cells(t, FIRST, rank_by_balance="reporters_ranked + 1"),
    )
    yield (
        t,
        "a rank is among 50 or more, and says among how many",
        cells(t, FIRST, rank_by_payments="1", payments_ranked_among="null"),
    )
    yield (
        t,
        "the United States has been among the first three by receipts of the World Bank's economies"
        " since 1990",
        cells(
            t,
            "reporter_code = 'USA'",
            rank_by_receipts="4",
            receipts_ranked_among="51",
            reporters_ranked="51",
        ),
    )
    t = "marts.mart_preferred_sources"
    yield (
        t,
        "the statements of one choice have places from 1 to their number",
        cells(t, FIRST, place="place + 1"),
    )
    yield (
        t,
        "a statement with members comes before those with a total alone",
        f"select * replace (false as has_members) from {t} union all select * replace (true as"
        " has_members, place + max(place) over (partition by dimension, reporter_code, period,"
        f" concept) as place) from {t}",
    )
    t = "marts.mart_coverage"
    yield (
        t,
        "the parts of receipts or payments do not exceed their total"
        " (1 percent is left for rounding)",
        cells(t, FIRST, flow="'receipts'", total_usd_m="1", coverage_pct="102"),
    )
    yield (
        t,
        "at most half of a source's figures are suppressed or missing in the totals",
        cells(t, "dimension = 'total'", figures_missing="1000"),
    )
    t = "marts.mart_mirror_asymmetry"
    yield t, "an economy is not its own mirror", cells(t, FIRST, payer_code="receiver_code")
    yield (
        t,
        "vintage, method, rounding, currency and the unexplained rest add up to the asymmetry",
        cells(t, FIRST, unexplained_usd_m="unexplained_usd_m - 0.000001"),
    )
    yield (
        t,
        "rounding and currency have the sign of the gap that vintage and method leave",
        cells(t, FIRST, rounding_range_usd_m="-1"),
    )
    yield (
        t,
        "the two sides differ by a factor of less than a hundred where both are above 100 million",
        cells(t, FIRST, receipts_stated_usd_m="101", payments_stated_usd_m="10101"),
    )
    t = "marts.claim_verdicts"
    yield (
        t,
        "a claim without an answer names the public source that would have it",
        cells(t, FIRST, verdict="'no_data'", data_would_be_in="null"),
    )
    t = "marts.mart_published_claims"
    yield (
        t,
        "no text contradicts itself",
        cells(
            t,
            FIRST,
            verdict="'contradicted'",
            source="'published_figures'",
            release_date="date '2018-12-31'",
            text_release="date '2018-12-31'",
        ),
    )


def _additive() -> Iterator[tuple[str, str, str]]:
    one_more = {amount: f"coalesce({amount}, 0) + 1" for amount in AMOUNTS}
    for table in TABLES:
        annual = f"flows_by_{table.split('_')[2]}"
        # A table of other periods has the same columns, and rows where this one is empty.
        t = f"marts.{annual if annual != 'flows_by_subdivision' else annual + '_half_yearly'}"
        if annual == "flows_by_country":
            rule = "each row is a total that its source states"
            yield f"marts.{table}", rule, cells(t, FIRST, **one_more)
            continue
        yield (
            f"marts.{table}",
            "the rows of one country and period add up to the total that their source states",
            cells(t, "member_kind = 'unallocated'", **one_more),
        )
        yield (
            f"marts.{table}",
            "the rows of one country and period are from one source, release and currency",
            twice(t, "member_kind = 'unallocated'", **{a: f"{a} - {a}" for a in AMOUNTS}),
        )


def _mart_special(table: str, dimension: str) -> Iterator[tuple[str, str, str]]:
    total = "'WLD'" if dimension == "partner" else "'_T'"
    part = f"{dimension}_code <> {total} and period = '2018-S1'"
    yield (
        table,
        "a part is not larger than its total (1 percent is left for rounding)",
        cells(table, part, share_of_receipts_pct="102", member_kind="'group'"),
    )
    two = " union all ".join(
        f"(select * replace ('{code}' as {dimension}_code, 60 as share_of_payments_pct,"
        f" 'section' as member_kind) from {table} where {part} limit 1)"
        for code in "AB"
    )
    yield (
        table,
        "the ranked parts together are not larger than their total"
        " (1 percent is left for rounding)",
        f"select * from ({two})",
    )
    yield (
        table,
        "the total's own share is 100 percent, and it has no rank",
        cells(table, f"{dimension}_code = {total}", share_of_payments_pct="99"),
    )
    yield (
        table,
        "a rank is among 2 or more, and says among how many",
        cells(table, part, rank_by_receipts="1", receipts_ranked_among="1"),
    )


# An empty table has no numbers of any source either.
_NOTHING_OBSERVED = Case(
    "core.fct_royalty_observations",
    "at least one observation",
    few("core.fct_royalty_observations"),
    also=("each source with a current release",),
)

CASES = [*raw_cases(), *model_cases(), _NOTHING_OBSERVED]
