"""The sample shop: one seed gives one shop, whose tables join and whose truth is known."""

import csv
import math
import re
import subprocess
import sys
import tracemalloc
from collections import Counter
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyarrow import parquet

from customer_insights.sample import (
    CHURN_TRUTH_SCHEMA,
    PRODUCT_TRUTH_SCHEMA,
    RAW_SCHEMAS,
    REVIEW_TRUTH,
    SCENARIOS,
    TRUTH,
    TRUTH_SCHEMAS,
    ShopConfig,
    ShopConfigError,
    bad_row_counts,
    churn_truth,
    customer_truth,
    generate_blocks,
    product_truth,
    write_csv,
    write_parquet,
)
from customer_insights.sample.__main__ import main
from customer_insights.sample.calendar import Calendar, gift_days, special_day
from customer_insights.sample.config import Step
from customer_insights.sample.phrases import ASPECTS, CONTACTS, LANGUAGES, PHRASES
from customer_insights.sample.phrases.patterns import KINDS
from customer_insights.sample.products import CONSUMABLES, make_products
from customer_insights.sample.spelling import misspelt

SEEDS = Path(__file__).parents[2] / "seeds" / "sample"
PERIOD_END = datetime(2025, 1, 1)
SMALL = ShopConfig(scale=0.2)
# Enough customers to see what is drawn from a probability.
LARGE = ShopConfig(scale=6.0, seed=5)
DATABASE = duckdb.connect()

Shop = dict[str, pa.Table]

small_shops = st.builds(
    ShopConfig,
    seed=st.integers(0, 2**32 - 1),
    scale=st.floats(0.0005, 0.05),
    start_on=st.dates(date(1990, 1, 1), date(2050, 1, 1)),
    days=st.integers(1, 500),
    scenario=st.sampled_from(["none", "covariate_drift", "concept_drift", "immature_labels"]),
)


# The dates of a churn model on the default shop: the first of each month, 90 days on.
WINDOW_DAYS = 90
TRAINED_ON = (*(date(2023, m, 1) for m in range(8, 13)), *(date(2024, m, 1) for m in range(1, 5)))
VALIDATED_ON, TESTED_ON = date(2024, 7, 1), date(2024, 10, 1)


def load(config: ShopConfig) -> Shop:
    blocks = list(generate_blocks(config))
    return {name: pa.concat_tables([block[name] for block in blocks]) for name in blocks[0]}


def ask(shop: Shop, query: str) -> list[tuple[Any, ...]]:
    """Rows of a query over the tables of a shop."""
    # A cursor sees no tables of another; a database of its own would take a hundred times as long.
    with DATABASE.cursor() as cursor:
        for name, table in shop.items():
            cursor.register(name, table)
        return cursor.execute(query).fetchall()


def count(shop: Shop, query: str) -> int:
    return int(ask(shop, f"select count(*) from ({query})")[0][0])


@pytest.fixture(scope="module")
def shop() -> Shop:
    return load(ShopConfig())


@pytest.fixture(scope="module")
def large() -> Shop:
    return load(LARGE)


@pytest.fixture(scope="module", autouse=True)
def lives_are_followed_once() -> Iterator[None]:
    """Each truth follows all lives of a shop anew, which do not depend on the date it is asked for.

    Here many dates of one shop are asked for; the lives of the last one are kept.
    """
    blocks = customer_truth._blocks

    @lru_cache(maxsize=1)
    def kept(config: ShopConfig) -> list[Any]:
        return list(blocks(config, Calendar.of(config), make_products(config)))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(customer_truth, "_blocks", lambda config, *_: kept(config))
        yield


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
    assert set(shop) == {*RAW_SCHEMAS, *TRUTH_SCHEMAS}
    for name, schema in (RAW_SCHEMAS | TRUTH_SCHEMAS).items():
        assert shop[name].schema.equals(schema)
        shop[name].validate(full=True)
        for field in schema:
            if not field.nullable:
                assert shop[name][field.name].null_count == 0, (name, field.name)


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
        REVIEW_TRUTH: "review_id",
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
        (REVIEW_TRUTH, "review_id", "reviews"),
        ("reviews", "review_id", REVIEW_TRUTH),
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
        "select avg(rating) filter (sentiment = 'positive'),"
        " avg(rating) filter (sentiment = 'negative')"
        " from reviews join review_truth using (review_id)",
    )
    assert good - bad > 1.5
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


# Reviews and what is true of them


SENTIMENT_COLUMNS = tuple(f"{aspect}_sentiment" for aspect in ASPECTS)


def test_reviews_vary(shop: Shop) -> None:
    texts = shop["reviews"]["text"].to_pylist()
    long = [text for text in texts if len(text) > 60]
    assert len(set(long)) > 0.98 * len(long)
    # A word or two are written by many.
    assert len(set(texts)) > 0.9 * len(texts)
    assert not {"{", "}", "|", "(", ")"} & set("".join(texts))
    assert not [text for text in texts if not text.strip()]


def test_every_language_has_enough_reviews_of_each_kind(shop: Shop) -> None:
    counts = ask(
        shop,
        "select language, sentiment, count(*) from review_truth group by all order by all",
    )
    assert (
        {language for language, *_ in counts}
        == set(LANGUAGES)
        >= {"en", "es", "fr", "de", "it", "pt", "ja"}
    )
    assert len(counts) == 3 * len(LANGUAGES)
    assert min(n for *_, n in counts) >= 10
    qualities = dict(ask(shop, "select quality, count(*) from review_truth group by 1"))
    assert set(qualities) == {"generic", "basic", "detailed"}
    assert min(qualities.values()) > 400


def test_a_customer_writes_one_language_which_follows_from_the_place(shop: Shop) -> None:
    joined = "from review_truth join reviews using (review_id) join customers using (customer_id)"
    assert not ask(
        shop, f"select customer_id {joined} group by 1 having count(distinct language) > 1"
    )
    shares = ask(
        shop,
        f"select location, max(n) / sum(n) from (select location, language, count(*) as n {joined}"
        " where location in ('Paris', 'Madrid', 'Berlin') group by all) group by 1",
    )
    assert len(shares) == 3
    assert all(0.6 < share < 1 for _, share in shares)


def test_texts_are_in_their_language(shop: Shop) -> None:
    rows = ask(shop, "select language, text from review_truth join reviews using (review_id)")
    kana = re.compile("[\u3040-\u30ff]")
    for language, text in rows:
        assert language == "ja" or not kana.search(text)
    japanese = [text for language, text in rows if language == "ja"]
    assert sum(bool(kana.search(text)) for text in japanese) > 0.8 * len(japanese)
    for language, words in {
        "de": "und|ist|ich|war",
        "fr": "la|le|est|je",
        "pt": "não|muito|foi",
    }.items():
        known = [
            bool(re.search(rf"\b({words})\b", text.lower()))
            for own, text in rows
            if own == language
        ]
        assert sum(known) > 0.5 * len(known)


def test_the_topic_is_an_aspect_that_the_text_mentions(shop: Shop) -> None:
    for row in shop[REVIEW_TRUTH].to_pylist():
        mentioned = {name for name in SENTIMENT_COLUMNS if row[name]}
        if row["topic"] == "general":
            assert not mentioned, row
        else:
            assert f"{row['topic']}_sentiment" in mentioned, row
        assert bool(mentioned) == (row["quality"] != "generic"), row


def test_an_aspect_is_often_felt_otherwise_than_the_whole(shop: Shop) -> None:
    for column in SENTIMENT_COLUMNS:
        [(same, mentioned)] = ask(
            shop,
            f"select avg(({column} = sentiment)::int), count({column}) from review_truth",
        )
        assert mentioned > 100, column
        assert 0.35 < same < 0.85, column


def test_contact_data_is_there_to_be_masked_and_made_up(shop: Shop) -> None:
    texts = shop["reviews"]["text"].to_pylist()
    mails = [mail for text in texts for mail in re.findall(r"\S+@\S+", text, re.IGNORECASE)]
    # A domain that nobody can own: https://www.rfc-editor.org/rfc/rfc2606
    assert len(mails) > 3
    assert all("@example.com" in mail.lower() for mail in mails)
    # Numbers that Ofcom keeps for drama: https://www.ofcom.org.uk (020 7946 0000 to 0999).
    assert sum("+44 20 7946 0" in text for text in texts) > 3
    assert sum(bool(re.search(r"o-\d{8}", text, re.IGNORECASE)) for text in texts) > 3


GOOD_WORDS = re.compile(
    "good|great|love|happy|excellent|perfect|recommend|bien|bueno|encanta|excelente|"
    "perfecto|recomiendo|super|parfait|ravi|content|satisfait|recommande|gut|toll|"
    "zufrieden|empfehle|begeistert|bene|ottimo|contenta|consiglio|bom|ótimo|adorei|"
    "satisfeita|recomendo|良|最高|満足"
)
BAD_WORDS = re.compile(
    "bad|poor|terrible|disappointed|never|worst|malo|mal|pésimo|decepcion|nunca|nul|"
    "mauvais|déçu|jamais|schlecht|enttäuscht|nie|kaputt|pessimo|male|delusa|mai|ruim|"
    "péssimo|decepcionada|nunca|最悪|残念|悪"
)


def test_no_trivial_rule_tells_the_sentiment(shop: Shop) -> None:
    rows = ask(
        shop, "select text, sentiment, rating from review_truth join reviews using (review_id)"
    )

    def has(words: re.Pattern[str], text: str) -> bool:
        return bool(words.search(text.lower()))

    contains_good = [has(GOOD_WORDS, text) == (told == "positive") for text, told, _ in rows]
    good_less_bad = [
        {-1: "negative", 0: "neutral", 1: "positive"}[has(GOOD_WORDS, text) - has(BAD_WORDS, text)]
        == told
        for text, told, _ in rows
    ]
    by_rating = [
        told == ("negative" if rating <= 2 else "neutral" if rating == 3 else "positive")
        for _, told, rating in rows
        if rating
    ]
    for is_right in (contains_good, good_less_bad, by_rating):
        assert 0.3 < sum(is_right) / len(is_right) < 0.95


def test_length_alone_does_not_tell_the_quality(shop: Shop) -> None:
    rows = ask(
        shop,
        # A Japanese character says as much as two or three letters.
        "select length(text) * if(language = 'ja', 2.5, 1), quality"
        " from review_truth join reviews using (review_id)",
    )
    truth = np.array([["generic", "basic", "detailed"].index(quality) for _, quality in rows])
    length = np.array([float(n) for n, _ in rows])

    def macro_f1(low: int, high: int) -> float:
        said = (length > low).astype(int) + (length > high)
        hits = [((said == k) & (truth == k)).sum() for k in range(3)]
        return float(
            sum(2 * hit / ((said == k).sum() + (truth == k).sum()) for k, hit in enumerate(hits))
            / 3
        )

    best = max(macro_f1(low, high) for low in range(10, 130, 10) for high in range(low, 260, 10))
    assert 0.5 < best < 0.75


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_phrase_can_be_drawn_and_filled_in(language: str) -> None:
    phrases = PHRASES[language]
    assert set(phrases.aspects) == set(ASPECTS)
    assert set(phrases.things) == set(KINDS)
    for tones in (
        phrases.short,
        phrases.title,
        phrases.opening,
        phrases.closing,
        *phrases.aspects.values(),
    ):
        said = [way for patterns in tones for ways in patterns for way in ways]
        # One sentence has one tone.
        assert len(set(said)) == len(said)
        assert set(re.findall(r"{\w+}", "".join(said))) <= {"{thing}", "{n}"}
    for aspect, tones in phrases.aspects.items():
        for patterns in tones:
            ways = [way for some in patterns for way in some]
            assert len(ways) >= 3, aspect
            assert not [way for way in ways if way.endswith((".", "。"))], aspect
            assert aspect == "product_quality" or "{thing}" not in "".join(ways)
    contact = "".join(way for ways in phrases.contact for way in ways)
    assert all(place in contact for place in CONTACTS)


def test_people_type_with_slips() -> None:
    always = iter([0.0] * 7).__next__
    assert misspelt("The delivery was late.", "en", always) != "The delivery was late."
    assert (
        misspelt("Größe zurück.", "de", iter([1, 0, 0, 0, 1, 1, 1]).__next__) == "Groesse zurueck."
    )
    assert misspelt("très déçue.", "fr", iter([1, 0, 0, 0, 1, 1, 1]).__next__) == "tres decue."
    assert misspelt("Late.", "en", iter([1, 0, 0, 1, 0, 1, 1]).__next__) == "LATE."
    assert misspelt("Late.", "en", iter([1, 0, 0, 1, 1, 0, 1]).__next__) == "Late"
    assert misspelt("Late.", "en", iter([1, 0, 0, 1, 1, 0, 0]).__next__) == "Late!!"
    never = iter([1] * 7).__next__
    assert misspelt("遅い。", "ja", never) == "遅い。"


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


# The truth about customers


def active_customers(config: ShopConfig, shop: Shop, as_of_on: date) -> list[tuple[float, bool]]:
    """True probability and outcome of each customer who ordered in the 180 days before a date."""
    truth = pa.concat_tables(churn_truth(config, as_of_on, WINDOW_DAYS))
    return ask(
        shop | {"churn_truth": truth},
        f"""
        select no_purchase_probability, customer_id not in (
            select customer_id from orders where ordered_at >= date '{as_of_on}'
                and ordered_at < date '{as_of_on}' + interval {WINDOW_DAYS} day)
        from churn_truth inner join (
            select customer_id, max(ordered_at) as last_ordered_at from orders
            where ordered_at < date '{as_of_on}' group by 1) using (customer_id)
        where last_ordered_at >= date '{as_of_on}' - interval 180 day""",
    )


def test_the_truth_of_customers_is_about_who_ordered_before(shop: Shop) -> None:
    for as_of_on in (date(2023, 8, 1), TESTED_ON):
        truth = pa.concat_tables(churn_truth(ShopConfig(), as_of_on, WINDOW_DAYS))
        assert truth.schema.equals(CHURN_TRUTH_SCHEMA)
        before = (
            f"select distinct customer_id from orders where ordered_at < '{as_of_on}' order by 1"
        )
        assert [(c,) for c in truth["customer_id"].to_pylist()] == ask(shop, before)
        assert set(truth["as_of_on"].to_pylist()) == {as_of_on}


def test_who_orders_nothing_are_draws_from_the_true_probability(large: Shop) -> None:
    # Windows that do not overlap: else one customer's outcome would count more than once.
    rows = [
        row
        for as_of_on in (date(2023, 10, 1), date(2024, 1, 1), date(2024, 4, 1), TESTED_ON)
        for row in active_customers(LARGE, large, as_of_on)
    ]
    assert len(rows) > 6_000
    for tenth in range(10):
        binned = [(p, is_gone) for p, is_gone in rows if min(int(p * 10), 9) == tenth]
        n = len(binned)
        expected = sum(p for p, _ in binned) / n
        error = math.sqrt(sum(p * (1 - p) for p, _ in binned)) / n
        assert n > 100, tenth
        assert abs(sum(is_gone for _, is_gone in binned) / n - expected) < 4 * error, tenth


def test_there_are_enough_customers_to_learn_churn_from(shop: Shop) -> None:
    splits = {
        "train": [row for day in TRAINED_ON for row in active_customers(ShopConfig(), shop, day)],
        "validation": active_customers(ShopConfig(), shop, VALIDATED_ON),
        "test": active_customers(ShopConfig(), shop, TESTED_ON),
    }
    assert len(splits["train"]) > 1_500
    for name, rows in splits.items():
        gone = sum(is_gone for _, is_gone in rows)
        assert min(gone, len(rows) - gone) > 100, name
        assert 0.25 < gone / len(rows) < 0.65, name


def test_whether_customers_come_back_is_neither_chance_nor_certain(shop: Shop) -> None:
    rows = active_customers(ShopConfig(), shop, TESTED_ON)
    pairs = [(p > q) + (p == q) / 2 for p, gone in rows if gone for q, stays in rows if not stays]
    assert 0.80 < sum(pairs) / len(pairs) < 0.94


@settings(max_examples=15, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    days=st.integers(10, 400),
    share=st.floats(0, 1),
    window=st.integers(1, 400),
)
def test_a_longer_window_is_never_easier_to_let_pass(
    seed: int, days: int, share: float, window: int
) -> None:
    config = ShopConfig(seed=seed, scale=0.03, days=days)
    as_of = int(share * (days - 2))
    as_of_on, longest = config.start_on + timedelta(days=as_of), days - as_of
    longer = min(window, longest)
    shorter = max(1, longer // 2)
    answers = [
        [p for table in churn_truth(config, as_of_on, n) for p in table[2].to_pylist()]
        for n in (shorter, longer)
    ]
    assert all(0 <= long <= short <= 1 for short, long in zip(*answers, strict=True))
    for table in product_truth(config, as_of_on):
        assert table.schema.equals(PRODUCT_TRUTH_SCHEMA)
        sums = table.group_by("customer_id").aggregate([("probability", "sum")])
        assert sums["probability_sum"].to_pylist() == pytest.approx([1.0] * sums.num_rows)
        assert (
            pc.min(table["probability"]).as_py() is None or pc.min(table["probability"]).as_py() > 0
        )


@pytest.mark.parametrize(
    ("config", "as_of_on", "window_days", "message"),
    [
        (ShopConfig(), date(2024, 12, 1), 32, "window_days must be"),
        (ShopConfig(), date(2024, 12, 1), 0, "window_days must be"),
        (ShopConfig(), date(2023, 6, 30), 1, "as_of_on must be"),
        (ShopConfig(), date(2025, 1, 1), 1, "as_of_on must be"),
        (ShopConfig(scenario="concept_drift"), TESTED_ON, 1, "known where effects stay"),
        (ShopConfig(scenario="covariate_drift"), TESTED_ON, 1, "known where effects stay"),
    ],
)
def test_the_truth_of_a_day_outside_the_period_is_not_made_up(
    config: ShopConfig, as_of_on: date, window_days: int, message: str
) -> None:
    with pytest.raises(ShopConfigError, match=message):
        next(churn_truth(config, as_of_on, window_days))


def test_what_is_ordered_next_are_draws_from_the_true_probability(large: Shop) -> None:
    found = {}
    for month in (3, 6, 11):
        as_of_on = date(2024, month, 1)
        truth = pa.concat_tables(product_truth(LARGE, as_of_on))
        # The first order of the month: within it neither season nor history differ.
        found[month] = ask(
            large | {"product_truth": truth},
            f"""
            with next as (
                select customer_id, arg_min(product_id, ordered_at) as ordered_id
                from orders inner join order_items using (order_id)
                where line_number = 1 and ordered_at >= date '{as_of_on}'
                    and ordered_at < date '{as_of_on}' + interval 1 month
                group by 1)
            select probability, product_id = ordered_id, category
            from product_truth inner join next using (customer_id)
                inner join products using (product_id)""",
        )
    rows = [row for choices in found.values() for row in choices]
    assert sum(is_ordered for _, is_ordered, _ in rows) > 1_000
    groups = Counter[tuple[object, float]]()
    expected, variance = Counter[tuple[object, float]](), Counter[tuple[object, float]]()
    for month, choices in found.items():
        for p, is_ordered, category in choices:
            both: tuple[tuple[object, float], ...] = (
                ("bin", round(math.log2(p))),
                (category, month),
            )
            for group in both:
                groups[group] += is_ordered
                expected[group] += p
                variance[group] += p * (1 - p)
    frequent = [group for group in groups if expected[group] > 10]
    assert len(frequent) > 25
    for group in frequent:
        assert abs(groups[group] - expected[group]) < 4 * math.sqrt(variance[group]), group


def test_the_truth_recommends_better_than_what_sells_best(shop: Shop) -> None:
    tables = shop | {"truth": pa.concat_tables(product_truth(ShopConfig(), TESTED_ON))}
    hits = """
        with ranked as (
            select customer_id, product_id, row_number() over (
                partition by customer_id order by {} desc, product_id) as place
            from truth inner join (
                select product_id, count(*) as sold
                from orders inner join order_items using (order_id)
                where ordered_at < date '2024-10-01' group by 1) using (product_id))
        select avg((place <= 10)::int) from ranked inner join (
            select distinct customer_id, product_id
            from orders inner join order_items using (order_id)
            where ordered_at >= date '2024-10-01' and line_number = 1
        ) using (customer_id, product_id)"""
    [(by_truth,)], [(by_sales,)] = (ask(tables, hits.format(c)) for c in ("probability", "sold"))
    assert by_truth > by_sales + 0.25


def test_products_are_bought_with_their_partners_again_and_in_season(shop: Shop) -> None:
    products = make_products(ShopConfig())
    numbers = [f"p-{number:08d}" for number in products.number]
    pairs = pa.table(
        [
            [numbers[row] for row in range(len(numbers)) for _ in products.partners[row]],
            [numbers[partner] for row in products.partners for partner in row],
        ],
        names=["product_id", "partner_id"],
    )
    [(with_partner, others)] = ask(
        shop | {"pairs": pairs},
        """
        select avg((partner_id is not null)::int), 2.0 / 119 from order_items as main
        inner join order_items as also using (order_id)
        left join pairs on main.product_id = pairs.product_id and also.product_id = partner_id
        where main.line_number = 1 and also.line_number > 1""",
    )
    assert with_partner > 5 * others
    consumable = " or ".join(f"name like '%{name}%'" for name in CONSUMABLES)
    [(used_up, kept)] = ask(
        shop,
        f"""
        with bought as (
            select customer_id, product_id, count(*) as n
            from orders inner join order_items using (order_id) group by 1, 2)
        select avg((n > 1)::int) filter ({consumable}),
            avg((n > 1)::int) filter (not ({consumable}))
        from bought inner join products using (product_id)""",
    )
    assert used_up > 3 * kept
    [(spring, autumn)] = ask(
        shop,
        """
        select avg((category = 'garden')::int) filter (month(ordered_at) between 3 and 6),
            avg((category = 'garden')::int) filter (month(ordered_at) between 9 and 12)
        from orders inner join order_items using (order_id) inner join products using (product_id)
        where line_number = 1""",
    )
    assert spring > 1.4 * autumn


MOVED = {
    Step.ORDERS: {"orders", "order_items", "reviews", REVIEW_TRUTH},
    Step.REVIEWS: {"reviews", REVIEW_TRUTH},
    Step.TEXTS: {"reviews", REVIEW_TRUTH},
    Step.PAGE_VALUES: {"sessions"},
}


@pytest.mark.parametrize("step", MOVED)
def test_the_random_numbers_of_one_step_move_no_other(
    step: Step, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = load(SMALL)
    usual = ShopConfig.random
    monkeypatch.setattr(
        ShopConfig,
        "random",
        lambda config, which, block=0: usual(config, which, block + 1000 * (which == step)),
    )
    after = load(SMALL)
    assert {name for name in before if after[name] != before[name]} == MOVED[step]


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
    late = (
        "select 1 from orders left join sessions using (session_id)"
        " where coalesce(started_at, ordered_at) >= '{}'"
    )
    assert count(shop, late.format(cut)) > 0
    assert count(shop, late.format(cut) + " and session_id is null") > 0
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


def test_covariate_drift_changes_who_comes_and_not_why_they_buy(shop: Shop) -> None:
    drifted = load(ShopConfig(scenario="covariate_drift"))
    assert_it_joins(drifted)
    assert_events_are_in_order(drifted)
    both = {"before": shop["sessions"], "after": drifted["sessions"], TRUTH: drifted[TRUTH]}
    changed = (
        "select 1 from before inner join after using (session_id)"
        " where (before.region, before.traffic_type, before.informational, before.is_purchase)"
        " is distinct from (after.region, after.traffic_type, after.informational,"
        " after.is_purchase) and after.started_at {} '2024-07-01'"
    )
    assert count(both, changed.format("<")) == 0
    assert count(both, changed.format(">=")) > 2_000
    # What a visit is about, how long it lasts and when it comes stay; so does the truth about it.
    kept = ("session_id", "visitor_id", "started_at", "product_related", "product_type")
    assert drifted["sessions"].select(kept) == shop["sessions"].select(kept)
    [(expected, observed, n)] = ask(
        both,
        "select avg(purchase_probability), avg(is_purchase::int), count(*)"
        " from after inner join session_truth using (session_id)"
        " where traffic_type = 4 and is_purchase is not null and started_at >= '2024-07-01'",
    )
    assert abs(observed - expected) < 4 * math.sqrt(expected * (1 - expected) / n)


@pytest.mark.parametrize("scenario", ["covariate_drift", "concept_drift", "immature_labels"])
def test_a_scenario_changes_nothing_before_the_day_that_is_asked_for(scenario: str) -> None:
    day = datetime(2023, 9, 1)
    config = ShopConfig(scale=0.3, days=92, scenario=scenario, changes_on=day.date())
    changed, before = load(config), load(ShopConfig(scale=0.3, days=92))
    started = before["sessions"]["started_at"]
    assert changed["sessions"]["started_at"] == started
    is_early = pc.less(started, pa.scalar(day, started.type))
    early = before["sessions"].filter(is_early)
    assert changed["sessions"].filter(is_early) == early
    assert changed["sessions"] != before["sessions"]
    if scenario == "immature_labels":
        late = changed["sessions"].filter(pc.invert(is_early))
        assert late["is_purchase"].null_count == late.num_rows > 0
        assert pc.max(changed["orders"]["ordered_at"]).as_py() < day + timedelta(hours=6)


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
    for name in (*RAW_SCHEMAS, *(f"truth/{truth}" for truth in TRUTH_SCHEMAS)):
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
    written = {path.name for path in (tmp_path / "with" / "truth").iterdir()}
    assert written == {f"{truth}.csv" for truth in TRUTH_SCHEMAS}


@pytest.mark.long
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

    assert peak(4.0) < 1.5 * peak(1.0)


# Settings and the command line


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        *(("seed", -1), ("seed", 2**32), ("scale", 0.0), ("scale", -1.0), ("scale", math.nan)),
        *(("scale", math.inf), ("days", 0), ("days", 100_000), ("scenario", "earthquake")),
        *(("changes_on", date(2023, 6, 30)), ("changes_on", date(2025, 1, 1))),
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
    arguments += ["--scenario", "immature_labels", "--start-on", "2024-01-01"]
    arguments += ["--changes-on", "2024-03-01"]
    assert main(["--out", str(tmp_path), "--with-truth", *arguments]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == [*RAW_SCHEMAS, *TRUTH_SCHEMAS]
    for line in lines[: len(RAW_SCHEMAS)]:
        name, rows = line.split()
        assert parquet.read_metadata(tmp_path / f"{name}.parquet").num_rows == int(rows)
    ordered_at = parquet.read_table(tmp_path / "orders.parquet")["ordered_at"]
    assert datetime(2024, 1, 1) < pc.max(ordered_at).as_py() < datetime(2024, 3, 2)


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["--out", "x", "--scale", "-1"],
        ["--out", "x", "--scale", "many"],
        ["--out", "x", "--scenario", "earthquake"],
        ["--out", "x", "--changes-on", "soon"],
        ["--out", "x", "--changes-on", "2030-01-01"],
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
