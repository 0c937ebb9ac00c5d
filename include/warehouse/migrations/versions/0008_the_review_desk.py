"""The Review desk: seats, passes, contents and the audit of writes.

Revision ID: 0008
Revises: 0007
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = '0008'
down_revision = '0007'
branch_labels = None
depends_on = None

# A batch that was open before there were seats waits for the answers that nobody has given yet.
SEATS_OF_OPEN_BATCHES = """
    INSERT INTO core.review_seat (problem, batch_id, item_id, seat, position, skill, state)
    SELECT item.problem, item.batch_id, item.item_id, seat, item.position, item.skill, 'open'
    FROM core.review_item AS item
    INNER JOIN core.review_batch AS batch
        ON batch.problem = item.problem AND batch.batch_id = item.batch_id AND batch.status = 'open'
    CROSS JOIN LATERAL generate_series(1, item.n_answers_wanted) AS seat
    WHERE NOT EXISTS (
        SELECT 1 FROM core.label
        WHERE label.problem = item.problem AND label.batch_id = item.batch_id AND label.item_id = item.item_id
    )
"""


def upgrade() -> None:
    op.create_table('review_audit',
    sa.Column('audit_id', sa.Text(), nullable=False, comment='random'),
    sa.Column('written_at_utc', sa.DateTime(timezone=True), nullable=False, comment='when'),
    sa.Column('person', sa.Text(), nullable=False, comment='who; a user name'),
    sa.Column('action', sa.Text(), nullable=False, comment='take, answer, skip, escalate, undo, open, leave or finish'),
    sa.Column('problem', sa.Text(), nullable=False, comment='problem'),
    sa.Column('batch_id', sa.Text(), nullable=False, comment='batch, as the request named it'),
    sa.Column('item_id', sa.Text(), nullable=True, comment='item, as the request named it; empty where it names none'),
    sa.Column('before', postgresql.JSONB(astext_type=sa.Text()), nullable=True, comment='what stood there'),
    sa.Column('after', postgresql.JSONB(astext_type=sa.Text()), nullable=True, comment='what stands there now'),
    sa.Column('result', sa.Text(), nullable=False, comment='done or refused'),
    sa.Column('reason', sa.Text(), nullable=True, comment='why it was refused; empty where it was done'),
    sa.Column('request_id', sa.Text(), nullable=True, comment='what the page called this request, so that it may ask again'),
    sa.PrimaryKeyConstraint('audit_id', name=op.f('pk_review_audit')),
    schema='core',
    comment='One row per write that somebody tried at the desk; rows are never changed.'
    )
    op.create_index('ix_review_audit_item', 'review_audit', ['problem', 'batch_id', 'item_id'], unique=False, schema='core')
    op.create_index('uq_review_audit_request', 'review_audit', ['person', 'request_id'], unique=True, schema='core', postgresql_where=sa.text("result = 'done' AND request_id IS NOT NULL"))
    op.create_table('review_content',
    sa.Column('problem', sa.Text(), nullable=False, comment='name of the problem file'),
    sa.Column('batch_id', sa.Text(), nullable=False, comment='batch'),
    sa.Column('item_id', sa.Text(), nullable=False, comment='row key of the item in the lake'),
    sa.Column('fields', postgresql.JSONB(astext_type=sa.Text()), nullable=True, comment='what people see: a list of name, kind, unit, value and n_characters, masked as in the lake'),
    sa.Column('content_hash', sa.Text(), nullable=False, comment='hash of the fields; a decision carries it'),
    sa.Column('p_positive', sa.Float(), nullable=True, comment='what the newest model says, 0..1; missing where none has scored it'),
    sa.PrimaryKeyConstraint('problem', 'batch_id', 'item_id', name=op.f('pk_review_content')),
    schema='core',
    comment='One row per item on the desk: what it looks like, as the lake had it when its batch was opened.'
    )
    op.create_index('ix_review_content_item', 'review_content', ['problem', 'item_id'], unique=False, schema='core')
    op.create_table('review_pass',
    sa.Column('problem', sa.Text(), nullable=False, comment='name of the problem file'),
    sa.Column('batch_id', sa.Text(), nullable=False, comment='batch'),
    sa.Column('item_id', sa.Text(), nullable=False, comment='row key of the item in the lake'),
    sa.Column('person', sa.Text(), nullable=False, comment='who passed it on'),
    sa.Column('action', sa.Text(), nullable=False, comment='skip: somebody else should answer; escalate: somebody with more to say should'),
    sa.Column('reason', sa.Text(), nullable=False, comment="why, in the person's words"),
    sa.Column('passed_at_utc', sa.DateTime(timezone=True), nullable=False, comment='when'),
    sa.Column('duration_ms', sa.Integer(), autoincrement=False, nullable=True, comment='time from shown to passed on, in milliseconds'),
    sa.Column('shown', postgresql.JSONB(astext_type=sa.Text()), nullable=True, comment='what was shown with the question'),
    sa.PrimaryKeyConstraint('problem', 'batch_id', 'item_id', 'person', name=op.f('pk_review_pass')),
    schema='core',
    comment='One row per item and person who did not answer it, and why.'
    )
    op.create_index('ix_review_pass_person', 'review_pass', ['person', 'passed_at_utc'], unique=False, schema='core')
    op.create_table('review_seat',
    sa.Column('problem', sa.Text(), nullable=False, comment='name of the problem file'),
    sa.Column('batch_id', sa.Text(), nullable=False, comment='batch'),
    sa.Column('item_id', sa.Text(), nullable=False, comment='row key of the item in the lake'),
    sa.Column('seat', sa.Integer(), autoincrement=False, nullable=False, comment='1, or 1 and 2 where two people should answer'),
    sa.Column('position', sa.Integer(), autoincrement=False, nullable=False, comment='place of the item in its batch, from 1'),
    sa.Column('skill', sa.Text(), nullable=True, comment='what a person must be trained for to take it; empty for anybody'),
    sa.Column('state', sa.Text(), nullable=False, comment='open, taken, answered, or passed: let go without a label'),
    sa.Column('person', sa.Text(), nullable=True, comment='who has it, or answered from it; empty while it is open'),
    sa.Column('taken_at_utc', sa.DateTime(timezone=True), nullable=True, comment='when the item was shown; missing while it is open'),
    sa.Column('expires_at_utc', sa.DateTime(timezone=True), nullable=True, comment='from when on others may take it; missing while it is open'),
    sa.Column('shown', postgresql.JSONB(astext_type=sa.Text()), nullable=True, comment='what was shown with the question'),
    sa.PrimaryKeyConstraint('problem', 'batch_id', 'item_id', 'seat', name=op.f('pk_review_seat')),
    schema='core',
    comment='One row per answer that is wanted: an item that two people should see has two seats.'
    )
    op.create_index('ix_review_seat_taken', 'review_seat', ['person', 'problem', 'batch_id'], unique=False, schema='core', postgresql_where=sa.text("state = 'taken'"))
    op.create_index('ix_review_seat_waiting', 'review_seat', ['problem', 'batch_id', 'position', 'seat'], unique=False, schema='core', postgresql_where=sa.text("state IN ('open', 'taken')"))
    op.create_index('uq_review_seat_person', 'review_seat', ['problem', 'batch_id', 'item_id', 'person'], unique=True, schema='core', postgresql_where=sa.text('person IS NOT NULL'))
    op.add_column('label', sa.Column('note', sa.Text(), nullable=True, comment='what the person wrote beside it'), schema='core')
    op.add_column('label', sa.Column('shown', postgresql.JSONB(astext_type=sa.Text()), nullable=True, comment="what was shown with the question: the model's view if any, and the hash of the content"), schema='core')
    op.create_index('ix_label_person', 'label', ['labelled_by', 'labelled_at_utc'], unique=False, schema='core')
    op.add_column('review_batch', sa.Column('announced_at_utc', sa.DateTime(timezone=True), nullable=True, comment='when Airflow was told that it is answered; missing until then'), schema='core')
    op.execute(SEATS_OF_OPEN_BATCHES)
    op.execute("UPDATE core.review_batch SET announced_at_utc = answered_at_utc WHERE status = 'answered'")


def downgrade() -> None:
    op.drop_column('review_batch', 'announced_at_utc', schema='core')
    op.drop_index('ix_label_person', table_name='label', schema='core')
    op.drop_column('label', 'shown', schema='core')
    op.drop_column('label', 'note', schema='core')
    op.drop_index('uq_review_seat_person', table_name='review_seat', schema='core', postgresql_where=sa.text('person IS NOT NULL'))
    op.drop_index('ix_review_seat_waiting', table_name='review_seat', schema='core', postgresql_where=sa.text("state IN ('open', 'taken')"))
    op.drop_index('ix_review_seat_taken', table_name='review_seat', schema='core', postgresql_where=sa.text("state = 'taken'"))
    op.drop_table('review_seat', schema='core')
    op.drop_index('ix_review_pass_person', table_name='review_pass', schema='core')
    op.drop_table('review_pass', schema='core')
    op.drop_index('ix_review_content_item', table_name='review_content', schema='core')
    op.drop_table('review_content', schema='core')
    op.drop_index('uq_review_audit_request', table_name='review_audit', schema='core', postgresql_where=sa.text("result = 'done' AND request_id IS NOT NULL"))
    op.drop_index('ix_review_audit_item', table_name='review_audit', schema='core')
    op.drop_table('review_audit', schema='core')
