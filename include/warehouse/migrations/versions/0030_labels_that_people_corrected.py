"""What people corrected of the labels of a log.

Revision ID: 0030
Revises: 0029
"""

import sqlalchemy as sa
from alembic import op

revision = '0030'
down_revision = '0029'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('label_correction',
    sa.Column('problem', sa.Text(), nullable=False, comment='name of the problem file'),
    sa.Column('item_id', sa.Text(), nullable=False, comment='row key of the corrected row in the lake'),
    sa.Column('labelled_by', sa.Text(), nullable=False, comment='who corrected it'),
    sa.Column('label', sa.Text(), nullable=False, comment="one of the problem's classes"),
    sa.Column('is_positive', sa.Boolean(), nullable=False, comment='whether that is the positive class'),
    sa.Column('note', sa.Text(), nullable=True, comment='what the person wrote beside it'),
    sa.Column('object_key', sa.Text(), nullable=False, comment='path of the file below the landing URL'),
    sa.Column('partition_key', sa.Text(), nullable=False, comment="the data's own hour, day or month"),
    sa.Column('log_is_positive', sa.Boolean(), nullable=True, comment='what the log said then; missing where it said nothing yet'),
    sa.Column('corrected_at_utc', sa.DateTime(timezone=True), nullable=False, comment='when the file was read'),
    sa.PrimaryKeyConstraint('problem', 'item_id', 'labelled_by', name=op.f('pk_label_correction')),
    schema='core',
    comment='One row per corrected row of a log and person; the newest file of a person counts.'
    )


def downgrade() -> None:
    op.drop_table('label_correction', schema='core')
