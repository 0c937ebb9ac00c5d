"""Trainings that alerts ask for: two more kinds of what happens to an alert.

Revision ID: 0046
Revises: 0045
"""

import sqlalchemy as sa
from alembic import op

revision = '0046'
down_revision = '0045'
branch_labels = None
depends_on = None

BEFORE = 'opened, escalated, snoozed or closed'
AFTER = 'opened, escalated, snoozed, retrain_asked, retrained (a version was decided since) or closed'


def upgrade() -> None:
    op.alter_column('alert_event', 'event', existing_type=sa.Text(), existing_nullable=False, existing_comment=BEFORE, comment=AFTER, schema='core')


def downgrade() -> None:
    # An older version knows neither kind, and numbers need no row for each.
    op.execute("DELETE FROM core.alert_event WHERE event IN ('retrain_asked', 'retrained')")
    op.alter_column('alert_event', 'event', existing_type=sa.Text(), existing_nullable=False, existing_comment=AFTER, comment=BEFORE, schema='core')
