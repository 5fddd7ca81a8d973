"""What a person took back stands in no reaction and no example any more; until now an edit or an approval kept it there"""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

_turns = sa.table("turns", sa.column("id"), sa.column("npc"), sa.column("text"), sa.column("answers_id"))
_feedback = sa.table("feedback", sa.column("turn_id"), sa.column("asked"))
_examples = sa.table("style_examples", sa.column("turn_id"), sa.column("asked"), sa.column("active", sa.Boolean))


def upgrade() -> None:
    emptied = _turns.alias("emptied")
    answers = (
        sa.select(_turns.c.id).join(emptied, emptied.c.id == _turns.c.answers_id)
        .where(emptied.c.npc.is_(None), emptied.c.text == "")
    )  # fmt: skip
    op.execute(sa.update(_feedback).where(_feedback.c.turn_id.in_(answers)).values(asked=""))
    op.execute(sa.update(_examples).where(_examples.c.turn_id.in_(answers)).values(asked="", active=False))


def downgrade() -> None:
    """What is gone is gone."""
