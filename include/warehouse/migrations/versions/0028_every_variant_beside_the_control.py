"""Every variant beside the control.

Revision ID: 0028
Revises: 0027
"""

import sqlalchemy as sa
from alembic import op

revision = '0028'
down_revision = '0027'
branch_labels = None
depends_on = None

# Column of core.experiment_decision to its new and its old comment.
COMMENTS = {
    'outcome': ('wait, blocked, send or keep_control', 'wait, blocked, winner or no_winner'),
    'variant': ('what the rest gets; missing while nothing is decided', 'what the rest gets; the control when there is no winner'),
    'best_probability': ('posterior probability that what is sent is the best, 0..1', 'posterior probability that the front runner is the best, 0..1'),
    'expected_loss_ratio': ('expected loss per unit: rewards, or money where priced', 'reward rate expected to be lost by sending the front runner, 0..1'),
}


def upgrade() -> None:
    op.add_column('experiment_decision', sa.Column('is_claimed', sa.Boolean(), nullable=True, comment='whether what is sent is shown to beat the control'), schema='core')
    op.add_column('experiment_decision', sa.Column('claim', sa.Text(), nullable=True, comment='what is shown of all variants, in one sentence'), schema='core')
    op.add_column('experiment_decision', sa.Column('due_at_utc', sa.DateTime(timezone=True), nullable=True, comment="when the pilot's last unit is mature; nothing is decided before"), schema='core')
    for name, (comment, _) in COMMENTS.items():
        op.alter_column('experiment_decision', name, comment=comment, schema='core')
    op.execute("UPDATE core.experiment_decision SET is_claimed = (outcome = 'winner') WHERE is_final")
    op.execute("UPDATE core.experiment_decision SET outcome = CASE outcome WHEN 'winner' THEN 'send' ELSE 'keep_control' END WHERE is_final")
    op.create_table('experiment_variant',
    sa.Column('problem', sa.Text(), nullable=False, comment='name of the problem file'),
    sa.Column('experiment', sa.Text(), nullable=False, comment='name of the experiment; `experiment` where the file has a single one'),
    sa.Column('partition_key', sa.Text(), nullable=False, comment="the data's own hour, day or month"),
    sa.Column('variant', sa.Text(), nullable=False, comment='what may be sent'),
    sa.Column('n_units', sa.Integer(), autoincrement=False, nullable=False, comment='units exposed in the pilot until the end of this partition'),
    sa.Column('n_mature', sa.Integer(), autoincrement=False, nullable=False, comment='of these, units whose attribution window had elapsed'),
    sa.Column('n_rewarded', sa.Integer(), autoincrement=False, nullable=False, comment='of these, rewarded inside their window'),
    sa.Column('rate_ratio', sa.Float(), nullable=True, comment='share of mature units that were rewarded, 0..1'),
    sa.Column('rate_low', sa.Float(), nullable=True, comment='lower end of its 95 % interval'),
    sa.Column('rate_high', sa.Float(), nullable=True, comment='upper end of its 95 % interval'),
    sa.Column('lift_ratio', sa.Float(), nullable=True, comment='rate less that of the control, -1..1; missing of the control'),
    sa.Column('shrunk_lift_ratio', sa.Float(), nullable=True, comment='the same without the luck of the best: what to expect'),
    sa.Column('low', sa.Float(), nullable=True, comment="lower end of the lift's band; all bands together hold with the file's claim.level"),
    sa.Column('high', sa.Float(), nullable=True, comment='upper end of the band'),
    sa.Column('p_value', sa.Float(), nullable=True, comment='two-sided, times the number of comparisons, at most 1'),
    sa.Column('verdict', sa.Text(), nullable=False, comment='control, better, worse or unclear'),
    sa.Column('best_probability', sa.Float(), nullable=True, comment='posterior probability that its rate is the highest, 0..1'),
    sa.Column('expected_loss', sa.Float(), nullable=True, comment='per unit against the best, in rewards, or money where priced'),
    sa.Column('is_sent', sa.Boolean(), nullable=False, comment='whether the rest gets it'),
    sa.PrimaryKeyConstraint('problem', 'experiment', 'partition_key', 'variant', name=op.f('pk_experiment_variant')),
    schema='core',
    comment='Every variant of the pilot beside the control, whether something wins or not; once a window.',
    )


def downgrade() -> None:
    op.drop_table('experiment_variant', schema='core')
    op.execute("UPDATE core.experiment_decision SET outcome = CASE WHEN is_claimed THEN 'winner' ELSE 'no_winner' END WHERE is_final")
    for name, (_, comment) in COMMENTS.items():
        op.alter_column('experiment_decision', name, comment=comment, schema='core')
    for name in ('is_claimed', 'claim', 'due_at_utc'):
        op.drop_column('experiment_decision', name, schema='core')
