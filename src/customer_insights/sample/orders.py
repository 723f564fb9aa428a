"""Customers, their orders and the lines of the orders, as raw tables."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from customer_insights.sample.columns import (
    Bools,
    Floats,
    Ints,
    choice,
    decimals,
    ids,
    labels,
    table,
    timestamps,
    where,
)
from customer_insights.sample.config import DAY, HOUR, ShopConfig, Step
from customer_insights.sample.contract import AMOUNT
from customer_insights.sample.outcomes import Outcomes
from customer_insights.sample.people import GENDERS, LOCATIONS, NEVER, PLANS, People
from customer_insights.sample.products import MEAN_RATING, Products
from customer_insights.sample.sessions import (
    IDS_PER_BLOCK,
    Sessions,
    session_ids,
)

STATUSES = ("placed", "shipped", "completed", "cancelled", "returned")
PLACED, SHIPPED, COMPLETED, CANCELLED, RETURNED = range(5)
PAYMENT_METHODS = ("card", "paypal", "invoice", "bank_transfer")

PROMOTION_SHARE = 0.12
PROMOTION_PRICE = 0.9
DISCOUNTS = (0.05, 0.10, 0.20)
DISCOUNT_WEIGHTS = (10, 9, 3)

CANCELLED_SHARE = 0.04
RETURNED_SHARE = 0.09
RETURNS_PER_RATING_POINT = -0.08

NOT_YET = -1


@dataclass(frozen=True)
class Orders:
    """Orders of one block in order of time, and their lines in order of order, then line.

    Arrays that start with `line_` have one value a line, the others one an order. `session` is a
    row of the block's sessions, -1 for a phone order; `line_order` is a row of the orders.
    Seconds count from the start of the period; `NOT_YET` in `status_seconds` is no change yet.
    """

    person: Ints
    session: Ints
    seconds: Ints
    delivered_seconds: Ints
    status: Ints
    status_seconds: Ints
    discount_cents: Ints
    payment_method: Ints
    is_payment_known: Bools
    is_visible: Bools
    line_order: Ints
    line_number: Ints
    line_product: Ints
    line_quantity: Ints
    line_unit_cents: Ints

    def __len__(self) -> int:
        """Count the orders."""
        return len(self.person)


def make_orders(
    config: ShopConfig,
    products: Products,
    sessions: Sessions,
    outcomes: Outcomes,
    block: int,
) -> Orders:
    """One order for each session that buys, and the phone orders."""
    random = config.random(Step.ORDERS, block)
    made = outcomes.purchases
    session, person, seconds = made.session, made.person, made.seconds
    order, place = np.nonzero(made.lines >= 0)
    product = made.lines[order, place]
    quantity = 1 + choice(random, (82, 12, 4, 2), len(order))
    is_promoted = random.random(len(order)) < PROMOTION_SHARE
    price = products.price_cents[product] * np.where(is_promoted, PROMOTION_PRICE, 1.0)
    unit_cents = np.round(price).astype(np.int64)
    total = np.bincount(order, quantity * unit_cents, minlength=len(person))
    share = np.array(DISCOUNTS)[choice(random, DISCOUNT_WEIGHTS, len(person))]
    discount = np.where(made.is_discounted, share, 0.0)

    main_rating = products.rating_cents[made.lines[:, 0]] / 100
    delivered_seconds, status, status_seconds = _progress(random, config, seconds, main_rating)
    # A later order by phone would say that all orders before it are here.
    started = np.where(session >= 0, np.append(sessions.seconds, 0)[session], seconds)
    is_unlabelled = started >= config.label_ends_seconds
    return Orders(
        person=person,
        session=session,
        seconds=seconds,
        delivered_seconds=delivered_seconds,
        status=status,
        status_seconds=status_seconds,
        discount_cents=np.round(total * discount).astype(np.int64),
        payment_method=choice(random, (52, 28, 14, 6), len(person)),
        is_payment_known=random.random(len(person)) < 0.99,
        is_visible=~(is_unlabelled & config.rules.hides_unlabelled_orders),
        line_order=order,
        line_number=place + 1,
        line_product=product,
        line_quantity=quantity,
        line_unit_cents=unit_cents,
    )


def customers_table(
    config: ShopConfig, people: People, sessions: Sessions, outcomes: Outcomes
) -> pa.Table:
    """Make the raw table, in key order: everyone who has signed up by the end of the period."""
    rows = np.flatnonzero(outcomes.sign_up_visit != NEVER)
    signs_up = sessions.visit == outcomes.sign_up_visit[sessions.person]
    day = -people.days_signed_up_before
    day[sessions.person[signs_up]] = sessions.seconds[signs_up] // DAY
    tells_gender, tells_age, tells_location, tells_plan = people.tells[:, rows]
    age = people.age[rows]
    return table(
        "customers",
        config,
        {
            "customer_id": ids("c", people.number[rows]),
            "signed_up_on": np.datetime64(config.start_on, "D") + day[rows],
            "gender": labels(GENDERS, people.gender[rows], tells_gender),
            "age": where(tells_age, pa.array(age)),
            "location": labels(LOCATIONS, people.region[rows] - 1, tells_location),
            "plan": labels(PLANS, people.plan[rows], tells_plan),
        },
    )


def orders_table(
    config: ShopConfig,
    people: People,
    sessions: Sessions,
    orders: Orders,
    block: int,
) -> pa.Table:
    """Make the raw table, in key order, which is also the order of time within the block."""
    made = table(
        "orders",
        config,
        {
            "order_id": order_ids(block, np.arange(len(orders))),
            "customer_id": ids("c", people.number[orders.person]),
            "session_id": session_ids(block, sessions, orders.session, orders.session >= 0),
            "ordered_at": timestamps(config, orders.seconds),
            "status": labels(STATUSES, orders.status),
            "status_changed_at": timestamps(
                config, orders.status_seconds, orders.status_seconds != NOT_YET
            ),
            "discount_amount": where(
                orders.discount_cents > 0, decimals(orders.discount_cents, 2, AMOUNT)
            ),
            "payment_method": labels(
                PAYMENT_METHODS, orders.payment_method, orders.is_payment_known
            ),
        },
    )
    return made.filter(pa.array(orders.is_visible))


def order_items_table(
    config: ShopConfig, products: Products, orders: Orders, block: int
) -> pa.Table:
    """Make the raw table, in key order."""
    made = table(
        "order_items",
        config,
        {
            "order_id": order_ids(block, orders.line_order),
            "line_number": orders.line_number,
            "product_id": ids("p", products.number[orders.line_product]),
            "quantity": orders.line_quantity,
            "unit_price_amount": decimals(orders.line_unit_cents, 2, AMOUNT),
        },
    )
    return made.filter(pa.array(orders.is_visible[orders.line_order]))


def order_ids(block: int, rows: Ints) -> pa.Array:
    """Ids of the orders at these rows of a block."""
    return ids("o", block * IDS_PER_BLOCK + rows)


def _progress(
    random: np.random.Generator, config: ShopConfig, seconds: Ints, main_rating: Floats
) -> tuple[Ints, Ints, Ints]:
    """When an order is delivered, its status at the end of the period, and since when.

    A cancelled order is never delivered (`NOT_YET`).
    """
    size = len(seconds)
    cancels = random.random(size) < CANCELLED_SHARE
    cancelled = seconds + random.integers(HOUR, 11 * HOUR, size)
    shipped = seconds + random.integers(12 * HOUR, 60 * HOUR, size)
    delivered = shipped + (random.lognormal(0.9, 0.5, size) * DAY).astype(np.int64)
    share = RETURNED_SHARE + RETURNS_PER_RATING_POINT * (main_rating - MEAN_RATING)
    returns = random.random(size) < share
    returned = delivered + random.integers(3 * DAY, 25 * DAY, size)

    # Later stages overwrite earlier ones, as far as the period lets them happen.
    status = np.full(size, PLACED)
    since = np.full(size, NOT_YET)
    for stage, happens, at in (
        (SHIPPED, ~cancels, shipped),
        (COMPLETED, ~cancels, delivered),
        (RETURNED, ~cancels & returns, returned),
        (CANCELLED, cancels, cancelled),
    ):
        reached = happens & (at < config.seconds)
        status[reached], since[reached] = stage, at[reached]
    return np.where(cancels, NOT_YET, delivered), status, since
