"""Answers that the same person has replaced within a round.

Revision ID: 0041
Revises: 0040
"""

import sqlalchemy as sa
from alembic import op

revision = '0041'
down_revision = '0040'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('replaced_label',
    sa.Column('problem', sa.Text(), nullable=False, comment='name of the problem file'),
    sa.Column('batch_id', sa.Text(), nullable=False, comment='batch it was an answer of'),
    sa.Column('item_id', sa.Text(), nullable=False, comment='row key of the item in the lake'),
    sa.Column('labelled_by', sa.Text(), nullable=False, comment='who'),
    sa.Column('replaced_at_utc', sa.DateTime(timezone=True), nullable=False, comment='when the other answer of the same person and batch came in'),
    sa.Column('label', sa.Text(), nullable=False, comment="one of the problem's classes"),
    sa.Column('arm', sa.Text(), nullable=False, comment='what chose the item'),
    sa.Column('note', sa.Text(), nullable=True, comment='what the person wrote beside it'),
    sa.Column('labelled_at_utc', sa.DateTime(timezone=True), nullable=False, comment='when it was said'),
    sa.PrimaryKeyConstraint('problem', 'batch_id', 'item_id', 'labelled_by', 'replaced_at_utc', name=op.f('pk_replaced_label')),
    schema='core',
    comment="One row per answer in whose place the same person's newer one stands in its batch; it counts nowhere.",
    )


def downgrade() -> None:
    op.drop_table('replaced_label', schema='core')
