"""Takes the README's pictures of the studio: `make screenshots` writes docs/images/*.png.

The evening, the night and its verdict are examples (`tests/fakes/studio_home.py`); the page is the real one.
"""

import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.fakes.browser import MISSING, Browser
from tests.fakes.studio_home import EVENING, seed

ROOT = Path(__file__).resolve().parents[1]
IMAGES = ROOT / "docs" / "images"
MOST = 200_000  # bytes of a picture


async def _seed(home: Path) -> None:
    (home / "voices").mkdir(parents=True)
    voice = home / "voices" / "mira.gguf"
    voice.write_bytes(b"GGUF")
    table = await seed(home, EVENING, adapter=voice)
    await table.speaking.close()
    await table.state.store.close()


def _shrink(path: Path) -> None:
    """Fewer colours and no more detail than the eye has use for."""
    from PIL import Image

    with Image.open(path) as picture:
        small = picture.convert("RGB").quantize(128, dither=Image.Dither.NONE)
    small.save(path, optimize=True)
    if path.stat().st_size > MOST:
        raise SystemExit(f"{path.name} takes {path.stat().st_size} bytes; {MOST} are allowed")


def _dark(browser: Browser, dark: bool) -> None:
    browser.run("localStorage.theme = arguments[0]; document.documentElement.dataset.theme = arguments[0]", "dark" if dark else "light")
    time.sleep(0.6)  # colours fade


def main() -> None:
    """Take them."""
    if MISSING:
        raise SystemExit(f"No pictures: {MISSING}.")
    IMAGES.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "home"
        home.mkdir()
        asyncio.run(_seed(home))
        command = [sys.executable, "-m", "tests.fakes.studio_server", str(home)]
        studio = subprocess.Popen(command, cwd=ROOT, text=True, stdout=subprocess.PIPE, env={**os.environ, "PYTHONPATH": str(ROOT)})
        browser = Browser(1200, 760)
        try:
            assert studio.stdout is not None
            _take(browser, json.loads(studio.stdout.readline())["url"])
        finally:
            browser.close()
            studio.terminate()
            studio.wait(20)
    for path in sorted(IMAGES.glob("studio-*.png")):
        _shrink(path)
        sys.stdout.write(f"{path.relative_to(ROOT)}: {path.stat().st_size // 1000} kB\n")


def _take(browser: Browser, url: str) -> None:
    browser.open(url, ".spoken")
    _dark(browser, dark=False)
    browser.picture(IMAGES / "studio-table.png")
    browser.click("#drawer")
    browser.find(".drawer section")
    _dark(browser, dark=True)
    browser.until(lambda: len(browser.all(".drawer section")) > 4, "the drawer")
    browser.picture(IMAGES / "studio-drawer-dark.png")
    browser.click("#drawer")
    _dark(browser, dark=False)
    browser.open(f"{url}review", ".card.big")
    browser.until(lambda: "would be learnt" in browser.texts("#counts")[0], "what was read")
    browser.picture(IMAGES / "studio-review.png")
    browser.open(f"{url}nights", ".charts canvas")
    browser.until(lambda: len(browser.texts("#verdict tbody tr")) > 2, "the verdict")
    browser.size(1200, 1000)
    browser.picture(IMAGES / "studio-nights.png")
    browser.size(1200, 760)
    browser.open(f"{url}characters?npc=mira", ".finding, #verdict.good")
    browser.picture(IMAGES / "studio-characters.png")
    browser.size(390, 780)
    browser.open(url, ".spoken")
    _dark(browser, dark=True)
    browser.picture(IMAGES / "studio-phone.png")


if __name__ == "__main__":
    main()
