"""Cost against rows, from the results of all sizes: `python -m benchmarks.plot chart.svg`.

Prints the exponent fitted to the CPU time beyond the fixed start: time = start + factor * rows^exponent,
of the medians and of each round alone. A round is one pair of each size, taken one after the other.
"""

import statistics
import sys

import altair as alt

from benchmarks import results
from benchmarks.bench import SIZES
from benchmarks.exponent import exponent

SIDES = {"ours": "pipeline", "floor": "floor"}


def series() -> list[dict]:
    """One row a side and number of rows, in the order of rows: medians of the pairs."""
    found = [
        (rows, results.read(results.of_rows(rows))["bulk"]["summary"])
        for rows in SIZES
        if results.records(results.of_rows(rows), "bulk")
    ]
    return [
        {"rows": rows, "side": side, "cpu_s": one[key]["cpu_s"], "wall_s": one[key]["wall_s"]}
        for rows, one in found
        for key, side in SIDES.items()
    ]


def rounds(side: str) -> list[list[tuple[int, float]]]:
    """CPU seconds by rows, round by round: the first pair of each size, the second, and so on."""
    sizes = [
        (
            rows,
            [
                pair["runs"][side]["cpu_s"]
                for pair in results.records(results.of_rows(rows), "bulk")
            ],
        )
        for rows in SIZES
    ]
    taken = [(rows, costs) for rows, costs in sizes if costs]
    return [
        [(rows, costs[number]) for rows, costs in taken]
        for number in range(min((len(costs) for _, costs in taken), default=0))
    ]


def main() -> None:
    """Draw and print."""
    rows = series()
    for key, side in SIDES.items():
        points = [(row["rows"], row["cpu_s"]) for row in rows if row["side"] == side]
        if len(points) < 3:  # a start, a factor and an exponent
            continue
        of_rounds = [exponent(one) for one in rounds(key)]
        print(
            f"{side}: exponent {exponent(points):.2f} over {len(points)} sizes; of {len(of_rounds)}"
            f" rounds {statistics.median(of_rounds):.2f} ({min(of_rounds):.2f} to"
            f" {max(of_rounds):.2f})"
        )
    chart = alt.Chart(alt.Data(values=rows)).encode(
        x=alt.X("rows:Q", title="rows in the file", axis=alt.Axis(format="~s")),
        y=alt.Y("cpu_s:Q", title="CPU seconds"),
        color=alt.Color("side:N", title=None),
    )
    (chart.mark_line() + chart.mark_point(filled=True)).properties(
        width=480, height=280, title="Landing to publication, royalty item kept"
    ).save(sys.argv[1])


if __name__ == "__main__":
    main()
