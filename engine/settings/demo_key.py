"""The demo's key: made at the first start on a data folder; it stays there, for its owner alone."""

import os
import secrets
from pathlib import Path

from engine.settings.config import ConfigError, token_fault

DEMO_KEY_FILE = "demo.key"


def demo_token(data_dir: Path) -> str:
    """Return the demo key of this data folder, made at its first start (mode 0600)."""
    path = data_dir / DEMO_KEY_FILE
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        token = path.read_bytes().decode(errors="replace").strip()
        if len(token) < 16 or not token.isascii() or token_fault(token):
            raise ConfigError(f"{path}: holds no key; remove the file and start again") from None
        return token
    token = "demo-" + secrets.token_urlsafe(24)
    with os.fdopen(descriptor, "w") as file:
        file.write(token + "\n")
    return token
