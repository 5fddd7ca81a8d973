"""What NPCs remember, with a full-text index; told facts become part of it; steps towards secrets"""

import sqlalchemy as sa
from alembic import op

from characters.remembering import senses, stems
from db import full_text

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("takes", sa.Column("frame", sa.JSON(), nullable=False, server_default="{}"))
    op.create_table(
        "memories",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("campaign_id", sa.Integer(), nullable=False),
        sa.Column("npc", sa.String(length=100), nullable=True),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("about", sa.String(length=200), nullable=False),
        sa.Column("weight", sa.Float(), nullable=False),
        sa.Column("known_since", sa.String(length=200), nullable=False),
        sa.Column("scene_id", sa.Integer(), nullable=True),
        sa.Column("participant_id", sa.Integer(), nullable=True),
        sa.Column("edited", sa.Boolean(), nullable=False),
        sa.Column("owner", sa.String(length=300), nullable=False),
        sa.Column("stems", sa.String(length=2000), nullable=False),
        sa.Column("senses", sa.String(length=2000), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["campaign_id"], ["campaigns.id"], name=op.f("fk_memories_campaign_id_campaigns")),
        sa.ForeignKeyConstraint(["scene_id"], ["scenes.id"], name=op.f("fk_memories_scene_id_scenes")),
        sa.ForeignKeyConstraint(["participant_id"], ["participants.id"], name=op.f("fk_memories_participant_id_participants")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_memories")),
    )
    for column in ("campaign_id", "scene_id", "owner"):
        op.create_index(op.f(f"ix_memories_{column}"), "memories", [column])
    op.create_table(
        "memory_turns",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("memory_id", sa.Integer(), nullable=False),
        sa.Column("turn_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["memory_id"], ["memories.id"], name=op.f("fk_memory_turns_memory_id_memories"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["turn_id"], ["turns.id"], name=op.f("fk_memory_turns_turn_id_turns")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_memory_turns")),
    )
    for column in ("memory_id", "turn_id"):
        op.create_index(op.f(f"ix_memory_turns_{column}"), "memory_turns", [column])
    op.create_table(
        "secret_steps",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("campaign_id", sa.Integer(), nullable=False),
        sa.Column("npc", sa.String(length=100), nullable=False),
        sa.Column("secret", sa.String(length=40), nullable=False),
        sa.Column("part", sa.Text(), nullable=False),
        sa.Column("by", sa.String(length=20), nullable=False),
        sa.Column("turn_id", sa.Integer(), nullable=True),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["campaign_id"], ["campaigns.id"], name=op.f("fk_secret_steps_campaign_id_campaigns")),
        sa.ForeignKeyConstraint(["turn_id"], ["turns.id"], name=op.f("fk_secret_steps_turn_id_turns")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_secret_steps")),
    )
    for column in ("campaign_id", "turn_id"):
        op.create_index(op.f(f"ix_secret_steps_{column}"), "secret_steps", [column])
    full_text.create(op.get_bind())
    _move_told_facts()
    op.drop_table("told_facts")


def _move_told_facts() -> None:
    bind = op.get_bind()
    told = bind.execute(sa.text("SELECT campaign_id, npc, text, participant_id, told_at FROM told_facts ORDER BY id")).all()
    for campaign, npc, words, participant, told_at in told:
        found = stems(words)
        bind.execute(sa.text(
            "INSERT INTO memories (campaign_id, npc, kind, text, about, weight, known_since, participant_id, edited, owner, stems, senses, made_at) "
            "VALUES (:campaign, :npc, 'told', :words, '', 0.0, '', :participant, :edited, :owner, :stems, :senses, :told_at)"
        ), {"campaign": campaign, "npc": npc, "words": words, "participant": participant, "edited": False,
            "owner": full_text.owner_word(campaign, npc), "stems": " ".join(found)[:2000],
            "senses": " ".join(senses(found))[:2000], "told_at": told_at})


def downgrade() -> None:
    op.create_table(
        "told_facts",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("campaign_id", sa.Integer(), nullable=False),
        sa.Column("npc", sa.String(length=100), nullable=True),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("participant_id", sa.Integer(), nullable=True),
        sa.Column("told_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_told_facts")),
    )
    op.execute("INSERT INTO told_facts (campaign_id, npc, text, participant_id, told_at) "
               "SELECT campaign_id, npc, text, participant_id, made_at FROM memories WHERE kind = 'told'")
    full_text.drop(op.get_bind())
    for table in ("secret_steps", "memory_turns", "memories"):
        op.drop_table(table)
    with op.batch_alter_table("takes") as batch_op:
        batch_op.drop_column("frame")
