"""Slips of the pen: what people type is not what they mean to write."""

import unicodedata
from collections.abc import Callable

TYPO_SHARE = 0.10
PLAIN_SHARE = 0.08
SHOUTED_SHARE = 0.02
OPEN_END_SHARE = 0.06
EXCLAIMED_SHARE = 0.05

# Words shorter than this are typed right.
LONG_WORD = 5
UMLAUTS = {"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss", "Ä": "Ae", "Ö": "Oe", "Ü": "Ue"}


def misspelt(text: str, language: str, draw: Callable[[], float]) -> str:
    """Type a text as people do: now and then without accents, in capitals or with a wrong letter.

    Args:
        text: the text as it should be.
        language: its code; Japanese words have no letters to swap.
        draw: gives the next random number in [0, 1); the same count is drawn for every text.

    """
    typo, where, which, plain, shouted, ends, exclaimed = (draw() for _ in range(7))
    if language != "ja":
        if typo < TYPO_SHARE:
            text = _with_typo(text, where, which)
        if plain < PLAIN_SHARE:
            text = _without_accents(text, language)
        if shouted < SHOUTED_SHARE:
            text = text.upper()
    if exclaimed < EXCLAIMED_SHARE:
        text = f"{text[:-1]}!!" if text[-1] in ".。" else text
    elif ends < OPEN_END_SHARE:
        text = text.rstrip(".。")
    return text


def _with_typo(text: str, where: float, which: float) -> str:
    """Swap or leave out one letter inside a longer word."""
    words = text.split(" ")
    long = [place for place, word in enumerate(words) if len(word) >= LONG_WORD and word.isalpha()]
    if not long:
        return text
    place = long[int(where * len(long))]
    word = words[place]
    # `which` says both where in the word, and by its last digits what happens there.
    letter = 1 + int(which * (len(word) - 2))
    if int(which * 1000) % 2:
        words[place] = word[:letter] + word[letter + 1 :]
    else:
        words[place] = word[:letter] + word[letter + 1] + word[letter] + word[letter + 2 :]
    return " ".join(words)


def _without_accents(text: str, language: str) -> str:
    if language == "de":
        return "".join(UMLAUTS.get(letter, letter) for letter in text)
    letters = unicodedata.normalize("NFD", text)
    return "".join(letter for letter in letters if not unicodedata.combining(letter))
