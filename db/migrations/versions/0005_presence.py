"""The ledger of presence counts turns, and a scene has a campaign date"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("scenes", sa.Column("date", sa.Text(), nullable=False, server_default=""))
    op.add_column("presence", sa.Column("after", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("presence", sa.Column("until", sa.Integer(), nullable=True))
    # Until now only clocks said who was there; turns of the very moment count as heard.
    newest = "SELECT MAX(ordinal) FROM turns WHERE turns.scene_id = presence.scene_id AND turns.said_at"
    op.execute(f'UPDATE presence SET "after" = COALESCE(({newest} < presence.joined_at), 0)')
    op.execute(f'UPDATE presence SET "until" = COALESCE(({newest} <= presence.left_at), 0) WHERE left_at IS NOT NULL')


def downgrade() -> None:
    with op.batch_alter_table("presence") as batch_op:
        batch_op.drop_column("until")
        batch_op.drop_column("after")
    with op.batch_alter_table("scenes") as batch_op:
        batch_op.drop_column("date")
