"""What a person sees of dbt's messages."""

import time

import pytest

from customer_insights.progress import sentence_of


@pytest.mark.parametrize(
    ("message", "sentence"),
    [
        (
            "FailFast Error in operation customer_insights-on-run-start-0 (./dbt_project.yml)\n"
            "  Setting 'test_days' is 'x' (var); it must be a whole number from 1 to 3660.",
            "Setting 'test_days' is 'x' (var); it must be a whole number from 1 to 3660.",
        ),
        (
            "Compilation Error in model a (models/a.sql)\n  No.\n  \n"
            "  > in macro b (macros/b.sql)\n  > called by model a (models/a.sql)",
            "No.",
        ),
        (
            "Runtime Error in model t (models/t.py)\n  Python model failed:\n"
            "  Traceback (most recent call last):\n    File x\n"
            "  customer_insights.errors.ArtifactError: The stored model was changed.",
            "The stored model was changed.",
        ),
        (
            'IO Error: Could not set lock on file "/a/b.duckdb": Conflicting lock is held in x',
            "The database /a/b.duckdb is in use by another program; close it, or wait for the "
            "other run to end, and try again.",
        ),
        (
            'IO Error: The file "/a/b" exists, but it is not a valid DuckDB database file!',
            "The file /a/b is not a DuckDB database, or is damaged; move it away, or name another "
            "with DUCKDB_PATH, and try again.",
        ),
        ("", ""),
    ],
)
def test_a_message_of_dbt_is_reduced_to_its_sentence(message: str, sentence: str) -> None:
    assert sentence_of(message) == sentence


def test_a_sentence_that_speaks_of_an_error_is_kept() -> None:
    assert sentence_of("Something Error happened here today") != ""


def test_a_long_message_takes_no_time() -> None:
    """A pattern that tries every way to split words into groups took minutes on this."""
    words = " ".join(["word"] * 60)
    started = time.perf_counter()
    assert sentence_of(f"{words} and no heading") == f"{words} and no heading"
    assert time.perf_counter() - started < 1


def test_several_sentences_stay_several_lines() -> None:
    assert sentence_of("FailFast Error in operation x (y)\n  One.\n  Two.") == "One.\nTwo."
