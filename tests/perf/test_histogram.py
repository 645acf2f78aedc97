"""Percentiles are samples that occurred."""

import numpy as np
import pytest

from perf.histogram import percentiles


def test_percentiles_are_exact_order_statistics() -> None:
    samples = np.random.default_rng(1).permutation(np.arange(1, 10_001))

    found = percentiles(samples)

    assert (found.p50_ns, found.p99_ns, found.p999_ns, found.max_ns) == (5_000, 9_900, 9_990, 10_000)
    assert found.mean_ns == 5_000.5


def test_percentiles_of_one_sample_are_that_sample() -> None:
    found = percentiles(np.array([7]))

    assert (found.p50_ns, found.p999_ns, found.max_ns) == (7, 7, 7)


def test_no_samples_are_refused() -> None:
    with pytest.raises(ValueError, match="no samples"):
        percentiles(np.zeros(0))
