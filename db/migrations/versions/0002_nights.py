"""The nights: how far each came, who runs a request, and whether somebody sits at an evening"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "nights",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("campaign_id", sa.Integer(), nullable=False),
        sa.Column("npc", sa.String(length=100), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("report", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["campaign_id"], ["campaigns.id"], name=op.f("fk_nights_campaign_id_campaigns")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_nights")),
    )
    op.create_index(op.f("ix_nights_campaign_id"), "nights", ["campaign_id"])
    op.create_table(
        "night_stages",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("night_id", sa.Integer(), nullable=False),
        sa.Column("stage", sa.String(length=40), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("result", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["night_id"], ["nights.id"], name=op.f("fk_night_stages_night_id_nights")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_night_stages")),
        sa.UniqueConstraint("night_id", "stage", name=op.f("uq_night_stages_night_id")),
    )
    op.create_index(op.f("ix_night_stages_night_id"), "night_stages", ["night_id"])
    # Requests that were asked for before anybody could take them wait on; nobody has taken them.
    op.add_column("night_requests", sa.Column("taken_by", sa.String(length=200), nullable=False, server_default=""))
    op.add_column("night_requests", sa.Column("taken_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("night_requests", sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("night_requests", sa.Column("reason", sa.Text(), nullable=False, server_default=""))
    op.add_column("sessions", sa.Column("seated_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("sessions", sa.Column("left_at", sa.DateTime(timezone=True), nullable=True))
    # While a night runs, "is anybody playing?" is asked twice a second, also after months of evenings.
    op.create_index(op.f("ix_turns_said_at"), "turns", ["said_at"])
    op.create_index(op.f("ix_feedback_given_at"), "feedback", ["given_at"])


def downgrade() -> None:
    op.drop_index(op.f("ix_feedback_given_at"), "feedback")
    op.drop_index(op.f("ix_turns_said_at"), "turns")
    for table, columns in (("sessions", ("left_at", "seated_at")),
                           ("night_requests", ("reason", "ended_at", "taken_at", "taken_by"))):
        with op.batch_alter_table(table) as batch_op:
            for column in columns:
                batch_op.drop_column(column)
    op.drop_table("night_stages")
    op.drop_table("nights")
