"""How far off a model is beyond chance, and what a reference had never seen.

Revision ID: 0014
Revises: 0013
"""

import sqlalchemy as sa
from alembic import op

revision = '0014'
down_revision = '0013'
branch_labels = None
depends_on = None

SUMMARY = {
    'ece_equal_count_ratio': 'expected calibration error over 10 bins of equal count, 0..1',
    'ece_equal_count_chance_ratio': 'that error which a faultless model exceeds once in a thousand partitions',
    'error_ratio': 'root of the mean squared calibration error over bins of equal count, chance taken off, 0..1',
    'error_high_ratio': 'the true one is below it with 95 % confidence',
    'relative_error_ratio': 'error_ratio for each share of 1 that is positive; missing where none is',
    'calibration_slope': 'of the log-odds of what happens on those predicted; 1 is faultless, below 1 too sure',
    'calibration_intercept': 'of the same line; 0 is faultless, below 0 predicts too much',
}
DRIFT = {
    'unseen_ratio': 'share of values outside the range of the reference, or that it never had, 0..1',
    'unseen_chance_ratio': 'share that sampling alone exceeds once in a thousand comparisons of this size',
    'psi_rest_ratio': 'stability index of the values without a bin of their own, among themselves',
    'psi_rest_chance_ratio': 'index of them that sampling alone exceeds once in a thousand comparisons of this size',
}
METRIC = ('metric', 'ece_ratio or psi_ratio', 'error_ratio, relative_error_ratio, psi_ratio, psi_rest_ratio or unseen_ratio')


def upgrade() -> None:
    for table, columns in (('calibration_summary', SUMMARY), ('feature_drift', DRIFT)):
        for name, comment in columns.items():
            op.add_column(table, sa.Column(name, sa.Float(), nullable=True, comment=comment), schema='core')
    op.alter_column('alert', METRIC[0], comment=METRIC[2], existing_comment=METRIC[1], schema='core')


def downgrade() -> None:
    op.alter_column('alert', METRIC[0], comment=METRIC[1], existing_comment=METRIC[2], schema='core')
    for table, columns in (('calibration_summary', SUMMARY), ('feature_drift', DRIFT)):
        for name in columns:
            op.drop_column(table, name, schema='core')
