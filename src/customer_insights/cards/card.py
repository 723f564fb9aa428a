"""The card of one champion, from the tables that tell of it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from customer_insights.cards.facts import Facts, Row, Tables, sorted_runs
from customer_insights.cards.markup import (
    MISSING,
    NOT_STATED,
    count,
    escaped,
    interval,
    number,
    table,
    yes_no,
)
from customer_insights.cards.pictures import Bin, calibration_picture, importance_picture
from customer_insights.cards.task_sections import languages, ranking, served_lists

METRICS = {"roc_auc": "ROC-AUC", "pr_auc": "PR-AUC", "f1": "F1", "brier": "Brier score"}
UNBOUNDED = {"precision": "Precision", "recall": "Recall", "accuracy": "Accuracy", "mcc": "MCC"}


@dataclass(frozen=True)
class Card:
    """A page about a champion.

    Attributes:
        model_name: Whose page it is.
        model_version: The version that serves.
        markdown: The page; a picture is named by its file alone.
        pictures: SVG by file name.

    """

    model_name: str
    model_version: str
    markdown: str
    pictures: Mapping[str, str]


def cards(tables: Tables) -> list[Card]:
    """The card of each model that has a champion, by model name.

    Raises:
        CustomerInsightsError: a model's name can not name a file.

    """
    # A decision against another version leaves the champion as it was.
    champions = {run["model_name"]: run for run in sorted_runs(tables) if run["is_champion"]}
    return [_card(Facts(tables, run)) for _, run in sorted(champions.items())]


def _card(facts: Facts) -> Card:
    pictures: dict[str, str] = {}
    sections = [
        f"# Model card: {facts.name}",
        f"What it predicts: {escaped(facts.catalog.get('description'))}",
        f"Version in service: {escaped(facts.version)}. Every figure is of the table that its "
        "section names; what no table holds is said to be missing.",
        *_decisions(facts),
        *_data(facts),
        *_label(facts),
        *_features(facts),
        *_metrics(facts),
        *_performance(facts),
        *_calibration(facts, pictures),
        *ranking(facts, pictures),
        *languages(facts, pictures),
        *_importance(facts, pictures),
        *_slices(facts),
        *_protected(facts),
        *_limits(facts),
        *_provenance(facts),
    ]
    return Card(facts.name, facts.version, "\n\n".join(sections) + "\n", pictures)


def _decisions(facts: Facts) -> Iterator[str]:
    yield "## Decisions"
    yield (
        "From model_runs. A build decides by the rules and settings of the project, and signs with "
        "its run. Newest first; of the builds that kept the champion, the newest alone is shown."
    )
    shown = [run for run in facts.runs if run["decision"] != "kept" or run is facts.runs[-1]]
    header = ("number", "decided at (UTC)", "decision", "version", "serves", "run", "reason")
    yield table(
        header,
        [
            (
                count(run["decision_number"]),
                escaped(f"{run['decided_at']:%Y-%m-%d %H:%M}"),
                escaped(run["decision"]),
                escaped(run["model_version"]),
                yes_no(run["is_champion"]),
                escaped(run["model_run_id"]),
                escaped(run["reason"]),
            )
            for run in reversed(shown)
        ],
    )


def _data(facts: Facts) -> Iterator[str]:
    run = facts.trained
    yield "## Data"
    yield (
        "From model_runs. Windows follow each other in time; the figures of this page are of test "
        "rows unless they say otherwise."
    )
    yield table(
        ("rows to", "from", "to", "rows", "with a positive outcome"),
        [
            (
                purpose,
                escaped(run.get(f"{part}_from_on")),
                escaped(run.get(f"{part}_to_on")),
                count(run.get(f"{part}_rows")),
                count(run.get(f"{part}_positives")),
            )
            for part, purpose in (
                ("train", "learn from"),
                ("validation", "choose rounds, calibration and threshold by"),
                ("test", "test on"),
            )
        ],
    )


def _label(facts: Facts) -> Iterator[str]:
    name = facts.catalog.get("label_name")
    version = facts.trained.get("label_definition_version")
    row: Row = next(
        (
            row
            for row in facts.tables.get("label_definitions", ())
            if row["label_name"] == name and row["label_definition_version"] == version
        ),
        {},
    )
    yield "## Label"
    yield (
        f"From label_definitions and the parameters in model_runs. {escaped(name)}, definition "
        f"{escaped(version)}: {escaped(row.get('definition'))}"
    )
    settings = facts.json("parameters").get("label_settings") or {}
    if settings:
        yield table(
            ("setting", "value"),
            [(escaped(key), escaped(settings[key])) for key in sorted(settings)],
        )
    yield "An outcome that is not final is null: it is neither learned from nor measured."


def _features(facts: Facts) -> Iterator[str]:
    yield "## Features"
    yield "From feature_names in model_runs and feature_catalog."
    header = (
        "feature",
        "known",
        "from",
        "derived from the outcome",
        "protected",
        "what it is",
        "reason",
    )
    yield table(
        header,
        [
            (
                escaped(row["feature"]),
                escaped(row.get("known_when")),
                escaped(row.get("source_table")),
                yes_no(row.get("is_outcome_derived")).replace(MISSING, NOT_STATED),
                yes_no(row.get("is_protected")).replace(MISSING, NOT_STATED),
                escaped(row.get("description")),
                escaped(row["leak_reason"]) if row.get("leak_reason") else "",
            )
            for row in facts.features()
        ],
    )


def _metrics(facts: Facts) -> Iterator[str]:
    run = facts.trained
    best = run.get("best_single_feature")
    yield "## How good it is"
    yield (
        f"From model_runs: on the {count(run.get('test_rows'))} test rows, which it has not seen, "
        f"with 95 % intervals. It is judged by {_primary_metric(run)}."
    )
    rows = [
        (
            words,
            interval(run.get(metric), run.get(f"{metric}_low"), run.get(f"{metric}_high")),
            "0.5 by definition" if metric == "roc_auc" else number(run.get(f"constant_{metric}")),
            number(run.get(f"best_single_feature_{metric}")),
        )
        for metric, words in METRICS.items()
    ]
    rows += [
        (words, number(run.get(metric)), MISSING, MISSING) for metric, words in UNBOUNDED.items()
    ]
    rows.append(("Log loss", number(run.get("log_loss")), MISSING, MISSING))
    alone = "one feature alone" if best is None else f"{escaped(best)} alone"
    yield table(("metric", "this version", "a constant", alone), rows)
    yield f"Rows with a score from {number(run.get('threshold'))} on are predicted positive."
    before = _champion_before(facts)
    yield table(
        ("lead over", "points of the metric that it is judged by"),
        [
            (words, interval(*(run.get(f"lead_over_{name}{end}") for end in ("", "_low", "_high"))))
            for name, words in (
                ("constant", "a constant"),
                ("best_single_feature", alone),
                ("champion", f"the champion before it ({before})"),
            )
        ],
    )


def _primary_metric(run: Row) -> str:
    metric = run.get("primary_metric")
    return METRICS[metric] if metric in METRICS else escaped(metric)


def _champion_before(facts: Facts) -> str:
    number_of = int(facts.trained.get("decision_number") or 0)
    served = [
        run["model_version"]
        for run in facts.runs
        if run["is_champion"] and int(run["decision_number"]) < number_of
    ]
    return escaped(served[-1]) if served else "there was none"


def _performance(facts: Facts) -> Iterator[str]:
    yield "## How it has done since"
    rows = sorted(
        facts.of_version("model_performance"), key=lambda row: row["window_start_on"], reverse=True
    )
    if not rows:
        lists = list(served_lists(facts))
        yield from lists
        if not lists:
            yield (
                "model_performance has no rows of this version: nothing is measured since its test."
            )
        return
    yield (
        "From model_performance: rows that are new to the version and whose outcome is final. With "
        "too few of either outcome nothing is measured; the estimate is what its scores say of "
        "themselves before that."
    )
    header = (
        "window",
        "scored",
        "final",
        "positive",
        *METRICS.values(),
        "estimated ROC-AUC",
        "fallen",
    )
    yield table(
        header,
        [
            (
                f"{escaped(row['window_start_on'])} to {escaped(row['window_end_on'])}",
                count(row["scored_rows"]),
                count(row["matured_rows"]),
                count(row["positives"]),
                *(
                    interval(row.get(name), row.get(f"{name}_low"), row.get(f"{name}_high"))
                    for name in METRICS
                ),
                number(row.get("estimated_roc_auc")),
                yes_no(row.get("has_fallen")),
            )
            for row in rows
        ],
    )


def _calibration(facts: Facts, pictures: dict[str, str]) -> Iterator[str]:
    yield "## Calibration"
    measured = facts.newest_window("model_performance", "observed_rate")
    window = measured[0]["window_start_on"] if measured else None
    rows = [
        row
        for row in facts.of_version("score_calibration")
        if row["window_start_on"] == window and row["observed_rate"] is not None
    ]
    if rows:
        source, place, size = "score_calibration", "score_bin", "matured_rows"
        words = f"new rows of the window from {escaped(window)} on, the newest that is measured"
    else:
        rows = facts.of_version("test_row_calibration")
        source, place, size = "test_row_calibration", "score_decile", "test_rows"
        words = "test rows, as there are too few new ones with a final outcome"
    if not rows:
        yield (
            "Missing: score_calibration and test_row_calibration have no final outcomes of this "
            "version."
            + (" It is asked for an order, which is looked at below." if facts.ranking() else "")
        )
        return
    rows = sorted(rows, key=lambda row: int(row[place]))
    yield f"From {source}: {words}, by tenth of the score."
    columns = ("expected_rate", "observed_rate", "observed_rate_low", "observed_rate_high")
    bins = [Bin._make(float(row[name]) for name in columns) for row in rows]
    file = f"{facts.name}_calibration.svg"
    pictures[file] = calibration_picture(bins, f"{facts.name}: calibration", source)
    yield f"![Observed rate by expected rate]({file})"
    yield table(
        (escaped(place), "rows", "positive", "expected rate", "observed rate"),
        [
            (count(row[place]), count(row[size]), count(row["positives"]), *_rates(row))
            for row in rows
        ],
    )


def _rates(row: Row) -> tuple[str, str]:
    ends = (row["observed_rate"], row["observed_rate_low"], row["observed_rate_high"])
    return number(row["expected_rate"]), interval(*ends)


def _importance(facts: Facts, pictures: dict[str, str]) -> Iterator[str]:
    yield "## What moves its scores"
    rows = facts.of_version("feature_importance")
    if not rows:
        yield "Missing: none of its scores is explained (feature_importance has no rows of it)."
        return
    rows.sort(key=lambda row: (-float(row["mean_absolute_contribution"]), row["feature"]))
    explained = count(rows[0]["explained_rows"])
    if rows[0]["explained_by"] == "training":
        which = f"{explained} of the test rows with high scores, which its training explained."
    else:
        which = (
            f"the {explained} rows that score_explanations explains. These are the high scores "
            "that people act on, of rows that it learned from too. A row counts 0 for a feature "
            "that its explanation does not name, so a mean is a lower bound."
        )
    yield (
        "From feature_importance: the mean size of a feature's contribution, in log-odds, over "
        f"{which} A feature that moves scores need not move the outcome."
    )
    file = f"{facts.name}_importance.svg"
    pictures[file] = importance_picture(
        [(str(row["feature"]), float(row["mean_absolute_contribution"])) for row in rows],
        f"{facts.name}: what moves its scores",
        "feature_importance: mean size of the contribution, log-odds",
    )
    yield f"![Mean size of each feature's contribution]({file})"
    yield table(
        ("feature", "mean size, log-odds", "rows that name it"),
        [
            (
                escaped(row["feature"]),
                number(row["mean_absolute_contribution"]),
                count(row["named_rows"]),
            )
            for row in rows
        ],
    )


def _slices(facts: Facts) -> Iterator[str]:
    yield "## Slices of new rows"
    newest = facts.newest_window("slice_performance", "adjusted_p_value")
    rows = [row for row in newest if row["adjusted_p_value"] is not None]
    if not rows:
        yield "Missing: slice_performance has no slice with enough new rows whose outcome is final."
        return
    window = rows[0]["window_start_on"]
    rows += [
        row
        for row in facts.of_version("slice_performance")
        if row["is_miscalibrated"] and row["window_start_on"] < window
    ]
    rows.sort(key=lambda row: str(row["slice"]))
    rows.sort(key=lambda row: row["window_start_on"], reverse=True)
    yield (
        f"From slice_performance: new rows of the window from {escaped(window)} on, and slices of "
        "earlier windows that were miscalibrated. Slices with too few rows to say anything are "
        "left out."
    )
    yield table(
        ("window from", "slice", "final rows", "expected rate", "observed rate", "miscalibrated"),
        [
            (
                escaped(row["window_start_on"]),
                escaped(row["slice"]),
                count(row["matured_rows"]),
                *_rates(row),
                yes_no(row["is_miscalibrated"]),
            )
            for row in rows
        ],
    )


def _protected(facts: Facts) -> Iterator[str]:
    yield "## Gender, age and location"
    rows = facts.of_version("protected_slices")
    if not rows:
        yield "Missing: protected_slices has no test rows of this version."
        return
    yield (
        "From protected_slices: test rows, by what the customer states now. The features above say "
        "whether it learns from that. A group with too few rows is not measured. Of many groups "
        "some lie outside of an interval by chance."
    )
    yield table(
        ("attribute", "group", "test rows", "expected rate", "observed rate"),
        [
            (
                escaped(row["column_name"]),
                escaped(row["slice"]),
                count(row["test_rows"]),
                *_rates(row),
            )
            for row in sorted(rows, key=lambda row: (row["column_name"], str(row["slice"])))
        ],
    )


def _limits(facts: Facts) -> Iterator[str]:
    yield "## Limits"
    run = facts.trained
    limits = [
        f"The test window has {count(run.get('test_positives'))} positive outcomes among "
        f"{count(run.get('test_rows'))} rows (model_runs): figures are no surer than "
        "their intervals.",
        "Outcomes that are not final are missing here; the newest rows are always among them.",
    ]
    derived = [row["feature"] for row in facts.features() if row.get("is_outcome_derived")]
    if derived:
        limits.append(
            f"{', '.join(map(escaped, derived))}: derived from the outcome (feature_catalog). It "
            "flatters every figure; use the scores only after the fact."
        )
    else:
        limits.append("No feature is derived from the outcome, as far as feature_catalog knows.")
    leaking = list(facts.json("leaking_features"))
    if leaking:
        limits.append(
            f"{', '.join(map(escaped, leaking))}: says nearly all by itself (leaking_features in "
            "model_runs); look at where it comes from."
        )
    if facts.catalog.get("known_when") == "in_session":
        limits.append(
            "Counts and durations in the UCI Online Shoppers data are totals at the end of the "
            "session: on that data the figures of this model, which is asked during the session, "
            "are an upper bound."
        )
    if not facts.of_version("test_row_calibration"):
        limits.append(
            "Its scores are not watched row by row: calibration, slices and protected groups are "
            "missing."
        )
    yield "\n".join(f"- {limit}" for limit in limits)


def _provenance(facts: Facts) -> Iterator[str]:
    run = facts.trained
    yield "## Parameters, hashes and versions"
    yield "From model_runs."
    yield table(
        ("what", "value"),
        [
            ("training set (training_set_hash)", escaped(run.get("training_set_hash"))),
            ("trained model (artifact_sha256)", escaped(run.get("artifact_sha256"))),
            ("boosting rounds", escaped(run.get("boosting_rounds"))),
        ],
    )
    parameters, libraries = facts.json("parameters"), facts.json("library_versions")
    yield table(
        ("parameter", "value"),
        [(escaped(key), _parameter(parameters[key])) for key in sorted(parameters)],
    )
    yield table(
        ("library", "version"),
        [(escaped(key), escaped(libraries[key])) for key in sorted(libraries)],
    )


def _parameter(value: object) -> str:
    return escaped(value if isinstance(value, str) else json.dumps(value))
