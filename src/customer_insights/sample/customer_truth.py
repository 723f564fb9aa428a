"""What is true of customers on a day: whether they will order, and what."""

from collections.abc import Iterator
from datetime import date

import numpy as np
import pyarrow as pa

from customer_insights.sample.calendar import Calendar
from customer_insights.sample.columns import Ints, ids, rows_of, table
from customer_insights.sample.config import DAY, ShopConfig, ShopConfigError
from customer_insights.sample.contract import CHURN_TRUTH, PRODUCT_TRUTH
from customer_insights.sample.outcomes import earlier_orders_share
from customer_insights.sample.people import People, block_sizes, make_people
from customer_insights.sample.products import Products, make_products
from customer_insights.sample.scenarios import EFFECTS
from customer_insights.sample.shopping import Lives, ease_by_product, follow
from customer_insights.sample.tastes import Tastes


def churn_truth(config: ShopConfig, as_of_on: date, window_days: int) -> Iterator[pa.Table]:
    """Yield the true probability of each customer to order nothing from a day on, by block.

    A row for each customer with an order before `as_of_on`, with the types of
    `CHURN_TRUTH_SCHEMA`, in key order. `no_purchase_probability`, in [0, 1], is the probability
    that no order is placed in `[as_of_on, as_of_on + window_days)`, given the orders before. It is
    a function of what the history shows (number and times of orders, discounts, tenure), so a
    model can come close to it. An order that is cancelled later counts as one. An approximation:
    nobody comes again within six hours, nor more than `MAX_VISITS` times, which is left out here.

    Args:
        config: the shop; its scenario leaves effects and visits as they are.
        as_of_on: first day of the window, midnight of which is the end of the history.
        window_days: length of the window in days, 1 or more.

    Raises:
        ShopConfigError: the window is not within the period, or the scenario changes
            effects or visits.

    """
    start = _seconds_of(config, as_of_on)
    end = start + window_days * DAY
    if window_days < 1 or end > config.seconds:
        raise ShopConfigError(
            f"window_days must be 1 or more and end within the period, not {window_days}."
        )
    calendar = Calendar.of(config)
    products = make_products(config)
    begins, ends = calendar.traffic_at(np.array([start, end], float)) * config.days
    for people, lives in _blocks(config, calendar, products):
        row, person = _latest_orders(lives, start)
        hazard = rows_of(lives.demand, row).hazard(begins, ends)
        yield table(
            CHURN_TRUTH,
            config,
            {
                "customer_id": ids("c", people.number[person]),
                "as_of_on": np.full(len(person), np.datetime64(as_of_on, "D")),
                "no_purchase_probability": np.exp(-hazard),
            },
        )


def product_truth(config: ShopConfig, as_of_on: date) -> Iterator[pa.Table]:
    """Yield the true probability of each product to be what a customer orders next, by block.

    A row for each customer with an order before `as_of_on` and each product, with the types of
    `PRODUCT_TRUTH_SCHEMA`, in key order; a customer's probabilities sum to 1. `probability` is that
    of the main product (line 1) of an order placed on that day, given the orders before: it follows
    from the customer's favourite category and price taste, the products' popularity and rating,
    what is bought again and what once, and the season. The further lines of an order follow the
    main one (`Tastes.companions`). It is that of a working day long after the latest visit: the
    day's own effects shift it by less than a hundredth.

    Args:
        config: the shop; its scenario leaves effects and visits as they are.
        as_of_on: a day of the period.

    Raises:
        ShopConfigError: the day is not within the period, or the scenario changes
            effects or visits.

    """
    start = _seconds_of(config, as_of_on)
    calendar = Calendar.of(config)
    products = make_products(config)
    by_number = np.argsort(products.number)
    for people, lives in _blocks(config, calendar, products):
        row, person = _latest_orders(lives, start)
        tastes = Tastes.of(calendar, people, products)
        steps = rows_of(lives.steps, lives.steps.would_buy)
        order, place = np.nonzero((steps.lines >= 0) & (steps.placed < start)[:, None])
        tastes.is_bought[steps.person[order], steps.lines[order, place]] = True
        wants = tastes.probabilities(person, np.full(len(person), start))
        logit = EFFECTS.earlier_orders * earlier_orders_share(lives.demand.orders[row])
        by_visit = wants * ease_by_product(lives.ease[person], logit, products)
        by_visit /= by_visit.sum(axis=1, keepdims=True)
        by_phone = people.phone_share[person][:, None]
        probability = (1 - by_phone) * by_visit + by_phone * wants
        count = len(products.number)
        yield table(
            PRODUCT_TRUTH,
            config,
            {
                "customer_id": ids("c", np.repeat(people.number[person], count)),
                "as_of_on": np.full(len(person) * count, np.datetime64(as_of_on, "D")),
                "product_id": ids("p", np.tile(products.number[by_number], len(person))),
                "probability": probability[:, by_number].ravel(),
            },
        )


def _seconds_of(config: ShopConfig, as_of_on: date) -> int:
    """Seconds from the start of the period to a day of it."""
    days = (as_of_on - config.start_on).days
    if not 0 <= days < config.days:
        raise ShopConfigError(f"as_of_on must be a day of the period, not {as_of_on.isoformat()}.")
    if config.rules.later_effects or config.rules.later_campaign:
        raise ShopConfigError(
            "What is true of customers is known where effects stay and visits are as before, "
            f"not in {config.scenario}."
        )
    return days * DAY


def _blocks(
    config: ShopConfig, calendar: Calendar, products: Products
) -> Iterator[tuple[People, Lives]]:
    for block, size in enumerate(block_sizes(config)):
        people = make_people(config, block, size)
        yield people, follow(config, calendar, people, products, block)


def _latest_orders(lives: Lives, before: float) -> tuple[Ints, Ints]:
    """Rows of `demand` that are the latest before a time, and their people, in order of person."""
    steps = rows_of(lives.steps, lives.steps.would_buy)
    rows = np.flatnonzero(steps.placed < before)
    rows = rows[np.lexsort((steps.placed[rows], steps.person[rows]))]
    person = steps.person[rows]
    is_last = np.r_[person[1:] != person[:-1], True][: len(person)]
    return rows[is_last], person[is_last]
