"""Who else is asked where people differ.

Revision ID: 0035
Revises: 0034
"""

import sqlalchemy as sa
from alembic import op

revision = '0035'
down_revision = '0034'
branch_labels = None
depends_on = None

NEW = 'people who should answer it: 1, or more where agreement is measured'
OLD = 'people who should answer it: 1, or 2 where agreement is measured'
COMMENT = 'people who should answer it where the first ones differ; missing: no more'


def upgrade() -> None:
    op.add_column('review_item', sa.Column('n_answers_most', sa.Integer(), autoincrement=False, nullable=True, comment=COMMENT), schema='core')
    op.alter_column('review_item', 'n_answers_wanted', comment=NEW, schema='core')


def downgrade() -> None:
    op.alter_column('review_item', 'n_answers_wanted', comment=OLD, schema='core')
    op.drop_column('review_item', 'n_answers_most', schema='core')
