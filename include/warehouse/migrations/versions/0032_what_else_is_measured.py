"""What else is measured of an experiment's units.

Revision ID: 0032
Revises: 0031
"""

import sqlalchemy as sa
from alembic import op

revision = '0032'
down_revision = '0031'
branch_labels = None
depends_on = None

NEW = 'sample_ratio, exclusions, maturity, minimum_units, minimum_rewards or guardrail_<metric>'
OLD = 'sample_ratio, exclusions, maturity, minimum_units or minimum_rewards'


def upgrade() -> None:
    op.create_table('experiment_metric',
    sa.Column('problem', sa.Text(), nullable=False, comment='name of the problem file'),
    sa.Column('experiment', sa.Text(), nullable=False, comment='name of the experiment; `experiment` where the file has a single one'),
    sa.Column('partition_key', sa.Text(), nullable=False, comment="the data's own hour, day or month"),
    sa.Column('metric', sa.Text(), nullable=False, comment='name of the metric in the file'),
    sa.Column('role', sa.Text(), nullable=False, comment='primary, secondary or guardrail'),
    sa.Column('variant', sa.Text(), nullable=False, comment='what may be sent'),
    sa.Column('kind', sa.Text(), nullable=False, comment='binary, count, sum or ratio'),
    sa.Column('is_lower_better', sa.Boolean(), nullable=False, comment='whether less is better'),
    sa.Column('n_mature', sa.Integer(), autoincrement=False, nullable=False, comment='units of the pilot whose number is known, as of the end of this partition'),
    sa.Column('n_unread', sa.Integer(), autoincrement=False, nullable=False, comment='log rows whose number is missing or none; they count as 0'),
    sa.Column('n_drawn', sa.Integer(), autoincrement=False, nullable=False, comment='what was drawn and is known: units, or clusters of them'),
    sa.Column('sum_y', sa.Float(), nullable=False, comment="sum of what is measured over what was drawn, in the metric's unit"),
    sa.Column('sum_m', sa.Float(), nullable=False, comment="sum of what it is measured by: units, or the ratio's denominator"),
    sa.Column('sum_yy', sa.Float(), nullable=False, comment='sum of the squares of y'),
    sa.Column('sum_mm', sa.Float(), nullable=False, comment='sum of the squares of m'),
    sa.Column('sum_ym', sa.Float(), nullable=False, comment='sum of y times m'),
    sa.Column('mean', sa.Float(), nullable=True, comment="sum_y over sum_m, in the metric's unit"),
    sa.Column('mean_low', sa.Float(), nullable=True, comment='lower end of its 95 % interval'),
    sa.Column('mean_high', sa.Float(), nullable=True, comment='upper end of its 95 % interval'),
    sa.Column('lift', sa.Float(), nullable=True, comment='mean less that of the control; missing of the control'),
    sa.Column('low', sa.Float(), nullable=True, comment="lower end of the lift's band; a metric's bands together hold with claim.level"),
    sa.Column('high', sa.Float(), nullable=True, comment='upper end of the band'),
    sa.Column('low_any_look', sa.Float(), nullable=True, comment='lower end of the band that holds at every look together'),
    sa.Column('high_any_look', sa.Float(), nullable=True, comment='its upper end'),
    sa.Column('p_value', sa.Float(), nullable=True, comment='two-sided, times the number of comparisons, at most 1'),
    sa.Column('verdict', sa.Text(), nullable=False, comment='control, better, worse or unclear; better is what the file calls better'),
    sa.Column('margin', sa.Float(), nullable=True, comment="of a guardrail: how much worse it may be, in the metric's unit"),
    sa.PrimaryKeyConstraint('problem', 'experiment', 'partition_key', 'metric', 'role', 'variant', name=op.f('pk_experiment_metric')),
    schema='core',
    comment='Every metric of every variant of the pilot beside the control; once a window.',
    )
    op.alter_column('experiment_check', 'check_name', comment=NEW, schema='core')


def downgrade() -> None:
    op.drop_table('experiment_metric', schema='core')
    op.alter_column('experiment_check', 'check_name', comment=OLD, schema='core')
