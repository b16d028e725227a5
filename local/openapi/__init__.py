"""Generator of `openapi.json`: types from the code, routes from the template, texts from `words.yaml`, examples from handlers.

`python -m local.openapi` writes the file. Nothing here is deployed.
"""

import os

from local.template import Template


def configure_powertools() -> None:
    """Set Powertools' variables as in the template. Call this before importing a handler: Powertools reads them on import."""
    for function in Template().functions():
        for name, value in function.environment.items():
            if name.startswith("POWERTOOLS_"):
                os.environ.setdefault(name, value)
