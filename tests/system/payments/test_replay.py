"""What the plain service answered, asked of a whole instance over HTTP."""

from collections.abc import Callable
from pathlib import Path

from engine.settings.demo_key import DEMO_KEY_FILE
from pinion.cli.command import DONE
from pinion.parity.report.folder import SUMMARY
from tests.payments.captures import written
from tests.payments.parity import asked
from tests.system.payments.running import RunningPayments, write_settings

COUNT = 150
SETTINGS = """clock = "request"
[payments.rules]
bin_declines_1h = 6
email_cards_24h = 2
[history]
enabled = false
"""


def test_an_instance_answers_what_a_plain_service_has_answered(
    start: Callable[..., RunningPayments], tmp_path: Path
) -> None:
    (tmp_path / "captured").mkdir()
    capture = written(tmp_path / "captured", 0, COUNT)
    instance = start(*write_settings(tmp_path, "", SETTINGS), "--lean")
    key = instance.data_dir / DEMO_KEY_FILE

    code = asked(
        *("replay", str(capture.capture), "--setup", str(capture.set_up)),
        *(
            "--against",
            instance.await_ready()["payments"],
            "--key",
            str(key),
            "--report",
            str(tmp_path / "report"),
        ),
    )

    assert code == DONE
    assert f'"equal": {COUNT}' in (tmp_path / "report" / SUMMARY).read_text()
