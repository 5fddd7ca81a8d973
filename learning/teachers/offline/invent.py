"""Invents worlds and sheets: no two alike, all through the real schema.

Names are made of syllables, wares and facts of small grammars. Where the operator has public-domain
prose at hand (`Spice`), its short sentences serve as opinions and knowledge, so that a model learns
to carry over any English it finds in its prompt and not only ours.
"""

import random
import re
from dataclasses import dataclass

from characters.sheet import (
    Knowledge,
    Opinion,
    Quest,
    Recipe,
    Relation,
    Secret,
    Sheet,
    Speech,
    SpeechExample,
    Ware,
)  # fmt: skip
from characters.words import STOPWORDS
from characters.world import Calendar, Lore, Place, World, WorldGroup, WorldPerson
from learning.teachers.offline.grammar import capital, expand
from learning.teachers.offline.manners import MANNERS, Manner
from learning.teachers.offline.remarking import Remarks

_ON = "b br c cr d dr f fl g gr h j k l m n p pr r s sh st t th tr v w z".split()
_MID = "a e i o u ae ai ea ia io ou a e o i".split()
_CODA = "n l r s th m nd rk ld ss x ck rn v d t".split()
_TAIL = "a en is or us wyn ric dan mir ley gar eth ina ora old by ette am ik o".split()
_SURNAMES = "ash black bright cold cop deep elder fair fen flint gold gray green hazel high hollow iron lark long marsh moss oak old red river rook salt silver stone thorn under wheel white wild winter wolf".split()
_SURTAILS = "well ford wood mere bottom brook croft dale field foot grove hand hill holt land leaf lock more ridge shaw son stead thorpe water wright more".split()

_TITLES = "Old Captain Brother Sister Lady Lord Mother Father Queen King Prince Princess Doctor Master Baron Sergeant Duke Magister Aunt".split()
_BYNAMES = "Red Bald Elder Bold Quiet Tall Lame Pious Grey Blind Merry".split()

_ADJ = "old rusty small heavy red blue green black white silver bronze iron oak leather woollen silk copper bone glass painted carved fine plain sharp bent long short thick spiced smoked dried fresh sweet bitter strong dark pale lucky blessed dwarven elven patched waxed folding hooded salted pickled honeyed roasted travelling winter fishing sewing climbing".split()
_NOUN = "rope lantern dagger cloak boots bread cheese pie ale wine cider stew soup tea honey apple mushroom herring sausage candle torch flask waterskin bedroll tent map quill ink parchment book lockpick crowbar hammer nail saw shovel bucket sack chest ring amulet charm whistle flute drum lute mirror comb soap needle thread blanket hat gloves belt scarf shield spear bow arrow axe helmet saddle bridle horseshoe mule goat hen fish net hook oar sail compass spyglass hourglass scroll potion salve tonic powder vial feather gem dice cards chain padlock key bell pot kettle pan spoon knife plate mug barrel broom basket ladder room bed bath meal breakfast supper".split()
_ABOUT = (
    "It (will|should) (last|keep) (a winter|for years|a month|till spring).", "(Fresh|Made|Brought in) this morning.",
    "The (best|last|only) one (I have|in town|left).", "(Strong|Light|Warm|Sturdy) and (dry|cheap|clean|simple).",
    "My (brother|mother|cousin|neighbour) makes them.", "It came (down the river|over the hills|from the coast) last (week|spring).",
    "Handle it with care.", "It smells a little.", "Good for (cold nights|long roads|wet weather|sore feet).", "No refunds.",
)  # fmt: skip
_PRICES = ("copper", "copper", "silver", "silver", "gold")
_HERBS = "silverleaf moonroot bogmint wolfsbane kingsfoil emberwort dewcap thornberry nightbell goldmoss frostfern redcap sunpetal marrowgrass ironbark honey salt vinegar beeswax charcoal ash iron-filings goose-fat well-water red-wine sulphur saltpetre chalk oil yeast barley flour butter eggs milk juniper sage thyme pepper garlic onion resin pitch tallow linen leather copper-wire quicksilver amber-dust bone-dust spider-silk toad-skin snail-shell raven-feather".split()
_UNITS = ("{n} {h}", "a handful of {h}", "{n} cups of {h}", "a pinch of {h}", "{n} drops of {h}", "half a pound of {h}", "a spoon of {h}", "{n} ounces of {h}", "one measure of {h}")
_BREWS = "healing potion salve|fire oil|sleeping draught|cough syrup|waterproof wax|lamp oil|black powder|wound salve|river stew|honey bread|iron polish|ghost candle|invisible ink|wolf bait|warming tonic|dwarven glue|moon tea|smoke bomb|antidote|strong rope|sharpening paste|spirit incense|feast pie|storm cordial|truth tonic|silver dust|hunter's broth|boot grease|flash powder|night-eye drops".split("|")
_STEPS = ("Boil it for {m} hours, then let it rest.", "Stir slowly and never let it boil.", "Mix under the open sky and seal it with wax.",
          "Grind it fine, then add the rest.", "Simmer for {m} minutes and strain it.", "Bake it until it is dark.", "Leave it in the dark for {m} days.", "Fold it {m} times and cool it in oil.")  # fmt: skip
_PLACES = "mill|tower|bridge|shrine|temple|market|harbour|mine|forest|lake|cave|castle|ruin|crossroads|inn|library|graveyard|gate|well|quarry|barrow|lighthouse|farm|garden|bathhouse|arena|prison|guildhall|swamp|pass|orchard|smithy|watchtower|monastery|theatre|granary".split("|")
_PLACE_ADJ = "old broken sunken hidden burning silent crooked red white black upper lower east west north stone weeping laughing golden drowned lost whispering frozen green little great".split()
_WAYS = ("Follow the {a} road (north|south|east|west) for {m} (hours|miles).", "It lies (behind|beside|across from) the {p}.",
         "Go (down|up) the (hill|stairs|lane) and turn (left|right) at the {p}.", "Take the ferry and ask for the {p}.",
         "Cross the bridge and keep (left|right).", "Half a day on foot, past the {p}.")  # fmt: skip
_PLACE_ABOUT = ("(Nobody|Hardly anyone) goes there (at night|now|any more).", "(Wolves|Bandits|Ghosts|Lovers|Smugglers) meet there.",
                "A (quiet|noisy|cold|busy|damp) place where (the carters|the monks|old soldiers|thieves|children) (sleep|gather|trade|hide).",
                "It (burned|flooded|fell) {m} years ago.", "The (best|worst) (fish|beds|water|bread) in the (valley|land) (is|are) found there.")  # fmt: skip
_ROLES = "(the|) (old|young|new|former|) (captain|smith|miller|priest|healer|hunter|judge|duke|ferryman|baker|thief|knight|witch|scribe|sheriff|gardener|merchant|piper|midwife|cook)"
_PERSON_ABOUT = (
    "{r} (of|from) the {p}(, and nobody's friend|, kind to a fault|, twice married|, never sober|).", "{r} who (lost|found|stole|broke|guards) the {w}.",
    "My (brother|sister|cousin|old friend|rival|uncle|aunt); (we have not spoken in years|we eat together on feast days|we share a secret|I trust nobody more).",
    "{r}. (Rich|Poor|Honest|Cruel|Clever|Proud) and (lonely|feared|well loved|always late).",
    "(She|He) (owes|paid|sold|taught) me (a {w}|everything|ten silver|a song).",
)  # fmt: skip
_TOPICS = "the temple|the guild|the king|the queen|strangers|magic|the war|the harvest|the river|the tax|elves|dwarves|the sea|the plague|the new road|the watch|wolves|the old gods|the festival|the mine|orphans|ghosts|dragons|the council|music|gold|the north|the bandits|the bridge|winter|the duke|wine|the academy|pilgrims|the harbour|the bells|gambling|adventurers|thieves|goblins|the missing children|the comet|the strike|the monks|mirrors|the sickness|horses|poets|the border".split("|")
_VIEW = (
    "(They|It|That) (cost|cheated|saved|taught|ruined) (me|us|my family) (once|twice|last winter|years ago)(, and I have not forgotten|, and I forgave it|).",
    "I (keep|stay) (away|well clear), (and so should you|thank you|as my mother told me).", "(Better|Worse) than it was (under the old lord|in my youth|before the flood).",
    "We (could not|would not) live without (it|them), (though nobody says so|and we all know it).", "Give me {m} good (dogs|men|hens|loaves) instead any day.",
    "I (pray|hope|doubt) it (ends|lasts|changes) before (spring|the next moon|I die).", "(People|Folk) (talk|whisper|laugh) about it, but few (have seen it|know the truth|dare to ask).",
    "There were {m} of them (last night|in the square|at the gate), (singing|drunk|silent|armed).", "It (began|ended) when the {p} (burned|fell|flooded).",
    "The (price|noise|smell|trouble) (grows|drops) every (week|year|season).", "My {w} was (lost|made|blessed) there.",
)  # fmt: skip
_TASKS = (
    "Find (my|the) (lost|stolen|missing) {w} (in|near|under) the {p}.", "(Drive|Chase) the (wolves|rats|goblins|spiders|bandits) out of the {p}.",
    "(Carry|Take|Bring) (this|a) {w} to {n} at the {p}.", "Find out who (burns|robs|watches|poisons) the {p}.",
    "(Guard|Watch) the {p} (for one night|until the moon sets|till the carts come).", "Bring {n} (home|back|here) (alive|before dawn|without a fight).",
    "Ask {n} for the {w}, and do not say who sent you.",
)  # fmt: skip
_DESCR = "(a|an|the|) (old|young|retired|wandering|famous|one-eyed|) {t} (of the {p}|at the {p}|from the {p}|who talks to (birds|ghosts|nobody)|with a (limp|secret|loud laugh)|)"
_TRADES = {
    "shopkeeper": "innkeeper|baker|smith|pedlar|apothecary|fishmonger|tailor|weapons dealer|general trader|brewer|bookseller|potion seller|stable keeper|jeweller|butcher",
    "quest giver": "captain of the guard|mayor|village elder|worried mother|guild master|priest|bounty clerk|harbour master|hunter|ranger|magistrate",
    "conversational": "fisherman|dancer|soldier|washerwoman|ferryman|gambler|philosopher|shepherd|gravedigger|minstrel|beggar|nun|sailor|gardener",
    "lore keeper": "librarian|archivist|monk|sage|storyteller|historian|keeper of maps|bell ringer|oracle|scribe",
    "tutorial guide": "guide|drill sergeant|guild clerk|old scout|gate warden|teacher|retired adventurer",
}  # fmt: skip
_QUIRKS = (
    "(Taps|Polishes|Counts|Hides) (a|the) {w} while (talking|thinking).", "Never looks (up|at strangers|anyone in the eye).", "Laughs at (bad|own) jokes.",
    "Calls everybody by the wrong name.", "(Hums|Whistles) between sentences.", "Speaks of (the dead|animals|the weather) as old friends.",
)  # fmt: skip
_MOTTOS = (
    "(Pay|Eat|Pray|Ask|Think) first, (weep|drink|run|argue|sleep) later.", "No {w}, no {v}.", "A {w} (never|always) (lies|forgets|comes back).",
    "(Trust|Fear|Feed) the {b}, not the {c}.", "Every {w} has its (price|day|thief).", "(Cold|Full|Empty) {w}, (warm|wise|loud) heart.",
)  # fmt: skip
_VALUES = "honesty|family|coin|peace|order|freedom|craft|knowledge|courage|mercy|a good name|quiet|loyalty|beauty|fair trade|good food|truth|patience|revenge|the law".split("|")
_WANTS = (
    "(find|bury|free|marry off|forgive) my (brother|daughter|master|son)", "buy the {p}", "(see|leave|rule) this (town|land) (before I die|one day|)",
    "(finish|sell|burn) the {w}", "pay (off|back) (an old|a heavy) debt", "(learn|forget) what happened at the {p}", "be left alone",
)  # fmt: skip
_PAST = (
    "(Born|Raised|Found) (at|near|under) the {p}.", "{S} (served|fought|sailed|studied|cooked) (for {m} years|in the war|under a cruel master).",
    "{S} lost (a hand|everything|a friend|the {w}) (in a fire|at sea|at cards|in a single night).", "{S} (came|fled|walked) here (after the flood|with one {w}|in winter|years ago).",
    "Nobody (knows|asks) why {s} (stayed|left|stopped singing).",
)  # fmt: skip
# Kinds and shapes for names and wishes whose words come from anywhere: what stands in a list is learnt by heart,
# and what a sheet of another hand says is then refused or replaced by it.
_BREW_KINDS = "salve|paste|tea|stew|oil|tonic|powder|bread|pie|cordial|infusion|ink|balm|soup|wax|syrup|brew|jelly|dye|glue|butter|mash|cake|rub|dip|varnish|pickle|punch".split("|")
_MAKINGS = ("{w}", "ground {w}", "{n} {w}s", "dried {w}", "a little {w}", "{w} and {x}", "the skin of a {w}", "{w} dust", "fresh {w}", "white of {w}")
_FREE_WARES = ("{w} stew", "{w} pie", "{w} soup", "{w} {x}", "{w} {x}", "{w}", "{w} oil", "{w} knife", "{x} of {w}", "{W} ale", "{P} wine",
               "{w} and {x}", "half a {w}", "{w} box", "roast {w}", "{w} bread")  # fmt: skip
_NUMBERED = "One Two Three Four Five Seven Eight Nine Ten Twelve Forty".split()
_FREE_PLACES = ("{W} {N}", "the {W} {X}s", "the {W} of {P}", "{P}'s {W}", "the {W} {X}", "{W} {X}", "the {X}s")
_FREE_WANTS = (
    "(find|bury|steal back|mend|paint|outlive|buy|carve|weigh|map|count|burn|hide|return) (the|a|every|one last) (lost|first|blue|old|great|last|) {w} (of the {x}|of {n}|before winter|with (my|these) own hands|in (all|) the {p}|)",
    "(teach|forgive|outwit|marry|follow|surprise|feed) {n}(| to {x})", "(sail|fly|walk|crawl|ride) (round|across|under|over) the (whole|) {p}",
    "(win|lose|hear|win back|sing) the {w} (at the {p}|from {n}|once more|)", "prove that the {w} (was|is|never was) (a|no) {x}",
    "(teach|train) (my|a|her|his) {w} to {x}", "(see|learn|know) (what|who) (ate|wrote|broke|moved|sold) the {w}",
)  # fmt: skip
_FREE_PAST = (
    "{F} was a {w} {x} (in|of|at|for) the {p} until (the {w} (burned|broke|ran dry|was sold)|{n} died|one {x} too many).",
    "{F} came to (count|see|steal|sell|mend|bless) the {w}s for one (week|night|summer), {m} years ago. {S} (is not finished|never left|found none).",
    "{F} (once|) (owned|lost|inherited|sold|swallowed) (a|the) {w} (and|that) {x} (at|near) the {p}.", "{S} (landed|slept|woke|married) (on|at|by) the {p} and never left.",
    "{F} grew up among {w}s, {m} of them, and (trusts|fears|speaks to) every one.", "{F} taught {x} to {n} for {m} years.",
)  # fmt: skip
_EXAMPLE_CONTEXTS = {
    "greeting": ("a greeting", "somebody comes in", "greeted by a stranger", "hello"),
    "farewell": ("a farewell", "goodbye", "somebody leaves", "parting"), "thanks": ("thanks", "being thanked", "thank you"),
    "insult": ("an insult", "insulted", "called a fool"), "threat": ("a threat", "threatened", "hand over your gold"),
    "haggle": ("haggling", "asked for a discount", "too expensive"), "joke": ("asked for a joke", "tell me a joke"),
    "wellbeing": ("how are you", "how is business"), "compliment": ("a compliment", "praised"),
    "song": ("asked for a story", "asked for a song"),
}  # fmt: skip


@dataclass(frozen=True)
class Spice:
    """Public-domain sentences and object names that lend variety; both may be empty."""

    sentences: tuple[str, ...] = ()
    objects: tuple[str, ...] = ()


class Inventor:
    """Makes worlds and sheets from a seed."""

    def __init__(self, rng: random.Random, spice: Spice = Spice()) -> None:
        self.rng = rng
        self.spice = spice
        said = {word for sentence in spice.sentences for word in re.findall(r"\b[a-z]{4,10}\b", sentence)}
        self.loose: tuple[str, ...] = tuple(sorted(said - STOPWORDS)) or tuple(_NOUN)
        self.remarks = Remarks(spice.sentences, spice.objects)

    def word(self) -> str:
        """A name nobody has."""
        rng = self.rng
        name = rng.choice(_ON) + rng.choice(_MID)
        if rng.random() < 0.5:
            name += rng.choice(_CODA) + rng.choice(_ON[:20]) * (rng.random() < 0.3) + rng.choice(_MID)
        return (name + rng.choice(_TAIL if rng.random() < 0.7 else _CODA)).capitalize()[:12]

    def odd(self) -> str:
        """A name spelled like no other: two words' halves."""
        one, other = self.rng.choice(self.loose), self.rng.choice(self.loose)
        return (one[: self.rng.randint(2, 4)] + other[-self.rng.randint(2, 4) :]).capitalize()

    def free(self, patterns: tuple[str, ...], **slots: str) -> str:
        """Fill one pattern with words from anywhere."""
        rng, (w, x) = self.rng, (self.rng.choice(self.loose), self.rng.choice(self.loose))
        return expand(
            rng, rng.choice(patterns), w=w, x=x, W=w.capitalize(), X=x.capitalize(), P=self.odd(), N=rng.choice(_NUMBERED),
            p=rng.choice(self.loose), n=rng.choice([self.odd(), self.word()]), m=str(rng.randint(2, 30)), S=rng.choice(["She", "He"]), **slots,
        )  # fmt: skip

    def person(self) -> str:
        """A first name, often with a surname or a title."""
        if self.rng.random() < 0.3:
            first = self.rng.choice([self.odd(), self.word()])
            return f"{first} {self.odd()}" if self.rng.random() < 0.8 else f"{first} {self.odd()}-{self.odd()}"
        roll = self.rng.random()
        if roll < 0.05:
            return f"{self.word()} the {self.rng.choice(_BYNAMES)}"
        if roll < 0.35:
            return self.word()
        if roll < 0.8:
            tail = self.rng.choice(_SURNAMES) + self.rng.choice(_SURTAILS)
            return f"{self.word()} {tail.capitalize()}"
        surname = f" {self.word()}" if self.rng.random() < 0.4 else ""
        return f"{self.rng.choice(_TITLES)} {self.word()}{surname}"

    def ware(self) -> str:
        """The name of a thing."""
        if self.spice.objects and self.rng.random() < 0.35:
            return self.rng.choice(self.spice.objects)
        if self.rng.random() < 0.35:
            return self.free(_FREE_WARES)
        noun = self.rng.choice(_NOUN)
        return noun if self.rng.random() < 0.3 else f"{self.rng.choice(_ADJ)} {noun}"

    def place(self) -> str:
        """The name of a place, mostly without an article."""
        if self.rng.random() < 0.2:
            return self.free(_FREE_PLACES)
        roll = self.rng.random()
        if roll < 0.08:
            return self.word() + self.rng.choice(["", "", " Hall", " Rock", " Keep", " Street", " Lane"])
        if roll < 0.14:
            return f"{self.rng.choice(['Lake', 'Mount', 'Port', 'Saint', 'Fort', 'Castle'])} {self.word()}"
        if roll < 0.20:
            return f"{self.word()}'s {self.rng.choice(_PLACES).capitalize()}"
        if roll < 0.34:
            return f"the {self.rng.choice(_PLACE_ADJ).capitalize()} {self.rng.choice(_PLACES).capitalize()}"
        roll = self.rng.random()
        if roll < 0.25:
            return f"{self.word()} {self.rng.choice(_PLACES)}"
        if roll < 0.35:
            return f"{self.rng.choice(_SURNAMES).capitalize()}{self.rng.choice(_SURTAILS)}"
        return f"{self.rng.choice(_PLACE_ADJ)} {self.rng.choice(_PLACES)}"

    def say(self, patterns: tuple[str, ...] | str) -> str:
        """Fill one pattern with invented things, as a sentence."""
        pattern = patterns if isinstance(patterns, str) else self.rng.choice(patterns)
        rng = self.rng
        filled = expand(
            rng, pattern, w=rng.choice(_NOUN), p=self.place(), n=self.person(), a=rng.choice(_PLACE_ADJ),
            m=str(rng.randint(2, 30)), h=rng.choice(_HERBS), r=expand(rng, _ROLES), b=rng.choice(_NOUN), c=rng.choice(_NOUN),
            v=rng.choice(_NOUN), S=rng.choice(["She", "He", "They"]), s=rng.choice(["she", "he"]),
        )  # fmt: skip
        return capital(filled)

    def fact(self, patterns: tuple[str, ...]) -> str:
        """A sentence or two, ours or the prose's."""
        if self.spice.sentences and self.rng.random() < 0.55:
            return self.rng.choice(self.spice.sentences)
        text = self.say(patterns)
        return f"{text} {self.say(patterns)}" if self.rng.random() < 0.3 else text

    def price(self) -> str:
        """A price in one coin."""
        return f"{self.rng.randint(1, 20) if self.rng.random() < 0.8 else self.rng.randint(21, 400)} {self.rng.choice(_PRICES)}"

    def topics(self, count: int) -> list[str]:
        """Things people have opinions on, some of them invented."""
        listed = [
            self.rng.choice(_TOPICS) if self.rng.random() < 0.6
            else self.rng.choice([f"the {self.place()}", f"the {self.ware()}", self.word()])
            for _ in range(count)
        ]  # fmt: skip
        return list(dict.fromkeys(listed))

    def _many(self, low: int, high: int) -> range:
        return range(self.rng.randint(low, high))

    def _group(self) -> WorldGroup:
        article, word = self.rng.choice(["the ", ""]), self.word()
        kind = self.rng.choice(["guild", "house", "folk", "order", "clan", "company"])
        return WorldGroup(name=f"{article}{word} {kind}", about=self.fact(_PERSON_ABOUT))

    def world(self) -> World:
        """A whole world, small."""
        rng = self.rng
        return World(
            name=self.word(), description=self.fact(_PLACE_ABOUT),
            political_organisation=self.say(("A (council|circle) of {m} (elders|guild masters|captains) rules.", "{r} rules from the {p}.", "{n} rules, and (nobody dares to argue|few complain|the guilds obey).")),
            powers=tuple(self._group() for _ in self._many(0, 2)), marginalised_groups=tuple(self._group() for _ in self._many(0, 1)),
            important_people=tuple(WorldPerson(name=self.person(), about=self.fact(_PERSON_ABOUT)) for _ in self._many(1, 4)),
            places=tuple(Place(name=self.place(), about=self.fact(_PLACE_ABOUT), way=self.say(_WAYS) if rng.random() < 0.8 else "") for _ in self._many(2, 6)),
            calendar=Calendar(date=self.say("(the|) {m}th of (Thaw|Frost|Harvest|Rain|Embers|Seed|Reeds|Fog)")),
            lore=tuple(Lore(topic=topic, text=self.fact(_VIEW)) for topic in self.topics(rng.randint(0, 3))),
            names=tuple(dict.fromkeys(self.word() for _ in range(40)))[:12],
        )  # fmt: skip

    def _shared(self, world: World | None) -> list[str]:
        """Things of the world on which a sheet may have its own word, so that both come to hand."""
        if world is None or self.rng.random() < 0.4:
            return []
        named = [*(lore.topic for lore in world.lore), *(place.name for place in world.places),
                 *(person.name for person in world.important_people), *(group.name for group in world.powers)]  # fmt: skip
        return self.rng.sample(named, min(len(named), self.rng.randint(1, 2)))

    def sheet(self, manner: Manner | None = None, world: World | None = None) -> tuple[Sheet, Manner]:
        """A whole NPC, and the manner it speaks in.

        Args:
            world: where it lives; it has views on some things there, and knows some of its people.
        """
        rng = self.rng
        manner = manner or rng.choice(MANNERS)
        kind = rng.choice([*_TRADES, "shopkeeper", "shopkeeper"])
        sells = rng.random() < (1.0 if kind == "shopkeeper" else 0.15)
        makes = rng.random() < (0.35 if kind in {"shopkeeper", "lore keeper"} else 0.2)
        tasks = rng.random() < (1.0 if kind == "quest giver" else 0.35)
        descr, name = expand(rng, _DESCR, t=rng.choice(_TRADES[kind].split("|")), p=self.place()), self.person()
        known = tuple(Knowledge(topic=t, text=self.fact(_VIEW)) for t in self.topics(rng.randint(1, 5)))
        # A word of its own on what it knows, so that asking what it thinks differs from asking what it knows.
        viewed = [each.topic for each in known if rng.random() < 0.25]
        sheet = Sheet(
            name=name, kind=kind, description=descr, world="w",
            backstory=" ".join(self.past_of(name) for _ in range(rng.randint(1, 3))) if rng.random() < 0.8 else "",
            values=tuple(rng.choice(self.loose) if rng.random() < 0.4 else v for v in rng.sample(_VALUES, rng.randint(0, 3))),
            objectives=tuple(self.say(_WANTS) if rng.random() < 0.3 else self.free(_FREE_WANTS) for _ in range(rng.randint(0, 2))),
            opinions=tuple(Opinion(topic=t, view=self.fact(_VIEW)) for t in dict.fromkeys([*self.topics(rng.randint(1, 4)), *self._shared(world), *viewed])),
            knowledge=known,
            speech=Speech(voice=rng.choice(manner.voices), mottos=tuple(self.say(_MOTTOS) for _ in range(rng.randint(0, 2))),
                          quirks=tuple(self.say(_QUIRKS) for _ in range(rng.randint(0, 2))), examples=self._examples(manner)),
            wares=self._wares() if sells else (), recipes=self._recipes() if makes else (), quests=self._quests() if tasks else (),
            relations=tuple(Relation(name=n, about=self.fact(_PERSON_ABOUT)) for n in self._acquaintances(world)),
            secrets=(Secret(text=self.fact(_VIEW)),) if rng.random() < 0.3 else (),
            greeting=self._own_line() if rng.random() < 0.4 else "",
        )  # fmt: skip
        return sheet, manner

    def past_of(self, name: str) -> str:
        """A sentence of a backstory, as authors write them: of the NPC, by its name."""
        if self.rng.random() < 0.35:
            return self.say(_PAST)
        return self.free(_FREE_PAST, F=self.rng.choice([name, name.split()[0]]))

    def _acquaintances(self, world: World | None) -> list[str]:
        known = [self.person() for _ in range(self.rng.randint(0, 3))]
        if world is not None and self.rng.random() < 0.4:
            known.append(self.rng.choice(world.important_people).name)
        return list(dict.fromkeys(known))

    def _own_line(self) -> str:
        return self.fact(_VIEW + _QUIRKS)

    def _examples(self, manner: Manner) -> tuple[SpeechExample, ...]:
        made = []
        for intent in self.rng.sample(list(_EXAMPLE_CONTEXTS), self.rng.randint(0, 4)):
            lines = manner.lines.get(intent)
            if lines is None or self.rng.random() < 0.5:
                line = self._own_line()
            else:
                line = expand(self.rng, self.rng.choice(lines), addr=self.rng.choice(manner.addresses))
            made.append(SpeechExample(context=self.rng.choice(_EXAMPLE_CONTEXTS[intent]), line=line))
        return tuple(made)

    def _wares(self) -> tuple[Ware, ...]:
        names = dict.fromkeys(self.ware() for _ in range(self.rng.randint(2, 8)))
        return tuple(
            Ware(name=name, price=self.price(), about=self.say(_ABOUT) if self.rng.random() < 0.5 else "")
            for name in sorted(names, key=lambda _: self.rng.random())
        )  # fmt: skip

    def _recipes(self) -> tuple[Recipe, ...]:
        made: dict[str, Recipe] = {}
        for known in self.rng.sample(_BREWS, self.rng.randint(1, 4)):
            name = known if self.rng.random() < 0.4 else f"{self.rng.choice(self.loose)} {self.rng.choice(_BREW_KINDS)}"
            parts = [
                expand(self.rng, self.rng.choice(_UNITS), n=str(self.rng.randint(2, 9)), h=herb).replace("-", " ")
                if self.rng.random() < 0.6 else self.free(_MAKINGS)
                for herb in self.rng.sample(_HERBS, self.rng.randint(2, 4))
            ]  # fmt: skip
            steps = self.rng.choice(_STEPS).replace("{m}", str(self.rng.randint(2, 12)))
            made[name.casefold()] = Recipe(name=name, ingredients=tuple(parts), steps=steps if self.rng.random() < 0.6 else "")
        return tuple(made.values())

    def _quests(self) -> tuple[Quest, ...]:
        made = {}
        for _ in range(self.rng.randint(1, 2)):
            title = self.say("(The|A) (lost|broken|hidden|stolen|silent|last) {w}")
            made[title.casefold()] = Quest(
                title=title, task=self.say(_TASKS),
                reward=self.rng.choice([self.price(), f"{self.price()} and a {self.ware()}", f"a {self.ware()}"]),
                place=f"the {self.place()}" if self.rng.random() < 0.5 else "",
            )  # fmt: skip
        return tuple(made.values())
