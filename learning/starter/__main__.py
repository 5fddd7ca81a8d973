"""`python -m learning.starter`: make the starter model from nothing, in one command."""

import argparse
import logging
import sys
from pathlib import Path

from tokenizers import Tokenizer

from characters.errors import UnderstudyError
from learning.gguf.base_model import load_base
from learning.starter.corpus import Reader, load_spice, prose_texts
from learning.starter.recipe import RESULT, read_recipe
from learning.starter.tokens import TEMPLATE, token_id, train_tokenizer

_HERE = Path(__file__).resolve()


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m learning.starter", description=__doc__)
    parser.add_argument("--data", type=Path, default=_HERE.parents[3] / "shared" / "data",
                        help="folder with prose/ and light/ (both optional)")  # fmt: skip
    parser.add_argument("--out", type=Path, default=Path("runs/starter"), help="working folder")
    parser.add_argument("--minutes", type=float, default=90.0, help="time box")
    parser.add_argument("--tokens", type=int, default=12_000_000, help="tokens to read in all")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--no-compile", action="store_true", help="do not use torch.compile")
    parser.add_argument("--no-planting", action="store_true", help="let the copying heads emerge by themselves")
    parser.add_argument("--continue-from", type=Path, metavar="GGUF", help="begin with this starter's weights")
    parser.add_argument("--begin", type=float, default=0.4, help="where a continued run joins the schedule")
    parser.add_argument("--version", default="0", help="what the file says it is: Understudy Starter v…")
    parser.add_argument("--recipe", type=Path, metavar="FILE",
                        help="make all runs of a recipe, in order; what is finished stays")  # fmt: skip
    parser.add_argument("--stage", choices=["tokenizer", "train", "export", "all"], default="all")
    return parser.parse_args()


def _tokenizer(out: Path, data: Path, seed: int, earlier: Path | None) -> Tokenizer:
    path = out / "tokenizer.json"
    if path.is_file():
        return Tokenizer.from_file(str(path))
    if earlier is not None:
        tokenizer: Tokenizer = load_base(earlier)[1].backend_tokenizer
        tokenizer.save(str(path))
        return tokenizer
    reader = Reader(Tokenizer.from_str(train_tokenizer(["a"], 300).to_str()), seed, load_spice(data), [])
    texts = [
        turn.text
        for _ in range(6000)
        for played in [reader.playwright.conversation(8)]
        for turn in played.turns
    ]
    texts += prose_texts(data, seed)[:20_000]
    tokenizer = train_tokenizer(texts)
    tokenizer.save(str(path))
    return tokenizer


def _make(options: argparse.Namespace) -> None:
    """One run: tokenizer, training, export; each is skipped when its result lies in --out."""
    options.out.mkdir(parents=True, exist_ok=True)
    data = options.data if options.data.is_dir() else None
    tokenizer = _tokenizer(options.out, options.data, options.seed, options.continue_from)
    if options.stage == "tokenizer":
        return
    from learning.starter.export import export
    from learning.starter.model import make_model, plant_copying
    from learning.starter.train import Plan, load, train

    pad, end = token_id(tokenizer, "<|pad|>"), token_id(tokenizer, TEMPLATE.eos)
    model = make_model(tokenizer.get_vocab_size(), pad, end)
    if options.stage in {"train", "all"}:
        plan = Plan(tokens=options.tokens, minutes=options.minutes, seed=options.seed,
                    threads=options.threads, compile=not options.no_compile,
                    begin=options.begin if options.continue_from else 0.0)  # fmt: skip
        if options.continue_from:
            model.load_state_dict(load_base(options.continue_from)[0].state_dict())
        elif not options.no_planting:
            plant_copying(model, options.seed)
        train(model, tokenizer, plan, load_spice(data), prose_texts(data), options.out)
    if options.stage in {"export", "all"}:
        load(model, options.out)
        export(model, tokenizer, options.out / RESULT, options.version)


def _follow(options: argparse.Namespace) -> None:
    """Every run of a recipe, each from the weights of the one before; what is finished is not made again."""
    before: Path | None = None
    for run in read_recipe(options.recipe):
        folder = options.out / run.name
        if run.mean_of and not (folder / RESULT).is_file():
            from learning.starter.averaging import average

            folder.mkdir(parents=True, exist_ok=True)
            average([options.out / name / RESULT for name in run.mean_of], folder / RESULT, run.version)
        elif not (folder / RESULT).is_file():
            _make(argparse.Namespace(**{**vars(options), **run.model_dump(), "out": folder,
                                        "continue_from": before, "stage": "all"}))  # fmt: skip
        before = folder / RESULT


def main() -> None:
    """Make one run, or all of a recipe's."""
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    options = _arguments()
    try:
        _follow(options) if options.recipe else _make(options)
    except UnderstudyError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
