"""Purchase intent, churn, reviews and recommendations for a shop, inside the warehouse."""
