"""What the store does with rates of clients, in Lua: it grants requests of keys, one rate each for a fleet.

A hash has of each key the moment up to which what was granted has used its rate up, in microseconds of the
store's clock, as the generic cell rate algorithm says.
"""

KEPT_MS = 3_600_000

RATE = f"""
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local interval = 1000000 / tonumber(ARGV[1])
local ahead = interval * tonumber(ARGV[2])
local answer = {{}}
for at = 3, #ARGV, 2 do
  local up_to = math.max(tonumber(redis.call('HGET', KEYS[1], ARGV[at]) or '0'), now)
  local room = math.floor((now + ahead - up_to) / interval + 0.001)
  local granted = math.max(0, math.min(tonumber(ARGV[at + 1]), room))
  redis.call('HSET', KEYS[1], ARGV[at], string.format('%.3f', up_to + granted * interval))
  table.insert(answer, granted)
end
redis.call('PEXPIRE', KEYS[1], {KEPT_MS})
return answer
"""
"""KEYS: the rates; ARGV: requests a second, how many are granted ahead at most, then name of a key and how
many are wanted. Returns how many are granted of each."""


def grants_of(answer: list[bytes | int]) -> list[int]:
    """Return what RATE has answered; ValueError where that cannot be."""
    grants = [int(each) for each in answer]
    if any(each < 0 for each in grants):
        raise ValueError(f"{grants} requests")
    return grants
