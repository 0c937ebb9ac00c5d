"""The calibration curve.

Revision ID: 0047
Revises: 0046
"""

import sqlalchemy as sa
from alembic import op

revision = '0047'
down_revision = '0046'
branch_labels = None
depends_on = None

PARTS = (
    ('miscalibration_brier', 'Brier score that recalibrating would take off (CORP), 0 is none'),
    ('discrimination_brier', 'Brier score that the recalibrated probabilities are better by than the base rate alone'),
    ('uncertainty_brier', 'Brier score of the base rate; miscalibration less discrimination plus uncertainty is brier_score'),
    ('miscalibration_nats', 'log loss that recalibrating would take off (CORP), in nats'),
    ('discrimination_nats', 'log loss that the recalibrated probabilities are better by than the base rate alone, in nats'),
    ('uncertainty_nats', 'log loss of the base rate; miscalibration less discrimination plus uncertainty is log_loss_nats'),
)
TABLES = ('calibration_summary', 'class_calibration')


def upgrade() -> None:
    op.create_table('calibration_curve',
    sa.Column('problem', sa.Text(), nullable=False, comment='name of the problem file'),
    sa.Column('partition_key', sa.Text(), nullable=False, comment="the data's own hour, day or month"),
    sa.Column('model_version', sa.Text(), nullable=False, comment='model that scored the partition'),
    sa.Column('point_index', sa.Integer(), nullable=False, comment='point of the curve, from 0, the lowest prediction first'),
    sa.Column('predicted_ratio', sa.Double(), nullable=False, comment='predicted probability at the point, 0..1'),
    sa.Column('recalibrated_ratio', sa.Double(), nullable=False, comment='share that happens there, by the rising curve that fits best (CORP), 0..1'),
    sa.Column('band_low', sa.Double(), nullable=False, comment='lower end of where 90 of 100 curves of a faultless model lie at this point, 0..1'),
    sa.Column('band_high', sa.Double(), nullable=False, comment='upper end of where 90 of 100 curves of a faultless model lie at this point, 0..1'),
    sa.Column('n_rows', sa.Integer(), nullable=False, comment='labelled rows predicted at the point, or between it and the one before'),
    sa.Column('n_positive', sa.Integer(), nullable=False, comment='those of them that are positive'),
    sa.PrimaryKeyConstraint('problem', 'partition_key', 'model_version', 'point_index', name=op.f('pk_calibration_curve')),
    schema='core',
    comment='The calibration curve of each monitored partition and model, with its consistency band.',
    )
    for table in TABLES:
        for name, comment in PARTS:
            op.add_column(table, sa.Column(name, sa.Double(), nullable=True, comment=comment), schema='core')


def downgrade() -> None:
    for table in TABLES:
        for name, _ in reversed(PARTS):
            op.drop_column(table, name, schema='core')
    op.drop_table('calibration_curve', schema='core')
