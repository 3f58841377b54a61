"""What a demo adds to an installation: an empty folder, a Slack webhook, tokens and an accelerated clock."""

import shutil
from collections.abc import Mapping
from pathlib import Path
from secrets import token_hex
from typing import Final

from flatline.clock import FileClock
from flatline.demo.errors import DemoError
from flatline.demo.play import Calendar
from flatline.domain.time import DAY_MS
from flatline.local.lock import sole_use_of
from flatline.settings import Settings

_MARK: Final = "made-by-flatline-demo"
_WATCH_LIST_SIZE: Final = 500


def clear(folder: Path) -> None:
    """Make an empty folder and delete what an earlier demo left there. Raise `DemoError` if it holds anything else."""
    if folder.exists() and any(folder.iterdir()) and not (folder / _MARK).exists():
        raise DemoError(
            f"{folder} holds something that no demo has made.", remedy="Choose another folder with --data-dir."
        )
    with sole_use_of(folder):
        (folder / _MARK).write_text("The next `flatline demo` here begins by deleting all that is in this folder.\n")
        for entry in folder.iterdir():
            if entry.is_dir():
                shutil.rmtree(entry)
            elif entry.name not in (_MARK, "lock"):
                entry.unlink()


def demo_settings(
    given: Settings, *, folder: Path, calendar: Calendar, webhook_url: str, tokens: Mapping[str, str]
) -> Settings:
    """Write secrets and clock into the folder; return settings for an installation whose clock stands still."""
    webhook_file = _secret(folder / "slack-webhook-url", webhook_url)
    # A recorded history's events keep the sources that they name.
    lines = "".join(f"{source},*:{token}\n" for source, token in tokens.items())
    tokens_file = _secret(folder / "ingest-tokens", lines)
    clock_file = folder.resolve() / "clock"
    FileClock(clock_file).turn(calendar.starts_ms)
    # On a cluster that others use, every demo has topics of its own.
    suffix = f"-{token_hex(4)}" if "kafka_bootstrap" in given.model_fields_set else ""
    return given.model_copy(
        update={
            "namespace": f"{given.namespace}-demo{suffix}",
            "ingest_tokens_file": tokens_file,
            "slack_webhook_url_file": webhook_file,
            "watch_list_size": _WATCH_LIST_SIZE,
            "clock_file": clock_file,
            "clock_speed": calendar.days_per_s * DAY_MS / 1000,
        }
    )


def _secret(path: Path, text: str) -> Path:
    path.touch(mode=0o600)
    path.write_text(text)
    return path.resolve()
