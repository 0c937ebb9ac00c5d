"""What is known of single classes.

Revision ID: 0021
Revises: 0020
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = '0021'
down_revision = '0020'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('class_calibration',
    sa.Column('problem', sa.Text(), nullable=False, comment='name of the problem file'),
    sa.Column('partition_key', sa.Text(), nullable=False, comment="the data's own hour, day or month"),
    sa.Column('model_version', sa.Text(), nullable=False, comment='model that scored the partition'),
    sa.Column('class_name', sa.Text(), nullable=False, comment='class or label, against all others'),
    sa.Column('label_arm', sa.Text(), nullable=False, comment='log: recorded outcomes; random: answers about items that chance chose'),
    sa.Column('n_rows', sa.Integer(), autoincrement=False, nullable=False, comment='scored rows whose prediction is kept'),
    sa.Column('n_labelled', sa.Integer(), autoincrement=False, nullable=False, comment='scored rows with a known label'),
    sa.Column('n_positive', sa.Integer(), autoincrement=False, nullable=False, comment='labelled rows of the class'),
    sa.Column('positive_ratio', sa.Float(), nullable=True, comment='share of labelled rows that are of the class'),
    sa.Column('mean_predicted_ratio', sa.Float(), nullable=True, comment='mean predicted probability of the class over labelled rows'),
    sa.Column('ece_ratio', sa.Float(), nullable=True, comment='expected calibration error over 10 bins of equal width, 0..1'),
    sa.Column('ece_chance_ratio', sa.Float(), nullable=True, comment='error that a faultless model exceeds once in a thousand partitions'),
    sa.Column('ece_equal_count_ratio', sa.Float(), nullable=True, comment='expected calibration error over 10 bins of equal count, 0..1'),
    sa.Column('ece_equal_count_chance_ratio', sa.Float(), nullable=True, comment='that error which a faultless model exceeds once in a thousand partitions'),
    sa.Column('error_ratio', sa.Float(), nullable=True, comment='root of the mean squared calibration error over bins of equal count, chance taken off, 0..1'),
    sa.Column('error_high_ratio', sa.Float(), nullable=True, comment='the true one is below it with 95 % confidence'),
    sa.Column('relative_error_ratio', sa.Float(), nullable=True, comment='error_ratio for each share of 1 that is of the class; missing where none is'),
    sa.Column('calibration_slope', sa.Float(), nullable=True, comment='of the log-odds of what happens on those predicted; 1 is faultless, below 1 too sure'),
    sa.Column('calibration_intercept', sa.Float(), nullable=True, comment='of the same line; 0 is faultless, below 0 predicts too much'),
    sa.Column('brier_score', sa.Float(), nullable=True, comment='mean squared error of the probability of the class, 0..1'),
    sa.Column('log_loss_nats', sa.Float(), nullable=True, comment='mean negative log likelihood of the class against the rest, in nats'),
    sa.Column('auc_ratio', sa.Float(), nullable=True, comment='area under the ROC curve of the class against the rest, 0..1'),
    sa.Column('measured_at_utc', sa.DateTime(timezone=True), nullable=False, comment='when'),
    sa.PrimaryKeyConstraint('problem', 'partition_key', 'model_version', 'class_name', name=op.f('pk_class_calibration')),
    schema='core',
    comment='One row per monitored partition, model and class; figures are missing while no label is known.'
    )
    op.create_table('class_metric',
    sa.Column('problem', sa.Text(), nullable=False, comment='name of the problem file'),
    sa.Column('model_version', sa.Text(), nullable=False, comment='version whose training measured it'),
    sa.Column('candidate', sa.Text(), nullable=False, comment='dummy, the uncalibrated or the calibrated model, another candidate, or the champion'),
    sa.Column('class_name', sa.Text(), nullable=False, comment='class or label, each against all others'),
    sa.Column('metric', sa.Text(), nullable=False, comment='auc, log_loss, brier, ece, precision or recall; one without an answer has no row'),
    sa.Column('value', sa.Float(), nullable=False, comment='the metric; log_loss in nats, the others 0..1'),
    sa.Column('low', sa.Float(), nullable=True, comment='lower end of the 95 % interval'),
    sa.Column('high', sa.Float(), nullable=True, comment='upper end of the 95 % interval'),
    sa.Column('n_rows', sa.Integer(), autoincrement=False, nullable=False, comment='held-out rows of the class'),
    sa.PrimaryKeyConstraint('problem', 'model_version', 'candidate', 'class_name', 'metric', name=op.f('pk_class_metric')),
    schema='core',
    comment='One row per version, candidate, class and metric, all on the same held-out rows.'
    )
    op.create_table('confusion',
    sa.Column('problem', sa.Text(), nullable=False, comment='name of the problem file'),
    sa.Column('model_version', sa.Text(), nullable=False, comment='version that was asked'),
    sa.Column('true_class', sa.Text(), nullable=False, comment='what held-out rows are; of several labels also `not` the label'),
    sa.Column('said_class', sa.Text(), nullable=False, comment='what the model takes them for: its likeliest class, or a label from 0.5 on'),
    sa.Column('n_rows', sa.Integer(), autoincrement=False, nullable=False, comment='rows of this pair'),
    sa.Column('share_ratio', sa.Float(), nullable=False, comment='share of the rows of the true class, 0..1'),
    sa.Column('low', sa.Float(), nullable=False, comment='lower end of the 95 % Wilson interval of the share'),
    sa.Column('high', sa.Float(), nullable=False, comment='upper end of the 95 % Wilson interval of the share'),
    sa.PrimaryKeyConstraint('problem', 'model_version', 'true_class', 'said_class', name=op.f('pk_confusion')),
    schema='core',
    comment='One row per version and pair of classes of which the true one has held-out rows.'
    )
    op.create_table('filled_label',
    sa.Column('problem', sa.Text(), nullable=False, comment='name of the problem file'),
    sa.Column('partition_key', sa.Text(), nullable=False, comment="the data's own hour, day or month"),
    sa.Column('item_id', sa.Text(), nullable=False, comment='row key in the lake of the row whose label is not known'),
    sa.Column('model_version', sa.Text(), nullable=False, comment='model that filled it in'),
    sa.Column('label', sa.Text(), nullable=False, comment='likeliest class, or the labels that are acted on with a comma between them; empty is none'),
    sa.Column('confidence_ratio', sa.Float(), nullable=False, comment='probability that exactly this is true, 0..1; labels are taken to be independent'),
    sa.Column('action', sa.Text(), nullable=False, comment='what pays most at these probabilities; `ask a person` where asking pays'),
    sa.Column('class_probabilities', postgresql.JSONB(astext_type=sa.Text()), nullable=True, comment='class or label to its probability, 0..1'),
    sa.Column('filled_at_utc', sa.DateTime(timezone=True), nullable=False, comment='when the partition was scored'),
    sa.PrimaryKeyConstraint('problem', 'partition_key', 'item_id', name=op.f('pk_filled_label')),
    schema='core',
    comment='One row per scored row without a known label, of problems with several classes or labels.'
    )
    op.alter_column('model_version', 'threshold_ratio',
               existing_type=sa.DOUBLE_PRECISION(precision=53),
               nullable=True,
               comment='probability from which on the positive class is acted on, 0..1; missing where there are several classes',
               existing_comment='probability from which on the positive class is acted on, 0..1',
               schema='core')
    op.add_column('problem', sa.Column('label_kind', sa.Text(), nullable=True, comment='two_classes, several_classes, several_labels; missing without a label'), schema='core')
    op.add_column('review_content', sa.Column('class_probabilities', postgresql.JSONB(astext_type=sa.Text()), nullable=True, comment='class or label to its probability, 0..1; missing where there are two sides'), schema='core')


def downgrade() -> None:
    op.drop_column('review_content', 'class_probabilities', schema='core')
    op.drop_column('problem', 'label_kind', schema='core')
    op.alter_column('model_version', 'threshold_ratio',
               existing_type=sa.DOUBLE_PRECISION(precision=53),
               nullable=False,
               comment='probability from which on the positive class is acted on, 0..1',
               existing_comment='probability from which on the positive class is acted on, 0..1; missing where there are several classes',
               schema='core')
    op.drop_table('filled_label', schema='core')
    op.drop_table('confusion', schema='core')
    op.drop_table('class_metric', schema='core')
    op.drop_table('class_calibration', schema='core')
