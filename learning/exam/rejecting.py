"""Does a reply say that the NPC does not know, sell or tell, or does it make something up?

There are many ways to say no ("Never heard of him", "Is that some kind of spell?", "Do I look like
a smith?") and some that only sound like it ("You don't know him? He is my cousin"; "I don't sell it
for less than ten gold"). Both are read sentence by sentence.
"""

import re
from functools import lru_cache
from pathlib import Path

import yaml

from characters.words import fold, stem, words

_THING = "xthing"
_NOES = ("lacking", "puzzled", "elsewhere", "kept")

_DENIED = re.compile(
    r"\b(?:do not|don't|dont|did not|didn't|cannot|can't|can not|could not|couldn't|would not|wouldn't|won't|will not"
    r"|shan't|have not|haven't|had not|hadn't|does not|doesn't|has not|hasn't|never|not)\b"
    r"(?:\s+(?:ever|once|even|really|yet|quite|rightly|truly|exactly|properly|so|be|been|have|had|much))*"
    r"\s+(?P<verb>[a-z]+)"
)
# What the NPC itself may not do without saying that it does not know, have or tell.
_IDLE = frozenset(
    """like trust care mind bite forget sleep haggle wait lie joke fear blame envy judge hate cheat steal drink eat
    regret doubt complain argue rush hurry break let leave stop take pay matter bother worry lend rest hold fight kneel
    slept ate forgot bow want need a an the all as only just so too that""".split()
)
# What nobody in particular may not do ("Never heard of him"), lest "Don't worry" and "Never stir it" be a no.
_PLAIN = frozenset(
    """know known knew hear heard see seen saw met meet sell sold stock carry keep have had got own recall remember say
    saying tell telling told help recognise recognize understand follow ask asked count use used learn learnt learned
    speak talk place think any make sure ring exist here sharing mine possible mention mentioned""".split()
)
_STRANGERS_MAY = frozenset(
    "know known hear heard seen saw exist ring mentioned sell sold stock say tell talk told".split()
)
_KEPT_FROM = frozenset("say said tell told talk speak spoke spoken share mention mentioned set".split())
_OWN = frozenset("i we me i've we've i'd we'd i'll we'll i'm".split())
_OTHERS = frozenset("you he she they who people folk everyone everybody someone somebody ye thou".split())
_JOINING = frozenset("and but no aye nay well sorry ha so or still alas yes eh then".split())
# What follows a denial and takes it back.
_TAKEN_BACK = re.compile(
    r"^\s*(?:(?:it|them|that|those|any)\s+)?(?:why (?:you|he|she|they)|how you|better|(?:a|any) (?:better|finer|worse)"
    r"|(?:finer|worse)\b|all (?:day|night)|(?:the )?time\b|for less|cheap|anything but|nothing but"
    r"|(?:him|her|them|it) (?:well|much|closely)|many|money|coin|patience|much (?:time|patience)|your\b"
    r"|to (?:worry|remind|repeat)|until|unless|(?:a )?(?:care|worry|mind|quarrel|complaint|doubt))"
)
_HEDGES = re.compile(
    r"\b(?:sounds?|seems?|maybe|perhaps|probably|might|may|must be|could|if|no|not|never|none|nothing|nobody|or)\b"
    r"|n't\b|\?"
)


# A no to something that has a name; a garbled name is still told by its beginning.
_NAMED = re.compile(
    r"\b(?:know what (?:(?:an?|the) )?(?P<thing>[\w', ]+?) (?:is|are)\b|place called (?P<place>[\w' ]+)"
    r"|seen an? (?P<sight>[\w' ]+?)(?= (?:in|on|my) |[,.!?]|$)|(?:how|learnt) to make (?P<made>[\w' ]+)"
    r"|know any (?P<one>[\w' ]+)|(?:know|knows) nothing (?:of|about) (?P<nought>[\w' ]+)"
    r"|\b(?:i've|have) (?:got )?no (?P<none>(?!idea|clue|notion|such"
    r"|more|need|wish|time|words?|memory|knowledge|wares|goods|stock|shop|work|sale|quarrel|use|coin)[\w' ]+))"
)
# What a no is about by its own words; "I don't know how to make that" answers no question on a person.
_OF = {
    "goods": re.compile(
        r"\b(?:how|learnt|learned) to make\b|\bsell (?:anything|nothing|that)\b"
        r"|\bnothing to sell\b|\b(?:no|not a) (?:shopkeeper|merchant|trader|pedlar)\b"
    ),
    "recipe": re.compile(r"\bknow (?:that|this|the) recipe\b"),
    "place": re.compile(
        r"\bplace called\b|\bknow (?:that|this|the|of that) (?:place|way|road)\b|\bknow where (?:that|it|this)\b"
    ),
    "person": re.compile(r"\b(?:any|some|no) ?(?:one|body) (?:called|named|by that name|of that name)\b"),
    "word": re.compile(r"\bknow (?:that|this|those|the) words?\b"),
}
_NEVER_MET = re.compile(r"\bnever (?:met|seen|heard)\b|\bno [A-Z]\w+|\bknow (?:any|no|of no)\b")
_BEGINNING = 4
_FOR_A_THING = frozenset(
    """a an the my your her his hers theirs mine yours of such any that this it them those one ones thing things him
    what you""".split()
)


@lru_cache(maxsize=1)
def _patterns() -> dict[str, re.Pattern[str]]:
    """The patterns of `rejections.yaml`, each kind as one."""
    lists = yaml.safe_load((Path(__file__).parent / "rejections.yaml").read_text("utf-8"))
    return {kind: re.compile("|".join(text.splitlines())) for kind, text in lists.items()}


def rejects(reply: str, thing: str = "") -> bool:
    """Whether a reply says that the NPC does not know, sell, have or tell.

    Args:
        thing: what was asked about; "no plate armour here" is read with it.
    """
    return any(_rejects(sentence) for sentence in _sentences(reply, thing))


def beside_the_point(sentence: str, thing: str, fits: frozenset[str] = frozenset()) -> bool:
    """Whether a sentence says no to something that was not asked about.

    Args:
        thing: what was asked about.
        fits: what it may be called: ``goods``, ``recipe``, ``place``, ``person``, ``word``.
    """
    folded = fold(sentence)
    if any(kind not in fits and pattern.search(folded) for kind, pattern in _OF.items()):
        return True
    found = _NAMED.search(folded)
    if found is None:
        return False
    named = [word for word in words(found[found.lastgroup or 0]) if word not in _FOR_A_THING]
    asked = {word[:_BEGINNING] for word in words(thing)}
    return bool(named) and not any(word[:_BEGINNING] in asked for word in named[:2])


def denies_knowing(sentence: str, thing: str) -> bool:
    """Whether a sentence says that the NPC never met somebody, or has none of that name."""
    named = any(word in words(sentence) for word in words(thing) if len(word) > 3)
    return named and bool(_NEVER_MET.search(sentence))


def claims(reply: str, thing: str) -> bool:
    """Whether a reply states something about a thing that does not exist."""
    return any(
        _patterns()["claims"].search(sentence) and not _HEDGES.search(sentence) and not _rejects(sentence)
        for sentence in _sentences(reply, thing)
    )


def names_somebody(reply: str) -> bool:
    """Whether a reply gives a name as an answer: "she was called Berta"."""
    return bool(re.search(r"\b(?:names? (?:is|was|were|are)|name's|called|named) (?!I\b)[A-Z]\w+", reply))


def _rejects(sentence: str) -> bool:
    if any(_patterns()[kind].search(sentence) for kind in _NOES):
        return True
    return any(_by_the_npc(sentence, found) for found in _DENIED.finditer(sentence))


def _by_the_npc(sentence: str, found: re.Match[str]) -> bool:
    """Whether it is the NPC who does not, and nothing takes it back."""
    rest = sentence[found.end() :]
    if _TAKEN_BACK.match(sentence[found.start("verb") :]) or _TAKEN_BACK.match(rest):
        return False
    verb, before = found["verb"], sentence[: found.start()]
    if verb == "know" and re.match(r"\s+you\b", rest):
        return False  # "I don't know you" is about the asker
    subject = _subject(before)
    if subject in _OWN:
        return verb not in _IDLE or bool(re.match(r"\s+(?:to (?:say|tell|talk|speak)|idea|clue)", rest))
    if subject in _OTHERS:
        return verb in _KEPT_FROM and subject in {"he", "she", "they"}  # "he won't say", "she never set foot in here"
    return verb in (_STRANGERS_MAY if subject else _PLAIN)


def _subject(before: str) -> str:
    """Who the words before a denial speak of; "" where a clause begins with it."""
    clause = re.split(r"[,;:.!?\u2013\u2014()]|\s-\s", before)[-1]
    said: list[str] = [word for word in re.findall(r"[\w']+", clause) if word not in _JOINING]
    for word in reversed(said[-4:]):
        if word in _OWN or word in _OTHERS:
            return word
        if stripped := re.match(r"(you|he|she|they)'", word):
            return stripped[1]
    return said[-1] if said else ""


def _sentences(reply: str, thing: str) -> list[str]:
    """The sentences of a reply, folded, with the thing that was asked about as one word."""
    text = fold(reply).replace("*", " ").replace('"', " ").replace("\u2026", ". ")
    for name in _names(thing):
        text = re.sub(rf"\b{re.escape(name)}(?:e?s)?\b", _THING, text)
    text = re.sub(rf"{_THING}(?: {_THING})+", _THING, text)
    return [part.strip() for part in re.split(r"(?<=[.!?;])\s+|\n+", text) if part.strip()]


def _names(thing: str) -> list[str]:
    """How a reply may call a thing: in full, by its last word, or by any name of a person."""
    folded = re.sub(r"^(?:the|a|an) ", "", fold(thing))
    if not folded:
        return []
    single = [word for word in words(folded) if len(word) > 3]
    person = any(word[:1].isupper() for word in thing.split())
    parts = single if person else single[-1:]
    return sorted({folded, *parts, *(stem(word) for word in parts if len(stem(word)) > 4)}, key=len, reverse=True)
