"""The README's picture."""

import re
from pathlib import Path

import pytest

from tests.demo import picture

STORED = Path(__file__).parents[2] / "streams" / "demo" / "simulated-article.svg"


@pytest.mark.long
def test_the_readme_s_picture_is_what_the_code_draws(tmp_path: Path) -> None:
    """Its words and figures are up to date, it says that it is simulated, and it is small."""
    picture.draw(tmp_path / "drawn.svg")
    drawn, stored = ((file.read_text()) for file in (tmp_path / "drawn.svg", STORED))
    texts = re.findall(r"<text[^>]*>(.*?)</text>", stored, re.DOTALL)
    assert texts == re.findall(r"<text[^>]*>(.*?)</text>", drawn, re.DOTALL)
    assert any("(simulated)" in text for text in texts)
    assert STORED.stat().st_size < 300_000
