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


Runs = dict[str, dict[str, float]]  # of one pair, by side


def pairs() -> dict[int, list[Runs]]:
    """The pairs of `bulk` by number of rows, of the sizes that have any."""
    found = {rows: results.records(results.of_rows(rows), "bulk") for rows in SIZES}
    return {rows: [pair["runs"] for pair in taken] for rows, taken in found.items() if taken}


def main() -> None:
    """Draw and print."""
    taken, points = pairs(), []
    for key, side in SIDES.items():
        costs = {rows: [runs[key]["cpu_s"] for runs in of_size] for rows, of_size in taken.items()}
        medians = {rows: statistics.median(each) for rows, each in costs.items()}
        points += [{"rows": rows, "side": side, "cpu_s": cost} for rows, cost in medians.items()]
        if len(costs) < 3:  # a start, a factor and an exponent
            continue
        # A size with fewer pairs than the others ends the rounds.
        rounds = [exponent(costs, each) for each in zip(*costs.values(), strict=False)]
        print(
            f"{side}: exponent {exponent(medians, medians.values()):.2f} over {len(costs)} sizes; of"
            f" {len(rounds)} rounds {statistics.median(rounds):.2f}"
            f" ({min(rounds):.2f} to {max(rounds):.2f})"
        )
    chart = alt.Chart(alt.Data(values=points)).encode(
        x=alt.X("rows:Q", title="rows in the file", axis=alt.Axis(format="~s")),
        y=alt.Y("cpu_s:Q", title="CPU seconds"),
        color=alt.Color("side:N", title=None),
    )
    (chart.mark_line() + chart.mark_point(filled=True)).properties(
        width=480, height=280, title="Landing to publication, royalty item kept"
    ).save(sys.argv[1])


if __name__ == "__main__":
    main()
