"""When an object arrived: the time of rows that have none of their own.

Revision ID: 0020
Revises: 0019
"""

import sqlalchemy as sa
from alembic import op

revision = '0020'
down_revision = '0019'
branch_labels = None
depends_on = None

COMMENT = 'when its bytes were last written, as its store says'


def upgrade() -> None:
    column = sa.Column('arrived_at_utc', sa.DateTime(timezone=True), nullable=True, comment=COMMENT)
    op.add_column('landing_object', column, schema='core')


def downgrade() -> None:
    op.drop_column('landing_object', 'arrived_at_utc', schema='core')
