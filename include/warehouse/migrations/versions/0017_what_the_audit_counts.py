"""What the audit of the desk counts: refusals, and requests that changed nothing, share a row for each minute.

Revision ID: 0017
Revises: 0016
"""

from alembic import op

revision = '0017'
down_revision = '0016'
branch_labels = None
depends_on = None

TABLE = (
    'One row per write that somebody tried at the desk; rows are never changed.',
    'One row per write that somebody tried; what is refused, or changes nothing, is counted by the minute.',
)
COLUMNS = {
    'action': (
        'take, answer, skip, escalate, undo, open, leave or finish',
        'take, answer, skip, escalate, undo, open, leave, finish, accept or withdraw',
    ),
    'after': (
        'what stands there now',
        'what stands there now; n_times where the row stands for all its like of one minute',
    ),
}


def upgrade() -> None:
    for name, (old, new) in COLUMNS.items():
        op.alter_column('review_audit', name, comment=new, existing_comment=old, schema='core')
    op.create_table_comment('review_audit', TABLE[1], existing_comment=TABLE[0], schema='core')


def downgrade() -> None:
    for name, (old, new) in COLUMNS.items():
        op.alter_column('review_audit', name, comment=old, existing_comment=new, schema='core')
    op.create_table_comment('review_audit', TABLE[0], existing_comment=TABLE[1], schema='core')
