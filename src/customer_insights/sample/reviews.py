"""Reviews of what was ordered: rating and text follow quality, delivery and the writer's mood."""

import numpy as np
import pyarrow as pa

from customer_insights.sample.columns import Floats, Ints, ids, table, timestamps, where
from customer_insights.sample.config import DAY, HOUR, ShopConfig, Step
from customer_insights.sample.orders import NOT_YET, RETURNED, Orders
from customer_insights.sample.people import People
from customer_insights.sample.phrases import PHRASES, Phrases, Tones
from customer_insights.sample.products import MEAN_RATING, Products
from customer_insights.sample.sessions import IDS_PER_BLOCK

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


def reviews_table(
    config: ShopConfig, people: People, products: Products, orders: Orders, block: int
) -> pa.Table:
    """Make the raw table, in key order, which is also the order of time within the block.

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
    product_tone = _tone_of(score + random.normal(0.0, 0.5, size))
    delivery_tone = np.where(days > LATE_DAYS + 1, 0, np.where(days > LATE_DAYS - 1.5, 1, 2))

    is_about_shop = random.random(size) < SHOP_REVIEW_SHARE
    has_title = random.random(size) < TITLED_SHARE
    replied = created + (random.uniform(0.2, 6.0, size) * DAY).astype(np.int64)
    is_replied = random.random(size) < np.array(REPLY_SHARE)[tone]
    names = [name.lower() for name in products.name.to_pylist()]
    writer = _Writer(random, PHRASES["en"])
    made = table(
        "reviews",
        config,
        {
            "review_id": ids("r", block * IDS_PER_BLOCK + np.arange(size)),
            "customer_id": ids(
                "c",
                people.number[orders.person[order]],
                random.random(size) >= ANONYMOUS_SHARE,
            ),
            "product_id": ids("p", products.number[product], ~is_about_shop),
            "created_at": timestamps(config, created),
            "rating": where(random.random(size) >= UNRATED_SHARE, pa.array(rating)),
            "title": where(has_title, writer.titles(tone)),
            "text": writer.texts(
                tone,
                product_tone,
                delivery_tone,
                [
                    None if skip else names[p]
                    for skip, p in zip(is_about_shop, product, strict=True)
                ],
            ),
            "reply_at": timestamps(config, replied, is_replied & (replied < config.seconds)),
        },
    )
    return made.filter(pa.array(orders.is_visible[order]))


def _tone_of(score: Floats) -> Ints:
    """Tone 0, 1 or 2 of a score on the scale of ratings."""
    return np.searchsorted((2.75, 3.5), score, side="right")


class _Writer:
    """Draws sentences of one language."""

    def __init__(self, random: np.random.Generator, phrases: Phrases) -> None:
        self._random = random
        self._phrases = phrases

    def titles(self, tone: Ints) -> pa.Array:
        """Draw a title for each tone."""
        return pa.array(self._sentences(self._phrases.title, tone, 1.0), pa.string())

    def texts(
        self, tone: Ints, product_tone: Ints, delivery_tone: Ints, names: list[str | None]
    ) -> pa.Array:
        """Compose a text for each review; without a name it says nothing about a product."""
        parts = zip(
            self._sentences(self._phrases.opening, tone, 1.0),
            self._sentences(self._phrases.product, product_tone, 0.85),
            self._sentences(self._phrases.delivery, delivery_tone, 0.5),
            self._sentences(self._phrases.closing, tone, 0.5),
            names,
            strict=True,
        )
        return pa.array(
            (
                " ".join(
                    sentence
                    for sentence in (
                        opening,
                        product.replace("{product}", name) if name else "",
                        delivery,
                        closing,
                    )
                    if sentence
                )
                for opening, product, delivery, closing, name in parts
            ),
            pa.string(),
        )

    def _sentences(self, tones: Tones, tone: Ints, share: float) -> list[str]:
        """Draw a sentence for each tone, empty in `1 - share` of the cases."""
        pick = self._random.random(len(tone))
        is_said = self._random.random(len(tone)) < share
        return [
            tones[t][int(p * len(tones[t]))] if said else ""
            for t, p, said in zip(tone, pick, is_said, strict=True)
        ]
