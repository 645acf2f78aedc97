"""Clients that keep their own record of what they were told, while the engine dies under them.

Each has merchants, accounts and cards of its own and asks for one thing after the other. What got no answer
(connection lost, 503, 504) is sent again as it was until there is one, so that at rest nothing is of
unknown outcome: the record says what every payment and every account must be (ledger.py).
"""

import random
import threading
import time
from collections import Counter
from collections.abc import Collection
from pathlib import Path
from typing import NamedTuple, TypeVar

from tests.system.payments.ledger import Ledger, Payment
from tests.system.payments.running import Answer, Body, Caller

GIVE_UP_S = 300.0
UNANSWERED = (0, 429, 503, 504)
AGAIN_S = 0.02
CURRENCIES = ("EUR", "JPY")
BALANCE, DEPOSIT = 2_000_000, 50_000
ACCOUNTS, CARDS, RECENT = 2, 300, 60
"""Of each client; and the payments among which it picks one to do something with."""
OLD_CHECKED = 40
"""Of replies and payments of earlier rounds so many are asked for again."""
PAYMENTS = "/v1/payments"


def set_up_of(clients: int) -> str:
    """Return the lines of set-up that so many clients need."""
    lines = []
    for number in range(clients):
        lines.append(f'{{"op":"merchant","merchant":"shop-{number}"}}')
        balances = ",".join(f'"{currency}":{BALANCE}' for currency in CURRENCIES)
        lines += [
            f'{{"op":"account","account":{account},"balances":{{{balances}}}}}'
            for account in accounts_of(number)
        ]
    return "\n".join(lines)


def accounts_of(number: int) -> range:
    """Return the accounts of a client."""
    return range(1 + number * ACCOUNTS, 1 + (number + 1) * ACCOUNTS)


class Told(NamedTuple):
    """A request whose reply is remembered: a repeat must give it again."""

    path: str
    body: Body
    status: int
    reply: Body


Kept = TypeVar("Kept", Told, Payment)


class Client:
    """Asks for payments and more until told to stop, and checks afterwards what it was told."""

    def __init__(self, data_dir: Path, key: str, number: int, seed: int) -> None:
        self.faults: list[str] = []
        self.counts: Counter[str] = Counter()
        self.ledger = Ledger(accounts_of(number), CURRENCIES, BALANCE)
        self._number = number
        self._random = random.Random(seed * 1000 + number)
        self._caller = Caller(data_dir, key)
        self._asked = 0
        self._fresh: list[Told] = []
        self._old: list[Told] = []

    @property
    def known(self) -> Collection[str]:
        """The ids of all payments that it was told of."""
        return self.ledger.payments.keys()

    def play(self, stopping: threading.Event) -> None:
        """Ask for one thing after the other; end once the last one was answered."""
        actions = {
            self._pay: 45, self._operate: 30, self._review: 5, self._reverse: 3, self._reverse_first: 2,
            self._repeat: 8, self._repeat_otherwise: 3, self._deposit: 2, self._look: 2,
        }  # fmt: skip
        while not stopping.is_set() and not self.faults:
            [action] = self._random.choices(list(actions), list(actions.values()))
            action()

    def check(self) -> None:
        """Ask again for what this round told, and for some of what earlier ones did: all is as it was."""
        for told in [*self._fresh, *self._some(self._old)]:
            self._ask_again(told)
        for payment in [*self.ledger.changed.values(), *self._some(list(self.ledger.payments.values()))]:
            self._compare(payment)
        self.ledger.changed.clear()
        for account in self.ledger.accounts:
            found = self._ask("GET", f"{PAYMENTS}/accounts/{account}").reply
            self._expect(found, self.ledger.account(account), f"account {account}")
        self._old += self._fresh
        self._fresh.clear()

    def close(self) -> None:
        """Close the connection."""
        self._caller.close()

    def _some(self, all_of: list[Kept]) -> list[Kept]:
        return self._random.sample(all_of, min(OLD_CHECKED, len(all_of)))

    def _name(self) -> str:
        self._asked += 1
        return f"{self._number}-{self._asked}"

    def _pay(self, request_id: str = "") -> None:
        pick = self._random
        body: Body = {
            "request_id": request_id or self._name(), "merchant": f"shop-{self._number}",
            "op": pick.choice(("authorise", "sale")), "channel": pick.choice(("pos", "ecom", "moto")),
            "amount": pick.choice((pick.randrange(1, 40_000), pick.randrange(1, 400))),
            "currency": pick.choice(CURRENCIES), "account": pick.choice(accounts_of(self._number)),
            "card": {"token": f"card-{self._number}-{pick.randrange(CARDS)}", "expiry": "9912"},
            "score": pick.choice((0, 100, 100, 750, 950)), "allow_partial": pick.random() < 0.5,
        }  # fmt: skip
        answer = self._ask("POST", PAYMENTS, body)
        if answer.status != 200:
            self.faults.append(f"{body} was answered {answer}")
        elif answer.code != "CAPACITY":
            self.ledger.paid(answer.reply, body)
            self._fresh.append(Told(PAYMENTS, body, answer.status, answer.reply))

    def _operate(self) -> None:
        payment = self._recent()
        if payment is None:
            return
        name = self._random.choice(("capture", "capture", "void", "refund"))
        body: Body = {"request_id": self._name()}
        if self._random.random() < 0.6:
            body["amount"] = self._random.randrange(1, 2 + max(payment.held, payment.captured))
        if name == "capture" and self._random.random() < 0.2:
            body["final"] = True
        self._moved(payment, name, body, is_remembered=True)

    def _review(self) -> None:
        payment = next((each for each in self.ledger.payments.values() if each.state == "review"), None)
        if payment is not None:
            outcome = self._random.choice(("approve", "decline"))
            self._moved(payment, "review", {"outcome": outcome}, is_remembered=False)

    def _moved(self, payment: Payment, name: str, body: Body, is_remembered: bool) -> None:
        path = f"{PAYMENTS}/{payment.name}/{name}"
        answer = self._ask("POST", path, body)
        if answer.reply.get("payment") != payment.name or "held" not in answer.reply:
            self.faults.append(f"{path} {body} was answered {answer}")
            return
        if answer.code == "CAPACITY":  # more operations than are remembered of one payment
            return
        self.ledger.moved(payment, answer.reply)
        if is_remembered:
            self._fresh.append(Told(path, body, answer.status, answer.reply))

    def _reverse(self) -> None:
        payment = self._recent()
        if payment is None or payment.is_reversed:
            return
        payment.is_reversed = True
        body = {"merchant": f"shop-{self._number}", "request_id": payment.request_id}
        answer = self._ask("POST", f"{PAYMENTS}/void", body)
        if answer.reply.get("payment") != payment.name:
            self.faults.append(f"the reversal of {payment} was answered {answer}")
            return
        self.ledger.moved(payment, answer.reply)
        self._fresh.append(Told(f"{PAYMENTS}/void", body, answer.status, answer.reply))

    def _reverse_first(self) -> None:
        request_id = self._name()
        body = {"merchant": f"shop-{self._number}", "request_id": request_id}
        answer = self._ask("POST", f"{PAYMENTS}/void", body)
        if (answer.status, answer.code, answer.reply["payment"]) != (200, "OK", None):
            self.faults.append(f"a reversal of what is not there was answered {answer}")
        self._pay(request_id)
        reply = self._fresh[-1].reply
        if reply["code"] != "REVERSED":
            self.faults.append(f"{request_id} was reversed and is {reply}")
        self.ledger.payments[reply["payment"]].is_reversed = True

    def _repeat(self) -> None:
        if self._fresh:
            self._ask_again(self._random.choice(self._fresh))

    def _ask_again(self, told: Told) -> None:
        answer = self._ask("POST", told.path, told.body)
        self.counts["repeats"] += 1
        self._expect(
            {**answer.reply, "status": answer.status},
            {**told.reply, "status": told.status, "replayed": True},
            f"the repeat of {told.path} {told.body}",
        )

    def _repeat_otherwise(self) -> None:
        paid = [told for told in self._fresh if told.path == PAYMENTS]
        if paid:
            told = self._random.choice(paid)
            answer = self._ask("POST", told.path, {**told.body, "amount": told.body["amount"] + 1})
            found = (answer.status, answer.code, answer.reply.get("payment"))
            if found != (409, "DUPLICATE", told.reply["payment"]):
                self.faults.append(f"another body for {told.body} was answered {answer}")

    def _deposit(self) -> None:
        account, currency = self._random.choice(self.ledger.accounts), self._random.choice(CURRENCIES)
        line = {
            "op": "deposit",
            "account": account,
            "currency": currency,
            "amount": 50_000,
            "id": self._name(),
        }
        give_up = time.monotonic() + GIVE_UP_S
        while True:
            answer = self._ask("POST", f"{PAYMENTS}/admin", line)
            code = answer.reply["results"][0]["code"]
            if code not in ("BUSY", "TIMEOUT", "SYSTEM") or time.monotonic() > give_up:
                break
            time.sleep(AGAIN_S)
        if code == "OK":
            self.ledger.deposited(account, currency, DEPOSIT)
        else:
            self.faults.append(f"{line} was answered {answer}")

    def _look(self) -> None:
        payment = self._recent()
        if payment is not None:
            self._compare(payment)

    def _compare(self, payment: Payment) -> None:
        answer = self._ask("GET", f"{PAYMENTS}/{payment.name}")
        self.counts["looks"] += 1
        self._expect(answer.reply, payment.shown(), f"payment {payment.name}")

    def _recent(self) -> Payment | None:
        names = list(self.ledger.payments)[-RECENT:]
        return self.ledger.payments[self._random.choice(names)] if names else None

    def _expect(self, found: Body, wanted: Body, what: str) -> None:
        other = {name: (found.get(name), value) for name, value in wanted.items() if found.get(name) != value}
        if other:
            self.faults.append(f"{what}: found and expected differ: {other}; found {found}")

    def _ask(self, method: str, path: str, body: Body | None = None) -> Answer:
        """Ask until there is an answer."""
        give_up = time.monotonic() + GIVE_UP_S
        while True:
            answer = self._caller.ask(method, path, body)
            if answer.status not in UNANSWERED:
                self.counts["answers"] += 1
                return answer
            self.counts[answer.code or "no answer"] += 1
            if time.monotonic() > give_up:
                self.faults.append(f"no answer for {method} {path} {body}: {answer}")
                return answer
            time.sleep(AGAIN_S)
