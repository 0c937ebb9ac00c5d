"""Which partitions are ingested together.

Revision ID: 0022
Revises: 0021
"""

import sqlalchemy as sa
from alembic import op

revision = '0022'
down_revision = '0021'
branch_labels = None
depends_on = None


def upgrade() -> None:
    comment = 'partition whose ingest run takes this one along; none: it has a run of its own'
    op.add_column('coverage', sa.Column('group_key', sa.Text(), nullable=True, comment=comment), schema='core')


def downgrade() -> None:
    op.drop_column('coverage', 'group_key', schema='core')
