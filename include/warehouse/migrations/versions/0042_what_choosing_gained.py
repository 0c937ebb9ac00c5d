"""What choosing gained over as many labels of chance stands among the estimates of a round.

Revision ID: 0042
Revises: 0041
"""

from alembic import op

revision = '0042'
down_revision = '0041'
branch_labels = None
depends_on = None

COMMENTS = {
    'quantity': (
        'positive_ratio of everything published, labels_needed_by_random or auc_gained',
        'positive_ratio of everything published, or labels_needed_by_random',
    ),
    'n_labels': (
        'labels used, of all arms; for auc_gained, of each of the two that are compared',
        'labels used, of all arms',
    ),
    'value': (
        '0..1, or labels; auc_gained -1..1; missing if more than chance was ever given',
        '0..1, or labels; missing if more than chance was ever given',
    ),
}


def upgrade() -> None:
    for column, (new, _) in COMMENTS.items():
        op.alter_column('review_estimate', column, comment=new, schema='core')


def downgrade() -> None:
    for column, (_, old) in COMMENTS.items():
        op.alter_column('review_estimate', column, comment=old, schema='core')
