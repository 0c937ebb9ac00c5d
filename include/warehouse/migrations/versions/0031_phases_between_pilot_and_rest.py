"""Phases between pilot and rest, and a band that holds at every look.

Revision ID: 0031
Revises: 0030
"""

import sqlalchemy as sa
from alembic import op

revision = '0031'
down_revision = '0030'
branch_labels = None
depends_on = None

COMMENTS = {
    'allocation': ('hold (nothing is sent), pilot, wave and its number, or rest', 'hold (nothing is sent), pilot or rest'),
    'variant_sum': ('pilot, wave, rest or holdback', 'pilot, rest or holdback'),
}


BANDS = {'low_any_look': 'lower end of the band that holds at every look together', 'high_any_look': 'its upper end'}


def upgrade() -> None:
    for name, comment in BANDS.items():
        op.add_column('experiment_variant', sa.Column(name, sa.Float(), nullable=True, comment=comment), schema='core')
    for table, (new, _) in COMMENTS.items():
        op.alter_column(table, 'phase', comment=new, schema='core')


def downgrade() -> None:
    for name in BANDS:
        op.drop_column('experiment_variant', name, schema='core')
    for table, (_, old) in COMMENTS.items():
        op.alter_column(table, 'phase', comment=old, schema='core')
