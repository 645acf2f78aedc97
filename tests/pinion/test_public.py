"""The public package: its names are there, each is loaded when it is asked for, and none before."""

import ast
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

import pinion
from ringbuf.kernel_cache import ROOT

KERNELS = ("numba", "numpy", "ringbuf", "gateways")


def declared() -> set[str]:
    """Return the names that the package declares to type checkers."""
    tree = ast.parse(Path(pinion.__file__).read_text())
    (checked,) = [each for each in tree.body if isinstance(each, ast.If)]
    imported = {
        alias.asname or ""
        for each in checked.body
        if isinstance(each, ast.ImportFrom)
        for alias in each.names
    }
    return imported | {"__version__"}


def test_every_public_name_is_there_and_typed() -> None:
    assert {name for name in pinion.__all__ if getattr(pinion, name) is not None} == declared()
    assert pinion.__version__ == version("pinion")


def test_another_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'matching'"):
        pinion.matching  # noqa: B018  asking is the test


@pytest.mark.parametrize(
    "program",
    [
        "import pinion; pinion.__version__; dir(pinion)",
        "from pinion.cli.main import main; main(['--help'])",
        "from pinion.cli.main import main; main([])",
    ],
    ids=["version", "help", "no command"],
)
def test_who_asks_for_help_loads_no_kernel(program: str) -> None:
    code = f"import sys\ntry:\n    {program}\nexcept SystemExit:\n    pass\nprint(*sys.modules)"

    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)

    loaded = done.stdout.splitlines()[-1].split()
    assert "pinion" in loaded
    assert [name for name in loaded if name.startswith(KERNELS)] == []
