"""Making labs: the rules that every lab's folder keeps, and a first one that keeps them."""

from lab.authoring.folder import Folder
from lab.authoring.new import create
from lab.authoring.rules import RULES, judge

__all__ = ["RULES", "Folder", "create", "judge"]
