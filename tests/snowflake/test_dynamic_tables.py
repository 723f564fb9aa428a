"""From raw to features, dynamic tables: by settings, redeployed when they change, read refreshed.

In the emulator a dynamic table changes by a refresh only, so what is read without one is stale.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from emulator.client import Emulator, start_emulator
from snowflake_project import (
    SnowflakeProject,
    checkout,
    open_project,
    put_raw,
    set_up_account,
    stage_library,
)

from customer_insights.sample import ShopConfig, generate_blocks

# Nothing scores texts: this is about SQL.
SETTINGS = {"SHOP_SOURCE": "raw", "TEXT_ENGINE": "none"}
SQL_MODELS = ("--select", "staging", "+session_features", "+session_labels")
FEATURES = "customer_insights.insights.session_features"
LABELS = "customer_insights.insights.session_labels"


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SnowflakeProject]:
    """A small shop in `raw`, its vocabulary seeded, its SQL models built once."""
    folder = tmp_path_factory.mktemp("dynamic")
    with start_emulator(folder / "account") as emulator:
        set_up_account(emulator)
        stage_library(emulator, folder)
        (tables,) = generate_blocks(ShopConfig(scale=0.03))
        put_raw(emulator, tables)
        project = open_project(folder, emulator, **SETTINGS)
        project.dbt("seed", "--select", "vocabulary")
        project.dbt("run", *SQL_MODELS)
        yield project
        project.worker.close()


def configured(shop: SnowflakeProject, folder: Path, **settings: str) -> SnowflakeProject:
    """The same shop for a dbt that parsed the project under these environment variables."""
    return open_project(folder, shop.emulator, **SETTINGS, **settings)


def dynamic_tables(emulator: Emulator) -> dict[str, dict[str, Any]]:
    with emulator.connection.cursor() as cursor:
        cursor.execute("show dynamic tables in database customer_insights")
        names = [column.name.lower() for column in cursor.description]
        rows = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
    return {row["name"].lower(): row for row in rows}


def made_since(project: SnowflakeProject, before: int) -> list[str]:
    """The dynamic tables that statements from this one on created or replaced."""
    made = re.compile(r"create (?:or replace )?dynamic table [\w.\"]*?\.(\w+) ")
    sent = (" ".join(entry["sql"].split()) for entry in project.emulator.statements()[before:])
    return [found[1].lower() for sql in sent if (found := made.search(sql))]


def count(project: SnowflakeProject, table: str) -> int:
    return int(project.emulator.query(f"select count(*) from {table}")[0][0])


def test_what_sql_computes_from_raw_is_a_dynamic_table(shop: SnowflakeProject) -> None:
    assert set(dynamic_tables(shop.emulator)) == {
        "checked_customers",
        "checked_order_items",
        "checked_orders",
        "checked_products",
        "checked_reviews",
        "checked_sessions",
        "data_quality_counted",
        "rejected_rows",
        "review_sentiment_stored",
        "review_texts",
        "session_features_computed",
        "session_labels_computed",
        "source_watermarks",
        "stg_customers",
        "stg_order_items",
        "stg_orders",
        "stg_products",
        "stg_reviews",
        "stg_sessions",
        "unmatched_rows",
    }


def test_a_build_with_nothing_new_replaces_none_and_refreshes_each_once(
    shop: SnowflakeProject,
) -> None:
    before = len(shop.emulator.statements())
    shop.dbt("run", *SQL_MODELS)
    assert made_since(shop, before) == []
    refreshed = [
        entry["sql"]
        for entry in shop.emulator.statements()[before:]
        if "refresh" in entry["sql"].lower() and "alter dynamic table" in entry["sql"].lower()
    ]
    assert len(refreshed) == len(dynamic_tables(shop.emulator))


@pytest.mark.parametrize("target_lag", ["", pytest.param("1 hour", marks=pytest.mark.long)])
def test_a_row_that_came_is_read_in_the_same_build(
    shop: SnowflakeProject, tmp_path: Path, target_lag: str
) -> None:
    setting = {"DYNAMIC_TABLE_TARGET_LAG": target_lag}
    project = configured(shop, tmp_path, **setting) if target_lag else shop
    project.dbt("run", *SQL_MODELS)
    lags = {table["target_lag"] for table in dynamic_tables(shop.emulator).values()}
    assert lags == {target_lag or None}
    rows = count(shop, FEATURES)
    shop.emulator.execute(
        "create or replace temporary table one_session as "
        "select * from customer_insights.raw.sessions order by session_id limit 1",
        f"update one_session set session_id = 'late-{target_lag[:1]}'",
        "insert into customer_insights.raw.sessions select * from one_session",
    )
    # Nobody has refreshed yet: without that step of the build the row would be missed.
    assert count(shop, FEATURES) == rows
    project.dbt("run", *SQL_MODELS)
    if project is not shop:
        project.worker.close()
    assert count(shop, FEATURES) == rows + 1


def test_a_changed_query_is_deployed_again(shop: SnowflakeProject) -> None:
    matured = f"select count(*) from {LABELS} where is_purchase is not null"
    before_rows = shop.emulator.query(matured)[0][0]
    before = len(shop.emulator.statements())
    shop.dbt("run", *SQL_MODELS, env={"SESSION_LABEL_HOURS": "720"})
    assert made_since(shop, before) == ["session_labels_computed"]
    assert shop.emulator.query(matured)[0][0] < before_rows
    shop.dbt("run", *SQL_MODELS)
    assert shop.emulator.query(matured)[0][0] == before_rows


@pytest.mark.long
def test_lag_mode_and_warehouse_follow_their_settings(
    shop: SnowflakeProject, tmp_path: Path
) -> None:
    shop.emulator.execute("create warehouse if not exists refreshing")
    project = configured(
        shop,
        tmp_path,
        DYNAMIC_TABLE_TARGET_LAG="2 hours",
        DYNAMIC_TABLE_REFRESH_MODE="FULL",
        DYNAMIC_TABLE_WAREHOUSE="REFRESHING",
    )
    project.dbt("run", *SQL_MODELS)
    project.worker.close()
    for name, table in dynamic_tables(shop.emulator).items():
        assert table["target_lag"].lower() == "2 hours", name
        assert table["refresh_mode"] == "FULL", name
        assert table["warehouse"] == "REFRESHING", name


def with_settings_of_its_own(place: Path, **settings: str) -> Path:
    """A copy of the project in which the folder of staging says how its tables are refreshed."""
    project = checkout(place)
    text = (project / "dbt_project.yml").read_text(encoding="utf-8")
    folder = "      +schema: staging\n"
    assert text.count(folder) == 1
    lines = "".join(f"      +{name}: {value}\n" for name, value in settings.items())
    (project / "dbt_project.yml").write_text(text.replace(folder, folder + lines), encoding="utf-8")
    return project


@pytest.mark.long
def test_a_folder_has_a_lag_mode_and_warehouse_of_its_own(
    shop: SnowflakeProject, tmp_path: Path
) -> None:
    shop.emulator.execute("create warehouse if not exists refreshing")
    project = with_settings_of_its_own(
        tmp_path / "project",
        target_lag="3 hours",
        refresh_mode="full",
        snowflake_warehouse="refreshing",
    )
    general = {"DYNAMIC_TABLE_REFRESH_MODE": "INCREMENTAL"}
    opened = open_project(tmp_path, shop.emulator, project, **SETTINGS, **general)
    before = len(shop.emulator.statements())
    opened.dbt("run", "--full-refresh", *SQL_MODELS)
    opened.worker.close()
    tables = dynamic_tables(shop.emulator)
    assert set(made_since(opened, before)) == set(tables)
    staging, others = set(), set()
    for table in tables.values():
        ways = (table["target_lag"], table["refresh_mode"], table["warehouse"])
        (staging if table["schema_name"] == "INSIGHTS_STAGING" else others).add(ways)
    assert staging == {("3 hours", "FULL", "REFRESHING")}
    assert others == {(None, "INCREMENTAL", "TRANSFORMING")}


@pytest.mark.long
@pytest.mark.parametrize(
    ("setting", "value", "said"),
    [
        ("target_lag", "5 parsecs", r"target_lag of \w+ is '5 parsecs'; give a time of 60 seconds"),
        (
            "refresh_mode",
            "sometimes",
            r"refresh_mode of \w+ is 'sometimes'; give AUTO, INCREMENTAL",
        ),
        (
            "snowflake_warehouse",
            "nowhere",
            "nowhere does not exist .* snowflake_warehouse of",
        ),
    ],
)
def test_a_folder_that_is_refreshed_in_no_known_way_stops_the_run(
    shop: SnowflakeProject, tmp_path: Path, setting: str, value: str, said: str
) -> None:
    project = with_settings_of_its_own(tmp_path / "project", **{setting: value})
    opened = open_project(tmp_path, shop.emulator, project, **SETTINGS)
    before = len(shop.emulator.statements())
    answer = opened.dbt("run", *SQL_MODELS, check=False)
    opened.worker.close()
    assert answer.exit_code != 0
    assert re.search(said, answer.output)
    sent = [entry["sql"].lower() for entry in shop.emulator.statements()[before:]]
    assert not [sql for sql in sent if sql.startswith(("create or replace", "create dynamic"))]


def test_a_dynamic_table_takes_no_rows_by_hand(shop: SnowflakeProject) -> None:
    table = "customer_insights.insights_internal.session_labels_computed"
    with pytest.raises(Exception, match=r"(?i)dynamic table"):
        shop.emulator.execute(f"delete from {table}")
