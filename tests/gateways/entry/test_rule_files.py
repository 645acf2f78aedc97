"""Files of rules at the order door: made ready by a process beside it, then named by their hash."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from engine.rules.stored import stored_in
from gateways.entry.refusals import DoorReason, Refusal, Refused
from gateways.entry.rule_files import RuleFiles
from gateways.http.serve import PROGRAM
from gateways.process.workshop import Workshop

CLIP = """\
from pinion import rule


@rule("max_clip", reason="MAX_CLIP", params={"max": 5})
def max_clip(order, ctx, params):
    return order.qty > params.max
"""
REGISTER = {"op": "rules", "act": "register"}


def prepared(folder: Path, fields: dict[str, Any]) -> tuple[RuleFiles, dict[str, Any] | Refusal | None]:
    """Return what a line becomes once its files are ready, another one or a refusal; None: it stays."""

    async def prepare() -> tuple[RuleFiles, dict[str, Any] | Refusal | None]:
        rule_files = RuleFiles(Workshop(folder, PROGRAM))
        done: asyncio.Future[dict[str, Any] | Refusal] = asyncio.get_running_loop().create_future()
        if not rule_files.prepare(fields, "ann", done.set_result, done.set_result):
            return rule_files, None
        return rule_files, await done

    return asyncio.run(prepare())


def test_files_become_a_stored_set_that_a_line_names(tmp_path: Path) -> None:
    rule_files, line = prepared(tmp_path, REGISTER | {"files": {"clip.py": CLIP}, "why": "clips"})

    assert isinstance(line, dict)
    source = bytes.fromhex(line.pop("source"))
    assert line == {"op": "rules", "act": "register", "who": "ann", "why": "clips"}
    assert stored_in(tmp_path, source).files == {"clip.py": CLIP}
    assert rule_files.labels_of(source) == (("max_clip", "MAX_CLIP"),)
    assert rule_files.labels_of(bytes(16)) == ()
    _, named = prepared(tmp_path, REGISTER | {"source": source.hex()})
    assert named is None


def test_files_that_are_no_set_are_refused_by_rule_line_and_mend(tmp_path: Path) -> None:
    _, refused = prepared(tmp_path, REGISTER | {"files": {"clip.py": CLIP.replace(">", "/")}})

    assert isinstance(refused, Refusal)
    assert (refused.reason, refused.field) == (DoorReason.MALFORMED, "max_clip")
    assert refused.detail.startswith("clip.py:6: rule max_clip: a rule cannot have `/`")
    assert not list(tmp_path.glob("*.json"))


@pytest.mark.parametrize(
    ("more", "field"),
    [
        ({"files": {}}, "files"),
        ({"files": {"clip.py": 1}}, "files"),
        ({"files": "clip.py"}, "files"),
        ({"files": {"": CLIP}}, "files"),
        ({"files": {"clip.py": CLIP}, "source": "ab" * 16}, "source"),
        ({"source": "ab" * 16}, "source"),
        ({"files": {"clip.py": CLIP}, "who": "somebody else"}, "who"),
    ],
)
def test_a_line_that_the_engine_must_not_see_is_refused_by_its_field(
    more: dict[str, Any], field: str, tmp_path: Path
) -> None:
    with pytest.raises(Refused) as refused:
        prepared(tmp_path, REGISTER | more)

    assert refused.value.refusal.field == field
