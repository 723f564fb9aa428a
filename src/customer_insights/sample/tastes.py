"""What people want next: the true probability of each product, and draws from it."""

from dataclasses import dataclass

import numpy as np

from customer_insights.sample.calendar import Calendar
from customer_insights.sample.columns import Bools, Floats, Ints
from customer_insights.sample.config import DAY
from customer_insights.sample.people import People
from customer_insights.sample.products import CATEGORIES, Products

# Times as likely as another category's product.
FAVOURITE = 12.0
# How far on a category's shelf a product is from the person's taste, one standard deviation.
PRICE_TOLERANCE = 0.25

# Times as likely as before the person bought it.
AGAIN = 8.0
ONCE_IS_ENOUGH = 0.1

# Times as likely in an order that holds the product's partner, or one of the same category.
PARTNER = 25.0
SAME_CATEGORY = 2.0

# Times as likely in these months (0 is January).
SEASONS: dict[str, tuple[float, tuple[int, ...]]] = {
    "garden": (2.5, (2, 3, 4, 5)),
    "sports": (1.6, (4, 5, 6, 7)),
    "home": (1.4, (8, 9, 10)),
    "toys": (2.5, (10, 11)),
}


@dataclass
class Tastes:
    """What the people of a block like (rows) of all products (columns).

    `weight` is a liking that stays, up to a factor for each person; `is_bought` says what the
    person has bought so far, and changes as they buy.
    """

    weight: Floats
    is_bought: Bools
    season: Floats
    month: Ints
    products: Products

    @classmethod
    def of(cls, calendar: Calendar, people: People, products: Products) -> "Tastes":
        """The tastes of people who have not bought yet."""
        likes = np.where(products.category == people.favourite[:, None], FAVOURITE, 1.0)
        taste = people.price_taste[:, None]
        # Reflected at the ends, so that the cheapest and the dearest product are not left out.
        nearness = sum(
            np.exp(-(((products.position - mirrored) / PRICE_TOLERANCE) ** 2) / 2)
            for mirrored in (taste, -taste, 2 - taste)
        )
        weight = likes * nearness * products.popularity
        season = np.ones((12, len(CATEGORIES)))
        for category, (factor, months) in SEASONS.items():
            season[list(months), CATEGORIES.index(category)] = factor
        return cls(
            weight=weight,
            is_bought=np.zeros(weight.shape, bool),
            season=season[:, products.category],
            month=calendar.month,
            products=products,
        )

    def probabilities(self, person: Ints, seconds: Ints) -> Floats:
        """Probability of each product (column) to be what a visit of the person (row) is about."""
        again = np.where(self.products.is_consumable, AGAIN, ONCE_IS_ENOUGH)
        weight = self.weight[person] * self.season[self.month[seconds // DAY]]
        weight *= np.where(self.is_bought[person], again, 1.0)
        shares: Floats = weight / weight.sum(axis=1, keepdims=True)
        return shares

    def companions(self, probabilities: Floats, main: Ints) -> Floats:
        """Probability of each product for one more line of an order with this main product."""
        rows = np.arange(len(main))
        category = self.products.category
        same = np.where(category == category[main][:, None], SAME_CATEGORY, 1.0)
        weight = probabilities * same
        for partner in self.products.partners[main].T:
            weight[rows, partner] *= PARTNER
        weight[rows, main] = 0.0
        shares: Floats = weight / weight.sum(axis=1, keepdims=True)
        return shares


def pick(probabilities: Floats, position: Floats) -> Ints:
    """The column at a position in [0, 1) of each row's cumulative probability."""
    cumulative = np.cumsum(probabilities, axis=1)
    found = (cumulative <= (position * cumulative[:, -1])[:, None]).sum(axis=1)
    column: Ints = np.minimum(found, probabilities.shape[1] - 1)
    return column
