"""The program as ever, and whenever it is asked to (SIGUSR2) it writes down how many tasks it has: `python -m tests.fakes.watched FILE …`."""

import asyncio
import signal
import sys
from pathlib import Path


def main() -> None:
    told = Path(sys.argv.pop(1))

    def tell(*_: object) -> None:
        told.write_text(f"{len(asyncio.all_tasks())}\n", "utf-8")

    signal.signal(signal.SIGUSR2, tell)
    from bot.cli import main as program

    program()


if __name__ == "__main__":
    main()
