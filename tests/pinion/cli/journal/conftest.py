"""The applications that the tools are tried on, one after the other."""

import pytest

from tests.pinion.cli.journal.subjects import NAMES, SUBJECTS, Subject


@pytest.fixture(scope="module", params=SUBJECTS, ids=NAMES)
def subject(request: pytest.FixtureRequest) -> Subject:
    found: Subject = request.param
    return found
