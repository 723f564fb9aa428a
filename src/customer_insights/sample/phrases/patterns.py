"""How phrases are written down, and what a language needs of them."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import product

from customer_insights.sample.products import ASSORTMENT

ASPECTS = ("delivery", "price", "product_quality", "service", "returns")
KINDS = tuple(kind for _, kinds in ASSORTMENT.values() for kind in kinds)

# What a sentence may hold that masking must take out again.
CONTACTS = ("{order}", "{mail}", "{phone}")

# All ways to say a pattern; a pattern is drawn first, then one of its ways.
Ways = tuple[tuple[str, ...], ...]
# Ways of bad, middling and good tone, in this order.
Tones = tuple[Ways, Ways, Ways]

_CHOICE = re.compile(r"\(([^()]*)\)")


@dataclass(frozen=True)
class Phrases:
    """What one language says.

    `short` and `title` are whole texts. `opening`, `closing`, `filler` and `experience` are
    sentences, `aspects` clauses: without a capital at the start and a full stop at the end, so that
    they can be joined. `{thing}` is the product, with its article; `{n}` a number. `things` names
    the products by kind. `contrast` and `addition` join two clauses.
    """

    short: Tones
    title: Tones
    opening: Tones
    closing: Tones
    filler: Ways
    experience: Ways
    aspects: Mapping[str, Tones]
    contrast: tuple[str, ...]
    addition: tuple[str, ...]
    contact: Ways
    things: Mapping[str, str]
    between: str = " "
    stop: str = "."


def ways(patterns: str) -> Ways:
    """Read patterns, one a line; `(a|b)` stands for a or b."""
    lines = [line.strip() for line in patterns.strip().splitlines()]
    return tuple(_ways_of(line) for line in lines)


def tones(bad: str, middling: str, good: str) -> Tones:
    """Read patterns of the three tones."""
    return ways(bad), ways(middling), ways(good)


def things(names: str) -> dict[str, str]:
    """Read the names of all kinds of products, `a|b|c` in the order of `KINDS`."""
    return dict(zip(KINDS, names.replace("\n", "").split("|"), strict=True))


def _ways_of(line: str) -> tuple[str, ...]:
    parts = _CHOICE.split(line)
    # Every second part is what stood in parentheses.
    choices = [part.split("|") if place % 2 else [part] for place, part in enumerate(parts)]
    return tuple("".join(chosen) for chosen in product(*choices))
