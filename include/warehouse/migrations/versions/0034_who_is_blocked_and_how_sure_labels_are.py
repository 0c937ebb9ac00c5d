"""Who is blocked, and how sure labels are.

Revision ID: 0034
Revises: 0033
"""

import sqlalchemy as sa
from alembic import op

revision = '0034'
down_revision = '0033'
branch_labels = None
depends_on = None

NEW = 'krippendorff_alpha, fleiss_kappa, cohen_kappa, gold_ratio (of known answers), or right_ratio (of all)'
OLD = 'krippendorff_alpha, fleiss_kappa, cohen_kappa, or gold_ratio: known answers given'


def upgrade() -> None:
    op.alter_column('agreement', 'statistic', comment=NEW, schema='core')
    op.create_table('person_block',
    sa.Column('problem', sa.Text(), nullable=False, comment='name of the problem file'),
    sa.Column('labelled_by', sa.Text(), nullable=False, comment='whose answers count as never given'),
    sa.Column('n_labels', sa.Integer(), autoincrement=False, nullable=False, comment='answers they had given when they were blocked'),
    sa.Column('reason', sa.Text(), nullable=False, comment="why, in the lead's words"),
    sa.Column('blocked_by', sa.Text(), nullable=False, comment='the lead'),
    sa.Column('blocked_at_utc', sa.DateTime(timezone=True), nullable=False, comment='when'),
    sa.Column('lifted_by', sa.Text(), nullable=True, comment='the lead who took it back; empty while it stands'),
    sa.Column('lifted_at_utc', sa.DateTime(timezone=True), nullable=True, comment='when; missing while it stands'),
    sa.PrimaryKeyConstraint('problem', 'labelled_by', name=op.f('pk_person_block')),
    schema='core',
    comment='One row per person whom a lead has blocked; core.review_audit has earlier blocks of the same person.'
    )
    op.create_table('settled_label',
    sa.Column('problem', sa.Text(), nullable=False, comment='name of the problem file'),
    sa.Column('item_id', sa.Text(), nullable=False, comment='row key of the item in the lake'),
    sa.Column('label', sa.Text(), nullable=True, comment='what it is settled as; missing where nobody can say yet'),
    sa.Column('confidence_ratio', sa.Float(), nullable=False, comment="probability of that label, or of the likeliest, by everybody's answers, 0..1"),
    sa.Column('n_people', sa.Integer(), autoincrement=False, nullable=False, comment='people whose answers it rests on'),
    sa.Column('gain_ratio', sa.Float(), nullable=False, comment='how much surer one more typical answer is expected to make it, 0..1'),
    sa.Column('measured_at_utc', sa.DateTime(timezone=True), nullable=False, comment='when'),
    sa.PrimaryKeyConstraint('problem', 'item_id', name=op.f('pk_settled_label')),
    schema='core',
    comment='One row per item that two people or more have answered, as people are known now.'
    )


def downgrade() -> None:
    op.drop_table('settled_label', schema='core')
    op.drop_table('person_block', schema='core')
    op.alter_column('agreement', 'statistic', comment=OLD, schema='core')
