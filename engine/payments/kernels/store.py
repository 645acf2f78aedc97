"""What limits on distinct cards do while the store of a fleet is down, and nobody knows what others see.

A count then says by its size what holds: above `AWAY` the rule declines with STORE_DOWN, below zero it checks
nothing, and what it is beyond that is what was counted here.
"""

import numpy as np

from engine.payments.fleet_records import OnStoreDown, Sighted
from engine.payments.kernels.shares import is_store_up
from engine.payments.rules.verdict import AWAY
from ringbuf.kernel import inlined, kernel

DECLINE, ALLOW = np.int64(OnStoreDown.DECLINE), np.int64(OnStoreDown.ALLOW)
OF_DEVICE, OF_IP, OF_EMAIL = Sighted.DEVICE - 1, Sighted.IP - 1, Sighted.EMAIL - 1


@kernel
def weigh_sightings(s, ctx):
    """Let the counts of distinct cards say what holds while the store is down; 0: nothing was given."""
    if is_store_up(s):
        return
    policies = s.fleet[0].on_sightings
    ctx.device_cards_24h = _weighed(ctx.device_cards_24h, policies[OF_DEVICE])
    ctx.ip_cards_1h = _weighed(ctx.ip_cards_1h, policies[OF_IP])
    ctx.email_cards_24h = _weighed(ctx.email_cards_24h, policies[OF_EMAIL])


@inlined
def _weighed(count, policy):
    if count == 0:
        return count
    weight = AWAY if policy == DECLINE else (-AWAY if policy == ALLOW else 0)
    return count + np.int64(weight)


@inlined
def counted_here(count):
    """Return what was counted here, whatever a count says of the store."""
    return count & (AWAY - 1)
