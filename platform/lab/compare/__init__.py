"""`lab compare`: lets a lab measure its own patterns on the running cluster, and shows the figures side by side."""

from lab.compare.run import measure
from lab.compare.show import COLUMNS, chart, picture, table

__all__ = ["COLUMNS", "chart", "measure", "picture", "table"]
