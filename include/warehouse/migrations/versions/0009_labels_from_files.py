"""Labels from files, and alerts about overdue batches.

Revision ID: 0009
Revises: 0008
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = '0009'
down_revision = '0008'
branch_labels = None
depends_on = None

ALERT_COMMENTS = {
    'alert_id': ('cause: calibration, or drift of one feature', 'cause: calibration, drift of one feature, or review_overdue'),
    'action': ('warn, escalate or retrain', 'warn, escalate or retrain; review for an overdue batch'),
}


def upgrade() -> None:
    op.create_table('label_file',
    sa.Column('problem', sa.Text(), nullable=False, comment='name of the problem file'),
    sa.Column('object_key', sa.Text(), nullable=False, comment='path of the file below the landing URL'),
    sa.Column('version', sa.Text(), nullable=False, comment="changes when the file does: the store's etag, or the time of change"),
    sa.Column('n_stored', sa.Integer(), autoincrement=False, nullable=False, comment='lines that became answers'),
    sa.Column('n_rejected', sa.Integer(), autoincrement=False, nullable=False, comment='lines that were not taken'),
    sa.Column('reasons', postgresql.JSONB(astext_type=sa.Text()), nullable=True, comment='why: a list of reason, n_lines and first_line, the most frequent first'),
    sa.Column('imported_at_utc', sa.DateTime(timezone=True), nullable=False, comment='when it was read'),
    sa.PrimaryKeyConstraint('problem', 'object_key', name=op.f('pk_label_file')),
    schema='core',
    comment='One row per file of labels from elsewhere; blank lines count as nothing.'
    )
    for column, (old, new) in ALERT_COMMENTS.items():
        op.alter_column('alert', column, comment=new, existing_comment=old, schema='core')


def downgrade() -> None:
    for column, (old, new) in ALERT_COMMENTS.items():
        op.alter_column('alert', column, comment=old, existing_comment=new, schema='core')
    op.execute("DELETE FROM core.alert WHERE action = 'review'")
    op.drop_table('label_file', schema='core')
