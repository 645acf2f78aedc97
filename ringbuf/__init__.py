"""Lock-free rings over shared memory (L0): bytes and cursors, never orders."""

from ringbuf.kernel_cache import use_source_keyed_cache

use_source_keyed_cache()
