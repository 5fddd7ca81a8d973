"""A real browser, headless, for tests of the studio and for its pictures."""

import json
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

DRIVER = shutil.which("chromedriver")
CHROMIUM = next((found for name in ("chromium", "chromium-browser", "google-chrome") if (found := shutil.which(name))), None)
MISSING = "" if DRIVER and CHROMIUM else "no Chromium with its driver lies here; `make browser` installs it"
PATIENCE = 60.0


class Browser:
    """One headless window; short ways to look and to act, each of which waits."""

    def __init__(self, width: int = 1280, height: int = 860) -> None:
        from selenium import webdriver
        from selenium.webdriver.chrome.options import Options
        from selenium.webdriver.chrome.service import Service

        options = Options()
        options.binary_location = str(CHROMIUM)
        for flag in ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars",
                     "--force-color-profile=srgb", "--disable-background-networking", "--disable-component-update",
                     "--disable-background-timer-throttling", "--disable-renderer-backgrounding",
                     "--blink-settings=primaryPointerType=4,availablePointerTypes=4,primaryHoverType=2,availableHoverTypes=2",
                     f"--window-size={width},{height}"):  # fmt: skip
            options.add_argument(flag)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
        self.driver = webdriver.Chrome(options=options, service=Service(str(DRIVER)))
        self.driver.set_page_load_timeout(PATIENCE)
        self.size(width, height)

    def close(self) -> None:
        self.driver.quit()

    def size(self, width: int, height: int) -> None:
        """Make what the page sees this large."""
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600})

    def open(self, url: str, wait_for: str) -> None:
        self.driver.get(url)
        self.find(wait_for)

    def all(self, css: str) -> list[Any]:
        from selenium.webdriver.common.by import By

        return self.driver.find_elements(By.CSS_SELECTOR, css)

    def until(self, what: Callable[[], Any], told: str) -> Any:
        """Wait until something is so."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            try:
                if found := what():
                    return found
            except Exception as error:  # noqa: BLE001  (the page changes under our hands)
                told = f"{told} ({type(error).__name__})"[:300]
            time.sleep(0.05)
        raise AssertionError(f"waited in vain for {told}; the page says: {self._says()}")

    def _says(self) -> str:
        try:
            return " / ".join([str(self.run("return document.body.innerText"))[:1000], *(entry["message"] for entry in self.driver.get_log("browser"))])
        except Exception as error:  # noqa: BLE001  (what was waited for matters more)
            return f"nothing ({type(error).__name__})"

    def find(self, css: str) -> Any:
        return self.until(lambda: next(iter(self.all(css)), None), css)

    def click(self, css: str) -> None:
        """Click what is there, as a person would; the pointer has to reach it."""
        self.until(lambda: [self.find(css).click()], f"{css} to be clicked")

    def write(self, css: str, text: str, *, enter: bool = False) -> None:
        from selenium.webdriver.common.keys import Keys

        field = self.find(css)
        field.send_keys(text)
        if enter:
            field.send_keys(Keys.ENTER)

    def press(self, key: str) -> None:
        from selenium.webdriver.common.action_chains import ActionChains

        ActionChains(self.driver).send_keys(key).perform()

    def texts(self, css: str) -> list[str]:
        return self.run("return [...document.querySelectorAll(arguments[0])].map((e) => e.textContent.trim())", css)

    def run(self, script: str, *arguments: Any) -> Any:
        return self.driver.execute_script(script, *arguments)

    def complaints(self) -> list[str]:
        """What the page's console called an error."""
        return [entry["message"] for entry in self.driver.get_log("browser") if entry["level"] == "SEVERE"]

    def asked_for(self) -> list[str]:
        """Every address the browser asked for since the last call."""
        found = []
        for entry in self.driver.get_log("performance"):
            message = json.loads(entry["message"])["message"]
            if message["method"] == "Network.requestWillBeSent":
                found.append(message["params"]["request"]["url"])
            elif message["method"] == "Network.webSocketCreated":
                found.append(message["params"]["url"])
        return found

    def picture(self, path: Path) -> None:
        self.driver.save_screenshot(str(path))
