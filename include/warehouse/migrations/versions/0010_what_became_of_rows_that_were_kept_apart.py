"""Rows that an expectation took out, what a refusal leaves in the lake, replays, and the pages about audits.

Revision ID: 0010
Revises: 0009
"""

import sqlalchemy as sa
from alembic import op

revision = '0010'
down_revision = '0009'
branch_labels = None
depends_on = None


def upgrade() -> None:
    n_quarantined = sa.Column('n_quarantined', sa.Integer(), server_default='0', nullable=False, comment='rows that it named and that were kept apart for it; the other columns are about the rest')
    op.add_column('quality_result', n_quarantined, schema='core')
    op.alter_column('quality_result', 'n_quarantined', server_default=None, schema='core')
    comment = 'One row per partition and expectation, and behind them one per field that nobody declared.'
    op.create_table_comment('quality_result', comment, existing_comment='One row per partition and expectation.', schema='core')
    landed = sa.Column('landed_sha256', sa.Text(), nullable=True, comment='hash of what landing had for the partition when it was staged')
    op.add_column('partition_audit', landed, schema='core')
    n_in_lake = sa.Column('n_in_lake', sa.Integer(), nullable=True, comment='rows of it in the lake: those published, or of a refused one those of the publish before')
    op.add_column('partition_audit', n_in_lake, schema='core')
    op.execute('UPDATE core.partition_audit SET n_in_lake = n_published')
    op.alter_column('partition_audit', 'n_in_lake', nullable=False, schema='core')
    op.alter_column('partition_audit', 'n_published', comment='rows that this run published', existing_comment='rows in the lake after this run', schema='core')
    op.create_table('replay',
    sa.Column('problem', sa.Text(), nullable=False, comment='name of the problem file'),
    sa.Column('partition_key', sa.Text(), nullable=False, comment="the data's own hour, day or month"),
    sa.Column('run_id', sa.Text(), nullable=False, comment='Airflow run that ran the rows through again'),
    sa.Column('actor', sa.Text(), nullable=False, comment='who asked for it'),
    sa.Column('reason', sa.Text(), nullable=False, comment='why, in one sentence'),
    sa.Column('verdict', sa.Text(), nullable=False, comment='waiting, published, published_with_warnings, refused or nothing (to do)'),
    sa.Column('first_reason', sa.Text(), nullable=True, comment='the first reason for the verdict'),
    sa.Column('n_tried', sa.Integer(), autoincrement=False, nullable=False, comment='quarantined rows that were run through again'),
    sa.Column('n_published', sa.Integer(), autoincrement=False, nullable=False, comment='of these, rows that are published now; less by those that stricter rules took out'),
    sa.Column('n_quarantined', sa.Integer(), autoincrement=False, nullable=False, comment='rows that are kept apart now; all that were tried where nothing was published'),
    sa.Column('n_duplicate', sa.Integer(), autoincrement=False, nullable=False, comment='rows dropped because an earlier row has their key'),
    sa.Column('replayed_at_utc', sa.DateTime(timezone=True), nullable=False, comment='when the verdict was written'),
    sa.Column('announced_at_utc', sa.DateTime(timezone=True), nullable=True, comment='when what waits downstream was told; missing where nothing was published'),
    sa.PrimaryKeyConstraint('problem', 'partition_key', 'run_id', name=op.f('pk_replay')),
    schema='core',
    comment='One row per run and partition whose quarantined rows were run through again.'
    )
    op.create_table('data_docs',
    sa.Column('problem', sa.Text(), nullable=False, comment='name of the problem file'),
    sa.Column('partition_key', sa.Text(), nullable=False, comment="the data's own hour, day or month"),
    sa.Column('run_id', sa.Text(), nullable=False, comment='Airflow run that audited it'),
    sa.Column('html', sa.Text(), nullable=False, comment="Great Expectations' page about the newest audit, without scripts, styles or personal values"),
    sa.Column('built_at_utc', sa.DateTime(timezone=True), nullable=False, comment='when the page was written'),
    sa.PrimaryKeyConstraint('problem', 'partition_key', name=op.f('pk_data_docs')),
    schema='core',
    comment='One page per partition, as Great Expectations renders it.'
    )


def downgrade() -> None:
    op.drop_table('data_docs', schema='core')
    op.drop_table('replay', schema='core')
    op.alter_column('partition_audit', 'n_published', comment='rows in the lake after this run', existing_comment='rows that this run published', schema='core')
    op.drop_column('partition_audit', 'n_in_lake', schema='core')
    op.drop_column('partition_audit', 'landed_sha256', schema='core')
    op.create_table_comment('quality_result', 'One row per partition and expectation.', existing_comment='One row per partition and expectation, and behind them one per field that nobody declared.', schema='core')
    op.drop_column('quality_result', 'n_quarantined', schema='core')
