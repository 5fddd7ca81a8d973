"""The first tables"""

import sqlalchemy as sa
from alembic import op

revision = '0001'
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:

    op.create_table('campaigns',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('name', sa.String(length=200), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_campaigns')),
    sa.UniqueConstraint('name', name=op.f('uq_campaigns_name'))
    )
    op.create_table('active_adapter',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('campaign_id', sa.Integer(), nullable=False),
    sa.Column('npc', sa.String(length=100), nullable=False),
    sa.Column('adapter', sa.String(length=100), nullable=True),
    sa.Column('changed_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['campaign_id'], ['campaigns.id'], name=op.f('fk_active_adapter_campaign_id_campaigns')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_active_adapter')),
    sa.UniqueConstraint('campaign_id', 'npc', name=op.f('uq_active_adapter_campaign_id'))
    )
    with op.batch_alter_table('active_adapter', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_active_adapter_campaign_id'), ['campaign_id'], unique=False)

    op.create_table('adapter_versions',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('campaign_id', sa.Integer(), nullable=False),
    sa.Column('npc', sa.String(length=100), nullable=False),
    sa.Column('adapter', sa.String(length=100), nullable=False),
    sa.Column('path', sa.Text(), nullable=False),
    sa.Column('base_id', sa.String(length=100), nullable=False),
    sa.Column('state', sa.String(length=20), nullable=False),
    sa.Column('report', sa.JSON(), nullable=False),
    sa.Column('made_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['campaign_id'], ['campaigns.id'], name=op.f('fk_adapter_versions_campaign_id_campaigns')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_adapter_versions')),
    sa.UniqueConstraint('adapter', name=op.f('uq_adapter_versions_adapter'))
    )
    with op.batch_alter_table('adapter_versions', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_adapter_versions_campaign_id'), ['campaign_id'], unique=False)

    op.create_table('night_requests',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('campaign_id', sa.Integer(), nullable=False),
    sa.Column('npc', sa.String(length=100), nullable=True),
    sa.Column('asked_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('state', sa.String(length=20), nullable=False),
    sa.ForeignKeyConstraint(['campaign_id'], ['campaigns.id'], name=op.f('fk_night_requests_campaign_id_campaigns')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_night_requests'))
    )
    with op.batch_alter_table('night_requests', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_night_requests_campaign_id'), ['campaign_id'], unique=False)

    op.create_table('participants',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('campaign_id', sa.Integer(), nullable=False),
    sa.Column('key', sa.String(length=100), nullable=False),
    sa.Column('name', sa.String(length=200), nullable=False),
    sa.Column('role', sa.String(length=20), nullable=False),
    sa.Column('consent', sa.String(length=20), nullable=False),
    sa.Column('consent_at', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['campaign_id'], ['campaigns.id'], name=op.f('fk_participants_campaign_id_campaigns')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_participants')),
    sa.UniqueConstraint('campaign_id', 'key', name=op.f('uq_participants_campaign_id'))
    )
    with op.batch_alter_table('participants', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_participants_campaign_id'), ['campaign_id'], unique=False)

    op.create_table('sessions',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('campaign_id', sa.Integer(), nullable=False),
    sa.Column('started_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('stopped_at', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['campaign_id'], ['campaigns.id'], name=op.f('fk_sessions_campaign_id_campaigns')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_sessions'))
    )
    with op.batch_alter_table('sessions', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_sessions_campaign_id'), ['campaign_id'], unique=False)

    op.create_table('scenes',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('session_id', sa.Integer(), nullable=False),
    sa.Column('place', sa.Text(), nullable=False),
    sa.Column('reason', sa.Text(), nullable=False),
    sa.Column('mood', sa.Text(), nullable=False),
    sa.Column('familiarity', sa.Text(), nullable=False),
    sa.Column('started_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['session_id'], ['sessions.id'], name=op.f('fk_scenes_session_id_sessions')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_scenes'))
    )
    with op.batch_alter_table('scenes', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_scenes_session_id'), ['session_id'], unique=False)

    op.create_table('conversations',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('scene_id', sa.Integer(), nullable=False),
    sa.Column('npc', sa.String(length=100), nullable=False),
    sa.Column('split', sa.String(length=20), nullable=True),
    sa.ForeignKeyConstraint(['scene_id'], ['scenes.id'], name=op.f('fk_conversations_scene_id_scenes')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_conversations')),
    sa.UniqueConstraint('scene_id', 'npc', name=op.f('uq_conversations_scene_id'))
    )
    with op.batch_alter_table('conversations', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_conversations_scene_id'), ['scene_id'], unique=False)

    op.create_table('presence',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('scene_id', sa.Integer(), nullable=False),
    sa.Column('who', sa.String(length=200), nullable=False),
    sa.Column('kind', sa.String(length=20), nullable=False),
    sa.Column('joined_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('left_at', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['scene_id'], ['scenes.id'], name=op.f('fk_presence_scene_id_scenes')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_presence'))
    )
    with op.batch_alter_table('presence', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_presence_scene_id'), ['scene_id'], unique=False)

    op.create_table('turns',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('scene_id', sa.Integer(), nullable=False),
    sa.Column('ordinal', sa.Integer(), nullable=False),
    sa.Column('source', sa.String(length=20), nullable=False),
    sa.Column('speaker', sa.String(length=200), nullable=False),
    sa.Column('text', sa.Text(), nullable=False),
    sa.Column('npc', sa.String(length=100), nullable=True),
    sa.Column('participant_id', sa.Integer(), nullable=True),
    sa.Column('answers_id', sa.Integer(), nullable=True),
    sa.Column('kept_take_id', sa.Integer(), nullable=True),
    sa.Column('out_of_character', sa.Boolean(), nullable=False),
    sa.Column('retracted_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('said_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['answers_id'], ['turns.id'], name=op.f('fk_turns_answers_id_turns')),
    sa.ForeignKeyConstraint(['participant_id'], ['participants.id'], name=op.f('fk_turns_participant_id_participants')),
    sa.ForeignKeyConstraint(['scene_id'], ['scenes.id'], name=op.f('fk_turns_scene_id_scenes')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_turns'))
    )
    with op.batch_alter_table('turns', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_turns_participant_id'), ['participant_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_turns_scene_id'), ['scene_id'], unique=False)
        batch_op.create_index('ix_turns_scene_ordinal', ['scene_id', 'ordinal'], unique=False)

    op.create_table('candidate_rows',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('campaign_id', sa.Integer(), nullable=False),
    sa.Column('npc', sa.String(length=100), nullable=False),
    sa.Column('kind', sa.String(length=20), nullable=False),
    sa.Column('source', sa.String(length=20), nullable=False),
    sa.Column('turn_id', sa.Integer(), nullable=True),
    sa.Column('payload', sa.JSON(), nullable=False),
    sa.Column('verdict', sa.String(length=20), nullable=False),
    sa.Column('reason', sa.Text(), nullable=False),
    sa.Column('human_verdict', sa.String(length=20), nullable=True),
    sa.Column('made_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['campaign_id'], ['campaigns.id'], name=op.f('fk_candidate_rows_campaign_id_campaigns')),
    sa.ForeignKeyConstraint(['turn_id'], ['turns.id'], name=op.f('fk_candidate_rows_turn_id_turns')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_candidate_rows'))
    )
    with op.batch_alter_table('candidate_rows', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_candidate_rows_campaign_id'), ['campaign_id'], unique=False)

    op.create_table('style_examples',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('campaign_id', sa.Integer(), nullable=False),
    sa.Column('npc', sa.String(length=100), nullable=False),
    sa.Column('asked', sa.Text(), nullable=False),
    sa.Column('line', sa.Text(), nullable=False),
    sa.Column('turn_id', sa.Integer(), nullable=True),
    sa.Column('kind', sa.String(length=20), nullable=False),
    sa.Column('active', sa.Boolean(), nullable=False),
    sa.Column('made_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['campaign_id'], ['campaigns.id'], name=op.f('fk_style_examples_campaign_id_campaigns')),
    sa.ForeignKeyConstraint(['turn_id'], ['turns.id'], name=op.f('fk_style_examples_turn_id_turns')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_style_examples'))
    )
    with op.batch_alter_table('style_examples', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_style_examples_campaign_id'), ['campaign_id'], unique=False)

    op.create_table('takes',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('turn_id', sa.Integer(), nullable=False),
    sa.Column('number', sa.Integer(), nullable=False),
    sa.Column('text', sa.Text(), nullable=False),
    sa.Column('state', sa.String(length=20), nullable=False),
    sa.Column('origin', sa.String(length=20), nullable=False),
    sa.Column('prompt_hash', sa.String(length=80), nullable=False),
    sa.Column('template_hash', sa.String(length=80), nullable=False),
    sa.Column('sheet_version', sa.String(length=80), nullable=False),
    sa.Column('base_id', sa.String(length=100), nullable=False),
    sa.Column('adapter', sa.String(length=100), nullable=True),
    sa.Column('sampling', sa.JSON(), nullable=False),
    sa.Column('timings', sa.JSON(), nullable=False),
    sa.Column('at_hand', sa.JSON(), nullable=False),
    sa.Column('made_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['turn_id'], ['turns.id'], name=op.f('fk_takes_turn_id_turns')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_takes'))
    )
    with op.batch_alter_table('takes', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_takes_turn_id'), ['turn_id'], unique=False)

    op.create_table('feedback',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('turn_id', sa.Integer(), nullable=False),
    sa.Column('take_id', sa.Integer(), nullable=True),
    sa.Column('participant_id', sa.Integer(), nullable=True),
    sa.Column('kind', sa.String(length=20), nullable=False),
    sa.Column('asked', sa.Text(), nullable=False),
    sa.Column('text', sa.Text(), nullable=False),
    sa.Column('given_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('withdrawn_at', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['participant_id'], ['participants.id'], name=op.f('fk_feedback_participant_id_participants')),
    sa.ForeignKeyConstraint(['take_id'], ['takes.id'], name=op.f('fk_feedback_take_id_takes')),
    sa.ForeignKeyConstraint(['turn_id'], ['turns.id'], name=op.f('fk_feedback_turn_id_turns')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_feedback'))
    )
    with op.batch_alter_table('feedback', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_feedback_participant_id'), ['participant_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_feedback_turn_id'), ['turn_id'], unique=False)




def downgrade() -> None:

    with op.batch_alter_table('feedback', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_feedback_turn_id'))
        batch_op.drop_index(batch_op.f('ix_feedback_participant_id'))

    op.drop_table('feedback')
    with op.batch_alter_table('takes', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_takes_turn_id'))

    op.drop_table('takes')
    with op.batch_alter_table('style_examples', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_style_examples_campaign_id'))

    op.drop_table('style_examples')
    with op.batch_alter_table('candidate_rows', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_candidate_rows_campaign_id'))

    op.drop_table('candidate_rows')
    with op.batch_alter_table('turns', schema=None) as batch_op:
        batch_op.drop_index('ix_turns_scene_ordinal')
        batch_op.drop_index(batch_op.f('ix_turns_scene_id'))
        batch_op.drop_index(batch_op.f('ix_turns_participant_id'))

    op.drop_table('turns')
    with op.batch_alter_table('presence', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_presence_scene_id'))

    op.drop_table('presence')
    with op.batch_alter_table('conversations', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_conversations_scene_id'))

    op.drop_table('conversations')
    with op.batch_alter_table('scenes', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_scenes_session_id'))

    op.drop_table('scenes')
    with op.batch_alter_table('sessions', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_sessions_campaign_id'))

    op.drop_table('sessions')
    with op.batch_alter_table('participants', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_participants_campaign_id'))

    op.drop_table('participants')
    with op.batch_alter_table('night_requests', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_night_requests_campaign_id'))

    op.drop_table('night_requests')
    with op.batch_alter_table('adapter_versions', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_adapter_versions_campaign_id'))

    op.drop_table('adapter_versions')
    with op.batch_alter_table('active_adapter', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_active_adapter_campaign_id'))

    op.drop_table('active_adapter')
    op.drop_table('campaigns')

