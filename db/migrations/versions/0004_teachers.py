"""Teachers: what was asked, answered and paid; and rows that were made rather than heard"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "teacher_calls",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(length=80), nullable=False),
        sa.Column("campaign_id", sa.Integer(), nullable=False),
        sa.Column("run", sa.String(length=100), nullable=False),
        sa.Column("task", sa.String(length=60), nullable=False),
        sa.Column("teacher", sa.String(length=200), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("request", sa.JSON(), nullable=False),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.Column("finish", sa.String(length=20), nullable=False),
        sa.Column("prompt_tokens", sa.Integer(), nullable=False),
        sa.Column("completion_tokens", sa.Integer(), nullable=False),
        sa.Column("price_nano", sa.BigInteger(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["campaign_id"], ["campaigns.id"], name=op.f("fk_teacher_calls_campaign_id_campaigns")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_teacher_calls")),
        sa.UniqueConstraint("key", name=op.f("uq_teacher_calls_key")),
    )
    op.create_index(op.f("ix_teacher_calls_campaign_id"), "teacher_calls", ["campaign_id"])
    op.create_index(op.f("ix_teacher_calls_run"), "teacher_calls", ["run"])
    with op.batch_alter_table("candidate_rows") as batch_op:
        batch_op.add_column(sa.Column("origin", sa.String(length=200), nullable=True))
        batch_op.create_unique_constraint(op.f("uq_candidate_rows_origin"), ["origin"])


def downgrade() -> None:
    with op.batch_alter_table("candidate_rows") as batch_op:
        batch_op.drop_constraint(op.f("uq_candidate_rows_origin"), type_="unique")
        batch_op.drop_column("origin")
    op.drop_index(op.f("ix_teacher_calls_run"), "teacher_calls")
    op.drop_index(op.f("ix_teacher_calls_campaign_id"), "teacher_calls")
    op.drop_table("teacher_calls")
