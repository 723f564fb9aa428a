"""Purchase intent without dbt: one script with DuckDB and XGBoost, as one would write it by hand.

It makes what the project's first build makes from the same raw tables: features, labels, two
trained models, scores and explanations. It has no tests, no decision log, no baselines, no
intervals, no history, and it starts from nothing on every run. The benchmark holds the project
against it, and checks that both give the same scores. It imports nothing of the project.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import xgboost as xgb
from sklearn.linear_model import LogisticRegression

LABEL_HOURS = 24
TEST_DAYS = 30
VALIDATION_DAYS = 30
RESCORE_DAYS = 400
EXPLAIN_MIN_DECILE = 10
EXPLAIN_FEATURES = 5
SEED = 20240101

PARAMETERS: dict[str, Any] = {
    "objective": "binary:logistic",
    "eval_metric": "logloss",
    "tree_method": "hist",
    "max_depth": 4,
    "learning_rate": 0.05,
    "min_child_weight": 5,
    "subsample": 0.8,
    "colsample_bytree": 0.8,
    "reg_lambda": 1.0,
    "max_cat_to_onehot": 32,
    "seed": SEED,
}
MAX_ROUNDS = 2000
EARLY_STOPPING_ROUNDS = 50
MONTH_DROPOUT = 0.5
# With fewer rows the threads of a boosting round wait for one another longer than they work.
ROWS_WORTH_THREADS = 50_000

CATEGORIES = (
    "browser",
    "month",
    "operating_systems",
    "product_layout",
    "product_type",
    "region",
    "traffic_type",
    "visitor_type",
)
NUMBERS = (
    "administrative",
    "administrative_duration",
    "bounce_rates",
    "days_since_prior_session",
    "exit_rates",
    "expected_exits",
    "has_page_value",
    "has_prior_review",
    "informational",
    "informational_duration",
    "is_weekend",
    "mean_prior_rating",
    "mean_prior_sentiment",
    "page_load_time_ms",
    "page_values",
    "prior_order_count",
    "prior_review_count",
    "prior_session_count",
    "product_rating",
    "product_related",
    "product_related_duration",
    "seconds_per_product_page",
    "special_day",
)
FEATURES = tuple(sorted(CATEGORIES + NUMBERS))
AFTER_SESSION_ONLY = ("has_page_value", "page_values")
MODELS = {
    "purchase_intent_after_session": FEATURES,
    "purchase_intent_in_session": tuple(
        name for name in FEATURES if name not in AFTER_SESSION_ONLY
    ),
}

SESSIONS = """
create temp table sessions as
select * from shop.raw.sessions
qualify row_number() over (partition by session_id order by loaded_at desc, sessions) = 1
"""

ORDERS = """
create temp table orders as
select order_id, session_id, customer_id, ordered_at from shop.raw.orders
qualify row_number() over (partition by order_id order by loaded_at desc, orders) = 1
"""

REVIEWS = """
create temp table reviews as
select review_id, customer_id, created_at, rating from shop.raw.reviews
qualify row_number() over (partition by review_id order by loaded_at desc, reviews) = 1
"""

# An earlier session or order is strictly earlier: what happened at the same moment is not known.
FEATURE_TABLE = """
create table session_features as
with

visitor_orders as (

    select
        sessions.visitor_id,
        orders.ordered_at,
        count(*) over (
            partition by sessions.visitor_id
            order by orders.ordered_at
        ) as order_count
    from orders
    inner join sessions on orders.session_id = sessions.session_id

),

visitor_customers as (

    select sessions.visitor_id, orders.customer_id, min(orders.ordered_at) as known_from_at
    from orders
    inner join sessions on orders.session_id = sessions.session_id
    group by all

),

visitor_reviews as (

    select
        visitor_id,
        known_at,
        count(*) over earlier as review_count,
        avg(rating) over earlier as mean_rating
    from (
        select
            visitor_customers.visitor_id,
            reviews.rating,
            greatest(visitor_customers.known_from_at, reviews.created_at) as known_at
        from visitor_customers
        inner join reviews on visitor_customers.customer_id = reviews.customer_id
    ) as known
    window earlier as (partition by visitor_id order by known_at)

),

visits as (

    select
        *,
        count(*) over earlier as prior_session_count,
        max(started_at) over earlier as prior_started_at
    from sessions
    window earlier as (
        partition by visitor_id
        order by started_at
        groups between unbounded preceding and 1 preceding
    )

)

select
    visits.session_id,
    visits.customer_id,
    cast(visits.started_at as date) as session_on,
    visits.administrative,
    visits.administrative_duration,
    visits.informational,
    visits.informational_duration,
    visits.product_related,
    visits.product_related_duration,
    visits.bounce_rates,
    visits.exit_rates,
    visits.page_values,
    visits.special_day,
    visits.month,
    visits.operating_systems,
    visits.browser,
    visits.region,
    visits.traffic_type,
    visits.visitor_type,
    visits.weekend as is_weekend,
    visits.page_load_time_ms,
    visits.product_type,
    visits.product_layout,
    visits.product_rating,
    cast(
        visits.product_related_duration / nullif(visits.product_related, 0) as double
    ) as seconds_per_product_page,
    visits.exit_rates
    * (visits.administrative + visits.informational + visits.product_related) as expected_exits,
    visits.page_values > 0 as has_page_value,
    visits.prior_session_count,
    date_diff('second', visits.prior_started_at, visits.started_at)
    / 86400.0 as days_since_prior_session,
    coalesce(visitor_orders.order_count, 0) as prior_order_count,
    visitor_reviews.review_count is not null as has_prior_review,
    visitor_reviews.review_count as prior_review_count,
    visitor_reviews.mean_rating as mean_prior_rating,
    cast(null as double) as mean_prior_sentiment
from visits
asof left join visitor_orders
    on visits.visitor_id = visitor_orders.visitor_id
    and visits.started_at > visitor_orders.ordered_at
asof left join visitor_reviews
    on visits.visitor_id = visitor_reviews.visitor_id
    and visits.started_at > visitor_reviews.known_at
"""

# A recorded outcome is final once the sessions have passed its window; one that is derived from
# orders needs the orders to have passed it too. Only final labels are kept.
LABEL_TABLE = f"""
create table session_labels as
with

windows as (

    select
        session_id,
        started_at,
        is_purchase,
        started_at + interval {LABEL_HOURS} hour as matures_at
    from sessions

),

ordered as (

    select distinct windows.session_id
    from windows
    inner join orders on windows.session_id = orders.session_id
    where orders.ordered_at >= windows.started_at and orders.ordered_at < windows.matures_at

),

newest as (

    select
        (select max(started_at) from sessions) as session_at,
        (select max(ordered_at) from orders) as order_at

),

outcomes as (

    select
        windows.session_id,
        cast(windows.started_at as date) as session_on,
        coalesce(windows.is_purchase, ordered.session_id is not null) as is_purchase,
        cast(windows.matures_at as date) as matured_on,
        windows.matures_at <= newest.session_at
        and (
            windows.is_purchase is not null
            or coalesce(windows.matures_at <= newest.order_at, false)
        ) as is_mature
    from windows
    cross join newest
    left join ordered on windows.session_id = ordered.session_id

),

days as (

    select
        session_on,
        bool_and(is_mature) as is_whole
    from outcomes
    group by session_on
    having bool_or(is_mature)

),

-- The newest day may be half mature: it waits.
last_day as (

    select max(session_on) - if(arg_max(is_whole, session_on), 0, 1) as last_on from days

),

aged as (

    select
        outcomes.*,
        last_day.last_on - outcomes.session_on as age_days
    from outcomes
    cross join last_day
    where outcomes.is_mature and outcomes.session_on <= last_day.last_on

)

select
    session_id,
    session_on,
    is_purchase,
    matured_on,
    case
        when age_days < {TEST_DAYS} then 'test'
        when age_days < {TEST_DAYS + VALIDATION_DAYS} then 'validation'
        else 'train'
    end as split
from aged
"""


@dataclass(frozen=True)
class Rows:
    """Every session in key order: what identifies it, its split and label, its encoded features."""

    keys: pa.Table
    split: npt.NDArray[np.object_]
    labels: npt.NDArray[np.bool_]
    matrix: npt.NDArray[np.float32]


@dataclass(frozen=True)
class Model:
    """Trees, and what turns their log-odds into scores and deciles."""

    columns: list[int]
    names: list[str]
    types: list[str]
    booster: xgb.Booster
    slope: float
    intercept: float
    cut_points: npt.NDArray[np.float64]
    threads: int

    def score(self, matrix: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
        """Calibrated probabilities of rows with this model's columns."""
        margin = self.booster.inplace_predict(
            matrix, predict_type="margin", validate_features=False
        ).astype(np.float64)
        return 1.0 / (1.0 + np.exp(-(self.slope * margin + self.intercept)))

    def contributions(self, matrix: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
        """What each feature adds to a row's calibrated log-odds."""
        data = _data(xgb.DMatrix, matrix, self.names, self.types, self.threads)
        shap = self.booster.predict(data, pred_contribs=True)
        return self.slope * shap[:, :-1].astype(np.float64)


def read_rows(con: duckdb.DuckDBPyConnection) -> Rows:
    """Read features with their labels, every feature as one float32; a category as its code.

    A code is the place among the levels of the training rows, in alphabetical order. A value that
    was not among them, like a null, is NaN.
    """
    columns = []
    for name in FEATURES:
        number = f"cast({name} as double)"
        if name in CATEGORIES:
            found = con.execute(
                f"""
                select distinct cast({name} as varchar)
                from session_features inner join session_labels using (session_id)
                where split = 'train' and {name} is not null
                order by 1
                """
            ).fetchall()
            levels = ", ".join("'" + level.replace("'", "''") + "'" for (level,) in found)
            number = f"nullif(list_position([{levels}], cast({name} as varchar)), 0) - 1"
        columns.append(f"coalesce(cast({number} as float), cast('nan' as float)) as {name}")
    table = con.sql(
        f"""
        select
            features.session_id,
            features.customer_id,
            features.session_on,
            labels.split,
            coalesce(labels.is_purchase, false) as is_purchase,
            {", ".join(columns)}
        from session_features as features
        left join session_labels as labels on features.session_id = labels.session_id
        order by features.session_id
        """
    ).to_arrow_table()
    matrix = np.empty((table.num_rows, len(FEATURES)), dtype=np.float32)
    for position, name in enumerate(FEATURES):
        matrix[:, position] = table.column(name).to_numpy()
    return Rows(
        keys=table.select(["session_id", "customer_id", "session_on"]),
        split=table.column("split").to_numpy(),
        labels=table.column("is_purchase").to_numpy(),
        matrix=matrix,
    )


def train(rows: Rows, features: Sequence[str], threads: int) -> Model:
    """Trees from the training rows; rounds, calibration and deciles from the validation rows."""
    columns = [FEATURES.index(name) for name in features]
    names = list(features)
    types = ["c" if name in CATEGORIES else "float" for name in names]
    is_train, is_validation = rows.split == "train", rows.split == "validation"
    matrix = rows.matrix[np.ix_(is_train, columns)]
    held_out = rows.matrix[np.ix_(is_validation, columns)]
    threads = threads if len(matrix) >= ROWS_WORTH_THREADS else 1

    # A month to come was never seen: the trees learn to do without it.
    hidden = np.random.default_rng(SEED).random(len(matrix)) < MONTH_DROPOUT
    matrix[hidden, names.index("month")] = np.nan
    fitted = _data(xgb.QuantileDMatrix, matrix, names, types, threads, label=rows.labels[is_train])
    del matrix
    watched = _data(
        xgb.QuantileDMatrix,
        held_out,
        names,
        types,
        threads,
        label=rows.labels[is_validation],
        ref=fitted,
    )
    booster = xgb.train(
        {**PARAMETERS, "nthread": threads},
        fitted,
        num_boost_round=MAX_ROUNDS,
        evals=[(watched, "validation")],
        early_stopping_rounds=EARLY_STOPPING_ROUNDS,
        verbose_eval=False,
    )
    booster = booster[: booster.best_iteration + 1]
    booster.set_param({"nthread": threads})

    margin = booster.inplace_predict(held_out, predict_type="margin", validate_features=False)
    margin = margin.astype(np.float64)
    fit = LogisticRegression(C=np.inf, tol=1e-10, max_iter=1000).fit(
        margin[:, None], rows.labels[is_validation]
    )
    slope, intercept = float(fit.coef_[0, 0]), float(fit.intercept_[0])
    scores = 1.0 / (1.0 + np.exp(-(slope * margin + intercept)))
    cut_points = np.quantile(scores, np.linspace(0.1, 0.9, 9))
    return Model(columns, names, types, booster, slope, intercept, cut_points, threads)


def _data(
    kind: type[xgb.DMatrix],
    matrix: npt.NDArray[np.float32],
    names: list[str],
    types: list[str],
    threads: int,
    **more: Any,
) -> xgb.DMatrix:
    return kind(
        matrix,
        feature_names=names,
        feature_types=types,
        enable_categorical=True,
        nthread=threads,
        **more,
    )


def write_scores(con: duckdb.DuckDBPyConnection, name: str, model: Model, rows: Rows) -> None:
    """Score the sessions of the last RESCORE_DAYS and explain those of the top deciles."""
    days = rows.keys.column("session_on").to_numpy()
    is_due = days > days[rows.split == "test"].max() - np.timedelta64(RESCORE_DAYS, "D")
    matrix = rows.matrix[np.ix_(is_due, model.columns)]
    scores = model.score(matrix)
    deciles = (np.searchsorted(model.cut_points, scores, side="right") + 1).astype(np.int32)
    keys = rows.keys.filter(pa.array(is_due))
    scored = keys.append_column("model_name", pa.repeat(name, len(scores)))
    scored = scored.append_column("score", pa.array(scores))
    _append(con, "scores", scored.append_column("score_decile", pa.array(deciles)))

    is_top = deciles >= EXPLAIN_MIN_DECILE
    contributions = model.contributions(matrix[is_top])
    # A stable sort breaks ties by the order of the features.
    order = np.argsort(-np.abs(contributions), axis=1, kind="stable")[:, :EXPLAIN_FEATURES]
    row_of = np.repeat(np.arange(len(contributions)), EXPLAIN_FEATURES)
    top = pa.table(
        {
            "model_name": pa.repeat(name, len(row_of)),
            "session_id": keys.column("session_id").filter(pa.array(is_top)).take(row_of),
            "rank": np.tile(np.arange(1, EXPLAIN_FEATURES + 1), len(contributions)),
            "feature": pa.array(model.names).take(order.ravel()),
            "contribution": contributions[row_of, order.ravel()],
        }
    )
    values = " ".join(f"when '{name}' then cast({name} as varchar)" for name in model.names)
    _append(
        con,
        "explanations",
        top,
        f"""
        select rows.*, case rows.feature {values} end as feature_value
        from rows inner join session_features using (session_id)
        """,
    )


def _append(
    con: duckdb.DuckDBPyConnection, table: str, rows: pa.Table, query: str = "select * from rows"
) -> None:
    con.register("rows", rows)
    con.execute(f"create table if not exists {table} as {query} limit 0")
    con.execute(f"insert into {table} {query}")
    con.unregister("rows")


@contextmanager
def timed(phase: str, seconds: dict[str, float]) -> Iterator[None]:
    """Note how long a phase took."""
    start = time.perf_counter()
    yield
    seconds[phase] = seconds.get(phase, 0.0) + time.perf_counter() - start


def main() -> None:
    """Read the shop, train, score, explain; print the seconds of each phase as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shop", type=Path, required=True, help="DuckDB file with schema raw")
    parser.add_argument("--out", type=Path, required=True, help="DuckDB file to write")
    parser.add_argument("--threads", type=int, default=0, help="XGBoost threads; 0: all cores")
    given = parser.parse_args()

    seconds: dict[str, float] = {}
    with duckdb.connect(str(given.out)) as con:
        con.execute("set TimeZone = 'UTC'")
        con.execute(f"attach '{given.shop}' as shop (read_only)")
        with timed("features and labels", seconds):
            for statement in (SESSIONS, ORDERS, REVIEWS, FEATURE_TABLE, LABEL_TABLE):
                con.execute(statement)
            con.execute("drop table sessions")
            con.execute("drop table orders")
        with timed("read", seconds):
            rows = read_rows(con)
        for name, features in MODELS.items():
            with timed("train", seconds):
                model = train(rows, features, given.threads or os.cpu_count() or 1)
            with timed("score and explain", seconds):
                write_scores(con, name, model, rows)
    print(json.dumps(seconds))


if __name__ == "__main__":
    main()
