"""A line that has begun to copy a fact is held to it, once, and free where the fact pauses."""

from characters.inference.copying import Copying

WORDS = " the salt brandy is old . two cups and you will tell ; Brother Odo keeps bees".split()
IDS = {word: number for number, word in enumerate(dict.fromkeys(WORDS))}


def copying(*facts: str) -> Copying:
    by_id = {number: word.encode() for word, number in IDS.items()}
    return Copying([[IDS[word] for word in fact.split()] for fact in facts], by_id.__getitem__)


def offered(held: Copying, said: str) -> set[str]:
    by_id = {number: word for word, number in IDS.items()}
    return {by_id[token] for token in held.offers([IDS[word] for word in said.split()])}


def test_two_words_of_a_fact_offer_its_third_and_one_word_nothing() -> None:
    held = copying("the salt brandy is old .")
    assert offered(held, "the salt") == {"brandy"}
    assert offered(held, "and the salt") == {"brandy"}
    assert offered(held, "salt") == set()
    assert offered(held, "the brandy") == set()


def test_what_two_facts_go_on_with_is_offered_from_both() -> None:
    held = copying("the salt brandy is old", "and the salt keeps bees")
    assert offered(held, "you the salt") == {"brandy", "keeps"}
    assert offered(held, "and the salt") == {"keeps"}, "the longer beginning decides"


def test_a_fact_s_pauses_and_its_end_are_free() -> None:
    held = copying("brandy is old . two cups")
    assert offered(held, "is old") == set()
    assert offered(held, "old .") == set(), "whether another sentence is told is the NPC's own choice"
    assert offered(held, ". two") == {"cups"}
    assert offered(held, "two cups") == set()


def test_the_more_was_copied_the_surer_is_the_next_word() -> None:
    held = copying("the salt brandy is old and two cups and you will tell keeps")
    offered(held, "the salt")
    assert held.surety == 1.0
    offered(held, "the salt brandy is")
    short = held.surety
    offered(held, "the salt brandy is old and two cups and you will tell")
    assert 1.0 < short < held.surety == 2.0


def test_a_place_is_offered_once_so_that_nothing_goes_round_in_a_circle() -> None:
    held = copying("the salt brandy is old")
    assert offered(held, "the salt") == {"brandy"}
    held.take(IDS["brandy"])
    assert offered(held, "the salt") == set()
    assert offered(held, "salt brandy") == {"is"}


def test_a_line_that_turned_away_may_be_held_again() -> None:
    held = copying("the salt brandy is old")
    offered(held, "the salt")
    held.take(IDS["keeps"])
    assert offered(held, "the salt") == {"brandy"}


def test_a_sentence_that_was_told_is_not_begun_again_after_a_full_stop() -> None:
    held = copying("is old . two cups and you")
    offered(held, ". two")
    held.take(IDS["cups"])
    assert held.told([IDS["you"], IDS["."]]) == {IDS["two"]}
    assert held.told([IDS["cups"]]) == set()
    assert copying("is old . two cups").told([IDS["."]]) == set()
