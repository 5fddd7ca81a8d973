"""How words are compared when facts are looked up: folding, stems, and words that mean the same.

No model is asked. A table's questions are short and its sheets are small, so a light stemmer and
a list of everyday synonyms find what a full-text index would, and the reasons stay readable.
"""

import re
import unicodedata
from functools import lru_cache

_WORD = re.compile(r"[a-z0-9]+(?:'[a-z]+)?")

STOPWORDS = frozenset(
    """a all an and are as at be been being but by can could did do does doing for from had has have
    having he her hers him his how i i'd i'll i'm i've if in into is it it's its just let let's me
    more my no not now of off oh ok okay on one or our out over please say she should so some such
    tell than thank thanks that that's the their them then there there's these they this those to
    too up us very was we well were what what's when where where's which who who's whom why will
    with would yes you you're your yours about any anything around here know listen look much many
    like got get give hey hello sir madam friend thing things something also ever really think
    want need take buy sell cost price good great way work make made said""".split()
)

# One line a meaning: a question that uses one word finds a fact that uses another.
_SYNONYMS = """
temple church chapel shrine cathedral abbey monastery priest priestess clergy god gods faith religion \
holy pray prayer sisters monks
ruler king queen lord duke duchess baron baroness mayor prince princess regent crown \
throne council government governor rules reign
room rooms bed beds lodging lodgings sleep stay night bunk bedroom
food eat eating meal meals supper dinner breakfast hungry stew soup bread dish kitchen
drink drinks ale beer wine mead thirsty tankard pint cider spirits brandy
guard guards watch watchman soldier soldiers militia patrol garrison law
magic wizard wizards mage mages sorcerer sorcery spell spells arcane witch enchantment
thief thieves steal stolen robber robbers bandit bandits criminal criminals smuggler smugglers
sword blade weapon weapons dagger knife axe spear
armor armour shield mail breastplate helmet
horse horses stable stables mount pony
ship ships boat boats sail sailor sailors harbor harbour port dock docks ferry
road roads path route travel journey
forest woods wood trees grove
mountain mountains hill hills peak
market bazaar square stalls
inn tavern alehouse taproom pub
money wage wages tax taxes debt debts
war battle fight siege army wars
dead death die died corpse grave graves buried cemetery graveyard ghost ghosts undead haunted
family mother father brother sister son daughter wife husband child children parents kin
past childhood history youth backstory
potion potions tonic elixir remedy cure medicine salve heal healing healer poultice
monster monsters beast beasts creature creatures dragon dragons
rumour rumours rumor rumors gossip news
job jobs task tasks quest quests errand bounty adventure adventures contract
stranger strangers traveller travellers traveler travelers outsider outsiders \
foreigner foreigners adventurer adventurers
guild guilds merchants traders union
river stream water bridge canal
rope cord line
lamp lantern light torch candle
festival feast holiday celebration fair
weather rain storm winter snow
friend friends ally allies
enemy enemies foe foes rival rivals
"""

_CLASS_OF = {
    word: f"~{line.split()[0]}" for line in _SYNONYMS.strip().splitlines() for word in line.split()
}


# Words of every sentence: two texts that share one have nothing in common yet.
_EVERYDAY = """
able ago almost alone along already always another answer ask back bad become begin behind believe best better
between big bit both boy bring call came care carry catch chance change child clear close come common could count
country course cut day days deal die different door down early easy else end enough even evening every everybody
everyone exactly eye eyes face fact fair fall far fast father feel feet few find fine first five folk follow food
foot forget four free friends full gave girl girls gone gonna grow guess half hand hands happen happens hard hate
head hear heard heart help hold home hope hour hours house idea inside job keep keeps kept kind knew knows lady
last late later least leave left less lie life line little live lives long look looked lord lose lot love man mark
matter mean meet men mind minute moment month months mother move name names near never new news next nice night
nobody nothing nowadays old once open order other others own paid part pass past pay people perhaps person place
places plan point poor pretty promise put question quick quickly quite rather read ready real reason remember rest
right road room round run same save saw school see seem seen sell send sent set seven shall short should show side
since sit six small soon sort sound speak spend stand start stay step still stop stopped stories story strange
street such sure taken talk ten terrible thought three through time times today together told tomorrow tonight took
town true trouble true truth try turn turns twelve two under until use used wait walk wall watch water week weeks
went whole wife wish without woman women word words world worse worst worth write wrong year years yes yesterday yet
young before after while over stock goods shelf purse pack coin coins silver copper gold ask asked
""".split()


def fold(text: str) -> str:
    """Lower-case text without accents or curly quotes."""
    if text.isascii():
        return text.lower()
    text = text.replace("\u2019", "'").replace("\u2018", "'")
    decomposed = unicodedata.normalize("NFKD", text)
    return "".join(ch for ch in decomposed if not unicodedata.combining(ch)).casefold()


@lru_cache(maxsize=20_000)
def stem(word: str) -> str:
    """Strip the commonest English endings; both sides of a comparison are stemmed alike."""
    word = word.removesuffix("'s").removesuffix("'")
    for ending, keep in (("ies", "y"), ("ing", ""), ("ed", ""), ("es", ""), ("s", ""), ("ly", "")):
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            word = word[: len(word) - len(ending)] + keep
            break
    if len(word) > 3 and word[-1] == word[-2]:
        word = word[:-1]
    return word[:-1] if len(word) > 3 and word.endswith("e") else word


def words(text: str) -> list[str]:
    """All words of a text, folded, in order."""
    return _WORD.findall(fold(text))


def terms(text: str) -> list[str]:
    """The stems of a text's content words, in order."""
    return [stem(word) for word in words(text) if word not in STOPWORDS]


COMMON = frozenset(stem(word) for word in _EVERYDAY)


def meanings(text: str) -> set[str]:
    """The synonym classes a text's words belong to (each begins with ``~``)."""
    found = {_CLASS_OF.get(word) or _CLASS_OF.get(word.removesuffix("s")) for word in words(text)}
    return {meaning for meaning in found if meaning}
