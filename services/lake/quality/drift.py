"""Distance between two samples: the only module that knows the statistics library."""

import warnings

import polars as pl


def distance(left: pl.Series, right: pl.Series) -> float:
    """Kolmogorov-Smirnov distance: the largest difference between the two distribution functions, 0 to 1.

    The distance and not its p-value is judged: with a thousand rows a day, every real difference is significant.
    """
    # Imported here: it takes a second, and of the lake's commands only one compares days.
    from scipy.stats import ks_2samp  # type: ignore[import-untyped]  # noqa: PLC0415  has no types of its own

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the p-value of heavily tied samples, which nobody reads
        return float(ks_2samp(left.to_numpy(), right.to_numpy(), method="asymp").statistic)
