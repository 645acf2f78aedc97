"""Pinion's engine: the contract (L1), the applications (L2), the runtime (L3) and the command line (L5)."""

from ringbuf.kernel_cache import use_source_keyed_cache

use_source_keyed_cache()
