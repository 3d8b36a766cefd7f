"""Made-up BaTIS bulk files: any number of rows, either mirror's layout, the same bytes every time.

204 reporters (2 of them groups) x 206 partners (4 groups) x 31 items x 20 years x 2 flows, without
an economy's trade with itself: 51,856,800 records at most; the edition of December 2025 has
49,604,340. Fewer rows are fewer pairs of economies: every reporter with the world first, then with a
member of the two groups, since a group's figure stands for its members until one of them has its own,
then pairs drawn over all, in both directions. The reported value is missing in 96.51 % of the records.

Values are computed in whole millionths of a million US dollars by a small multiplicative generator,
so that another program can recompute them (`totals.py` does, with numpy):

- balanced: by exporter, importer, item and year, hence the same on both sides;
- final: the balanced value within 10 %, by side;
- reported, where there is one: the final value within 5 %, since OECD and WTO adjust it;
- another vintage: each balanced value revised upwards by up to a tenth, and all that follows;
- groups: a part of the sum over the countries that the file has; the world: that sum and the rest of
  the world together;
- what a group reports: with a country, the mirror of what the country states for the group; with the
  other group, the same part of the smaller of their sums on both sides.
"""

import argparse
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pycountry

FULL_ROWS = 49_604_340
RELEASE, SECOND_RELEASE = "2025-12-01", "2026-06-01"
YEARS = tuple(range(2005, 2025))
FLOWS = ("X", "M")
ITEMS = (
    *("S", "SA", "SB", "SC", "SC1", "SC2", "SC3", "SC4", "SD", "SDA", "SDB", "SE", "SF", "SG"),
    *("SH", "SI", "SI1", "SI2", "SI3", "SJ", "SJ1", "SJ2", "SJ3", "SK", "SK1", "SK2", "SL"),
    *("SOX", "SOX1", "SPX1", "SPX4"),
)
ASKED_FOR = ("CHN", "DEU", "GBR", "JPN", "NAM", "USA")  # in the queries of the docs, and a trap
GROUPS = ("WLD", "EU27", "EMU", "ROW")  # the first two of the others are reporters too
GROUP_REPORTERS = ("EU27", "EMU")
GROUP_SHARE = {"WLD": 1, "EU27": 2, "EMU": 3, "ROW": 4}  # of all countries: one part in this many
GROUP_MEMBER = "DEU"  # of EU27 and EMU
PART_OF_GROUPS = 6  # of the smaller sum of the two that report: one part in this many
REVISED_BY = 4  # millionths at least, beside 0 to 9.9 %: enough to change what is 5 % off as well
# Seen in the edition of December 2025, or named by its documentation.
ESTIMATED = ("E0", "E1", "E2", "E3", "E5", "E8.2", "M1.3", "M2.2", "M8.2", "M8.3", "W0")
REPORTED = ("R_IMF", "R_NAT", "R_OECD", "R_EU_ITS")
RECORDS_A_PAIR = len(FLOWS) * len(ITEMS) * len(YEARS)

_MODULUS, _MULTIPLIER = 2_147_483_647, 48_271  # MINSTD


@dataclass(frozen=True)
class Economy:
    """An economy by its number (from 0, countries first), with its code in each mirror."""

    number: int
    iso3: str
    iso2: str
    kind: str


def economies() -> list[Economy]:
    """Return 202 countries, Namibia (`NA`) and Kosovo (`888`) among them, then the four groups."""
    countries = sorted(pycountry.countries, key=lambda country: country.alpha_3)
    spare = [c for at, c in enumerate(countries) if at % 4 == 0 and c.alpha_3 not in ASKED_FOR]
    left_out = {country.alpha_3 for country in spare[: len(countries) - 201]}
    wanted = [country for country in countries if country.alpha_3 not in left_out]
    codes = [(c.alpha_3, c.alpha_2, "c") for c in wanted] + [("888", "888", "c")]
    codes += [(code, "WL" if code == "WLD" else code, "g") for code in GROUPS]
    return [Economy(number, *code) for number, code in enumerate(codes)]


def _mixed(expression: str) -> str:
    """SQL: three steps of the generator, from any whole number."""
    value = f"(({expression})::bigint % {_MODULUS})"
    for step in (1, 2, 3):
        value = f"(({value} * {_MULTIPLIER} + {step}) % {_MODULUS})"
    return value


def _worlds(values: str) -> str:
    """SQL: the sums over the partners that are countries, which come first."""
    countries = sum(economy.kind == "c" for economy in economies())
    return f"""
        select
            reporter, flow, item, year,
            sum(final_stated)::bigint as final_of_all, sum(balanced_stated)::bigint as balanced_of_all
        from (from {values}) where partner < {countries}
        group by all
        """


def _share(of_all: str) -> str:
    """SQL: a group's part of the countries' sum; the world has the rest of the world besides it."""
    rest = f"case when part = 1 then coalesce(worlds.{of_all}, 0) // {GROUP_SHARE['ROW']} end"
    return f"coalesce(worlds.{of_all}, 0) // part + coalesce({rest}, 0)"


def create_records(con: duckdb.DuckDBPyConnection, rows: int, vintage: int = 0) -> None:
    """Create the view `records`: the first `rows` records, in the file's order, as numbers.

    Columns: position, reporter, partner, flow, item, year (numbers from 0), reported, final,
    balanced (millionths; NULL is missing), methodology.
    """
    everyone = economies()
    countries = sum(economy.kind == "c" for economy in everyone)
    world = next(e.number for e in everyone if e.iso3 == "WLD")
    member = next(e.number for e in everyone if e.iso3 == GROUP_MEMBER)
    con.execute("create table economies (number bigint, iso3 text, iso2 text, kind text)")
    con.executemany(
        "insert into economies values (?, ?, ?, ?)", [[*vars(e).values()] for e in everyone]
    )
    con.execute("create table shares (number bigint, part int, is_reporter boolean)")
    con.executemany(
        "insert into shares values (?, ?, ?)",
        [
            [e.number, GROUP_SHARE.get(e.iso3, 0), e.kind == "c" or e.iso3 in GROUP_REPORTERS]
            for e in everyone
        ],
    )
    group_reporters = ", ".join(f"'{code}'" for code in GROUP_REPORTERS)
    con.execute(
        f"""
        create table pairs as
        with drawn as (
            select
                reporters.number as reporter,
                partners.number as partner,
                row_number() over (
                    order by
                        partners.number <> {world},
                        {member} not in (reporters.number, partners.number),
                        {member} in (reporters.number, partners.number)
                        and greatest(reporters.number, partners.number) >= {countries},
                        {
            _mixed(
                "least(reporters.number, partners.number)"
                " * 1009 + greatest(reporters.number, partners.number)"
            )
        },
                        reporters.number,
                        partners.number
                ) - 1 as draw
            from economies as reporters
            cross join economies as partners
            where reporters.number <> partners.number
            and (reporters.kind = 'c' or reporters.iso3 in ({group_reporters}))
        )
        select
            reporter,
            partner,
            -- The last pair may have a part of its records alone.
            least({RECORDS_A_PAIR}, {rows} - draw * {RECORDS_A_PAIR}) as records,
            row_number() over (order by reporter, partner) - 1 as place
        from drawn
        where draw * {RECORDS_A_PAIR} < {rows}
        """
    )
    exporter = "case when flow = 0 then reporter else partner end"
    importer = "case when flow = 0 then partner else reporter end"
    con.execute(
        f"""
        create view cells as
        select
            place * {RECORDS_A_PAIR} + cell as position,
            reporter,
            partner,
            cell // {RECORDS_A_PAIR // 2} as flow,
            cell // {len(YEARS)} % {len(ITEMS)} as item,
            cell % {len(YEARS)} as year
        from (
            select position // {RECORDS_A_PAIR} as place, position % {RECORDS_A_PAIR} as cell
            from (select range as position from range((select count(*) * {RECORDS_A_PAIR} from pairs)))
        )
        join pairs using (place)
        where cell < records
        """
    )
    con.execute(
        f"""
        create view drawn_values as
        select
            *,
            {
            _mixed(
                f"({exporter}) * 7919 + ({importer}) * 104729 + item * 1299709 + year * 15485863"
            )
        }
            as by_link,
            {
            _mixed(
                "reporter * 611953 + partner * 15487 + flow * 32452843 + item * 49979687"
                " + year * 86028121"
            )
        } as by_side
        from cells
        """
    )
    con.execute(
        f"""
        create view linked_values as
        select
            *,
            -- Most links are small and few are large: 3 to 9 digits.
            by_link % (10 ** (3 + by_link // 1000 % 7))::bigint as first_stated,
            first_stated + {vintage} * ({REVISED_BY} + first_stated * (by_link % 100) // 1000)
                as balanced_stated,
            balanced_stated * (900 + by_side % 201) // 1000 as final_stated
        from drawn_values
        """
    )
    con.execute(f"create table worlds as {_worlds(f'linked_values where reporter < {countries}')}")
    # What a group states for a country is the country's statement of the group.
    mirror = "coalesce(worlds.balanced_of_all, 0) // part"
    con.execute(
        f"""
        create view mirrored_values as
        select
            linked_values.* exclude (first_stated, balanced_stated, final_stated),
            {mirror} as balanced_stated,
            ({mirror}) * (900 + by_side % 201) // 1000 as final_stated
        from linked_values
        join shares on linked_values.reporter = shares.number
        left join worlds
            on linked_values.partner = worlds.reporter and 1 - linked_values.flow = worlds.flow
            and linked_values.item = worlds.item and linked_values.year = worlds.year
        where linked_values.reporter >= {countries} and linked_values.partner < {countries}
        """
    )
    con.execute(f"insert into worlds {_worlds('mirrored_values')}")
    con.execute(
        f"""
        create view stated_values as
        from linked_values where reporter < {countries} or partner >= {countries}
        union all by name
        from mirrored_values
        """
    )
    con.execute(
        f"""
        create view records as
        select
            position, stated_values.reporter, partner, stated_values.flow, stated_values.item,
            stated_values.year,
            case
                when part = 0 then balanced_stated
                when stated_values.reporter >= {countries} and is_reporter
                then
                    least(coalesce(worlds.balanced_of_all, 0), coalesce(mirrors.balanced_of_all, 0))
                    // {PART_OF_GROUPS}
                else {_share("balanced_of_all")}
            end as balanced,
            case
                when part = 0 then final_stated
                when stated_values.reporter >= {countries} and is_reporter then balanced
                else {_share("final_of_all")}
            end as final,
            case when by_side // 1000 % 10000 < 349
                then final * (950 + by_link % 101) // 1000 end as reported,
            case
                when by_side // 1000 % 10000 < 349
                then {list(REPORTED)}[1 + by_side % {len(REPORTED)}]
                else {list(ESTIMATED)}[1 + by_side % {len(ESTIMATED)}]
            end as methodology
        from stated_values
        join shares on partner = shares.number
        left join worlds
            on stated_values.reporter = worlds.reporter and stated_values.flow = worlds.flow
            and stated_values.item = worlds.item and stated_values.year = worlds.year
        left join worlds as mirrors
            on stated_values.reporter >= {countries} and stated_values.partner = mirrors.reporter
            and mirrors.reporter >= {countries} and 1 - stated_values.flow = mirrors.flow
            and stated_values.item = mirrors.item and stated_values.year = mirrors.year
        """
    )


def write(path: Path, rows: int, mirror: str = "OECD", vintage: int = 0) -> None:
    """Write a bulk file; all values of another vintage are other ones. mirror: `OECD` (alpha-3 codes, EXP and IMP, byte order mark) or `WTO`."""
    code, flows, methodology, mark = {
        "OECD": ("iso3", ("EXP", "IMP"), "Methodology", "\ufeff"),
        "WTO": ("iso2", FLOWS, "Final_value_methodology", ""),
    }[mirror]
    header = (
        "Reporter,type_Reporter,Partner,type_Partner,Flow,Item_code,type_Item,Year,Reported_value,"
        f"Final_value,{methodology},Balanced_value\n"
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    with duckdb.connect() as con:
        create_records(con, rows, vintage)
        body = path.with_suffix(".body")
        con.execute(
            f"""
            copy (
                select
                    reporters.{code}, reporters.kind, partners.{code},
                    -- The publisher marks the rest of the world as a country.
                    case partners.iso3 when 'ROW' then 'c' else partners.kind end,
                    {list(flows)}[1 + flow], {list(ITEMS)}[1 + item], 's', {YEARS[0]} + year,
                    {_decimal("reported")}, {_decimal("final")}, methodology, {_decimal("balanced")}
                from records
                join economies as reporters on reporter = reporters.number
                join economies as partners on partner = partners.number
                order by position
            ) to '{body}' (format csv, header false)
            """
        )
    with path.open("wb") as file, body.open("rb") as rest:
        file.write((mark + header).encode())
        while chunk := rest.read(1 << 24):
            file.write(chunk)
    body.unlink()


def _decimal(micro: str) -> str:
    """SQL: millionths as the text of a decimal number of millions, without needless zeros."""
    fraction = f"lpad(({micro} % 1000000)::text, 6, '0')"
    return f"rtrim(rtrim(({micro} // 1000000)::text || '.' || {fraction}, '0'), '.')"


def main() -> None:
    """Write one file."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("path", type=Path)
    parser.add_argument("--rows", type=int, default=FULL_ROWS)
    parser.add_argument("--mirror", choices=["OECD", "WTO"], default="OECD")
    options = parser.parse_args()
    write(options.path, options.rows, options.mirror)


if __name__ == "__main__":
    main()
