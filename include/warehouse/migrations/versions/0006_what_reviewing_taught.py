"""What reviewing taught about people and about choosing.

Revision ID: 0006
Revises: 0005
"""

import sqlalchemy as sa
from alembic import op

revision = '0006'
down_revision = '0005'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('agreement',
    sa.Column('problem', sa.Text(), nullable=False, comment='name of the problem file'),
    sa.Column('scope', sa.Text(), nullable=False, comment='all, class (against the rest) or reviewer'),
    sa.Column('subject', sa.Text(), nullable=False, comment='the class or the person; empty for all'),
    sa.Column('statistic', sa.Text(), nullable=False, comment='krippendorff_alpha, fleiss_kappa, cohen_kappa, or gold_ratio: known answers given'),
    sa.Column('n_items', sa.Integer(), autoincrement=False, nullable=False, comment='items that two people answered, or gold questions'),
    sa.Column('value', sa.Float(), nullable=True, comment='1 is full agreement, 0 what chance gives (gold: 0..1); missing if all say the same'),
    sa.Column('low', sa.Float(), nullable=True, comment='lower end of the 95 % interval'),
    sa.Column('high', sa.Float(), nullable=True, comment='upper end of the 95 % interval'),
    sa.Column('measured_at_utc', sa.DateTime(timezone=True), nullable=False, comment='when'),
    sa.PrimaryKeyConstraint('problem', 'scope', 'subject', 'statistic', name=op.f('pk_agreement')),
    schema='core',
    comment='One row per problem, scope, subject and statistic, over all rounds; recorded truth counts as nobody.'
    )
    op.create_table('review_estimate',
    sa.Column('problem', sa.Text(), nullable=False, comment='name of the problem file'),
    sa.Column('batch_id', sa.Text(), nullable=False, comment='round whose labels are the newest that were used'),
    sa.Column('quantity', sa.Text(), nullable=False, comment='positive_ratio of everything published, or labels_needed_by_random'),
    sa.Column('n_labels', sa.Integer(), autoincrement=False, nullable=False, comment='labels used, of all arms'),
    sa.Column('value', sa.Float(), nullable=True, comment='0..1, or labels; missing if more than chance was ever given'),
    sa.Column('low', sa.Float(), nullable=True, comment='lower end of the 95 % interval, missing likewise'),
    sa.Column('high', sa.Float(), nullable=True, comment='upper end of the 95 % interval, missing likewise'),
    sa.Column('measured_at_utc', sa.DateTime(timezone=True), nullable=False, comment='when'),
    sa.PrimaryKeyConstraint('problem', 'batch_id', 'quantity', name=op.f('pk_review_estimate')),
    schema='core',
    comment='One row per round and quantity: what its labels say about everything, and what choosing them saved.'
    )


def downgrade() -> None:
    op.drop_table('review_estimate', schema='core')
    op.drop_table('agreement', schema='core')
