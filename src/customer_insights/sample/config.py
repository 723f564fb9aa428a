"""Settings of the sample shop and the random streams that follow from them."""

from dataclasses import dataclass
from datetime import date
from enum import IntEnum

import numpy as np

from customer_insights.sample.scenarios import SCENARIOS, Scenario

MAX_DAYS = 3660
MAX_SCALE = 10_000.0
SEED_LIMIT = 2**32

DAYS_PER_YEAR = 366
# A year and a half: customers are looked at for 90 days on, in training, validation and test.
DEFAULT_DAYS = 550
HOUR = 3600
DAY = 24 * HOUR


class ShopConfigError(ValueError):
    """A setting of the sample shop is out of range; the message is one sentence."""


class Step(IntEnum):
    """The parts of the shop that draw random numbers, each from a stream of its own.

    Separate streams keep a change in one part (a new phrase in a review, say) from moving
    every number that is drawn after it.
    """

    PRODUCTS = 0
    PEOPLE = 1
    SESSIONS = 2
    OUTCOMES = 3
    ORDERS = 4
    REVIEWS = 5
    PAGE_VALUES = 6
    VISITS = 7
    BASKETS = 8
    EASE = 9
    TEXTS = 10
    CAMPAIGN = 11


@dataclass(frozen=True)
class ShopConfig:
    """What to generate.

    Args:
        seed: whole number in [0, 2**32); the same settings always give the same shop.
        scale: size of the shop; 1.0 is about 13,000 sessions a year.
        start_on: first day of the period.
        days: length of the period in days.
        scenario: a name in `SCENARIOS`.
        changes_on: a day of the period, from which on visits are what the scenario makes of them;
            None: the first after two thirds of it.

    Raises:
        ShopConfigError: a setting is out of range.

    """

    seed: int = 20240101
    scale: float = 1.0
    start_on: date = date(2023, 7, 1)
    days: int = DEFAULT_DAYS
    scenario: str = "none"
    changes_on: date | None = None

    def __post_init__(self) -> None:
        """Refuse settings that are out of range."""
        if not 0 <= self.seed < SEED_LIMIT:
            raise ShopConfigError(f"seed must be in [0, {SEED_LIMIT}), not {self.seed}.")
        if not 0 < self.scale <= MAX_SCALE:
            raise ShopConfigError(f"scale must be in (0, {MAX_SCALE:g}], not {self.scale:g}.")
        if not 1 <= self.days <= MAX_DAYS:
            raise ShopConfigError(f"days must be in [1, {MAX_DAYS}], not {self.days}.")
        if not 1970 <= self.start_on.year <= 2080:
            raise ShopConfigError(
                f"start_on must be in the years 1970 to 2080, not {self.start_on.isoformat()}."
            )
        if self.scenario not in SCENARIOS:
            known = ", ".join(SCENARIOS)
            raise ShopConfigError(f"scenario must be one of {known}, not {self.scenario!r}.")
        if self.changes_on and not 0 <= (self.changes_on - self.start_on).days < self.days:
            raise ShopConfigError(
                f"changes_on must be a day of the period, not {self.changes_on.isoformat()}."
            )

    @property
    def rules(self) -> Scenario:
        """The scenario that `scenario` names."""
        return SCENARIOS[self.scenario]

    @property
    def starts_at(self) -> np.datetime64:
        """Midnight before the first day, in seconds."""
        return np.datetime64(self.start_on, "s")

    @property
    def ends_at(self) -> np.datetime64:
        """Midnight after the last day, in seconds: no session starts at or after it."""
        return self.starts_at + np.timedelta64(self.seconds, "s")

    @property
    def loaded_at(self) -> np.datetime64:
        """When every row was loaded: one day after the period, so that no event is later."""
        return self.ends_at + np.timedelta64(DAY, "s")

    @property
    def seconds(self) -> int:
        """Length of the period in seconds."""
        return self.days * DAY

    @property
    def label_ends_seconds(self) -> int:
        """Sessions that start this many seconds into the period, or later, have no label yet."""
        ends = self.seconds - self.rules.label_delay_hours * HOUR
        if self.changes_on and self.rules.hides_unlabelled_orders:
            return min(ends, self.changes_seconds)
        return ends

    @property
    def changes_seconds(self) -> int:
        """Where in the period later visits begin: at a midnight."""
        if self.changes_on:
            return (self.changes_on - self.start_on).days * DAY
        return self.days * 2 // 3 * DAY

    @property
    def years(self) -> float:
        """Length of the period in years."""
        return self.days / DAYS_PER_YEAR

    def random(self, step: Step, block: int = 0) -> np.random.Generator:
        """Start the random stream of one step in one block of people."""
        entropy = (self.seed, block)
        return np.random.default_rng(np.random.SeedSequence(entropy, spawn_key=(int(step),)))
