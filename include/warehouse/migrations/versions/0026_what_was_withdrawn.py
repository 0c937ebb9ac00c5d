"""Objects that were withdrawn, how many records of a partition they had, and models that learned from them.

Revision ID: 0026
Revises: 0025
"""

import sqlalchemy as sa
from alembic import op

revision = '0026'
down_revision = '0025'
branch_labels = None
depends_on = None

LAW, BEFORE = ('rows in = published + quarantined + duplicates + refused + withdrawn.', 'rows in = published + quarantined + duplicates; of a refused one, + refused.')
VERDICT, VERDICT_BEFORE = ('published, published_with_warnings, refused, or withdrawn where nothing else is left', 'published, published_with_warnings or refused')
N_IN, N_IN_BEFORE = ('records that landing has', 'records read from landing')


def say(law: str, law_before: str, verdict: str, verdict_before: str, n_in: str, n_in_before: str) -> None:
    op.create_table_comment('partition_audit', f'One row per partition; {law}', existing_comment=f'One row per partition; {law_before}', schema='core')
    op.alter_column('partition_audit', 'verdict', comment=verdict, existing_comment=verdict_before, schema='core')
    op.alter_column('partition_audit', 'n_in', comment=n_in, existing_comment=n_in_before, schema='core')


def upgrade() -> None:
    op.create_table('withdrawal',
    sa.Column('problem', sa.Text(), nullable=False, comment='name of the problem file'),
    sa.Column('object_key', sa.Text(), nullable=False, comment='path of the withdrawn object below the landing URL'),
    sa.Column('partition_key', sa.Text(), nullable=False, comment="the data's own hour, day or month"),
    sa.Column('run_id', sa.Text(), nullable=False, comment='Airflow run that withdrew it'),
    sa.Column('fingerprint', sa.Text(), nullable=False, comment='sha256 of the bytes that are withdrawn; other bytes in its place are another object'),
    sa.Column('same_bytes_as', sa.Text(), nullable=True, comment='object that was named, where this one only has the same bytes'),
    sa.Column('n_rows', sa.Integer(), autoincrement=False, nullable=False, comment='its records of this partition'),
    sa.Column('actor', sa.Text(), nullable=False, comment='who withdrew it'),
    sa.Column('reason', sa.Text(), nullable=False, comment='why, in one sentence'),
    sa.Column('withdrawn_at_utc', sa.DateTime(timezone=True), nullable=False, comment='from when on ingest leaves it out'),
    sa.Column('left_at_utc', sa.DateTime(timezone=True), nullable=True, comment='when the partition was ingested without it; missing until then'),
    sa.Column('restored_run_id', sa.Text(), nullable=True, comment='Airflow run that let it in again; missing while it is withdrawn'),
    sa.Column('restored_by', sa.Text(), nullable=True, comment='who let it in again'),
    sa.Column('restored_reason', sa.Text(), nullable=True, comment='why, in one sentence'),
    sa.Column('restored_at_utc', sa.DateTime(timezone=True), nullable=True, comment='when it was let in again'),
    sa.PrimaryKeyConstraint('problem', 'object_key', 'partition_key', 'run_id', name=op.f('pk_withdrawal')),
    schema='core',
    comment='One row per withdrawn object, partition that it fed, and run that withdrew it.'
    )
    n_withdrawn = sa.Column('n_withdrawn', sa.Integer(), server_default='0', nullable=False, comment='records of withdrawn objects, which are not read')
    op.add_column('partition_audit', n_withdrawn, schema='core')
    op.alter_column('partition_audit', 'n_withdrawn', server_default=None, schema='core')
    op.drop_constraint('ck_partition_audit_counts', 'partition_audit', schema='core')
    op.create_check_constraint('ck_partition_audit_counts', 'partition_audit', 'n_in = n_published + n_quarantined + n_duplicate + n_refused + n_withdrawn', schema='core')
    say(LAW, BEFORE, VERDICT, VERDICT_BEFORE, N_IN, N_IN_BEFORE)
    op.add_column('partition_audit', sa.Column('rules_sha256', sa.Text(), nullable=True, comment='hash of the rules of the problem file that it was read by'), schema='core')
    op.add_column('model_version', sa.Column('n_withdrawn', sa.Integer(), nullable=True, comment='of its training rows, those whose object was withdrawn since'), schema='core')
    op.add_column('model_version', sa.Column('rows_withdrawn_at_utc', sa.DateTime(timezone=True), nullable=True, comment='when rows it was trained on were found to be withdrawn; missing if never'), schema='core')


def downgrade() -> None:
    op.drop_column('model_version', 'rows_withdrawn_at_utc', schema='core')
    op.drop_column('model_version', 'n_withdrawn', schema='core')
    say(BEFORE, LAW, VERDICT_BEFORE, VERDICT, N_IN_BEFORE, N_IN)
    op.drop_constraint('ck_partition_audit_counts', 'partition_audit', schema='core')
    op.execute("UPDATE core.partition_audit SET n_in = n_in - n_withdrawn, verdict = CASE WHEN verdict = 'withdrawn' THEN 'refused' ELSE verdict END")
    op.create_check_constraint('ck_partition_audit_counts', 'partition_audit', 'n_in = n_published + n_quarantined + n_duplicate + n_refused', schema='core')
    op.drop_column('partition_audit', 'rules_sha256', schema='core')
    op.drop_column('partition_audit', 'n_withdrawn', schema='core')
    op.drop_table('withdrawal', schema='core')
