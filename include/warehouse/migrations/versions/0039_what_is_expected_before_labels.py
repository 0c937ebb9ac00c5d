"""What is expected before labels come.

Revision ID: 0039
Revises: 0038
"""

import sqlalchemy as sa
from alembic import op

revision = '0039'
down_revision = '0038'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('performance_estimate',
    sa.Column('problem', sa.Text(), nullable=False, comment='name of the problem file'),
    sa.Column('partition_key', sa.Text(), nullable=False, comment="the data's own hour, day or month"),
    sa.Column('model_version', sa.Text(), nullable=False, comment='model that scored the partition'),
    sa.Column('metric', sa.Text(), nullable=False, comment="positive_ratio, brier_score, log_loss_nats, or profit (a row, in the problem's unit)"),
    sa.Column('label_arm', sa.Text(), nullable=False, comment='log: recorded outcomes; random: answers about items that chance chose'),
    sa.Column('n_rows', sa.Integer(), nullable=False, comment='scored rows whose prediction is kept'),
    sa.Column('estimate', sa.Double(), nullable=True, comment='what the metric is expected to be over all of them, said without a label'),
    sa.Column('standard_error', sa.Double(), nullable=True, comment="of chance in their labels alone, in the metric's unit"),
    sa.Column('n_labelled', sa.Integer(), nullable=False, comment='scored rows with a known label'),
    sa.Column('labelled_estimate', sa.Double(), nullable=True, comment='what was to be expected of the labelled rows, without their labels'),
    sa.Column('labelled_standard_error', sa.Double(), nullable=True, comment="of chance in those labels alone, in the metric's unit"),
    sa.Column('actual', sa.Double(), nullable=True, comment='what the metric was over the labelled rows'),
    sa.PrimaryKeyConstraint('problem', 'partition_key', 'model_version', 'metric', name=op.f('pk_performance_estimate')),
    schema='core',
    comment="What each model's probabilities promise of a partition, and what labels said afterwards.",
    )


def downgrade() -> None:
    op.drop_table('performance_estimate', schema='core')
