"""The mixes' distributions as tables of equally likely values: the generator draws an index.

Made once with numpy, so the kernels stay in integers; the samples are evenly spaced
quantiles, rounded to whole ticks, lots and accounts.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from perf.flow.mixes import Mix

TABLE_SIZE = 1 << 14
DISTANCE_EXPONENT = 1.5
SIZE_EXPONENT = 1.5


def _quantiles(weights: npt.NDArray[np.float64], size: int) -> npt.NDArray[np.int64]:
    """Return `size` evenly spaced quantiles of the distribution: positions in `weights`."""
    cumulative = np.cumsum(weights) / np.sum(weights)
    return np.searchsorted(cumulative, (np.arange(size) + 0.5) / size)


def store_tables(mix: Mix, m: Any) -> None:
    """Store the mix's distributions as tables of equally likely values."""
    ranks = np.arange(1, mix.account_count + 1, dtype=np.float64)
    weights = 1 / ranks if mix.zipf_accounts else np.ones(mix.account_count)
    m["account_table"] = 1 + _quantiles(weights, len(m["account_table"]))
    distances = np.arange(1, mix.distance_max + 1, dtype=np.float64)
    weights = np.ones(mix.distance_max) if mix.uniform_distance else distances**-DISTANCE_EXPONENT
    m["distance_table"] = 1 + _quantiles(weights, TABLE_SIZE)
    u = (np.arange(TABLE_SIZE) + 0.5) / TABLE_SIZE
    sizes = 1 + u * mix.size_max if mix.uniform_size else u ** (-1 / SIZE_EXPONENT)
    m["size_table"] = np.minimum(sizes.astype(np.int64), mix.size_max)
