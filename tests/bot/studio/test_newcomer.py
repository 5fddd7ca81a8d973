"""A newcomer in a real browser: plays, teaches, reviews, sleeps, listens, promotes, and goes back."""

from collections.abc import Iterator

import pytest

from tests.bot.studio.conftest import studio_at
from tests.fakes.browser import MISSING, Browser

pytestmark = [pytest.mark.skipif(bool(MISSING), reason=MISSING or "-"), pytest.mark.timeout(900)]


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with studio_at(tmp_path_factory.mktemp("studio") / "home") as found:
        yield found


def lines(browser: Browser) -> list[str]:
    return browser.texts(".spoken .words")


def say(browser: Browser, text: str) -> None:
    """Say something and hear the answer to its end."""
    before = len(lines(browser))
    browser.write("#say", text, enter=True)
    browser.until(lambda: len(lines(browser)) > before and browser.all(".spoken.last .tools [data-do=regen]"), f"an answer to {text!r}")


def last(css: str) -> str:
    return f".spoken.last {css}"


def test_plays_ten_turns_and_every_line_streams_in(browser: Browser, url: str) -> None:
    browser.open(url, "#say")
    assert browser.texts(".empty h2") == ["Mira Dunmore"]
    for number in range(10):
        say(browser, f"Question number {number}?")
    spoken = lines(browser)
    assert [line.split(".")[0] for line in spoken] == [str(n) for n in range(1, 11)]
    assert browser.texts(".said .words") == [f"Question number {n}?" for n in range(10)]


def test_switches_the_npc_and_both_stay(browser: Browser, url: str) -> None:
    browser.click("#summon")
    browser.click("[data-npc=brug]")
    browser.until(lambda: len(browser.all(".cast .who")) == 2, "two at the table")
    say(browser, "And who are you?")
    assert browser.texts(".spoken.last .name") == ["Brug Copperkettle"]
    browser.click(".cast .who:not(.word)")
    browser.until(lambda: browser.find(".cast .who.word").get_attribute("title") == "Mira Dunmore has the word", "Mira's word")


def test_asks_for_another_take_and_leafs_back(browser: Browser, url: str) -> None:
    say(browser, "Say that again?")
    [first] = browser.texts(last(".words"))
    browser.click(last("[data-do=regen]"))
    browser.until(lambda: any("2/2" in text for text in browser.texts(last(".takes"))), "a second take")
    assert browser.texts(last(".words")) != [first]
    browser.click(last(".takes [aria-label='Take before']"))
    browser.until(lambda: browser.texts(last(".words")) == [first], "the first take")


def test_edits_in_place_likes_and_takes_back(browser: Browser, url: str) -> None:
    browser.click(last("[data-do=edit]"))
    browser.until(lambda: [browser.find(last("textarea")).clear()], "the field")
    browser.write(last("textarea"), "Nobody leaves my house hungry.", enter=True)
    browser.until(lambda: browser.texts(last(".words")) == ["Nobody leaves my house hungry."], "the new words")
    assert browser.texts(last(".head .chip")) == ["your words"]
    browser.click(last("[data-do=thumbs_up]"))
    browser.until(lambda: browser.all(last("[data-do=thumbs_up].on")), "the thumb")
    say(browser, "That never happened, did it?")
    browser.click(last("[data-do=retcon]"))
    browser.until(lambda: browser.texts(".spoken.gone .chip") == ["not canon"], "a line that is not canon")


def test_writes_the_question_anew_beside_the_answer(browser: Browser, url: str) -> None:
    say(browser, "wats 4 dinner lol")
    browser.click(last("[data-do=edit]"))
    browser.until(lambda: [browser.find(last("textarea")).clear()], "the field")
    browser.write(last("textarea"), "Eel stew, eight copper.")
    browser.click(last("[data-do=anew]"))
    browser.until(lambda: [browser.find(last("[data-do=question]")).clear()], "the question")
    browser.write(last("[data-do=question]"), "What is there to eat?", enter=True)
    browser.until(lambda: browser.texts(last(".words")) == ["Eel stew, eight copper."], "the new words")


def test_the_gm_s_drawer_tells_directs_makes_up_and_rolls(browser: Browser, url: str) -> None:
    browser.click("#drawer")
    browser.write("#tell", "The bridge burnt last night.", enter=True)
    browser.until(lambda: "The bridge burnt last night." in browser.texts(".drawer li span"), "the fact")
    browser.write("#direction", "wary", enter=True)
    browser.until(lambda: "Next: wary" in browser.texts(".drawer .any"), "the direction")
    browser.until(lambda: browser.texts("[data-secret='1'] .chip") == ["kept"], "a secret")
    browser.click("[data-secret='1'] .chip")
    browser.until(lambda: browser.texts("[data-secret='1'] .chip") == ["may be told"], "a loosened tongue")
    browser.click("[data-secret='1'] .chip")
    browser.until(lambda: browser.texts("[data-secret='1'] .chip") == ["kept"], "the secret kept again")
    browser.write("#improvise", "Pell, nervous dockhand", enter=True)
    browser.until(lambda: browser.find(".cast .who.word").get_attribute("title") == "Pell has the word", "Pell")
    browser.run("document.querySelector('#dice').value = ''; document.querySelector('#dice').dispatchEvent(new Event('input'))")
    browser.write("#dice", "2d6", enter=True)
    browser.until(lambda: any("2d6" in note for note in browser.texts(".note")), "the dice")
    browser.write("#speak-as", "I saw nothing.", enter=True)
    browser.until(lambda: browser.texts(last(".words")) == ["I saw nothing."], "the GM's words")
    browser.click(last("[data-do=why]"))
    browser.until(lambda: "Why this line" in browser.texts(".dialog h2"), "the reasons")


def test_reviews_by_keyboard_and_takes_a_verdict_back(browser: Browser, url: str) -> None:
    browser.open(f"{url}review", "#tab-all")
    browser.click("#tab-all")
    browser.until(lambda: browser.all("[data-row]"), "rows")
    browser.driver.refresh()  # as after a lost connection
    browser.until(lambda: browser.all("[data-row]"), "the same rows")
    browser.press("3")
    browser.until(lambda: "rejected" in browser.texts("[data-row] .chip"), "a rejected row")
    browser.press("u")
    browser.until(lambda: "rejected" not in browser.texts("[data-row] .chip"), "the row as it was")
    browser.press("1")
    browser.until(lambda: "accepted" in browser.texts("[data-row] .chip"), "an accepted row")
    assert any("hungry" in text for text in browser.texts("[data-row] ins, [data-row] .line"))
    assert "What is there to eat?" in browser.texts("[data-row] .asked")
    browser.run("const s = document.querySelector('#what'); s.value = 'left'; s.dispatchEvent(new Event('change'))")
    browser.until(lambda: len(browser.all("[data-row]")) == len(browser.all("[data-row] .chip.warn")), "only what is left out")
    assert "does not train yet" in browser.find(".wide").text


def test_starts_a_night_and_sees_it_run_and_its_curve(browser: Browser, url: str) -> None:
    browser.open(f"{url}nights", "#start-night")
    browser.click("#start-night")
    browser.until(lambda: browser.all("#running .steps .running"), "a running stage")
    browser.until(lambda: browser.all("#promote"), "the verdict")
    browser.until(lambda: browser.all(".charts canvas"), "a curve")
    assert "exam: grounding" in browser.texts("#verdict td")


def test_compares_blind_promotes_and_rolls_back(browser: Browser, url: str) -> None:
    browser.click("#compare")
    browser.until(lambda: len(browser.all("#blind .voice")) == 2, "two voices")
    heard = browser.texts("#blind .voice span")
    assert len(set(heard)) == 2
    browser.click("#blind .voice[data-choice='0']")
    browser.until(lambda: "mira-777777777777" in browser.texts("#standing")[0], "how the votes stand")
    browser.click("#promote")
    browser.until(lambda: browser.all("#rollback"), "the promoted voice")
    browser.open(url, "#say")
    say(browser, "Mira, what now?")
    assert "traveller" in lines(browser)[-1]
    browser.open(f"{url}nights", "#rollback")
    browser.click("#rollback")
    browser.until(lambda: "rolled back" in browser.texts(".night .chip"), "the voice before")


def test_a_broken_sheet_has_its_fault_at_the_line_and_is_not_saved(browser: Browser, url: str) -> None:
    browser.open(f"{url}characters?npc=odo", "#sheet")
    browser.until(lambda: browser.texts("#verdict") == ["no faults"], "a sound sheet")
    browser.run("const t = document.querySelector('#sheet'); t.value = t.value.replace('speech:', 'speach:'); t.dispatchEvent(new Event('input'))")
    browser.until(lambda: any("did you mean 'speech'" in text for text in browser.texts(".finding")), "the fault")
    assert browser.all(".editor .l.fault")
    assert not browser.find("#save").is_enabled()
    browser.run("const t = document.querySelector('#sheet'); t.value = t.value.replace('speach:', 'speech:'); t.dispatchEvent(new Event('input'))")
    browser.until(lambda: browser.texts("#verdict") == ["no faults"], "a sound sheet again")
    browser.write("#try", "Who are you?", enter=True)
    browser.until(lambda: any("plank" in text for text in browser.texts(".tries .npc")), "an answer")


@pytest.mark.parametrize("room", ["", "review", "nights", "characters", "machine"])
def test_every_room_fits_a_phone(browser: Browser, url: str, room: str) -> None:
    browser.size(390, 780)
    try:
        browser.open(f"{url}{room}", ".page *")
        browser.until(lambda: browser.run("return document.documentElement.scrollWidth <= innerWidth"), f"{room or 'table'} within the width")
    finally:
        browser.size(1280, 860)


def test_nothing_was_fetched_from_outside_and_the_console_is_clean(browser: Browser, url: str) -> None:
    asked = [address for address in browser.asked_for() if not address.startswith(("data:", "blob:", "chrome:"))]
    assert len(asked) > 20
    assert [address for address in asked if address.split("//")[1].split("/")[0] != url.split("//")[1].strip("/")] == []
    assert browser.complaints() == []
