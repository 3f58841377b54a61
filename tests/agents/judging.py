"""One task, judged at once as the worker's loop does it within its budget."""

from flatline.agents.judge import Judge, JudgingContext
from flatline.agents.survey import Surveyor
from flatline.domain.visibility.visibility import Visibility
from flatline.engine.log import Outgoing
from flatline.engine.task import Task


def judge_all(task: Task, judge: Judge, surveyor: Surveyor, *, now_ms: int, visibility: Visibility) -> list[Outgoing]:
    """Judge what is due of a task; return what is said, as if it were committed."""
    for _ in judge.judge_due(task, JudgingContext(now_ms, visibility)):
        pass
    task.due.pass_ended(now_ms)
    surveyor.advance(task, is_lagging=visibility.is_lagging, may_judge_groups=True, now_ms=now_ms)
    said, task.unpublished = task.unpublished, []
    return said
