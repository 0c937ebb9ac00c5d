"""Labels from another log.

Revision ID: 0023
Revises: 0022
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = '0023'
down_revision = '0022'
branch_labels = None
depends_on = None

COUNTS = {
    'n_labels': 'rows of this partition of the label log',
    'n_matched': 'of these, within the period after the event of a row they name',
    'n_late': 'of these, later than the period after every event they name; they label nothing',
    'n_before': 'of these, before every event they name; they label nothing',
    'n_unmatched': 'of these, with a key that no row has',
    'n_without_key': 'of these, without a key',
    'n_repeated': 'of those matched, about a row that has another label, too',
}


def upgrade() -> None:
    op.create_table('model_log',
    sa.Column('problem', sa.Text(), nullable=False, comment='name of the problem file'),
    sa.Column('model_version', sa.Text(), nullable=False, comment='version that has read it'),
    sa.Column('log', sa.Text(), nullable=False, comment='name of the other log in sources'),
    sa.Column('snapshot_id', sa.Text(), nullable=True, comment="Iceberg snapshot of the log's rows; missing where it had none"),
    sa.Column('known_until_utc', sa.DateTime(timezone=True), nullable=True, comment='event time up to which the log was known; missing where it was not at all'),
    sa.Column('holes', postgresql.JSONB(astext_type=sa.Text()), nullable=True, comment='start and end of each partition before that which was refused, as ISO 8601 in UTC'),
    sa.PrimaryKeyConstraint('problem', 'model_version', 'log', name=op.f('pk_model_log')),
    schema='core',
    comment='One row per fitted model and other log that its rows were joined with.',
    )
    op.create_table('label_match',
    sa.Column('problem', sa.Text(), nullable=False, comment='name of the label log: of the problem file and the log, with a point between'),
    sa.Column('partition_key', sa.Text(), nullable=False, comment="the data's own hour, day or month"),
    *(sa.Column(name, sa.Integer(), autoincrement=False, nullable=False, comment=comment) for name, comment in COUNTS.items()),
    sa.Column('matched_at_utc', sa.DateTime(timezone=True), nullable=False, comment='when it was counted'),
    sa.PrimaryKeyConstraint('problem', 'partition_key', name=op.f('pk_label_match')),
    schema='core',
    comment='One row per partition of a log that gives labels.',
    )


def downgrade() -> None:
    op.drop_table('label_match', schema='core')
    op.drop_table('model_log', schema='core')
