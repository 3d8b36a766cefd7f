"""The totals of a made-up bulk file, computed from its definition, without DuckDB.

numpy takes the same draws as `generate.py` from the same small generator and sums them as whole
millionths, so that the sums of the warehouse can be checked to the last digit.
"""

from dataclasses import dataclass
from decimal import Decimal
from functools import cache

import numpy as np

from benchmarks.generate import (
    FLOWS,
    GROUP_MEMBER,
    GROUP_REPORTERS,
    GROUP_SHARE,
    ITEMS,
    PART_OF_GROUPS,
    RECORDS_A_PAIR,
    REVISED_BY,
    YEARS,
    economies,
)

_SH = ITEMS.index("SH")
KINDS = ("reported", "final", "balanced")


@dataclass(frozen=True)
class Totals:
    """Of one file: records, records of item SH, and by kind and flow (0 is exports) of item SH the
    number of values and their sum, in millions; of all items, by kind the same."""

    rows: int
    rows_kept: int
    of_item: dict[tuple[str, int], tuple[int, Decimal]]
    of_all: dict[str, tuple[int, Decimal]]


def _mixed(value: np.ndarray) -> np.ndarray:
    value = value % 2_147_483_647
    for step in (1, 2, 3):
        value = (value * 48_271 + step) % 2_147_483_647
    return value


def _mirror(cells: np.ndarray) -> np.ndarray:
    """The cells of exports in those of imports, and the reverse."""
    return np.roll(cells, RECORDS_A_PAIR // 2)


def _pairs(rows: int) -> list[tuple[int, int, int]]:
    """Reporter, partner and number of records of each pair that the file has."""
    everyone = economies()
    world = next(e.number for e in everyone if e.iso3 == "WLD")
    member = next(e.number for e in everyone if e.iso3 == GROUP_MEMBER)
    countries = sum(e.kind == "c" for e in everyone)
    found = [
        (r.number, p.number)
        for r in everyone
        if r.kind == "c" or r.iso3 in GROUP_REPORTERS
        for p in everyone
        if r.number != p.number
    ]
    numbers = np.array(found, dtype=np.int64)
    draw = _mixed(numbers.min(axis=1) * 1009 + numbers.max(axis=1))
    with_member = (numbers == member).any(axis=1)
    with_group = (numbers >= countries).any(axis=1)
    order = np.lexsort(
        (
            *(numbers[:, 1], numbers[:, 0], draw),
            *(with_member & with_group, ~with_member, numbers[:, 1] != world),
        )
    )
    found = [found[at] for at in order]
    taken = -(-rows // RECORDS_A_PAIR)
    return [
        (*pair, min(RECORDS_A_PAIR, rows - place * RECORDS_A_PAIR))
        for place, pair in enumerate(found[:taken])
    ]


@cache
def totals(rows: int, vintage: int = 0) -> Totals:
    """Work out what a file of so many records adds up to."""
    everyone = economies()
    countries = sum(e.kind == "c" for e in everyone)
    group_reporters = {e.number for e in everyone if e.iso3 in GROUP_REPORTERS}
    share = {e.number: GROUP_SHARE[e.iso3] for e in everyone if e.kind == "g"}
    cell = np.arange(RECORDS_A_PAIR, dtype=np.int64)
    flow, item, year = (
        cell // (RECORDS_A_PAIR // len(FLOWS)),
        cell // len(YEARS) % len(ITEMS),
        cell % len(YEARS),
    )
    counts = {kind: np.zeros(RECORDS_A_PAIR, dtype=np.int64) for kind in KINDS}
    # A sum of 40,000 pairs of less than 10^13 each would not fit: carry every pair over at once.
    big = {kind: np.zeros(RECORDS_A_PAIR, dtype=object) for kind in KINDS}
    world = {
        kind: {e.number: np.zeros(RECORDS_A_PAIR, dtype=np.int64) for e in everyone}
        for kind in ("final", "balanced")
    }
    kept = 0
    # Groups last, as partners and as reporters: their figures follow from the countries'.
    pairs = sorted(_pairs(rows), key=lambda pair: (pair[0] >= countries, pair[1] >= countries))
    for reporter, partner, records in pairs:
        exporter = np.where(flow == 0, reporter, partner)
        importer = np.where(flow == 0, partner, reporter)
        link = _mixed(exporter * 7919 + importer * 104729 + item * 1299709 + year * 15485863)
        side = _mixed(
            reporter * 611953
            + partner * 15487
            + flow * 32452843
            + item * 49979687
            + year * 86028121
        )
        first = link % 10 ** (3 + link // 1000 % 7)
        values = {"balanced": first + vintage * (REVISED_BY + first * (link % 100) // 1000)}
        there = cell < records
        if partner < countries:
            if reporter >= countries:
                values["balanced"] = _mirror(world["balanced"][partner]) // share[reporter]
            values["final"] = values["balanced"] * (900 + side % 201) // 1000
            for kind, of_reporter in world.items():
                of_reporter[reporter] += np.where(there, values[kind], 0)
        elif reporter >= countries and partner in group_reporters:
            worlds = world["balanced"][reporter], _mirror(world["balanced"][partner])
            values = dict.fromkeys(world, np.minimum(*worlds) // PART_OF_GROUPS)
        else:
            rest = GROUP_SHARE["ROW"] if share[partner] == 1 else 0
            values = {
                kind: of[reporter] // share[partner] + (of[reporter] // rest if rest else 0)
                for kind, of in world.items()
            }
        values["reported"] = values["final"] * (950 + link % 101) // 1000
        stated = {
            "final": there,
            "balanced": there,
            "reported": there & (side // 1000 % 10000 < 349),
        }
        for kind in KINDS:
            big[kind] += np.where(stated[kind], values[kind], 0)
            counts[kind] += stated[kind]
        kept += int((there & (item == _SH)).sum())
    of_item = {
        (kind, direction): (
            int(counts[kind][(item == _SH) & (flow == direction)].sum()),
            Decimal(int(big[kind][(item == _SH) & (flow == direction)].sum())) / 10**6,
        )
        for kind in KINDS
        for direction in range(len(FLOWS))
    }
    of_all = {
        kind: (int(counts[kind].sum()), Decimal(int(big[kind].sum())) / 10**6) for kind in KINDS
    }
    return Totals(rows, kept, of_item, of_all)
