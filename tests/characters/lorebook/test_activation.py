"""What comes to mind, in SillyTavern's order and by its rules."""

import pytest

from characters.lorebook.activation import Moment, Settings, scan
from characters.lorebook.entry import AND_ALL, AND_ANY, NOT_ALL, NOT_ANY
from characters.lorebook.reading import lorebook_of
from characters.lorebook.timing import Timers
from characters.macros import Names

KNOWER = frozenset({"mira", "mira dunmore"})


def entry(keys="", content="", **options):
    own = {key: options.pop(key) for key in list(options) if key in {
        "constant", "enabled", "insertion_order", "selective", "secondary_keys", "use_regex", "position", "priority",
        "case_sensitive", "id", "comment"}}  # fmt: skip
    listed = [key.strip() for key in keys.split(",")] if keys else []
    return {"keys": listed, "content": content or f"About {keys}.", "enabled": True, "extensions": options,
            "insertion_order": 100, **own}  # fmt: skip


def book(*entries, name="book", **fields):
    return lorebook_of({"name": name, "entries": list(entries), **fields}, name)


def moment(*said, seed="seed", knower=KNOWER):
    return Moment([f"Ana: {text}" for text in said], knower, Names("Mira", "Ana"), seed)


def heard(books, *said, settings=Settings(), **rest):
    books = books if isinstance(books, list) else [books]
    return [finding.text for finding in scan(books, moment(*said, **rest), settings=settings).active]


def why(books, *said, **rest):
    found = scan([books], moment(*said, **rest))
    return {finding.entry.title: finding.why.removeprefix("!") for finding in found.all}


def test_keys_call_an_entry_within_the_scan_depth():
    lore = book(entry("bell", "The bell sank."), entry("tax", "The tax doubled.", scan_depth=4))
    assert heard(lore, "the tax", "the bell", "hm", "well") == ["The tax doubled."]
    assert heard(lore, "the bell?") == ["The bell sank."]
    assert heard(book(entry("bell", "B."), scan_depth=3), "the bell", "hm", "well") == ["B."]
    assert heard(book(entry("bell", "B."), scan_depth=0), "the bell") == []


def test_whole_words_case_and_scripts_without_spaces():
    lore = book(entry("king", "K."), entry("old king", "O."), entry("Rose", "R.", case_sensitive=True),
                entry("ale", "A.", match_whole_words=False), entry("龍", "D."))  # fmt: skip
    assert heard(lore, "It's not to my liking") == []
    assert heard(lore, "long live the KING!") == ["K."]
    assert heard(lore, "the told kings") == ["O."]  # of several words: as it is written, anywhere
    assert heard(lore, "rose") == []
    assert heard(lore, "Rose") == ["R."]
    assert heard(lore, "a tale") == ["A."]
    assert heard(lore, "紅龍来") == ["D."]


@pytest.mark.parametrize(
    ("logic", "said", "fires"),
    [
        (AND_ANY, "bell", False), (AND_ANY, "bell tower", True), (AND_ANY, "bell tower moon", True),
        (AND_ALL, "bell tower", False), (AND_ALL, "bell tower moon", True),
        (NOT_ANY, "bell", True), (NOT_ANY, "bell moon", False),
        (NOT_ALL, "bell moon", True), (NOT_ALL, "bell moon tower", False), (NOT_ANY, "moon", False),
    ],
)  # fmt: skip
def test_secondary_keys_allow_and_forbid(logic, said, fires):
    lore = book(entry("bell", "B.", selective=True, secondary_keys=["tower", "moon"], selectiveLogic=logic))
    assert bool(heard(lore, said)) is fires


def test_regular_expressions_between_slashes_and_by_use_regex_where_it_is_meant():
    pytest.importorskip("re2")
    lore = book(entry(r"/b[e3]ll\b/i", "B."), entry("t.x", "T.", use_regex=True),
                entry("c.t", "C.", use_regex=True, selectiveLogic=0), entry(r"/(?=x)x/", "L."))  # fmt: skip
    assert heard(lore, "the B3LL") == ["B."]
    assert heard(lore, "a tax") == ["T."]
    assert heard(lore, "a cat") == []
    assert heard(lore, "x") == []
    assert "cannot be read" in lore.notes[0]


def test_a_regular_expression_can_tell_who_said_it():
    pytest.importorskip("re2")
    lore = book(entry(r"/\x01{{user}}:[^\x01]*?hello/", "U."))
    assert heard(lore, "oh hello") == ["U."]
    assert heard(book(entry(r"/\x01Bob:[^\x01]*?hello/", "U.")), "oh hello") == []


def test_a_hostile_expression_costs_nothing():
    pytest.importorskip("re2")
    assert heard(book(entry("/(a*)*b/", "X.")), "a" * 4000) == []


def test_order_of_activation_and_place_in_the_prompt():
    """Higher order is served first when room is short, and stands nearer the end."""
    lore = book(entry("bell", "low " * 5, insertion_order=1), entry("bell", "high " * 5, insertion_order=9),
                entry("bell", "mid " * 5, insertion_order=5))  # fmt: skip
    assert [text.split()[0] for text in heard(lore, "bell")] == ["low", "mid", "high"]
    tight = Settings(budget=2 * (len("high " * 5) // 3 + 3))
    assert [text.split()[0] for text in heard(lore, "bell", settings=tight)] == ["mid", "high"]


def test_the_first_that_does_not_fit_ends_it_and_who_ignores_the_budget_still_comes():
    lore = book(entry("bell", "x" * 60, insertion_order=9), entry("bell", "long " * 50, insertion_order=5),
                entry("bell", "short", insertion_order=3), entry("bell", "always", insertion_order=1, ignore_budget=True))  # fmt: skip
    assert heard(lore, "bell", settings=Settings(budget=40)) == ["always", "x" * 60]


def test_sticky_entries_go_first_whatever_their_order():
    lore = book(entry("bell", "high " * 5, insertion_order=9), entry("tax", "low " * 5, insertion_order=1, sticky=3))
    first = scan([lore], moment("tax"))
    tight = Settings(budget=14)
    found = scan([lore], moment("tax", "hm", "bell"), first.timers, tight)
    assert [finding.text.split()[0] for finding in found.active] == ["low"]


def test_the_books_own_budget_drops_the_lowest_priority():
    lore = book(entry("bell", "a" * 30, priority=1, insertion_order=9), entry("bell", "b" * 30, priority=5),
                entry("bell", "c" * 30, priority=9), token_budget=25)  # fmt: skip
    assert heard(lore, "bell") == ["b" * 30, "c" * 30]


def test_sillytaverns_timed_effects_example():
    """sticky 3, cooldown 2, delay 2; the key is said in every message."""
    lore = book(entry("bell", "B.", sticky=3, cooldown=2, delay=2, comment="bell"))
    timers, told = Timers(), []
    for number in range(8):
        found = scan([lore], moment(*["bell"] * (number + 1)), timers)
        timers = Timers.from_json(found.timers.as_json())
        told.append((bool(found.active), found.all[0].why))
    assert [fired for fired, _ in told] == [False, True, True, True, True, False, False, True]
    assert told[0][1].startswith("delayed")
    assert told[1][1] == "said: 'bell'"
    assert all(reason.startswith("sticky") for _, reason in told[2:5])
    assert all(reason.startswith("rests") for _, reason in told[5:7])
    assert told[7][1] == "said: 'bell'"


def test_sticky_needs_no_key_and_no_luck_and_is_not_prolonged():
    lore = book(entry("bell", "B.", sticky=2, probability=100))
    found = scan([lore], moment("bell"))
    assert scan([lore], moment("bell", "hm", "hm"), found.timers, Settings(scan_depth=1)).active
    assert not scan([lore], moment("bell", "hm", "bell", "hm"), found.timers, Settings(scan_depth=1)).active


def test_effects_end_when_the_entry_changes_or_the_conversation_goes_back():
    lore = book(entry("bell", "B.", cooldown=5))
    found = scan([lore], moment("hm", "bell"))
    assert not scan([lore], moment("hm", "bell", "bell"), found.timers).active
    assert scan([lore], moment("hm", "bell"), found.timers).active
    assert scan([lore], moment("bell"), found.timers).active
    changed = book(entry("bell", "Another text.", cooldown=5))
    assert scan([changed], moment("hm", "bell", "bell"), found.timers).active


def test_texts_of_entries_call_others_only_where_the_book_wants_it():
    entries = [entry("Bessie", "Bessie is a cow, a friend of Rufus."), entry("Rufus", "Rufus is a dog.")]
    assert len(heard(book(*entries), "Bessie!")) == 1
    assert len(heard(book(*entries, recursive_scanning=True), "Bessie!")) == 2
    assert len(heard(book(*entries), "Bessie!", settings=Settings(recursive=True))) == 2
    assert len(heard(book(*entries, recursive_scanning=False), "Bessie!", settings=Settings(recursive=True))) == 1


def test_recursion_can_be_forbidden_from_both_ends_and_waited_for():
    deep = {"recursive_scanning": True}
    mute = book(entry("a", "b here", prevent_recursion=True), entry("b", "B."), **deep)
    deaf = book(entry("a", "b here"), entry("b", "B.", exclude_recursion=True), **deep)
    waits = book(entry("a", "b here"), entry("b", "c here", delay_until_recursion=True),
                 entry("a", "level two", delay_until_recursion=2), **deep)  # fmt: skip
    assert heard(mute, "a") == ["b here"]
    assert heard(deaf, "a") == ["b here"]
    assert heard(book(entry("b", "B.", delay_until_recursion=True), **deep), "b") == []
    assert heard(waits, "a") == ["b here", "c here", "level two"]


def test_chance_is_seeded_and_fair():
    lore = book(entry("bell", "B.", probability=30, useProbability=True))
    rolls = [bool(heard(lore, "bell", seed=f"{n}")) for n in range(400)]
    assert rolls == [bool(heard(lore, "bell", seed=f"{n}")) for n in range(400)]
    assert 0.22 < sum(rolls) / 400 < 0.38
    assert heard(book(entry("bell", "B.", probability=30, useProbability=False)), "bell")
    assert not heard(book(entry("bell", "B.", probability=0)), "bell")


def test_of_a_group_one_is_heard():
    lore = book(entry("song", "One.", group="songs"), entry("song", "Two.", group="songs"), entry("song", "Three."))
    seen = {tuple(heard(lore, "song", seed=str(n))) for n in range(40)}
    assert all(len(texts) == 2 for texts in seen)
    assert len(seen) == 2


def test_priority_weight_and_scoring_decide_a_group():
    first = book(entry("song", "One.", group="s", group_override=True, insertion_order=1), entry("song", "Two.", group="s"))
    assert heard(first, "song") == ["One."]
    heavy = book(entry("song", "One.", group="s", group_weight=0), entry("song", "Two.", group="s", group_weight=5))
    assert all(heard(heavy, "song", seed=str(n)) == ["Two."] for n in range(20))
    scored = book(entry("song, sing, Black Cat", "Cat.", group="s", use_group_scoring=True),
                  entry("song, sing, Ghosts", "Ghosts.", group="s", use_group_scoring=True))  # fmt: skip
    assert all(heard(scored, "sing me a song about Ghosts", seed=str(n)) == ["Ghosts."] for n in range(20))


def test_an_entry_in_two_groups_shuts_both():
    lore = book(entry("a", "Both.", group="x, y", group_override=True), entry("a", "X.", group="x"), entry("a", "Y.", group="y"))
    assert heard(lore, "a") == ["Both."]


def test_constant_disabled_and_decorators():
    lore = book(entry("", "Always.", constant=True), entry("bell", "Off.", enabled=False),
                entry("zzz", "@@activate\nForced."), entry("bell", "@@dont_activate\nNever."),
                entry("bell", "@@scan_depth 1\nNear."), entry("bell", "@@unknown 3\n@@@scan_depth 3\n\nFar."))  # fmt: skip
    assert heard(lore, "bell", "hm") == ["Always.", "Forced.", "Far."]


@pytest.mark.parametrize(
    ("fields", "content", "expected"),
    [
        ({"position": "before_char"}, "T", ("hand", 4, "system")),
        ({"position": "before_char", "constant": True}, "T", ("before", 4, "system")),
        ({"constant": True}, "T", ("after", 4, "system")),
        ({}, "@@depth 2\n@@role assistant\nT", ("depth", 2, "assistant")),
        ({}, "@@depth 2\n@@position before_desc\nT", ("before", 4, "system")),
        ({}, "@@instruct_depth 5\n@@@depth 1\nT", ("depth", 1, "system")),
        ({"extensions": {"position": 4, "depth": 3, "role": 1}}, "T", ("depth", 3, "user")),
        ({"extensions": {"position": 0}, "constant": True}, "T", ("before", 4, "system")),
        ({"extensions": {"position": 7}}, "T", ("nowhere", 4, "system")),
    ],
)
def test_where_an_entry_goes(fields, content, expected):
    found = book({"keys": ["a"], "content": content, **fields}).entries[0]
    assert (found.place, found.depth, found.role) == expected
    assert found.content == "T"


def test_the_fifth_fallback_of_a_decorator_is_still_found():
    chain = "@@a 1\n" + "".join(f"@@@{name} 1\n" for name in "bcde") + "@@@depth 6\n@@@depth 9\nText."
    found = book(entry("a", chain)).entries[0]
    assert (found.place, found.depth, found.content) == ("depth", 6, "Text.")


def test_world_info_files_of_sillytavern_mean_the_same():
    raw = {"entries": {"7": {
        "uid": 7, "key": ["bell"], "keysecondary": ["moon"], "comment": "Bell", "content": "B.", "selective": True,
        "selectiveLogic": 3, "order": 42, "position": 4, "depth": 1, "role": 2, "disable": False, "probability": 50,
        "useProbability": True, "sticky": 2, "cooldown": None, "scanDepth": 5, "caseSensitive": True,
        "matchWholeWords": False, "group": "g", "groupOverride": True, "groupWeight": 7, "excludeRecursion": True,
        "delayUntilRecursion": True, "characterFilter": {"isExclude": False, "names": ["Mira"], "tags": []},
    }}}  # fmt: skip
    found = lorebook_of(raw, "w").entries[0]
    assert (found.key, found.keys, found.secondary, found.logic, found.order) == ("7", ("bell",), ("moon",), 3, 42)
    assert (found.place, found.depth, found.role, found.chance) == ("depth", 1, "assistant", 50)
    assert (found.sticky, found.cooldown, found.scan_depth) == (2, 0, 5)
    assert (found.case_sensitive, found.whole_words, found.groups) == (True, False, ("g",))
    assert (found.group_override, found.group_weight, found.exclude_recursion, found.recursion_level) == (True, 7, True, 1)
    assert found.only_for == ("mira",)


def test_lore_with_owners_is_not_even_looked_at_by_others():
    secret = entry("bell", "The bell is in the cellar.")
    secret["extensions"] = {"understudy": {"known_by": ["Tobin"]}}
    assert scan([book(secret)], moment("bell")).all == ()
    assert heard(book(secret), "bell", knower=frozenset({"tobin"})) == ["The bell is in the cellar."]


def test_macros_in_keys_and_texts_and_the_same_text_once():
    lore = book(entry("{{char}}", "{{char}} knows {{user}}. {{// note}}"), entry("Mira", "Mira knows Ana."))
    assert heard(lore, "Mira?") == ["Mira knows Ana."]
    hidden = book(entry("a", "{{hidden_key:b}} Text."), entry("b", "B."), recursive_scanning=True)
    assert heard(hidden, "a") == ["Text.", "B."]


def test_explanations_name_the_reason():
    lore = book(entry("bell", "B.", comment="one"), entry("tax", "T.", comment="two"),
                entry("bell", "D.", comment="three", delay=9), entry("bell", "P.", comment="four", probability=0))  # fmt: skip
    told = why(lore, "the bell")
    assert told["one"] == "said: 'bell'"
    assert told["two"] == "none of its keys was said"
    assert told["three"] == "delayed until there are 9 messages"
    assert told["four"].startswith("its chance is 0 %")
