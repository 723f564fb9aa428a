"""The sample shop: one seed gives one shop, whose tables join and whose truth is known."""

import csv
import math
import subprocess
import sys
import tracemalloc
from collections import Counter
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyarrow import parquet

from customer_insights.sample import (
    RAW_SCHEMAS,
    SCENARIOS,
    TRUTH,
    TRUTH_SCHEMA,
    ShopConfig,
    ShopConfigError,
    bad_row_counts,
    generate_blocks,
    write_csv,
    write_parquet,
)
from customer_insights.sample.__main__ import main
from customer_insights.sample.calendar import gift_days, special_day

SEEDS = Path(__file__).parents[2] / "seeds" / "sample"
PERIOD_END = datetime(2025, 1, 1)
SMALL = ShopConfig(scale=0.2)

Shop = dict[str, pa.Table]

small_shops = st.builds(
    ShopConfig,
    seed=st.integers(0, 2**32 - 1),
    scale=st.floats(0.0005, 0.05),
    start_on=st.dates(date(1990, 1, 1), date(2050, 1, 1)),
    days=st.integers(1, 500),
    scenario=st.sampled_from(["none", "concept_drift", "immature_labels"]),
)


def load(config: ShopConfig) -> Shop:
    blocks = list(generate_blocks(config))
    return {name: pa.concat_tables([block[name] for block in blocks]) for name in blocks[0]}


def ask(shop: Shop, query: str) -> list[tuple[Any, ...]]:
    """Rows of a query over the tables of a shop."""
    with duckdb.connect() as connection:
        for name, table in shop.items():
            connection.register(name, table)
        return connection.execute(query).fetchall()


def count(shop: Shop, query: str) -> int:
    return int(ask(shop, f"select count(*) from ({query})")[0][0])


@pytest.fixture(scope="module")
def shop() -> Shop:
    return load(ShopConfig())


# What a shop is


def test_the_same_settings_give_the_same_shop(shop: Shop) -> None:
    assert load(ShopConfig()) == shop


def test_another_seed_gives_another_shop(shop: Shop) -> None:
    other = load(ShopConfig(seed=7))
    for name in RAW_SCHEMAS:
        assert not other[name].equals(shop[name])


def test_a_block_depends_on_the_seed_only_not_on_the_size_of_the_shop(shop: Shop) -> None:
    first_of_two = next(generate_blocks(ShopConfig(scale=2.0)))
    first = next(generate_blocks(ShopConfig()))
    for name in ("visitor_id", "started_at", "exit_rates", "traffic_type"):
        assert first_of_two["sessions"][name].equals(first["sessions"][name])


def test_every_table_has_the_columns_and_types_of_the_contract(shop: Shop) -> None:
    assert set(shop) == {*RAW_SCHEMAS, TRUTH}
    for name, schema in RAW_SCHEMAS.items():
        assert shop[name].schema.equals(schema)
        shop[name].validate(full=True)
        for field in schema:
            if not field.nullable:
                assert shop[name][field.name].null_count == 0, (name, field.name)
    assert shop[TRUTH].schema.equals(TRUTH_SCHEMA)


def test_every_optional_column_has_nulls_and_values(shop: Shop) -> None:
    for name, schema in RAW_SCHEMAS.items():
        for field in schema:
            if field.nullable:
                nulls = shop[name][field.name].null_count
                assert 0 < nulls < shop[name].num_rows, (name, field.name)


def test_the_default_shop_has_the_size_of_a_small_shop(shop: Shop) -> None:
    rows = {name: table.num_rows for name, table in shop.items()}
    assert 18_000 < rows["sessions"] < 22_000
    assert 1_300 < rows["customers"] < 1_800
    assert rows["products"] == 120
    assert 3_000 < rows["orders"] < 4_000
    assert 2_000 < rows["reviews"] < 2_600


def test_a_larger_scale_adds_people_but_few_products(shop: Shop) -> None:
    large = load(ShopConfig(scale=4.0))
    assert large["sessions"].num_rows / shop["sessions"].num_rows == pytest.approx(4, rel=0.1)
    assert large["products"].num_rows < 2 * shop["products"].num_rows


# Tables that join


@settings(max_examples=25, deadline=None)
@given(config=small_shops)
def test_any_shop_joins_and_nothing_happens_after_it_was_loaded(config: ShopConfig) -> None:
    shop = load(config)
    for name, schema in RAW_SCHEMAS.items():
        assert shop[name].schema.equals(schema)
    assert_it_joins(shop)
    assert_events_are_in_order(shop)


def test_the_default_shop_joins(shop: Shop) -> None:
    assert_it_joins(shop)
    assert_events_are_in_order(shop)


def assert_it_joins(shop: Shop) -> None:
    keys = {
        "sessions": "session_id",
        "customers": "customer_id",
        "products": "product_id",
        "orders": "order_id",
        "order_items": "order_id || '/' || line_number",
        "reviews": "review_id",
        TRUTH: "session_id",
    }
    for name, key in keys.items():
        assert count(shop, f"select {key} from {name} group by 1 having count(*) > 1") == 0, name
    references = (
        ("sessions", "customer_id", "customers"),
        ("orders", "customer_id", "customers"),
        ("orders", "session_id", "sessions"),
        ("order_items", "order_id", "orders"),
        ("order_items", "product_id", "products"),
        ("reviews", "customer_id", "customers"),
        ("reviews", "product_id", "products"),
        (TRUTH, "session_id", "sessions"),
        ("sessions", "session_id", TRUTH),
        ("orders", "order_id", "order_items"),
    )
    for table, column, parent in references:
        lost = (
            f"select 1 from {table} where {column} is not null"
            f" and {column} not in (select {column} from {parent})"
        )
        assert count(shop, lost) == 0, (table, column)
    assert not ask(
        shop,
        "select visitor_id from sessions where customer_id is not null"
        " group by 1 having count(distinct customer_id) > 1",
    )


def assert_events_are_in_order(shop: Shop) -> None:
    violations = {
        "event after load": """
            select started_at from sessions where started_at > loaded_at
            union all select signed_up_on from customers where signed_up_on > loaded_at
            union all select ordered_at from orders
                where ordered_at > loaded_at or status_changed_at > loaded_at
            union all select created_at from reviews
                where created_at > loaded_at or reply_at > loaded_at""",
        "status before order": """
            select 1 from orders
            where status_changed_at <= ordered_at
                or (status = 'placed') is distinct from (status_changed_at is null)""",
        "reply before review": "select 1 from reviews where reply_at <= created_at",
        "review before order": """
            select 1 from reviews as r
            where customer_id is not null and product_id is not null and not exists (
                select 1 from orders as o join order_items as i using (order_id)
                where o.customer_id = r.customer_id and i.product_id = r.product_id
                    and o.ordered_at < r.created_at)
            """,
        "session before sign-up": """
            select 1 from sessions join customers using (customer_id)
            where started_at::date < signed_up_on""",
        "order outside its session": """
            select 1 from orders join sessions using (session_id)
            where ordered_at <= started_at
                or orders.customer_id is distinct from sessions.customer_id
                or epoch(ordered_at - started_at) > administrative_duration
                    + informational_duration + product_related_duration
                or ordered_at - started_at >= interval 1 day""",
        "order without purchase": """
            select 1 from orders join sessions using (session_id) where not is_purchase""",
        "not one order": """
            select session_id from sessions left join orders using (session_id)
            where is_purchase group by 1 having count(order_id) != 1""",
        "columns against the clock": """
            select 1 from sessions
            where weekend != (isodow(started_at) >= 6)
                or month[:3] != strftime(started_at, '%b')""",
        "out of range": """
            select 1 from sessions
            where administrative_duration < 0 or informational_duration < 0
                or product_related_duration < 0 or exit_rates not between 0 and 0.2
                or bounce_rates not between 0 and exit_rates or special_day not between 0 and 1
                or product_rating not between 1 and 5""",
        "rating": "select 1 from reviews where rating not between 1 and 5",
        "amounts": """
            select 1 from order_items join products using (product_id)
            where quantity < 1 or unit_price_amount not between price_amount * 0.89 and price_amount
            """,
        "overlapping visits": """
            select 1 from (
                select started_at - lag(started_at) over (
                    partition by visitor_id order by started_at) as gap
                from sessions) where gap < interval 6 hour""",
    }
    for name, query in violations.items():
        assert count(shop, query) == 0, name


def test_some_orders_come_by_phone_and_some_are_cancelled_or_returned(shop: Shop) -> None:
    orders = shop["orders"]
    assert 0.01 < orders["session_id"].null_count / orders.num_rows < 0.10
    share = {s: n / orders.num_rows for s, n in Counter(orders["status"].to_pylist()).items()}
    assert set(share) == {"placed", "shipped", "completed", "cancelled", "returned"}
    assert 0.02 < share["cancelled"] < 0.08
    assert 0.04 < share["returned"] < 0.15


def test_a_discount_is_less_than_the_order_is_worth(shop: Shop) -> None:
    query = """
        select 1 from orders join (
            select order_id, sum(quantity * unit_price_amount) as total from order_items group by 1
        ) using (order_id)
        where discount_amount <= 0 or discount_amount > total * 0.21"""
    assert count(shop, query) == 0


def test_some_customers_sign_up_during_the_period(shop: Shop) -> None:
    signed_up = shop["customers"]["signed_up_on"].to_pylist()
    during = sum(day >= ShopConfig().start_on for day in signed_up)
    assert 0.2 < during / len(signed_up) < 0.8


def test_ratings_texts_and_replies_agree(shop: Shop) -> None:
    [(good, bad)] = ask(
        shop,
        "select avg(rating) filter (text like '%worth every cent%'),"
        " avg(rating) filter (text like '%feels cheap%') from reviews",
    )
    assert good - bad > 1
    [(correlation,)] = ask(shop, "select corr(rating, (reply_at is not null)::int) from reviews")
    assert correlation < -0.1


def test_ratings_follow_the_quality_of_products(shop: Shop) -> None:
    [(correlation,)] = ask(
        shop,
        "select corr(rating, quality) from reviews join ("
        " select product_id, avg(product_rating) as quality"
        " from orders join sessions using (session_id) join order_items using (order_id)"
        " where line_number = 1 group by 1) using (product_id)",
    )
    assert correlation > 0.25


def test_reviews_vary(shop: Shop) -> None:
    texts = shop["reviews"]["text"].to_pylist()
    assert len(set(texts)) > 0.9 * len(texts)
    assert "{" not in "".join(texts)


# The truth


def test_purchases_are_draws_from_the_true_probability(shop: Shop) -> None:
    rows = ask(
        shop,
        "select round(purchase_probability, 1) as p, avg(purchase_probability),"
        " avg(is_purchase::int), count(*) from sessions join session_truth using (session_id)"
        " where is_purchase is not null group by 1",
    )
    for _, expected, observed, n in rows:
        assert abs(observed - expected) < 4 * math.sqrt(expected * (1 - expected) / n)


def roc_auc(shop: Shop, score: str) -> float:
    """Chance that a buying session has a higher score than another one; ties count half."""
    [(rank_sum, buyers, total)] = ask(
        shop,
        f"""
        with scored as (
            select is_purchase, {score} as score
            from sessions join session_truth using (session_id) where is_purchase is not null
        ),
        ranked as (
            select is_purchase,
                rank() over (order by score) + (count(*) over (partition by score) - 1) / 2.0 as r
            from scored
        )
        select sum(r) filter (is_purchase), count(*) filter (is_purchase), count(*) from ranked
        """,
    )
    return float((rank_sum - buyers * (buyers + 1) / 2) / (buyers * (total - buyers)))


def test_the_truth_is_hard_to_beat_but_not_trivial(shop: Shop) -> None:
    assert 0.85 < roc_auc(shop, "purchase_probability") < 0.90
    rate = pc.mean(shop["sessions"]["is_purchase"]).as_py()
    assert 0.13 < rate < 0.18


@pytest.mark.parametrize(
    "column",
    [
        *("administrative", "administrative_duration", "informational", "informational_duration"),
        *("product_related", "product_related_duration", "bounce_rates", "exit_rates"),
        *("special_day", "operating_systems", "browser", "region", "traffic_type", "weekend"),
        *("coalesce(page_load_time_ms, 0)", "coalesce(product_rating, 4)"),
        *("customer_id is not null", "visitor_type = 'New_Visitor'"),
    ],
)
def test_no_column_alone_gives_the_outcome_away(shop: Shop, column: str) -> None:
    assert abs(roc_auc(shop, column) - 0.5) < 0.30


def test_page_values_follow_from_the_outcome(shop: Shop) -> None:
    assert roc_auc(shop, "page_values") > 0.80
    [(buyers, others)] = ask(
        shop,
        "select avg((page_values > 0)::int) filter (is_purchase),"
        " avg((page_values > 0)::int) filter (not is_purchase) from sessions",
    )
    assert buyers > 0.75
    assert 0.05 < others < 0.25


def test_gift_days_are_close_before_them_and_not_after() -> None:
    assert gift_days(2024)[1] == date(2024, 5, 12)
    assert special_day(date(2024, 2, 14)) == 1.0
    assert special_day(date(2024, 2, 10)) == 0.2
    assert special_day(date(2024, 2, 9)) == 0.0
    assert special_day(date(2024, 2, 15)) == 0.0


# Scenarios


def test_only_the_last_day_has_no_labels(shop: Shop) -> None:
    query = "select session_id from sessions where (is_purchase is null) != (started_at >= '{}')"
    assert count(shop, query.format(PERIOD_END - timedelta(days=1))) == 0
    assert shop["sessions"]["is_purchase"].null_count > 0


def test_immature_labels_hide_labels_and_orders_of_the_last_week(shop: Shop) -> None:
    immature = load(ShopConfig(scenario="immature_labels"))
    cut = PERIOD_END - timedelta(days=7)
    query = "select session_id from sessions where (is_purchase is null) != (started_at >= '{}')"
    assert count(immature, query.format(cut)) == 0
    late = "select 1 from orders join sessions using (session_id) where started_at >= '{}'"
    assert count(shop, late.format(cut)) > 0
    assert count(immature, late.format(cut)) == 0
    missing = shop["orders"].num_rows - immature["orders"].num_rows
    assert missing == count(shop, late.format(cut))
    assert immature[TRUTH] == shop[TRUTH]
    assert immature["customers"] == shop["customers"]
    assert_it_joins(immature)


def test_concept_drift_changes_the_truth_from_two_thirds_of_the_period_on(shop: Shop) -> None:
    drifted = load(ShopConfig(scenario="concept_drift"))
    both = {
        "before": pa.table({"p": shop[TRUTH]["purchase_probability"]}),
        "after": pa.table({"p": drifted[TRUTH]["purchase_probability"]}),
    }
    started = shop["sessions"]["started_at"]
    assert drifted["sessions"]["started_at"] == started
    is_late = pc.greater_equal(started, pa.scalar(datetime(2024, 7, 1), started.type))
    early = {name: table.filter(pc.invert(is_late)) for name, table in both.items()}
    late = {name: table.filter(is_late) for name, table in both.items()}
    assert early["before"] == early["after"]
    changed = pc.not_equal(late["before"]["p"], late["after"]["p"])
    assert pc.mean(changed).as_py() > 0.99
    [(rate,)] = ask(
        drifted, "select avg(is_purchase::int) from sessions where started_at >= '2024-07-01'"
    )
    assert 0.10 < rate < 0.22


def test_broken_rows_add_exactly_the_known_bad_rows(shop: Shop) -> None:
    broken = load(ShopConfig(scenario="broken_rows"))
    expected = bad_row_counts("broken_rows")
    added: Counter[str] = Counter()
    for (table, _), rows in expected.items():
        added[table] += rows
    assert set(added) == set(RAW_SCHEMAS)
    for name in RAW_SCHEMAS:
        good = shop[name].num_rows
        assert broken[name].slice(0, good) == shop[name]
        assert broken[name].num_rows - good == added[name]

    found = {}
    key = "select count(*) - count(distinct {}) from {}"
    for name, column in {
        "sessions": "session_id",
        "customers": "customer_id",
        "products": "product_id",
        "orders": "order_id",
        "order_items": "order_id || '/' || line_number",
        "reviews": "review_id",
    }.items():
        found[name, "duplicate_key"] = ask(broken, key.format(column, name))[0][0]
    found["sessions", "negative_duration"] = count(
        broken, "select 1 from sessions where product_related_duration < 0"
    )
    found["reviews", "rating_out_of_range"] = count(
        broken, "select 1 from reviews where rating not between 1 and 5"
    )
    for name, reason, condition in (
        ("customers", "age_out_of_range", "age not between 0 and 130"),
        ("products", "negative_amount", "price_amount < 0"),
        ("orders", "status_before_order", "status_changed_at < ordered_at"),
        (
            "orders",
            "unknown_status",
            "status not in ('placed', 'shipped', 'completed', 'cancelled', 'returned')",
        ),
        ("orders", "negative_amount", "discount_amount < 0"),
        ("order_items", "negative_amount", "unit_price_amount < 0"),
        ("order_items", "quantity_not_positive", "quantity < 1"),
    ):
        found[name, reason] = count(broken, f"select 1 from {name} where {condition}")
    for name, column in {
        "sessions": "started_at",
        "customers": "signed_up_on",
        "orders": "ordered_at",
        "reviews": "created_at",
    }.items():
        found[name, "event_after_load"] = count(
            broken, f"select 1 from {name} where {column} > loaded_at"
        )
    assert found == expected


def test_a_repeated_key_comes_with_other_content() -> None:
    broken = load(ShopConfig(scenario="broken_rows"))
    for name in RAW_SCHEMAS:
        rows = [tuple(row.items()) for row in broken[name].to_pylist()]
        assert len(set(rows)) == len(rows), name


def test_healthy_scenarios_have_no_bad_rows() -> None:
    assert [name for name in SCENARIOS if bad_row_counts(name)] == ["broken_rows"]


def test_a_shop_without_rows_cannot_have_broken_ones() -> None:
    with pytest.raises(ShopConfigError, match="so small a shop"):
        list(generate_blocks(ShopConfig(scale=0.0005, days=1, scenario="broken_rows")))


# Files


def test_the_committed_sample_is_what_the_generator_makes(tmp_path: Path) -> None:
    assert main(["--out", str(tmp_path), "--prefix", "sample_"]) == 0
    made = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    committed = {path.name: path.read_bytes() for path in SEEDS.glob("*.csv")}
    assert set(made) == {f"sample_{name}.csv" for name in RAW_SCHEMAS}
    for name, content in made.items():
        assert committed.get(name) == content, name
    assert sum(map(len, made.values())) < 5_000_000
    assert max(map(len, made.values())) < 3_600_000


def test_csv_and_parquet_hold_the_same_values(tmp_path: Path) -> None:
    write_csv(SMALL, tmp_path, with_truth=True)
    write_parquet(SMALL, tmp_path, with_truth=True)
    for name in (*RAW_SCHEMAS, f"truth/{TRUTH}"):
        table = parquet.read_table(tmp_path / f"{name}.parquet")
        with duckdb.connect() as connection:
            connection.register("expected", table)
            types = {
                column: kind
                for column, kind, *_ in connection.execute("describe from expected").fetchall()
            }
            rows = connection.execute(
                "from read_csv($path, columns=$types, header=true, strict_mode=true)",
                {"path": str(tmp_path / f"{name}.csv"), "types": types},
            ).fetchall()
        assert rows == [tuple(row.values()) for row in table.to_pylist()], name


def test_csv_spells_values_as_documented(tmp_path: Path) -> None:
    write_csv(SMALL, tmp_path)
    with (tmp_path / "sessions.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert {row["weekend"] for row in rows} == {"true", "false"}
    assert {row["is_purchase"] for row in rows} == {"true", "false", ""}
    assert {row["loaded_at"] for row in rows} == {"2025-01-02 00:00:00"}
    ids = [row["session_id"] for row in rows]
    assert ids == sorted(ids)


def test_the_truth_is_written_only_when_asked_for(tmp_path: Path) -> None:
    write_csv(SMALL, tmp_path / "without")
    write_csv(SMALL, tmp_path / "with", with_truth=True)
    assert not (tmp_path / "without" / "truth").exists()
    assert (tmp_path / "with" / "truth" / "session_truth.csv").exists()


def test_memory_does_not_grow_with_the_shop(tmp_path: Path) -> None:
    def peak(scale: float) -> int:
        default = pa.default_memory_pool()
        pool = pa.proxy_memory_pool(default)
        pa.set_memory_pool(pool)
        tracemalloc.start()
        try:
            write_parquet(ShopConfig(scale=scale), tmp_path)
            return tracemalloc.get_traced_memory()[1] + int(pool.max_memory())
        finally:
            tracemalloc.stop()
            pa.set_memory_pool(default)

    assert peak(8.0) < 2 * peak(1.0)


# Settings and the command line


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        *(("seed", -1), ("seed", 2**32), ("scale", 0.0), ("scale", -1.0), ("scale", math.nan)),
        *(("scale", math.inf), ("days", 0), ("days", 100_000), ("scenario", "earthquake")),
        ("start_on", date(1900, 1, 1)),
    ],
)
def test_a_setting_out_of_range_is_refused_in_one_sentence(setting: str, value: Any) -> None:
    with pytest.raises(ValueError, match=rf"^{setting} must be .*\.$"):
        ShopConfig(**{setting: value})


def test_the_command_line_writes_files_and_counts_rows(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["--format", "parquet", "--scale", "0.05", "--seed", "3", "--days", "90"]
    assert main(["--out", str(tmp_path), "--with-truth", *arguments]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == [*RAW_SCHEMAS, TRUTH]
    for line in lines[:-1]:
        name, rows = line.split()
        assert parquet.read_metadata(tmp_path / f"{name}.parquet").num_rows == int(rows)


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["--out", "x", "--scale", "-1"],
        ["--out", "x", "--scale", "many"],
        ["--out", "x", "--scenario", "earthquake"],
        ["--out", "x", "--format", "xml"],
        ["--out", __file__],
    ],
)
def test_a_bad_argument_is_one_sentence_and_exit_code_2(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as stop:
        main(arguments)
    assert stop.value.code == 2
    message = capsys.readouterr().err
    assert message.startswith("python -m customer_insights.sample: ")
    assert message.count("\n") == 1


def test_the_package_runs_as_a_module(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "customer_insights.sample", "--scale", "0.02"]
    run = subprocess.run(
        [*command, "--out", str(tmp_path)], capture_output=True, text=True, check=True
    )
    assert run.stdout.startswith("sessions ")
