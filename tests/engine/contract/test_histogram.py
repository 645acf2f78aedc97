"""Histogram buckets: every value falls into one whose edges are within 6%."""

import numpy as np
import pytest

from engine.contract.histogram import BUCKETS, Histogram, bucket_of, record, upper_edge


@pytest.mark.parametrize("value", [0, 1, 15, 16, 17, 31, 32, 33, 1_000, 123_456_789, 2**40 + 1, 2**63 - 1])
def test_a_value_lies_below_its_buckets_edge_and_above_the_one_before(value: int) -> None:
    bucket = int(bucket_of(value))

    assert 0 <= bucket < BUCKETS
    assert value <= upper_edge(bucket) <= value * 1.07 + 1
    assert bucket == 0 or upper_edge(bucket - 1) < value


def test_percentiles_of_known_values() -> None:
    buckets = np.zeros(BUCKETS, np.int64)
    for value in range(1, 11):
        record(buckets, value)

    histogram = Histogram(buckets)

    assert (histogram.percentile(50), histogram.percentile(90), histogram.percentile(100)) == (5, 9, 10)


def test_negative_values_count_as_zero() -> None:
    assert bucket_of(-5) == 0


def test_an_empty_histogram_answers_zero() -> None:
    assert Histogram(np.zeros(BUCKETS, np.int64)).percentile(99) == 0
