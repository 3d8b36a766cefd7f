"""The contract of the tables that add up, as a function over a connection to a published file."""

import random
from collections.abc import Iterator

import duckdb

DIMENSIONS = ("country", "partner", "sector", "category", "affiliation", "subdivision")
FREQUENCIES = {"": "A", "_half_yearly": "S", "_quarterly": "Q", "_monthly": "M"}
TABLES = [f"flows_by_{dimension}{suffix}" for dimension in DIMENSIONS for suffix in FREQUENCIES]
FLOWS = ("receipts", "payments", "balance")
AMOUNTS = [f"{flow}{unit}" for unit in ("_usd_m", "") for flow in FLOWS]
STATEMENT = "reporter_code, period, source, release_date, currency"

# What a member of a dimension may be, by its dimension table; `_X` is not asked.
_NO_MEMBER = {
    "partner": "dim_partner: not (kind = 'country' or kind = 'unallocated' and code <> '_U')",
    "sector": "dim_sector: not (sector_level in ('section', 'division') or code = 'RTS')",
    "category": "dim_category: not (kind = 'group' or code in ('SH1', 'SH2', 'SH3', 'SH4'))",
    "affiliation": "dim_affiliation: code not in ('AFFILIATED', 'UNAFFILIATED')",
    "subdivision": "dim_region: code in ('_T', '_U')",
}


def violations(con: duckdb.DuckDBPyConnection, seed: int = 0) -> list[str]:
    """Return what breaks the contract, each with its table and first row; empty if nothing does.

    con: to a published file. seed: of the random subsets of rows that are summed.
    """
    _create_stated_totals(con)
    found = []
    for table in TABLES:
        for rule, sql in _rules(table, random.Random(f"{seed} {table}")):
            row = con.execute(sql).fetchone()
            if row is not None:
                found.append(f"{table}: {rule}: {row}")
    return found


def _create_stated_totals(con: duckdb.DuckDBPyConnection) -> None:
    """Create the totals as core states them, rounded to six decimals, and members as it does."""
    amounts = ", ".join(
        f"{flow}{unit}::decimal(18, 6) as {flow}{unit}"
        for unit in ("_usd_m", "")
        for flow in ("receipts", "payments")
    )
    balances = ", ".join(
        f"case when balance_is_stated then balance{unit}::decimal(18, 6)"
        f" else receipts{unit}::decimal(18, 6) - payments{unit}::decimal(18, 6)"
        f" end as balance{unit}"
        for unit in ("_usd_m", "")
    )
    con.execute(
        "create or replace temp table stated as select reporter_code, period, frequency, source,"
        " release_date, currency, partner_code, sector_code, category_code, affiliation_code,"
        f" region_code as subdivision_code, {amounts}, {balances}"
        " from core.fct_royalty_flows where concept = 'BPM6_SH'"
    )
    con.execute(
        "create or replace temp table totals as select * from stated where partner_code = 'WLD'"
        " and sector_code = '_T' and category_code = '_T' and affiliation_code = '_T'"
        " and subdivision_code = '_T'"
    )


def _rules(table: str, chance: random.Random) -> Iterator[tuple[str, str]]:
    """Yield the rules of a table: a name and a query for the rows that break it."""
    dimension = table.split("_")[2]
    suffix = table.removeprefix(f"flows_by_{dimension}")
    frequency = FREQUENCIES[suffix]
    mart = f"marts.{table}"
    series = "reporter_code" + ("" if dimension == "country" else f", {dimension}_code")
    key = f"{series}, period"
    yield "a key occurs twice", f"select {key} from {mart} group by all having count(*) > 1"
    yield (
        "a reporter is no country",
        f"select * from {mart} semi join core.dim_reporter as reporters"
        " on reporters.reporter_code = " + f"{table}.reporter_code and reporters.kind <> 'country'",
    )
    yield (
        "a period of another frequency, or of another year than it says",
        f"select period, year from {mart} where period not in (select period from core.dim_period"
        f" where frequency = '{frequency}') or year <> left(period, 4)::int",
    )
    yield (
        "two sources, releases or currencies beside each other",
        f"select reporter_code, period from {mart} group by all having count(distinct source) > 1"
        " or count(distinct release_date) > 1 or count(distinct currency) > 1",
    )
    yield (
        "another source, release or currency than the last row, and no break",
        "select * from (select *, lag((source, release_date, currency)) over"
        f" (partition by {series} order by period) as last from {mart})"
        " where last <> (source, release_date, currency)"
        " and not is_break_in_series",
    )
    for flow in FLOWS:
        yield (
            f"{flow}: a comparator without a number, or a number without one",
            f"select {key}, {flow}, {flow}_comparator from {mart}"
            f" where ({flow} is null) <> ({flow}_comparator is null)",
        )
    yield from _subsets(mart, dimension, chance)
    if dimension == "country":
        yield from _country_rules(mart)
    else:
        yield from _breakdown_rules(mart, dimension, frequency, suffix)


def _country_rules(mart: str) -> Iterator[tuple[str, str]]:
    differs = " or ".join(f"flows.{amount} is distinct from totals.{amount}" for amount in AMOUNTS)
    yield (
        "a row is not the total that its source states",
        f"select flows.* from {mart} as flows left join totals using ({STATEMENT})"
        f" where totals.source is null or {differs}",
    )
    yield (
        "a country that a source states is not there",
        f"select reporter_code, period from totals semi join core.dim_reporter as reporters on"
        " reporters.reporter_code = totals.reporter_code and reporters.kind = 'country'"
        " and reporters.members is null"
        f" where period in (select period from {mart}) and coalesce(receipts, payments, balance)"
        f" is not null except select reporter_code, period from {mart}",
    )
    for flow in FLOWS:
        yield (
            f"{flow}: a rank among fewer than 50 countries, not by the amounts, or below a blank",
            f"with ranked as (select *, count({flow}_usd_m) over (partition by period) as known,"
            f" (select count(*) from {mart} as others where others.period = flows.period"
            f" and others.{flow}_usd_m > flows.{flow}_usd_m) + 1 as place, (select"
            f" max(before.{flow}_usd_m) from {mart} as before natural join (select reporter_code"
            " from core.dim_reporter where members is null) inner join core.dim_period as periods"
            " on periods.year_before = before.period where periods.period = flows.period and"
            f" before.reporter_code not in (select reporter_code from {mart} as others where"
            f" others.period = flows.period and others.{flow}_usd_m is not null)) as missing"
            f" from {mart} as flows), checked as (select *, known >= 50 and {flow}_usd_m is not"
            f" null and coalesce(missing < {flow}_usd_m, true) as has_rank from ranked)"
            f" select * from checked where rank_by_{flow} is distinct from"
            f" (case when has_rank then place end) or {flow}_ranked_among is distinct from"
            " (case when has_rank then known end)",
        )


def _breakdown_rules(
    mart: str, dimension: str, frequency: str, suffix: str
) -> Iterator[tuple[str, str]]:
    code = f"{dimension}_code"
    for amount in AMOUNTS:
        rest = f"max(case when member_kind = 'unallocated' then {amount} end)"
        yield (
            f"{amount} does not add up to the stated total",
            f"with sums as (select {STATEMENT}, sum({amount}) as parts, {rest} as rest"
            f" from {mart} group by all)"
            f" select * from sums left join totals using ({STATEMENT})"
            f" where case when totals.{amount} is null then rest is not null"
            f" else parts is distinct from totals.{amount} end",
        )
    yield (
        "not exactly one row for the rest of a total",
        f"select reporter_code, period from {mart} group by all"
        f" having count(*) filter ({code} = '_X' and member_kind = 'unallocated') <> 1"
        f" or count(*) filter ({code} = '_X' or member_kind = 'unallocated') <> 1",
    )
    dimension_table, _, condition = _NO_MEMBER[dimension].partition(": ")
    name = "region_code" if dimension == "subdivision" else code
    yield (
        "a total, an aggregate or a detail among the members",
        f"select * from {mart} where {code} <> '_X' and {code} in (select {name}"
        f" from core.{dimension_table} where {condition.replace('code ', name + ' ')})",
    )
    others = [other for other in DIMENSIONS[1:] if other != dimension]
    at_total = " and ".join(
        f"stated.{other}_code = '{'WLD' if other == 'partner' else '_T'}'" for other in others
    )
    differs = " or ".join(f"flows.{amount} is distinct from stated.{amount}" for amount in AMOUNTS)
    yield (
        "a member is not as its source states it",
        f"select flows.* from {mart} as flows left join stated"
        f" on {_equal('flows', 'stated', (*STATEMENT.split(', '), code))} and {at_total}"
        f" where flows.member_kind <> 'unallocated' and (stated.source is null or {differs})",
    )
    if dimension == "sector":
        yield (
            "two levels of a classification beside each other",
            f"select reporter_code, period from {mart} where member_kind <> 'unallocated'"
            " and sector_code <> 'RTS' group by all having count(distinct sector_level) > 1",
        )
    if dimension == "category":
        yield (
            "a group beside its parts",
            f"select reporter_code, period from {mart} group by all having"
            " bool_or(category_code = 'IND_PROP') and bool_or(category_code in ('SH1', 'SH2'))"
            " or bool_or(category_code = 'COPYRIGHT') and bool_or(category_code in ('SH3', 'SH4'))",
        )
    if dimension == "partner":
        yield (
            "a partner beside one that it contains",
            f"select wholes.* from {mart} as wholes inner join core.dim_partner as members"
            " on members.partner_code = wholes.partner_code and members.kind = 'country'"
            f" inner join {mart} as parts"
            " on parts.reporter_code = wholes.reporter_code and parts.period = wholes.period"
            " and list_contains(string_split(members.members, '+'), parts.partner_code)",
        )
    missing = " or ".join(
        f"totals.{flow} is null and (count(flows.{flow}) > 0 or bool_or(flows.{flow}_status = 'Q'))"
        for flow in FLOWS[:2]
    )
    yield (
        "has_total is not whether the flows of members have a total",
        f"select reporter_code, period from {mart} as flows left join totals using ({STATEMENT})"
        " where member_kind <> 'unallocated' group by reporter_code, period, has_total,"
        f" totals.receipts, totals.payments having has_total = ({missing} or"
        " coalesce(totals.receipts, totals.payments) is null)",
    )
    yield (
        "the number of members without a balance is not on the row for the rest",
        f"select {code}, members_without_balance, counted from (select *, case when member_kind ="
        " 'unallocated' then count(*) filter (member_kind <> 'unallocated' and balance is null)"
        f" over (partition by reporter_code, period) else 0 end as counted from {mart})"
        " where members_without_balance <> counted",
    )
    yield (
        "the country's total is not said to be that of the breakdown",
        f"select flows.* from {mart} as flows left join marts.flows_by_country{suffix}"
        f" as countries using ({STATEMENT})"
        " where flows.has_country_total <> (countries.source is not null)",
    )
    for flow in FLOWS[:2]:
        yield from _share_and_rank_rules(mart, dimension, flow)


def _share_and_rank_rules(mart: str, dimension: str, flow: str) -> Iterator[tuple[str, str]]:
    code = f"{dimension}_code"
    yield (
        f"{flow}: shares do not add up to 100",  # each is rounded to four decimals
        f"select reporter_code, period, sum(share_of_{flow}_pct) from {mart} group by all"
        f" having abs(sum(share_of_{flow}_pct) - 100) > 0.00005 * count(share_of_{flow}_pct) + 1e-9"
        f" or (sum({flow}_usd_m) <> 0 and bool_or(member_kind = 'unallocated'"
        f" and {flow}_usd_m is not null) and count(share_of_{flow}_pct) <> count({flow}_usd_m))",
    )
    yield (
        f"{flow}: the number withheld is not on the row for the rest",
        f"select {code}, withheld_{flow}, counted from (select *, case when member_kind ="
        " 'unallocated' then count(*) filter (member_kind <> 'unallocated'"
        f" and {flow} is null and {flow}_status = 'Q') over (partition by reporter_code, period)"
        f" else 0 end as counted from {mart}) where withheld_{flow} <> counted",
    )
    yield (
        f"{flow}: a rank that is not by the amounts of members, or among fewer than two",
        f"select flows.* from {mart} as flows where rank_by_{flow} is not null and ("
        f" member_kind <> 'member' or {flow}_usd_m is null or {flow}_ranked_among < 2 or"
        f" (rank_by_{flow}, {flow}_ranked_among) <> (select (count(*) filter"
        f" (others.{flow}_usd_m > flows.{flow}_usd_m) + 1, count(others.{flow}_usd_m))"
        f" from {mart} as others where others.member_kind = 'member'"
        " and others.reporter_code = flows.reporter_code and others.period = flows.period))",
    )
    yield (
        f"{flow}: a rank although a withheld or unlisted member could be above",
        f"select flows.* from {mart} as flows inner join {mart} as rest"
        " on rest.reporter_code = flows.reporter_code and rest.period = flows.period"
        f" and rest.member_kind = 'unallocated' where flows.rank_by_{flow} is not null"
        f" and coalesce(flows.{flow}_usd_m < rest.{flow}_usd_m, true)",
    )
    if dimension == "category":
        yield (
            f"{flow}: a rank although a category is within others",
            f"select flows.* from {mart} as flows semi join (select reporter_code, period from"
            f" {mart} where {flow} is null and {flow}_status = 'L') using (reporter_code, period)"
            f" where flows.rank_by_{flow} is not null",
        )


def _subsets(mart: str, dimension: str, chance: random.Random) -> Iterator[tuple[str, str]]:
    """Sums over random subsets equal the sums over their disjoint parts, and over core's rows."""
    code = "reporter_code" if dimension == "country" else f"{dimension}_code"
    for _ in range(3):
        year, letter = chance.randint(1990, 2023), chance.choice("ACEGJMSU")
        conditions = [
            f"year >= {year}",
            f"{code} >= '{letter}'",
            f"hash({code}) % 3 = {chance.randint(0, 2)}",
            f"source >= '{chance.choice('abopsw')}'",
        ]
        chosen = " and ".join(chance.sample(conditions, chance.randint(1, 3)))
        part = chance.choice(["reporter_code", "source", "year", code])
        differs = " or ".join(f"whole.{amount} <> parts.{amount}" for amount in AMOUNTS)
        sums = ", ".join(f"sum({amount}) as {amount}" for amount in AMOUNTS)
        yield (
            f"a sum where {chosen} is not that of its parts by {part}",
            f"with rows_summed as (select * from {mart} where {chosen}), whole as (select {sums}"
            f" from rows_summed), parts as (select {sums} from (select {part}, {sums}"
            f" from rows_summed group by {part})) select * from whole, parts where {differs}",
        )
        if dimension != "country":
            yield (
                f"rows where {chosen} and their complement do not make the totals",
                f"with sides as (select {STATEMENT}, {chosen} as is_chosen,"
                f" {sums} from {mart} group by all), sums as (select {STATEMENT}, {sums}"
                f" from sides group by all) select * from sums inner join totals"
                f" using ({STATEMENT}) where "
                + " or ".join(f"sums.{amount} <> totals.{amount}" for amount in AMOUNTS),
            )


def _equal(left: str, right: str, columns: tuple[str, ...]) -> str:
    return " and ".join(f"{left}.{column} = {right}.{column}" for column in columns)
