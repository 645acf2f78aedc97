"""What the store carries out in one step each, in Lua: an instance says how it stands, and takes.

A row is a hash of one merchant, currency and day. Of each instance `name` it has

    g:name  what it has given, in all      l:name  what it has left
    k:name  what it has taken, in all      w:name  until when it wants more, by the store's clock in ms

Sums only grow, so whoever says the same again changes nothing, and what somebody has taken already is the
id of the next taking: it is carried out only where the store and the instance agree on it.
"""

from enum import IntEnum
from typing import NamedTuple

WANTS_MS = 2_000
"""For so long a wish holds; an instance repeats it while it has it."""
MEMBER_MS = 5_000
"""For so long an instance that has said nothing counts as one that is there."""
KEPT_MS = 3 * 86_400_000
WANTED_MAX = 1024
EXACT_MAX = 2**53
"""Numbers of Lua are exact up to here."""


class Welcome(IntEnum):
    """What becomes of an instance that greets."""

    NAME_TAKEN = 0
    """Another data folder has spoken under its name a moment ago."""
    IN = 1
    NO_SHARE_LEFT = 2
    """As many journals as there are instances own the shares of this day, and its own is none of them."""


_NOW = """
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local function whole(number) return string.format('%.0f', number) end
"""

EXCHANGE = (
    _NOW
    + f"""
local me, instances, taken, wants = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[4]), ARGV[6] == '1'
local flat, row = redis.call('HGETALL', KEYS[1]), {{}}
for at = 1, #flat, 2 do row[flat[at]] = tonumber(flat[at + 1]) end
local given = math.max(tonumber(ARGV[3]), row['g:' .. me] or 0)
local had = math.max(taken, row['k:' .. me] or 0)
row['g:' .. me], row['k:' .. me], row['l:' .. me] = given, had, tonumber(ARGV[5])
row['w:' .. me] = wants and now + {WANTS_MS} or 0
local members, pool, wanting, left = 0, 0, 0, 0
for name, value in pairs(row) do
  local kind, whose = string.sub(name, 1, 2), string.sub(name, 3)
  if kind == 'g:' then members, pool = members + 1, pool + value end
  if kind == 'k:' then pool = pool - value end
  if kind == 'w:' and value > now and whose ~= me then
    wanting, left = wanting + 1, left + (row['l:' .. whose] or 0)
  end
end
if wants and had == taken and members == instances and pool > 0 then
  local grant = math.ceil(pool / (wanting + 1))
  had, pool = had + grant, pool - grant
end
redis.call('HSET', KEYS[1], 'g:' .. me, whole(given), 'k:' .. me, whole(had))
redis.call('HSET', KEYS[1], 'l:' .. me, ARGV[5], 'w:' .. me, whole(row['w:' .. me]))
redis.call('PEXPIRE', KEYS[1], {KEPT_MS})
if wants then
  redis.call('ZADD', KEYS[2], whole(now), ARGV[7])
  redis.call('PEXPIRE', KEYS[2], {KEPT_MS})
end
return {{whole(given), whole(had), whole(pool), members, wanting, whole(left)}}
"""
)
"""KEYS: a row, the wishes of the day; ARGV: instance, how many there are, given, taken, left, whether it
wants more, name of the row. Returns a Standing."""

GREET = (
    _NOW
    + f"""
local me, owner, since = ARGV[1], ARGV[2], now - {MEMBER_MS}
local other = redis.call('HGET', KEYS[1], 'owner:' .. me)
local at = tonumber(redis.call('HGET', KEYS[1], 'at:' .. me) or '0')
if other and other ~= owner and at > since then return {{{Welcome.NAME_TAKEN}, 0, 0}} end
local owns = redis.call('SISMEMBER', KEYS[3], ARGV[4]) == 1
if not owns and redis.call('SCARD', KEYS[3]) >= tonumber(ARGV[5]) then
  return {{{Welcome.NO_SHARE_LEFT}, 0, 0}}
end
redis.call('SADD', KEYS[3], ARGV[4])
redis.call('PEXPIRE', KEYS[3], {KEPT_MS})
redis.call('HSET', KEYS[1], 'owner:' .. me, owner, 'at:' .. me, whole(now), 'key:' .. me, ARGV[3])
redis.call('PEXPIRE', KEYS[1], {KEPT_MS})
local flat, members, strangers = redis.call('HGETALL', KEYS[1]), 0, 0
for at = 1, #flat, 2 do
  if string.sub(flat[at], 1, 3) == 'at:' and tonumber(flat[at + 1]) > since then
    members = members + 1
    local key = redis.call('HGET', KEYS[1], 'key:' .. string.sub(flat[at], 4))
    if key and key ~= ARGV[3] then strangers = strangers + 1 end
  end
end
redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', whole(now - {WANTS_MS}))
local wanted = redis.call('ZREVRANGE', KEYS[2], 0, {WANTED_MAX - 1})
table.insert(wanted, 1, strangers)
table.insert(wanted, 1, members)
table.insert(wanted, 1, {Welcome.IN})
return wanted
"""
)
"""KEYS: the members, the wishes of the day, who owns a share of the day; ARGV: instance, a name of its data
folder, the fingerprint of its hash key, a name of its journal, how many instances there may be. Returns a
Welcome, how many instances there are, how many of them have another key, and the rows of which somebody
wants more."""


class Standing(NamedTuple):
    """How a row stands for one instance."""

    given: int
    """By it, as the store has it; so `taken`."""
    taken: int
    pool: int
    """What was given and nobody has taken."""
    members: int
    """Instances that have said how they stand."""
    wanting: int
    """Of the others, those that want more."""
    left_of_wanting: int
    """What these have left, together."""


class Greeting(NamedTuple):
    """What the store says of a fleet."""

    welcome: Welcome
    members: int
    strangers: int
    """Of them, those with another hash key."""
    wanted: tuple[str, ...]


def standing_of(answer: list[bytes | int]) -> Standing:
    """Return what EXCHANGE has answered; ValueError where that cannot be."""
    standing = Standing(*map(int, answer))
    if not (0 <= standing.given <= EXACT_MAX and 0 <= standing.taken <= EXACT_MAX):
        raise ValueError(f"{standing.given} given, {standing.taken} taken")
    return standing


def greeting_of(answer: list[bytes | int]) -> Greeting:
    """Return what GREET has answered."""
    wanted = tuple(each.decode() for each in answer[3:] if isinstance(each, bytes))
    return Greeting(Welcome(int(answer[0])), int(answer[1]), int(answer[2]), wanted)
