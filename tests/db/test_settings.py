"""Where a setting comes from, who wins, and what a wrong one is told."""

from pathlib import Path

import pytest

from db.settings import SettingsError, load_settings


def write(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "understudy.toml"
    path.write_text(text, "utf-8")
    return path


def test_later_sources_win_and_every_value_knows_its_origin(tmp_path: Path) -> None:
    file = write(tmp_path, '[table]\nnpc = "brug"\nname = "Ana"\n[sampling]\ntemperature = 0.2\n')
    loaded = load_settings(file, {"UNDERSTUDY_TABLE_NPC": "odo"}, {"table.name": "Bo", "engine.model": None})
    assert (loaded.settings.table.npc, loaded.settings.table.name, loaded.settings.sampling.temperature) == ("odo", "Bo", 0.2)
    origins = {row["name"]: row["origin"] for row in loaded.rows()}
    assert origins["table.npc"] == "environment UNDERSTUDY_TABLE_NPC"
    assert origins["table.name"] == "command line"
    assert origins["sampling.temperature"] == str(file)
    assert origins["sampling.top_p"] == "default"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[table]\nnppc = 'x'\n", ["table.nppc", "understudy.toml"]),
        ("[sampling]\ntemperature = 9\n", ["sampling.temperature", "understudy.toml"]),
        ("[tabel]\n", ["tabel"]),
        ("not toml at all [", ["understudy.toml"]),
        ("table = 3\n", ["table"]),
    ],
)
def test_a_wrong_setting_is_one_sentence_naming_file_and_key(tmp_path: Path, text: str, words: list[str]) -> None:
    with pytest.raises(SettingsError) as caught:
        load_settings(write(tmp_path, text), {})
    for word in words:
        assert word in str(caught.value)
    assert "\n" not in str(caught.value)


def test_secrets_come_from_the_environment_alone_and_are_never_shown(tmp_path: Path) -> None:
    loaded = load_settings(tmp_path / "none.toml", {"DISCORD_TOKEN": "s3cret"})
    assert loaded.secrets["discord.token"].get_secret_value() == "s3cret"
    assert "s3cret" not in repr(loaded)
    assert "s3cret" not in str(loaded.rows())


def test_a_password_inside_an_address_is_not_shown(tmp_path: Path) -> None:
    loaded = load_settings(tmp_path / "understudy.toml", {
        "UNDERSTUDY_DATABASE_URL": "postgresql://gm:dr@gon/s@127.0.0.1:5432/npcs", "UNDERSTUDY_ENGINE_URL": "http://127.0.0.1:8080/v1",
    })  # fmt: skip
    shown = {row["name"]: row["value"] for row in loaded.rows()}
    assert shown["database.url"] == "postgresql://gm:***@127.0.0.1:5432/npcs"
    assert shown["engine.url"] == "http://127.0.0.1:8080/v1"
    assert loaded.settings.database.url == "postgresql://gm:dr@gon/s@127.0.0.1:5432/npcs"
