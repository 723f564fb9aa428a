"""What builds sent to the emulator: how much of it for which node, and what was fetched."""

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from customer_insights.pushdown import STEPS

Entry = Mapping[str, Any]

# Statements of a node, at most; those that its procedure sends are counted apart.
# A run's own are its checks, its lock, and its log: the tables for it, its columns (twice, as an
# older log lacks one), how many rows each table holds, what is too old, and the rows of 500 nodes
# at a time; a schema of raw tables costs two, for what is in it.
STATEMENTS = {"model": 11, "run": 19, "seed": 10, "snapshot": 11, "test": 3, "unit_test": 8}
# What a query is written from is asked while dbt compiles it, under the tag of the node before.
ASKED_FIRST = re.compile(
    r"(?i)\s*select (task_name, )?model_name, model_version, (cast\(window_start_on|profile from)"
)
# Functions that apply a step, by its kind, wherever they are made or called; and a new model.
APPLIES = re.compile(rf"(?i)customer_insights_({'|'.join(STEPS)})_[0-9a-f]{{16}}|(create model)")
# The rows that models are trained from, by node and table.
TRAINED_FROM = {
    ("churn_trained", "churn_training_set"),
    ("product_recommendations_trained", "product_recommendations_training_set"),
    ("purchase_intent_trained", "purchase_intent_training_set"),
    ("review_sentiment_folds", "review_sentiment_examples"),
    ("review_sentiment_trained", "review_sentiment_training_set"),
    ("topics_trained", "review_texts"),
}
# Nodes that apply steps to rows where those are.
STEPS_OF_NODES = {
    "churn_explained": {"explain"},
    "churn_scored": {"score"},
    "purchase_intent_explained": {"explain"},
    "purchase_intent_scored": {"score"},
    "review_aspects_found": {"aspects"},
    "review_details_counted": {"details"},
    "review_languages_detected": {"language"},
    "review_sentiment_predicted": {"sentiment"},
    "review_topics_assigned": {"topics"},
}
# A hundred rows of features go with a model as an example of its input.
SHOWN_TO_THE_REGISTRY = {
    ("churn_registered", "churn_population"),
    ("purchase_intent_registered", "session_features"),
}
MEASURED = {("review_sentiment_measured", "review_sentiment_judged")}
# What is read though nothing is new: the fingerprints of the texts, which say so, and the sentiment
# that is measured.
READ_AGAIN = {
    ("topics_trained", "review_texts"),
    ("review_sentiment_measured", "review_sentiment_judged"),
}
# Columns of an answer that is a count: of rows by a value, and of rows with their fingerprint.
_COUNTED = re.compile(r"\brow_count$|^count\(1\) hash_agg")
_MAKES_FUNCTION = re.compile(r"(?i)\s*create or replace temporary function ")
_NOTE = re.compile(r"(?s)/\*.*?\*/|--[^\n]*\n")
_TABLE = re.compile(r"(?i)\b(?:from|join)\s+\"?customer_insights\"?\.\"?(\w+)\"?\.\"?(\w+)")
# Settings, vocabularies, the decisions with their models: nobody's rows.
_OF_NOBODY = re.compile(
    r"(?i)\w+_vocabulary\.\w+$|\w+\.(run_context|model_features|tuning_trials|topic_terms_listed"
    r"|\w+_trained|review_sentiment_folds)$"
)


def tag_of(entry: Entry) -> dict[str, str]:
    """The query tag of a statement; none is an empty one."""
    tag: dict[str, str] = json.loads(entry["query_tag"] or "{}")
    return tag


def node_of(entry: Entry) -> str:
    """The name of the node that a statement is of; `run` for the run's own."""
    return tag_of(entry).get("node_id", "run").split(".")[-1]


def is_description(entry: Entry) -> bool:
    """Whether a statement asks for the columns of a table."""
    return str(entry["sql"]).lstrip().lower().startswith("describe ")


def applying(statements: Iterable[Entry]) -> dict[str, set[str]]:
    """The nodes whose procedures make a function and call it, with the kinds of their steps."""
    made: set[tuple[str, str]] = set()
    called: set[tuple[str, str]] = set()
    for entry in statements:
        is_made = bool(_MAKES_FUNCTION.match(entry["sql"]))
        for kind, _ in APPLIES.findall(entry["sql"]) if entry["inside_procedure"] else ():
            if kind:
                (made if is_made else called).add((node_of(entry), kind.lower()))
    return {node: {kind for name, kind in made & called if name == node} for node, _ in made}


def is_query(entry: Entry) -> bool:
    """Whether a statement is a query, and no call of an anonymous procedure."""
    words = _NOTE.sub(" ", entry["sql"]).lstrip(" (\n").lower().split(maxsplit=4)
    return words[:1] == ["select"] or (words[:1] == ["with"] and "procedure" not in words[3:4])


def nodes_of(statements: Iterable[Entry]) -> Counter[str]:
    """How many statements each node sent, by its query tag; statements of procedures apart.

    Without descriptions of tables, and without what a query is written from: what dbt looks up
    while it compiles a node has the tag of the node that the session ran before. Without the rows
    of seeds, which go in batches.
    """
    counted: Counter[str] = Counter()
    for entry in statements:
        tag = tag_of(entry)
        node = tag.get("node_id", "run")
        is_batch = node.startswith("seed.") and entry["sql"].lstrip().startswith("insert into")
        if "invocation_id" not in tag or entry["inside_procedure"] or is_batch:
            continue
        if not is_description(entry) and not ASKED_FIRST.match(entry["sql"]):
            counted[node] += 1
    return counted


def over_bounds(statements: Iterable[Entry]) -> dict[str, int]:
    """The nodes that sent more statements than their kind may: metadata for each node is a cost."""
    return {
        node: count
        for node, count in nodes_of(statements).items()
        if count > STATEMENTS[node.partition(".")[0]]
    }


def applied(statements: Iterable[Entry]) -> set[str]:
    """The kinds of steps whose functions are made or called, and `create model`."""
    return {
        (kind or create).lower()
        for entry in statements
        for kind, create in APPLIES.findall(entry["sql"])
    }


def rows_fetched(statements: Iterable[Entry]) -> Iterator[tuple[str, str, tuple[str, ...], int]]:
    """Node, table, columns and number of rows of each fetch of somebody's rows by a procedure.

    Without fingerprints, counts, and answers whether there is a row.
    """
    for entry in statements:
        columns = tuple(name.strip('"').lower() for name in entry["columns"])
        if not entry["inside_procedure"] or not entry["rows"] or not is_query(entry):
            continue
        if _COUNTED.search(" ".join(columns)) or columns == ("found",):
            continue
        for schema, table in _TABLE.findall(entry["sql"]):
            if not _OF_NOBODY.match(f"{schema}.{table}"):
                yield node_of(entry), table.lower(), columns, entry["rows"]


def pairs_fetched(statements: Iterable[Entry]) -> set[tuple[str, str]]:
    """Node and table of each such fetch."""
    return {(node, table) for node, table, *_ in rows_fetched(statements)}


def answers_outside(statements: Iterable[Entry]) -> dict[tuple[str, ...], int]:
    """What queries brought to the machine that dbt runs on: columns, and the most rows at once."""
    most: dict[tuple[str, ...], int] = {}
    for entry in statements:
        if not entry["inside_procedure"] and entry["rows"] and is_query(entry):
            columns = tuple(name.lower() for name in entry["columns"])
            most[columns] = max(most.get(columns, 0), entry["rows"])
    return most
