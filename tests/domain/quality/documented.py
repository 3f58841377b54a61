"""The tables of QUALITY.md."""

from pathlib import Path

from flatline.domain.quality import factors

RULES = Path(factors.__file__).with_name("QUALITY.md")


def rows(heading: str) -> list[list[str]]:
    """Read the cells of the table below a heading."""
    section = RULES.read_text("utf-8").split(f"\n## {heading}\n")[1].split("\n## ")[0]
    lines = [line for line in section.splitlines() if line.startswith("|")]
    assert len(lines) > 2, heading
    return [[cell.strip().strip("`") for cell in line.strip("|").split("|")] for line in lines[2:]]
