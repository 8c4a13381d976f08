"""What all tests with a real Postfix share."""

import os
import sys

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../lib"))
import house as house_      # noqa: E402
import postfix              # noqa: E402

needs_postfix = pytest.mark.skipif(
    postfix.reason_not() is not None, reason=str(postfix.reason_not()))


@pytest.fixture(scope="module")
def house():
    """The three tenants, one Postfix, for all tests of a file."""
    if postfix.reason_not():
        pytest.skip(postfix.reason_not())
    with house_.House() as h:
        yield h


@pytest.fixture
def build():
    """Makes houses of a test's own, and closes them with it."""
    made = []

    def one(**how):
        if how.get("queue", True) and postfix.reason_not():
            pytest.skip(postfix.reason_not())
        made.append(house_.House(**how))
        return made[-1]
    yield one
    for h in made:
        h.close()
