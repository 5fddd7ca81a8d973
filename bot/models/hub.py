"""Model files from a hub that speaks the Hugging Face protocol: looked up, then fetched so that a broken pull goes on.

huggingface-hub throws away what a killed download had fetched; here it stays in a file named after
the content, and the next pull asks for the rest. What came is compared with the sha256 the hub names.
"""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bot.models.errors import ChecksumWrong, PullFailed, ShelfError
from bot.models.shelf import in_words, sha256_of

_USUAL = re.compile(r"q4_k_m\.gguf$", re.IGNORECASE)
_PIECE = re.compile(r"-\d{5}-of-\d{5}\.gguf$", re.IGNORECASE)


@dataclass(frozen=True)
class Offer:
    """One file of one repository at one commit.

    Attributes:
        sha256: as the hub names it, "" where it names none.
    """

    repo: str
    revision: str
    file: str
    size: int
    sha256: str
    licence: str


def look_up(repo: str, file: str | None, revision: str, endpoint: str | None = None) -> Offer:
    """Find the file to pull; without a name the only one there is, or the usual Q4_K_M.

    Raises:
        PullFailed: the hub cannot be asked, or says no.
        ShelfError: there is no such file, or several to choose from.
    """
    from huggingface_hub import HfApi

    with _one_sentence(repo):
        found = HfApi(endpoint=endpoint).model_info(repo, revision=revision, files_metadata=True, timeout=30)
    known = {one.rfilename: one for one in found.siblings or []}
    chosen = known[_chosen(repo, file, sorted(known))]
    card: Any = found.card_data
    return Offer(
        repo, found.sha or revision, chosen.rfilename, chosen.size or 0,
        chosen.lfs.sha256 if chosen.lfs else "",
        str((card.get("license") if card else None) or ""),
    )  # fmt: skip


def _chosen(repo: str, wanted: str | None, files: Sequence[str]) -> str:
    models = [name for name in files if name.casefold().endswith(".gguf")]
    if wanted is not None:
        if wanted not in files:
            raise ShelfError(f"{repo} has no file {wanted!r}; it has {_named(models)}.")
        if wanted not in models or _PIECE.search(wanted):
            raise ShelfError(f"{wanted} is not a whole GGUF file; {repo} has {_named(models)}.")
        return wanted
    whole = [name for name in models if not _PIECE.search(name)]
    usual = whole if len(whole) == 1 else [name for name in whole if _USUAL.search(name)]
    if len(usual) != 1:
        if not whole:
            raise ShelfError(f"{repo} has no whole GGUF file; look for a repository whose name ends in -GGUF.")
        raise ShelfError(f"{repo} has {_named(models)}; name one of them after the repository.")
    return usual[0]


def _named(files: Sequence[str]) -> str:
    return (", ".join(files[:12]) + (" …" if len(files) > 12 else "")) if files else "no GGUF file"


def fetch(offer: Offer, half: Path, endpoint: str | None = None) -> int:
    """Fetch what is missing of a file.

    Returns:
        The bytes that were there already.

    Raises:
        PullFailed: the hub broke off; what came is kept, and the next pull goes on behind it.
        ChecksumWrong: the whole file is not the promised one; it is thrown away.
    """
    from huggingface_hub import get_hf_file_metadata, hf_hub_url
    from huggingface_hub.file_download import http_get

    there = half.stat().st_size if half.is_file() else 0
    if there > offer.size:
        half.unlink()
        there = 0
    url = hf_hub_url(offer.repo, offer.file, revision=offer.revision, endpoint=endpoint)
    with _one_sentence(f"{offer.repo}/{offer.file}", kept=half), half.open("ab") as file:
        location = get_hf_file_metadata(url, endpoint=endpoint).location
        http_get(location, file, resume_size=there, headers=_headers(url, location), expected_size=offer.size or None,
                 displayed_filename=offer.file)  # fmt: skip
    if offer.sha256 and sha256_of(half) != offer.sha256:
        half.unlink()
        raise ChecksumWrong(
            f"What came as {offer.file} does not have the checksum that {offer.repo} names and was thrown away; "
            "pull it again, and tell the repository's owner if it happens twice."
        )
    return there


def _headers(asked: str, location: str) -> dict[str, str]:
    """The operator's token for the hub itself, and for nobody it sends us on to."""
    from urllib.parse import urlsplit

    from huggingface_hub.utils._headers import build_hf_headers

    same = urlsplit(asked).netloc == urlsplit(location).netloc
    headers: dict[str, str] = build_hf_headers(token=None if same else False)
    return headers


@contextmanager
def _one_sentence(what: str, kept: Path | None = None) -> Iterator[None]:
    """Whatever the hub's client raises becomes one sentence."""
    import httpx2
    from huggingface_hub import errors

    try:
        yield
    except errors.GatedRepoError as error:
        raise PullFailed(f"{what} is given only to those who accepted its licence; accept it on the hub, then set "
                         "HF_TOKEN to a token of yours.") from error  # fmt: skip
    except (errors.RepositoryNotFoundError, errors.RevisionNotFoundError, errors.EntryNotFoundError) as error:
        raise PullFailed(f"The hub has no {what}; check owner, name and revision (a private one needs "
                         "HF_TOKEN).") from error  # fmt: skip
    except errors.HFValidationError as error:
        raise PullFailed(f"{what!r} is no repository; write it as owner/name.") from error
    except errors.OfflineModeIsEnabled as error:
        raise PullFailed("HF_HUB_OFFLINE is set, so nothing can be pulled; unset it, or bring the file by other "
                         "means and use `understudy model import FILE`.") from error  # fmt: skip
    except (errors.HfHubHTTPError, httpx2.HTTPError, OSError) as error:
        if isinstance(error, OSError) and error.errno is not None and error.filename:
            raise  # the disk's, not the hub's
        said = str(error).strip().partition("\n")[0].rstrip(".")
        rest = f" {in_words(kept.stat().st_size)} are kept, and the next pull goes on from there." \
            if kept and kept.is_file() and kept.stat().st_size else ""  # fmt: skip
        raise PullFailed(f"The hub did not give {what} ({said or type(error).__name__}); try again, or use "
                         f"`understudy model import FILE`.{rest}") from error  # fmt: skip
