"""English."""

from customer_insights.sample.phrases.patterns import Phrases, things, tones, ways

PHRASES = Phrases(
    short=tones(
        """
        (bad|Bad|awful|Never again|no good|meh, bad)
        (👎|👎👎|1 star|Not happy)
        (Rubbish|Trash|useless)(!|.|)
        """,
        """
        (ok|OK|Okay.|its ok|fine|so so|average)
        (👌|3 stars|Meh|nothing special)
        (As expected|Not bad, not great|could be worse)
        """,
        """
        (good|Good|Great|great!|Perfect|nice|Super)
        (👍|👍👍|5 stars|❤️|Love it!!)
        (Not bad at all|All good|Top|Very good)(!|.|)
        """,
    ),
    title=tones(
        """
        Disappointed
        Not (worth it|what I hoped for|recommended)
        Never again
        (Wasted time|Buyer beware|A letdown)
        """,
        """
        (It is fine|Average|Mixed feelings|Does the job)
        (Could be better|Half happy|Not bad, not great)
        """,
        """
        (Love it|Excellent|Very happy|Fantastic)
        (Great buy|Highly recommended|Not a single complaint)
        (Would buy again|A pleasant surprise)
        """,
    ),
    opening=tones(
        """
        I (regret this purchase|am not happy at all|am really disappointed|expected much more).
        (Not what I was promised|What a letdown|This was a mistake).
        (Unfortunately I cannot say anything nice|I wish I had bought something else).
        I am (far from satisfied|anything but happy).
        """,
        """
        (It is okay, nothing more|I have mixed feelings|Neither good nor bad).
        (All in all average|Somewhere in the middle for me|Some things good, some not).
        (Not bad, but not great either|I am half convinced).
        """,
        """
        I (am very happy with this|am really pleased|could not be happier).
        (Exactly what I was looking for|What a great find|Never had a better shopping day).
        (I was sceptical, but I am delighted now|It made my day|No complaints at all).
        (Better than I had feared|Not disappointed in the least).
        """,
    ),
    closing=tones(
        """
        I (cannot|would not) recommend it.
        (Never again|I will shop elsewhere|Look elsewhere).
        (A great pity|Do not make my mistake|I feel let down).
        """,
        """
        (I may look for something else next time|Let us see|Acceptable, not exciting).
        (It will do|Three stars from me|Good and bad cancel out).
        """,
        """
        I (recommend it to everyone|would do it again without thinking|will be back).
        (My family loves it too|Five stars|Keep it up|Thank you).
        (You will not regret it|I am glad I did it).
        """,
    ),
    filler=ways(
        """
        (I do not write reviews often|My first review here|As I was asked for a review, here it is).
        (What else is there to say|There is not much to add|That is all I can say about it).
        (Everybody has to decide for themselves|Tastes differ, as we all know).
        (I had thought about it for a long time and read what other people wrote before I decided).
        """
    ),
    experience=ways(
        """
        I have (used|had) it (every day|almost daily|every morning) for {n} (weeks|months) now.
        We took it along on a trip of {n} days in (May|June|September) and (used it each evening|shared it).
        My (daughter|son|sister|neighbour) got it for (her|the) birthday and has it in use since (March|last summer).
        I am 1.7{n} m tall and (measured everything twice|tried it at home and at work).
        I compared it with {n} others that I own before I wrote this.
        After (about {n} hours|{n} evenings|the first weekend) with it I (know it well|have got used to it).
        In our (small flat|kitchen|garden shed) it stands next to the (window|door), and we use it {n} times a week.
        """
    ),
    aspects={
        "delivery": tones(
            """
            (delivery|shipping) (took far too long|was late|was very slow|took {n} weeks)
            (the parcel|my package) (came a week late|arrived damaged|got lost on the way|came {n} days too late)
            nobody could tell me where my (parcel|package) was
            (delivery|shipping) was (not fast at all|anything but quick|not good)
            (the courier|the driver) (threw the parcel over the fence|never rang the bell)
            """,
            """
            (delivery|shipping) took {n} days
            (the parcel|my package) (came when it was due|was left with a neighbour)
            (delivery|shipping) was neither fast nor slow
            (the courier|the driver) came in the afternoon
            """,
            """
            (delivery|shipping) was (very fast|quick and easy|super quick|right on time)
            (the parcel|my package) (arrived the next day|came earlier than promised|was well packed)
            (no problems|no trouble at all) with the (delivery|shipping)
            (delivery|shipping) was (not bad at all|not late for once)
            (the courier|the driver) was (friendly|kind and careful)
            """,
        ),
        "price": tones(
            """
            (the price|it) is (far too high|not justified)
            it is (overpriced|too expensive for what it is|not worth the money)
            I paid (too much|far too much money) for this
            (elsewhere it costs half|the same thing is cheaper elsewhere)
            """,
            """
            the price is (average|okay|normal for this kind of thing)
            it costs (about the same everywhere|what such things cost)
            it is neither cheap nor expensive
            """,
            """
            the price is (great|fair|unbeatable|very good)
            it is (worth every cent|good value for money|a real bargain)
            (not expensive at all|surprisingly cheap) for what you get
            I paid less than elsewhere and (saved a lot|am happy about it)
            """,
        ),
        "product_quality": tones(
            """
            {thing} (broke after {n} days|stopped working|does not work)
            {thing} (feels cheap and flimsy|is badly made|is of poor quality)
            {thing} does not (look like the picture|do what it should|feel solid)
            {thing} arrived with (scratches|a crack|a defect)
            the (quality|material|workmanship) is (bad|not good|disappointing|terrible)
            """,
            """
            {thing} is (decent but not special|all right for everyday use)
            {thing} (works, although the finish is rough|is smaller than I thought)
            the (quality|material|workmanship) is (average|okay|so so)
            """,
            """
            {thing} (works perfectly|is beautifully made|is really lovely)
            {thing} (feels solid and sturdy|is even better than the picture)
            {thing} is not (flimsy|bad) at all
            the (quality|material|workmanship) is (excellent|very good|great|first class)
            {thing} (never let me down|has no flaws)
            """,
        ),
        "service": tones(
            """
            (support|customer service) (did not answer|was rude|was no help at all|ignored my mails)
            (the staff|the people on the phone) (were unfriendly|were not helpful|had no clue)
            I (waited {n} days for an answer|was kept on hold for {n} hours) from customer service
            """,
            """
            (support|customer service) (answered after {n} days|was okay)
            I had to write to customer service (once|{n} times)
            (the staff|the people on the phone) were neither friendly nor rude
            """,
            """
            (support|customer service) (was friendly and helpful|answered at once|was excellent)
            (the staff|the people on the phone) (were very kind|helped me right away|were great)
            (no complaints about|I can only praise) the customer service
            """,
        ),
        "returns": tones(
            """
            (returning it|the return) was (a nightmare|complicated|anything but easy)
            I (still wait for my refund|had to pay for the return myself)
            they (refused the refund|did not accept the return)
            (the refund|the exchange) took (forever|{n} weeks)
            """,
            """
            I (sent it back|returned it) and (got another size|wait and see)
            (the refund|the exchange) took {n} days
            I asked for an exchange
            """,
            """
            (returning it|the return) was (easy|no problem at all|free and simple)
            (the refund|the exchange) (was quick|went smoothly|was not complicated)
            I got my money back (at once|without any trouble)
            """,
        ),
    },
    contrast=(", but ", ", however ", ", although ", "; still, "),
    addition=(" and ", ", and also ", "; "),
    contact=ways(
        """
        My order was {order}(, please check|).
        Please write to {mail}.
        (Call me|You can reach me) on {phone}.
        """
    ),
    things=things(
        "the kettle|the pan|the knife|the teapot|the mixing bowl|the coffee|the lamp|the cushion|"
        "the blanket|the mirror|the vase|the clock|the planter|the trowel|the lantern|"
        "the watering can|the bird house|the plant food|the puzzle|the robot|the board game|"
        "the kite|the doll house|the train|the soap|the hand cream|the candle|the bath oil|"
        "the brush|the shampoo|the yoga mat|the backpack|the bottle|the racket|the helmet|"
        "the tent|the cookbook|the atlas|the novel|the diary|the sketchbook|the guide|"
        "the headset|the speaker|the charger|the camera|the keyboard|the radio"
    ),
)
