"""A load generator for the door of payments, in a process of its own (perf/http_generator.py), open loop.

    python -m perf.load_payments <plan.json      prints the result as one JSON line

The machine's own stalls are traced beside it on the same schedule. Each answer is parsed and must be that of
its own request; one whose status is not 200 is an error. The plan comes through standard input because a
bearer key has no place among the arguments that everybody on the machine can read.

Every card comes back after all others, so that the default limits pass where `cards` is large enough for the
rate (three a minute); two cards share a device. Every second payment is a sale; the others stay open.
"""

import subprocess
import sys
from collections import Counter
from dataclasses import asdict
from typing import Any

import msgspec
import numpy as np

from engine.contract.errors import ToldError
from perf.histogram import percentiles
from perf.http_generator import HEAD_END, HttpGenerator, Run
from perf.stalls import traced_beside

WARM_UP_S = 1.0
AMOUNT_MIN, AMOUNTS, AMOUNT_STEP = 101, 4899, 7919
"""Amounts of a few units: above one, so that none is a trial of a card."""
SCORES = 700
"""Below this nothing is noted."""
OK_STATUS = "200"


class LoadError(ToldError):
    """A load could not be played to its end."""


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What is played, and where."""

    host: str
    port: int
    key: str
    run: str
    """The beginning of every request_id, another one for each run."""
    shift: int
    """Another one for each run: it begins at another card, and no card pays again what it has paid before."""
    rate: float
    seconds: float
    connections: int
    merchants: int
    accounts: int
    cards: int


class LoadResult(msgspec.Struct, frozen=True, kw_only=True):
    """What a run came to; times in ns, from the moment at which a request was due."""

    requests: int
    offered_per_s: float
    throughput_per_s: float
    mean_ns: float
    p50_ns: float
    p99_ns: float
    p999_ns: float
    max_ns: float
    late_ns_max: float
    """By how much the generator itself sent a request late, where it waited for a free connection too."""
    codes: dict[str, int]
    errors: dict[str, int]
    stalls: dict[str, float]


def measured(plan: Plan) -> LoadResult:
    """Play a plan in a process of its own; LoadError says why it could not."""
    done = subprocess.run(
        [sys.executable, "-m", "perf.load_payments"],
        input=msgspec.json.encode(plan),
        capture_output=True,
        check=False,
    )
    if done.returncode:
        lines = done.stderr.decode(errors="replace").strip().splitlines() or ["killed"]
        raise LoadError(f"the load generator failed: {lines[-1]}")
    return msgspec.json.decode(done.stdout, type=LoadResult)


def body_of(plan: Plan, number: int) -> bytes:
    """Return the body of a request."""
    card = (number + plan.shift) % plan.cards
    amount = AMOUNT_MIN + (number * AMOUNT_STEP + plan.shift) % AMOUNTS
    device = card // 2
    return (
        f'{{"request_id":"{plan.run}-{number}","merchant":"m{1 + number % plan.merchants}",'
        f'"op":"{"sale" if number % 2 else "authorise"}","channel":"ecom",'
        f'"amount":{amount},"currency":"EUR",'
        f'"account":{1 + number % plan.accounts},'
        f'"card":{{"pan":"{pan_of(card)}","expiry":"9912","type":"debit","issuer_country":"DE"}},'
        f'"device":"device-{device}","ip":"10.{device >> 16 & 255}.{device >> 8 & 255}.{device & 255}",'
        f'"sca":true,"cvv_result":"match","score":{number % SCORES}}}'
    ).encode()


def pan_of(card: int) -> str:
    """Return the PAN of a card of ours, of 16 digits with its check digit."""
    digits = f"40000000{card:07d}"
    total = sum(int(digit) for digit in digits[1::2])
    total += sum(sum(divmod(2 * int(digit), 10)) for digit in digits[::2])
    return f"{digits}{-total % 10}"


def request_of(plan: Plan, number: int) -> bytes:
    """Return a whole request."""
    body = body_of(plan, number)
    return (
        f"POST /v1/payments HTTP/1.1\r\nHost: {plan.host}\r\nAuthorization: Bearer {plan.key}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    ).encode() + body


def outcomes(plan: Plan, run: Run) -> tuple[Counter[str], Counter[str]]:
    """Return how many answers had each code, then those that are errors; LoadError where one is another's."""
    codes: Counter[str] = Counter()
    errors: Counter[str] = Counter()
    for number, answer in run.answers:
        head, _, body = answer.partition(HEAD_END)
        status = head[9:12].decode()
        reply: dict[str, Any] = msgspec.json.decode(body)
        code = str(reply.get("code") or status)
        codes[code] += 1
        if status != OK_STATUS:
            errors[code] += 1
        elif reply["request_id"] != f"{plan.run}-{number}":
            raise LoadError(f"{plan.run}-{number} was answered with the reply of {reply['request_id']}")
    return codes, errors


def play(plan: Plan) -> LoadResult:
    """Play a plan in this process."""
    count = int(plan.rate * (plan.seconds + WARM_UP_S))
    generator = HttpGenerator(
        (plan.host, plan.port), plan.connections, [request_of(plan, number) for number in range(count)]
    )
    generator.open(plan.rate, WARM_UP_S)
    with traced_beside(plan.seconds, plan.rate) as stalls:
        run = generator.open(plan.rate, plan.seconds)
    generator.close()
    codes, errors = outcomes(plan, run)
    return LoadResult(
        requests=len(run.answers),
        offered_per_s=plan.rate,
        throughput_per_s=len(run.answers) / run.elapsed_s,
        **asdict(percentiles(np.array(run.latencies_ns))),
        late_ns_max=run.late_ns_max,
        codes=dict(codes),
        errors=dict(errors),
        stalls=stalls,
    )


if __name__ == "__main__":
    sys.stdout.buffer.write(
        msgspec.json.encode(play(msgspec.json.decode(sys.stdin.buffer.read(), type=Plan)))
    )
