"""Places: evenings that are played in several chat channels at once, and what belongs to them"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("sessions", sa.Column("place", sa.String(length=100), nullable=False, server_default=""))
    op.create_table(
        "told_facts",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("campaign_id", sa.Integer(), nullable=False),
        sa.Column("npc", sa.String(length=100), nullable=True),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("participant_id", sa.Integer(), nullable=True),
        sa.Column("told_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["campaign_id"], ["campaigns.id"], name=op.f("fk_told_facts_campaign_id_campaigns")),
        sa.ForeignKeyConstraint(["participant_id"], ["participants.id"], name=op.f("fk_told_facts_participant_id_participants")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_told_facts")),
    )
    op.create_index(op.f("ix_told_facts_campaign_id"), "told_facts", ["campaign_id"])
    op.create_table(
        "chat_messages",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("message", sa.String(length=40), nullable=False),
        sa.Column("place", sa.String(length=100), nullable=False),
        sa.Column("turn_id", sa.Integer(), nullable=False),
        sa.Column("part", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["turn_id"], ["turns.id"], name=op.f("fk_chat_messages_turn_id_turns")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_chat_messages")),
        sa.UniqueConstraint("message", name=op.f("uq_chat_messages_message")),
    )
    op.create_index(op.f("ix_chat_messages_place"), "chat_messages", ["place"])
    op.create_index(op.f("ix_chat_messages_turn_id"), "chat_messages", ["turn_id"])
    op.create_table(
        "place_settings",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("place", sa.String(length=100), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("value", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_place_settings")),
        sa.UniqueConstraint("place", "name", name=op.f("uq_place_settings_place")),
    )


def downgrade() -> None:
    for table in ("place_settings", "chat_messages", "told_facts"):
        op.drop_table(table)
    with op.batch_alter_table("sessions") as batch_op:
        batch_op.drop_column("place")
