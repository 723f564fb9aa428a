"""How soon a customer orders again: a law whose every term is in the history of orders.

After an order the wish to come back starts from a level and fades; as it fades for good, so does
the customer. The level follows from the orders so far, the share of them that had a discount and
the tenure. Nothing about it is hidden, so a model that sees the history can come close to it.

Times are days of mean traffic since the start of the period (`Calendar.traffic` times days): a busy
month is a longer one.
"""

from dataclasses import dataclass, fields

import numpy as np

from customer_insights.sample.columns import Bools, Floats, Ints

# Orders a day right after an order, without any of the effects below.
ORDERS_PER_DAY = 0.014

# Days in which the wish to come back falls to a third (1 / e).
FADING_DAYS = 80.0

# Effects on the log of the level. Orders and tenure saturate: half of their effect is reached at
# the numbers below.
EARLIER_ORDERS = 0.4
HALF_EARLIER_ORDERS = 1.0
TENURE = 1.6
HALF_TENURE_DAYS = 300.0
DISCOUNTED = -5.0


@dataclass(frozen=True)
class Demand:
    """Where customers stand after their latest order; each array has one value a customer.

    `since` is the time of that order and `level` the orders a day right after it, zero before a
    first order.
    """

    orders: Ints
    discounted: Ints
    since: Floats
    level: Floats

    @classmethod
    def none(cls, people: int) -> "Demand":
        """Nobody has ordered yet."""
        count = np.zeros(people, np.int64)
        return cls(count, count.copy(), np.zeros(people), np.zeros(people))

    def put(self, rows: Ints, other: "Demand") -> None:
        """Replace the demand of some customers."""
        for field in fields(self):
            getattr(self, field.name)[rows] = getattr(other, field.name)

    def after_order(self, time: Floats, is_discounted: Bools, tenure_days: Floats) -> "Demand":
        """Where the customers stand after one more order."""
        orders = self.orders + 1
        discounted = self.discounted + is_discounted
        effect = (
            EARLIER_ORDERS * self.orders / (self.orders + HALF_EARLIER_ORDERS)
            + TENURE * tenure_days / (tenure_days + HALF_TENURE_DAYS)
            + DISCOUNTED * discounted / orders
        )
        return Demand(orders, discounted, time, ORDERS_PER_DAY * np.exp(effect))

    def hazard(self, start: Floats, end: Floats) -> Floats:
        """Orders to be expected between two times if none comes: the cumulated hazard of one."""
        return self.level * FADING_DAYS * (self._wish(start) - self._wish(end))

    def time_of(self, start: Floats, hazard: Floats) -> Floats:
        """When so much hazard has passed since a time; infinite where it never does."""
        with np.errstate(divide="ignore", invalid="ignore"):
            left = self._wish(start) - hazard / (self.level * FADING_DAYS)
            time: Floats = np.where(
                left > 0, self.since - FADING_DAYS * np.log(np.maximum(left, 0.0)), np.inf
            )
        return time

    def _wish(self, time: Floats) -> Floats:
        """What is left at a time of the wish to come back, 1 right after the order."""
        wish: Floats = np.exp(-(time - self.since) / FADING_DAYS)
        return wish
