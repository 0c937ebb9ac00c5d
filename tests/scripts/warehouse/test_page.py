from include.warehouse.tables import METADATA
from include.warehouse.views import read_views
from scripts.warehouse import page
from scripts.warehouse.contract import read_contract


def test_every_view_table_and_column_is_on_the_page() -> None:
    text = page.render()
    assert [v.name for v in read_views() if f"### bi.{v.name}\n" not in text] == []
    assert [t.name for t in METADATA.sorted_tables if f"### core.{t.name}\n" not in text] == []
    n_columns = sum(len(v.columns) for v in read_views()) + sum(len(t.columns) for t in METADATA.sorted_tables)
    assert sum(line.startswith("| `") for line in text.splitlines()) == n_columns


def test_every_promised_view_stands_above_the_details() -> None:
    above, _, below = page.render().partition("## Views for pages")
    assert all(f"### bi.{name}\n" in above for name in read_contract().views)
    assert "### bi.data_docs\n" in below


def test_the_picture_hangs_each_table_on_the_longest_key_that_it_has() -> None:
    lines = page.render().splitlines()
    assert "    model_version ||--o{ model_metric : has" in lines
    assert "    review_item ||--o{ label : has" in lines
    assert "    partition_audit ||--o| data_docs : has" in lines
    assert "    problem ||--o{ model_metric : has" not in lines
