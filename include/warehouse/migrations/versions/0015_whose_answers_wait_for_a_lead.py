"""Whose answers wait for a lead, who is asked again, and what a label file leaves open.

Revision ID: 0015
Revises: 0014
"""

import sqlalchemy as sa
from alembic import op

revision = '0015'
down_revision = '0014'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('label_flag',
    sa.Column('problem', sa.Text(), nullable=False, comment='name of the problem file'),
    sa.Column('batch_id', sa.Text(), nullable=False, comment='batch the answers were given in'),
    sa.Column('labelled_by', sa.Text(), nullable=False, comment='who gave them'),
    sa.Column('n_labels', sa.Integer(), autoincrement=False, nullable=False, comment='answers of that person in that batch'),
    sa.Column('reason', sa.Text(), nullable=False, comment='why nobody relies on them yet'),
    sa.Column('flagged_at_utc', sa.DateTime(timezone=True), nullable=False, comment='when'),
    sa.Column('status', sa.Text(), nullable=False, comment='waiting for a lead, accepted, or withdrawn: as if never given'),
    sa.Column('decided_by', sa.Text(), nullable=True, comment='the lead who decided; empty while it waits'),
    sa.Column('decided_at_utc', sa.DateTime(timezone=True), nullable=True, comment='when; missing while it waits'),
    sa.PrimaryKeyConstraint('problem', 'batch_id', 'labelled_by', name=op.f('pk_label_flag')),
    schema='core',
    comment='One row per person and batch whose answers look like nobody read the items.'
    )
    op.add_column('label_file', sa.Column('n_second_wanted', sa.Integer(), autoincrement=False, nullable=True, comment='items of the file that want one more person; missing for files read before that was counted'), schema='core')
    op.add_column('review_item', sa.Column('is_for_others', sa.Boolean(), nullable=False, server_default='false', comment='whether only people who have not answered it before are asked'), schema='core')
    op.alter_column('review_item', 'is_for_others', server_default=None, schema='core')


def downgrade() -> None:
    op.drop_column('review_item', 'is_for_others', schema='core')
    op.drop_column('label_file', 'n_second_wanted', schema='core')
    op.drop_table('label_flag', schema='core')
