"""Images of the stack: pulled where upstream answers, else built from package registries; named by their content."""

from lab.images.catalogue import Catalogue
from lab.images.present import absent, ensure, load

__all__ = ["Catalogue", "absent", "ensure", "load"]
