"""Price levels in order: a path-compressed trie of 32 ways, one per book and side.

A level's key is its px (asks) or PX_MAX - px (bids), so the best level always has
the lowest key. A node decides five bits of the key; a node that would have one
child does not exist, so a book with few prices is one or two nodes deep, and no
spread of prices, however hostile, makes it deeper than DEPTH_MAX: a digit each for
the 41 bits of a key. Inner nodes have two children at least, so nodes never exceed
twice the levels. Nodes know their parent: the next level is found without descending
from the root. Why a trie: docs/decisions/0003-price-levels.md.

    node   bits, shift, prefix, parent      child[node, digit]
    inner  shift > 0                        a node idx
    leaf   shift = 0                        a level idx

A leaf holds the levels of 32 prices side by side. Each side of a book remembers LEAVES_KNOWN of its leaves,
at their prefix modulo LEAVES_KNOWN (`known`): where a book lives close together, its levels are found
without a descent.
"""

import numpy as np

from engine.contract.bits import is_power_of_two, lowest_bit
from engine.trading import codes
from engine.trading.kernels.state import LEAVES_KNOWN, NIL, NODE_WAYS
from engine.trading.records import PX_MAX
from ringbuf.kernel import inlined, kernel

DIGIT_BITS = 5
DIGIT_MASK = NODE_WAYS - 1
DEPTH_MAX = 9
LEAF = np.int64(0)  # a leaf's shift
assert 1 << DIGIT_BITS == NODE_WAYS
assert PX_MAX < 1 << (DIGIT_BITS * DEPTH_MAX)


@kernel
def key_of(side, px):
    """Return the sort key of a price: the lower, the better."""
    if side == codes.BUY:
        return PX_MAX - px
    return px


@inlined
def place_of(key):
    """Return where a side of a book knows the leaf that a key belongs to."""
    return (key >> DIGIT_BITS) & (LEAVES_KNOWN - 1)


@kernel
def best_level(s, book, side):
    """Return the best level of a side, or NIL."""
    return s.books[book].best[side] - 1


@kernel
def next_level(s, level):
    """Return the next worse level of the same side, or NIL; reads only."""
    node = s.levels[level].node
    key = key_of(s.levels[level].side, s.levels[level].px)
    while node != NIL:  # climb until a sibling to the right exists
        digit = (key >> s.nodes[node].shift) & DIGIT_MASK
        right = s.nodes[node].bits >> (digit + 1)
        if right != 0:
            found = np.int64(s.child[node, digit + 1 + lowest_bit(right)])
            if s.nodes[node].shift == LEAF:
                return found
            return _first_level(s, found)
        node = s.nodes[node].parent
    return NIL


@kernel
def _first_level(s, node):
    """Return the best level below a node."""
    while s.nodes[node].shift != LEAF:
        node = np.int64(s.child[node, lowest_bit(s.nodes[node].bits)])
    return np.int64(s.child[node, lowest_bit(s.nodes[node].bits)])


@inlined
def obtain_level(s, book, side, px):
    """Return the level at px, made empty if it was not there."""
    best = s.books[book].best[side] - 1
    if best != NIL and s.levels[best].px == px:
        return best
    key = key_of(side, px)
    leaf = np.int64(s.known[book, side - 1, place_of(key)]) - 1
    if leaf == NIL or s.nodes[leaf].prefix != key >> DIGIT_BITS:
        leaf = _obtain_leaf(s, book, side, key)
    if s.nodes[leaf].bits >> (key & DIGIT_MASK) & 1 != 0:
        return np.int64(s.child[leaf, key & DIGIT_MASK])
    level = _new_level(s, book, side, px, leaf)
    _set_child(s, leaf, key & DIGIT_MASK, level)
    if best == NIL or key < key_of(side, s.levels[best].px):
        s.books[book].best[side] = level + 1
    return level


@kernel
def _obtain_leaf(s, book, side, key):
    """Return the leaf that a key belongs to, made without levels if it was not there; it is known then."""
    parent = NIL
    node = s.books[book].root[side] - 1
    while node != NIL:  # at most DEPTH_MAX rounds
        shift = s.nodes[node].shift
        if key >> (shift + DIGIT_BITS) != s.nodes[node].prefix:
            parent = _split(s, book, side, node, key)
            node = NIL
        elif shift == LEAF:
            break
        else:
            parent = node
            digit = (key >> shift) & DIGIT_MASK
            node = np.int64(s.child[node, digit]) if s.nodes[node].bits >> digit & 1 != 0 else NIL
    if node == NIL:
        node = _new_node(s, LEAF, key >> DIGIT_BITS, parent)
        if parent == NIL:
            s.books[book].root[side] = node + 1
        else:
            _set_child(s, parent, (key >> s.nodes[parent].shift) & DIGIT_MASK, node)
    s.known[book, side - 1, place_of(key)] = node + 1
    return node


@kernel
def _split(s, book, side, node, key):
    """Put an inner node above `node` where its prefix and `key` part; return it."""
    shift = s.nodes[node].shift + DIGIT_BITS
    prefix = s.nodes[node].prefix
    while key >> (shift + DIGIT_BITS) != prefix >> DIGIT_BITS:
        shift += DIGIT_BITS
        prefix >>= DIGIT_BITS
    parent = s.nodes[node].parent
    inner = _new_node(s, shift, prefix >> DIGIT_BITS, parent)
    _replace_child(s, book, side, parent, key, inner)
    _set_child(s, inner, prefix & DIGIT_MASK, node)
    s.nodes[node].parent = inner
    return inner


@kernel
def _set_child(s, node, digit, child):
    s.child[node, digit] = child
    s.nodes[node].bits |= 1 << digit


@kernel
def _replace_child(s, book, side, parent, key, child):
    """Hang `child` where `parent` (NIL: the root) holds the way to `key`."""
    if parent == NIL:
        s.books[book].root[side] = child + 1
    else:
        s.child[parent, (key >> s.nodes[parent].shift) & DIGIT_MASK] = child


@kernel
def remove_level(s, level):
    """Take an empty level out of its book and give it back to the pool."""
    book = s.levels[level].book
    side = s.levels[level].side
    key = key_of(side, s.levels[level].px)
    if s.books[book].best[side] - 1 == level:
        s.books[book].best[side] = next_level(s, level) + 1
    node = s.levels[level].node
    s.nodes[node].bits &= ~(1 << (key & DIGIT_MASK))
    if s.nodes[node].bits == 0:
        _remove_leaf(s, book, side, node, key)
    s.levels[level].node = s.levels_free
    s.levels_free = level + 1


@kernel
def _remove_leaf(s, book, side, leaf, key):
    """Take an empty leaf away, and its parent too when one child is left there."""
    parent = s.nodes[leaf].parent
    if s.known[book, side - 1, place_of(key)] == leaf + 1:
        s.known[book, side - 1, place_of(key)] = 0
    _free_node(s, leaf)
    if parent == NIL:
        s.books[book].root[side] = 0
        return
    s.nodes[parent].bits &= ~(1 << ((key >> s.nodes[parent].shift) & DIGIT_MASK))
    bits = s.nodes[parent].bits
    if is_power_of_two(bits):
        only = np.int64(s.child[parent, lowest_bit(bits)])
        above = s.nodes[parent].parent
        s.nodes[only].parent = above
        _replace_child(s, book, side, above, key, only)
        _free_node(s, parent)


@kernel
def _new_node(s, shift, prefix, parent):
    node = s.nodes_free - 1
    if node != NIL:
        s.nodes_free = s.nodes[node].parent
    else:
        node = s.nodes_used
        assert node < len(s.nodes)  # levels <= orders, nodes <= 2 * levels
        s.nodes_used += 1
    s.nodes[node].bits = 0
    s.nodes[node].shift = shift
    s.nodes[node].prefix = prefix
    s.nodes[node].parent = parent
    return node


@kernel
def _free_node(s, node):
    s.nodes[node].parent = s.nodes_free
    s.nodes_free = node + 1


@kernel
def _new_level(s, book, side, px, node):
    level = s.levels_free - 1
    if level != NIL:
        s.levels_free = s.levels[level].node
    else:
        level = s.levels_used
        assert level < len(s.levels)  # a level holds an order at least
        s.levels_used += 1
    s.levels[level].px = px
    s.levels[level].qty = 0
    s.levels[level].order_count = 0
    s.levels[level].head = NIL
    s.levels[level].tail = NIL
    s.levels[level].node = node
    s.levels[level].book = book
    s.levels[level].side = side
    return level


@kernel
def find_level(s, book, side, px):
    """Return the level at px, or NIL; reads only."""
    key = key_of(side, px)
    node = s.books[book].root[side] - 1
    while node != NIL:  # at most DEPTH_MAX rounds
        shift = s.nodes[node].shift
        if key >> (shift + DIGIT_BITS) != s.nodes[node].prefix:
            return NIL
        digit = (key >> shift) & DIGIT_MASK
        if s.nodes[node].bits >> digit & 1 == 0:
            return NIL
        found = np.int64(s.child[node, digit])
        if shift == LEAF:
            return found
        node = found
    return NIL
