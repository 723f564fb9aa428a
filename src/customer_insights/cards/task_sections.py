"""What the card of one task says that no other task has."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from customer_insights.cards.facts import Facts, Row
from customer_insights.cards.markup import count, escaped, interval, table, yes_no
from customer_insights.cards.pictures import Point, interval_picture

# The segment, and the language, of all of them.
ALL_SEGMENTS, ALL_LANGUAGES = "ALL", "all"
ITEM_KINDS = {"all": "any product", "repeat": "bought before", "new": "new to the customer"}
RIVALS = {"own_history": "own history", "popularity": "popularity"}
RANKERS = {"model": "this version", **RIVALS}


def ranking(facts: Facts, pictures: dict[str, str]) -> Iterator[str]:
    """Of a ranker: what its order of products is worth beside rules that need no model."""
    found = {(row["item_kind"], row["segment"], row["ranker"]): row for row in facts.ranking()}
    if not found:
        return
    groups = [
        (kind, segment)
        for kind in ITEM_KINDS
        for segment in _segments(found, kind)
        if found.get((kind, segment, "model"), {}).get("ndcg_10") is not None
    ]
    yield "## What its order is worth"
    served = sorted({row["ranker"] for row in found.values() if row["is_served"]})
    if not groups:
        yield "Missing: recommendation_quality has no customer who bought something."
        return
    day = escaped(found[(*groups[0], "model")]["as_of_on"])
    yield (
        f"From recommendation_quality: customers who bought something in the window after {day}, "
        "the newest date whose window is over, from which it has not learned. NDCG@10 is 1 where "
        "what they bought stood first, hit rate@10 the share of customers who bought one of the "
        "first ten. Own history and popularity are rules that need no model. What is served now is "
        f"ranked by: {escaped(', '.join(RANKERS.get(ranker, ranker) for ranker in served))}."
    )
    shown = [
        (
            f"{_group(kind, segment)} ({count(found[kind, segment, 'model']['customers'])})",
            [
                _point(words, found[kind, segment, ranker], "ndcg_10")
                for ranker, words in RANKERS.items()
                if (kind, segment, ranker) in found
            ],
        )
        for kind, segment in groups
    ]
    file = f"{facts.name}_ranking.svg"
    pictures[file] = interval_picture(
        shown, f"{facts.name}: what its order is worth", "recommendation_quality: NDCG@10"
    )
    yield f"![NDCG@10 of the ranker and of rules, by segment]({file})"
    metrics = {"ndcg_10": "NDCG@10", "hit_rate_10": "hit rate@10"}
    leads = {f"ndcg_lead_over_{rival}": words for rival, words in RIVALS.items()}
    yield table(
        (
            "products",
            "segment",
            "customers",
            *metrics.values(),
            *(f"NDCG@10 over {words}" for words in leads.values()),
        ),
        [
            (
                ITEM_KINDS[kind],
                escaped(segment),
                count(row["customers"]),
                *(_interval(row, name) for name in (*metrics, *leads)),
            )
            for kind, segment in groups
            for row in (found[kind, segment, "model"],)
        ],
    )


def served_lists(facts: Facts) -> Iterator[str]:
    """Of a ranker: what came of the lists that it made, by date; nothing where none is judged."""
    rows = [row for row in facts.lists() if row["segment"] == ALL_SEGMENTS]
    if not rows:
        return
    rows.sort(key=lambda row: row["as_of_on"], reverse=True)
    yield (
        "From recommendation_performance: lists that it made and that were served, beside what "
        "was bought in the window after."
    )
    yield table(
        ("lists of", "customers", "NDCG@10", "hit rate@10", "fallen"),
        [
            (
                escaped(row["as_of_on"]),
                count(row["customers"]),
                _interval(row, "ndcg_10"),
                _interval(row, "hit_rate_10"),
                yes_no(row.get("has_fallen")),
            )
            for row in rows
        ],
    )


def languages(facts: Facts, pictures: dict[str, str]) -> Iterator[str]:
    """Of the sentiment: how well it agrees with the stars in each language."""
    rows = facts.languages()
    if not rows:
        return
    rows.sort(key=lambda row: (row["language"] != ALL_LANGUAGES, -int(row["text_count"])))
    metrics = {"macro_f1": "macro-F1", "roc_auc": "ROC-AUC"}
    yield "## By language"
    yield (
        "From review_sentiment_quality: rated texts whose sentiment this version gave, which knew "
        "no such rating. With too few of either outcome nothing is measured."
    )
    shown = [
        (
            f"{row['language']} ({count(row['text_count'])})",
            [_point(words, row, name) for name, words in metrics.items()],
        )
        for row in rows
        if any(row.get(name) is not None for name in metrics)
    ]
    # All texts alone are in the figures above.
    if len(shown) > 1:
        file = f"{facts.name}_languages.svg"
        pictures[file] = interval_picture(
            shown, f"{facts.name}: by language", "review_sentiment_quality: agreement with stars"
        )
        yield f"![Macro-F1 and ROC-AUC by language]({file})"
    yield table(
        ("language", "texts", "negative", "neutral", "positive", *metrics.values()),
        [
            (
                escaped(row["language"]),
                *(
                    count(row[f"{what}_count"])
                    for what in ("text", "negative", "neutral", "positive")
                ),
                *(_interval(row, name) for name in metrics),
            )
            for row in rows
        ],
    )


def _segments(found: Mapping[tuple[str, str, str], Row], kind: str) -> list[str]:
    """All customers first; of repeats and of new products, these alone."""
    if kind != "all":
        return [ALL_SEGMENTS]
    return [
        ALL_SEGMENTS,
        *sorted({segment for _, segment, _ in found if segment != ALL_SEGMENTS}),
    ]


def _group(kind: str, segment: str) -> str:
    if segment != ALL_SEGMENTS:
        return segment
    return "all customers" if kind == "all" else f"all, {ITEM_KINDS[kind]}"


def _point(words: str, row: Row, name: str) -> Point:
    return Point(words, *(row.get(f"{name}{end}") for end in ("", "_low", "_high")))


def _interval(row: Row, name: str) -> str:
    return interval(*(row.get(f"{name}{end}") for end in ("", "_low", "_high")))
