"""Sums that the next window goes on from.

Revision ID: 0037
Revises: 0036
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = '0037'
down_revision = '0036'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('experiment_running_sum',
    sa.Column('problem', sa.Text(), nullable=False, comment='name of the problem file'),
    sa.Column('experiment', sa.Text(), nullable=False, comment='name of the experiment; `experiment` where the file has a single one'),
    sa.Column('partition_key', sa.Text(), nullable=False, comment="the data's own hour, day or month"),
    sa.Column('state', sa.Text(), nullable=False, comment='name of the log, plan and decision that the sums rest on: 64 hexadecimal digits'),
    sa.Column('running', postgresql.JSONB(astext_type=sa.Text()), nullable=False, comment='sums by phase and variant, and what was left out by reason, variant and day'),
    sa.PrimaryKeyConstraint('problem', 'experiment', 'partition_key', name=op.f('pk_experiment_running_sum')),
    schema='core',
    comment='What the newest two windows counted, for the next one to go on from; no unit is named.',
    )


def downgrade() -> None:
    op.drop_table('experiment_running_sum', schema='core')
