"""Purchase intent, churn, reviews and recommendations for a shop, inside the warehouse."""

__version__ = "0.1.0"
