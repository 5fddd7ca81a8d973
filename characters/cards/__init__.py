"""Character cards from SillyTavern and its kin: in, out, and what an NPC of ours makes of them."""

from characters.cards.card import Card
from characters.cards.reading import read_card
from characters.cards.writing import card_json, write_charx, write_png

__all__ = ["Card", "card_json", "read_card", "write_charx", "write_png"]
