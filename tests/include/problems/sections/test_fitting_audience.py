import pytest

from tests.include.problems.conftest import OTHER_LOG

AUDIENCE = {"from": "refunds", "unit": "ride_id"}


def log(**columns):
    return {"refunds": OTHER_LOG | {"columns": OTHER_LOG["columns"] | columns}}


BROKEN = [
    (AUDIENCE | {"from": "refund"}, log(), "audience.from: 'refund' is not in sources (there are: refunds)"),
    (AUDIENCE | {"unit": "ride"}, log(), "audience.unit: 'ride' is not declared"),
    (AUDIENCE, log(ride_id={"type": "integer"}), "audience.unit: 'ride_id' is of type integer, and ride_id of string"),
    (AUDIENCE, log(ride_id={"type": "string", "pii": "contact"}), "'ride_id' is of class contact: many look alike"),
]


@pytest.mark.parametrize(("audience", "sources", "said"), BROKEN)
def test_an_audience_that_nobody_could_write_to_is_refused(refusal_of, audience, sources, said):
    assert said in refusal_of("experiment.audience", audience, sources=sources)


@pytest.mark.parametrize("pii", ["none", "identifier"])
def test_a_log_is_an_audience_of_the_experiments_that_name_it(read, pii):
    problem = read("experiment.audience", AUDIENCE, sources=log(ride_id={"type": "string", "pii": pii}))
    assert problem.experiments_sent_to("refunds") == ["experiment"]
    assert [one.is_audience for one in problem.logs] == [True]
    assert not read(sources=log()).log("refunds").is_audience
