"""What the store does with sightings, in Lua: an instance reads what is new, and adds what it has seen.

Those of one kind lie in a sorted set. A member is a sighting; its score says when it came, by the store's
clock in microseconds, and no two have the same. So whoever knows the score of the last one that it has read
reads what came behind it. What is there already is not added again: it has reached whoever reads.
"""

from typing import NamedTuple

import numpy as np

from engine.payments.fleet_records import SIGHTING_ROW_WORDS, Sighted
from engine.payments.view.sightings import Rows

MERGE = """
local function whole(number) return string.format('%.0f', number) end
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local born, since, kept, most = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
redis.call('SET', KEYS[2], whole(now), 'NX')
redis.call('PEXPIRE', KEYS[2], kept)
local life = redis.call('GET', KEYS[2])
if life ~= born then since = 0 end
local behind = '(' .. whole(since)
local found = redis.call('ZRANGEBYSCORE', KEYS[1], behind, '+inf', 'WITHSCORES', 'LIMIT', 0, most)
local answer = {life, whole(since), 1}
for at = 1, #found, 2 do
  answer[2] = whole(tonumber(found[at + 1]))
  table.insert(answer, found[at])
end
if #found == 2 * most then
  answer[3] = 0
  return answer
end
local newest = redis.call('ZREVRANGE', KEYS[1], 0, 0, 'WITHSCORES')
local last = tonumber(newest[2] or '0')
for at = 5, #ARGV do
  if not redis.call('ZSCORE', KEYS[1], ARGV[at]) then
    last = math.max(last + 1, now)
    redis.call('ZADD', KEYS[1], whole(last), ARGV[at])
  end
end
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', whole(now - 1000 * kept))
redis.call('PEXPIRE', KEYS[1], kept)
answer[2] = whole(math.max(last, tonumber(answer[2])))
return answer
"""
"""KEYS: sightings of a kind, when they began; ARGV: when they began as far as is known, the score read last,
for how long they are kept (ms), how many are read, then what is to be added. Returns a Merge: what this
instance adds itself it does not read. Of another beginning everything is read."""

DAY_KEPT_MS, HOUR_KEPT_MS = 25 * 3_600_000, 70 * 60_000
KEPT_MS = {Sighted.DEVICE: DAY_KEPT_MS, Sighted.IP: HOUR_KEPT_MS, Sighted.EMAIL: DAY_KEPT_MS}
"""Their windows, and a little."""
MEMBER_BYTES = 8 * SIGHTING_ROW_WORDS


class Merge(NamedTuple):
    """What MERGE has answered."""

    born: bytes
    since: int
    is_taken: bool
    """Whether what was to be added is there; else there is more to be read first."""
    rows: Rows


def members_of(rows: Rows) -> list[bytes]:
    """Return sightings as the store has them."""
    content = np.ascontiguousarray(rows, "<i8").tobytes()
    return [content[at : at + MEMBER_BYTES] for at in range(0, len(content), MEMBER_BYTES)]


def merge_of(answer: list[bytes | int]) -> Merge:
    """Return what MERGE has answered; ValueError where that cannot be."""
    born, since, is_taken, *members = answer
    content = [each for each in members if isinstance(each, bytes) and len(each) == MEMBER_BYTES]
    if not isinstance(born, bytes) or len(content) != len(members):
        raise ValueError(f"{len(members)} sightings, of which {len(content)} are some")
    rows = np.frombuffer(b"".join(content), "<i8").astype(np.int64).reshape(-1, SIGHTING_ROW_WORDS)
    return Merge(born, int(since), bool(is_taken), rows)
