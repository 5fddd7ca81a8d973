"""The published novelty filter, to the digit; and the quick verdict that must agree with it."""

import json
import random
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from learning.filters.novelty import NoveltyFilter, common_subsequence, rouge_l, words_of

DATA = Path(__file__).resolve().parents[3] / "shared" / "data" / "self_instruct"
CASES = Path(__file__).parent / "rouge_cases.json"

seeds = st.integers(0, 2**32)


def some_words(rng: random.Random, letters: str, least: int, most: int) -> list[str]:
    return rng.choices(letters, k=rng.randint(least, most))


def test_words_are_lower_case_letters_and_digits() -> None:
    assert words_of("Don't sell 2 swords—please!") == ["don", "t", "sell", "2", "swords", "please"]


def test_similarity_is_the_f1_of_the_longest_common_subsequence() -> None:
    assert rouge_l("a b c d".split(), "a c d e".split()) == pytest.approx(0.75)
    assert rouge_l([], ["a"]) == 0.0


def slow_subsequence(one: list[str], other: list[str]) -> int:
    table = [[0] * (len(other) + 1) for _ in range(len(one) + 1)]
    for i, a in enumerate(one):
        for j, b in enumerate(other):
            table[i + 1][j + 1] = table[i][j] + 1 if a == b else max(table[i][j + 1], table[i + 1][j])
    return table[-1][-1]


def plain(text: str, pool: list[str]) -> list[float]:
    """The definition, with no shortcut: what the published filter computes for every text of its pool."""
    words, found = words_of(text), []
    for other in map(words_of, pool):
        shared = slow_subsequence(words, other)
        precision, recall = (shared / len(other), shared / len(words)) if shared else (0.0, 0.0)
        found.append(2 * precision * recall / (precision + recall) if shared else 0.0)
    return found


@settings(deadline=None)
@given(seeds)
def test_the_quick_subsequence_equals_the_textbook_one(seed: int) -> None:
    one, other = (some_words(random.Random(seed + half), "abcdef", 0, 30) for half in (0, 1))
    assert common_subsequence(one, other) == slow_subsequence(one, other)


@settings(max_examples=60, deadline=None)
@given(seeds, st.sampled_from([0.0, 0.3, 0.5, 0.7, 0.85, 1.0]))
def test_both_modes_say_what_the_plain_definition_says(seed: int, threshold: float) -> None:
    rng, pool = random.Random(seed), NoveltyFilter(threshold=threshold)
    letters = rng.choice(["ab", "abcdef", "abcdefghijklmnopqrstuvwxyz"])
    said = [" ".join(some_words(rng, letters, 0, 12)) for _ in range(rng.randint(0, 14))]
    for count, text in enumerate(said):
        known = plain(text, said[:count])
        found = pool.score(text)
        assert found.max_similarity == max(known, default=0.0)
        assert found.mean_similarity == pytest.approx(sum(known) / max(1, count), abs=1e-12)
        assert [score for _, score in found.most_similar] == sorted(known, reverse=True)[:10]
        assert pool.decide(text) == found.novel == (max(known, default=0.0) <= threshold)
        pool.add(text)


@settings(max_examples=12, deadline=None)
@given(seeds)
def test_texts_longer_than_a_machine_word_are_compared_whole(seed: int) -> None:
    rng = random.Random(seed)
    said = [" ".join(some_words(rng, "abcd", 55, 150)) for _ in range(3)]
    pool = NoveltyFilter(said[:-1])
    assert [score for _, score in pool.score(said[-1]).most_similar] == sorted(plain(said[-1], said[:-1]), reverse=True)
    assert pool.decide(said[-1]) == (max(plain(said[-1], said[:-1])) <= 0.7)


def test_verdicts_stay_the_same_when_the_words_are_put_in_order_anew_and_many_texts_are_near() -> None:
    pool, twin = NoveltyFilter(), NoveltyFilter()
    for number in range(300):
        text = f"how much is the {'old' if number % 2 else 'new'} rope of house {number % 7} and gate {number % 5} please"
        assert pool.decide(text) == twin.score(text).novel
        pool.add(text)
        twin.add(text)


def test_a_text_exactly_at_the_threshold_may_join() -> None:
    pool = NoveltyFilter(["a b c d e f g h i j"])
    at = "a b c d e f g x y z"
    assert pool.score(at).max_similarity == pytest.approx(0.7)
    assert pool.decide(at) == pool.score(at).novel


def test_a_threshold_that_is_no_similarity_is_refused() -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        NoveltyFilter(threshold=70)


@pytest.mark.parametrize("case", json.loads(CASES.read_text("utf-8")), ids=lambda case: case["one"][:30] or "empty")
def test_what_rouge_score_computed_is_computed_here(case: dict[str, object]) -> None:
    found = NoveltyFilter([str(case["other"])]).score(str(case["one"]))
    assert found.max_similarity == case["rouge_l"]


def test_the_committed_cases_are_what_rouge_score_computes() -> None:
    scorer = pytest.importorskip("rouge_score.rouge_scorer").RougeScorer(["rougeL"], use_stemmer=False)
    for case in json.loads(CASES.read_text("utf-8")):
        assert scorer.score(case["one"], case["other"])["rougeL"].fmeasure == case["rouge_l"]


def test_the_published_rows_reproduce_to_the_digit() -> None:
    rows_file = DATA / "machine_instructions_first200.json"
    if not rows_file.is_file():
        pytest.skip(f"the published rows are not beside the project ({rows_file.name})")
    seeds = [json.loads(line)["instruction"] for line in (DATA / "seed_tasks.jsonl").read_text("utf-8").splitlines()]
    rows = json.loads(rows_file.read_text("utf-8"))
    pool = NoveltyFilter(seeds)
    for row in rows:
        found = pool.score(row["instruction"])
        assert found.mean_similarity == pytest.approx(row["avg_similarity_score"], rel=1e-14)
        published = row["most_similar_instructions"]
        assert [score for _, score in found.most_similar] == sorted(published.values(), reverse=True)
        last = found.most_similar[-1][1]  # among texts as near as the tenth either choice is right
        assert {text: score for text, score in found.most_similar if score > last} == {
            text: score for text, score in published.items() if score > last
        }
        assert found.novel
        assert pool.decide(row["instruction"])
        pool.add(row["instruction"])
