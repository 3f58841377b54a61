from flatline.doctor.check_result import CheckResult
from flatline.doctor.http import Server, Unanswered
from flatline.settings import Settings
from flatline_connectors.ingest.auth import Tokens, TokensError

_TOKENS = "tokens file"


async def examine_readiness(name: str, server: Server) -> list[CheckResult]:
    """Check whether a worker or the ingest is ready."""
    try:
        await server.text("/readyz")
    except Unanswered as cause:
        return [CheckResult.wrong(name, f"{server.shown} {cause}; its log says more")]
    return [CheckResult.fine(name, f"ready at {server.shown}")]


def examine_tokens(settings: Settings) -> list[CheckResult]:
    """Check whether the tokens file can be read, in the way in which the ingest reads it."""
    file = settings.ingest_tokens_file
    if file is None:
        return [CheckResult.look(_TOKENS, "not looked at: set FLATLINE_INGEST_TOKENS_FILE")]
    try:
        Tokens(file)
    except TokensError as error:
        return [CheckResult.wrong(_TOKENS, str(error))]
    return [CheckResult.fine(_TOKENS, f"{file} can be read")]
