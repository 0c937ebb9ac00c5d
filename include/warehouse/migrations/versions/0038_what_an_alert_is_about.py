"""What an alert is about: its features, in one row.

Revision ID: 0038
Revises: 0037
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = '0038'
down_revision = '0037'
branch_labels = None
depends_on = None

BEFORE = {
    'alert_id': 'cause: calibration, drift of one feature, or review_overdue',
    'subject': 'model version or feature',
    'value': 'what was seen',
    'bound': 'what was allowed',
}
AFTER = {
    'alert_id': "cause: drift, output_drift, calibration, calibration of one class, coverage, first_model, or the desk's own",
    'subject': 'model version, or the features that are worst of it',
    'value': 'what was seen of the worst, in the unit of the metric',
    'bound': 'what was allowed of the worst, in the unit of the metric',
}
KINDS = {'alert_id': sa.Text(), 'subject': sa.Text(), 'value': sa.Float(), 'bound': sa.Float()}
TABLE_BEFORE = 'One row per partition and cause; measuring again never opens it twice.'
TABLE_AFTER = 'One row per partition and cause, with its features inside; measuring again never opens it twice.'


def _comment(now, before, table_now, table_before):
    for name, kind in KINDS.items():
        op.alter_column(
            'alert', name, schema='core', existing_type=kind, existing_nullable=False,
            comment=now[name], existing_comment=before[name],
        )
    op.create_table_comment('alert', table_now, existing_comment=table_before, schema='core')


def upgrade() -> None:
    op.add_column('alert', sa.Column('findings', postgresql.JSONB(astext_type=sa.Text()), nullable=True, comment='what it is about, the worst first: subject, metric, value and bound of each; null at the desk'), schema='core')
    op.add_column('alert', sa.Column('n_watched', sa.Integer(), nullable=True, comment='features of this cause that were measured in the partition; missing at the desk'), schema='core')
    _comment(AFTER, BEFORE, TABLE_AFTER, TABLE_BEFORE)


def downgrade() -> None:
    _comment(BEFORE, AFTER, TABLE_BEFORE, TABLE_AFTER)
    op.drop_column('alert', 'n_watched', schema='core')
    op.drop_column('alert', 'findings', schema='core')
