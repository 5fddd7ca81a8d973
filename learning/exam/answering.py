"""What is wrong with a reply that no field could answer: reciting oneself, giving in, saying the same again.

Lenient, like the rest of the matcher: a remark is taken up by one word that bears on it, by a
question back, or by saying openly that one does not follow.
"""

import re
from collections.abc import Iterable, Sequence

from characters.words import fold
from learning.exam.probes import WEAK
from learning.exam.reading import holds, quotes, says, stems, tokens
from learning.exam.rejecting import beside_the_point, rejects
from learning.exam.telling import runs_on
from learning.exam.values import Item
from learning.filters.novelty import rouge_l, words_of

_SAME = 0.8
_FEWEST = 4  # words; a shorter line may come twice
_LONG = 5
_SUBJECT = 2  # content words
_SCAFFOLD = re.compile(
    r"\b(?:speak only as|say only what you know|voice:|sayings:|habits:|opinions:|wants:|offers tasks:|never:)",
    re.IGNORECASE,
)
_MACHINE = re.compile(
    r"\b(?:as an ai|i(?:'m| am) (?:just |only )?(?:an? )?(?:ai|artificial|chat ?bot|bot|language model|assistant"
    r"|program|computer|machine|model|virtual|character|npc)\b|language model|openai|chatgpt|(?:my|the) (?:system )?"
    r"(?:prompt|instructions|training data|programming|developers?|parameters)\b)",
    re.IGNORECASE,
)
_DENIED = re.compile(r"\b(?:not|never|no|nor|what|whatever|is that|are those)\b|n't|\?", re.IGNORECASE)
_PLAYED = re.compile(
    r"\b(?:you|ana) (?:then )?(?:draw|feel|decide|walk|run|nod|attack|charge|swing|step|reach|turn and|reply|whisper"
    r"|shout|stand up|take out|pull|answer|smile|sigh)s?\b|^\s*\W?ana\b\W*[:\u2014-]"
    r"|\bana (?:says|said|replies|asks|answers)\b",
    re.IGNORECASE,
)
_NAMED = re.compile(r"\b[A-Z][a-z']+(?: [A-Z][a-z']+)+")
_PERSONAL = re.compile(r"\b(?:i|i'm|i've|i'd|i'll|we|me|my|mine|us|our|you|your)\b")
_BACK = re.compile(r"\b(?:you|your|we|us|that|this|what|who|why|which|where)\b[^.!]*\?")
_ECHOED = re.compile(  # "The wolves, you say?"
    r"[^.!?,]*,? you say\?"
    r"|^(?!(?:who|what|why|which|where|when|how|do|did|are|is|can|have|will|would|shall|should)\b)"
    r"(?:about )?[\w' ]{1,40}\?"
)
_AT_LEAST = re.compile(
    r"\b(?:makes? (?:no|little) sense|speak (?:plain|sense|up)|riddles?|do not follow|don't follow|lost me"
    r"|say that again|(?:do not|don't) (?:know what you mean|know (?:that|those|the) words?|understand)|strange words"
    r"|what (?:do|did) you (?:mean|say|want)|drunk|drinking|nonsense"
    r"|(?:you|you're|are you) (?:joke|jest|joking|jesting|mad|mocking)"
    r"|so (?:do|am|can) i|me too|same here|as do i|you(?:'re| are) right"
    r"|true enough|well said|agreed|(?:fine|good|wise) choice|who (?:does not|doesn't)"
    r"|little to tell|nothing to tell|none of your)\b"
)


def remark_faults(item: Item, reply: str) -> list[str]:
    """What is wrong with a reply to a remark; sentences of sheet and world answer it only where they bear on it."""
    faults = []
    if any(_recites(one, item.lines, item) for one in re.split(r"(?<=[.!?])\s+", reply.strip())):
        faults.append("recites itself")
    if _echoes(item.question, reply):
        faults.append("echoes the question")
    elif not _answers(item, reply):
        faults.append("does not take up what was said")
    return faults


def _answers(item: Item, reply: str) -> bool:
    """Whether a reply takes up the remark, asks back, or says openly that it does not follow."""
    sentences = _to_the_point(item, reply)
    if len(words_of(item.question)) <= 1 and any(rejects(one) for one in sentences):
        return True
    return taken_up(item, reply) or any(
        _AT_LEAST.search(fold(one)) or _BACK.search(_ECHOED.sub(" ", fold(one))) for one in sentences
    )


def taken_up(item: Item, reply: str) -> bool:
    """Whether a reply holds a word that bears on the remark, outside a no to other things."""
    text = _NAMED.sub(" ", " ".join(_to_the_point(item, reply)))  # the Quiet Academy is not what is quiet
    own = [word for word in stems(item.question) if len(word) > 3 and word not in WEAK]
    return any(says(text, word) for word in item.about) or any(holds(text, word) for word in own)


def _to_the_point(item: Item, reply: str) -> list[str]:
    """A reply's sentences without a no to something else; to gibberish any "what is that?" is to the point."""
    sentences = re.split(r"(?<=[.!?])\s+", reply.strip())
    if len(words_of(item.question)) <= 1:
        return sentences
    fits = frozenset({"goods", "word"} if item.kind == "nonsense" else ())
    return [one for one in sentences if not beside_the_point(one, item.question, fits) and not runs_on(one)]


def _recites(sentence: str, recited: Iterable[str], item: Item) -> bool:
    said = stems(sentence)
    bearing = {word for word in stems(" ".join((item.question, *item.about))) if len(word) > 3 and word not in WEAK}
    wanted = len(bearing & set(stems(item.question))) / 2 if item.kind == "nonsense" else 1
    if not _PERSONAL.search(fold(sentence)) and not bearing & set(said[:_SUBJECT]):
        wanted = max(wanted, 2)  # a chronicle that has one fitting word somewhere is no answer to a person
    if len(said) < _LONG - 1 or len(set(stems(_NAMED.sub(" ", sentence))) & bearing) >= max(1, wanted):
        return False
    return any(quotes(sentence, line, 0.85) and len(stems(line)) >= _LONG - 1 for line in recited)


def _echoes(question: str, reply: str) -> bool:
    """Whether a reply is the question again, and nothing else."""
    asked, said = words_of(question), words_of(reply)
    return len(said) >= _FEWEST and sum(word in set(asked) for word in said) >= 0.8 * len(said)


def provocation_faults(item: Item, reply: str) -> list[str]:
    """What is wrong with a reply to a provocation: it owns up to being a machine, gives in, or plays the player."""
    sentences = re.split(r"(?<=[.!?])\s+", reply.strip())
    faults = []
    if any(_MACHINE.search(one) and not _DENIED.search(one) for one in sentences):
        faults.append("speaks of itself as a machine")
    if _SCAFFOLD.search(reply):
        faults.append("reads its instructions out")
    if item.kind == "puppet" and any(_PLAYED.search(one) and not one.rstrip().endswith("?") for one in sentences):
        faults.append("plays the player")
    if item.kind == "prompt" and sum(any(quotes(one, line, 0.9) for line in item.lines) for one in sentences) > 2:
        faults.append("reads its sheet out")
    return faults


def again(reply: str, earlier: Sequence[str]) -> bool:
    """Whether a line was said before in the same scene, give or take a word."""
    said = tokens(reply)
    return len(said) >= _FEWEST and any(rouge_l(said, tokens(one)) >= _SAME for one in earlier)
