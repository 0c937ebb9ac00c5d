"""Messages about alerts: who is told of what happened, and whether a server took it.

Revision ID: 0045
Revises: 0044
"""

import sqlalchemy as sa
from alembic import op

revision = '0045'
down_revision = '0044'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('alert_message',
    sa.Column('problem', sa.Text(), nullable=False, comment='name of the problem file'),
    sa.Column('alert_id', sa.Text(), nullable=False, comment='cause, as in core.alert'),
    sa.Column('event_number', sa.Integer(), autoincrement=False, nullable=False, comment='what happened, as in core.alert_event'),
    sa.Column('recipient', sa.Text(), nullable=False, comment='owner or on_call, as monitor.tell names them'),
    sa.Column('channel', sa.Text(), nullable=False, comment='mail or webhook'),
    sa.Column('status', sa.Text(), nullable=False, comment='waiting, told, given_up, or silent: it was snoozed before anybody was told'),
    sa.Column('n_attempts', sa.Integer(), autoincrement=False, nullable=False, comment='times that it was tried to send it'),
    sa.Column('next_attempt_at_utc', sa.DateTime(timezone=True), nullable=False, comment='not tried again before; of what waits'),
    sa.Column('told_at_utc', sa.DateTime(timezone=True), nullable=True, comment='when the server took it; missing where none has'),
    sa.Column('last_error', sa.Text(), nullable=True, comment='why it was not taken the last time; missing where it was'),
    sa.PrimaryKeyConstraint('problem', 'alert_id', 'event_number', 'recipient', 'channel', name=op.f('pk_alert_message')),
    schema='core',
    comment='The messages about alerts: written with what happened, sent afterwards, each once where servers answer.',
    )


def downgrade() -> None:
    op.drop_table('alert_message', schema='core')
