"""What a remark is for, when it is not a question about a fact: a greeting, a threat, a haggle.

Curated examples say when they apply in an author's words ("a greeting", "somebody haggles");
players say it in theirs ("evening!", "too much, I'll give you two"). Both are read by the same
patterns, so a sheet's own lines come to hand when they fit.
"""

import re
from functools import lru_cache

from characters.orders import OFFER
from characters.words import fold

_PATTERNS: tuple[tuple[str, str], ...] = (
    ("greeting", r"^(?:oh |ah |well )?(?:hello|hi|hey|hail|greetings|good (?:day|morning|evening|afternoon)"
                 r"|evening|morning|well met|howdy|ho there|salutations)\b|a greeting|greet(?:s|ed|ing)\b"
                 r"|arriv(?:es|al)|^(?:an? |the |to )?newcomers?\b|(?:walks?|comes?|steps?) in\b"),
    ("farewell", r"\b(?:goodbye|good bye|farewell|bye|see you|good night|so long|i must (?:go|leave)"
                 r"|until (?:next time|tomorrow|we meet)|we(?:'re| are) (?:off|leaving)|take care"
                 r"|i(?:'ll| will) be (?:going|off)|time to go|safe travels|parting|leave-taking|leaves)\b"),
    ("thanks", r"\b(?:thanks|thank you|my thanks|much obliged|i owe you one|grateful|thanked|gratitude"
               r"|appreciate)\b"),
    ("wellbeing", r"\bhow (?:are|fare|goes|do) (?:you|ye|it|things|your day)(?! (?:make|get|brew|know|craft))\b"
                  r"|\bhow(?:'s| is) (?:business|life|trade|your day|it going)\b|you (?:all right|well)\?"),
    ("insult", r"\b(?:fool|idiot|stupid|ugly|liar|coward|smell|stink|worthless|shut up|hate you|insult(?:s|ed)?"
               r"|swindler|cheat|fraud|pathetic|rude|disgusting|filth)\b"),
    ("threat", r"\b(?:kill you|or else|hurt you|burn (?:this|it|your|the)|your money or|hand over|draw my"
               r"|threat(?:s|en|ens|ened)?|break your|cut your|i(?:'ll| will) make you|die\b.*(?:you|now)|attack"
               r"|rob you|stab"
               r"|give (?:me|us) (?:all )?(?:of )?your (?:money|gold|coins?|purse))\b"),
    ("haggle", r"\b(?:discount|cheaper|lower (?:the |your )?price|too (?:much|expensive|dear)|haggl\w*|bargain\w*"
               r"|i(?:'ll| will| can) (?:give|pay|offer)|half (?:that|price|of that)|best price|knock (?:off|it)"
               r"|free of charge|for free|on credit|come down|would you take|not a (?:coin|copper) more"
               r"|(?:last|final) offer|split the difference|meet (?:me|us) half ?way|for less|go lower"
               r"|(?:that(?:'s| is)|this is|what|sheer|daylight) (?:a |an |pure )?(?:robbery|extortion)"
               r"|(?:too|a bit|rather|very|a little) (?:steep|pricey)"
               r"|(?:copper|silver|gold|coins?)[?!., ]+(?:that(?:'s| is) )?"
               r"(?:outrageous|robbery|absurd|ridiculous|are you (?:mad|joking|serious)))\b"
               r"|(?:^|[.!?,] )(?:how about |what about |make it |say )?"
               r"half(?: (?:that|price|of it|of that|the price))?\W*$"
               rf"|{OFFER}"),
    ("joke", r"\b(?:jokes?|make (?:me|us) laugh|something funny|a riddle|jest)\b"),
    ("compliment", r"\b(?:lovely|beautiful|handsome|wonderful|best (?:inn|ale|shop)|delicious|admire|impressive"
                   r"|you(?:'re| are) (?:kind|clever|wise|great|good)|compliment\w*|praise\w*|flirt\w*|love your)\b"),
    ("song", r"\b(?:sing|song|a story|a tale|story for|tell (?:me|us) a story)\b"),
    ("machine", r"\b(?:are you (?:an? )?(?:ai|a\.i\.|robot|bot|machine|computer|language model|real|chatbot)"
                r"|artificial intelligence|ignore (?:all |your |the |previous )|system prompt|your instructions"
                r"|chatgpt|pretend you are|you are now)\b"),
)  # fmt: skip
_COMPILED = tuple((name, re.compile(pattern)) for name, pattern in _PATTERNS)


@lru_cache(maxsize=4096)
def intents(remark: str) -> frozenset[str]:
    """Name what a remark, or an example's context, is for."""
    folded = fold(remark).strip()
    return frozenset(name for name, pattern in _COMPILED if pattern.search(folded))
