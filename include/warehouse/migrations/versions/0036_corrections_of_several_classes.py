"""Corrections of several classes and several labels.

Revision ID: 0036
Revises: 0035
"""

import sqlalchemy as sa
from alembic import op

revision = '0036'
down_revision = '0035'
branch_labels = None
depends_on = None

LABEL = "one of the problem's classes"
POSITIVE = 'whether that is the positive class'
LOG = 'what the log said then'


def upgrade() -> None:
    op.add_column('label_correction', sa.Column('log_label', sa.Text(), nullable=True,
        comment='what the log said then, of several; missing where it said nothing yet'), schema='core')
    op.alter_column('label_correction', 'label', existing_type=sa.Text(), existing_nullable=False, schema='core',
        existing_comment=LABEL, comment=f'{LABEL}; of several labels a JSON list of them')
    op.alter_column('label_correction', 'is_positive', existing_type=sa.Boolean(), nullable=True, schema='core',
        existing_comment=POSITIVE, comment=f'{POSITIVE}; missing where none is looked for alone')
    op.alter_column('label_correction', 'log_is_positive', existing_type=sa.Boolean(), existing_nullable=True,
        schema='core', existing_comment=f'{LOG}; missing where it said nothing yet',
        comment=f'{LOG}, of two sides; missing where it said nothing yet')


def downgrade() -> None:
    op.execute('DELETE FROM core.label_correction WHERE is_positive IS NULL')
    op.alter_column('label_correction', 'log_is_positive', existing_type=sa.Boolean(), existing_nullable=True,
        schema='core', comment=f'{LOG}; missing where it said nothing yet')
    op.alter_column('label_correction', 'is_positive', existing_type=sa.Boolean(), nullable=False, schema='core',
        comment=POSITIVE)
    op.alter_column('label_correction', 'label', existing_type=sa.Text(), existing_nullable=False, schema='core',
        comment=LABEL)
    op.drop_column('label_correction', 'log_label', schema='core')
