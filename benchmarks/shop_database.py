"""What the benchmark does with DuckDB outside its measurements; each command is one process.

A process of its own, because a child's peak memory starts from that of the process that starts it:
the runner has to stay small.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import duckdb

TABLES = ("sessions", "customers", "products", "orders", "order_items", "reviews")
MODEL_SCHEMA = "insights"
INTERNAL_SCHEMA = "insights_internal"


def load(files: Path, database: Path) -> dict[str, Any]:
    """Load the shop's Parquet files into the schema `raw` of a new database; rows by table."""
    rows = {}
    with duckdb.connect(str(database)) as con:
        con.execute("create schema raw")
        for name in TABLES:
            path = files / f"{name}.parquet"
            con.execute(f"create table raw.{name} as select * from read_parquet('{path}')")
            rows[name] = _value(con, f"select count(*) from raw.{name}")
    return rows


def state(database: Path) -> dict[str, Any]:
    """What a build may have added: the newest decision of each model, and rows."""
    with duckdb.connect(str(database), read_only=True) as con:
        decisions = con.execute(
            f"""
            select model_name, decision, boosting_rounds, reason
            from {INTERNAL_SCHEMA}.purchase_intent_trained
            qualify row_number() over (partition by model_name order by decision_number desc) = 1
            order by model_name
            """
        ).fetchall()
        return {
            "decisions": {name: decision for name, decision, _, _ in decisions},
            "boosting_rounds": {name: rounds for name, _, rounds, _ in decisions},
            "reasons": {name: reason for name, _, _, reason in decisions},
            "scores": _value(con, f"select count(*) from {INTERNAL_SCHEMA}.purchase_intent_scored"),
            # A row that is scored again replaces its old one: counts do not show it, times do.
            "newest_scored_at": _value(
                con,
                "select cast(max(scored_at) as varchar) "
                f"from {INTERNAL_SCHEMA}.purchase_intent_scored",
            ),
            "score_features": _value(
                con,
                f"select {_checksum('session_id, model_name, model_version, features_hash')} "
                f"from {INTERNAL_SCHEMA}.purchase_intent_scored",
            ),
            "explanation_features": _value(
                con,
                f"select {_checksum('entity_id, model_name, model_version, rank, features_hash')} "
                f"from {INTERNAL_SCHEMA}.purchase_intent_explained",
            ),
            "explanations": _value(
                con, f"select count(*) from {INTERNAL_SCHEMA}.purchase_intent_explained"
            ),
            "leftover_tables": _value(
                con, "select count(*) from duckdb_tables() where table_name like '%__dbt_tmp%'"
            ),
        }


def compare(database: Path, script_database: Path) -> dict[str, Any]:
    """How the project's tables differ from the script's: rows by kind, and the largest gaps."""
    with duckdb.connect(str(database), read_only=True) as con:
        con.execute(f"attach '{script_database}' as script (read_only)")
        features = ", ".join(
            f'"{name}"'
            for (name,) in con.execute(
                "select column_name from duckdb_columns() "
                "where database_name = 'script' and table_name = 'session_features'"
            ).fetchall()
        )
        return {
            "different_features": _difference(
                con,
                f"select {features} from {MODEL_SCHEMA}.session_features",
                f"select {features} from script.session_features",
            ),
            "different_labels": _difference(
                con,
                "select session_id, is_purchase, matured_on, split "
                f"from {INTERNAL_SCHEMA}.purchase_intent_training_set",
                "select session_id, is_purchase, matured_on, split from script.session_labels",
            ),
            **_gaps(
                con,
                "scores",
                "score",
                f"select model_name, session_id as key, score, score_decile as exact "
                f"from {INTERNAL_SCHEMA}.purchase_intent_scored",
                "select model_name, session_id as key, score, score_decile as exact "
                "from script.scores",
            ),
            **_gaps(
                con,
                "explanations",
                "contribution",
                "select model_name, entity_id || '/' || rank as key, contribution, "
                f"feature as exact from {INTERNAL_SCHEMA}.purchase_intent_explanations",
                "select model_name, session_id || '/' || rank as key, contribution, "
                "feature as exact from script.explanations",
            ),
        }


def _gaps(
    con: duckdb.DuckDBPyConnection, what: str, number: str, ours: str, theirs: str
) -> dict[str, Any]:
    row = con.execute(
        f"""
        select
            count(*),
            count(*) filter (where ours.key is null or theirs.key is null),
            count(*) filter (where ours.exact is distinct from theirs.exact),
            coalesce(max(abs(ours.{number} - theirs.{number})), 0)
        from ({ours}) as ours
        full join ({theirs}) as theirs
            on ours.model_name = theirs.model_name and ours.key = theirs.key
        """
    ).fetchone()
    assert row is not None
    rows, unmatched, different, gap = row
    return {
        f"compared_{what}": rows,
        f"unmatched_{what}": unmatched,
        f"different_{what}": different,
        f"largest_gap_of_{what}": gap,
    }


def _difference(con: duckdb.DuckDBPyConnection, ours: str, theirs: str) -> int:
    return _value(
        con,
        f"""
        select
            (select count(*) from (({ours}) except all ({theirs})))
            + (select count(*) from (({theirs}) except all ({ours})))
        """,
    )


def _checksum(columns: str) -> str:
    # Of the joined text: DuckDB combines the hashes of columns by xor, so rows of two models that
    # share the others would cancel out.
    return f"sum(cast(hash(concat_ws('/', {columns})) as hugeint))"


def _value(con: duckdb.DuckDBPyConnection, query: str) -> Any:
    row = con.execute(query).fetchone()
    assert row is not None
    return row[0]


def main() -> None:
    """Run one command and print what it found as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    for name in ("load", "state", "compare"):
        command = commands.add_parser(name)
        if name == "load":
            command.add_argument("files", type=Path)
        command.add_argument("database", type=Path)
        if name == "compare":
            command.add_argument("script_database", type=Path)
    given = vars(parser.parse_args())
    run = {"load": load, "state": state, "compare": compare}[given.pop("command")]
    print(json.dumps(run(**given)))


if __name__ == "__main__":
    main()
