"""What other policies would have earned.

Revision ID: 0025
Revises: 0024
"""

import sqlalchemy as sa
from alembic import op

revision = '0025'
down_revision = '0024'
branch_labels = None
depends_on = None

TEXTS = {
    'problem': 'name of the problem file',
    'experiment': 'name of the experiment; `experiment` where the file has a single one',
    'policy': 'what is evaluated: a variant sent to everybody, uniform (all alike) or as_logged',
    'estimator': 'ips, snips, dm, dr or switch_dr',
    'partition_key': "the data's own hour, day or month",
}
VALUES = {
    'value': 'reward rate under the policy; missing where the log never did what it does',
    'low': 'lower end of the 95 % interval',
    'high': 'upper end of the 95 % interval',
}
COUNTS = {
    'n_units': 'mature units with a propensity',
    'n_left_out': 'mature units without a propensity above 0 and at most 1; counted, never used',
}
WEIGHTS = {
    'n_effective_units': 'units that would know as much if drawn by the policy, 0..n_units',
    'largest_weight': 'how much more often than the log the policy sends what a unit got, at most',
    'mean_weight': 'of all units; near 1 where the propensities are true',
    'low_mean_weight': 'lower end of its 95 % interval',
    'high_mean_weight': 'upper end; where both lie on one side of 1, the propensities are not true',
}


def upgrade() -> None:
    op.create_table(
        'off_policy_estimate',
        *(sa.Column(name, sa.Text(), nullable=False, comment=comment) for name, comment in TEXTS.items()),
        *(sa.Column(name, sa.Float(), nullable=True, comment=comment) for name, comment in VALUES.items()),
        *(sa.Column(name, sa.Integer(), nullable=False, comment=comment) for name, comment in COUNTS.items()),
        *(sa.Column(name, sa.Float(), nullable=False, comment=comment) for name, comment in WEIGHTS.items()),
        sa.PrimaryKeyConstraint('problem', 'experiment', 'policy', 'estimator', name='pk_off_policy_estimate'),
        schema='core',
        comment='What other policies would have earned, from the units up to the newest window.',
    )


def downgrade() -> None:
    op.drop_table('off_policy_estimate', schema='core')
