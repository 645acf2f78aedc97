"""The machine that a number was measured on: no number is published without it."""

import os
import platform
import subprocess
from importlib.metadata import version
from pathlib import Path

PACKAGES = ("numpy", "numba", "llvmlite", "aiohttp", "msgspec", "pyperf")
ROOT = Path(__file__).resolve().parent.parent


def describe() -> dict[str, str]:
    """Return what identifies this machine and its state, as text by name."""
    load = " ".join(f"{value:.2f}" for value in os.getloadavg())
    return {
        "cpu": _cpu_model(),
        "cores": f"{os.cpu_count()}, this process may use {sorted(os.sched_getaffinity(0))}",
        "caches": _caches(),
        "memory": _memory(),
        "kernel": platform.release(),
        "hypervisor": "yes" if "hypervisor" in _text("/proc/cpuinfo") else "no",
        "governor": _text("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor")
        or "not shown by this machine",
        "huge_pages": _text("/sys/kernel/mm/transparent_hugepage/enabled"),
        "shm_mount": _shm_mount(),
        "python": platform.python_version(),
        **{name: version(name) for name in PACKAGES},
        "commit": _commit(),
        "load": load,
    }


def _text(path: str) -> str:
    """Return a small file's text, or "" where this machine has none."""
    try:
        return Path(path).read_text().strip()
    except OSError:  # an absent file is an answer here: the machine does not tell
        return ""


def _field(path: str, name: str) -> str:
    for line in _text(path).splitlines():
        key, _, value = line.partition(":")
        if key.strip() == name:
            return value.strip()
    return "unknown"


def _shm_mount() -> str:
    """Return the mount options of /dev/shm: huge=... decides which pages the segments get."""
    for line in _text("/proc/mounts").splitlines():
        _, place, _, options, *_ = line.split()
        if place == "/dev/shm":
            return options
    return "unknown"


def _cpu_model() -> str:
    return _field("/proc/cpuinfo", "model name")


def _memory() -> str:
    return _field("/proc/meminfo", "MemTotal")


def _caches() -> str:
    folder = Path("/sys/devices/system/cpu/cpu0/cache")
    found = []
    for index in sorted(folder.glob("index*")):
        level, kind, size = (_text(str(index / name)) for name in ("level", "type", "size"))
        found.append(f"L{level} {kind.lower()} {size}")
    return ", ".join(found) or "unknown"


def _commit() -> str:
    """Return the commit, marked when the tree differs from it."""
    try:
        commit = _git("rev-parse", "--short=12", "HEAD")
        return commit + ("+changes" if _git("status", "--porcelain", "--untracked-files=no") else "")
    except (OSError, subprocess.CalledProcessError):  # an installed copy has no history
        return "unknown"


def _git(*arguments: str) -> str:
    done = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=True)
    return done.stdout.strip()
