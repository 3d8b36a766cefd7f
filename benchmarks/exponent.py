"""The exponent by which cost grows with rows, once the fixed start is taken off."""

import numpy as np


def exponent(points: list[tuple[int, float]]) -> float:
    """Fit time = start + factor * rows^exponent by least squares of the relative errors."""
    rows, cost = (np.array(column, dtype=float) for column in zip(*points, strict=True))
    fits = []
    for power in np.arange(0.5, 2, 0.005):
        model = np.stack([np.ones_like(rows), (rows / rows.max()) ** power], axis=1) / cost[:, None]
        _, residuals, *_ = np.linalg.lstsq(model, np.ones_like(cost))
        fits.append((residuals.sum(), power))
    return float(min(fits)[1])
