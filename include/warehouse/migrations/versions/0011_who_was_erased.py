"""Who was erased, and which models cannot read their training rows again.

Revision ID: 0011
Revises: 0010
"""

import sqlalchemy as sa
from alembic import op

revision = '0011'
down_revision = '0010'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('erased_subject',
    sa.Column('problem', sa.Text(), nullable=False, comment='name of the problem file'),
    sa.Column('subject_hash', sa.Text(), nullable=False, comment='keyed hash of the value that named the person in the raw logs'),
    sa.Column('key_id', sa.Text(), nullable=False, comment='which key it was hashed with'),
    sa.Column('subject_id', sa.Text(), nullable=False, comment='hash with the key that was the newest; the same for all hashes of one person'),
    sa.Column('reason', sa.Text(), nullable=False, comment='why, as whoever asked for it wrote'),
    sa.Column('actor', sa.Text(), nullable=False, comment='person or DAG run that asked for it'),
    sa.Column('run_id', sa.Text(), nullable=False, comment='Airflow run that asked for it first'),
    sa.Column('n_rows', sa.Integer(), autoincrement=False, nullable=False, comment='rows that were removed from the lake, by all runs'),
    sa.Column('asked_at_utc', sa.DateTime(timezone=True), nullable=False, comment="from when on ingest leaves the person's rows out"),
    sa.Column('proven_at_utc', sa.DateTime(timezone=True), nullable=True, comment='when a scan last found nothing left; missing until then'),
    sa.PrimaryKeyConstraint('problem', 'subject_hash', 'key_id', name=op.f('pk_erased_subject')),
    schema='core',
    comment='One row per erased person and key; ingest counts their rows as quarantined, and keeps nothing of them.',
    )
    op.add_column('model_version', sa.Column('rows_erased_at_utc', sa.DateTime(timezone=True), nullable=True, comment='when the snapshot of its training rows was removed, because a person was erased; missing if never'), schema='core')


def downgrade() -> None:
    op.drop_column('model_version', 'rows_erased_at_utc', schema='core')
    op.drop_table('erased_subject', schema='core')
