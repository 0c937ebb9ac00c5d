"""The plan of a decision, and sums over clusters.

Revision ID: 0029
Revises: 0028
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = '0029'
down_revision = '0028'
branch_labels = None
depends_on = None


COUNTS = {
    'n_clusters': 'what was drawn together; missing without clusters, as all that follows',
    'n_mature_clusters': 'of these, clusters with mature units: m of each, y rewarded',
}
NUMBERS = {
    'sum_mature_squares': 'sum of m times m over clusters',
    'sum_mature_rewarded': 'sum of m times y',
    'sum_rewarded_squares': 'sum of y times y',
    'design_effect': 'variance of the rate over that of units drawn one by one, from 1 on',
}


def upgrade() -> None:
    for name, comment in COUNTS.items():
        op.add_column('variant_sum', sa.Column(name, sa.Integer(), nullable=True, comment=comment), schema='core')
    for name, comment in NUMBERS.items():
        op.add_column('variant_sum', sa.Column(name, sa.Float(), nullable=True, comment=comment), schema='core')
    op.create_table('experiment_plan',
    sa.Column('problem', sa.Text(), nullable=False, comment='name of the problem file'),
    sa.Column('experiment', sa.Text(), nullable=False, comment='name of the experiment; `experiment` where the file has a single one'),
    sa.Column('version', sa.Integer(), autoincrement=False, nullable=False, comment='from 1 on, in the order in which they were first used'),
    sa.Column('sha256', sa.Text(), nullable=False, comment='of the plan: 64 hexadecimal digits'),
    sa.Column('plan', postgresql.JSONB(astext_type=sa.Text()), nullable=False, comment='what the file said of the experiment, with every default'),
    sa.Column('written_at_utc', sa.DateTime(timezone=True), nullable=False, comment='when a window was first done with it'),
    sa.PrimaryKeyConstraint('problem', 'experiment', 'version', name=op.f('pk_experiment_plan')),
    schema='core',
    comment="Every version of an experiment's plan; a decision keeps the one that it was made with.",
    )
    op.add_column('experiment_decision', sa.Column('plan_sha256', sa.Text(), nullable=True, comment='plan that it was made with; missing where older versions decided'), schema='core')


def downgrade() -> None:
    for name in (*COUNTS, *NUMBERS):
        op.drop_column('variant_sum', name, schema='core')
    op.drop_column('experiment_decision', 'plan_sha256', schema='core')
    op.drop_table('experiment_plan', schema='core')
