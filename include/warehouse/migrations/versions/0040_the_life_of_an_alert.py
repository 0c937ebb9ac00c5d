"""The life of an alert: opened, escalated, snoozed, closed.

Revision ID: 0040
Revises: 0039
"""

import sqlalchemy as sa
from alembic import op

revision = '0040'
down_revision = '0039'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('alert_event',
    sa.Column('problem', sa.Text(), nullable=False, comment='name of the problem file'),
    sa.Column('alert_id', sa.Text(), nullable=False, comment='cause, as in core.alert'),
    sa.Column('event_number', sa.Integer(), autoincrement=False, nullable=False, comment='from 1, in the order in which it happened to this cause'),
    sa.Column('event', sa.Text(), nullable=False, comment='opened, escalated, snoozed or closed'),
    sa.Column('partition_key', sa.Text(), nullable=False, comment='the newest partition that showed it; of closed by itself, the one that was fine again'),
    sa.Column('is_by_person', sa.Boolean(), nullable=False, comment='whether a person did it; else the stage monitor did'),
    sa.Column('actor', sa.Text(), nullable=False, comment='who: the login of a person, or monitor'),
    sa.Column('reason', sa.Text(), nullable=False, comment="why, in that person's words; of monitor, a sentence"),
    sa.Column('until_utc', sa.DateTime(timezone=True), nullable=True, comment='until when it is put off; of snoozed only'),
    sa.Column('metric', sa.Text(), nullable=False, comment='of the worst that was seen, as in core.alert'),
    sa.Column('subject', sa.Text(), nullable=False, comment='model version, or the features that were worst of it'),
    sa.Column('value', sa.Float(), nullable=False, comment='what was seen of the worst, in the unit of the metric'),
    sa.Column('bound', sa.Float(), nullable=False, comment='what was allowed of the worst, in the unit of the metric'),
    sa.Column('happened_at_utc', sa.DateTime(timezone=True), nullable=False, comment='when it happened, by the clock of whoever wrote it'),
    sa.PrimaryKeyConstraint('problem', 'alert_id', 'event_number', name=op.f('pk_alert_event')),
    schema='core',
    comment='The life of each alert: what happened to it, who did it, when and why. Rows are added, never changed.',
    )


def downgrade() -> None:
    op.drop_table('alert_event', schema='core')
