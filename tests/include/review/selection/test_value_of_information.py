from include.problems.sections.learning import Value
from include.review.selection.value_of_information import value_matrix

MAIL = Value(unit="cents", true_positive=5, false_positive=-50, true_negative=0, false_negative=-10)


def test_the_worth_of_each_outcome_stands_at_its_decision_and_its_truth():
    assert value_matrix(MAIL).tolist() == [[0, -10], [-50, 5]]


def test_the_table_of_a_problem_where_only_mistakes_cost_is_zero_on_its_diagonal():
    only_mistakes = Value(unit="cents", true_positive=0, false_positive=-1, true_negative=0, false_negative=-2)
    assert value_matrix(only_mistakes).tolist() == [[0, -2], [-1, 0]]
