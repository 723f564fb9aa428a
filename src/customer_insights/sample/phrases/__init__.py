"""What reviews say, by language, aspect and tone."""

from customer_insights.sample.phrases import de, en, es, fr, it, ja, pt
from customer_insights.sample.phrases.patterns import ASPECTS, CONTACTS, Phrases, Tones

__all__ = ["ASPECTS", "CONTACTS", "LANGUAGES", "PHRASES", "Phrases", "Tones"]

PHRASES: dict[str, Phrases] = {
    "en": en.PHRASES,
    "es": es.PHRASES,
    "fr": fr.PHRASES,
    "de": de.PHRASES,
    "it": it.PHRASES,
    "pt": pt.PHRASES,
    "ja": ja.PHRASES,
}
LANGUAGES = tuple(PHRASES)
