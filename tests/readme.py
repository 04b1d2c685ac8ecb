"""The parts of the README that are made from the source: `python -m tests.readme` writes them."""

import re
from pathlib import Path

from controller.scpi_commands import TABLE
from controller.states import diagram

README = Path(__file__).parent.parent / "README.md"


def up_to_date(text: str) -> str:
    """The same text with its generated parts as the source has them now."""
    parts = {"states": f"```mermaid\n{diagram()}\n```", "scpi": scpi_table()}
    for name, body in parts.items():
        found = re.search(rf"<!-- {name} -->(.*<!-- end of {name} -->)?", text, re.DOTALL)
        assert found, f"the README has lost its place for {name}"
        block = f"<!-- {name} -->\n{body}\n<!-- end of {name} -->"
        text = text[: found.start()] + block + text[found.end() :]
    return text


def scpi_table() -> str:
    """Every header with its help line; a query that only reads back is on its command's line."""
    rows = ["| command | does |", "| --- | --- |"]
    for header, command in TABLE.items():
        if header.endswith("?") and header[:-1] in TABLE:
            continue
        also = " and `?`" if f"{header}?" in TABLE else ""
        rows.append(f"| `{header}`{also} | {command.does} |")
    return "\n".join(rows)


if __name__ == "__main__":
    README.write_text(up_to_date(README.read_text("utf-8")), "utf-8")
