"""Experiments that are over.

Revision ID: 0043
Revises: 0042
"""

from alembic import op

revision = '0043'
down_revision = '0042'
branch_labels = None
depends_on = None

NEW = 'hold or ended (nothing is sent), pilot, wave and its number, or rest'
OLD = 'hold (nothing is sent), pilot, wave and its number, or rest'


def upgrade() -> None:
    op.alter_column('allocation', 'phase', comment=NEW, schema='core')


def downgrade() -> None:
    op.alter_column('allocation', 'phase', comment=OLD, schema='core')
