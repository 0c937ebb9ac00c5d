"""What the gate judges by has a hash, too.

Revision ID: 0012
Revises: 0011
"""

import sqlalchemy as sa
from alembic import op

revision = '0012'
down_revision = '0011'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column('model_version', sa.Column('heldout_sha256', sa.Text(), nullable=True, comment='hash of the stored answers about held-out rows; missing where it was not kept yet'), schema='core')


def downgrade() -> None:
    op.drop_column('model_version', 'heldout_sha256', schema='core')
