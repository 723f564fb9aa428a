"""Replays the UCI Online Shoppers month by month, as docs/drill.md tells, and draws its pictures.

    python benchmarks/drill.py online_shoppers_intention.csv

Each month is one build with `as_of` two days into the next; the model is the one that October's
build promoted, pinned after it. Prints the tables of the page and writes docs/drill_november.svg
and docs/drill_december.svg.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb

from customer_insights.cards.markup import number, table
from customer_insights.cards.pictures import Bin, calibration_picture

PROJECT = Path(__file__).resolve().parents[1]
MODEL = "purchase_intent_after_session"
# Of the default 30 days, October's test rows are too few to beat the best single feature.
SETTINGS = {"SHOP_SOURCE": "raw", "TEXT_ENGINE": "none", "VALIDATION_DAYS": "60", "TEST_DAYS": "60"}
PIN = f"{{model: {MODEL}, who: the drill, why: it is watched}}"
BUILDS = ("2017-11-02", "2017-12-02", "2018-01-02")
WINDOWS = {"november": "2017-11-01", "december": "2017-12-01"}
OF_VERSION = f"model_name = '{MODEL}' and model_version like '2017-10-31-%'"


def replay(sessions: Path, folder: Path) -> Path:
    """The database after the three builds, in a folder of its own."""
    database = folder / "drill.duckdb"
    (folder / "profiles.yml").write_bytes((PROJECT / "profiles.example.yml").read_bytes())
    load = f"{{path: '{sessions.resolve()}', table: sessions}}"
    _dbt(folder, database, "run-operation", "load_files", "--args", load)
    for as_of in BUILDS:
        print(f"Building as of {as_of} ...", flush=True)
        # Data tests are the test suite's; only what monitoring needs is built.
        select = ("--select", "+path:models/monitoring", "--exclude-resource-type", "test")
        _dbt(folder, database, "build", *select, AS_OF=as_of)
        if as_of == BUILDS[0]:
            _dbt(folder, database, "run-operation", "pin_model", "--args", PIN)
    return database


def _dbt(folder: Path, database: Path, *arguments: str, **env: str) -> None:
    folders = ["--profiles-dir", folder, "--target-path", folder / "target", "--log-path", folder]
    subprocess.run(
        [sys.executable, "-m", "dbt.cli.main", "--quiet", *arguments, *map(str, folders)],
        cwd=PROJECT,
        env={**os.environ, **SETTINGS, "DUCKDB_PATH": str(database), **env},
        check=True,
    )


def draw(con: duckdb.DuckDBPyConnection, month: str, window: str) -> None:
    """The calibration of one month's new rows, as a picture beside the page."""
    rows = con.execute(
        "select expected_rate, observed_rate, observed_rate_low, observed_rate_high"
        f" from insights.score_calibration where {OF_VERSION} and window_start_on = ?"
        " and matured_rows > 0 order by score_bin",
        [window],
    ).fetchall()
    picture = calibration_picture(
        [Bin(*row) for row in rows], month.capitalize(), f"score_calibration, {len(rows)} bins"
    )
    (PROJECT / "docs" / f"drill_{month}.svg").write_text(picture, encoding="utf-8")


def show(con: duckdb.DuckDBPyConnection) -> None:
    """The tables of the page."""
    performance = con.execute(
        "select strftime(window_start_on, '%B'), matured_rows, promotion_value, pr_auc, pr_auc_low,"
        " pr_auc_high, roc_auc, brier, estimated_brier, has_fallen from insights.model_performance"
        f" where {OF_VERSION} and matured_rows > 0 order by window_start_on"
    ).fetchall()
    header = "month|rows|PR-AUC at promotion|PR-AUC|low|high|ROC-AUC|Brier|Brier it said|has_fallen"
    print(table(header.split("|"), [[_text(value) for value in row] for row in performance]))
    slices = con.execute(
        "select strftime(window_start_on, '%B'), slice, matured_rows, expected_rate, observed_rate,"
        " brier_excess, adjusted_p_value, is_miscalibrated, is_harmful"
        f" from insights.slice_performance where {OF_VERSION} and matured_rows > 0"
        " and slice in ('all rows', 'page_values = 0', 'page_values > 0') order by all"
    ).fetchall()
    header = "month|slice|rows|expected|observed|Brier beyond|p|is_miscalibrated|is_harmful"
    print(table(header.split("|"), [[_text(value) for value in row] for row in slices]))
    drift = con.execute(
        "select strftime(window_start_on, '%B'), column_name, psi, psi_threshold, is_drifted,"
        " brier_change from insights.feature_drift"
        f" where {OF_VERSION} and window_start_on >= '2017-11-01'"
        " and column_name in ('page_values', 'traffic_type', 'special_day') order by all"
    ).fetchall()
    header = "month|feature|PSI|threshold|is_drifted|Brier change"
    print(table(header.split("|"), [[_text(value) for value in row] for row in drift]))
    print(
        *[row[0] for row in con.execute("select message from insights.alerts").fetchall()], sep="\n"
    )


def _text(value: object) -> str:
    return number(value) if isinstance(value, float) else str(value)


def main() -> None:
    """Replay, draw and print."""
    if len(sys.argv) != 2 or not Path(sys.argv[1]).is_file():
        raise SystemExit("usage: python benchmarks/drill.py online_shoppers_intention.csv")
    with TemporaryDirectory() as folder:
        database = replay(Path(sys.argv[1]), Path(folder))
        with duckdb.connect(str(database), read_only=True) as con:
            for month, window in WINDOWS.items():
                draw(con, month, window)
            show(con)


if __name__ == "__main__":
    main()
