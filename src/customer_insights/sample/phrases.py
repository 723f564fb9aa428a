"""What reviews say, by language, aspect and tone."""

from dataclasses import dataclass

# Sentences of one aspect: bad, middling and good ones, in this order.
Tones = tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]


@dataclass(frozen=True)
class Phrases:
    """The sentences of one language; `{product}` stands for the product's name."""

    title: Tones
    opening: Tones
    product: Tones
    delivery: Tones
    closing: Tones


PHRASES: dict[str, Phrases] = {
    "en": Phrases(
        title=(
            ("Disappointed", "Not worth it", "Never again", "Poor quality", "Waste of money"),
            ("It is fine", "Average", "Could be better", "Does the job", "Mixed feelings"),
            ("Love it", "Excellent", "Great buy", "Highly recommended", "Very happy"),
        ),
        opening=(
            (
                "I regret this purchase.",
                "I expected much more.",
                "This was a letdown.",
                "Not what I was promised.",
                "I am not happy at all.",
            ),
            (
                "It is okay, nothing more.",
                "Neither good nor bad.",
                "I have mixed feelings.",
                "It does what it should.",
                "Fine for the price.",
            ),
            (
                "I am very happy with this.",
                "Exactly what I was looking for.",
                "What a great find!",
                "I would buy it again.",
                "It made my day.",
            ),
        ),
        product=(
            (
                "The {product} broke after a week.",
                "The {product} feels cheap and badly made.",
                "The {product} does not look like the picture.",
                "The {product} stopped working within days.",
                "The {product} arrived with scratches.",
            ),
            (
                "The {product} is decent but not special.",
                "The {product} works, although the finish is rough.",
                "The {product} is smaller than I thought.",
                "The {product} is all right for everyday use.",
                "The {product} could be sturdier.",
            ),
            (
                "The {product} is beautifully made.",
                "The {product} works perfectly.",
                "The {product} feels solid and looks lovely.",
                "The {product} is even better than the picture.",
                "The {product} is worth every cent.",
            ),
        ),
        delivery=(
            (
                "Delivery took far too long.",
                "The parcel came a week late.",
                "Nobody could tell me where my parcel was.",
                "The box was damaged and late.",
            ),
            (
                "Delivery took a few days.",
                "Shipping was neither fast nor slow.",
                "It came when it was due.",
                "The parcel was left with a neighbour.",
            ),
            (
                "Delivery was very fast.",
                "It arrived the next day, well packed.",
                "Shipping was quick and easy.",
                "The parcel came earlier than promised.",
            ),
        ),
        closing=(
            (
                "I sent it back.",
                "I cannot recommend it.",
                "I want my money back.",
                "Support did not answer my mail.",
            ),
            (
                "Let us see how long it lasts.",
                "I may look for something else next time.",
                "Acceptable, not exciting.",
                "You get what you pay for.",
            ),
            (
                "I recommend it to everyone.",
                "My family loves it too.",
                "I will order again.",
                "Thanks to the friendly support team.",
            ),
        ),
    )
}
