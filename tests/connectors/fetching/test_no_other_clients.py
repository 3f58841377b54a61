"""`make lint` keeps all other code from making HTTP clients."""

import subprocess
from pathlib import Path

import pytest

from tests.scripts import script

ROOT = Path(__file__).resolve().parents[3]


@pytest.mark.parametrize(
    "code",
    [
        "import aiohttp\n\nasking = aiohttp.ClientSession()\n",
        "from aiohttp import ClientSession\n\nasking = ClientSession()\n",
        "import aiohttp\n\nasking = aiohttp.request('GET', 'https://a.example/')\n",
        "import urllib.request\n",
        "from urllib.request import urlopen\n",
        "import http.client\n\nasking = http.client.HTTPSConnection('a.example')\n",
        "import requests\n",
        "import httpx\n",
        "import urllib3\n",
    ],
)
@pytest.mark.parametrize("folder", ["connectors/sites", "streams/agents", "streams/cli"])
def test_clients_are_banned(code: str, folder: str) -> None:
    """Whoever makes one is told what to use instead."""
    command = [
        script("ruff"),
        "check",
        "--select",
        "TID251",
        "--stdin-filename",
        f"{folder}/new.py",
        "-",
    ]
    done = subprocess.run(command, cwd=ROOT, input=code, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "Fetcher in flatline_connectors.fetching" in done.stdout
