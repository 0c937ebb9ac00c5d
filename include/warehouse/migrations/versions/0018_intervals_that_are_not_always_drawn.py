"""Intervals that are not always drawn.

Revision ID: 0018
Revises: 0017
"""

import sqlalchemy as sa
from alembic import op

revision = '0018'
down_revision = '0017'
branch_labels = None
depends_on = None

BEFORE, AFTER = '95 % bootstrap interval', '95 % interval'


def upgrade() -> None:
    _comment(BEFORE, AFTER)


def downgrade() -> None:
    _comment(AFTER, BEFORE)


def _comment(before: str, after: str) -> None:
    for table in ('fairness_metric', 'model_metric'):
        for column, end in (('low', 'lower'), ('high', 'upper')):
            op.alter_column(table, column,
                       existing_type=sa.Float(),
                       comment=f'{end} end of the {after}',
                       existing_comment=f'{end} end of the {before}',
                       existing_nullable=True,
                       schema='core')
