"""Who pays whom: the cards, merchants and accounts of a traffic, and the bodies of its requests.

Most stories bring a card and an account of their own, so that they reach a limit exactly; what is named
`shared` belongs to all and makes stories meddle with each other.
"""

from collections import deque
from random import Random
from typing import Any

from perf.traffic.items import CAPTURE, PAY, REFUND, REVERSE, REVIEW, VOID, Body, Item, set_up

CURRENCIES = ("EUR", "JPY", "BHD")
EXPONENTS = {"EUR": 2, "JPY": 0, "BHD": 3, "CLF": 4}
CHANNELS = ("ecom", "pos", "moto", "recurring")
CARD_TYPES = ("credit", "debit", "prepaid")
COUNTRIES = ("DE", "FR", "US", "JP", "BH")
RICH = 10**15
RICH_ACCOUNTS = (1, 2, 3, 4)
PLAIN_MERCHANTS = ("m1", "m2", "shop.3", "SHOP_4", "a:5", "abcdefghijklmnopqrstuvwx")
FIRST_ACCOUNT = 1000
EXPIRY = "4912"
AMOUNT_LEAST, AMOUNT_MOST = 20_001, 900_000
"""A usual amount is more than one unit of every currency, and more than a hundred of some."""
RECENT = 64


class World:
    """What all stories of a traffic share; everything comes from its one source of randomness.

    limits : the parameters of the rules, by name; None is off
    """

    def __init__(self, seed: int, limits: dict[str, int | None]) -> None:
        self.rng = Random(seed)
        self.limits = limits
        self.recent: deque[int] = deque(maxlen=RECENT)
        """Numbers of items that asked for a payment, the newest last."""
        self._free_merchants: deque[str] = deque()
        self._count = 0

    def number(self) -> int:
        """Return a number that nothing else has."""
        self._count += 1
        return self._count

    def name(self, prefix: str) -> str:
        """Return a name that nothing else has."""
        return f"{prefix}{self.number()}"

    def limit(self, name: str, otherwise: int) -> int:
        """Return a parameter of the rules; `otherwise` where it is off."""
        found: int | None = self.limits.get(name)
        return otherwise if found is None else found

    def chance(self, share: float) -> bool:
        """Tell, in this share of all cases, to do something."""
        return self.rng.random() < share

    def amount(self) -> int:
        """Return a usual amount."""
        return self.rng.randrange(AMOUNT_LEAST, AMOUNT_MOST)

    def card(self, bin_digits: str | None = None) -> Body:
        """Return a new card, by its PAN or by a token; of its own BIN unless one of 8 digits is given."""
        rng = self.rng
        if bin_digits is None and rng.random() < 0.3:
            card: Body = {"token": self.name("tok-"), "expiry": EXPIRY}
            if rng.random() < 0.5:
                card["bin"] = str(10**7 + self.number())[: rng.randrange(6, 9)]
                card["last4"] = "0042"
        else:
            card = {"pan": self.pan(bin_digits), "expiry": EXPIRY}
        if rng.random() < 0.5:
            card["type"] = rng.choice(CARD_TYPES)
            card["issuer_country"] = rng.choice(COUNTRIES)
        return card

    def pan(self, bin_digits: str | None = None, length: int = 16) -> str:
        """Return a new PAN that has a right check digit."""
        number = self.number()
        first = str(40_000_000 + number % 20_000_000) if bin_digits is None else bin_digits
        return checked(f"{first}{number:0{length - 9}d}"[: length - 1])

    def new_account(self, **fields: Any) -> tuple[int, Item]:
        """Return a new account, and the line that makes it."""
        number = FIRST_ACCOUNT + self.number()
        return number, set_up("account", account=number, **fields)

    def take_merchant(self, **fields: Any) -> tuple[str, Item]:
        """Return a merchant that nobody uses at the moment, and the line that says what it is now."""
        if len(self._free_merchants) > 8:
            name = self._free_merchants.popleft()
        else:
            name = self.name("own-")
        return name, set_up("merchant", merchant=name, **fields)

    def give_back(self, merchant: str) -> None:
        """Let another story take a merchant."""
        self._free_merchants.append(merchant)


def checked(digits: str) -> str:
    """Return digits with the one behind them that makes a PAN of them (Luhn, ISO/IEC 7812-1)."""
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit)
        if place % 2 == 0:
            value = value * 2 - 9 if value > 4 else value * 2
        total += value
    return digits + str(-total % 10)


class Payer:
    """The cast of a story: what its payments have in common, and the operations on them."""

    def __init__(self, world: World, **fixed: Any) -> None:
        rng = world.rng
        self.world = world
        self.fixed: Body = {
            "merchant": rng.choice(PLAIN_MERCHANTS),
            "channel": rng.choice(CHANNELS),
            "currency": rng.choice(CURRENCIES),
            "account": rng.choice(RICH_ACCOUNTS),
            "card": world.card(),
            **fixed,
        }
        self.explains = rng.random() < 0.15

    @property
    def currency(self) -> str:
        """The currency of the story."""
        return str(self.fixed["currency"])

    @property
    def unit(self) -> int:
        """Minor units of one unit of the story's currency."""
        return int(10 ** EXPONENTS[self.currency])

    def body(self, at: int, **fields: Any) -> Body:
        """Return the body of a payment; a field that is None is left out."""
        world, rng = self.world, self.world.rng
        body: Body = {"request_id": f"r{world.number()}", "amount": world.amount()}
        body |= self.fixed
        body["received_at"] = at
        luck = rng.random()
        if luck < 0.3:
            body["op"] = "sale"
        elif luck < 0.6:
            self._add_signals(body)
        if self.explains:
            body["explain"] = True
        if fields:
            body |= fields
            if None in fields.values():
                return {name: value for name, value in body.items() if value is not None}
        return body

    def _add_signals(self, body: Body) -> None:
        """Add fields that no rule, or one that this story is not about, looks at."""
        world, rng = self.world, self.world.rng
        body["device"] = world.name("dev-")
        body["ip"] = f"10.{rng.randrange(256)}.{rng.randrange(256)}.{rng.randrange(256)}"
        body["email"] = f"a{world.number()}@Example.org"
        body["cvv_result"] = "match"
        body["avs_result"] = rng.choice(("match", "mismatch", "none", "partial"))
        body["score"] = rng.randrange(600)
        body["terminal"] = "T 1"
        body["ip_country"] = rng.choice(COUNTRIES)
        body["allow_partial"] = rng.random() < 0.5

    def pay(self, at: int, **fields: Any) -> tuple[int, Item]:
        """Return a payment, and when it is sent."""
        return at, Item(PAY, self.body(at, **fields))

    def declined(self, at: int, **fields: Any) -> tuple[int, Item]:
        """Return a payment that is declined whatever else holds: its verification value is wrong."""
        return self.pay(at, cvv_result="mismatch", **fields)

    def operate(self, kind: str, of: int, at: int, **fields: Any) -> tuple[int, Item]:
        """Return an operation on a payment under a request_id of its own, unless one is given."""
        return at, Item(kind, {"request_id": f"o{self.world.number()}", "received_at": at, **fields}, of)

    def capture(self, of: int, at: int, **fields: Any) -> tuple[int, Item]:
        """Return a capture."""
        return self.operate(CAPTURE, of, at, **fields)

    def void(self, of: int, at: int, **fields: Any) -> tuple[int, Item]:
        """Return a void."""
        return self.operate(VOID, of, at, **fields)

    def refund(self, of: int, at: int, **fields: Any) -> tuple[int, Item]:
        """Return a refund."""
        return self.operate(REFUND, of, at, **fields)

    def review(self, of: int, at: int, outcome: str) -> tuple[int, Item]:
        """Return what somebody decides about a payment in review."""
        return at, Item(REVIEW, {"outcome": outcome, "received_at": at}, of)

    def reverse(self, at: int, request_id: str) -> tuple[int, Item]:
        """Return a void by merchant and request_id."""
        body = {"merchant": self.fixed["merchant"], "request_id": request_id, "received_at": at}
        return at, Item(REVERSE, body)
