"""Visits to the shop: what is looked at, and what the session row shows."""

from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa

from customer_insights.sample.calendar import Calendar
from customer_insights.sample.columns import Bools, Floats, Ints, choice, ids, rows_of
from customer_insights.sample.config import DAY, HOUR
from customer_insights.sample.people import BLOCK_PEOPLE, CHANNEL_WEIGHTS, People
from customer_insights.sample.products import Products
from customer_insights.sample.scenarios import Campaign

MAX_VISITS = 400

# No session of a visitor starts before the previous one is over, so what a session "already" had
# behind it is never in doubt.
MAX_SESSION_SECONDS = 6 * HOUR
MAX_PRODUCT_SECONDS = 4 * HOUR
MAX_SIDE_SECONDS = HOUR - 1
MIN_SECONDS = 5

# Durations are counted in tenths of a second.
TENTHS = 10

# Room for the ids of one block: about ten times as many visits as its people make by default.
IDS_PER_BLOCK = 50 * BLOCK_PEOPLE

VISITOR_TYPES = ("Returning_Visitor", "New_Visitor", "Other")
RETURNING, NEW, OTHER = range(3)
OTHER_SHARE = 0.01

# Of the visits: a product stands out. In the others there is no product to show, nor a rating.
STANDS_OUT_SHARE = 0.97

# Of phones, which is an operating system, pages are slower.
PHONE = 3
PHONE_LOAD_MS, OTHER_LOAD_MS, MAX_LOAD_MS = 1900, 1400, 15_000

INFORMATIONAL_SECONDS, MAX_INFORMATIONAL = 60.0, 24

LAYOUTS = ("grid", "list", "gallery")

# The highest exit rate that the source data knows, seen where a visit has a single page.
MAX_EXIT_RATE = 0.2


@dataclass(frozen=True)
class Sessions:
    """Sessions of one block in order of person, then time; each array has one value a session.

    `number` counts sessions of the block in order of time. Seconds count from the start of the
    period; durations are tenths of a second. A load time or product of -1 was not recorded.
    """

    number: Ints
    person: Ints
    visit: Ints
    seconds: Ints
    previous_seconds: Ints
    administrative: Ints
    administrative_tenths: Ints
    informational: Ints
    informational_tenths: Ints
    product_related: Ints
    product_tenths: Ints
    bounce_rates: Floats
    exit_rates: Floats
    special_day: Floats
    month: Ints
    operating_system: Ints
    browser: Ints
    region: Ints
    traffic_type: Ints
    visitor_type: Ints
    is_weekend: Bools
    page_load_ms: Ints
    product: Ints
    layout: Ints
    rating_cents: Ints

    def __len__(self) -> int:
        """Count the sessions."""
        return len(self.number)

    @property
    def total_tenths(self) -> Ints:
        """Length of each session in tenths of a second."""
        return self.administrative_tenths + self.informational_tenths + self.product_tenths


@dataclass(frozen=True)
class Behaviour:
    """What the people of some visits do that decides whether they buy; one value a visit."""

    interest: Floats
    pages: Ints
    product_tenths: Ints
    exit_rates: Floats
    traffic_type: Ints
    page_load_ms: Ints


def draw_behaviour(random: np.random.Generator, people: People, person: Ints) -> Behaviour:
    """Draw what people do in a visit each; it depends on who they are, not on when they come."""
    size = len(person)
    interest = people.engagement[person] + random.normal(0.0, 0.9, size)
    pages = np.clip(random.poisson(np.exp(2.7 + 0.85 * interest)), 1, 400)
    pace = random.lognormal(3.55, 0.45, size)
    seconds = np.where(pages > 1, pages * pace, pace / 4)
    exit_rates: Floats = np.minimum(
        0.008 + 0.22 / (0.5 + pages**0.75) * random.lognormal(0.0, 0.5, size), MAX_EXIT_RATE
    )
    return Behaviour(
        interest=interest,
        pages=pages,
        product_tenths=_tenths(np.clip(seconds, MIN_SECONDS, MAX_PRODUCT_SECONDS)),
        exit_rates=exit_rates.round(4),
        traffic_type=_traffic_types(random, people.channel[person]),
        page_load_ms=_page_loads(random, people.operating_system[person]),
    )


def draw_sessions(
    random: np.random.Generator,
    calendar: Calendar,
    people: People,
    products: Products,
    *,
    person: Ints,
    visit: Ints,
    seconds: Ints,
    previous_seconds: Ints,
    product: Ints,
) -> Sessions:
    """Draw a session for each visit; `number` is not known yet.

    Args:
        random: stream to draw from.
        calendar: days of the period.
        people: people of the block.
        products: the assortment.
        person: whose visit it is.
        visit: how many visits of the person came before.
        seconds: when it starts.
        previous_seconds: when the person's visit before started, -1 for none.
        product: what the visit is about.

    """
    size = len(person)
    day = seconds // DAY
    does = draw_behaviour(random, people, person)
    side_interest = np.exp(0.5 * does.interest) * (does.pages > 1)
    administrative = np.where(
        random.random(size) < 0.6, np.minimum(random.poisson(3.2 * side_interest), 27), 0
    )
    informational = np.where(
        random.random(size) < 0.3,
        np.minimum(random.poisson(1.3 * side_interest), MAX_INFORMATIONAL),
        0,
    )
    bounces = random.random(size) < 0.55
    bounce_rates = does.exit_rates * np.where(
        does.pages == 1, 1.0, bounces * random.beta(1.2, 2.5, size)
    )
    stands_out = random.random(size) < STANDS_OUT_SHARE
    return Sessions(
        number=np.full(size, -1),
        person=person,
        visit=visit,
        seconds=seconds,
        previous_seconds=previous_seconds,
        administrative=administrative,
        administrative_tenths=_side_tenths(random, administrative, 34.0),
        informational=informational,
        informational_tenths=_side_tenths(random, informational, INFORMATIONAL_SECONDS),
        product_related=does.pages,
        product_tenths=does.product_tenths,
        bounce_rates=np.minimum(np.round(bounce_rates, 4), does.exit_rates),
        exit_rates=does.exit_rates,
        special_day=calendar.special_day[day],
        month=calendar.month[day],
        operating_system=people.operating_system[person],
        browser=people.browser[person],
        region=people.region[person],
        traffic_type=does.traffic_type,
        visitor_type=_visitor_types(random, people.is_familiar[person] | (visit > 0)),
        is_weekend=calendar.is_weekend[day],
        page_load_ms=does.page_load_ms,
        product=np.where(stands_out, product, -1),
        layout=choice(random, (50, 30, 20), size),
        rating_cents=np.where(stands_out, products.rating_cents[product], 0),
    )


def with_campaign(
    random: np.random.Generator, sessions: Sessions, campaign: Campaign, begins_seconds: int
) -> Sessions:
    """Sessions of which some from a time on are of a campaign.

    Args:
        random: stream to draw from; as much is drawn whenever the campaign begins.
        sessions: sessions as they would have been.
        campaign: what its visits are like.
        begins_seconds: when it begins, in seconds from the start of the period.

    """
    size = len(sessions)
    is_reached = (random.random(size) < campaign.share) & (sessions.seconds >= begins_seconds)
    takes_phone = is_reached & (random.random(size) < campaign.phone_share)
    is_slower = takes_phone & (sessions.operating_system != PHONE) & (sessions.page_load_ms >= 0)
    informational = np.minimum(
        sessions.informational + random.poisson(campaign.informational_pages, size),
        MAX_INFORMATIONAL,
    )
    changed = {
        "operating_system": np.where(takes_phone, PHONE, sessions.operating_system),
        "page_load_ms": np.where(
            is_slower,
            np.minimum(sessions.page_load_ms * PHONE_LOAD_MS // OTHER_LOAD_MS, MAX_LOAD_MS),
            sessions.page_load_ms,
        ),
    }
    drawn = {
        "traffic_type": 1 + choice(random, campaign.channel_weights, size),
        "region": 1 + choice(random, campaign.region_weights, size),
        "browser": 1 + choice(random, campaign.browser_weights, size),
        "informational": informational,
        "informational_tenths": _side_tenths(random, informational, INFORMATIONAL_SECONDS),
    }
    for name, values in drawn.items():
        changed[name] = np.where(is_reached, values, getattr(sessions, name))
    return replace(sessions, **changed)


def in_order(sessions: Sessions) -> tuple[Sessions, Ints]:
    """Put sessions in order of person, then time, and number them in order of time.

    Returns:
        The sessions, and where each row of them was before.

    """
    rows = np.lexsort((sessions.seconds, sessions.person))
    number = np.empty(len(rows), np.int64)
    number[np.argsort(sessions.seconds[rows], kind="stable")] = np.arange(len(rows))
    return replace(rows_of(sessions, rows), number=number), rows


def session_ids(
    block: int, sessions: Sessions, rows: Ints, present: Bools | None = None
) -> pa.Array:
    """Ids of the sessions at `rows` (-1 for none); null where `present` is false."""
    return ids("s", block * IDS_PER_BLOCK + np.append(sessions.number, 0)[rows], present)


def _tenths(seconds: Floats) -> Ints:
    return np.round(seconds * TENTHS).astype(np.int64)


def _side_tenths(random: np.random.Generator, pages: Ints, typical_seconds: float) -> Ints:
    """Durations of pages that sell nothing."""
    seconds = pages * typical_seconds * random.lognormal(0.0, 0.6, len(pages))
    return _tenths(np.minimum(seconds, MAX_SIDE_SECONDS))


def _traffic_types(random: np.random.Generator, channel: Ints) -> Ints:
    """Draw the person's usual channel in most sessions, any in the rest."""
    other = 1 + choice(random, CHANNEL_WEIGHTS, len(channel))
    return np.where(random.random(len(channel)) < 0.7, channel, other)


def _visitor_types(random: np.random.Generator, has_been_here: Bools) -> Ints:
    """Say new or returning as the visitor is; a few are unknown because a browser hides it."""
    known = np.where(has_been_here, RETURNING, NEW)
    return np.where(random.random(len(known)) < OTHER_SHARE, OTHER, known)


def _page_loads(random: np.random.Generator, operating_system: Ints) -> Ints:
    """Milliseconds; slower on phones, sometimes not recorded."""
    typical = np.where(operating_system == PHONE, float(PHONE_LOAD_MS), float(OTHER_LOAD_MS))
    load = np.round(typical * random.lognormal(0.0, 0.45, len(typical))).astype(np.int64)
    return np.where(random.random(len(load)) < 0.02, -1, np.minimum(load, MAX_LOAD_MS))
