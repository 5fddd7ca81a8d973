"""Which evaluated prompts are kept, and which must go."""

from hypothesis import given
from hypothesis import strategies as st

from characters.inference.kv_cache import KvCache, common_prefix


def filled(cells: int = 100, sequences: int = 3) -> tuple[KvCache, list[int]]:
    dropped: list[int] = []
    return KvCache(cells, sequences, dropped.append), dropped


def read(cache: KvCache, name: str, count: int, adapter: str = "") -> int:
    entry = cache.claim((name, adapter), count)
    entry.tokens[:] = range(count)
    return entry.sequence


def test_the_least_recently_used_conversation_gives_way() -> None:
    cache, dropped = filled()
    first, second = read(cache, "one", 40), read(cache, "two", 40)
    read(cache, "one", 40)
    read(cache, "three", 40)
    assert dropped == [second]
    assert cache.claim(("one", ""), 40).sequence == first


def test_one_adapter_never_sees_what_another_has_read() -> None:
    cache, _ = filled()
    read(cache, "one", 10, "a")
    assert cache.claim(("one", "b"), 10).tokens == []


def test_forgetting_an_adapter_frees_only_its_entries() -> None:
    cache, dropped = filled()
    gone = read(cache, "one", 10, "a")
    read(cache, "one", 10, "b")
    cache.forget(lambda key: key[1] == "a")
    assert dropped == [gone]
    assert cache.used == 10


def test_common_prefix_counts_equal_leading_tokens() -> None:
    assert common_prefix([1, 2, 3], [1, 2, 4, 5]) == 2
    assert common_prefix([], [1]) == 0
    assert common_prefix([1, 2], [1, 2, 3]) == 2


@given(st.lists(st.tuples(st.sampled_from("abcdef"), st.integers(1, 60)), max_size=40))
def test_the_budget_and_the_sequences_are_never_overrun(orders: list[tuple[str, int]]) -> None:
    cache, _ = filled(cells=100, sequences=3)
    for name, count in orders:
        read(cache, name, count)
        assert cache.used <= 100
        live = [entry.sequence for entry in cache._entries.values()]
        assert len(live) == len(set(live)) <= 3
