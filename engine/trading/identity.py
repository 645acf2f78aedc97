"""Who is who: orders by engine id, and client ids in a bounded window (SPEC S4).

Both are chained hash tables whose buckets follow the low bits of the id: ids that are
given in sequence fall into neighbouring buckets, which the cache likes. A client that
picks its ids to collide harms itself: a chain of CHAIN_MAX entries takes no more.

The window keeps every live id. Ended ids wait in a queue, oldest first, and are
forgotten only when a new id finds no free entry.
"""

from numba import njit

from engine.trading.state import NIL

CHAIN_MAX = 64
ACCOUNT_SPREAD = 2654435761  # 2**32 / golden ratio: Knuth, TAOCP 3, section 6.4


@njit(cache=True)
def link_order(s, order):
    """Make an order findable by its engine id."""
    bucket = s.hot[order].order_id & (len(s.order_bucket) - 1)
    s.cold[order].next = s.order_bucket[bucket]
    s.order_bucket[bucket] = order + 1


@njit(cache=True)
def unlink_order(s, order):
    """Forget an order's engine id."""
    bucket = s.hot[order].order_id & (len(s.order_bucket) - 1)
    at = s.order_bucket[bucket] - 1
    if at == order:
        s.order_bucket[bucket] = s.cold[order].next
        return
    while s.cold[at].next - 1 != order:  # at most the live orders of one bucket
        at = s.cold[at].next - 1
    s.cold[at].next = s.cold[order].next


@njit(cache=True)
def find_order(s, order_id):
    """Return the live order of that engine id, or NIL."""
    order = s.order_bucket[order_id & (len(s.order_bucket) - 1)] - 1
    while order != NIL and s.hot[order].order_id != order_id:
        order = s.cold[order].next - 1
    return order


@njit(cache=True)
def _client_bucket(s, account, client_order_id):
    spread = account * ACCOUNT_SPREAD
    folded = client_order_id ^ (client_order_id >> 22) ^ (client_order_id >> 43)
    return (folded ^ spread ^ (spread >> 20)) & (len(s.id_bucket) - 1)


@njit(cache=True)
def find_client_id(s, account, client_order_id):
    """Return (entry or NIL, length of the chain that was walked)."""
    entry = s.id_bucket[_client_bucket(s, account, client_order_id)] - 1
    length = 0
    while entry != NIL:
        if s.ids[entry].client_order_id == client_order_id and s.ids[entry].account == account:
            break
        length += 1
        entry = s.ids[entry].next - 1
    return entry, length


@njit(cache=True)
def has_room_for_client_id(s):
    """Tell whether a new client id can be kept without forgetting a live one."""
    return s.ids_used < len(s.ids) or s.ended_head != 0


@njit(cache=True)
def remember_client_id(s, account, client_order_id, order):
    """Store a client id that is not in the window; return its entry."""
    if s.ids_used < len(s.ids):
        entry = s.ids_used
        s.ids_used += 1
    else:
        entry = _forget_oldest(s)
    bucket = _client_bucket(s, account, client_order_id)
    s.ids[entry].account = account
    s.ids[entry].client_order_id = client_order_id
    s.ids[entry].order_id = s.hot[order].order_id
    s.ids[entry].order = order
    s.ids[entry].status = 0
    s.ids[entry].cum = 0
    s.ids[entry].ended_next = 0
    s.ids[entry].next = s.id_bucket[bucket]
    s.id_bucket[bucket] = entry + 1
    return entry


@njit(cache=True)
def end_client_id(s, entry, status, cum):
    """Note how the order of an id ended; from now on the id may be forgotten."""
    s.ids[entry].order = NIL
    s.ids[entry].status = status
    s.ids[entry].cum = cum
    s.ids[entry].ended_next = 0
    if s.ended_tail == 0:
        s.ended_head = entry + 1
    else:
        s.ids[s.ended_tail - 1].ended_next = entry + 1
    s.ended_tail = entry + 1


@njit(cache=True)
def _forget_oldest(s):
    """Take the id that ended first out of the window; return its entry."""
    entry = s.ended_head - 1
    assert entry != NIL  # has_room_for_client_id was asked
    s.ended_head = s.ids[entry].ended_next
    if s.ended_head == 0:
        s.ended_tail = 0
    bucket = _client_bucket(s, s.ids[entry].account, s.ids[entry].client_order_id)
    at = s.id_bucket[bucket] - 1
    if at == entry:
        s.id_bucket[bucket] = s.ids[entry].next
    else:
        while s.ids[at].next - 1 != entry:  # at most CHAIN_MAX rounds
            at = s.ids[at].next - 1
        s.ids[at].next = s.ids[entry].next
    return entry
