"""What is wrong with a landed object as a whole, and which files were audited.

Revision ID: 0003
Revises: 0002
"""

import sqlalchemy as sa
from alembic import op

revision = '0003'
down_revision = '0002'
branch_labels = None
depends_on = None


def upgrade() -> None:
    flaw = sa.Column('flaw', sa.Text(), nullable=True, comment='what is wrong with the object as a whole: empty, cut short, not of the format')
    files = sa.Column('files', sa.Text(), nullable=True, comment='audited files: path in the lake to sha256, as JSON text')
    op.add_column('landing_object', flaw, schema='core')
    op.add_column('partition_audit', files, schema='core')


def downgrade() -> None:
    op.drop_column('partition_audit', 'files', schema='core')
    op.drop_column('landing_object', 'flaw', schema='core')
