"""What the starter reads: rows of token ids with a mask of what it must learn to say.

Four kinds of rows: public-domain prose, conversations by the offline teacher, lists of questions
as `teach grow` asks for them, and the induction task (a random sequence, then parts of it again),
without which a small model does not learn to copy from its prompt in the tokens that two cores can
afford.
"""

import json
import random
import re
from collections.abc import Iterator
from pathlib import Path

from tokenizers import Tokenizer

from characters.prompt import Budget, build_prompt
from learning.starter.tokens import SPECIALS, TEMPLATE, token_id
from learning.teachers.offline.dialogue import Conversation, Playwright
from learning.teachers.offline.invent import Inventor, Spice
from learning.teachers.offline.listing import list_messages

Row = tuple[list[int], list[bool]]

_ASSISTANT = "<|assistant|>"
_DUMAS_SHARE = 0.25


def load_spice(data: Path | None) -> Spice:
    """Read short sentences and object names from the data folder; empty where it is absent."""
    if data is None or not (data / "prose" / "dialogue.txt").is_file():
        return Spice()
    sentences: list[str] = []
    for line in (data / "prose" / "dialogue.txt").read_text("utf-8").splitlines():
        text = line.strip().lstrip("-").strip()
        if _quotable(text):
            sentences.append(text.replace("--", ", "))
    objects: list[str] = []
    source = data / "light" / "objects.json"
    if source.is_file():
        objects = [name for name in _names(json.loads(source.read_text("utf-8"))) if _plain(name)]
    return Spice(tuple(sentences), tuple(dict.fromkeys(objects)))


def _quotable(text: str) -> bool:
    """Short, whole, and without anybody's name: a fact should not come with a foreign cast."""
    words = text.split()
    if not 5 <= len(words) <= 18 or not text.isascii() or text[-1:] not in ".!?":
        return False
    inner = re.findall(r"[^.!?]\s+([A-Z]\w*)", text)
    return not any(ch in text for ch in "_[]:;") and all(word == "I" for word in inner)


def _names(listing: object) -> Iterator[str]:
    entries = listing.values() if isinstance(listing, dict) else listing
    if isinstance(entries, (list, type({}.values()))):
        for entry in entries:
            if isinstance(entry, dict) and isinstance(entry.get("name"), str):
                yield entry["name"]


def _plain(name: str) -> bool:
    return bool(re.fullmatch(r"[a-z][a-z' -]{2,28}", name)) and len(name.split()) <= 3


def prose_texts(data: Path | None, seed: int = 0) -> list[str]:
    """Passages of prose and of dialogue, shuffled; one author is kept from drowning the others."""
    if data is None or not (data / "prose").is_dir():
        return []
    rng = random.Random(seed)
    passages: list[str] = []
    for path in sorted((data / "prose").glob("*.txt")):
        if path.name == "dialogue.txt":
            continue
        text = path.read_text("utf-8").replace("\u2019", "'").replace("\u201c", '"').replace("\u201d", '"')
        pieces = re.split(r"\n\s*\n", text)
        share = _DUMAS_SHARE if "dumas" in path.name else 1.0
        passages += [p.strip() for p in pieces if len(p) > 80 and rng.random() < share]
    rng.shuffle(passages)
    return passages


class Reader:
    """Turns texts and conversations into rows of one length."""

    def __init__(self, tokenizer: Tokenizer, seed: int, spice: Spice, prose: list[str]) -> None:
        self.rng = random.Random(seed)
        self.tokenizer = tokenizer
        self.prose = prose
        self.playwright = Playwright(self.rng, Inventor(self.rng, spice), self._count)
        self.pad = token_id(tokenizer, "<|pad|>")
        self.end = token_id(tokenizer, "<|end|>")
        self.assistant = token_id(tokenizer, _ASSISTANT)

    def _count(self, text: str) -> int:
        return len(self.tokenizer.encode(text).ids)

    def conversation(self, length: int) -> Row:
        """A conversation cut to whole exchanges; every reply is a target, its end included."""
        while True:
            ids, wanted = self.fit(self.row(self.playwright.conversation(max(4, length // 48))), length)
            if any(wanted):  # a sheet may be longer than the row
                return ids, wanted

    def listing(self, length: int) -> Row:
        """A list of questions to an NPC, gone on with, in the prompt of `teach grow`."""
        while True:
            text = TEMPLATE.render(list_messages(self.rng, self.playwright.inventor), add_generation_prompt=False)
            ids, wanted = self.fit(self.mask(self.tokenizer.encode(text).ids), length)
            if any(wanted):
                return ids, wanted

    def row(self, played: Conversation) -> Row:
        """Render a conversation exactly as serving would, and mask all but the replies."""
        prompt = build_prompt(
            played.part, played.turns, scene=played.scene, at_hand=(),
            budget=Budget(context=100_000, system=played.budget, count=self._count),
        )  # fmt: skip
        messages = prompt.messages
        if messages[-1].role == "user":
            messages = messages[:-1]
        text = TEMPLATE.render(messages, add_generation_prompt=False)
        return self.mask(self.tokenizer.encode(text).ids)

    def mask(self, ids: list[int]) -> Row:
        """Mark the tokens after each assistant mark, up to and with the end of its turn."""
        wanted, speaking = [], False
        for token in ids:
            wanted.append(speaking)
            if token == self.assistant:
                speaking = True
            elif token == self.end:
                speaking = False
        return ids, wanted

    def fit(self, row: Row, length: int) -> Row:
        """Cut at the last whole reply, then pad."""
        ids, wanted = row[0][:length], row[1][:length]
        while ids and not (ids[-1] == self.end and wanted[-1]):
            ids, wanted = ids[:-1], wanted[:-1]
        missing = length - len(ids)
        return ids + [self.pad] * missing, wanted + [False] * missing

    def passage(self, length: int) -> Row:
        """Prose, every token a target."""
        ids: list[int] = []
        while len(ids) < length:
            at = self.rng.randrange(len(self.prose))
            for text in self.prose[at : at + 8]:
                ids += [*self.tokenizer.encode(text).ids, self.end]
        return ids[:length], [True] * length

    def induction(self, length: int) -> Row:
        """A random sequence of distinct tokens, then parts of it: the repeats are targets."""
        size = self.tokenizer.get_vocab_size()
        ids: list[int] = []
        wanted: list[bool] = []
        while len(ids) < length:
            base = self.rng.sample(range(len(SPECIALS), size), self.rng.randint(24, 64))
            ids += base
            wanted += [False] * len(base)
            for _ in range(self.rng.randint(4, 12)):
                start = self.rng.randrange(len(base) - 3)
                part = base[start : start + self.rng.randint(3, 10)]
                ids += part
                wanted += [False, *([True] * (len(part) - 1))]
        return ids[:length], wanted[:length]
