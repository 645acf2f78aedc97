"""Identity: orders by engine id, and client ids in a bounded window (exchange rule S4).

    order_bucket -> hot.chain       live orders by engine id
    live_bucket  -> hot.id_chain    live orders by (account, client id)
    id_bucket    -> ids.next        ended client ids, a ring: the oldest is forgotten

All are chained hash tables whose buckets follow the low bits of the id: ids given in
sequence fall into neighbouring buckets, which the cache likes. A live client id leads
straight to its order, so a cancel or replace reads nothing of the window.
"""

import numpy as np

from engine.contract.batches import PLACES
from engine.trading.kernels.state import NIL
from ringbuf.kernel import inlined, kernel

CHAIN_MAX = 64
"""A client id that would lengthen a chain beyond this is refused: ids chosen to collide
harm nobody else."""
ACCOUNT_SPREAD = np.int64(2654435761)  # 2**32 / golden ratio: Knuth, TAOCP 3, section 6.4


@kernel
def link_order(s, order):
    """Make an order findable by its engine id."""
    bucket = s.hot[order].order_id & (len(s.order_bucket) - 1)
    s.hot[order].chain = s.order_bucket[bucket]
    s.order_bucket[bucket] = order + 1


@kernel
def unlink_order(s, order):
    """Forget an order's engine id."""
    bucket = s.hot[order].order_id & (len(s.order_bucket) - 1)
    at = np.int64(s.order_bucket[bucket]) - 1
    if at == order:
        s.order_bucket[bucket] = s.hot[order].chain
        return
    while s.hot[at].chain - 1 != order:  # at most the live orders of one bucket
        at = np.int64(s.hot[at].chain) - 1
    s.hot[at].chain = s.hot[order].chain


@kernel
def find_order(s, order_id):
    """Return the live order of that engine id, or NIL."""
    order = np.int64(s.order_bucket[order_id & (len(s.order_bucket) - 1)]) - 1
    while order != NIL and s.hot[order].order_id != order_id:
        order = np.int64(s.hot[order].chain) - 1
    return order


@kernel
def client_hash(account, client_order_id):
    """Return what the buckets of a client id are taken from."""
    spread = account * ACCOUNT_SPREAD
    return client_order_id ^ (client_order_id >> 22) ^ (client_order_id >> 43) ^ spread ^ (spread >> 20)


@kernel
def find_live(s, account, client_order_id):
    """Return (live order of that client id or NIL, length of the chain that was walked)."""
    order = np.int64(s.live_bucket[client_hash(account, client_order_id) & (len(s.live_bucket) - 1)]) - 1
    length = 0
    while order != NIL:
        if s.cold[order].client_order_id == client_order_id and s.hot[order].account == account:
            break
        length += 1
        order = np.int64(s.hot[order].id_chain) - 1
    return order, length


@inlined
def live_asked(s, account, client_order_id):
    """Return the live order of the client id that the command being applied names, or NIL.

    It is the one noted ahead if that is live and has this id: no two live orders of an account share one.
    """
    noted = s.hints[s.seq & (PLACES - 1)].order
    if noted != NIL and noted < s.orders_used:
        is_it = s.cold[noted].client_order_id == client_order_id and s.hot[noted].account == account
        if is_it and s.hot[noted].order_id != 0:
            return noted
    order, _ = find_live(s, account, client_order_id)
    return order


@kernel
def find_ended(s, account, client_order_id):
    """Return (entry of an ended client id in the window or NIL, length of the chain walked)."""
    entry = np.int64(s.id_bucket[client_hash(account, client_order_id) & (len(s.id_bucket) - 1)]) - 1
    length = 0
    while entry != NIL:
        if s.ids[entry].client_order_id == client_order_id and s.ids[entry].account == account:
            break
        length += 1
        entry = s.ids[entry].next - 1
    return entry, length


@inlined
def link_client_id(s, order):
    """Make a new order findable by its client id."""
    hashed = client_hash(np.int64(s.hot[order].account), s.cold[order].client_order_id)
    bucket = hashed & (len(s.live_bucket) - 1)
    s.hot[order].id_chain = s.live_bucket[bucket]
    s.live_bucket[bucket] = order + 1


@inlined
def end_client_id(s, order, status):
    """Move the client id of an order that ends into the window, over the oldest when it is full."""
    account = np.int64(s.hot[order].account)
    client_order_id = s.cold[order].client_order_id
    hashed = client_hash(account, client_order_id)
    _unlink_live(s, order, hashed & (len(s.live_bucket) - 1))
    entry = s.ids_next
    s.ids_next = entry + 1 if entry + 1 < len(s.ids) else 0
    if s.ids_used < len(s.ids):
        s.ids_used += 1
    else:
        _unlink_ended(s, entry)
    bucket = hashed & (len(s.id_bucket) - 1)
    s.ids[entry].account = account
    s.ids[entry].client_order_id = client_order_id
    s.ids[entry].order_id = s.hot[order].order_id
    s.ids[entry].status = status
    s.ids[entry].cum = s.cold[order].cum
    s.ids[entry].next = s.id_bucket[bucket]
    s.id_bucket[bucket] = entry + 1


@kernel
def _unlink_live(s, order, bucket):
    at = np.int64(s.live_bucket[bucket]) - 1
    if at == order:
        s.live_bucket[bucket] = s.hot[order].id_chain
        return
    while s.hot[at].id_chain - 1 != order:  # at most CHAIN_MAX rounds
        at = np.int64(s.hot[at].id_chain) - 1
    s.hot[at].id_chain = s.hot[order].id_chain


@kernel
def _unlink_ended(s, entry):
    bucket = client_hash(s.ids[entry].account, s.ids[entry].client_order_id) & (len(s.id_bucket) - 1)
    at = np.int64(s.id_bucket[bucket]) - 1
    if at == entry:
        s.id_bucket[bucket] = s.ids[entry].next
        return
    while s.ids[at].next - 1 != entry:  # at most the ended ids of one bucket
        at = s.ids[at].next - 1
    s.ids[at].next = s.ids[entry].next
