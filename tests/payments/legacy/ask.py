"""A payment as the rules read it: its body, in good form, with what is not given as None."""

from datetime import date
from functools import lru_cache

from tests.payments.legacy.addresses import email_of, network_of, pan_key, token_key
from tests.payments.legacy.currencies import EXPONENTS
from tests.payments.legacy.form import Body
from tests.payments.legacy.records import Account, Merchant
from tests.payments.legacy.windows import DAY_MS


class Ask:
    """What is asked for, and the merchant and account that it names, where they are known."""

    __slots__ = (
        *("account", "account_number", "allow_partial", "amount", "bin", "card", "card_type", "channel"),
        *(
            "avs_result",
            "received_at",
            "currency",
            "cvv_result",
            "device",
            "email",
            "expiry",
            "explain",
            "ip",
            "ip_country",
        ),
        *(
            "issuer_country",
            "merchant",
            "merchant_name",
            "noted",
            "request_id",
            "sale",
            "sca",
            "score",
            "unit",
        ),
    )

    def __init__(self, body: Body, merchant: Merchant | None, account: Account | None) -> None:
        self.merchant = merchant
        self.account = account
        self.merchant_name: str = body["merchant"]
        self.account_number: int = body["account"]
        self.request_id: str = body["request_id"]
        self.sale = body.get("op") == "sale"
        self.channel: str = body["channel"]
        self.amount: int = body["amount"]
        self.currency: str = body["currency"]
        self.unit = 10 ** EXPONENTS[self.currency]  # minor units
        self.noted = False  # whether a rule noted or declined already
        card = body["card"]
        pan: str | None = card.get("pan")
        self.card = token_key(card["token"]) if pan is None else pan_key(pan)
        self.bin: str | None = card.get("bin") if pan is None else pan[:8]
        self.expiry: str = card["expiry"]
        self.card_type: str | None = card.get("type")
        self.issuer_country: str | None = card.get("issuer_country")
        self.device: str | None = body.get("device")
        self.ip = network_of(body["ip"]) if "ip" in body else None
        self.email = email_of(body["email"]) if "email" in body else None
        self.ip_country: str | None = body.get("ip_country")
        self.sca: bool = body.get("sca", False)
        self.cvv_result: str | None = body.get("cvv_result")
        self.avs_result: str | None = body.get("avs_result")
        self.received_at: int | None = body.get("received_at")
        self.score: int | None = body.get("score")
        self.allow_partial: bool = body.get("allow_partial", False)
        self.explain: bool = body.get("explain", False)

    @property
    def bin_counted(self) -> str | None:
        """The digits by which declines of a BIN count: 8, or 6 of a shorter one."""
        return self.bin if self.bin is None or len(self.bin) == 8 else self.bin[:6]

    @property
    def available(self) -> int:
        """What the account has in this currency and does not hold."""
        return self.account.available(self.currency) if self.account else 0


@lru_cache(4096)
def month_start_ms(expiry: str, months_later: int) -> int:
    """Return the first ms (UTC) of the month so many months after one written YYMM."""
    months = (2000 + int(expiry[:2])) * 12 + int(expiry[2:]) - 1 + months_later
    return (date(months // 12, months % 12 + 1, 1) - date(1970, 1, 1)).days * DAY_MS
