"""Lifts without what was so before.

Revision ID: 0044
Revises: 0043
"""

import sqlalchemy as sa
from alembic import op

revision = '0044'
down_revision = '0043'
branch_labels = None
depends_on = None

COLUMNS = (
    ('adjustment', sa.Text(), 'adjusted, or why not: ratio, unvaried or few; missing without a covariate'),
    ('covariate_weight', sa.Float(), "in the metric's unit, what goes with 1 of the covariate before the exposure"),
    ('adjusted_lift', sa.Float(), 'lift without what was so before (CUPED); missing of the control'),
    ('adjusted_low', sa.Float(), 'lower end of its band, which holds with claim.level as the plain one does'),
    ('adjusted_high', sa.Float(), 'upper end of the band'),
)


def upgrade() -> None:
    for name, kind, comment in COLUMNS:
        op.add_column('experiment_metric', sa.Column(name, kind, nullable=True, comment=comment), schema='core')


def downgrade() -> None:
    for name, _, _ in reversed(COLUMNS):
        op.drop_column('experiment_metric', name, schema='core')
