"""The container files: what they promise, and what the real tools say of them where these are installed."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

FOLDER = Path(__file__).parents[1] / "docker"
COMPOSE = FOLDER / "compose.yaml"
IMAGES = sorted(FOLDER.glob("*.Dockerfile"))


def compose_command() -> list[str] | None:
    """Docker's compose, as a plugin or as the program of before."""
    for command in (["docker", "compose"], ["docker-compose"]):
        if shutil.which(command[0]):
            asked = subprocess.run([*command, "version", "--short"], capture_output=True, check=False)
            if asked.returncode == 0:
                return command
    return None


def test_compose_reads_the_file_and_asks_for_a_token(tmp_path: Path) -> None:
    command = compose_command()
    if command is None:
        pytest.skip("docker compose is not installed here (the docker client alone cannot read a compose file)")
    file = tmp_path / "compose.yaml"  # the program of before knows no name at the top
    file.write_text(re.sub(r"(?m)^name:.*\n", "", COMPOSE.read_text("utf-8")), "utf-8")
    asked = [*command, "-f", str(file), "--profile", "cuda", "--profile", "postgres", "config", "--quiet"]

    def config(**environment: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(asked, capture_output=True, text=True, check=False, env={**os.environ, **environment})

    read = config(DISCORD_TOKEN="a.token")
    assert read.returncode == 0, read.stderr
    refused = config(DISCORD_TOKEN="")
    assert refused.returncode != 0
    assert "set DISCORD_TOKEN" in refused.stderr


@pytest.mark.parametrize("image", IMAGES, ids=lambda path: path.name)
def test_hadolint_finds_nothing(image: Path) -> None:
    if shutil.which("hadolint") is None:
        pytest.skip("hadolint is not installed here")
    done = subprocess.run(["hadolint", str(image)], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")


@pytest.mark.parametrize("image", IMAGES, ids=lambda path: path.name)
def test_images_run_as_an_ordinary_user_with_a_health_check_and_the_homes_volume(image: Path) -> None:
    lines = image.read_text("utf-8").splitlines()
    last = max(number for number, line in enumerate(lines) if line.startswith("FROM "))
    served = "\n".join(lines[last:])
    assert re.search(r"(?m)^USER 10001:10001$", served)
    assert re.search(r"(?m)^HEALTHCHECK ", served)
    assert re.search(r"(?m)^VOLUME /data$", served)
    assert "build-essential" not in served, "compilers stay in the stage that builds"


def test_only_the_nights_have_torch_and_every_pin_is_the_projects() -> None:
    bot, nights = ((FOLDER / name).read_text("utf-8") for name in ("bot.Dockerfile", "nights.Dockerfile"))
    assert not re.search(r"(?m)^RUN .*torch", bot)
    assert ".[learning]" not in bot
    project = (FOLDER.parent / "pyproject.toml").read_text("utf-8")
    for pin in set(re.findall(r"(?:llama-cpp-python|torch)==[\d.]+", bot + nights)):
        assert f'"{pin}"' in project


def test_services_share_the_home_and_keep_the_system_read_only() -> None:
    services = yaml.safe_load(COMPOSE.read_text("utf-8"))["services"]
    assert set(services) == {"bot", "nights", "nights-cuda", "postgres"}
    for name in ("bot", "nights", "nights-cuda"):
        assert services[name]["volumes"] == ["home:/data"]
        assert services[name]["read_only"] is True
        assert services[name]["cap_drop"] == ["ALL"]
    assert services["postgres"]["profiles"] == ["postgres"]
    assert services["nights-cuda"]["profiles"] == ["cuda"]
