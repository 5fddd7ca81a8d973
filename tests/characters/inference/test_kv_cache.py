"""Which evaluated prompts are kept, and which must go."""

from hypothesis import given
from hypothesis import strategies as st

from characters.inference.kv_cache import Entry, KvCache, common_prefix


def read(cache: KvCache, name: str, count: int, adapter: str = "") -> Entry:
    entry = cache.claim((name, adapter), count)
    entry.tokens[:] = range(count)
    cache.live = entry
    return entry


def test_the_least_recently_used_conversation_gives_way() -> None:
    cache = KvCache(100)
    first, second = read(cache, "one", 40), read(cache, "two", 40)
    read(cache, "one", 40)
    read(cache, "three", 40)
    assert cache.claim(("one", ""), 40) is first
    assert cache.claim(("two", ""), 0) is not second


def test_one_adapter_never_sees_what_another_has_read() -> None:
    cache = KvCache(100)
    read(cache, "one", 10, "a")
    assert cache.claim(("one", "b"), 10).tokens == []


def test_forgetting_an_adapter_frees_only_its_entries() -> None:
    cache = KvCache(100)
    kept = read(cache, "one", 10, "b")
    read(cache, "one", 10, "a")
    cache.forget(lambda key: key[1] == "a")
    assert cache.live is None
    assert cache.used == 10
    assert cache.claim(("one", "b"), 10) is kept


def test_what_gives_way_while_it_is_in_the_context_is_not_parked() -> None:
    cache = KvCache(100)
    read(cache, "one", 60)
    cache.claim(("two", ""), 60)
    assert cache.live is None


def test_common_prefix_counts_equal_leading_tokens() -> None:
    assert common_prefix([1, 2, 3], [1, 2, 4, 5]) == 2
    assert common_prefix([], [1]) == 0
    assert common_prefix([1, 2], [1, 2, 3]) == 2


@given(st.lists(st.tuples(st.sampled_from("abcdef"), st.integers(1, 60)), max_size=40))
def test_the_budget_is_never_overrun(orders: list[tuple[str, int]]) -> None:
    cache = KvCache(100)
    for name, count in orders:
        read(cache, name, count)
        assert cache.used <= 100
