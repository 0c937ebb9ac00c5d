"""What is known of quantities.

Revision ID: 0027
Revises: 0026
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = '0027'
down_revision = '0026'
branch_labels = None
depends_on = None

FIGURES = {
    'mae': 'mean absolute miss of the prediction',
    'rmse': 'root of the mean squared miss',
    'bias': 'mean of predicted less actual; above 0 it says too much',
    'pinball': 'mean pinball loss of both ends of the interval',
    'coverage_ratio': 'share of rows whose number lies in its interval, 0..1',
    'coverage_low': 'lower end of its 95 % Wilson interval, 0..1',
    'coverage_high': 'upper end of its 95 % Wilson interval, 0..1',
    'mean_width': 'mean width of the interval',
    'profit': 'mean a row of what planning with it earned, in the unit of value, at most 0',
    'profit_before': 'the same, of planning by hour and weekday without a model',
}
COUNTS = {
    'n_rows': 'scored rows',
    'n_labelled': 'scored rows whose number is known',
    'n_held': 'rows whose number lies in its interval',
    'n_below': 'rows whose number lies below its interval',
    'n_above': 'rows whose number lies above its interval',
}
# Table, column, type: what it said before and says now.
COMMENTS = (
    ('filled_label', 'label', sa.Text(), 'likeliest class, or the labels that are acted on with a comma between them; empty is none', 'likeliest class, or the labels that are acted on with a comma between them, empty is none; of a quantity the number'),
    ('filled_label', 'confidence_ratio', sa.Float(), 'probability that exactly this is true, 0..1; labels are taken to be independent', 'probability that exactly this is true, 0..1, labels taken to be independent; of a quantity that it lies between low and high'),
    ('filled_label', 'action', sa.Text(), 'what pays most at these probabilities; `ask a person` where asking pays', 'what pays most; `ask a person` where asking pays; of a quantity the number to plan with'),
    ('filled_label', 'class_probabilities', postgresql.JSONB(), 'class or label to its probability, 0..1', 'class or label to its probability, 0..1; missing for a quantity'),
    ('model_metric', 'metric', sa.Text(), 'auc, log_loss, brier, ece or expected_profit; one without an answer has no row', 'auc, log_loss, brier, ece or expected_profit; of a quantity mae, rmse, bias, pinball, coverage, width and expected_profit; one without an answer has no row'),
    ('problem', 'label_kind', sa.Text(), 'two_classes, several_classes, several_labels; missing without a label', 'two_classes, several_classes, several_labels, quantity; missing without a label'),
    ('feature_drift', 'feature', sa.Text(), "column, or p_positive for the model's own output", 'column; p_positive or said: for what the model says'),
    ('alert', 'metric', sa.Text(), 'error_ratio, relative_error_ratio, psi_ratio, psi_rest_ratio or unseen_ratio', 'error_ratio, relative_error_ratio, coverage_ratio, psi_ratio, psi_rest_ratio, unseen_ratio'),
)
FILLED = (
    'One row per scored row without a known label, of problems with several classes or labels.',
    'One row per scored row without a known label, of problems with several classes or labels, or a quantity.',
)


def upgrade() -> None:
    op.create_table('quantity_quality',
    sa.Column('problem', sa.Text(), nullable=False, comment='name of the problem file'),
    sa.Column('partition_key', sa.Text(), nullable=False, comment="the data's own hour, day or month"),
    sa.Column('model_version', sa.Text(), nullable=False, comment='model that scored the partition'),
    sa.Column('unit', sa.Text(), nullable=False, comment='of the label, and of every figure without a unit of its own'),
    *(sa.Column(name, sa.Integer(), autoincrement=False, nullable=False, comment=comment) for name, comment in COUNTS.items()),
    sa.Column('stated_ratio', sa.Float(), nullable=False, comment='share of rows that the interval shall hold, 0..1'),
    *(sa.Column(name, sa.Float(), nullable=True, comment=comment) for name, comment in FIGURES.items()),
    sa.Column('measured_at_utc', sa.DateTime(timezone=True), nullable=False, comment='when'),
    sa.PrimaryKeyConstraint('problem', 'partition_key', 'model_version', name=op.f('pk_quantity_quality')),
    schema='core',
    comment='One row per monitored partition and model of a quantity; figures are missing while no number is known.',
    )
    op.add_column('filled_label', sa.Column('low', sa.Float(), nullable=True, comment="lower end of a quantity's interval; missing for classes"), schema='core')
    op.add_column('filled_label', sa.Column('high', sa.Float(), nullable=True, comment="upper end of a quantity's interval; missing for classes"), schema='core')
    op.add_column('filled_label', sa.Column('unit', sa.Text(), nullable=True, comment='of a quantity; missing for classes'), schema='core')
    op.add_column('model_choice', sa.Column('cost', sa.Float(), nullable=True, comment='mean cost a row of planning with it, in the unit of value; missing for classes'), schema='core')
    op.alter_column('model_choice', 'log_loss_nats', existing_type=sa.Float(), nullable=True, comment='mean log loss on rows that neither was fitted on; missing for a quantity', existing_comment='mean log loss on rows that neither was fitted on', schema='core')
    for table, column, kind, before, now in COMMENTS:
        op.alter_column(table, column, existing_type=kind, comment=now, existing_comment=before, schema='core')
    op.create_table_comment('filled_label', FILLED[1], existing_comment=FILLED[0], schema='core')


def downgrade() -> None:
    op.create_table_comment('filled_label', FILLED[0], existing_comment=FILLED[1], schema='core')
    for table, column, kind, before, now in COMMENTS:
        op.alter_column(table, column, existing_type=kind, comment=before, existing_comment=now, schema='core')
    op.execute('DELETE FROM core.model_choice WHERE log_loss_nats IS NULL')
    op.alter_column('model_choice', 'log_loss_nats', existing_type=sa.Float(), nullable=False, comment='mean log loss on rows that neither was fitted on', existing_comment='mean log loss on rows that neither was fitted on; missing for a quantity', schema='core')
    op.drop_column('model_choice', 'cost', schema='core')
    for column in ('unit', 'high', 'low'):
        op.drop_column('filled_label', column, schema='core')
    op.drop_table('quantity_quality', schema='core')
