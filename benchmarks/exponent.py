"""The exponent by which cost grows with rows, once the fixed start is taken off."""

from collections.abc import Iterable

import numpy as np


def exponent(rows: Iterable[float], cost: Iterable[float]) -> float:
    """Fit cost = start + factor * rows^exponent by least squares of the relative errors."""
    sizes, costs = np.array([*rows], dtype=float), np.array([*cost], dtype=float)
    fits = []
    for power in np.arange(0.5, 2, 0.005):
        terms = np.stack([np.ones_like(sizes), (sizes / sizes.max()) ** power], axis=1)
        _, residuals, *_ = np.linalg.lstsq(terms / costs[:, None], np.ones_like(costs))
        fits.append((residuals.sum(), power))
    return float(min(fits)[1])
