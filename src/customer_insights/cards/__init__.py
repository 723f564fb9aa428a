"""Model cards: what each champion is for, on what it was trained and how good it is, as pages.

Every figure comes from a table that the project builds, and the page names it. What no table holds
is said to be missing.
"""
