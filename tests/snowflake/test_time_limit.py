"""A command that hangs fails its test with a sentence, and does not hold up the others."""

import os
from pathlib import Path

import pytest

from dbt_worker import DbtWorker

# In dbt's place: it parses at once, and a command never ends.
HANGING = """
import time, types

class dbtRunner:
    def __init__(self, **settings):
        pass

    def invoke(self, arguments):
        time.sleep(0 if "parse" in arguments else 600)
        return types.SimpleNamespace(success=True, result=None, exception=None)
"""


def test_a_command_that_hangs_is_killed_and_named(tmp_path: Path) -> None:
    worker = DbtWorker(tmp_path, [], os.environ, HANGING, seconds=120)
    worker.seconds = 0.3
    sentence = r"^`dbt build --select a` was killed: it had not ended after 0\.3 seconds\.$"
    with pytest.raises(AssertionError, match=sentence):
        worker.call(tmp_path, ["build", "--select", "a"], {})
    with pytest.raises(AssertionError, match=r"^`dbt run` has no process: an earlier call"):
        worker.call(tmp_path, ["run"], {})
    worker.close()


def test_a_project_that_is_parsed_for_ever_is_named(tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match=r"^`dbt parse` was killed"):
        DbtWorker(tmp_path, [], os.environ, "import time; time.sleep(600)", seconds=0.1)
