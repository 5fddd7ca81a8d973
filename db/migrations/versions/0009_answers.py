"""Answers are found by what they answer: who witnessed a turn was asked of every turn there is"""

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_turns_answers_id", "turns", ["answers_id"])


def downgrade() -> None:
    op.drop_index("ix_turns_answers_id", "turns")
