"""Write `openapi.json` (`make openapi`)."""

import sys

from local.openapi import configure_powertools
from local.openapi.words import WordsError
from local.template import Template


def main() -> None:
    """Generate the document and write it. Exit with 1 if a description is missing or unknown."""
    configure_powertools()
    from local.openapi.document import PATH, make_document, render  # only now, because it imports the handlers

    try:
        PATH.write_text(render(make_document(Template())))
    except WordsError as error:
        sys.exit(f"openapi.json can't be generated: {error}")


if __name__ == "__main__":
    main()
