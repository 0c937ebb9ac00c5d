"""Which functions go with which kind of label."""

import pytest
import yaml

from include.errors import BadProblem
from include.learning import fit_version, kinds
from include.learning.quantity import fit_version as quantity
from include.learning.scoring.score_partitions import TWO_SIDES
from include.learning.several import fit_version as several
from include.problems.reading import load_problem
from tests.include.learning.conftest import MAIL
from tests.include.learning.quantity.conftest import BIKES
from tests.include.learning.several.conftest import PLANTS


@pytest.fixture
def problem_of(problems_dir):
    def read(problem):
        (problems_dir / f"{problem['name']}.yaml").write_text(yaml.safe_dump(problem))
        return load_problem(problem["name"])

    return read


def test_each_kind_of_label_is_fitted_by_its_own_functions(problem_of):
    assert kinds.kind_of(load_problem("late")).fit is fit_version.fit_on_log
    assert kinds.kind_of(load_problem("mail")).fit is fit_version.fit_on_answers
    assert kinds.kind_of(problem_of(PLANTS)).fit is several.fit_on_log
    asked = {"label": {"classes": ["a", "b", "c"], "source": "desk"}, "value": {"unit": "mails"}}
    assert kinds.kind_of(problem_of(MAIL | asked)).fit is several.fit_on_answers
    assert kinds.kind_of(problem_of(BIKES)).fit is quantity.fit_on_log


def test_predictions_have_a_row_for_each_class_where_there_are_several(problem_of):
    assert kinds.output_of(load_problem("mail")) is TWO_SIDES
    assert kinds.output_of(problem_of(PLANTS)).n_each == 3


def test_nobody_answers_with_a_number_at_the_desk(problem_of):
    with pytest.raises(BadProblem, match="bikes: people answer with a class"):
        kinds.kind_of(problem_of(BIKES)).plan_by_desk(None, problem_of(BIKES), "round-001")
