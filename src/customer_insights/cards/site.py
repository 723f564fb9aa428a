"""Cards as pages of the documentation site."""

from __future__ import annotations

from collections.abc import Sequence

from customer_insights.cards.card import Card
from customer_insights.cards.markup import escaped, table


def index_page(cards: Sequence[Card], link: str) -> str:
    """A list of the cards.

    Args:
        cards: What it lists, in this order.
        link: Address of a card, with `{}` for the name of the model.

    """
    rows = [
        (f"[{card.model_name}]({link.format(card.model_name)})", escaped(card.model_version))
        for card in cards
    ]
    return "\n\n".join(
        [
            "# Model cards",
            "What each model in service is for, on what it was trained and how good it is.",
            table(("model", "version that serves"), rows) + "\n",
        ]
    )


def site_page(cards: Sequence[Card], pictures_in: str) -> str:
    """The cards as blocks of dbt's documentation.

    The site shows a block `__name__` at `#!/overview/name`: it is how a package has a page of its
    own (docs.getdbt.com/docs/build/view-documentation). dbt renders a block as Jinja, so no
    brace of a card's gets there as one.

    Args:
        cards: What it holds, in this order.
        pictures_in: Folder of the pictures, as the site sees it.

    """
    pages = {"model_cards": index_page(cards, "#!/overview/{}")}
    for card in cards:
        page = card.markdown
        for file in card.pictures:
            page = page.replace(f"]({file})", f"]({pictures_in}/{file})")
        pages[card.model_name] = page
    return "\n".join(
        f"{{% docs __{name}__ %}}\n{_without_braces(page)}{{% enddocs %}}\n"
        for name, page in pages.items()
    )


def _without_braces(page: str) -> str:
    return page.replace("{", "&#123;").replace("}", "&#125;")
