"""The published novelty filter, to the digit; and the quick verdict that must agree with it."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from learning.filters.novelty import NoveltyFilter, common_subsequence, rouge_l, words_of

DATA = Path(__file__).resolve().parents[3] / "shared" / "data" / "self_instruct"


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


@given(st.lists(st.sampled_from("abcde"), max_size=30), st.lists(st.sampled_from("abcde"), max_size=30))
def test_the_quick_subsequence_equals_the_textbook_one(one: list[str], other: list[str]) -> None:
    assert common_subsequence(one, other) == slow_subsequence(one, other)


@given(st.lists(st.lists(st.sampled_from("abcdef"), min_size=1, max_size=8).map(" ".join), max_size=12))
def test_the_quick_verdict_is_the_full_one(texts: list[str]) -> None:
    pool = NoveltyFilter()
    for text in texts:
        assert pool.decide(text) == pool.score(text).novel
        pool.add(text)


def test_the_published_rows_reproduce_to_the_digit() -> None:
    rows_file = DATA / "machine_instructions_first200.json"
    if not rows_file.is_file():
        pytest.skip(f"the published rows are not beside the project ({rows_file.name})")
    seeds = [json.loads(line)["instruction"] for line in (DATA / "seed_tasks.jsonl").read_text("utf-8").splitlines()]
    rows = json.loads(rows_file.read_text("utf-8"))
    pool = NoveltyFilter(seeds)
    for row in rows:
        found = pool.score(row["instruction"])
        assert found.mean_similarity == pytest.approx(row["avg_similarity_score"], abs=1e-12)
        published = sorted(row["most_similar_instructions"].values(), reverse=True)
        assert [score for _, score in found.most_similar] == pytest.approx(published, abs=1e-12)
        pool.add(row["instruction"])
