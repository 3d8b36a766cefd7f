"""Cost against rows, from the results of all sizes: `python -m benchmarks.plot chart.svg`.

Prints the exponent fitted to the CPU time beyond the fixed start: time = start + factor * rows^exponent.
"""

import sys

import altair as alt
import numpy as np

from benchmarks import results


def series() -> list[dict]:
    """One row a side and number of rows, in the order of rows: medians of the pairs."""
    sizes = sorted(
        (int(path.stem.removeprefix("rows_")), path) for path in results.FOLDER.glob("rows_*.json")
    )
    found = [
        (rows, results.read(path)["bulk"]["summary"])
        for rows, path in sizes
        if results.records(path, "bulk")
    ]
    return [
        {"rows": rows, "side": side, "cpu_s": one[key]["cpu_s"], "wall_s": one[key]["wall_s"]}
        for rows, one in found
        for key, side in (("ours", "pipeline"), ("floor", "floor"))
    ]


def exponent(points: list[tuple[int, float]]) -> float:
    """Fit time = start + factor * rows^exponent by least squares of the relative errors."""
    rows, cost = (np.array(column, dtype=float) for column in zip(*points, strict=True))
    fits = []
    for power in np.arange(0.5, 1.5, 0.005):
        model = np.stack([np.ones_like(rows), (rows / rows.max()) ** power], axis=1) / cost[:, None]
        _, residuals, *_ = np.linalg.lstsq(model, np.ones_like(cost))
        fits.append((residuals.sum(), power))
    return float(min(fits)[1])


def main() -> None:
    """Draw and print."""
    rows = series()
    for side in ("pipeline", "floor"):
        points = [(row["rows"], row["cpu_s"]) for row in rows if row["side"] == side]
        if len(points) < 3:  # a start, a factor and an exponent
            continue
        print(f"{side}: exponent {exponent(points):.2f} over {len(points)} sizes")
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
