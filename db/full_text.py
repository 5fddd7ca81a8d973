"""The full-text index over memories: SQLite's FTS5, PostgreSQL's tsvector; the same words in, the same memories out.

What is indexed are the stems and senses that `characters.remembering` makes, so neither database's
own idea of a language has a say. Triggers keep SQLite's index in step with its table, whatever
statement changes it; PostgreSQL keeps an expression index by itself.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import AsyncSession

from characters.finding import SENSE, Asked, Hit, ranked, rarities

EVERYBODY = "all"
_LOOKED_AT = 60
_VECTOR = "to_tsvector('simple', owner || ' ' || stems || ' ' || senses)"

_COLUMNS = "owner, stems, senses"
_ADD = f"INSERT INTO memory_words(rowid, {_COLUMNS}) VALUES (new.id, new.owner, new.stems, new.senses);"
_REMOVE = (
    f"INSERT INTO memory_words(memory_words, rowid, {_COLUMNS}) "
    "VALUES ('delete', old.id, old.owner, old.stems, old.senses);"
)
SQLITE = (
    f"CREATE VIRTUAL TABLE memory_words USING fts5({_COLUMNS}, content='memories', content_rowid='id', "
    "tokenize='unicode61 remove_diacritics 0')",
    "CREATE VIRTUAL TABLE memory_counts USING fts5vocab(memory_words, 'row')",
    f"CREATE TRIGGER memories_added AFTER INSERT ON memories BEGIN {_ADD} END",
    f"CREATE TRIGGER memories_removed AFTER DELETE ON memories BEGIN {_REMOVE} END",
    f"CREATE TRIGGER memories_changed AFTER UPDATE ON memories BEGIN {_REMOVE} {_ADD} END",
)
# Without `fastupdate`, or every search reads a list of what was not sorted in yet; that is done by autovacuum alone.
POSTGRES = (f"CREATE INDEX ix_memories_words ON memories USING gin ({_VECTOR}) WITH (fastupdate = off)",)
# The planner counts a tsvector as cheap to make, and reads the whole table at a hundred times the time of the index.
_BY_INDEX, _AS_USUAL = "SET LOCAL enable_seqscan = off", "SET LOCAL enable_seqscan = on"


def owner_word(campaign: int, npc: str | None) -> str:
    """The word under which an NPC's memories of a campaign are indexed; without an NPC everybody's."""
    return f"c{campaign}n{npc.encode().hex() if npc else EVERYBODY}"


async def search(session: AsyncSession, owners: Sequence[str], asked: Asked, limit: int) -> list[Hit]:
    """Find the memories of any of the owners that share words or senses with a question, best first.

    Args:
        asked: the question's stems, each with its senses.
    """
    if not asked:
        return []
    words = list(dict.fromkeys([*asked, *(sense for senses in asked.values() for sense in senses)]))
    sqlite = session.get_bind().dialect.name == "sqlite"
    if not sqlite:
        await session.execute(text(_BY_INDEX))
    found = await _searched(session, owners, asked, words, limit)
    if not sqlite:
        await session.execute(text(_AS_USUAL))
    return found


async def _searched(
    session: AsyncSession, owners: Sequence[str], asked: Asked, words: Sequence[str], limit: int
) -> list[Hit]:
    sqlite = session.get_bind().dialect.name == "sqlite"
    counts, total = await (_counts_sqlite if sqlite else _counts_postgres)(session, words)
    rarity = rarities(counts, total)
    if not rarity:
        return []
    found = await (_rows_sqlite if sqlite else _rows_postgres)(session, owners, asked, rarity)
    return ranked(((int(number), said, meant) for number, said, meant in found), asked, rarity)[:limit]


async def _counts_sqlite(session: AsyncSession, words: Sequence[str]) -> tuple[dict[str, int], int]:
    """How many memories have each word, and how many there are; 0 where nobody asks, for no word is known."""
    marks = ", ".join(f":w{place}" for place in range(len(words)))
    rows = (await session.execute(
        text(f"SELECT term, doc, (SELECT COUNT(*) FROM memories) FROM memory_counts WHERE term IN ({marks})"),
        {f"w{place}": word for place, word in enumerate(words)},
    )).all()  # fmt: skip
    return {str(term): int(count) for term, count, _ in rows}, int(rows[0][2]) if rows else 0


async def _counts_postgres(session: AsyncSession, words: Sequence[str]) -> tuple[dict[str, int], int]:
    parts = ", ".join(
        f"(SELECT count(*) FROM memories WHERE {_VECTOR} @@ CAST(:w{place} AS tsquery))" for place in range(len(words))
    )
    asked = text(f"SELECT (SELECT count(*) FROM memories), {parts}")
    row = (await session.execute(asked, {f"w{at}": _lexeme(word) for at, word in enumerate(words)})).one()
    return dict(zip(words, map(int, row[1:]), strict=True)), int(row[0])


async def _rows_sqlite(
    session: AsyncSession, owners: Sequence[str], asked: Asked, rarity: Mapping[str, float]
) -> Sequence[Any]:
    """The likeliest memories, as (id, stems, senses)."""
    stems = [word for word in asked if word in rarity]
    senses = [word for word in rarity if word not in asked]
    columns = [f"{{{column}}} : ({' OR '.join(map(_quoted, some))})" for column, some in
               (("stems", stems), ("senses", senses)) if some]  # fmt: skip
    query = f"owner : ({' OR '.join(map(_quoted, owners))}) AND ({' OR '.join(columns)})"
    found = await session.execute(
        text("SELECT m.id, m.stems, m.senses FROM memories m JOIN (SELECT rowid AS number FROM memory_words "
             f"WHERE memory_words MATCH :query ORDER BY bm25(memory_words, 0.0, 1.0, {SENSE}) LIMIT {_LOOKED_AT}) "
             "ON m.id = number"),
        {"query": query},
    )  # fmt: skip
    return found.all()


async def _rows_postgres(
    session: AsyncSession, owners: Sequence[str], asked: Asked, rarity: Mapping[str, float]
) -> Sequence[Any]:
    worth = [weight * (1 if word in asked else SENSE) for word, weight in rarity.items()]
    sums = " + ".join(
        f"CASE WHEN words @@ CAST(:w{place} AS tsquery) THEN {weight:.4f} ELSE 0 END"
        for place, weight in enumerate(worth)
    )
    query = f"({' | '.join(map(_lexeme, owners))}) & ({' | '.join(map(_lexeme, rarity))})"
    found = await session.execute(
        text(f"SELECT id, stems, senses FROM (SELECT id, stems, senses, {_VECTOR} AS words FROM memories "
             f"WHERE {_VECTOR} @@ CAST(:query AS tsquery) OFFSET 0) AS met "  # OFFSET: each vector is made once
             f"ORDER BY {sums} DESC, id DESC LIMIT {_LOOKED_AT}"),
        {"query": query, **{f"w{place}": _lexeme(word) for place, word in enumerate(rarity)}},
    )  # fmt: skip
    return found.all()


def _quoted(word: str) -> str:
    return '"' + word.replace('"', '""') + '"'


def _lexeme(word: str) -> str:
    return "'" + word.replace("\\", "").replace("'", "''") + "'"


def is_index(name: str | None) -> bool:
    """Whether a table or an index of the database is the full text's own, which no model describes."""
    return bool(name) and str(name).startswith(("memory_words", "memory_counts", "ix_memories_words"))


def create(connection: Connection) -> None:
    """Make the index over an existing table of memories."""
    for statement in SQLITE if connection.dialect.name == "sqlite" else POSTGRES:
        connection.exec_driver_sql(statement)


def drop(connection: Connection) -> None:
    """Take the index away, its triggers with it."""
    if connection.dialect.name == "sqlite":
        for trigger in ("added", "removed", "changed"):
            connection.exec_driver_sql(f"DROP TRIGGER memories_{trigger}")
        for table in ("memory_counts", "memory_words"):
            connection.exec_driver_sql(f"DROP TABLE {table}")
    else:
        connection.exec_driver_sql("DROP INDEX ix_memories_words")


# Writes SQLite's index anew, so that no word of what was deleted is left in it.
REBUILD = "INSERT INTO memory_words(memory_words) VALUES ('rebuild')"
