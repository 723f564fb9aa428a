"""When people visit: a busy calendar of days and hours, and closeness to gift days."""

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

from customer_insights.sample.columns import Bools, Floats, Ints
from customer_insights.sample.config import DAY, HOUR, ShopConfig

# The spelling of the UCI Online Shoppers data: June in full, the others cut to three letters.
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "June", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")

MONTH_TRAFFIC = (0.9, 0.9, 1.0, 0.95, 1.15, 0.9, 0.9, 0.9, 0.95, 1.05, 1.3, 1.2)
HOUR_TRAFFIC = (3, 2, 1, 1, 1, 2, 4, 6, 8, 9, 10, 11, 12, 11, 10, 10, 11, 12, 14, 16, 17, 15, 10, 6)
WEEKEND_TRAFFIC = 0.9
GIFT_TRAFFIC = 0.4

# Orders for a gift come in the days before it; later they would not arrive in time.
GIFT_LEAD_DAYS = 5


def gift_days(year: int) -> tuple[date, date, date]:
    """Valentine's Day, Mother's Day (second Sunday of May) and Christmas Eve."""
    may = date(year, 5, 1)
    mothers_day = may + timedelta(days=(6 - may.weekday()) % 7 + 7)
    return date(year, 2, 14), mothers_day, date(year, 12, 24)


def special_day(day: date) -> float:
    """Tell how close the next gift day is: 1.0 on the day, 0.2 less for each day before it."""
    ahead = ((gift - day).days for gift in gift_days(day.year))
    return max(
        (round(1 - n / GIFT_LEAD_DAYS, 1) for n in ahead if 0 <= n < GIFT_LEAD_DAYS), default=0.0
    )


@dataclass(frozen=True)
class Calendar:
    """The days of the period (arrays of length `days`) and the share of traffic before each hour.

    `traffic` has `24 * days + 1` values from 0 to 1; traffic is the clock that visits follow.
    """

    month: Ints
    is_weekend: Bools
    special_day: Floats
    traffic: Floats

    @classmethod
    def of(cls, config: ShopConfig) -> "Calendar":
        """Make the calendar of the configured period."""
        days = [config.start_on + timedelta(days=n) for n in range(config.days)]
        month = np.array([day.month - 1 for day in days])
        is_weekend = np.array([day.weekday() >= 5 for day in days])
        closeness = np.array([special_day(day) for day in days])
        daily = np.array(MONTH_TRAFFIC)[month] * np.where(is_weekend, WEEKEND_TRAFFIC, 1.0)
        daily *= 1 + GIFT_TRAFFIC * closeness
        hourly = np.outer(daily, HOUR_TRAFFIC).ravel()
        traffic = np.r_[0.0, np.cumsum(hourly)] / hourly.sum()
        return cls(month, is_weekend, closeness, traffic)

    def seconds_at(self, traffic: Floats) -> Ints:
        """Seconds since the start of the period at which this share of traffic has passed."""
        hours = np.interp(traffic, self.traffic, np.arange(len(self.traffic)))
        last = len(self.month) * DAY - 1
        return np.minimum((hours * HOUR).astype(np.int64), last)

    def traffic_at(self, seconds: Floats) -> Floats:
        """Share of traffic that has passed at these seconds since the start of the period."""
        return np.interp(seconds / HOUR, np.arange(len(self.traffic)), self.traffic)
