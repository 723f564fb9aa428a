"""What people get wrong ends in one sentence with nothing lost, or in a counted outcome."""

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from conftest import PROJECT_DIR, DbtProject, create_dbt_project
from helpers import (
    BUILD,
    SETTINGS,
    Answer,
    DbtWorker,
    change,
    contents,
    copy_of,
    make_build,
    project_files,
    put_raw,
    rows_of,
    shop,
    started_build,
)

from customer_insights.sample import RAW_SCHEMAS, ShopConfig, bad_row_counts

SHOP = ShopConfig(scale=0.15)
# Unit tests look at no data: other files run them.
MADE = SETTINGS | {"DBT_EXCLUDE_RESOURCE_TYPES": "unit_test"}
MODELS = ["purchase_intent_after_session", "purchase_intent_in_session"]

# What a run that stops at once may still touch: nothing.
UNTOUCHED: frozenset[str] = frozenset()
# dbt has to load an edited seed and write the context of the run before it can look at them.
CATALOG_RUN = frozenset(
    {
        "insights_vocabulary.model_catalog",
        "insights_internal.run_context",
        "insights_internal.session_label_observations",
        "insights_internal.churn_label_observations",
        # Topics ask nothing of the catalog, and each build decides about them.
        "insights_internal.topics_trained",
    }
)


@pytest.fixture(scope="module")
def built(dbt: DbtWorker, tmp_path_factory: pytest.TempPathFactory) -> DbtProject:
    """A shop in `raw`, built; tests work on copies."""
    project = create_dbt_project(tmp_path_factory.mktemp("built"))
    put_raw(project, shop(SHOP))
    dbt.run(project, *BUILD)
    return project


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where dbt processes run: in one place, so that only the first parses the whole project."""
    return tmp_path_factory.mktemp("place")


@pytest.fixture
def own(place: Path) -> DbtProject:
    """A project without a database, for processes of their own."""
    project = create_dbt_project(place)
    if project.database.is_dir():
        project.database.rmdir()
    project.database.unlink(missing_ok=True)
    return project


@pytest.fixture
def live(built: DbtProject, own: DbtProject) -> DbtProject:
    """The built shop, for processes of their own."""
    return copy_of(built, own.folder)


@pytest.fixture
def copied(built: DbtProject, tmp_path: Path) -> DbtProject:
    """The built shop in a database of the test's own."""
    folder = tmp_path / "copied"
    folder.mkdir()
    return copy_of(built, folder)


def assert_unchanged(
    project: DbtProject, before: dict[str, tuple[int, int]], may_change: frozenset[str] = UNTOUCHED
) -> None:
    after = contents(project)
    changed = {
        name: (before.get(name), after.get(name))
        for name in before | after
        if before.get(name) != after.get(name) and name not in may_change
    }
    assert changed == {}


def last_words(output: str) -> str:
    """What a person sees last: without dbt's own count and the path of the compiled file."""
    said = [re.sub(r"^\d\d:\d\d:\d\d", "", line).strip() for line in output.splitlines()]
    not_ours = ("Done.", "compiled code at", "<frozen runpy>")
    return [line for line in said if line and not line.startswith(not_ours)][-1]


def assert_refused(answer: Answer | subprocess.CompletedProcess[str], *words: str) -> None:
    """One clear sentence at the end, an exit code, and no traceback."""
    if isinstance(answer, Answer):
        code, shown = answer.exit_code, answer.output
    else:
        code, shown = answer.returncode, answer.stdout + answer.stderr
    assert code != 0, shown
    assert "Traceback" not in shown, shown
    assert "Exception on worker thread" not in shown, shown
    last = last_words(shown)
    assert last.endswith("."), last
    for word in words:
        assert word in last, shown


# --- settings ---

# Each with what is allowed; a check says all that is wrong at once.
BAD_VALUES = {
    "shop_source": ("mine", "one of: sample, raw"),
    "raw_schema": ("my raw", "a plain name"),
    "allow_remote_files": ("yes please", "true or false"),
    "as_of": ("2024-02-30", "a time like 2024-06-30"),
    "session_label_hours": ("0", "a whole number from 1 to 8784"),
    "churn_window_days": ("90 days", "a whole number from 1 to 3660"),
    "min_train_rows": ("1.5", "a whole number from 2"),
    "promotion_margin": ("0,1", "a number from 0 to 1"),
    "leak_roc_auc": ("nan", "a number from 0.5 to 1"),
    "retrain_f1_threshold": ("1.01", "a number from 0 to 1, or null"),
}
VARIABLES = {"churn_window_days": "CHURN_WINDOW", "retrain_f1_threshold": "RETRAIN_THRESHOLD"}


@pytest.mark.parametrize(
    "bad", [BAD_VALUES, {"as_of": ("30.06.2024", "a time like 2024-06-30")}], ids=["all", "another"]
)
@pytest.mark.parametrize("given_as", ["var", "environment variable"])
def test_bad_values_of_settings_are_refused(
    dbt: DbtWorker, built: DbtProject, bad: dict[str, tuple[str, str]], given_as: str
) -> None:
    before = contents(built)
    variables = {name: VARIABLES.get(name, name.upper()) for name in bad}
    if given_as == "var":
        values = ", ".join(f"{name}: '{value}'" for name, (value, _) in bad.items())
        # An empty environment variable counts as none, so that the var of shop_source is seen.
        env = {"SHOP_SOURCE": ""} if "shop_source" in bad else None
        answer = dbt.run(built, "run", "--vars", f"{{{values}}}", env=env, check=False)
    else:
        env = {variables[name]: value for name, (value, _) in bad.items()}
        answer = dbt.run(built, "run", env=env, check=False)
    assert_refused(answer)
    said = [line.strip() for line in answer.output.splitlines() if "it must be" in line]
    assert len(said) == len(bad)
    for name, (value, allowed) in bad.items():
        where = "var" if given_as == "var" else f"environment variable {variables[name]}"
        (sentence,) = (line for line in said if f"'{name}'" in line)
        assert f"Setting '{name}' is '{value}' ({where}); it must be {allowed}" in sentence
        assert sentence.endswith(".")
    assert_unchanged(built, before)


def test_a_setting_that_must_have_a_value_can_not_be_null(
    dbt: DbtWorker, built: DbtProject
) -> None:
    answer = dbt.run(built, "run", "--vars", "{test_days: null}", check=False)
    assert_refused(answer, "Setting 'test_days' is", "a whole number from 1 to 3660")


def test_a_setting_that_does_not_exist_is_refused_with_those_that_do(
    dbt: DbtWorker, built: DbtProject
) -> None:
    before = contents(built)
    for command in ("run", "build", "test", "seed", "snapshot"):
        answer = dbt.run(built, command, "--vars", "{train_window: 3}", check=False)
        assert_refused(
            answer, "There is no setting 'train_window' (--vars); the settings are: ", "test_days"
        )
    assert_unchanged(built, before)


def test_every_bad_setting_has_its_sentence_in_a_process_of_its_own(copied: DbtProject) -> None:
    before = contents(copied)
    bad = {**SETTINGS, "TEST_DAYS": "many", "REFIT_ON_VALIDATION": "perhaps"}
    answer = copied.run_dbt("build", env=bad, check=False)
    assert answer.exit_code != 0
    assert "Traceback" not in answer.output
    *_, first, second = [
        line.strip() for line in answer.output.splitlines() if "it must be" in line
    ]
    assert "Setting 'test_days' is 'many'" in first
    assert "Setting 'refit_on_validation' is 'perhaps'" in second
    assert last_words(answer.output).endswith(second)
    assert_unchanged(copied, before)


def test_an_unknown_setting_in_the_project_file_is_refused(
    live: DbtProject, tmp_path: Path
) -> None:
    before = contents(live)
    files = project_files(tmp_path)
    text = (files / "dbt_project.yml").read_text()
    (files / "dbt_project.yml").write_text(text.replace("vars:\n", "vars:\n  train_window: 3\n", 1))
    done = make_build(
        live, env=MADE | {"DBT_TARGET_PATH": str(files / "target")}, project_dir=files
    )
    assert_refused(done, "There is no setting 'train_window' (dbt_project.yml)", "test_days")
    assert_unchanged(live, before)


@pytest.mark.parametrize("as_of", ["2001-01-01", "2023-06-30 23:59:59"])
def test_as_of_before_the_first_session_is_refused(
    dbt: DbtWorker, copied: DbtProject, as_of: str
) -> None:
    before = contents(copied)
    answer = dbt.run(copied, *BUILD, env={"AS_OF": as_of}, check=False)
    assert_refused(
        answer, f"Setting 'as_of' is {as_of}, before the first session", "2023-07-01", "later time"
    )
    assert_unchanged(copied, before)


# --- an alert that fails the build ---


@pytest.mark.long
def test_a_severe_alert_fails_a_whole_build_after_everything_else_is_stored(
    dbt: DbtWorker, copied: DbtProject
) -> None:
    """All nodes and data tests; test_monitoring.py shows the alert itself."""
    change(
        copied,
        "update raw.sessions set administrative_duration = -1 "
        "where started_at >= (select date_trunc('month', max(started_at)) from raw.sessions)",
    )
    answer = dbt.run(copied, "build", "--exclude-resource-type", "unit_test", check=False)
    assert answer.exit_code == 1
    not_well = {
        name: status
        for name, status in answer.statuses.items()
        if status not in ("success", "pass", "no-op")
    }
    assert not_well == {
        "assert_no_alert_is_severe": "error",
        # Orders of the sessions that were refused.
        "assert_keys_refer_to_known_rows": "warn",
    }, answer.output
    assert "sessions: 0.00 % of rows accepted" in answer.messages["assert_no_alert_is_severe"]
    stored = {"customer_insights", "purchase_intent_scores", "model_runs", "alerts"}
    stored |= {path.stem for path in (PROJECT_DIR / "snapshots").glob("*.yml")}
    assert {answer.statuses.get(name) for name in stored} == {"success"}


# --- the database file ---

HOLD = """
import sys, duckdb
connection = duckdb.connect(sys.argv[1])
print("held", flush=True)
sys.stdin.read()
"""


def test_a_database_that_another_program_holds_is_named(live: DbtProject) -> None:
    before = contents(live)
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(live.database)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert holder.stdout
        assert holder.stdout.readline() == "held\n"
        done = make_build(live, env=MADE)
    finally:
        holder.communicate("")
    assert_refused(done, f"The database {live.database} is in use by another program", "close it")
    assert_unchanged(live, before)


@pytest.mark.long
def test_of_two_builds_at_once_the_second_is_refused_and_the_first_ends_well(
    live: DbtProject,
) -> None:
    decided = "select model_name, count(*) from insights.model_runs group by all"
    before = dict(live.query(decided))
    env = MADE | {"DBT_EXCLUDE_RESOURCE_TYPES": "unit_test test"}
    with started_build(live, env=env) as first:
        assert first.stdout
        # Once a node is done the file is held until all are.
        done = any("  ok  " in line for line in first.stdout)
        second = make_build(live, env=env)
        is_running = first.poll() is None
        shown, errors = first.communicate()
    assert_refused(second, f"The database {live.database} is in use by another program", "close it")
    assert done, errors
    assert is_running
    assert first.returncode == 0, shown + errors
    after = dict(live.query(decided))
    assert after == {name: count + 1 for name, count in before.items()}
    assert set(MODELS) < set(after)


def not_a_database(project: DbtProject) -> Path:
    project.database.write_text("order_id,customer_id\n" * 500)
    return project.database


def a_folder(project: DbtProject) -> Path:
    project.database.mkdir()
    return project.database


def nowhere(project: DbtProject) -> Path:
    return project.folder / "no" / "such" / "folder" / "shop.duckdb"


def not_ours(project: DbtProject) -> Path:
    if os.geteuid() == 0:
        pytest.skip("root may read every file")
    duckdb.connect(str(project.database)).close()
    project.database.chmod(0)
    return project.database


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (not_a_database, "is not a DuckDB database"),
        (a_folder, "cannot be opened"),
        (nowhere, "cannot be opened"),
        (not_ours, "cannot be opened"),
    ],
    ids=["not_a_database", "a_folder", "nowhere", "not_ours"],
)
def test_a_file_that_is_no_readable_database_is_named(
    own: DbtProject, make: Callable[[DbtProject], Path], words: str
) -> None:
    path = make(own)
    size = path.stat().st_size if path.exists() else None
    # Another path is another profile, which dbt would parse the whole project for, twice.
    target = own.folder / ("target" if path == own.database else "other_target")
    done = make_build(own, env=MADE | {"DUCKDB_PATH": str(path), "DBT_TARGET_PATH": str(target)})
    assert_refused(done, str(path), words, "DUCKDB_PATH")
    assert (path.stat().st_size if path.exists() else None) == size


# --- raw tables ---


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        (
            "alter table raw.sessions drop column visitor_id",
            "raw.sessions lacks the column visitor_id",
        ),
        (
            "alter table raw.sessions rename column month to monat",
            "raw.sessions lacks the column month",
        ),
        ("alter table raw.orders drop column loaded_at", "raw.orders lacks the column loaded_at"),
    ],
)
def test_a_raw_table_without_a_column_is_refused(
    dbt: DbtWorker, copied: DbtProject, statement: str, words: str
) -> None:
    change(copied, statement)
    before = contents(copied)
    answer = dbt.run(copied, *BUILD, check=False)
    assert_refused(answer, words, "add or rename it")
    assert_unchanged(copied, before)


def test_several_missing_columns_are_all_named_by_the_command_line(live: DbtProject) -> None:
    change(
        live,
        "alter table raw.sessions drop column browser",
        "alter table raw.sessions rename column region to place",
    )
    before = contents(live)
    done = make_build(live, env=MADE)
    assert_refused(done, "Table raw.sessions lacks the columns browser, region")
    assert_unchanged(live, before)


# --- catalogs ---

# Of one row each; a check says all that is wrong at once.
BAD_CATALOG = {
    "purchase_intent_in_session": (
        "included_features = 'exit_rates|exitrates|page_values', excluded_features = 'colour', "
        "primary_metric = 'accuracy'",
        [
            "feature 'exitrates' does not exist",
            "feature 'colour' does not exist",
            "feature 'page_values' may not be used",
            "primary_metric 'accuracy' is not one of pr_auc, roc_auc, f1",
        ],
    ),
    "purchase_intent_after_session": (
        "feature_table = 'visit_features'",
        ["feature_table 'visit_features' has no row"],
    ),
}


def test_bad_rows_of_the_model_catalog_are_refused(dbt: DbtWorker, copied: DbtProject) -> None:
    change(
        copied,
        *(
            f"update insights_vocabulary.model_catalog set {assignments} "
            f"where model_name = '{model}'"
            for model, (assignments, _) in BAD_CATALOG.items()
        ),
    )
    before = contents(copied)
    answer = dbt.run(copied, "run", check=False)
    assert_refused(answer)
    said = [line.strip() for line in answer.output.splitlines() if "model_catalog.csv" in line]
    for model, (_, sentences) in BAD_CATALOG.items():
        for words in sentences:
            assert any(f"row '{model}': " in line and words in line for line in said), said
    assert_unchanged(copied, before, CATALOG_RUN)


@pytest.mark.parametrize("property_name", ["is_protected", "is_current_only"])
def test_a_feature_that_no_model_may_use_can_not_be_included(
    dbt: DbtWorker, copied: DbtProject, property_name: str
) -> None:
    change(
        copied,
        "update insights_vocabulary.model_catalog set included_features = 'region|browser' "
        "where model_name like 'purchase_intent%'",
        f"update insights_vocabulary.feature_catalog set {property_name} = true "
        "where feature = 'region'",
    )
    answer = dbt.run(copied, "run", "--select", "model_features", check=False)
    assert_refused(answer, "feature 'region' may not be used", f"{property_name} True")


@pytest.fixture(scope="module")
def edited(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the project whose model catalog tests may edit."""
    return project_files(tmp_path_factory.mktemp("edited"))


def test_an_edited_catalog_with_mistakes_stops_the_build_with_all_of_them(
    live: DbtProject, edited: Path
) -> None:
    before = contents(live)
    catalog = PROJECT_DIR / "seeds" / "vocabulary" / "model_catalog.csv"
    text = catalog.read_text()
    edited_text = text.replace(
        "in_session,false,,,,pr_auc,", "in_session,false,page_values,colour,,accuracy,"
    )
    assert edited_text != text
    (edited / catalog.relative_to(PROJECT_DIR)).write_text(edited_text)
    done = make_build(
        live, env=MADE | {"DBT_TARGET_PATH": str(edited / "target")}, project_dir=edited
    )
    shown = done.stdout + done.stderr
    assert done.returncode != 0
    assert "Traceback" not in shown
    for words in (
        "feature 'page_values' may not be used",
        "feature 'colour' does not exist",
        "primary_metric 'accuracy' is not one of pr_auc, roc_auc, f1",
    ):
        assert words in shown.split("Error:")[-1]
    assert_unchanged(live, before, CATALOG_RUN)


def test_a_data_test_that_fails_is_told_with_its_meaning(live: DbtProject) -> None:
    change(
        live,
        "insert into insights_internal.purchase_intent_scored by name "
        "select 'no-such-model' as model_version, * exclude (model_version) "
        "from insights_internal.purchase_intent_scored limit 1",
    )
    done = make_build(live, env=MADE, selected=("assert_every_score_names_its_model",))
    assert_refused(
        done,
        "test assert_every_score_names_its_model failed: Got 1 result",
        "the log or the scores were edited",
        "docs/tests/scores.md says more.",
    )


# --- files to load ---


def test_a_file_that_is_not_there_is_named(live: DbtProject) -> None:
    before = contents(live)
    done = make_build(live, "--data", "no/such/sessions.csv", env=MADE)
    assert_refused(done, "There is no file or folder 'no/such/sessions.csv'", "check the path")
    assert_unchanged(live, before)


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("sessions.csv", bytes(range(256)) * 20, "is not a CSV file"),
        ("sessions.xlsx", b"PK\x03\x04" + bytes(100), "is neither .csv, .csv.gz nor .parquet"),
    ],
)
def test_a_file_that_is_no_csv_is_named(
    live: DbtProject, tmp_path: Path, name: str, content: bytes, words: str
) -> None:
    before = contents(live)
    (tmp_path / name).write_bytes(content)
    done = make_build(live, "--data", str(tmp_path / name), env=MADE)
    assert_refused(done, str(tmp_path / name), words)
    assert_unchanged(live, before)


# --- outcomes that explain themselves ---


def columns_of(project: DbtProject) -> dict[str, list[tuple[str, str]]]:
    """Columns with their types of every table and view that a build makes."""
    found: dict[str, list[tuple[str, str]]] = {}
    for table, column, kind in project.query(
        "select table_schema || '.' || table_name, column_name, data_type "
        "from information_schema.columns where table_schema like 'insights%' "
        "order by table_schema, table_name, ordinal_position"
    ):
        found.setdefault(table, []).append((column, kind))
    return found


ENTITY_TABLES = [
    "session_features",
    "session_labels",
    "purchase_intent_scores",
    "score_explanations",
]
METRICS = "roc_auc, pr_auc, f1, brier, precision, recall, accuracy, mcc, log_loss, constant_f1"


def assert_empty_but_whole(project: DbtProject, built: DbtProject) -> None:
    """Every table is there with its types, empty, and the log says why nothing was trained."""
    assert columns_of(project) == columns_of(built)
    for table in ENTITY_TABLES:
        assert project.query(f"select count(*) from insights.{table}") == [(0,)], table
    # min_train_rows or, of texts, min_rated_texts.
    assert_not_trained(project, "0 mature rows to train on; min_")


def assert_not_trained(project: DbtProject, reason: str) -> None:
    runs = rows_of(project, "select * from insights.model_runs order by model_name")
    assert set(MODELS) < {run["model_name"] for run in runs}
    for run in runs:
        if run["model_name"] not in MODELS and "0 mature rows" not in reason:
            continue
        assert run["decision"] == "not_enough_labels"
        assert reason in run["reason"]
        assert not run["is_champion"]
        measured = {name: run[name] for name in METRICS.split(", ")}
        assert set(measured.values()) == {None}, measured
        assert run["artifact_sha256"] is None
    assert project.query("select count(*) from insights.purchase_intent_scores") == [(0,)]
    assert project.query("select count(*) from insights.score_explanations") == [(0,)]


def test_missing_and_empty_raw_tables_build_empty_typed_tables(
    dbt: DbtWorker, dbt_project: DbtProject, built: DbtProject
) -> None:
    answer = dbt.run(dbt_project, *BUILD)
    assert "No table of the shop exists in schema raw yet" in answer.output
    assert set(answer.statuses.values()) <= {"success", "no-op"}
    assert_empty_but_whole(dbt_project, built)
    put_raw(dbt_project, {name: schema.empty_table() for name, schema in RAW_SCHEMAS.items()})
    dbt.run(dbt_project, *BUILD)
    assert_empty_but_whole(dbt_project, built)
    numbers = dbt_project.query("select model_name, decision_number from insights.model_runs")
    names = {name for name, _ in numbers}
    assert sorted(numbers) == sorted((name, number) for name in names for number in (1, 2))


@pytest.mark.long
def test_a_shop_of_header_lines_builds_and_says_so(
    own: DbtProject, built: DbtProject, tmp_path: Path
) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    for name, schema in RAW_SCHEMAS.items():
        (folder / f"{name}.csv").write_text(",".join(schema.names) + "\n")
    done = make_build(own, "--data", str(folder), env=MADE)
    shown = done.stdout + done.stderr
    assert done.returncode == 0, shown
    assert "Traceback" not in shown
    assert "not trained: too few labels" in shown
    assert "0 mature rows to train on" in shown
    assert_empty_but_whole(own, built)


@pytest.mark.long
def test_one_class_only_is_said_in_words_with_numbers(
    dbt: DbtWorker, dbt_project: DbtProject
) -> None:
    sessions = shop(SHOP)["sessions"]
    nobody = pc.if_else(
        pc.is_valid(sessions["is_purchase"]), pa.scalar(False), pa.scalar(None, pa.bool_())
    )
    position = sessions.column_names.index("is_purchase")
    put_raw(
        dbt_project,
        {
            "sessions": sessions.set_column(
                position, RAW_SCHEMAS["sessions"].field("is_purchase"), nobody
            )
        },
    )
    dbt.run(dbt_project, *BUILD)
    rows = dbt_project.query(
        "select train_rows, train_positives from insights.model_runs "
        "where model_name = 'purchase_intent_in_session'"
    )
    train_rows, positives = rows[0]
    assert train_rows > 1000
    assert positives == 0
    assert_not_trained(
        dbt_project,
        f"the train rows have 0 positive and {train_rows} negative labels; "
        "min_class_rows asks for 20 of each",
    )
    answer = dbt.run(dbt_project, "test", "--select", "assert_*")
    assert set(answer.statuses.values()) == {"success", "pass"}


@pytest.mark.long
def test_fewer_rows_than_the_minimum_are_counted_in_the_reason(
    dbt: DbtWorker, dbt_project: DbtProject
) -> None:
    put_raw(dbt_project, shop(SHOP))
    dbt.run(dbt_project, *BUILD, env={"MIN_TRAIN_ROWS": "5000"})
    [(train_rows,)] = dbt_project.query(
        "select train_rows from insights.model_runs where model_name = 'purchase_intent_in_session'"
    )
    assert 1000 < train_rows < 5000
    assert_not_trained(
        dbt_project, f"{train_rows} mature rows to train on; min_train_rows asks for 5000"
    )


@pytest.mark.long
def test_a_champion_serves_on_where_labels_are_too_few(dbt: DbtWorker, copied: DbtProject) -> None:
    before = contents(copied)
    dbt.run(copied, *BUILD, env={"MIN_TRAIN_ROWS": "5000"})
    first, second = (
        copied.query(
            "select model_name, model_version, is_champion from insights.model_runs "
            f"where decision_number = {number} and is_champion order by model_name"
        )
        for number in (1, 2)
    )
    assert first == second != []
    assert copied.query(
        "select distinct decision, roc_auc is null from insights.model_runs "
        "where decision_number = 2"
    ) == [("not_enough_labels", True)]
    after = contents(copied)
    for table in ("insights.purchase_intent_scores", "insights.score_explanations"):
        assert after[table] == before[table]


# A reason of the generator's beside the word that staging has for it.
REASONS = {
    "event_after_load": "later_than_loaded_at",
    "status_before_order": "changed_before_ordered",
}


def test_broken_rows_are_rejected_with_reasons_and_counted(
    dbt: DbtWorker, dbt_project: DbtProject
) -> None:
    tables = shop(ShopConfig(scale=0.15, scenario="broken_rows"))
    put_raw(dbt_project, tables)
    dbt.run(dbt_project, "seed")
    dbt.run(dbt_project, "run", "--select", "staging", "session_labels_computed", "run_context")
    expected = {
        (table, REASONS.get(reason, reason)): count
        for (table, reason), count in bad_row_counts("broken_rows").items()
    }
    rejected = dbt_project.query(
        "select table_name, reject_reason, count(*) from insights_staging.rejected_rows "
        "group by all"
    )
    assert {(table, reason): count for table, reason, count in rejected} == expected
    for table in RAW_SCHEMAS:
        raw, accepted, refused = dbt_project.query(
            f"select (select count(*) from raw.{table}), "
            f"(select count(*) from insights_staging.stg_{table}), "
            f"(select count(*) from insights_staging.rejected_rows where table_name = '{table}')"
        )[0]
        assert raw == tables[table].num_rows == accepted + refused
    # Rows from the future do not move today.
    assert dbt_project.query(
        "select max(year(watermark_at)) from insights_staging.source_watermarks"
    ) == [(2024,)]


# What is changed in one good row of a table, and the reason for which it is rejected then.
CHANGED_ROWS: list[tuple[str, str, str | None]] = [
    ("customers", "signed_up_on = cast(loaded_at as date) + 1", "later_than_loaded_at"),
    ("customers", "signed_up_on = '2024-12-21'", "later_than_as_of"),
    ("customers", "signed_up_on = '2024-12-20'", None),
    ("customers", "age = -1", "age_out_of_range"),
    ("customers", "age = 0", None),
    ("customers", "age = 130", None),
    ("customers", "age = 131", "age_out_of_range"),
    ("customers", "age = null, plan = null, gender = null", None),
    ("customers", "signed_up_on = null", "missing_value"),
    ("products", "price_amount = 0", None),
    ("products", "price_amount = -0.01", "negative_amount"),
    ("products", "name = null, price_amount = -1", "missing_value"),
    ("orders", "discount_amount = 0", None),
    ("orders", "discount_amount = null", None),
    ("orders", "discount_amount = -0.01", "negative_amount"),
    ("orders", "status = 'lost'", "unknown_status"),
    ("orders", "status = 'Completed'", "unknown_status"),
    ("orders", "status = null", "missing_value"),
    ("orders", "ordered_at = '2024-12-21', status_changed_at = null", "later_than_as_of"),
    ("orders", "ordered_at = '2099-01-01', status_changed_at = null", "later_than_loaded_at"),
    ("orders", "status_changed_at = null", None),
    ("orders", "status_changed_at = ordered_at", None),
    ("orders", "status_changed_at = ordered_at - interval 1 second", "changed_before_ordered"),
    ("orders", "status_changed_at = loaded_at", None),
    ("orders", "status_changed_at = loaded_at + interval 1 second", "later_than_loaded_at"),
    ("orders", "customer_id = 'nobody', session_id = 'none'", None),
    ("order_items", "quantity = 0", "quantity_not_positive"),
    ("order_items", "quantity = -1", "quantity_not_positive"),
    ("order_items", "unit_price_amount = 0", None),
    ("order_items", "unit_price_amount = -0.01", "negative_amount"),
    ("order_items", "line_number = 0", None),
    ("order_items", "line_number = -3", None),
    ("order_items", "line_number = null", "missing_key"),
    ("order_items", "order_id = null", "missing_key"),
    ("order_items", "order_id = 'none', product_id = 'nothing'", None),
]
# Rows that are accepted with an `as_of` of late 2024, too.
GOOD_ROWS = {
    "customers": "signed_up_on < '2024-06-01'",
    "products": "true",
    "orders": "ordered_at < '2024-06-01'",
    "order_items": "true",
}


def test_one_change_decides_whether_a_row_is_rejected(
    dbt: DbtWorker, dbt_project: DbtProject
) -> None:
    put_raw(dbt_project, shop(SHOP))
    statements = []
    for number, (table, assignment, _) in enumerate(CHANGED_ROWS):
        # A time of loading of its own tells a row, whatever happens to its key.
        loaded_at = f"timestamp '2025-02-01' + interval {number + 1} second"
        statements += [
            f"update raw.{table} set loaded_at = {loaded_at} where rowid = (select min(rowid) "
            f"from raw.{table} where loaded_at < '2025-02-01' and {GOOD_ROWS[table]})",
            f"update raw.{table} set {assignment} where loaded_at = {loaded_at}",
        ]
    change(dbt_project, *statements)
    dbt.run(
        dbt_project,
        "run",
        "--select",
        *[f"checked_{table}" for table in GOOD_ROWS],
        env={"AS_OF": "2024-12-20"},
    )
    found = dict(
        dbt_project.query(
            " union all ".join(
                "select date_diff('second', timestamp '2025-02-01', loaded_at), reject_reason "
                f"from insights_staging.checked_{table} where loaded_at > '2025-02-01'"
                for table in GOOD_ROWS
            )
        )
    )
    assert {change: found[number + 1] for number, change in enumerate(CHANGED_ROWS)} == {
        change: change[2] for change in CHANGED_ROWS
    }


def test_a_line_that_came_twice_counts_once_and_the_last_one_counts(
    dbt: DbtWorker, dbt_project: DbtProject
) -> None:
    put_raw(
        dbt_project,
        shop(SHOP),
        "create table raw.twice as select * replace (quantity + 7 as quantity, "
        "loaded_at + interval 1 hour as loaded_at) from raw.order_items limit 1",
        "insert into raw.order_items select * from raw.twice",
    )
    dbt.run(dbt_project, "run", "--select", "checked_order_items", "stg_order_items")
    assert dbt_project.query(
        "select accepted.quantity = twice.quantity, checked.reject_reason, checked.quantity + 7 "
        "= twice.quantity from raw.twice "
        "inner join insights_staging.stg_order_items as accepted using (order_id, line_number) "
        "inner join insights_staging.checked_order_items as checked "
        "using (order_id, line_number) where checked.duplicate_rank > 1"
    ) == [(True, "duplicate_key", True)]


@pytest.mark.long
def test_orders_alone_build_and_nothing_is_said_of_tables_that_are_not_there(
    dbt: DbtWorker, dbt_project: DbtProject, built: DbtProject
) -> None:
    orders = shop(SHOP)["orders"]
    put_raw(dbt_project, {"orders": orders})
    dbt.run(dbt_project, *BUILD)
    assert columns_of(dbt_project) == columns_of(built)
    assert dbt_project.query("select count(*) from insights_staging.stg_orders") == [
        (orders.num_rows,)
    ]
    runs = rows_of(dbt_project, "select * from insights.model_runs")
    assert {run["decision"] for run in runs} == {"not_enough_labels"}
    answer = dbt.run(dbt_project, "test", "--select", "staging", "assert_*")
    assert set(answer.statuses.values()) <= {"success", "pass"}


UNMATCHED_TEST = "assert_keys_refer_to_known_rows"


def built_and_told(dbt: DbtWorker, project: DbtProject, env: dict[str, str] | None = None) -> str:
    """What the data test says of a staging that was built anew."""
    dbt.run(project, "run", "--select", "staging", env=env)
    return dbt.run(project, "test", "--select", UNMATCHED_TEST, env=env).statuses[UNMATCHED_TEST]


def unmatched(project: DbtProject) -> dict[str, tuple[int, int]]:
    """Referring and unmatched rows by `table.column`."""
    return {
        name: (referring, missing)
        for name, referring, missing in project.query(
            "select table_name || '.' || column_name, referring_rows, unmatched_rows "
            "from insights_staging.unmatched_rows"
        )
    }


@pytest.mark.parametrize("as_of", ["null", "2024-09-10 14:30:00"])
def test_in_a_healthy_shop_every_key_refers_to_a_known_row(
    dbt: DbtWorker, copied: DbtProject, as_of: str
) -> None:
    assert built_and_told(dbt, copied, env={"AS_OF": as_of}) == "pass"
    counted = unmatched(copied)
    assert len(counted) == 6
    assert all(referring > 0 and missing == 0 for referring, missing in counted.values())
    # Lines of orders that are later than `as_of` are accepted, so that there is something to miss.
    late = copied.query(
        "select count(*) from insights_staging.stg_order_items "
        "where order_id not in (select order_id from insights_staging.stg_orders)"
    )
    assert (late > [(0,)]) == (as_of != "null")


def test_rows_that_refer_to_nothing_known_are_kept_counted_and_told(
    dbt: DbtWorker, copied: DbtProject
) -> None:
    change(
        copied,
        "delete from raw.sessions where session_id in "
        "(select session_id from raw.orders where session_id is not null order by all limit 3)",
        "update raw.orders set customer_id = 'nobody' where rowid < 2",
        # Rejected, its lines are orphans as those of an order that never came.
        "update raw.orders set status = 'lost' where order_id = "
        "(select max(order_id) from raw.orders)",
        "update raw.order_items set order_id = order_id || '-unknown' where rowid < 5",
        "update raw.order_items set product_id = 'nothing' where rowid < 4",
        "update raw.reviews set customer_id = 'nobody' where rowid < 6",
        "update raw.reviews set product_id = 'nothing' where rowid < 7",
        "update raw.reviews set product_id = null where rowid = 8",
    )
    lines = copied.query(
        "select count(*) from raw.order_items "
        "where order_id = (select max(order_id) from raw.orders)"
    )[0][0]
    assert built_and_told(dbt, copied) == "warn"
    assert {name: missing for name, (_, missing) in unmatched(copied).items()} == {
        "orders.customer_id": 2,
        "orders.session_id": 3,
        "order_items.order_id": 5 + lines,
        "order_items.product_id": 4,
        "reviews.customer_id": 6,
        "reviews.product_id": 7,
    }
    rows = {table: copied.query(f"select count(*) from raw.{table}")[0][0] for table in RAW_SCHEMAS}
    for table, rejected in (("orders", 1), ("order_items", 0), ("reviews", 0)):
        assert copied.query(f"select count(*) from insights_staging.stg_{table}") == [
            (rows[table] - rejected,)
        ]
    shown = dbt.run(copied, "run-operation", "print_build_summary").output
    orders = copied.query("select count(*) from insights_staging.stg_orders")[0][0]
    assert f"2 of {orders} rows of orders have a customer_id that customers lacks" in shown


def test_a_table_that_the_shop_does_not_load_is_not_warned_of(
    dbt: DbtWorker, copied: DbtProject
) -> None:
    change(copied, "drop table raw.customers", "delete from raw.products")
    assert built_and_told(dbt, copied) == "pass"
    referring, missing = unmatched(copied)["orders.customer_id"]
    assert referring == missing > 0


def test_rejected_rows_of_every_table_are_told_after_a_build(
    dbt: DbtWorker, copied: DbtProject
) -> None:
    change(copied, "update raw.products set price_amount = -1 where rowid < 3")
    dbt.run(copied, "run", "--select", "staging")
    shown = dbt.run(copied, "run-operation", "print_build_summary").output
    assert "3 of products rejected, see insights_staging.rejected_rows" in shown
