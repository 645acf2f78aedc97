"""Takes payments at one instance of a fleet, each asked again until it is answered."""

import time
from collections import Counter
from typing import Any

from tests.system.payments.running import Answer, Caller, RunningPayments
from tests.system.running import await_true

PAYMENTS = "/v1/payments"
RULESETS = f"{PAYMENTS}/rulesets"
UNANSWERED = (0, 503, 504)
AGAIN_S, WAIT_S = 0.02, 120.0
FREE = "free"
"""A merchant without a daily limit."""


class Client:
    """Takes payments at one instance, each asked again until it is answered."""

    def __init__(self, running: RunningPayments, name: str) -> None:
        self._caller = Caller(running.data_dir, running.key)
        self._name = name
        self._number = self._day = 0
        self.approved: Counter[tuple[str, int]] = Counter()
        """By merchant and day."""
        self.times_s: list[float] = []
        self.count = self.refused = 0

    def pay(self, merchant: str, amount: int) -> bool:
        """Ask for one payment; tell whether it was approved."""
        answer = self._ask(merchant, amount)
        assert answer.code in ("OK", "MERCHANT_DAILY_LIMIT"), answer
        if answer.code != "OK":
            self.refused += 1
            return False
        self.count += 1
        if self._day == day_now():  # else nobody knows which day it counts for
            self.approved[merchant, self._day] += amount
        return True

    def pay_freely(self) -> None:
        """Ask for one payment to a merchant without a limit."""
        assert self._ask(FREE, 1000).code == "OK"

    def pay_with(self, device: str, card: str) -> str:
        """Ask for one payment of a card with a device; return the code."""
        return self._ask(FREE, 1000, device=device, card={"token": card, "expiry": "9912"}).code

    def register(self, body: dict[str, Any]) -> str:
        """Register a set of rules; return its hash."""
        found: list[str] = []

        def is_registered() -> bool:
            answer = self._caller.ask("POST", RULESETS, body)
            assert answer.status in (200, *UNANSWERED), answer
            found.extend([answer.reply["hash"]] if answer.status == 200 else [])
            return bool(found)

        await_true(is_registered, f"{body} is registered", WAIT_S)
        return found[0]

    def knows(self, name: str, who: str) -> bool:
        """Tell whether a set is registered here by this one, and governs nothing."""
        answer = self._caller.ask("GET", RULESETS)
        if answer.status != 200:
            return False
        sets = {each["hash"]: each for each in answer.reply["rulesets"]}
        if name in sets:
            assert (sets[name]["who"], sets[name]["state"]) == (who, "registered"), sets[name]
        return name in sets

    def _ask(self, merchant: str, amount: int, **more: Any) -> Answer:
        """Ask for one payment until it is answered."""
        self._number += 1
        body = {
            "request_id": f"{self._name}-{self._number}", "merchant": merchant, "channel": "pos",
            "amount": amount, "currency": "EUR", "account": 1,
            "card": {"token": f"{self._name}-{self._number}", "expiry": "9912"}, **more,
        }  # fmt: skip
        give_up = time.monotonic() + WAIT_S
        while True:
            began, self._day = time.monotonic(), day_now()
            answer = self._caller.ask("POST", PAYMENTS, body)
            if answer.status not in UNANSWERED:
                break
            assert time.monotonic() < give_up, f"{body} has no answer: {answer}"
            time.sleep(AGAIN_S)
        self.times_s.append(time.monotonic() - began)
        return answer

    def close(self) -> None:
        """Close the connection."""
        self._caller.close()


def day_now() -> int:
    """Return the day of UTC."""
    return int(time.time() // 86_400)
