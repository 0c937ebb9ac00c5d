"""Which windows are to be done again, of each experiment by itself.

Revision ID: 0033
Revises: 0032
"""

import sqlalchemy as sa
from alembic import op

revision = '0033'
down_revision = '0032'
branch_labels = None
depends_on = None


def upgrade() -> None:
    comment = 'whether the window is to be done again; missing is no'
    column = sa.Column('is_stale', sa.Boolean(), nullable=True, comment=comment)
    op.add_column('experiment_decision', column, schema='core')
    # What a run of the version before left undone was only known from the marks of the stage.
    op.execute("""
        UPDATE core.experiment_decision AS d SET is_stale = true
        WHERE NOT EXISTS (
            SELECT 1 FROM core.coverage AS c
            WHERE c.problem = d.problem AND c.stage = 'experiment' AND c.partition_key = d.partition_key
            AND c.status = 'done'
        )
    """)


def downgrade() -> None:
    op.drop_column('experiment_decision', 'is_stale', schema='core')
