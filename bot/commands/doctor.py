"""`understudy doctor`: what is missing or broken, and what was chosen."""

import asyncio
import contextlib
import importlib.metadata
import json
import os
import platform
import shutil
from collections.abc import Callable
from pathlib import Path

import click

from bot.wiring import House, find_house
from characters.errors import UnderstudyError

_ENOUGH_DISK = 1_000_000_000
_FLAGS = ("avx", "avx2", "fma", "f16c", "bmi2", "avx512f", "avx512_vnni", "avx512_bf16", "amx_tile")


@click.command()
@click.option("--json", "as_json", is_flag=True)
@click.pass_context
def doctor(context: click.Context, as_json: bool) -> None:
    """Look for what is missing or broken; exit status 1 when something is."""
    results = looked_at(find_house())
    if as_json:
        click.echo(json.dumps({"checks": results}, ensure_ascii=False))
    else:
        for result in results:
            click.echo(f"{'ok  ' if result['ok'] else 'FAIL'}  {result['name']:<10} {result['found']}")
    if not all(result["ok"] for result in results):
        context.exit(1)


def looked_at(house: House) -> list[dict[str, object]]:
    """Everything the doctor looks at, and what was found."""
    return [_result(name, look, house) for name, look in _LOOKS.items()]


def _result(name: str, look: Callable[[House], str], house: House) -> dict[str, object]:
    try:
        return {"name": name, "ok": True, "found": look(house)}
    except (UnderstudyError, OSError, importlib.metadata.PackageNotFoundError) as error:
        return {"name": name, "ok": False, "found": str(error)}


def _python(house: House) -> str:
    return f"{platform.python_version()} on {platform.system()} {platform.machine()}"


def _processor(house: House) -> str:
    path = Path("/proc/cpuinfo")
    words = set(path.read_text("utf-8").split()) if path.is_file() else set()
    return " ".join(flag for flag in _FLAGS if flag in words) or "flags not told by this system"


def _native(house: House) -> str:
    from characters.inference.errors import EngineError
    from characters.inference.native_proof import build_id, decodes, extra_buffers_work

    version = importlib.metadata.version("llama-cpp-python")
    if extra_buffers_work(house.home.folder("kv"), house.model):
        return f"llama-cpp-python {version}, build {build_id()}: decodes with repacked weights"
    if decodes(house.model, extra_buffers=False):
        return f"llama-cpp-python {version}, build {build_id()}: repacked weights crash here, loads without them"
    raise EngineError(
        f"llama-cpp-python {version} cannot decode {house.model.name}; run `make native` to build it again."
    )


def _model(house: House) -> str:
    from characters.inference.llama_cpp_engine import check_model, file_id

    if house.settings.engine.url:
        return f"server {house.settings.engine.url}"
    check_model(house.model)
    return f"{house.model.name}, {house.model.stat().st_size / 1e6:.1f} MB, {file_id(house.model)[:19]}"


def _database(house: House) -> str:
    from db.migrate import newest
    from db.store import Store

    async def look() -> str:
        store = await Store.open(house.database_url)
        await store.close()
        return f"{store.where} at schema {newest()}"

    return asyncio.run(look())


def _home(house: House) -> str:
    folder = house.home.folder("logs")
    probe = folder / ".probe"
    probe.write_text("x", "utf-8")
    probe.unlink()
    return str(house.home.root)


def _disk(house: House) -> str:
    free = shutil.disk_usage(house.home.folder("logs")).free
    if free < _ENOUGH_DISK:
        raise OSError(f"only {free / 1e9:.1f} GB are free; make room for 1 GB")
    return f"{free / 1e9:.0f} GB free"


def _encryption(house: House) -> str:
    """Discord asks operators to encrypt what they store; only some systems tell."""
    folder = house.home.folder("logs").resolve()
    number = folder.stat().st_dev
    device = Path(f"/sys/dev/block/{os.major(number)}:{os.minor(number)}")
    if _encrypted(device):
        return "the home's disk is encrypted"
    return "WARNING: no encryption of the home's disk is to be seen; Discord asks it of who runs a bot"


def _encrypted(device: Path) -> bool:
    """Whether a block device, or one that it stands on, is an encrypted mapping."""
    with contextlib.suppress(OSError):
        if (device / "dm" / "uuid").read_text("utf-8").startswith("CRYPT-"):
            return True
    return any(_encrypted(below) for below in sorted(device.glob("slaves/*")))


_LOOKS: dict[str, Callable[[House], str]] = {
    "python": _python, "processor": _processor, "home": _home, "disk": _disk, "encryption": _encryption,
    "database": _database, "model": _model, "native": _native,
}  # fmt: skip
