"""What payments are set up with before their door opens: the rules, then a file of JSON lines.

The file is judged whole before the engine starts. Its lines are sent once per content, but to an engine
that has never been set up: whatever the folder remembers, nothing of it is there.
"""

import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from engine.contract.errors import reason_of
from engine.payments.settings import PaymentSection, PaymentsSettings
from engine.rules.stored import FOLDER
from engine.runtime.journal.journal import FOLDER as JOURNAL
from engine.runtime.journal.journal import segment_paths
from engine.runtime.supervision.configure import Definition, FirstCommands
from engine.settings.config import ConfigError
from gateways.fleet.joining import joining
from gateways.payments.hashing import Hasher, HashKeyError, load_key
from gateways.payments.odd_lines import odd_lines
from gateways.payments.setup_lines import SetupFault, SetupLine, setup_lines
from pinion.cli.payments import rules
from pinion.cli.payments.applied_files import AppliedFiles

DEMO_SET_UP = Path(__file__).with_name("demo.jsonl")
"""Three merchants and ten accounts."""
HASH_KEY_FILE = "hash.key"
HASH_DOMAIN = b"set-up"
DAY_S = 86_400
LINE_S = 1.0
"""Between two lines of progress."""


def hash_key_file(section: PaymentSection, data_dir: Path) -> Path:
    """Return where the key of the hashes lies."""
    return Path(section.hash_key_file).resolve() if section.hash_key_file else data_dir / HASH_KEY_FILE


def first_commands(settings: PaymentsSettings, data_dir: Path, file: Path | None) -> FirstCommands:
    """Return the rules, and the lines of a file that the folder, which is owned, does not have yet.

    Raises ConfigError, HashKeyError.
    """
    hasher = Hasher(_key(hash_key_file(settings.payments, data_dir), data_dir))
    has_history = settings.engine.durability == "sync" and settings.history.enabled
    wanted = rules.definition(settings.payments, hasher.fingerprint(), has_history=has_history)
    answers = settings.payments.capacities.answers

    def configured(state: Any) -> list[Definition]:
        fleet = joining(settings.payments.fleet, state)
        joined = [Definition("payments.fleet", fleet)] if len(fleet) else []
        return [*_missing_rules(wanted, state, data_dir), *joined]

    if file is None:
        return FirstCommands(missing=configured, applied=lambda: _tell(answers))
    kept = AppliedFiles(data_dir) if settings.engine.durability == "sync" else None
    set_up = FileSetUp(file, hasher, kept, data_dir / FOLDER)

    def missing(state: Any) -> Sequence[Definition]:
        is_fresh = rules.is_fresh(state)
        return [*configured(state), *set_up.missing(is_fresh)]

    def applied() -> None:
        set_up.remember()
        _tell(answers)

    return FirstCommands(missing=missing, told=SetUpProgress(file), applied=applied)


def _key(path: Path, data_dir: Path) -> bytes:
    """Return the key of the hashes; it is made for a journal that is to begin, and for no other."""
    if not path.exists() and segment_paths(data_dir / JOURNAL):
        raise HashKeyError(
            f"payments.hash_key_file: {path} is not there, and cards in {data_dir} were hashed by it; bring "
            f"it back from a backup"
        )
    return load_key(path)


def _tell(answers: int) -> None:
    """Say what rate of requests the stored answers carry for as long as a repeat is known."""
    print(f"{answers:,} answers are remembered: 24 h of {answers / DAY_S:,.1f} requests/s")


def _missing_rules(wanted: Definition, state: Any, data_dir: Path) -> list[Definition]:
    return [] if rules.is_known(wanted, state, data_dir) else [wanted]


class FileSetUp:
    """The lines of a file of set-up.

    applied : what the folder has, None where it keeps nothing
    rules : the folder of sets of user rules, for a warning about params of rules that there are not
    """

    def __init__(
        self, file: Path, hasher: Hasher, applied: AppliedFiles | None, rules: Path | None = None
    ) -> None:
        self._file = file
        self._rules = rules
        self._hasher = hasher
        self._applied = applied
        content = _content(file)
        self._content = hasher.body(HASH_DOMAIN, content).hex()
        self._definitions = [] if self._is_applied() else self._judged(content)

    def missing(self, is_fresh: bool) -> Sequence[Definition]:
        """Return the lines that the engine does not know yet: all of them or none."""
        if is_fresh and self._is_applied():
            return self._judged(_content(self._file))
        return self._definitions

    def remember(self) -> None:
        """Note that the lines are applied; they are not held any longer."""
        self._definitions = []
        if self._applied is not None and not self._is_applied():
            self._applied.add(self._content, self._file.name)

    def _is_applied(self) -> bool:
        return self._applied is not None and self._content in self._applied

    def _judged(self, content: bytes) -> list[Definition]:
        try:
            lines = setup_lines(content, self._hasher)
        except SetupFault as fault:
            raise ConfigError(f"--setup {self._file}: {fault}") from fault
        self._warn(lines)
        return [Definition(f"--setup {self._file}: line {line.number}", line.records) for line in lines]

    def _warn(self, lines: Sequence[SetupLine]) -> None:
        """Say once what is odd about lines."""
        folder, self._rules = self._rules, None
        for each in () if folder is None else odd_lines(lines, folder):
            print(f"--setup {self._file}: line {each.line}: {each.field}: {each.detail}", file=sys.stderr)


def _content(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise ConfigError(
            f"--setup {file}: cannot be read ({reason_of(error)}); give another file"
        ) from error


class SetUpProgress:
    """Says now and then how far a set-up is; nothing of one that takes less than that."""

    def __init__(self, file: Path, clock: Callable[[], float] = time.monotonic) -> None:
        self._file = file
        self._clock = clock
        self._next: float | None = None

    def __call__(self, applied: int, total: int) -> None:
        """Take note of how many commands are applied, and of how many."""
        now = self._clock()
        if self._next is None:
            self._next = now + LINE_S
        elif now >= self._next:
            self._next = now + LINE_S
            said = f"{self._file.name}: {applied:,} of {total:,} commands applied"
            print(said, file=sys.stderr, flush=True)
