"""How `openapi.json` comes about: types from the code, routes from the template, words from `words.yaml`, examples from handlers.

`python -m local.openapi` writes it. Nothing here is deployed, and nothing of it runs in a function.
"""

import os

from local.template import Template

POWERTOOLS = {
    name: value
    for function in Template().functions()
    for name, value in function.environment.items()
    if name.startswith("POWERTOOLS_")
}
os.environ |= {**POWERTOOLS, **os.environ}  # they are read when the handlers' modules are imported
