"""Who was listed for a mailer, and since when an experiment is paused.

Revision ID: 0050
Revises: 0049
"""

import sqlalchemy as sa
from alembic import op

revision = '0050'
down_revision = '0049'
branch_labels = None
depends_on = None

PROBLEM = 'name of the problem file'
EXPERIMENT = 'name of the experiment; `experiment` where the file has a single one'
PHASES = 'hold, paused or ended (nothing is sent), pilot, wave and its number, or rest'
OLD_PHASES = 'hold or ended (nothing is sent), pilot, wave and its number, or rest'


def upgrade() -> None:
    op.create_table(
        'send_list',
        sa.Column('problem', sa.Text(), nullable=False, comment=PROBLEM),
        sa.Column('experiment', sa.Text(), nullable=False, comment=EXPERIMENT),
        sa.Column(
            'unit',
            sa.Text(),
            nullable=False,
            comment='id as the lake holds it: masked where the audience masks it, else raw',
        ),
        sa.Column('log', sa.Text(), nullable=False, comment='log of the audience that listed it first'),
        sa.Column('item_id', sa.Text(), nullable=False, comment='row key of its row in that log'),
        sa.Column(
            'partition_key', sa.Text(), nullable=False, comment='partition of the audience that listed it first'
        ),
        sa.Column('batch', sa.Integer(), nullable=False, comment='number of the file that lists it, from 1'),
        sa.Column('variant', sa.Text(), nullable=False, comment='what it is to be sent'),
        sa.Column('phase', sa.Text(), nullable=False, comment='pilot, wave and its number, or rest'),
        sa.Column(
            'window_key',
            sa.Text(),
            nullable=True,
            comment='window of the experiment whose shares stood; missing before its first',
        ),
        sa.Column('plan_sha256', sa.Text(), nullable=False, comment='plan that the shares are of'),
        sa.Column('plan_version', sa.Integer(), nullable=False, comment='its number, from 1'),
        sa.Column('chosen_at_utc', sa.DateTime(timezone=True), nullable=False, comment='when it was chosen'),
        sa.PrimaryKeyConstraint('problem', 'experiment', 'unit', name='pk_send_list'),
        schema='core',
        comment='Every unit that was ever listed to be sent something, once for each experiment.',
    )
    op.create_table(
        'send_batch',
        sa.Column('problem', sa.Text(), nullable=False, comment=PROBLEM),
        sa.Column('experiment', sa.Text(), nullable=False, comment=EXPERIMENT),
        sa.Column('batch', sa.Integer(), autoincrement=False, nullable=False, comment='number of the file, from 1'),
        sa.Column('log', sa.Text(), nullable=False, comment='log of the audience'),
        sa.Column('partition_key', sa.Text(), nullable=False, comment='its partition'),
        sa.Column('n_units', sa.Integer(), nullable=False, comment='units that were chosen for the file'),
        sa.Column('file', sa.Text(), nullable=False, comment='name of the file below the outbox'),
        sa.Column('chosen_at_utc', sa.DateTime(timezone=True), nullable=False, comment='when its units were chosen'),
        sa.Column(
            'written_at_utc',
            sa.DateTime(timezone=True),
            nullable=True,
            comment='when the file was there; missing before, and it is never written again',
        ),
        sa.PrimaryKeyConstraint('problem', 'experiment', 'batch', name='pk_send_batch'),
        schema='core',
        comment='Every file of the outbox: units are chosen and remembered first, then the file is written.',
    )
    op.create_table(
        'send_count',
        sa.Column('problem', sa.Text(), nullable=False, comment=PROBLEM),
        sa.Column('experiment', sa.Text(), nullable=False, comment=EXPERIMENT),
        sa.Column('log', sa.Text(), nullable=False, comment='log of the audience'),
        sa.Column('partition_key', sa.Text(), nullable=False, comment='its partition'),
        sa.Column(
            'reason',
            sa.Text(),
            nullable=False,
            comment='listed, already_listed (by another partition), held back or left out, each by its cause',
        ),
        sa.Column('n_rows', sa.Integer(), nullable=False, comment='rows of the audience'),
        sa.Column(
            'counted_at_utc', sa.DateTime(timezone=True), nullable=False, comment='when it was looked at last'
        ),
        sa.PrimaryKeyConstraint(
            'problem', 'experiment', 'log', 'partition_key', 'reason', name='pk_send_count'
        ),
        schema='core',
        comment='What became of the rows of each partition of an audience; the reasons of one sum to its rows.',
    )
    op.add_column(
        'allocation',
        sa.Column(
            'paused_since_utc',
            sa.DateTime(timezone=True),
            nullable=True,
            comment='since when the file pauses it; missing elsewhere',
        ),
        schema='core',
    )
    op.alter_column('allocation', 'phase', comment=PHASES, schema='core')


def downgrade() -> None:
    op.alter_column('allocation', 'phase', comment=OLD_PHASES, schema='core')
    op.drop_column('allocation', 'paused_since_utc', schema='core')
    for name in ('send_count', 'send_batch', 'send_list'):
        op.drop_table(name, schema='core')
