"""What other limits would have changed: the answer of `pinion whatif`, as JSON and as a table."""

from collections.abc import Iterator
from typing import Any

from engine.trading.instruments import Currency, Instrument
from engine.trading.view.live_view import LiveView
from engine.trading.view.records import AccountView
from pinion.cli.replay.question import FOLLOWED, Document, Question

LATCHES_SHOWN, ACCOUNTS_SHOWN = 20, 10
Compared = dict[str, Any]


def answer(question: Question) -> Document:
    """Return what the second engine decided otherwise, and where the two stand at the end."""
    was, would = LiveView(question.was.state), LiveView(question.would.state)
    stopped = dict(question.stopped.most_common())
    followed = stopped.pop(FOLLOWED, 0)
    return {
        "seq": question.was.seq,
        "commands": question.commands,
        "entered": question.entered,
        "limits": question.asked.limits,
        "stopped": {
            "count": sum(stopped.values()),
            "by_limit": stopped,
            "by_account": {str(account): count for account, count in question.stopped_accounts.most_common()},
        },
        "named_a_stopped_one": followed,
        "taken": {"count": question.taken.total(), "by_reason": dict(question.taken.most_common())},
        "latches": question.latches,
        "latch_counts": [
            {"limit": limit, "level": level, "count": count}
            for (limit, level), count in question.latch_counts.most_common()
        ],
        "latches_gone": question.gone,
        "latches_gone_count": question.gone_count,
        "trades": {"was": was.trade_count, "would": would.trade_count},
        "instruments": list(_instruments(was, would)),
        "accounts": list(_accounts(question, was, would)),
    }


def _instruments(was: LiveView, would: LiveView) -> Iterator[Document]:
    """Yield the instruments in which something would have traded otherwise."""
    for instrument in was.catalogue.instruments:
        books = [view.book_at(instrument.instrument_idx, 1) for view in (was, would)]
        trades, volumes = [book.trade_count for book in books], [book.volume for book in books]
        rests, lasts = [book.order_count for book in books], [book.last_px for book in books]
        if len({*trades}) + len({*volumes}) + len({*rests}) + len({*lasts}) > 4:
            prices = [instrument.price_text(px) if px else None for px in lasts]
            yield {
                "symbol": instrument.symbol,
                "trades": _pair(*trades),
                "volume": _pair(*map(instrument.quantity_text, volumes)),
                "resting_orders": _pair(*rests),
                "last": _pair(*prices),
            }


def _accounts(question: Question, was: LiveView, would: LiveView) -> Iterator[Document]:
    """Yield the accounts that would have ended with other positions or another equity."""
    accounts = question.was.state[0]["accounts"]["account"][: was.account_count]
    for account in accounts.tolist():
        before, after = was.account(account), would.account(account)
        assert before is not None
        assert after is not None
        positions, equity = _positions(before, after), _equity(before, after)
        if positions or equity:
            yield {"account": account, "equity": equity, "positions": positions}


def _positions(before: AccountView, after: AccountView) -> Compared:
    lots: list[dict[Instrument, int]] = [
        {each.instrument: each.qty for each in view.positions} for view in (before, after)
    ]
    return {
        instrument.symbol: _pair(*(instrument.quantity_text(each.get(instrument, 0)) for each in lots))
        for instrument in {**lots[0], **lots[1]}
        if lots[0].get(instrument, 0) != lots[1].get(instrument, 0)
    }


def _equity(before: AccountView, after: AccountView) -> Compared:
    """Return money and positions at the mark, by currency, where they differ."""
    amounts: dict[Currency, tuple[int, int]] = {
        one.currency: (one.equity, other.equity)
        for one, other in zip(before.balances, after.balances, strict=True)
    }
    return {
        currency.code: _pair(currency.text(one), currency.text(other))
        | {"change": currency.text(other - one)}
        for currency, (one, other) in amounts.items()
        if one != other
    }


def _pair(was: Any, would: Any) -> Compared:
    return {"was": was, "would": would}


def table(told: Document) -> Iterator[str]:
    """Yield the lines of an answer as people read it."""
    yield f"commands        {told['commands']:,}, orders and replaces taken {told['entered']:,}"
    yield f"would be stopped {told['stopped']['count']:,}"
    for limit, count in told["stopped"]["by_limit"].items():
        yield f"  {limit:<22} {count:,}"
    for account, count in list(told["stopped"]["by_account"].items())[:ACCOUNTS_SHOWN]:
        yield f"  account {account:<14} {count:,}"
    yield f"named one later {told['named_a_stopped_one']:,}"
    if told["taken"]["count"]:
        yield f"would be taken  {told['taken']['count']:,}"
        for reason, count in told["taken"]["by_reason"].items():
            yield f"  {reason:<22} {count:,}"
    yield from _latch_lines(told)
    trades = told["trades"]
    yield f"trades          {trades['was']:,} were, {trades['would']:,} would be"
    for each in told["instruments"]:
        traded, volume = each["trades"], each["volume"]
        counts = f"trades {traded['was']:,} -> {traded['would']:,}"
        yield f"  {each['symbol']:<16} {counts}, volume {volume['was']} -> {volume['would']}"
    yield from _account_lines(told["accounts"])


def _latch_lines(told: Document) -> Iterator[str]:
    total = sum(each["count"] for each in told["latch_counts"])
    if total or told["latches_gone_count"]:
        yield f"would latch     {total:,} more, {told['latches_gone_count']:,} would not"
    for each in told["latches"][:LATCHES_SHOWN]:
        level = each["level"] or "lifted"
        whose = "" if each["account"] is None else f" account {each['account']}"
        where = "" if each["symbol"] is None else f" {each['symbol']}"
        money = "" if each["currency"] is None else f" {each['currency']}"
        measured = "" if each["measured"] is None else f": {each['measured']} of {each['allowed']}{money}"
        yield f"  seq {each['seq']} at {each['eng_ts']}{whose}{where} {each['limit']} {level}{measured}"
    if total > LATCHES_SHOWN:
        yield f"  ... {total - LATCHES_SHOWN:,} more, see --json"


def _account_lines(accounts: list[Document]) -> Iterator[str]:
    yield f"accounts        {len(accounts):,} would stand otherwise"
    for each in accounts[:ACCOUNTS_SHOWN]:
        equity = [f"{code} {pair['was']} -> {pair['would']}" for code, pair in each["equity"].items()]
        held = [f"{symbol} {pair['was']} -> {pair['would']}" for symbol, pair in each["positions"].items()]
        yield f"  account {each['account']:<14} {'; '.join([*equity, *held])}"
    if len(accounts) > ACCOUNTS_SHOWN:
        yield f"  ... {len(accounts) - ACCOUNTS_SHOWN:,} more, see --json"
