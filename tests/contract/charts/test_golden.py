"""Charts change only on purpose: what each case renders is kept in golden/.

`TARMAC_UPDATE_GOLDEN=1 .venv/bin/pytest tests/contract/charts` writes the files anew; the diff then shows in review.
"""

import os
from pathlib import Path

import pytest

from contract.charts.rendering import CASES, CHARTS, Case, rendered

GOLDEN = Path(__file__).with_name("golden")


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_case_renders_what_is_kept(case: Case) -> None:
    """Every line of every manifest is the reviewed one."""
    golden = GOLDEN / f"{case}.yaml"
    if os.environ.get("TARMAC_UPDATE_GOLDEN"):
        golden.write_text(rendered(case))
    assert golden.exists(), "set TARMAC_UPDATE_GOLDEN=1 once, and review the new file"
    assert rendered(case) == golden.read_text()


def test_every_golden_file_belongs_to_a_case() -> None:
    """A case that went leaves no file behind, and no chart is without its default case."""
    assert {path.stem for path in GOLDEN.glob("*.yaml")} == {str(case) for case in CASES}
    assert {case.chart for case in CASES if case.name == "default"} == set(CHARTS)
