"""Everything the bot says as itself, in every language it knows; NPCs' lines are not among it.

A catalogue is one flat YAML file a language. English is complete by definition; what another
language lacks is said in English.
"""

from collections.abc import Mapping
from functools import cache
from pathlib import Path

import discord
from discord import app_commands

from characters.library import read_yaml

_FOLDER = Path(__file__).parent / "words"
DEFAULT = "en"


@cache
def languages() -> dict[str, Mapping[str, str]]:
    """Every catalogue by language."""
    return {path.stem: {key: str(text) for key, text in read_yaml(path).items()} for path in _FOLDER.glob("*.yaml")}


def language(locale: discord.Locale | str | None) -> str:
    """The language of a Discord locale that we have words for."""
    short = str(locale or DEFAULT).partition("-")[0]
    return short if short in languages() else DEFAULT


def words(locale: discord.Locale | str | None, key: str, **fields: object) -> str:
    """A sentence of the catalogue."""
    known = languages()
    text = known[language(locale)].get(key) or known[DEFAULT][key]
    return text.format(**fields)


class Translator(app_commands.Translator):
    """Descriptions of commands and options in the catalogue's languages; names stay what they are."""

    async def translate(
        self, string: app_commands.locale_str, locale: discord.Locale, context: app_commands.TranslationContextTypes
    ) -> str | None:
        """The catalogue's translation of a description."""
        key = string.extras.get("key")
        short = language(locale)
        if key is None or short == DEFAULT:
            return None
        return languages()[short].get(str(key))


def described(key: str) -> app_commands.locale_str:
    """A command's or an option's description, to be translated by its key."""
    return app_commands.locale_str(languages()[DEFAULT][key], key=key)
