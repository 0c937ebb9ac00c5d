"""Comments in the words of the field.

Revision ID: 0016
Revises: 0015
"""

import sqlalchemy as sa
from alembic import op

revision = '0016'
down_revision = '0015'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.alter_column('local_explanation', 'model_version',
               existing_type=sa.TEXT(),
               comment='version whose uncertainty chose the batch',
               existing_comment='version whose doubt chose the batch',
               existing_nullable=False,
               schema='core')
    op.create_table_comment(
        'model_choice',
        'Every candidate with every calibrator, measured before the held-out rows were looked at.',
        existing_comment='Every candidate with every map, measured before the held-out rows were looked at.',
        schema='core'
    )
    op.alter_column('partition_audit', 'n_quarantined',
               existing_type=sa.INTEGER(),
               comment='rows in quarantine, with a reason each',
               existing_comment='rows kept apart, with a reason each',
               existing_nullable=False,
               schema='core')
    op.alter_column('quality_result', 'n_quarantined',
               existing_type=sa.INTEGER(),
               comment='rows it named that are in quarantine for it; the other columns are about the rest',
               existing_comment='rows that it named and that were kept apart for it; the other columns are about the rest',
               existing_nullable=False,
               schema='core')
    op.alter_column('rejected_record', 'reason',
               existing_type=sa.TEXT(),
               comment='why rows are in quarantine',
               existing_comment='why rows were kept apart',
               existing_nullable=False,
               schema='core')
    op.alter_column('replay', 'run_id',
               existing_type=sa.TEXT(),
               comment='Airflow run that replayed the rows',
               existing_comment='Airflow run that ran the rows through again',
               existing_nullable=False,
               schema='core')
    op.alter_column('replay', 'n_tried',
               existing_type=sa.INTEGER(),
               comment='quarantined rows that were replayed',
               existing_comment='quarantined rows that were run through again',
               existing_nullable=False,
               schema='core')
    op.alter_column('replay', 'n_quarantined',
               existing_type=sa.INTEGER(),
               comment='rows in quarantine now; all that were tried where nothing was published',
               existing_comment='rows that are kept apart now; all that were tried where nothing was published',
               existing_nullable=False,
               schema='core')
    op.create_table_comment(
        'replay',
        'One row per run and partition whose quarantined rows were replayed.',
        existing_comment='One row per run and partition whose quarantined rows were run through again.',
        schema='core'
    )
    op.alter_column('review_batch', 'model_version',
               existing_type=sa.TEXT(),
               comment='model whose uncertainty chose the items; empty at the cold start',
               existing_comment='model whose doubt chose the items; empty at the cold start',
               existing_nullable=True,
               schema='core')
    op.create_table_comment(
        'review_seat',
        'One row per answer that is wanted: an item that two people should see has two rows.',
        existing_comment='One row per answer that is wanted: an item that two people should see has two seats.',
        schema='core'
    )


def downgrade() -> None:
    op.create_table_comment(
        'review_seat',
        'One row per answer that is wanted: an item that two people should see has two seats.',
        existing_comment='One row per answer that is wanted: an item that two people should see has two rows.',
        schema='core'
    )
    op.alter_column('review_batch', 'model_version',
               existing_type=sa.TEXT(),
               comment='model whose doubt chose the items; empty at the cold start',
               existing_comment='model whose uncertainty chose the items; empty at the cold start',
               existing_nullable=True,
               schema='core')
    op.create_table_comment(
        'replay',
        'One row per run and partition whose quarantined rows were run through again.',
        existing_comment='One row per run and partition whose quarantined rows were replayed.',
        schema='core'
    )
    op.alter_column('replay', 'n_quarantined',
               existing_type=sa.INTEGER(),
               comment='rows that are kept apart now; all that were tried where nothing was published',
               existing_comment='rows in quarantine now; all that were tried where nothing was published',
               existing_nullable=False,
               schema='core')
    op.alter_column('replay', 'n_tried',
               existing_type=sa.INTEGER(),
               comment='quarantined rows that were run through again',
               existing_comment='quarantined rows that were replayed',
               existing_nullable=False,
               schema='core')
    op.alter_column('replay', 'run_id',
               existing_type=sa.TEXT(),
               comment='Airflow run that ran the rows through again',
               existing_comment='Airflow run that replayed the rows',
               existing_nullable=False,
               schema='core')
    op.alter_column('rejected_record', 'reason',
               existing_type=sa.TEXT(),
               comment='why rows were kept apart',
               existing_comment='why rows are in quarantine',
               existing_nullable=False,
               schema='core')
    op.alter_column('quality_result', 'n_quarantined',
               existing_type=sa.INTEGER(),
               comment='rows that it named and that were kept apart for it; the other columns are about the rest',
               existing_comment='rows it named that are in quarantine for it; the other columns are about the rest',
               existing_nullable=False,
               schema='core')
    op.alter_column('partition_audit', 'n_quarantined',
               existing_type=sa.INTEGER(),
               comment='rows kept apart, with a reason each',
               existing_comment='rows in quarantine, with a reason each',
               existing_nullable=False,
               schema='core')
    op.create_table_comment(
        'model_choice',
        'Every candidate with every map, measured before the held-out rows were looked at.',
        existing_comment='Every candidate with every calibrator, measured before the held-out rows were looked at.',
        schema='core'
    )
    op.alter_column('local_explanation', 'model_version',
               existing_type=sa.TEXT(),
               comment='version whose doubt chose the batch',
               existing_comment='version whose uncertainty chose the batch',
               existing_nullable=False,
               schema='core')
