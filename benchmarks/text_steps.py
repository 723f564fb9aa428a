"""What the benchmark of texts has the library do; each command is one process.

The library is called as the Python models call it: on relations of DuckDB, with the settings of
`run_context`, and what it gives is written to a table as dbt writes it.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import duckdb
from shop_database import INTERNAL_SCHEMA

from customer_insights.engine import Relation, open_warehouse
from customer_insights.model import artifact_hash
from customer_insights.text.scoring import score_texts
from customer_insights.text.sentiment import fit_sentiment
from customer_insights.text.training import rated_texts
from customer_insights.topics.assigning import assign_topics, list_terms
from customer_insights.topics.training import train_topics

VOCABULARY_SCHEMA = "insights_vocabulary"
VALIDATION_SHARE = 0.15
VERSION = "benchmark"
# As in profiles.example.yml.
MEMORY_LIMIT = "3GB"

# The shop's own texts in the order in which they came, each once.
DISTINCT_TEXTS = f"""
create or replace table benchmark.distinct_texts as
select
    review_id,
    customer_id,
    created_at,
    rating,
    masked_text,
    row_number() over (order by created_at, review_id) - 1 as number
from (
    from {INTERNAL_SCHEMA}.review_texts
    qualify row_number() over (partition by content_hash order by created_at, review_id) = 1
)
"""

RATED_TEXTS = """
create or replace table benchmark.rated_texts as
select
    masked_text,
    rating,
    row_number() over (order by number) > (1 - {validation_share}) * {rows} as is_validation
from (from benchmark.distinct_texts where rating is not null order by number limit {rows})
order by number
"""

# So many different texts: after the shop's last they begin anew, each with a number at its end.
TEXTS = """
create or replace table benchmark.texts_{rows} as
select
    review_id || '-' || copy as review_id,
    customer_id,
    created_at,
    created_at as first_created_at,
    '{version}' as scoring_version,
    masked_text,
    md5(masked_text) as content_hash
from (
    select
        * replace (
            masked_text || case when copy = 0 then '' else ' ' || copy end as masked_text
        ),
        copy * (select count(*) from benchmark.distinct_texts) + number as place
    from benchmark.distinct_texts,
        range((select {rows} // count(*) + 1 from benchmark.distinct_texts)) as copies (copy)
)
where place < {rows}
order by place
"""


def prepare(database: Path, rated: int, rows: list[int]) -> dict[str, dict[str, int]]:
    """Lay out the texts of all steps from the shop's reviews; rows and characters by table."""
    with _connect(database) as con:
        con.execute("create schema if not exists benchmark")
        con.execute(DISTINCT_TEXTS)
        con.execute(RATED_TEXTS.format(rows=rated, validation_share=VALIDATION_SHARE))
        wanted = {"rated_texts": rated}
        for number in rows:
            con.execute(TEXTS.format(rows=number, version=VERSION))
            wanted[f"texts_{number}"] = number
        found = {}
        for name, number in wanted.items():
            ((different, characters),) = con.execute(
                "select count(distinct masked_text), sum(length(masked_text)) "
                f"from benchmark.{name}"
            ).fetchall()
            if different != number:
                raise SystemExit(f"{name} has {different} different texts, not {number}.")
            found[name] = {"texts": different, "characters": int(characters)}
    return found


def train(database: Path) -> dict[str, Any]:
    """Learn the sentiment of the rated texts and store the model."""
    with _connect(database) as con:
        rated = _relation(con, "benchmark.rated_texts")
        learned, validation = (
            rated_texts(rated.equal_to("is_validation", part).read()) for part in (False, True)
        )
        artifact = fit_sentiment(learned, validation).to_bytes()
        con.execute(
            "create or replace table benchmark.trained as "
            "select ? as model_version, ? as artifact_sha256, cast(? as blob) as artifact",
            [VERSION, artifact_hash(artifact), artifact],
        )
        con.execute("create or replace table benchmark.folds as from benchmark.trained limit 0")
    return {"artifact_bytes": len(artifact)}


def score(database: Path, rows: int, memory_limit: str) -> dict[str, Any]:
    """Score texts with the stored model, as `review_sentiment_predicted` does."""
    with _connect(database, memory_limit) as con:
        derived = score_texts(
            run_context=_relation(con, f"{INTERNAL_SCHEMA}.run_context"),
            trained=_relation(con, "benchmark.trained"),
            folds=_relation(con, "benchmark.folds"),
            assigned=_relation(con, f"benchmark.texts_{rows}"),
            past=None,
        )
        return {"scored": _write(con, f"scored_{rows}", derived)}


def topics(database: Path, rows: int) -> dict[str, Any]:
    """Find topics, list their terms and assign them, as the three models of topics do."""
    with _connect(database) as con:
        run_context = _relation(con, f"{INTERNAL_SCHEMA}.run_context")
        texts = _relation(con, f"benchmark.texts_{rows}")
        decision = train_topics(
            run_context=run_context,
            topic_words=_relation(con, f"{VOCABULARY_SCHEMA}.topic_words"),
            texts=texts,
            past=None,
        )
        _write(con, "topics_trained", decision)
        trained = _relation(con, "benchmark.topics_trained")
        _write(con, "topic_terms_listed", list_terms(trained=trained, past=None))
        assigned = assign_topics(run_context=run_context, trained=trained, texts=texts, past=None)
        (row,) = decision.to_pylist()
        return {
            "assigned": _write(con, "review_topics_assigned", assigned),
            **{name: row[name] for name in ("decision", "trained_text_count", "topic_count")},
        }


def compare(database: Path, script_database: Path, rows: int) -> dict[str, Any]:
    """How the library's scores differ from the script's: texts by kind, and the largest gap."""
    with duckdb.connect(str(database), read_only=True) as con:
        con.execute(f"attach '{script_database}' as script (read_only)")
        (found,) = con.execute(
            f"""
            select
                count(*),
                count(*) filter (where ours.content_hash is null or theirs.content_hash is null),
                count(*) filter (where (ours.score is null) != (theirs.score is null)),
                count(*) filter (where ours.label is distinct from theirs.label),
                coalesce(max(abs(ours.score - theirs.score)), 0),
                coalesce(avg(abs(ours.score - theirs.score)), 0)
            from (
                select content_hash, sentiment_score as score, sentiment_label as label
                from benchmark.scored_{rows}
            ) as ours
            full join script.scores as theirs on ours.content_hash = theirs.content_hash
            """
        ).fetchall()
    names = ("texts", "unmatched", "known_to_one", "other_labels", "largest_gap", "mean_gap")
    return dict(zip(names, found, strict=True))


def _connect(database: Path, memory_limit: str = MEMORY_LIMIT) -> duckdb.DuckDBPyConnection:
    settings = {"memory_limit": memory_limit, "allocator_background_threads": "true"}
    return duckdb.connect(str(database), config=settings)


def _relation(con: duckdb.DuckDBPyConnection, name: str) -> Relation:
    return open_warehouse(None, con).relation(con.table(name))


def _write(con: duckdb.DuckDBPyConnection, name: str, rows: Any) -> int:
    made = open_warehouse(SimpleNamespace(is_incremental=False), con).write(rows)  # noqa: F841  (DuckDB reads it)
    # Rows are read while they are written: dbt has a connection for each.
    with con.cursor() as writing:
        writing.execute(f"create or replace table benchmark.{name} as select * from made")
        (row,) = writing.execute(f"select count(*) from benchmark.{name}").fetchall()
    return int(row[0])


def main() -> None:
    """Run one command and print what it found as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    for name in ("prepare", "train", "score", "topics", "compare"):
        command = commands.add_parser(name)
        command.add_argument("database", type=Path)
        if name == "compare":
            command.add_argument("script_database", type=Path)
        if name in ("score", "topics", "compare"):
            command.add_argument("--rows", type=int, required=True)
        if name == "score":
            command.add_argument("--memory-limit", default=MEMORY_LIMIT)
        if name == "prepare":
            command.add_argument("--rated", type=int, required=True)
            command.add_argument("--rows", type=int, nargs="+", required=True)
    given = vars(parser.parse_args())
    run = {
        "prepare": prepare,
        "train": train,
        "score": score,
        "topics": topics,
        "compare": compare,
    }[given.pop("command")]
    print(json.dumps(run(**given)))


if __name__ == "__main__":
    main()
