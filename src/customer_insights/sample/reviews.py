"""Reviews of what was ordered: rating and text follow quality, delivery and the writer's mood."""

import numpy as np
import pyarrow as pa

from customer_insights.sample.columns import ids, table, timestamps, where
from customer_insights.sample.config import DAY, HOUR, ShopConfig, Step
from customer_insights.sample.contract import REVIEW_TRUTH
from customer_insights.sample.orders import NOT_YET, RETURNED, Orders
from customer_insights.sample.people import People
from customer_insights.sample.phrases import ASPECTS
from customer_insights.sample.products import MEAN_RATING, Products
from customer_insights.sample.sessions import IDS_PER_BLOCK
from customer_insights.sample.texts import Moods, kinds_of, write_texts

REVIEW_SHARE = 0.36
WRITING_DAYS = 6.0

QUALITY_WEIGHT = 1.3
LATE_DAYS = 4.5
LATE_WEIGHT = -0.35
RETURN_WEIGHT = -1.2
NOISE = 0.8

ANONYMOUS_SHARE = 0.04
SHOP_REVIEW_SHARE = 0.05
UNRATED_SHARE = 0.03
TITLED_SHARE = 0.6
REPLY_SHARE = (0.6, 0.3, 0.1)


def review_tables(
    config: ShopConfig, people: People, products: Products, orders: Orders, block: int
) -> dict[str, pa.Table]:
    """Make the raw table and its truth, in key order, which is also the order of time in the block.

    A review is about one line of a delivered order, or about the shop (no product).
    """
    random = config.random(Step.REVIEWS, block)
    lines = len(orders.line_order)
    delivered = orders.delivered_seconds[orders.line_order]
    wait = (random.exponential(WRITING_DAYS, lines) * DAY).astype(np.int64) + HOUR
    is_written = (random.random(lines) < REVIEW_SHARE) & (delivered != NOT_YET)
    rows = np.flatnonzero(is_written & (delivered + wait < config.seconds))
    rows = rows[np.argsort((delivered + wait)[rows], kind="stable")]
    size, order, product = len(rows), orders.line_order[rows], orders.line_product[rows]
    created = (delivered + wait)[rows]

    quality = products.rating_cents[product] / 100 - MEAN_RATING
    days = (orders.delivered_seconds - orders.seconds)[order] / DAY
    # Whoever sends something back after the review did not know it yet while writing.
    is_returned = (orders.status[order] == RETURNED) & (orders.status_seconds[order] < created)
    score = (
        MEAN_RATING
        + QUALITY_WEIGHT * quality
        + LATE_WEIGHT * np.maximum(days - LATE_DAYS, 0)
        + RETURN_WEIGHT * is_returned
        + people.mood[orders.person[order]]
        + random.normal(0.0, NOISE, size)
    )
    rating = np.clip(np.round(score), 1, 5).astype(np.int64)
    tone = np.searchsorted((3, 4), rating, side="right")
    # Nothing reads these; without them all that is drawn after them would be another shop's.
    random.normal(0.0, 0.5, size)
    delivery_tone = np.where(days > LATE_DAYS + 0.5, 0, np.where(days > LATE_DAYS - 1, 1, 2))

    is_about_shop = random.random(size) < SHOP_REVIEW_SHARE
    has_title = random.random(size) < TITLED_SHARE
    replied = created + (random.uniform(0.2, 6.0, size) * DAY).astype(np.int64)
    is_replied = random.random(size) < np.array(REPLY_SHARE)[tone]
    kinds = kinds_of(products.name.to_pylist())
    texts = write_texts(
        config,
        people,
        Moods(
            score=score,
            delivery_tone=delivery_tone,
            is_returned=is_returned,
            person=orders.person[order],
            order=block * IDS_PER_BLOCK + order,
            kind=tuple(
                None if skip else kinds[p] for skip, p in zip(is_about_shop, product, strict=True)
            ),
        ),
        block,
    )
    review_ids = ids("r", block * IDS_PER_BLOCK + np.arange(size))
    reviews = table(
        "reviews",
        config,
        {
            "review_id": review_ids,
            "customer_id": ids(
                "c",
                people.number[orders.person[order]],
                random.random(size) >= ANONYMOUS_SHARE,
            ),
            "product_id": ids("p", products.number[product], ~is_about_shop),
            "created_at": timestamps(config, created),
            "rating": where(random.random(size) >= UNRATED_SHARE, pa.array(rating)),
            "title": where(has_title, texts.title),
            "text": texts.text,
            "reply_at": timestamps(config, replied, is_replied & (replied < config.seconds)),
        },
    )
    truth = table(
        REVIEW_TRUTH,
        config,
        {
            "review_id": review_ids,
            "language": texts.language,
            "sentiment": texts.sentiment,
            "quality": texts.quality,
            "topic": texts.topic,
            **{
                f"{aspect}_sentiment": sentiments
                for aspect, sentiments in zip(ASPECTS, texts.aspects, strict=True)
            },
        },
    )
    is_visible = pa.array(orders.is_visible[order])
    return {"reviews": reviews.filter(is_visible), REVIEW_TRUTH: truth.filter(is_visible)}
