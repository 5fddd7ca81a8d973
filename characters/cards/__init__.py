"""Character cards from SillyTavern and its kin: in, out, and what an NPC of ours makes of them."""

from characters.cards import png
from characters.cards.card import Card
from characters.cards.giving import sheet_to_card
from characters.cards.mapping import Draft, card_to_sheet
from characters.cards.reading import read_card
from characters.cards.writing import card_json, write_charx, write_png

__all__ = [
    "Card", "Draft", "card_json", "card_to_sheet", "png", "read_card", "sheet_to_card", "write_charx", "write_png",
]  # fmt: skip
