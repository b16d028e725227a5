"""Writes `openapi.json` (`make openapi`)."""

import sys

from local.openapi.document import PATH, make_document, render
from local.openapi.words import WordsError
from local.template import Template

if __name__ == "__main__":
    try:
        PATH.write_text(render(make_document(Template())))
    except WordsError as error:
        sys.exit(f"openapi.json can't be made: {error}")
