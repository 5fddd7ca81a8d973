"""Conversations go to one split whole, once and for good."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from learning.datasets.splits import assign

NAMES = st.sets(st.integers(0, 500).map(lambda number: f"{number}/mira"), max_size=80)


def sizes(count: int) -> Counter[str]:
    return Counter(assign((f"{number}/mira" for number in range(count)), {}).values())


@pytest.mark.parametrize(
    ("count", "train", "validation", "held_out"),
    [(0, 0, 0, 0), (1, 1, 0, 0), (2, 2, 0, 0), (3, 2, 1, 0), (5, 4, 1, 0), (6, 4, 1, 1), (12, 10, 1, 1), (20, 16, 2, 2), (29, 23, 3, 3)],
)
def test_few_conversations_are_split_by_quotas(count: int, train: int, validation: int, held_out: int) -> None:
    assert sizes(count) == +Counter(train=train, validation=validation, held_out=held_out)


def test_many_conversations_are_split_by_hash_about_eighty_ten_ten() -> None:
    found = sizes(2000)
    assert 0.77 < found["train"] / 2000 < 0.83
    assert 0.08 < found["validation"] / 2000 < 0.12
    assert 0.08 < found["held_out"] / 2000 < 0.12


def test_from_thirty_on_a_conversation_goes_where_it_goes_whoever_else_is_there() -> None:
    few, many = ({f"{number}/mira" for number in range(count)} for count in (200, 400))
    assert assign(few, {}).items() <= assign(many, {}).items()


@given(NAMES, NAMES)
def test_adding_conversations_never_moves_one_that_is_assigned(first: set[str], more: set[str]) -> None:
    before = assign(first, {})
    after = assign(first | more, before)
    assert {name: after[name] for name in first} == before


@given(st.lists(NAMES, max_size=6))
def test_a_campaign_that_grows_and_shrinks_keeps_what_was_assigned(evenings: list[set[str]]) -> None:
    known: dict[str, str] = {}
    for conversations in evenings:
        found = assign(conversations, known)
        assert found.keys() == conversations
        assert all(found[name] == split for name, split in known.items() if name in found)
        known |= found


@given(NAMES)
def test_every_conversation_is_in_one_split_and_no_split_is_empty_that_need_not_be(names: set[str]) -> None:
    found = Counter(assign(names, {}).values())
    assert found.total() == len(names)
    assert bool(found["train"]) == (len(names) >= 1)
    assert bool(found["validation"]) == (len(names) >= 3)
    assert bool(found["held_out"]) == (len(names) >= 6)


@given(st.lists(st.sampled_from([f"{number}/mira" for number in range(50)]), max_size=60))
def test_the_order_of_the_rows_does_not_matter(names: list[str]) -> None:
    assert assign(names, {}) == assign(reversed(names), {})


def test_of_few_conversations_those_near_a_tenth_of_the_rows_are_kept_back() -> None:
    sizes = {"long": 60, "longer": 120, "tiny": 1, "small": 2, "fit": 21, "fitting": 18, "half": 40}
    found = assign((name for name, size in sizes.items() for _ in range(size)), {})
    assert {name for name, split in found.items() if split != "train"} == {"fit", "fitting"}


def test_there_is_something_to_train_on_even_when_the_old_conversations_are_all_kept_back() -> None:
    assert assign(["1/mira", "2/mira"], {"1/mira": "held_out"}) == {"1/mira": "held_out", "2/mira": "train"}


def test_a_split_that_does_not_exist_is_refused() -> None:
    with pytest.raises(ValueError, match="no split called 'test'"):
        assign(["1/mira"], {"1/mira": "test"})
