"""The page of a report: one file of HTML without anything from elsewhere.

Whatever stands in a body is escaped: a page shows what a client has sent.
"""

import json
from collections.abc import Iterable, Mapping
from html import escape
from typing import Any

import msgspec

from pinion.parity.answers import Document
from pinion.parity.coverage import CHANNELS, EXPONENTS, FEW
from pinion.parity.ignored import IgnoreList
from pinion.parity.report.examples import Examples
from pinion.parity.report.look import LOOK
from pinion.parity.tally import Diff

SHOWN_ROWS = 40


def page_of(
    summary: Mapping[str, Any], ignored: IgnoreList, about: Mapping[str, str], examples: Examples
) -> str:
    """Return the page."""
    is_equal = summary["different"] == 0
    verdict = (
        "Every pair is answered alike"
        if is_equal
        else f"{summary['different']:,} of {summary['pairs']:,} pairs differ"
    )
    parts = [
        "<!doctype html><html lang=en><meta charset=utf-8>",
        "<meta name=viewport content='width=device-width,initial-scale=1'>",
        f"<title>Replay: {escape(verdict)}</title><style>{LOOK}</style>",
        f"<header class={'good' if is_equal else 'bad'}><h1>{escape(verdict)}</h1>",
        _list(f"{name} <b>{escape(value)}</b>" for name, value in about.items()),
        "</header><main>",
        _tiles(summary),
        _notes(summary, ignored),
        "<section class=three>",
        _counted("By field", summary["by_field"], summary["different"]),
        _counted("By codes, there &gt; here", summary["by_codes"], summary["different"]),
        _counted("By rule, there &gt; here", summary["by_rules"], summary["different"]),
        "</section>",
        _differences(examples),
        _coverage(summary["coverage"]),
        "</main></html>\n",
    ]
    return "".join(parts)


def _list(entries: Iterable[str]) -> str:
    return "<ul>" + "".join(f"<li>{each}" for each in entries) + "</ul>"


def _tiles(summary: Mapping[str, Any]) -> str:
    share = f"{100 * summary['upper_bound_95']:.3g} %"
    coverage = summary["coverage"]
    tiles = {
        "pairs compared": f"{summary['pairs']:,}",
        "equal": f"{summary['equal']:,}",
        "different": f"{summary['different']:,}",
        "ignored": f"{summary['ignored']:,}",
        "at most different, of requests like these (95 %)": share,
        f"cells of {coverage['cells']} with {FEW} or more": f"{coverage['cells'] - coverage['under_30']}",
    }
    return (
        "<section class=tiles>"
        + "".join(f"<div><b>{value}</b>{name}</div>" for name, value in tiles.items())
        + "</section>"
    )


def _notes(summary: Mapping[str, Any], ignored: IgnoreList) -> str:
    notes = [f"{count:,} not played: {escape(why)}" for why, count in summary["left_out"].items()]
    if summary["unanswered"]:
        notes.append(f"{summary['unanswered']:,} were played, but have no captured answer to compare with")
    notes += [
        f"noise, between two runs of the old service: {escape(each['field'])} of {escape(each['codes'])}, "
        f"{each['count']:,} times; {escape(each['ignored'] or 'not named in the ignore file')}"
        for each in summary["noise"]
    ]
    notes += [f"ignored, but never met: {escape(str(each))}" for each in ignored.unmet()]
    return f"<section class=notes>{_list(notes)}</section>" if notes else ""


def _counted(title: str, counts: Mapping[str, int], total: int) -> str:
    """Return a table of counts with a bar each."""
    rows = [
        f"<tr><td>{escape(name).replace('&gt;', '&gt;<wbr>')}<td class=n>{count:,}"
        f"<td class=bar><i style='width:{100 * count / max(total, 1):.1f}%'></i>"
        for name, count in list(counts.items())[:SHOWN_ROWS]
    ]
    body = "".join(rows) or "<tr><td>nothing"
    return f"<div><h2>{title}</h2><table>{body}</table></div>"


def _differences(examples: Examples) -> str:
    parts = []
    for codes, diffs in sorted(examples.kept.items(), key=lambda each: -examples.counts[each[0]]):
        count = examples.counts[codes]
        parts.append(f"<h3 id='{escape(codes)}'>{escape(codes)} <small>{count:,} pairs</small></h3>")
        parts += map(_difference, diffs)
    if not parts:
        return ""
    return (
        "<section><h2>Differences</h2><p>The first of each kind; all stand in diffs.jsonl. "
        "An early difference can bring about later ones: begin with the lowest number.</p>"
        + "".join(parts)
        + "</section>"
    )


def _difference(diff: Diff) -> str:
    names = ", ".join(each.field for each in diff.fields)
    reasons = {f"{each.field}: {each.ignored}" for each in diff.fields if each.ignored is not msgspec.UNSET}
    differing = {each.field for each in diff.fields}
    ignored = _list(f"ignored {escape(each)}" for each in sorted(reasons)) if reasons else ""
    return (
        f"<details{' class=ignored' if diff.is_ignored else ''}><summary><b>#{diff.n}</b> "
        f"<code>{escape(diff.path)}</code> {escape(names)}</summary>{ignored}"
        f"<h4>Request, at {diff.at_ms} ms</h4><pre>{escape(_pretty(diff.request))}</pre>"
        f"<div class=two>{_side('There', diff.old_status, diff.old, differing)}"
        f"{_side('Here', diff.new_status, diff.new, differing)}</div></details>"
    )


def _side(title: str, status: int, document: Document | None, differing: set[str]) -> str:
    """Return one of two bodies; a line whose field differs is marked."""
    rows = "".join(
        f"<tr{' class=differs' if name in differing else ''}><td>{escape(name)}"
        f"<td>{escape(json.dumps(value, ensure_ascii=False))}"
        for name, value in {"status": status, **(document or {})}.items()
    )
    return f"<div><h4>{title}</h4><table class=body>{rows}</table></div>"


def _pretty(text: str) -> str:
    try:
        return json.dumps(json.loads(text), indent=1, ensure_ascii=False)
    except (ValueError, RecursionError):  # it is shown as it was sent
        return text


def _coverage(coverage: Mapping[str, Any]) -> str:
    """Return the cells: a row a rule and outcome, a column a channel and exponent."""
    counts: dict[tuple[str | None, str], dict[tuple[str, int], int]] = {}
    for rule, code, channel, exponent, count in coverage["counts"]:
        counts.setdefault((rule, code), {})[channel, exponent] = count
    columns = [(channel, exponent) for channel in CHANNELS for exponent in EXPONENTS]
    head = "".join(f"<th colspan={len(EXPONENTS)}>{channel}" for channel in CHANNELS)
    second = "".join(f"<th>{exponent}" for _, exponent in columns)
    rows = "".join(
        f"<tr><td>{rule or '-'}<td>{code}" + "".join(_cell(row.get(column)) for column in columns)
        for (rule, code), row in counts.items()
    )
    return (
        "<section><h2>Coverage</h2><p>Payments decided, by rule, code, channel and digits of the minor unit. "
        f"{coverage['reached']} of {coverage['cells']} cells are reached; {coverage['under_30']} have under "
        f"{FEW} payments: of those little is known.</p><div class=wide><table class=coverage>"
        f"<tr><th rowspan=2>rule<th rowspan=2>code{head}<tr>{second}{rows}</table></div></section>"
    )


def _cell(count: int | None) -> str:
    if count is None:
        return "<td class=none>"
    kind = "zero" if count == 0 else "few" if count < FEW else "many"
    return f"<td class='n {kind}'>{count:,}"
