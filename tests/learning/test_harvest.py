"""What becomes a row, what does not, and why: DESIGN's tables, event by event."""

from dataclasses import replace
from typing import Any

from characters.messages import Fact, Scene, StyleExample
from characters.prompt import Budget, Part
from db.provenance import Policy
from db.values import GivenReaction, HeardLine, HeardTurn, StoredTake, StoredTurn, TakeMade
from learning.datasets.rows import Renderer
from learning.harvest import Candidate, counts, harvest, regression_set, scrub
from learning.starter.tokens import TEMPLATE
from tests.fakes.people import make_sheet, make_world


def turn(text: str, source: str = "local", consent: str = "given", npc: str | None = None, number: int = 1) -> HeardTurn:
    speaker, person = ("Mira Dunmore", None) if npc else ("Ana Petrova", "local:ana")
    return HeardTurn(StoredTurn(number, speaker, text, npc, source), consent, person)


def reaction(kind: str, role: str = "gm", take: int | None = None, text: str = "", asked: str = "") -> GivenReaction:
    return GivenReaction(kind, role, f"local:{role}", take, asked, text)


def line(*reactions: GivenReaction, before: tuple[HeardTurn, ...] | None = None, **changes: Any) -> HeardLine:
    takes = changes.pop("takes", ("I have rope for 1 gold.",))
    stored = tuple(
        StoredTake(n, 9, n, text, "complete", "gm" if text.startswith("GM:") else "npc", TakeMade()) for n, text in enumerate(takes, 1)
    )
    fields: dict[str, Any] = {
        "id": 9, "scene_id": 4, "scene": Scene(), "npc": "mira", "text": takes[-1], "source": "npc", "kept": len(takes),
        "retracted": False, "before": before or (turn("What does the rope cost?"),), "takes": stored, "reactions": reactions,
    }
    return HeardLine(**{**fields, **changes})


DEFAULT = Policy()


def of(heard: HeardLine, policy: Policy = DEFAULT) -> list[Candidate]:
    return harvest([heard], policy)


def test_an_edit_is_a_target_of_weight_three_and_beats_the_original() -> None:
    found = of(line(reaction("edit", take=2), takes=("I have rope for 1 gold.", "GM: One gold, and mind the knots.")))
    assert [(c.kind, c.source, c.weight) for c in found] == [("sft", "gm", 3), ("pair", "gm", 1)]
    assert found[1].completion == "GM: One gold, and mind the knots."
    assert found[1].rejected == "I have rope for 1 gold."


def test_an_edit_that_hardly_differs_is_no_preference() -> None:
    found = of(line(reaction("edit", take=2), takes=("GM no: I have rope for 1 gold today.", "GM: I have rope for 1 gold today.")))
    assert [c.kind for c in found] == ["sft"]


def test_approval_by_the_gm_is_a_target_and_a_label_and_a_players_only_a_label() -> None:
    assert [(c.kind, c.label, c.weight) for c in of(line(reaction("thumbs_up")))] == [("sft", True, 1), ("label", True, 2)]
    assert [(c.kind, c.label, c.weight) for c in of(line(reaction("thumbs_up", "player")))] == [("label", True, 1)]


def test_approval_stays_with_the_words_that_were_approved_and_asking_for_another_take_is_no_dislike_of_them() -> None:
    takes = ("One gold, and not for begging.", "Nobody liked this one.")
    again = reaction("regen", text=takes[0])
    found = of(line(reaction("thumbs_up", text=takes[0]), again, takes=takes))
    assert [(c.kind, c.signal, c.label, c.completion) for c in found] == [("sft", "thumbs_up", True, takes[0]), ("label", "thumbs_up", True, takes[0])]
    found = of(line(reaction("thumbs_up", "player", text=takes[0]), again, reaction("regen", text=takes[1]), takes=(*takes, "Third.")))
    assert [(c.signal, c.label, c.completion) for c in found] == [("thumbs_up", True, takes[0]), ("regen", False, takes[1])]
    undone = of(line(reaction("thumbs_up", text=takes[0]), again, takes=takes, retracted=True))
    assert not any(c.label for c in undone), "a line that was taken back is liked no more"


def test_of_two_edits_of_a_line_the_last_is_learnt_and_none_that_another_take_replaced() -> None:
    takes = ("I have rope for 1 gold.", "GM: A tpyo of it.", "GM: One gold, and mind the knots.")
    twice = (reaction("edit", take=2), reaction("edit", take=3))
    found = of(line(*twice, takes=takes))
    assert [(c.kind, c.completion, c.weight) for c in found] == [("sft", takes[2], 3), ("pair", takes[2], 1)]
    assert of(line(*twice, reaction("keep", take=1), takes=takes, kept=1, text=takes[0])) == []
    back = of(line(*twice, reaction("keep", take=2), takes=takes, kept=2, text=takes[1]))
    assert [(c.signal, c.completion) for c in back if c.kind == "sft"] == [("edit", takes[1])], "the earlier edit was chosen again"


def test_a_line_the_gm_spoke_is_a_target() -> None:
    found = of(line(reaction("gm_line"), takes=("GM: Get out.",), source="gm"))
    assert [(c.kind, c.source, c.weight, c.completion) for c in found] == [("sft", "gm", 3, "GM: Get out.")]


def test_a_kept_take_beats_the_one_before_it_and_its_regen_is_no_label() -> None:
    heard = line(reaction("regen", text="First."), reaction("keep", take=1), takes=("First take here.", "Second, better?"))
    found = of(heard)
    assert [(c.kind, c.completion, c.rejected) for c in found] == [("pair", "First take here.", "Second, better?")]


def test_dislike_retcon_and_a_take_asked_for_again_are_labels_against() -> None:
    for given, weight in ((reaction("thumbs_down", text="Bad."), 2), (reaction("regen", text="Bad."), 1)):
        found = of(line(given))
        assert [(c.kind, c.label, c.completion, c.weight) for c in found] == [("label", False, "Bad.", weight)]
    retracted = of(line(retracted=True, takes=("Never said.",)))
    assert [(c.signal, c.label, c.weight) for c in retracted] == [("retcon", False, 2)]


def test_a_vote_between_two_voices_heard_blind_is_a_pair_and_a_forgotten_side_makes_it_none() -> None:
    made = [TakeMade(adapter=name, sampling={"beside": other}) for name, other in (("mira-1", 3), (None, 2))]
    spoken = StoredTake(1, 9, 1, "One gold.", "complete", "npc", TakeMade())
    blind = [StoredTake(n, 9, n, text, "blind", "blind", made[n - 2]) for n, text in ((2, "Gold. One."), (3, "A gold coin."))]
    heard = replace(line(reaction("vote", take=3)), takes=(spoken, *blind))
    assert [(c.kind, c.signal, c.source, c.completion, c.rejected) for c in of(heard)] == [("pair", "vote", "npc", "A gold coin.", "Gold. One.")]
    assert of(replace(heard, reactions=(reaction("vote_equal", take=3),))) == []
    assert of(replace(heard, takes=(spoken, replace(blind[0], text=""), blind[1]))) == []


def test_a_players_stop_is_asked_for_five_nights_and_the_gms_retcon_for_good() -> None:
    def stopped(kind: str, role: str, nights: int) -> HeardLine:
        return line(replace(reaction(kind, role, text=f"{kind} {role} {nights}"), nights=nights), retracted=True, takes=(f"{kind} {role} {nights}",))

    lines = [stopped("safety_x", "player", 4), stopped("safety_x", "player", 5), stopped("safety_x", "gm", 50),
             stopped("retcon", "gm", 50), stopped("retcon", "player", 5)]  # fmt: skip
    found = harvest(lines, DEFAULT)
    assert [(c.signal, c.label, c.weight) for c in found] == [("safety_x", False, 2)] * 3 + [("retcon", False, 2)] * 2
    asked = [c.completion for c in regression_set(found)]
    assert asked == ["safety_x gm 50", "retcon gm 50", "safety_x player 4"]


def test_the_regression_set_holds_two_hundred_the_gms_before_players_and_the_newest_of_each() -> None:
    def stopped(role: str, count: int) -> list[HeardLine]:
        return [line(reaction("safety_x", role, text=f"{role} {n}")) for n in range(count)]

    found = [c.completion for c in regression_set(harvest([*stopped("player", 60), *stopped("gm", 150)], DEFAULT))]
    assert (len(found), found[0], found[149], found[150], found[-1]) == (200, "gm 0", "gm 149", "player 10", "player 59")
    full = [c.completion for c in regression_set(harvest([*stopped("player", 60), *stopped("gm", 230)], DEFAULT))]
    assert (len(full), full[0], full[-1]) == (200, "gm 30", "gm 229")


def test_a_stop_is_no_vote_and_no_cap_binds_it() -> None:
    def given(kind: str, person: str) -> HeardLine:
        return line(GivenReaction(kind, "player", person, None, "", "Bad."))

    found = harvest([*[given("safety_x", "a") for _ in range(8)], given("thumbs_up", "b"), given("thumbs_up", "c"), given("thumbs_up", "d")], DEFAULT)
    assert all(c.trainable for c in found if c.signal == "safety_x")


def test_a_line_that_answers_channel_text_is_left_out_with_the_reason() -> None:
    found = of(line(reaction("edit", take=1), before=(turn("psst", "channel"),)))
    assert not found[0].trainable
    assert "channel" in found[0].reason
    assert found[0].turns == ()
    assert counts(found)["left_out"] == len(found)


def test_express_permission_lets_it_in_only_with_the_authors_consent() -> None:
    policy = Policy("express_permission")
    assert of(line(reaction("edit", take=1), before=(turn("psst", "channel", "given"),)), policy)[0].trainable
    assert not of(line(reaction("edit", take=1), before=(turn("psst", "channel", "refused"),)), policy)[0].trainable


def test_an_earlier_barred_turn_cuts_the_context_after_it_and_its_answer() -> None:
    before = (
        turn("Hello."), turn("CANARY in the channel", "channel"), turn("You said CANARY", npc="mira", source="npc"),
        turn("What does the rope cost?"),
    )  # fmt: skip
    found = of(line(reaction("edit", take=1), before=before))
    assert [t.text for t in found[0].turns] == ["What does the rope cost?"]


def test_a_question_the_gm_wrote_anew_makes_the_row_the_gms() -> None:
    heard = line(reaction("edit", take=1, asked="What is the rope?"), before=(turn("psst", "channel"),))
    found = of(heard)[0]
    assert found.trainable
    assert [(t.speaker, t.text) for t in found.turns] == [("GM", "What is the rope?")]
    assert found.people == ()


def test_opting_out_withdraws_earlier_rows() -> None:
    assert not of(line(reaction("edit", take=1), before=(turn("Hello", consent="refused"),)))[0].trainable


def test_a_line_that_carries_eight_words_of_channel_text_is_left_out() -> None:
    earlier = turn("the silver key lies under the third step behind the mill", "channel", number=1)
    asked = turn("What did you hear?", number=2)
    [found] = of(line(reaction("gm_line"), before=(earlier, asked), takes=("They say the silver key lies under the third step behind the mill.",)))
    assert not found.trainable
    assert "repeats words" in found.reason
    [short] = of(line(reaction("gm_line"), before=(earlier, asked), takes=("A silver key, they say.",)))
    assert short.trainable


def test_from_three_voters_on_nobody_has_more_than_half_the_votes_and_the_gm_is_not_bound() -> None:
    def vote(person: str) -> HeardLine:
        return line(GivenReaction("thumbs_up", "player", person, None, "", ""))

    loud = harvest([vote("a") for _ in range(8)] + [vote("b"), vote("c")], DEFAULT)
    assert sum(c.trainable for c in loud) == 5 + 2
    assert [c.trainable for c in loud[:8]] == [False] * 3 + [True] * 5, "the newest count"
    assert all(c.trainable for c in harvest([vote("a") for _ in range(8)] + [vote("b")], DEFAULT)), "two voters: no cap"
    assert all(c.trainable for c in harvest([line(reaction("thumbs_up")) for _ in range(9)], DEFAULT))


def test_addresses_links_and_mentions_are_removed() -> None:
    text = "Ask <@123456789> or bob@example.org, see https://x.example/a?b=c or 0171234567890 about the rope"
    assert scrub(text) == "Ask or , see or about the rope"
    found = of(line(reaction("edit", take=1), before=(turn("https://only.example"),)))
    assert not found[0].trainable


def render(candidate: Candidate) -> Any:
    part = Part("mira", make_sheet(), make_world())
    return Renderer(TEMPLATE, Budget(context=4000)).row(candidate, part)


def test_a_row_is_the_serving_prompt_and_ends_its_turn() -> None:
    row = render(of(line(reaction("edit", take=1)))[0])
    assert row.prompt.endswith("<|assistant|>")
    assert row.completion == "I have rope for 1 gold.<|end|>"
    assert "You know: hempen rope: 1 gold" in row.prompt


def test_names_of_real_people_reach_no_trainer() -> None:
    before = (turn("I am Ana Petrova. What does the rope cost?"),)
    row = render(of(line(reaction("edit", take=1), before=before, takes=("One gold, Ana Petrova.",)))[0])
    assert "Petrova" not in row.prompt + row.completion
    assert any(name in row.completion for name in make_world().names)


def test_a_rows_own_line_is_not_among_its_examples() -> None:
    candidate = of(line(reaction("edit", take=1)))[0]
    part = Part("mira", make_sheet(), make_world(), (StyleExample("What does the rope cost?", "I have rope for 1 gold.", "learnt 1"),))
    row = Renderer(TEMPLATE, Budget(context=4000)).row(candidate, part)
    assert "You once said" not in row.prompt


def test_turns_of_the_context_keep_what_was_at_hand() -> None:
    earlier = HeardTurn(StoredTurn(1, "Mira Dunmore", "Four copper.", "mira", "npc", None, (Fact("k", "brown ale: 4 copper.", "ware"),)), "unasked", None)
    row = render(of(line(reaction("edit", take=1), before=(turn("The ale?"), earlier, turn("And the rope?"))))[0])
    assert "[You know: brown ale: 4 copper.]<|end|><|assistant|>Four copper.<|end|>" in row.prompt


def test_a_row_carries_the_lore_its_line_was_said_with_and_no_real_name() -> None:
    lore = (Fact("lore.book/1", "Ana Petrova owes the ferry.", "lore"), Fact("lore.book/2", "The bell sank.", "lore", "after"))
    row = render(of(replace(line(reaction("edit", take=1)), recalled=lore))[0])
    assert "owes the ferry.]" in row.prompt
    assert "The bell sank." in row.prompt.split("<|user|>")[0]
    assert "Petrova" not in row.prompt


def test_a_line_that_was_stopped_or_taken_back_is_taught_to_nobody_whatever_was_thought_of_it_before() -> None:
    liked = (reaction("thumbs_up"), reaction("edit", take=1), reaction("keep", take=1))
    stopped = of(line(*liked, reaction("safety_x", "player", text="Blood."), retracted=True, takes=("Blood.", "More blood.")))
    assert [(c.kind, c.signal, c.label) for c in stopped] == [("label", "safety_x", False)]
    undone = of(line(*liked, retracted=True))
    assert [(c.kind, c.signal, c.label) for c in undone] == [("label", "retcon", False)]


def test_a_question_written_anew_with_eight_words_of_channel_text_is_left_out() -> None:
    channel = turn("the silver key lies under the third step behind the mill", "channel")
    rewritten = "Is it so that the silver key lies under the third step behind the mill?"
    found = of(line(reaction("edit", take=1, asked=rewritten), before=(channel,)))
    assert found
    assert not any(candidate.trainable for candidate in found)
