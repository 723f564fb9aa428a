"""Settings reach Python through one row of `run_context`."""

from __future__ import annotations

import os
from dataclasses import fields
from datetime import datetime
from typing import TYPE_CHECKING

import pyarrow as pa
import pytest

from customer_insights.settings import ROWS_WORTH_THREADS, Settings, read_settings

if TYPE_CHECKING:
    from conftest import Shop


def test_every_setting_arrives_with_its_value_and_type(shop: Shop) -> None:
    changed = shop.settings(
        run_started_at=datetime(2024, 5, 6, 7, 8, 9, 123456),
        retrain_f1_threshold=0.25,
        refit_on_validation=True,
        random_seed=99,
    )
    read = read_settings(
        shop.run_context(
            run_started_at=changed.run_started_at,
            retrain_f1_threshold=0.25,
            refit_on_validation=True,
            random_seed=99,
        )
    )
    assert read == changed
    for field in fields(Settings):
        assert type(getattr(read, field.name)) is type(getattr(changed, field.name)), field.name


def test_a_setting_that_is_null_arrives_as_none(shop: Shop) -> None:
    assert read_settings(shop.run_context()).retrain_f1_threshold is None


def test_other_columns_of_the_run_context_are_not_read(shop: Shop) -> None:
    table = shop.run_context().read().append_column("invocation_id", pa.array(["x"]))
    assert read_settings(shop.relate(table)) == shop.settings()


def test_small_data_is_fitted_by_one_thread_and_large_data_by_the_threads_that_were_set(
    shop: Shop,
) -> None:
    settings = shop.settings(training_threads=3)
    assert settings.threads(ROWS_WORTH_THREADS - 1) == 1
    assert settings.threads(ROWS_WORTH_THREADS) == 3


def test_zero_threads_stand_for_all_cores(shop: Shop) -> None:
    assert shop.settings(training_threads=0).threads(ROWS_WORTH_THREADS) == os.cpu_count()


def test_settings_cannot_change_during_a_run(shop: Shop) -> None:
    with pytest.raises(AttributeError):
        shop.settings().random_seed = 1  # type: ignore[misc]
