"""Which evaluated prompts are kept and where they sit, and which must go."""

from hypothesis import given, settings
from hypothesis import strategies as st

from characters.inference.kv_cache import Entry, KvCache, common_prefix


def begin(cache: KvCache, name: str, count: int, adapter: str = "") -> Entry:
    """A line that has read so much, and runs."""
    entry = cache.claim((name, adapter), count)
    entry.tokens[:] = range(count)
    if entry.seat is None:
        seat = cache.seat_for(entry)
        if (other := cache.seats[seat]) is not None:
            other.seat = None
        entry.seat, cache.seats[seat] = seat, entry
    return entry


def read(cache: KvCache, name: str, count: int, adapter: str = "") -> Entry:
    """A line that has read so much, and is over."""
    entry = begin(cache, name, count, adapter)
    cache.leave(entry)
    return entry


def test_the_least_recently_used_conversation_gives_way() -> None:
    cache = KvCache(100)
    first, second = read(cache, "one", 40), read(cache, "two", 40)
    read(cache, "one", 40)
    read(cache, "three", 40)
    assert cache.claim(("one", ""), 40) is first
    assert cache.claim(("two", ""), 1) is not second


def test_one_adapter_never_sees_what_another_has_read() -> None:
    cache = KvCache(100)
    read(cache, "one", 10, "a")
    assert cache.claim(("one", "b"), 10).tokens == []


def test_forgetting_an_adapter_frees_only_its_entries() -> None:
    cache = KvCache(100)
    kept = read(cache, "one", 10, "b")
    read(cache, "one", 10, "a")
    cache.forget(lambda key: key[1] == "a")
    assert cache.seats == [None]
    assert cache.used == 10
    assert cache.claim(("one", "b"), 10) is kept


def test_what_gives_way_while_it_is_in_the_context_leaves_its_seat() -> None:
    cache = KvCache(100)
    read(cache, "one", 60)
    cache.claim(("two", ""), 60)
    assert cache.seats == [None]


def test_a_line_that_runs_never_gives_way() -> None:
    cache = KvCache(100, seats=2)
    running = begin(cache, "one", 60)
    assert cache.has_room(40)
    assert not cache.has_room(41)
    read(cache, "two", 30)
    begin(cache, "three", 40)
    assert cache.used == 100
    assert running in cache.seats


def test_a_second_line_of_a_conversation_reads_on_its_own_and_leaves_nothing() -> None:
    cache = KvCache(100, seats=2)
    first = begin(cache, "one", 20)
    second = begin(cache, "one", 20)
    assert second is not first
    assert second.seat != first.seat
    cache.leave(second)
    assert cache.used == 20
    cache.leave(first)
    assert cache.claim(("one", ""), 20) is first


def test_lines_sit_beside_each_other_and_take_the_seat_of_the_longest_unused() -> None:
    cache = KvCache(100, seats=4)
    entries = [read(cache, name, 5) for name in "abcd"]
    assert [entry.seat for entry in entries] == [0, 1, 2, 3]
    begin(cache, "d", 5)
    assert begin(cache, "e", 5).seat == 2, "beside the one that runs, although a has been unused for longer"
    assert begin(cache, "f", 5).seat == 1


def test_a_line_apart_from_the_others_has_a_better_place() -> None:
    cache = KvCache(100, seats=4)
    for name in "abcd":
        read(cache, name, 5)
    assert cache.gap() is None
    begin(cache, "a", 5)
    assert cache.gap() is None
    begin(cache, "d", 5)
    assert cache.gap() == (3, 1)
    begin(cache, "b", 5)
    assert cache.gap() == (3, 2)
    begin(cache, "c", 5)
    assert cache.gap() is None


def test_common_prefix_counts_equal_leading_tokens() -> None:
    assert common_prefix([1, 2, 3], [1, 2, 4, 5]) == 2
    assert common_prefix([], [1]) == 0
    assert common_prefix([1, 2], [1, 2, 3]) == 2


@settings(deadline=None)
@given(st.lists(st.tuples(st.sampled_from("abcdef"), st.integers(1, 60)), max_size=40))
def test_the_budget_is_never_overrun(orders: list[tuple[str, int]]) -> None:
    cache = KvCache(100)
    for name, count in orders:
        read(cache, name, count)
        assert cache.used <= 100


@settings(deadline=None)
@given(st.lists(st.tuples(st.sampled_from("abcdef"), st.integers(1, 60), st.booleans()), max_size=40))
def test_the_budget_holds_whoever_begins_and_ends(orders: list[tuple[str, int, bool]]) -> None:
    cache = KvCache(100, seats=3)
    running: list[Entry] = []
    for name, count, ends in orders:
        if (ends or len(running) == 3) and running:
            cache.leave(running.pop(0))
        if cache.has_room(count):
            running.append(begin(cache, name, count))
        assert cache.used <= 100
        assert all(cache.seats[entry.seat or 0] is entry for entry in running), "nobody takes a line's seat"
