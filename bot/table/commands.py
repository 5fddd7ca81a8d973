"""The slash commands of a table, the same words as on Discord, parsed once for terminals and the studio."""

import re
import shlex
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass

from bot.errors import TableError
from bot.table import knowing_commands, observing
from bot.table.events import Event, Line
from bot.table.outputs import Ack
from bot.table.state import Hand
from bot.table.table import Table
from characters.errors import SheetError

HELP: tuple[tuple[str, str], ...] = (
    ("/npc summon NAME", "bring an NPC in (also: /npc NAME)"),
    ("/npc list", "who could come, and who is here"),
    ("/npc switch NAME · /npc dismiss [NAME]", "give the word to another · send one away"),
    ("/scene set place=… mood=… reason=… date=…", "begin a new scene · /scene show"),
    ("/react 👍|👎|✖ [LINE]", "rate a line (/react remove 👍 takes it back)"),
    ("/edit [LINE] TEXT", "what the NPC should have said; it says so from the next line on"),
    ("/regen [LINE]", "another take of a line · /keep N keeps one"),
    ("/say TEXT", "the GM speaks as the NPC"),
    ("/retcon [LINE]", "not canon: take a line, or by its number a turn, out of the story and of all memories"),
    ("/why [LINE]", "what made a line: facts, examples, adapter, sampling"),
    ("/roll DICE [SKILL]", "roll before everybody, such as /roll 1d20+3 persuasion"),
    ("/hush", "cut the line that is being spoken"),
    *knowing_commands.HELP,
    ("/session recap [NAME]", "the evening so far, by a chronicler or as an NPC tells it"),
    ("/session stop [now|tonight|skip]", "end the evening; NPCs learn from it now, tonight (the usual), or not yet"),
    ("// text", "out of character: nobody answers, nothing is learnt"),
    ("/help · /quit", "this list · leave"),
)


_DIGITS = 9  # of a line's number; what is longer is none, and no database would take it


@dataclass(frozen=True)
class Leave:
    """The person leaves."""


Output = Event | Ack | Leave
Handler = Callable[[Table, list[str], str, Hand], Awaitable[Ack | Line | Leave]]


async def run_input(table: Table, text: str, by: Hand | None = None) -> AsyncIterator[Output]:
    """Carry out one line of input: a command when it begins with a single slash, else speech.

    Args:
        by: who typed it; whoever opened the table, where nobody is named.
    """
    observing.begin()
    hand = by or table.state.hand
    if text.startswith("/") and not text.startswith("//"):
        async for output in _command(table, text, hand):
            yield output
    else:
        async for event in table.say(text, by=hand):
            yield event


async def _command(table: Table, text: str, hand: Hand) -> AsyncIterator[Output]:
    name, _, rest = text[1:].strip().partition(" ")
    rest = rest.strip()
    if name == "regen":
        async for event in table.another_take(_number(rest, "regen"), by=hand):
            yield event
        return
    handler = _HANDLERS.get(name)
    if handler is None:
        raise TableError(f"There is no command /{name[:30]}; /help lists them.")
    try:
        words = shlex.split(rest) if name in {"npc", "scene", "session"} else rest.split()
    except ValueError:
        words = rest.split()
    yield await handler(table, words, rest, hand)


_COINS = re.compile(r"(?:copper|silver|gold|platinum|coins?|pieces?|[cgsp]p)\b", re.IGNORECASE)


def _number(text: str, command: str) -> int | None:
    if not text:
        return None
    if not _is_number(text):
        raise TableError(f"/{command} takes the number of a line, not {text[:30]!r}.")
    return int(text)


def _is_number(text: str) -> bool:
    return text.isdecimal() and len(text) <= _DIGITS


def _line_and_rest(rest: str) -> tuple[int | None, str]:
    """Split "12 New words" into line and text; "8 copper, friend" names a price and no line."""
    first, _, others = rest.partition(" ")
    names_line = _is_number(first) and others.strip() and not _COINS.match(others.strip())
    return (int(first), others.strip()) if names_line else (None, rest)


async def _npc(table: Table, words: list[str], rest: str, hand: Hand) -> Ack:
    verb, name = (words[0] if words else "list"), " ".join(words[1:])
    if verb == "list":
        return _everybody(table)
    if verb == "dismiss":
        slug = await table.dismiss(name or None)
        return Ack("npc dismiss", f"{_name(table, slug)} leaves.", {"npc": slug, "speaker": table.state.speaker})
    if verb == "tell":
        return await knowing_commands.tell(table, words[1:], hand)
    if verb == "switch":
        if not name:
            raise TableError("Say who gets the word: `/npc switch mira`.")
        slug = table.switch(name)
        return Ack("npc switch", f"{table.sheet(slug).name} has the word.", {"npc": slug})
    if verb != "summon":
        name = " ".join(words)
    if not name:
        raise TableError("Say whom to summon: `/npc summon mira`.")
    sheet = await table.summon(table.state.find(name))
    return Ack("npc summon", f"{sheet.name} is here: {sheet.description}.",
               {"npc": table.state.speaker, "name": sheet.name, "greeting": sheet.greeting})  # fmt: skip


def _name(table: Table, slug: str) -> str:
    """What an NPC is called; one whose sheet broke meanwhile can still be sent away, by its slug."""
    try:
        return table.sheet(slug).name
    except SheetError:
        return slug


def _everybody(table: Table) -> Ack:
    here, npcs, broken, rows = table.state.present, [], [], []
    for slug in table.state.library.slugs():
        try:
            sheet = table.sheet(slug)
        except SheetError as error:
            broken.append({"slug": slug, "message": str(error)})
            about = f"(broken) {error}"
        else:
            npcs.append({"slug": slug, "name": sheet.name, "kind": sheet.kind, "here": slug in here,
                         "description": sheet.description})  # fmt: skip
            about = f"{sheet.name}, {sheet.description}"
        rows.append(f"{'*' if slug in here else ' '} {slug:<10} {about}")
    return Ack("npc list", "\n".join(rows), {"npcs": npcs, "broken": broken, "speaker": table.state.speaker})


_FIELD = re.compile(r"""(\w+)=(?:"([^"]*)"|'([^']*)'|(?!["'])(.*?))(?:\s+(?=\w+=)|\s*$)""")


def _fields(text: str, words: list[str]) -> dict[str, str]:
    """The fields of a scene; a value without quotes goes on to the next name.

    Args:
        words: the same as a shell would split it, for what is quoted in another way.
    """
    fields, at = {}, 0
    while found := _FIELD.match(text, at):
        fields[found[1]] = found[2] or found[3] or found[4] or ""
        at = found.end()
        if at == len(text):
            return fields
    fields = dict(word.split("=", 1) for word in words if "=" in word)
    if len(fields) != len(words):
        raise TableError("Write scene fields as name=value: /scene set place=the old mill mood=tense.")
    return fields


async def _scene(table: Table, words: list[str], rest: str, hand: Hand) -> Ack:
    if words[:1] == ["set"]:
        await table.set_scene(_fields(rest.removeprefix("set").strip(), words[1:]))
    elif words and words != ["show"]:
        raise TableError("/scene knows `set` and `show`.")
    scene = table.state.scene
    fields = {"place": scene.place, "reason": scene.reason, "mood": scene.mood, "familiarity": scene.familiarity,
              "date": scene.date}  # fmt: skip
    shown = ", ".join(f"{name}: {value}" for name, value in fields.items() if value) or "no scene is set"
    return Ack("scene", shown, {"scene": fields})


async def _react(table: Table, words: list[str], rest: str, hand: Hand) -> Ack:
    remove = words[:1] == ["remove"]
    words = words[1:] if remove else words
    if not words:
        raise TableError("Say which reaction: `/react 👍`.")
    line = await table.react(words[0], _number(" ".join(words[1:]), "react"), remove=remove, by=hand)
    return Ack("react", f"{words[0]} {'withdrawn from' if remove else 'on'} line {line}.", {"line_id": line})


async def _edit(table: Table, words: list[str], rest: str, hand: Hand) -> Line:
    line_id, text = _line_and_rest(rest)
    return await table.edit(text, line_id, by=hand)


async def _keep(table: Table, words: list[str], rest: str, hand: Hand) -> Line:
    numbers = [_number(word, "keep") for word in words]
    if not numbers or numbers[0] is None:
        raise TableError("Say which take to keep: `/keep 2`.")
    return await table.keep(numbers[0], numbers[1] if len(numbers) > 1 else None, by=hand)


async def _say(table: Table, words: list[str], rest: str, hand: Hand) -> Line:
    return await table.speak_as(rest, by=hand)


async def _retcon(table: Table, words: list[str], rest: str, hand: Hand) -> Ack:
    line = await table.retcon(_number(rest, "retcon"), by=hand)
    return Ack("retcon", f"Line {line} is not canon.", {"line_id": line})


async def _why(table: Table, words: list[str], rest: str, hand: Hand) -> Ack:
    why = await table.why(_number(rest, "why"))
    writer = {"npc": "", "gm": "  (the GM's words)"}.get(why.origin, "  (a player's words)")
    rows = [f'"{why.text}"{writer}', *(f"  at hand ({fact.source}): {fact.text}" for fact in why.facts)]
    rows.append(f"  sheet {why.sheet_version}, adapter {why.adapter or 'none'}, {why.template_hash}, {why.prompt_hash}")
    rows.append("  sampling " + ", ".join(f"{name} {value}" for name, value in why.sampling.items()))
    shown = hand.gm
    rows += [f"  {secret.line(whole=shown or secret.open)}" for secret in why.secrets]
    rows += [f"  take {number}: {text}" for number, text in enumerate(why.takes, 1) if len(why.takes) > 1]
    data = {
        "line_id": why.line_id, "npc": why.npc, "text": why.text, "origin": why.origin,
        "adapter": why.adapter, "base": why.base_id,
        "at_hand": [{"key": f.key, "text": f.text, "source": f.source} for f in why.facts],
        "sampling": why.sampling, "prompt_hash": why.prompt_hash, "template_hash": why.template_hash,
        "sheet_version": why.sheet_version, "timings": why.timings, "takes": list(why.takes),
        "secrets": knowing_commands.secrets_json(why.secrets, whole=shown),
    }  # fmt: skip
    return Ack("why", "\n".join(rows), data)


_STOPS = {"": "tonight", "tonight": "tonight", "now": "now", "learn": "now", "skip": "skip"}


async def _session(table: Table, words: list[str], rest: str, hand: Hand) -> Ack:
    if words[:1] == ["recap"]:
        return await _recap(table, " ".join(words[1:]))
    when = _STOPS.get(" ".join(words[1:]))
    if words[:1] != ["stop"] or when is None:
        raise TableError("/session knows `recap`, and `stop` with now, tonight or skip; an evening begins by itself.")
    begins = await table.stop_session(learn=when == "now", skip=when == "skip")
    told = {
        "tonight": "Your NPCs learn from it tonight (/session stop now: at once; /session stop skip: not yet).",
        "now": "Your NPCs learn now, in the background; go on or leave as you like." if begins else
               "A night is asked for; `understudy nights` takes it up, or run `understudy night`.",
        "skip": "It is no reason for a night; it stays stored, and is learnt with the next one.",
    }  # fmt: skip
    return Ack("session stop", f"The evening is over. {told[when]}", {"learn": when == "now"})


async def _roll(table: Table, words: list[str], rest: str, hand: Hand) -> Ack:
    total, how = await table.roll(rest, by=hand)
    return Ack("roll", how, {"total": total})


async def _recap(table: Table, name: str) -> Ack:
    npc = table.state.find(name) if name else None
    told = await table.recap(npc)
    return Ack("session recap", told or "Nothing has been said this evening.", {"npc": npc, "text": told})


async def _hush(table: Table, words: list[str], rest: str, hand: Hand) -> Ack:
    table.hush()
    return Ack("hush", "Hush.")


async def _help(table: Table, words: list[str], rest: str, hand: Hand) -> Ack:
    width = max(len(usage) for usage, _ in HELP)
    text = "\n".join(f"{usage:<{width}}  {about}" for usage, about in HELP)
    text += "\nWhat is typed here stays on this machine, and may be learnt from by your NPCs."
    return Ack("help", text, {"commands": [usage for usage, _ in HELP]})


async def _quit(table: Table, words: list[str], rest: str, hand: Hand) -> Leave:
    return Leave()


_HANDLERS: dict[str, Handler] = {
    "npc": _npc, "scene": _scene, "react": _react, "edit": _edit, "keep": _keep, "say": _say,
    "retcon": _retcon, "why": _why, "session": _session, "memory": knowing_commands.memory,
    "lore": knowing_commands.lore, "secret": knowing_commands.secret, "hush": _hush, "roll": _roll,
    "help": _help, "quit": _quit, "exit": _quit,
}  # fmt: skip
COMMANDS = tuple(f"/{name}" for name in (*_HANDLERS, "regen"))
