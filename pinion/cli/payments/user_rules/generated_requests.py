"""Requests of generated traffic as user rules see them: rows of FIELDS."""

from collections.abc import Iterator
from itertools import islice

import numpy as np
import numpy.typing as npt

from engine.payments.records import COMMAND, HAS_SCA, WANTS_EXPLANATION, WANTS_PARTIAL, Clock
from engine.payments.rules.vocabulary import FIELDS
from gateways.payments.form import PaymentForm
from gateways.payments.hashing import KEY_BYTES, Hasher
from gateways.payments.values import FormRefusal
from perf.traffic.items import PAY, text_of
from perf.traffic.settings import DEFAULTS
from perf.traffic.traffic import Traffic

LATE_MS = 2**42
"""A clock behind all moments of traffic, so that none of them lies too far ahead."""
ANY_KEY = bytes(KEY_BYTES)
"""Hashes are no fields of a rule: their key means nothing here."""


def generated_requests(seed: int, count: int) -> npt.NDArray[np.int64]:
    """Return the first authorises and sales of a traffic that are in good form: int64[count, FIELDS]."""
    commands = np.frombuffer(b"".join(islice(_records(seed), count)), COMMAND)
    return rows_of(commands)


def _records(seed: int) -> Iterator[bytes]:
    """Yield PAY commands without end."""
    form = PaymentForm(Hasher(ANY_KEY), Clock.REQUEST, lambda: LATE_MS)
    for item in Traffic(seed, settings=DEFAULTS):
        if item.kind == PAY:
            try:
                yield bytes(form.pay(text_of(item.body).encode("utf-8", "surrogatepass")).record)
            except FormRefusal:  # the door refuses it: no rule ever sees it
                continue


def rows_of(commands: npt.NDArray[np.void]) -> npt.NDArray[np.int64]:
    """Return PAY commands as rules see them; T goes by what they say of the time."""
    options = commands["options"]
    made = {
        "op": commands["kind"],
        "sca": options & HAS_SCA != 0,
        "allow_partial": options & WANTS_PARTIAL != 0,
        "explain": options & WANTS_EXPLANATION != 0,
        "ts_ms": np.maximum.accumulate(np.maximum(commands["received_at"], 0)),
    }
    columns = [made[name] if name in made else commands[name] for name in FIELDS]
    return np.stack(columns, axis=1).astype(np.int64)
