"""The life of a block of people: visits, purchases, and what these change in later ones.

What somebody buys decides when they come back, what they look at next, and how likely they buy
then. So people are followed through the period contact by contact; they are independent, and one
step decides the n-th contact of everybody.
"""

from dataclasses import dataclass

import numpy as np

from customer_insights.sample.calendar import Calendar
from customer_insights.sample.columns import Bools, Floats, Ints, joined, rows_of
from customer_insights.sample.config import DAY, ShopConfig, ShopConfigError, Step
from customer_insights.sample.demand import Demand
from customer_insights.sample.outcomes import (
    MAX_LINES,
    Outcomes,
    Purchases,
    behaviour_logit,
    earlier_orders_share,
    occasion_logit,
    purchase_logit,
    rating_logit,
)
from customer_insights.sample.people import NEVER, People
from customer_insights.sample.products import Products
from customer_insights.sample.scenarios import EFFECTS
from customer_insights.sample.sessions import (
    IDS_PER_BLOCK,
    MAX_SESSION_SECONDS,
    MAX_VISITS,
    STANDS_OUT_SHARE,
    TENTHS,
    Sessions,
    draw_behaviour,
    draw_sessions,
    in_order,
    with_campaign,
)
from customer_insights.sample.tastes import Tastes, pick

# Before a first order, calls for one visit.
CALLS_PER_VISIT = 0.15

# Visits are proposed more often than they happen, by the share that makes room for what is known
# only then (the day, the product): a proposal is taken up the less, the likelier it is to buy.
TAKEN_UP = 0.6

# Made-up visits from which a person's mean purchase probability is learned.
REHEARSALS = 64
EASE_LOGITS = np.arange(-4.0, 4.5, 0.5)


@dataclass(frozen=True)
class Steps:
    """Visits that happened, and calls, in the order of the steps; one value a contact.

    `session` is the place of the visit among all visits, -1 for a call. `would_buy` is the outcome
    by the effects and visits that the shop began with, `buys` by those of the day: they differ only
    where a scenario changes either. What people do next follows from the former, so that a scenario
    draws the same numbers and nothing changes before it begins. `placed` is when an order is placed
    or would be, in seconds. `lines` are its products, the main one first, -1 after the last.
    """

    person: Ints
    session: Ints
    placed: Ints
    would_buy: Bools
    buys: Bools
    lines: Ints
    is_discounted: Bools


@dataclass(frozen=True)
class Lives:
    """What the people of a block did, and where the customers stood after each order they placed.

    `demand` has one row for each step that would buy, in the order of `steps`. `ease` has one row
    a person: the mean purchase probability of a visit, for each of `EASE_LOGITS` added to its
    log-odds (zero for who never ordered).
    """

    sessions: Sessions
    probability: Floats
    steps: Steps
    demand: Demand
    ease: Floats


def go_shopping(
    config: ShopConfig, calendar: Calendar, people: People, products: Products, block: int
) -> tuple[Sessions, Outcomes]:
    """All sessions of the people of one block, and what came of them.

    Raises:
        ShopConfigError: the period is so long that a block has more visits than ids.

    """
    lives = follow(config, calendar, people, products, block)
    sessions, rows = in_order(lives.sessions)
    if len(sessions) > IDS_PER_BLOCK:
        raise ShopConfigError(f"days must be fewer: {config.days} have more visits than ids.")
    row_of = np.empty(len(rows) + 1, np.int64)
    row_of[rows], row_of[-1] = np.arange(len(rows)), -1
    is_order = lives.steps.buys
    purchases = Purchases(
        person=lives.steps.person[is_order],
        session=row_of[lives.steps.session[is_order]],
        seconds=lives.steps.placed[is_order],
        lines=lives.steps.lines[is_order],
        is_discounted=lives.steps.is_discounted[is_order],
    )
    # A phone order and a visit of others can fall on the same second.
    purchases = rows_of(purchases, np.lexsort((purchases.person, purchases.seconds)))
    is_purchase = np.zeros(len(sessions), bool)
    is_purchase[purchases.session[purchases.session >= 0]] = True

    first_purchase = np.full(len(people), NEVER)
    np.minimum.at(first_purchase, sessions.person[is_purchase], sessions.visit[is_purchase])
    joins = np.minimum(people.joins_at_visit, first_purchase)
    visits = np.bincount(sessions.person, minlength=len(people))
    sign_up_visit = np.where(people.is_known, -1, np.where(joins < visits, joins, NEVER))
    return sessions, Outcomes(
        probability=lives.probability[rows],
        is_purchase=is_purchase,
        is_signed_up=sessions.visit >= sign_up_visit[sessions.person],
        sign_up_visit=sign_up_visit,
        purchases=purchases,
    )


def follow(
    config: ShopConfig, calendar: Calendar, people: People, products: Products, block: int
) -> Lives:
    """Follow everybody through the period.

    Everything that is random is drawn for every contact, whatever comes of it, so that a scenario
    in which less is bought draws the same numbers.
    """
    walk = _Walk(config, calendar, people, products, block)
    while len(walk.active):
        walk.step()
    return walk.lives()


class _Walk:
    """Where everybody stands after the contacts so far; `active` are those who may have another."""

    def __init__(
        self,
        config: ShopConfig,
        calendar: Calendar,
        people: People,
        products: Products,
        block: int,
    ) -> None:
        size = len(people)
        self._config = config
        self._calendar = calendar
        self._people = people
        self._products = products
        self._random = {
            step: config.random(step, block)
            for step in (
                *(Step.VISITS, Step.SESSIONS, Step.OUTCOMES, Step.BASKETS, Step.EASE),
                Step.CAMPAIGN,
            )
        }
        self._tastes = Tastes.of(calendar, people, products)
        self._demand = Demand.none(size)
        self._bought = np.zeros(size, np.int64)
        self._ease = np.zeros((size, len(EASE_LOGITS)))
        self._arrival = people.arrival * config.days
        self._time = self._arrival.copy()
        self._visits = np.zeros(size, np.int64)
        self._seconds = np.full(size, -1)
        self._sessions: list[Sessions] = []
        self._probability: list[Floats] = []
        self._steps: list[Steps] = []
        self._demands: list[Demand] = []
        self._session_count = 0
        self._is_first_step = True
        self.active = np.arange(size)

    def step(self) -> None:
        """Follow those who are active to their next contact; who has none is active no longer."""
        time, is_call, share = self._next_contacts()
        is_within = time < self._config.days
        person, time = self.active[is_within], time[is_within]
        is_call, share = is_call[is_within], share[is_within]
        self._time[person] = time
        seconds = self._calendar.seconds_at(time / self._config.days)
        wants = self._tastes.probabilities(person, seconds)
        happens = is_call | (
            (share < self._taken_up(person, seconds, wants))
            & (
                (self._visits[person] == 0)
                | (seconds - self._seconds[person] >= MAX_SESSION_SECONDS)
            )
        )
        self._have_contacts(person[happens], seconds[happens], is_call[happens], wants[happens])
        self.active = person[self._visits[person] < MAX_VISITS]

    def lives(self) -> Lives:
        """What has come of everything."""
        return Lives(
            sessions=joined(self._sessions),
            probability=np.concatenate(self._probability),
            steps=joined(self._steps),
            demand=joined(self._demands),
            ease=self._ease,
        )

    def _next_contacts(self) -> tuple[Floats, Bools, Floats]:
        """When the active come next or propose to, whether they call, and a number to decide by."""
        random, person = self._random[Step.VISITS], self.active
        hazard = random.exponential(size=len(person))
        calls, share = random.random(len(person)), random.random(len(person))
        phone = self._people.phone_share[person]

        # Before a first order: visits that fade since the arrival; newcomers arrive with a visit.
        per_day, fading = self._people.visits_per_day[person], self._people.fading_days[person]
        passed = self._time[person] - self._arrival[person]
        left = np.exp(-passed / fading) - hazard / (per_day * fading)
        with np.errstate(divide="ignore"):
            visits_at = self._arrival[person] - fading * np.log(np.maximum(left, 0.0))
        if self._is_first_step:
            visits_at = np.where(self._people.is_known[person], visits_at, self._time[person])
            self._is_first_step = False

        # After it: as many visits for an order as it takes the person.
        has_ordered = self._demand.orders[person] > 0
        ease = np.where(has_ordered, self._least_ease(person), 1.0)
        contacts = (1 - phone) / ease + phone
        with np.errstate(divide="ignore", invalid="ignore"):
            returns_at = rows_of(self._demand, person).time_of(
                self._time[person], hazard / contacts
            )
        call_share = np.where(has_ordered, phone / contacts, phone * CALLS_PER_VISIT)
        return np.where(has_ordered, returns_at, visits_at), calls < call_share, share

    def _least_ease(self, person: Ints) -> Floats:
        """Purchase probability of a visit, lower than it may turn out."""
        return (
            TAKEN_UP
            * mean_probability(self._ease[person], self._order_logit(person)[:, None])[:, 0]
        )

    def _order_logit(self, person: Ints) -> Floats:
        return EFFECTS.earlier_orders * earlier_orders_share(self._demand.orders[person])

    def _taken_up(self, person: Ints, seconds: Ints, wants: Floats) -> Floats:
        """Share of the proposed visits that happen, so that orders come as the demand says."""
        day = seconds // DAY
        logit = self._order_logit(person) + occasion_logit(
            EFFECTS,
            days_since=np.where(
                self._visits[person] > 0, (seconds - self._seconds[person]) / DAY, np.inf
            ),
            is_weekend=self._calendar.is_weekend[day],
            special_day=self._calendar.special_day[day],
        )
        ease = (wants * ease_by_product(self._ease[person], logit, self._products)).sum(axis=1)
        has_ordered = self._demand.orders[person] > 0
        return np.where(
            has_ordered, self._least_ease(person) / np.where(has_ordered, ease, 1.0), 1.0
        )

    def _have_contacts(self, person: Ints, seconds: Ints, is_call: Bools, wants: Floats) -> None:
        size = len(person)
        draw = self._random[Step.OUTCOMES].random(size)
        baskets = self._random[Step.BASKETS]
        main = pick(wants, baskets.random(size))
        lines = self._lines(person, wants, main)
        is_discounted = baskets.random(size) < self._people.bargain[person]
        placed_share = 0.5 + baskets.random(size) / 2

        rows = np.flatnonzero(~is_call)
        visitor = person[rows]
        as_before = draw_sessions(
            self._random[Step.SESSIONS],
            self._calendar,
            self._people,
            self._products,
            person=visitor,
            visit=self._visits[visitor],
            seconds=seconds[rows],
            previous_seconds=self._seconds[visitor],
            product=main[rows],
        )
        sessions = self._of_the_day(as_before)
        would_buy, buys = is_call.copy(), is_call.copy()
        would, probability = self._probabilities(as_before, sessions)
        would_buy[rows], buys[rows] = draw[rows] < would, draw[rows] < probability
        # An order is placed in the second half of its session, at the latest with its last page.
        would_place, placed = seconds.copy(), seconds.copy()
        for at, made in ((would_place, as_before), (placed, sessions)):
            length = made.total_tenths // TENTHS
            at[rows] += np.maximum(1, (length * placed_share[rows]).astype(np.int64))

        session = np.full(size, -1)
        session[rows] = self._session_count + np.arange(len(rows))
        self._session_count += len(rows)
        self._visits[visitor] += 1
        self._seconds[visitor] = seconds[rows]
        self._bought[person] += buys
        self._sessions.append(sessions)
        self._probability.append(probability)
        self._steps.append(Steps(person, session, placed, would_buy, buys, lines, is_discounted))
        self._have_ordered(
            person[would_buy], would_place[would_buy], lines[would_buy], is_discounted[would_buy]
        )

    def _of_the_day(self, as_before: Sessions) -> Sessions:
        """Visits as the scenario has them, of visits as the shop began with."""
        campaign = self._config.rules.later_campaign
        if campaign is None:
            return as_before
        random = self._random[Step.CAMPAIGN]
        return with_campaign(random, as_before, campaign, self._config.changes_seconds)

    def _probabilities(self, as_before: Sessions, sessions: Sessions) -> tuple[Floats, Floats]:
        """Purchase probabilities as the shop began, and those of the day."""
        before = purchase_logit(as_before, EFFECTS) + self._order_logit(as_before.person)
        rules = self._config.rules
        if rules.later_effects is None and rules.later_campaign is None:
            probability = probability_of(before)
            return probability, probability
        later = rules.later_effects or EFFECTS
        earlier = earlier_orders_share(self._bought[sessions.person])
        of_the_day = np.where(
            sessions.seconds >= self._config.changes_seconds,
            purchase_logit(sessions, later) + later.earlier_orders * earlier,
            before,
        )
        return probability_of(before), probability_of(of_the_day)

    def _lines(self, person: Ints, wants: Floats, main: Ints) -> Ints:
        """Products of the order that each contact would place; none is on two lines."""
        random, size = self._random[Step.BASKETS], len(person)
        count = np.minimum(1 + random.poisson(self._people.basket[person]), MAX_LINES)
        position = random.random((size, MAX_LINES - 1))
        lines = np.full((size, MAX_LINES), -1)
        lines[:, 0] = main
        also = self._tastes.companions(wants, main)
        for place in range(1, MAX_LINES):
            rows = np.flatnonzero(count > place)
            lines[rows, place] = pick(also[rows], position[rows, place - 1])
            also[rows, lines[rows, place]] = 0.0
        return lines

    def _have_ordered(self, person: Ints, placed: Ints, lines: Ints, is_discounted: Bools) -> None:
        tenure_days = (
            placed / DAY
            + self._people.days_signed_up_before[person] * self._people.is_known[person]
            - self._calendar.seconds_at(self._people.arrival[person]) / DAY
        )
        first = person[self._demand.orders[person] == 0]
        self._ease[first] = self._rehearsed(first)
        after = rows_of(self._demand, person).after_order(
            self._time[person], is_discounted, tenure_days
        )
        self._demand.put(person, after)
        self._demands.append(after)
        row, place = np.nonzero(lines >= 0)
        self._tastes.is_bought[person[row], lines[row, place]] = True

    def _rehearsed(self, person: Ints) -> Floats:
        """Mean purchase probability of made-up visits, for each of `EASE_LOGITS`."""
        visitor = np.repeat(person, REHEARSALS)
        does = draw_behaviour(self._random[Step.EASE], self._people, visitor)
        logit = behaviour_logit(
            EFFECTS,
            pages=does.pages,
            product_tenths=does.product_tenths,
            exit_rates=does.exit_rates,
            page_load_ms=does.page_load_ms,
            traffic_type=does.traffic_type,
        ).reshape(len(person), REHEARSALS)
        means = [probability_of(logit + added).mean(axis=1) for added in EASE_LOGITS]
        return np.column_stack(means)


def ease_by_product(ease: Floats, logit: Floats, products: Products) -> Floats:
    """Mean purchase probability of a visit (row) that is about a product (column)."""
    rated = logit[:, None] + rating_logit(EFFECTS, products.rating_cents / 100)
    shown = mean_probability(ease, rated)
    hidden = mean_probability(ease, logit[:, None])
    mean: Floats = STANDS_OUT_SHARE * shown + (1 - STANDS_OUT_SHARE) * hidden
    return mean


def mean_probability(ease: Floats, logit: Floats) -> Floats:
    """Mean purchase probability at log-odds (any number of columns) between the `EASE_LOGITS`."""
    place = np.clip(
        (logit - EASE_LOGITS[0]) / (EASE_LOGITS[1] - EASE_LOGITS[0]), 0, len(EASE_LOGITS) - 1.001
    )
    below = place.astype(np.int64)
    row = np.arange(len(ease))[:, None]
    low, high = ease[row, below], ease[row, below + 1]
    mean: Floats = low + (high - low) * (place - below)
    return mean


def probability_of(logit: Floats) -> Floats:
    """Probability of log-odds."""
    probability: Floats = 1 / (1 + np.exp(-logit))
    return probability
