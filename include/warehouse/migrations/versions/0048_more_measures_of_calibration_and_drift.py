"""More measures of calibration and drift.

Revision ID: 0048
Revises: 0047
"""

import sqlalchemy as sa
from alembic import op

revision = '0048'
down_revision = '0047'
branch_labels = None
depends_on = None

OF_CALIBRATION = (
    ('smooth_ece_ratio', 'calibration error smoothed by a kernel as wide as itself, 0.001..1'),
    ('ece_debiased_ratio', 'ece_equal_count_ratio less what chance adds to it, 0..1'),
    ('mce_ratio', 'gap of the worst of 10 bins of equal count, 0..1; chance is not taken off'),
    ('spiegelhalter_z', 'standard deviations of the Brier score above what is promised'),
    ('spiegelhalter_p_value', 'chance that a faultless model is as far from what it promises, 0..1'),
)
OF_DRIFT = (
    ('hellinger_ratio', "Hellinger distance over the reference's bins, 0 is no change, 1 nothing in common"),
    ('linf_ratio', 'change of share of the bin that moved most, 0..1'),
    ('ks_ratio', 'largest gap of the cumulated shares where bins end, 0..1; missing of a category'),
    ('ks_high_ratio', 'largest gap that there may be anywhere, 0..1; missing of a category'),
    ('wasserstein', "how far a row moved on average, in the column's unit; missing of a category"),
    ('wasserstein_error', "the true one is at most so far away, in the column's unit; missing of a category"),
    ('cramers_v_ratio', 'effect size of the chi-square test over the bins, 0..1'),
    ('chi_square_p_value', 'chance of bins so far apart where nothing has moved, 0..1'),
    ('chi_square_q_value', 'the same, corrected for the columns of the partition (Benjamini, Hochberg), 0..1'),
)
ADDED = {'calibration_summary': OF_CALIBRATION, 'class_calibration': OF_CALIBRATION, 'feature_drift': OF_DRIFT}


def upgrade() -> None:
    for table, columns in ADDED.items():
        for name, comment in columns:
            op.add_column(table, sa.Column(name, sa.Double(), nullable=True, comment=comment), schema='core')


def downgrade() -> None:
    for table, columns in ADDED.items():
        for name, _ in reversed(columns):
            op.drop_column(table, name, schema='core')
