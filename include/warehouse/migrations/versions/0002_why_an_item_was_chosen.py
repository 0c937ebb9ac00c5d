"""Why an item was chosen, and how often it should be answered.

Revision ID: 0002
Revises: 0001
"""

import sqlalchemy as sa
from alembic import op

revision = '0002'
down_revision = '0001'
branch_labels = None
depends_on = None

def batch_columns() -> list[sa.Column]:
    return [
        sa.Column('strategy', sa.Text(), nullable=True, comment='arm that ranked the pool; empty before that was written down'),
        sa.Column('predictions_snapshot_id', sa.Text(), nullable=True, comment='Iceberg snapshot of the scores it was chosen from; empty without'),
        sa.Column('decision_change_ratio', sa.Float(), nullable=True, comment="share of the pool's decisions that differ from those of the batch before, 0..1; missing where unknown"),
        sa.Column('escalated_at_utc', sa.DateTime(timezone=True), nullable=True, comment="when it was brought to the problem's escalation; missing if never"),
    ]


def item_columns() -> list[sa.Column]:
    return [
        sa.Column('n_answers_wanted', sa.Integer(), server_default='1', nullable=False, comment='people who should answer it: 1, or 2 where agreement is measured'),
        sa.Column('gold_label', sa.Text(), nullable=True, comment='the known answer of a gold item; empty for all others'),
        sa.Column('skill', sa.Text(), nullable=True, comment='what a person must be trained for to see it; empty for anybody'),
        sa.Column('is_sensitive', sa.Boolean(), server_default='false', nullable=False, comment='whether it stays covered until a person opens it'),
        sa.Column('reason', sa.Text(), nullable=True, comment='why it is asked again; empty for items that are asked the first time'),
        sa.Column('strategy_score', sa.Float(), nullable=True, comment="what the strategy ranked it by: nats, 0..1 or the problem's unit of value; missing without a model"),
    ]


OLD_ARM, NEW_ARM = 'entropy, random, gold or overlap: what chose it', 'what chose it: a strategy such as entropy, random, outlier, spread, gold or relabel'
OLD_LABEL, NEW_LABEL = 'One row per item and person.', "One row per batch, item and person; of one person's answers to an item, the newest batch counts."


def upgrade() -> None:
    for column in batch_columns():
        op.add_column('review_batch', column, schema='core')
    for column in item_columns():
        op.add_column('review_item', column, schema='core')
    # Rows from before this revision were asked once and openly; new ones say so themselves.
    for name in ('n_answers_wanted', 'is_sensitive'):
        op.alter_column('review_item', name, server_default=None, schema='core')
    op.alter_column('review_item', 'arm', comment=NEW_ARM, existing_comment=OLD_ARM, schema='core')
    op.drop_constraint('pk_label', 'label', schema='core')
    op.create_primary_key('pk_label', 'label', ['problem', 'batch_id', 'item_id', 'labelled_by'], schema='core')
    op.drop_index('ix_label_batch', table_name='label', schema='core')
    op.create_index('ix_label_item', 'label', ['problem', 'item_id'], schema='core')
    op.create_table_comment('label', NEW_LABEL, existing_comment=OLD_LABEL, schema='core')


def downgrade() -> None:
    op.create_table_comment('label', OLD_LABEL, existing_comment=NEW_LABEL, schema='core')
    op.drop_index('ix_label_item', table_name='label', schema='core')
    op.create_index('ix_label_batch', 'label', ['problem', 'batch_id'], schema='core')
    # The older shape has room for one answer of a person to an item: the newest.
    op.execute('''
        DELETE FROM core.label AS older USING core.label AS newer
        WHERE (older.problem, older.item_id, older.labelled_by) = (newer.problem, newer.item_id, newer.labelled_by)
            AND older.batch_id < newer.batch_id
    ''')
    op.drop_constraint('pk_label', 'label', schema='core')
    op.create_primary_key('pk_label', 'label', ['problem', 'item_id', 'labelled_by'], schema='core')
    op.alter_column('review_item', 'arm', comment=OLD_ARM, existing_comment=NEW_ARM, schema='core')
    for column in item_columns():
        op.drop_column('review_item', column.name, schema='core')
    for column in batch_columns():
        op.drop_column('review_batch', column.name, schema='core')
