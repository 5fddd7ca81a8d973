"""Timed effects: entries that stay, rest, or wait, counted in messages.

Sticky N keeps an entry active for the N messages after the one that called it; cooldown N silences it
for N messages, after the sticky ones if it has them; delay N silences it while the conversation has
fewer than N messages. An effect ends early when the entry changes, and is undone when the
conversation goes back to where it began (another take, a retcon). The state is a small value that
lives with the conversation. Rules: SillyTavern's documentation of world info, "Timed Effects".
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from characters.loose import dict_of, text_of, whole_of
from characters.lorebook.entry import Entry


@dataclass(frozen=True)
class Effect:
    """When an entry was called, and the last messages it stays and rests."""

    start: int
    sticky: int
    cooldown: int
    mark: str


@dataclass(frozen=True)
class Timers:
    """The effects of one conversation, by the entry's name (book and key)."""

    effects: Mapping[str, Effect] = field(default_factory=dict)

    def current(self, entries: Mapping[str, Entry], message: int) -> "Timers":
        """What is still in force at a message (the first is 1)."""
        return Timers({
            name: effect for name, effect in self.effects.items()
            if effect.start < message <= max(effect.sticky, effect.cooldown)
            and (name not in entries or entries[name].mark == effect.mark)
        })  # fmt: skip

    def sticky(self, name: str, message: int) -> bool:
        """Whether an entry stays."""
        effect = self.effects.get(name)
        return effect is not None and effect.start < message <= effect.sticky

    def resting(self, name: str, message: int) -> int:
        """The last message of an entry's rest; 0 where it does not rest."""
        effect = self.effects.get(name)
        return effect.cooldown if effect and effect.sticky < message <= effect.cooldown else 0

    def after(self, called: Iterable[tuple[str, Entry]], message: int) -> "Timers":
        """The effects once entries were called; a running effect is not prolonged."""
        effects = dict(self.effects)
        for name, entry in called:
            if (entry.sticky or entry.cooldown) and name not in effects:
                stays = message + entry.sticky
                effects[name] = Effect(message, stays, stays + entry.cooldown, entry.mark)
        return Timers(effects)

    def as_json(self) -> dict[str, Any]:
        """The state as it is stored."""
        return {name: [e.start, e.sticky, e.cooldown, e.mark] for name, e in sorted(self.effects.items())}

    @classmethod
    def from_json(cls, stored: Any) -> "Timers":
        """The state as it was; what is none is nothing."""
        found = {}
        for name, value in dict_of(stored).items():
            if isinstance(value, list) and len(value) == 4:
                start, sticky, cooldown = (whole_of(number, 0, 0, 10**9) for number in value[:3])
                found[str(name)] = Effect(start, sticky, cooldown, text_of(value[3]))
        return cls(found)
