"""Limits on what the tests run: what swells fails a test, no more."""

import resource

import pytest

from rare_collections import rare_collections  # noqa: F401  (a fixture for all tests)
from saved_parses import kept_parses  # noqa: F401  (a fixture for all tests)

# A few times what the largest process takes: of address space, which is more than memory.
MOST_BYTES = 14 * 2**30


@pytest.fixture(scope="session", autouse=True)
def limited_memory() -> None:
    """A process that asks for more gets a MemoryError with its place, and its children likewise."""
    resource.setrlimit(resource.RLIMIT_AS, (MOST_BYTES, MOST_BYTES))
