"""The assortment: products with a category, a price, a popularity and a quality."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from customer_insights.sample.columns import Floats, Ints, decimals, ids, labels, table
from customer_insights.sample.config import ShopConfig, Step
from customer_insights.sample.contract import AMOUNT

PRODUCT_COUNT = 120
PRODUCT_GROWTH = 0.25

MEAN_RATING = 4.0
RATING_SPREAD = 0.45
RATING_RANGE = (2.5, 5.0)

# Category: typical price, and the things it sells.
ASSORTMENT: dict[str, tuple[float, tuple[str, ...]]] = {
    "kitchen": (32.0, ("Kettle", "Pan", "Knife", "Teapot", "Mixing Bowl", "Grater")),
    "home": (45.0, ("Lamp", "Cushion", "Blanket", "Mirror", "Vase", "Clock")),
    "garden": (28.0, ("Planter", "Trowel", "Lantern", "Watering Can", "Bird House", "Hose")),
    "toys": (22.0, ("Puzzle", "Robot", "Board Game", "Kite", "Doll House", "Train")),
    "beauty": (18.0, ("Soap", "Hand Cream", "Candle", "Bath Oil", "Brush", "Shampoo")),
    "sports": (55.0, ("Yoga Mat", "Backpack", "Bottle", "Racket", "Helmet", "Tent")),
    "books": (15.0, ("Cookbook", "Atlas", "Novel", "Diary", "Sketchbook", "Guide")),
    "electronics": (95.0, ("Headphones", "Speaker", "Charger", "Camera", "Keyboard", "Radio")),
}
CATEGORIES = tuple(ASSORTMENT)
STYLES = ("Classic", "Modern", "Small", "Large", "Bright", "Simple", "Vintage", "Travel")


@dataclass(frozen=True)
class Products:
    """All products, ordered by category, then price; each array has one value a product.

    `shelf` is the cumulative popularity within the category, offset by the category's number,
    so that one sorted search picks a product from any category.
    """

    number: Ints
    name: pa.Array
    category: Ints
    price_cents: Ints
    rating_cents: Ints
    shelf: Floats

    def pick(self, category: Ints, position: Floats) -> Ints:
        """Rows of the products at a position in [0, 1) of each category, cheap to dear."""
        return np.searchsorted(self.shelf, category + position, side="right")


def make_products(config: ShopConfig) -> Products:
    """Make the assortment; it depends on the seed and, slowly, on the scale."""
    random = config.random(Step.PRODUCTS)
    count = max(len(CATEGORIES), round(PRODUCT_COUNT * config.scale**PRODUCT_GROWTH))
    category = np.arange(count) % len(CATEGORIES)
    typical = np.array([price for price, _ in ASSORTMENT.values()])[category]
    # Prices end in .90, as shop prices do.
    price_cents = np.maximum(np.round(typical * random.lognormal(0.0, 0.5, count)), 3) * 100 - 10
    popularity = random.lognormal(0.0, 0.7, count)
    rating = np.clip(random.normal(MEAN_RATING, RATING_SPREAD, count), *RATING_RANGE)
    style = random.integers(len(STYLES), size=count)
    kind = np.arange(count) // len(CATEGORIES)
    name = pa.array(
        f"{STYLES[s]} {ASSORTMENT[CATEGORIES[c]][1][k % 6]} {k // 6 + 1}"
        for s, c, k in zip(style, category, kind, strict=True)
    )

    order = np.lexsort((price_cents, category))
    category, popularity = category[order], popularity[order]
    total = np.bincount(category, popularity)
    before = np.r_[0.0, np.cumsum(total)[:-1]]
    shelf = category + (np.cumsum(popularity) - before[category]) / total[category]
    # Rounding must not let the last product of a category end before the category does.
    last = np.r_[category[1:] != category[:-1], True]
    shelf[last] = category[last] + 1
    return Products(
        number=order,
        name=name.take(pa.array(order)),
        category=category,
        price_cents=price_cents[order].astype(np.int64),
        rating_cents=np.round(rating[order] * 100).astype(np.int64),
        shelf=shelf,
    )


def products_table(config: ShopConfig, products: Products) -> pa.Table:
    """Make the raw table, in key order."""
    made = table(
        "products",
        config,
        {
            "product_id": ids("p", products.number),
            "name": products.name,
            "category": labels(CATEGORIES, products.category),
            "price_amount": decimals(products.price_cents, 2, AMOUNT),
        },
    )
    return made.sort_by("product_id")
