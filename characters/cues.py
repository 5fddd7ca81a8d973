"""What a question asks for, judged by its wording alone: a price, a name, the way to a place.

A cue opens kinds of facts that are at hand without being named ("what do you sell?"), and prefers
one kind where several are ("where is the temple?" wants the place, not the view on it).
"""

import re

from characters.words import fold

# Alternatives of one pattern a cue, over as many lines as it takes; <you> and <your> as players write them.
_CUES: dict[str, str] = {
    "price": r"""how much|how many (?:coins?|coppers?|silvers?)|costs?|prices?|priced?|charge|pay for|worth|expensive
        |cheap|damage|owe|set me back|asking for|what do you want for|the (?:sum|total|bill)|in total
        |altogether|all together|all told|add (?:it|that|them) up|do (?:i|we) pay""",
    "wares": r"""(?:do|d') ?<you> (?:\w+ )?(?:sell|stock|carry|offer|trade)|<you>(?:'re|r| are)? sell(?:s|ing|in)?\b
        |for sale|<your> (?:wares|goods|stock|menu|prices|shelves|table|cart|counter|shop)
        |what (?:have <you>|<you>'ve) got|in (?:the shop|stock)
        |on (?:the )?(?:offer|menu|counter|table|cart)|wares|(?:what|which|any) goods
        |(?:to|could|can|worth|can \w+|a traveller|i'm|we're) buy(?:ing)?\b|buy something
        |(?:i|we|person) can get here|(?:any|some)thing to (?:eat|drink|trade)|browse
        |what (?:do|would|can) <you> (?:recommend|suggest)
        |(?:good|hot|nice|best(?: thing)?) to (?:eat|drink)|what(?:'s| is|s) (?:cooking|for (?:supper|dinner|breakfast))
        |inventory|stock up|supplies
        |what (?:else )?do <you> (?:have|serve)(?! to (?:do|say|lose|offer me)|n't)|<you> serving
        |what <you> have\b(?! (?:to|done|seen|heard|said))|what(?:'s| is) (?:good|on)(?= here| tonight| today|\W*$)
        |what (?:can|could) (?:i|we) (?:get|have|order)(?= here|\W*$)|what (?:can|could) <you> (?:offer|serve)
        |(?:i'm|we're|i am|we are) (?:\w+ )?(?:hungry|starving|thirsty|famished|parched)""",
    "name": r"""who are <you>|<your> names?|who(?:'s| is) (?:this|that there|standing there)|who might you be
        |call <you>|introduce yourself|(?:who|whom) (?:am i|are we|do i|are you)|to whom|and you are
        |about yourself|who <you> (?:are|might be|r)|<you> go by|(?:a|which|what|with) names?\b(?! of)
        |^(?:and )?names?\W*$|address <you>|know <you> by|what's yours|we've met""",
    "trade": r"""what (?:do <you>|is it <you>|<you>) (?:do|make)\b(?! (?:with|about|when|if))
        |<your> (?:job|trade|work|craft|profession|business|occupation|calling|role|post|office)
        |<your> (?:part|place) in
        |(?:what|which) (?:sort of )?(?:job|trade|work|craft|profession|role|post|office|title|occupation)
        |what are <you>(?:\W*$|\W+then|\W+really|\W+exactly|\W+anyway)|for a living|(?:a|<your>) living
        |line of work|earn <your>|<you> earn|pays <your>|keeps <you> busy|<you> known for|spend <your>
        |<you> work here|are <you> an? \w+, or""",
    "home": r"""where (?:do |d')?<you> (?:live|stay|dwell|lodge|sleep|belong)
        |<your> (?:home|house|home town|hometown|bed)|home for <you>
        |<you> (?:live(?! by| for| like|d)|a local|from here|from around|from these|call home|lay)
        |(?:what|which) (?:town|city|village|place|land) (?:is|are|do)|where(?:'s| is) home
        |(?:town|city|land) are we|name of (?:this|the) (?:town|city|village|place|land)|where did we end up
        |(?:this|the) (?:town|city|village|place|land) called|where are we|where in the world
        |(?:send|write) <you>\b|(?:find|look for) <you>\b|a (?:home|house|bed)\? where""",
    "recipe": r"""recipes?|recipies?|ingredients?|how does one (?:make|brew|cook|bake)
        |how (?:do|would|does|can) (?:you|i|we) (?:make|brew|craft|cook|mix|prepare|forge|bake)(?! (?:a|your) living)
        |what goes in(?:to)?|made (?:of|from)|how (?:is|are) .{1,30} made|to make\b|which (?:brews|dishes)
        |teach me to (?:make|brew)|<you> (?:can )?(?:make|brew|craft|bake)(?! (?:here|for a))
        |(?<!you )make (?:a (?!living)|an|some|the)|brew (?:a|an|some|the)|what do i need for""",
    "quest": r"""(?:any|some|got|for|a|have|know of) (?:\w+ )?(?:work|jobs?|quests?|tasks?)|quests?
        |need (?:any )?help|jobs?|bount(?:y|ies)|errands?|tasks?|adventure|help you|needs? doing
        |(?:can|could) (?:i|we) help|(?:i|we) can (?:do|help)|what can (?:i|we) do for you|hire|hiring
        |use (?:some )?work""",
    "reward": r"""rewards?|what(?:'s| is) in it for|pay(?:ing|s)? (?:us|me)|what do (?:i|we) get
        |(?:does|will) (?:it|that|this) pay|what(?:'s| is) the pay|the pay""",
    "rumour": r"""heard (?:any|some)thing|anything (?:interesting|strange|new|unusual|odd)|word on the street
        |what(?:'s| is) (?:new|the word|going on|happening)(?! with <you>)|(?:any|what) (?:news|trouble|tidings)
        |(?:people|folks?|they) (?:saying|talk(?:ing)? about|say around)""",
    "motto": r"""motto|sayings?|(?:words|rule)(?: do)?(?: <you>)?(?: to)? live by|favou?rite (?:saying|proverb)
        |proverbs?|you always say|wisdom for""",
    "goal": r"""what (?:do|would) <you> (?:still )?want\b(?! for)
        |<your> (?:goals?|dreams?|plans?|ambitions?|aims?|wish(?:es)?)
        |(?:goals?|plans?|dreams?|wish(?:es)?) of yours
        |<you>(?:'re| are)? (?:hop|dream|wish|long|aim|striv|plann)(?:e|ing)?\b
        |<you>(?:'re| are)? (?:after\b|working (?:for|toward))|<you> want to (?:do|be)\b|hope for|dream of
        |one wish|drives you|keeps you going|working toward|make you happy|get up for
        |(?:any|have you)(?: any)? (?:dreams|plans|hopes|wishes|ambitions)""",
    "past": r"""<your> (?:past|story|childhood|history|youth|life(?!\?))|where (?:are|do) <you> (?:come )?from
        |grow up|grew up|how did <you> (?:become|end up|get here|come)|before (?:this|all this|<you> came)
        |<you> born|what (?:came|was) before|<you> before
        |always (?:been )?(?:here|live|lived|do this|like this)|the old days|happened to <you>
        |(?:scars|memories|stories) of your own|<you>'ve lived|made <you> who|long have <you>""",
    "looks": r"""<you> look(?:ing)? like|<you> looked like|<your> (?:looks|appearance|face|hair|eyes|clothes|outfit|fur)
        |describe yourself|are <you> wearing|do <you> wear|<you> dressed""",
    "value": r"""what matters|important to <you>|believe in|<your> (?:values|principles)|value most
        |<you> (?:care (?:about|for)|prize|respect)|matters to <you>|hold dear|<you> value|stand for
        |(?:would|do) <you> (?:die|live) for|sacred|dear to <you>|principles|virtues|worth most to <you>
        |counts for <you>|look for in (?:people|a friend)|never betray""",
    "date": r"""what day|which day|the date|today's date|which month|what month|what year|day is it""",
    "place": r"""where(?:'s| is| are| can| do| would)|wheres|how (?:do|does) (?:i|we|one) (?:get|reach|find)|way to
        |directions?|which way|how far|path (?:to|that)|road to|reach|find the way""",
    "ruler": r"""who (?:rules|governs|runs|leads|is in charge)|in charge|makes the laws?|is law|the boss""",
    "world": r"""tell me about (?:this|the) (?:place|town|city|land|village|country)
        |what is this (?:place|town|land|city)|where am i|this town|this city""",
    "opinion": r"""think (?:of|about)|opinions?|<your> (?:view|take|feelings?|thoughts)|feel about|make of
        |do <you> (?:like|trust|hate|love|fear)|for or against|good or bad|agree""",
    "who": r"""who(?:'s|s| is| was| were)|what (?:sort|kind|manner) of (?:person|man|woman|people)|do you know""",
}
_YOU, _YOUR = r"(?:you|u|ye)", r"(?:your|ur|thy)(?: \w+)?"


def _compiled(pattern: str) -> re.Pattern[str]:
    joined = "".join(line.strip() for line in pattern.splitlines())
    return re.compile(rf"\b(?:{joined.replace('<your>', _YOUR).replace('<you>', _YOU)})(?!\w)")


_PATTERNS = tuple((name, _compiled(pattern)) for name, pattern in _CUES.items())

# Which categories a cue opens even when no subject word matches, best first.
OPENS: dict[str, tuple[str, ...]] = {
    "wares": ("wares",), "name": ("name",), "trade": ("trade",), "home": ("home", "name"), "quest": ("quest",),
    "motto": ("motto",), "goal": ("goal",), "past": ("past",), "value": ("value",),
    "date": ("date",), "ruler": ("politics",), "world": ("world",), "recipe": ("recipes",),
    "reward": ("quest",), "looks": ("looks",),
}  # fmt: skip

# Which categories a cue prefers among subject matches.
PREFERS: dict[str, tuple[str, ...]] = {
    "price": ("ware", "sum"), "wares": ("ware",), "recipe": ("recipe",), "quest": ("quest",),
    "reward": ("quest",), "place": ("place",), "ruler": ("person", "politics"), "opinion": ("opinion",),
    "who": ("person", "group"),
}  # fmt: skip


def cues(question: str) -> tuple[str, ...]:
    """Name what a question asks for."""
    folded = fold(question)
    found = [name for name, pattern in _PATTERNS if pattern.search(folded)]
    return tuple(name for name in found if name != "world" or "ruler" not in found)  # "who runs this town?"
