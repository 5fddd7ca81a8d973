"""What people and models may write, and what other sites and files may try: it shows as text, or is refused."""

import http.client
import json
import urllib.parse
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.studio.files import MOST_CARD
from tests.bot.studio.conftest import studio_at
from tests.fakes.browser import MISSING, Browser

pytestmark = pytest.mark.timeout(600)

SCRIPT = "<script>window.pwned = 1</script><img src=x onerror='window.pwned = 1'>"
MARKDOWN = "![look](https://evil.example/p.png) [click](javascript:window.pwned=1) `String.raw${window.pwned=1}`"
ENDLESS = "x" * 10_000
BACKWARDS = "\u202egnp.exe \u2067abc\u2066 {{ constructor.constructor('window.pwned=1')() }}"
NASTY = [SCRIPT, MARKDOWN, ENDLESS, BACKWARDS]


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("hostile")
    (folder / "script.json").write_text(json.dumps(NASTY), "utf-8")
    (folder / "home" / "avatars").mkdir(parents=True)
    (folder / "home" / "secret.txt").write_text("not yours", "utf-8")
    with studio_at(folder / "home", "--script", str(folder / "script.json")) as found:
        yield found


def ask(url: str, method: str, path: str, body: bytes = b"", **headers: str) -> tuple[int, str]:
    there = urllib.parse.urlsplit(url).netloc
    connection = http.client.HTTPConnection(there, timeout=60)
    try:
        connection.request(method, path, body or None, {name.replace("_", "-"): value for name, value in headers.items()})
        answer = connection.getresponse()
        return answer.status, answer.read().decode("utf-8", "replace")
    finally:
        connection.close()


@pytest.mark.skipif(bool(MISSING), reason=MISSING or "-")
def test_hostile_text_shows_as_text_while_it_streams_and_after_a_reload(browser: Browser, url: str) -> None:
    browser.open(url, "#say")
    for number, asked in enumerate([SCRIPT, MARKDOWN, BACKWARDS, "y" * 3900]):
        browser.run("const t = document.querySelector('#say'); t.value = arguments[0]; t.dispatchEvent(new Event('input'))", asked)
        browser.click("#send")
        browser.until(lambda n=number: len(browser.all(".spoken [data-do=regen]")) == n + 1, f"answer {number}")
    for reload in (False, True):
        if reload:
            browser.open(url, ".spoken")
            browser.until(lambda: len(browser.all(".spoken")) == 4, "the evening")
        assert browser.texts(".spoken .words") == [text.strip() for text in NASTY]
        assert browser.texts(".said .words")[0] == SCRIPT
        assert browser.run("return window.pwned") is None
        assert browser.run("return [...document.querySelectorAll('.talk img, .talk a, .talk script')].length") == 0
        assert browser.run("return document.querySelector('.talk').scrollWidth <= document.querySelector('.talk').clientWidth")
    for room in ("review", "nights", "characters", "machine"):
        browser.open(f"{url}{room}", ".page *")
        assert browser.run("return window.pwned") is None


@pytest.mark.parametrize("path", ["/", "/review", "/studio/cards/mira.png", "/_nicegui_ws/socket.io/?EIO=4&transport=polling"])
def test_a_foreign_host_and_another_site_are_refused_at_every_door(url: str, path: str) -> None:
    assert ask(url, "GET", path, Host="evil.example")[0] == 403
    assert ask(url, "POST", path, b"x", Origin="https://evil.example")[0] == 403
    assert ask(url, "GET", path, Sec_Fetch_Site="cross-site", Sec_Fetch_Mode="no-cors", Sec_Fetch_Dest="image")[0] == 403


def test_uploads_are_limited_and_checked(url: str) -> None:
    assert ask(url, "POST", "/studio/cards", b"x" * (MOST_CARD + 1), x_name="big.png")[0] == 413
    for data, name in ((b"GIF89a", "x.gif"), (b"\x89PNG\r\n\x1a\nrubbish", "x.png"), (b"{}", "x.json"), (b"PK\x03\x04", "x.charx"), (b"schema_version: 1\nname: [", "x.yaml")):
        status, told = ask(url, "POST", "/studio/cards", data, x_name=name)
        assert (status, "Traceback" in told) == (400, False), (name, told)


def test_a_card_comes_in_beside_what_is_there_and_goes_out_again(url: str) -> None:
    status, told = ask(url, "GET", "/studio/cards/mira.json")
    assert status == 200
    assert "deserter" not in told
    _, whole = ask(url, "GET", "/studio/cards/mira.json?secrets=true")
    assert "deserter" in whole
    status, told = ask(url, "POST", "/studio/cards", whole.encode(), x_name="..%2F..%2Fmira.json")
    assert (status, json.loads(told)["slug"]) == (200, "mira-dunmore")
    assert json.loads(ask(url, "POST", "/studio/cards", whole.encode(), x_name="mira.json")[1])["slug"] == "mira-dunmore-2"


def test_a_card_brings_its_lore_along_and_a_lorebook_may_come_alone(url: str) -> None:
    entry = {"keys": ["midnight"], "content": "At midnight {{char}} rings twice.", "enabled": True, "insertion_order": 5, "extensions": {}}
    data = {"name": "Old Bessa", "description": "A ferrywoman.", "first_mes": "Evening.", "character_book": {"entries": [entry], "extensions": {}}}
    card = json.dumps({"spec": "chara_card_v2", "spec_version": "2.0", "data": data}).encode()
    for slug in ("old-bessa", "old-bessa-2"):
        status, told = ask(url, "POST", "/studio/cards", card, x_name="bessa.json")
        assert (status, json.loads(told)["slug"]) == (200, slug)
        assert "1 lore entry came with it." in told
        assert "rings twice" in ask(url, "GET", f"/studio/cards/{slug}.json")[1]
    world_info = json.dumps({"entries": {"0": {"uid": 0, "key": ["bell"], "keysecondary": [], "content": "The bell is sunk.", "comment": "", "order": 1}}}).encode()
    status, told = ask(url, "POST", "/studio/cards", world_info, x_name="saltmere lore.json")
    assert (status, json.loads(told)["kind"], json.loads(told)["slug"]) == (200, "lore", "saltmere-lore")


@pytest.mark.parametrize("name", ["..%2fsecret.txt", "%2e%2e/secret.txt", "secret.txt", "../secret.txt"])
def test_no_path_leads_out_of_the_pictures(url: str, name: str) -> None:
    assert "not yours" not in ask(url, "GET", f"/studio/avatars/{name}")[1]


def test_a_page_as_a_player_gives_no_secrets_away(tmp_path: Path) -> None:
    # The rooms of the GM and their downloads are closed; what the drawer holds is not even sent.
    with studio_at(tmp_path / "home", "--player") as found:
        page = ask(found, "GET", "/")[1]
        assert "deserter" not in page
        assert ask(found, "GET", "/studio/cards/mira.json")[0] == 403
        assert ask(found, "GET", "/studio/person/local:gm")[0] == 403
        assert "play without" in ask(found, "GET", "/machine")[1]
