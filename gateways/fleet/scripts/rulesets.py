"""What the store does with sets of rules, in Lua: an instance adds those that it has, and reads the newest.

A sorted set has the hash of each by a number that grows, a hash their signed bodies, of the newest alone.
What was added before is not added again, so what an instance says at its start changes no order.
"""

import re
from typing import NamedTuple

NEWEST_MAX = 8
"""Bodies that are kept: an instance has room for twice as many sets."""
KEPT_MS = 30 * 86_400_000

SETS = f"""
local function last()
  return tonumber(redis.call('ZREVRANGE', KEYS[1], 0, 0, 'WITHSCORES')[2] or '0')
end
local since = tonumber(ARGV[1])
if last() < since then since = 0 end
for at = 2, #ARGV, 2 do
  if not redis.call('ZSCORE', KEYS[1], ARGV[at]) then
    redis.call('ZADD', KEYS[1], last() + 1, ARGV[at])
    redis.call('HSET', KEYS[2], ARGV[at], ARGV[at + 1])
  end
end
for _, old in ipairs(redis.call('ZREVRANGE', KEYS[1], {NEWEST_MAX}, {8 * NEWEST_MAX})) do
  redis.call('HDEL', KEYS[2], old)
end
redis.call('ZREMRANGEBYRANK', KEYS[1], 0, -1001)
redis.call('PEXPIRE', KEYS[1], {KEPT_MS})
redis.call('PEXPIRE', KEYS[2], {KEPT_MS})
local newest = redis.call('ZREVRANGE', KEYS[1], 0, {NEWEST_MAX - 1}, 'WITHSCORES')
local answer = {{last()}}
for at = 1, #newest, 2 do
  local body = tonumber(newest[at + 1]) > since and redis.call('HGET', KEYS[2], newest[at])
  table.insert(answer, newest[at])
  table.insert(answer, body or '')
end
return answer
"""
"""KEYS: the order, the bodies; ARGV: the number that was read last, then hash and body of each that is to be
added. Returns a Newest: of those that were read already without their bodies."""

HASH = re.compile(r"[0-9a-f]{32}")


class Newest(NamedTuple):
    """What SETS has answered."""

    last: int
    bodies: dict[str, bytes]
    """By hash, the newest first; empty where it was read before."""


def newest_of(answer: list[bytes | int]) -> Newest:
    """Return what SETS has answered; ValueError where that cannot be."""
    last, *rest = answer
    bodies = {}
    for name, body in zip(rest[::2], rest[1::2], strict=True):
        if not isinstance(name, bytes) or not isinstance(body, bytes):
            raise ValueError("a set of rules is no text")
        bodies[name.decode("ascii", "replace")] = body
    return Newest(int(last), bodies)
