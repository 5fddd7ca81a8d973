"""A folder of Markdown notes as lore."""

from pathlib import Path

import pytest

from characters.errors import CardError
from characters.lorebook.notes import note_entries, read_notes

NOTE = """---
aliases: [the Rock, "Gull Stone"]
known_by: [mira]
sticky: 2
---
# Gull Rock
An island with **one** [lighthouse](https://example.invalid). ![[map.png]] #places/sea

## History
The light went out [[Year 7|seven years ago]].
%% The keeper drowned the mayor. %%

## Tobin
- ferryman
- owes [[Mira]] a boat

```js
alert(1)
```
"""


def test_titles_aliases_and_headings_call_a_note():
    first, history, tobin = note_entries("Gull Rock", NOTE)
    assert first["keys"] == ["Gull Rock", "the Rock", "Gull Stone"]
    assert first["content"] == "Gull Rock: An island with one lighthouse."
    assert (history["keys"], history["secondary_keys"]) == (first["keys"], ["History"])
    assert history["content"] == "Gull Rock, History: The light went out seven years ago."
    assert (tobin["keys"], tobin["selective"]) == (["Tobin"], False)
    assert tobin["content"] == "Gull Rock, Tobin: ferryman. owes Mira a boat."
    assert tobin["extensions"] == {"sticky": 2, "understudy": {"known_by": ["mira"]}}


def test_what_is_for_the_gm_stays_out():
    assert "keeper" not in str(note_entries("Gull Rock", NOTE))
    assert note_entries("Plot", "---\nlore: false\n---\nThe duke did it.") == []
    assert note_entries("Empty", "%% all of it") == []


def test_long_notes_become_several_entries():
    entries = note_entries("Bell", "\n\n".join(f"Paragraph {n}. " + "word " * 60 for n in range(6)))
    assert len(entries) == 6
    assert all(len(entry["content"]) < 700 for entry in entries)


def test_a_folder_is_read_without_hidden_folders_links_out_of_it_and_broken_notes(tmp_path: Path):
    vault = tmp_path / "vault"
    (vault / ".obsidian").mkdir(parents=True)
    (vault / ".obsidian" / "x.md").write_text("hidden", "utf-8")
    (vault / "sub").mkdir()
    (vault / "sub" / "Inn.md").write_text("\ufeffAn inn.\r\nWarm.", "utf-8")
    (vault / "bad.md").write_bytes(b"\xff\xfe\xff")
    (tmp_path / "outside.md").write_text("secret", "utf-8")
    (vault / "link.md").symlink_to(tmp_path / "outside.md")
    notes = read_notes(vault, "vault")
    assert [entry["content"] for entry in notes.raw["data"]["entries"]] == ["An inn. Warm."]
    assert notes.read == 1
    assert "secret" not in str(notes.raw)
    assert sorted(line.split(":")[0] for line in notes.skipped) == ["bad.md", "link.md"]


def test_a_folder_without_notes_says_so(tmp_path: Path):
    with pytest.raises(CardError, match="no Markdown note"):
        read_notes(tmp_path, "x")


def test_hostile_front_matter_is_no_front_matter():
    assert note_entries("A", "---\na: &x [1]\nb: *x\n---\nText.")[0]["content"] == "A: Text."
    assert note_entries("A", "---\n[[[[\n---\nText.")[0]["content"] == "A: Text."
