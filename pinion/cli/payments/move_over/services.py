"""What a capture is played to: an engine in this process by a configuration, or a service at an address."""

from pathlib import Path

import msgspec

from engine.contract.errors import UsageError, reason_of
from engine.payments.settings import PaymentSection, PaymentsSettings
from engine.settings import config
from gateways.payments.hashing import Hasher
from pinion.cli.payments import rules
from pinion.parity.deciding.in_process import InProcess


def section_of(file: Path | None) -> PaymentSection:
    """Return the rules and capacities of a configuration file, or the built-in ones, for replayed time."""
    settings = config.load(file, PaymentsSettings) if file is not None else PaymentsSettings()
    return msgspec.structs.replace(settings.payments, clock="request")


def engine_of(file: Path | None, key: bytes, *, stamps: bool) -> InProcess:
    """Return an engine with the rules and capacities of a configuration file, or the built-in ones.

    key : of the hashes of cards and the like, which nobody sees
    """
    section = section_of(file)
    hasher = Hasher(key)
    commands = rules.definition(section, hasher.fingerprint()).commands
    return InProcess(commands, section.capacities.sizes(), section.instance, hasher, stamps=stamps)


def bearer_key(file: Path | None) -> str | None:
    """Return the bearer key that a file holds, None of no file."""
    if file is None:
        return None
    try:
        return file.read_text().strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = reason_of(error) if isinstance(error, OSError) else "it is no text"
        raise UsageError(f"--key {file}: cannot be read ({reason}); give a file with a bearer key") from error
