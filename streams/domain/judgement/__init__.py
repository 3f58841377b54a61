"""The verdict on one article: a pure function of what was accumulated, what could be seen, and the time.

`evidence` is what it rests on; `states` and `findings` are the rules, `reasons` the sentences; `judging` is all of it.
"""

from flatline.domain.judgement.evidence import Circumstances, Evidence, evidence_of
from flatline.domain.judgement.findings import FINDING_RULES, FindingRule
from flatline.domain.judgement.judging import Found, Judgement, judge
from flatline.domain.standing import Standing

__all__ = [
    "FINDING_RULES",
    "Circumstances",
    "Evidence",
    "FindingRule",
    "Found",
    "Judgement",
    "Standing",
    "evidence_of",
    "judge",
]
