"""Which format was read.

Revision ID: 0019
Revises: 0018
"""

import sqlalchemy as sa
from alembic import op

revision = '0019'
down_revision = '0018'
branch_labels = None
depends_on = None

COMMENT = 'format its records were read in, recognised by its content where the file says auto'


def upgrade() -> None:
    op.add_column('landing_object', sa.Column('read_as', sa.Text(), nullable=True, comment=COMMENT), schema='core')


def downgrade() -> None:
    op.drop_column('landing_object', 'read_as', schema='core')
