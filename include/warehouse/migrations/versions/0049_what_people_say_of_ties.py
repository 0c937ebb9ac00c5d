"""What people say where the best variant is practically as good as the control.

Revision ID: 0049
Revises: 0048
"""

import sqlalchemy as sa
from alembic import op

revision = '0049'
down_revision = '0048'
branch_labels = None
depends_on = None

PROBLEM = 'name of the problem file'
COMMENT = 'What people were asked where the best variant is practically as good as the control, and their answers.'
COLUMNS = {
    'asked_variant': 'what a person is asked about; missing where nobody is',
    'record_sha256': 'record that the question is about; missing where nobody is asked',
}
OUTCOMES = 'wait, blocked, ask, send or keep_control'
OLD_OUTCOMES = 'wait, blocked, send or keep_control'


def upgrade() -> None:
    op.create_table(
        'experiment_question',
        sa.Column('problem', sa.Text(), nullable=False, comment=PROBLEM),
        sa.Column(
            'run_id',
            sa.Text(),
            nullable=False,
            comment='Airflow run that asked; its approval shows this question, also after it was cleared',
        ),
        sa.Column(
            'experiment',
            sa.Text(),
            nullable=False,
            comment='name of the experiment; `experiment` where the file has a single one',
        ),
        sa.Column(
            'record_sha256',
            sa.Text(),
            nullable=False,
            comment='of plan, counts, losses and checks that the question rests on: 64 hexadecimal digits',
        ),
        sa.Column(
            'plan_sha256',
            sa.Text(),
            nullable=False,
            comment='plan that it was asked with; an answer holds while this is the plan',
        ),
        sa.Column(
            'partition_key',
            sa.Text(),
            nullable=False,
            comment='window that was asked about; once answered, the first one that the answer decides',
        ),
        sa.Column(
            'variant',
            sa.Text(),
            nullable=False,
            comment='what the approver is asked to send in place of the control',
        ),
        sa.Column('asked_at_utc', sa.DateTime(timezone=True), nullable=False, comment='when it was asked'),
        sa.Column(
            'answer_by_utc',
            sa.DateTime(timezone=True),
            nullable=False,
            comment='when there is no time left to answer, and the control is kept',
        ),
        sa.Column(
            'is_approved', sa.Boolean(), nullable=True, comment='whether it is sent; missing while nobody answered'
        ),
        sa.Column(
            'answered_by',
            sa.Text(),
            nullable=True,
            comment='who answered, or the run where time ran out; missing before',
        ),
        sa.Column('reason', sa.Text(), nullable=True, comment='the answer in one sentence; missing before'),
        sa.Column(
            'answered_at_utc', sa.DateTime(timezone=True), nullable=True, comment='when it was answered; missing before'
        ),
        sa.PrimaryKeyConstraint('problem', 'run_id', name='pk_experiment_question'),
        schema='core',
        comment=COMMENT,
    )
    for name, comment in COLUMNS.items():
        op.add_column('experiment_decision', sa.Column(name, sa.Text(), nullable=True, comment=comment), schema='core')
    op.alter_column('experiment_decision', 'outcome', comment=OUTCOMES, schema='core')


def downgrade() -> None:
    op.alter_column('experiment_decision', 'outcome', comment=OLD_OUTCOMES, schema='core')
    for name in COLUMNS:
        op.drop_column('experiment_decision', name, schema='core')
    op.drop_table('experiment_question', schema='core')
