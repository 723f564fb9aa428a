"""The assortment: products with a category, a price, a popularity, a quality and partners."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from customer_insights.sample.columns import Bools, Floats, Ints, decimals, ids, labels, table
from customer_insights.sample.config import ShopConfig, Step
from customer_insights.sample.contract import AMOUNT

# The same at any scale: what people see, and so what they do, must not depend on the shop's size.
PRODUCT_COUNT = 120
PARTNER_COUNT = 2

MEAN_RATING = 4.0
RATING_SPREAD = 0.45
RATING_RANGE = (2.5, 5.0)

# Category: typical price, and the things it sells.
ASSORTMENT: dict[str, tuple[float, tuple[str, ...]]] = {
    "kitchen": (32.0, ("Kettle", "Pan", "Knife", "Teapot", "Mixing Bowl", "Coffee")),
    "home": (45.0, ("Lamp", "Cushion", "Blanket", "Mirror", "Vase", "Clock")),
    "garden": (28.0, ("Planter", "Trowel", "Lantern", "Watering Can", "Bird House", "Plant Food")),
    "toys": (22.0, ("Puzzle", "Robot", "Board Game", "Kite", "Doll House", "Train")),
    "beauty": (18.0, ("Soap", "Hand Cream", "Candle", "Bath Oil", "Brush", "Shampoo")),
    "sports": (55.0, ("Yoga Mat", "Backpack", "Bottle", "Racket", "Helmet", "Tent")),
    "books": (15.0, ("Cookbook", "Atlas", "Novel", "Diary", "Sketchbook", "Guide")),
    "electronics": (95.0, ("Headphones", "Speaker", "Charger", "Camera", "Keyboard", "Radio")),
}
CATEGORIES = tuple(ASSORTMENT)
# What is used up and bought again; nobody needs the same of anything else twice.
CONSUMABLES = (
    "Coffee",
    "Plant Food",
    "Soap",
    "Hand Cream",
    "Candle",
    "Bath Oil",
    "Shampoo",
    "Diary",
)
STYLES = ("Classic", "Modern", "Small", "Large", "Bright", "Simple", "Vintage", "Travel")


@dataclass(frozen=True)
class Products:
    """All products, ordered by category, then price; each array has one value a product.

    `popularity` is a share of the category, and `position` is where the product stands on its
    category's shelf of popularity, cheap to dear, in [0, 1]. `partners` has `PARTNER_COUNT`
    columns: rows of the products that are often bought together with it.
    """

    number: Ints
    name: pa.Array
    category: Ints
    price_cents: Ints
    rating_cents: Ints
    popularity: Floats
    position: Floats
    is_consumable: Bools
    partners: Ints


def make_products(config: ShopConfig) -> Products:
    """Make the assortment; it depends on the seed alone."""
    random = config.random(Step.PRODUCTS)
    count = PRODUCT_COUNT
    category = np.arange(count) % len(CATEGORIES)
    typical = np.array([price for price, _ in ASSORTMENT.values()])[category]
    # Prices end in .90, as shop prices do.
    price_cents = np.maximum(np.round(typical * random.lognormal(0.0, 0.5, count)), 3) * 100 - 10
    popularity = random.lognormal(0.0, 0.7, count)
    rating = np.clip(random.normal(MEAN_RATING, RATING_SPREAD, count), *RATING_RANGE)
    style = random.integers(len(STYLES), size=count)
    kind = np.arange(count) // len(CATEGORIES)
    partners = random.integers(1, count, size=(count, PARTNER_COUNT))
    name = pa.array(
        f"{STYLES[s]} {ASSORTMENT[CATEGORIES[c]][1][k % 6]} {k // 6 + 1}"
        for s, c, k in zip(style, category, kind, strict=True)
    )

    order = np.lexsort((price_cents, category))
    category, popularity = category[order], popularity[order]
    total = np.bincount(category, popularity)
    popularity /= total[category]
    kinds = [
        ASSORTMENT[CATEGORIES[c]][1][k % 6] for c, k in zip(category, kind[order], strict=True)
    ]
    rows = np.arange(count)
    return Products(
        number=order,
        name=name.take(pa.array(order)),
        category=category,
        price_cents=price_cents[order].astype(np.int64),
        rating_cents=np.round(rating[order] * 100).astype(np.int64),
        popularity=popularity,
        position=np.cumsum(popularity) - category - popularity / 2,
        is_consumable=np.isin(kinds, CONSUMABLES),
        # Never the product itself.
        partners=(rows[:, None] + partners) % count,
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
