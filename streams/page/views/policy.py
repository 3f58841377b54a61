"""The policy lab: thresholds moved, and what they would have done."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import msgspec
from sqlalchemy import Connection

from flatline.backtest.report import AlertCount
from flatline.domain.formatting import count
from flatline.page.rendering import with_query
from flatline.readmodel.policy_lab import PolicyLab, PolicyTrial, SilentPause, ThresholdsMoved

ROWS: Final = 100


@dataclass(frozen=True)
class Rule:
    """What a rule would have done."""

    name: str
    about: str
    alerts: int
    right: int
    wrong: int
    open: int | None
    precision: float | None
    mean_delay_days: float | None


@dataclass(frozen=True)
class PolicyView:
    """The page. ``moved``: the thresholds of the trial; ``trouble``: why there is none."""

    moved: ThresholdsMoved
    in_force: ThresholdsMoved
    trouble: str
    trial: PolicyTrial | None
    rules: Sequence[Rule]
    pauses: Sequence[SilentPause]
    more: int
    most: int
    file_path: str
    api_path: str


def policy_view(connection: Connection, lab: PolicyLab, query: Mapping[str, str], *, now_ms: int) -> PolicyView:
    """Return the page that a query asks for."""
    in_force, trouble, trial = lab.in_force, "", None
    moved = in_force
    try:
        moved = moved_in(query, in_force)
        trial = lab.trial(connection, moved, now_ms=now_ms)
    except ValueError as error:  # as msgspec.ValidationError is, too
        trouble = f"{error}."
    rules = _rules(trial) if trial else []
    said = msgspec.structs.asdict(moved)
    return PolicyView(
        moved=moved,
        in_force=in_force,
        trouble=trouble,
        trial=trial,
        rules=rules,
        pauses=trial.pauses[:ROWS] if trial else [],
        more=len(trial.pauses[ROWS:]) + trial.pauses_left_out if trial else 0,
        most=max((each.alerts for each in rules), default=0),
        file_path=with_query("/policy/file", **said),
        api_path=with_query("/api/v1/policy-trial", **said),
    )


def moved_in(query: Mapping[str, str], in_force: ThresholdsMoved) -> ThresholdsMoved:
    """Return the thresholds of a query, those in force where it says none. Raises msgspec.ValidationError."""
    names = ThresholdsMoved.__struct_fields__
    said = {name: query[name] for name in names if query.get(name)}
    return msgspec.convert(msgspec.structs.asdict(in_force) | said, ThresholdsMoved, strict=False)


def _rules(trial: PolicyTrial) -> list[Rule]:
    rules = [_rule("These thresholds", "", trial.tried), _rule("In force", "the policy as it is", trial.in_force)]
    gap = trial.fixed_gap
    if gap is not None:
        rules.append(
            Rule(
                f"A fixed gap of {count(int(gap.threshold), 'day')}",
                "the fastest that is as often right as these thresholds",
                gap.alerts,
                gap.right,
                gap.alerts - gap.right,
                None,
                gap.reached_precision,
                gap.mean_delay_days,
            )
        )
    return rules


def _rule(name: str, about: str, counted: AlertCount) -> Rule:
    return Rule(
        name,
        about,
        counted.alerts,
        counted.right,
        counted.wrong,
        counted.open,
        counted.precision,
        counted.mean_delay_days,
    )
