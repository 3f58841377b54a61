from flatline.doctor.finding import Finding
from flatline.doctor.http import Server, Unanswered
from flatline.settings import Settings
from flatline_connectors.ingest.auth import Tokens, TokensError

_TOKENS = "tokens file"


async def examine_readiness(name: str, server: Server) -> list[Finding]:
    """Look whether a worker or the ingest is ready."""
    try:
        await server.text("/readyz")
    except Unanswered as cause:
        return [Finding.wrong(name, f"{server.shown} {cause}; its log says more")]
    return [Finding.fine(name, f"ready at {server.shown}")]


def examine_tokens(settings: Settings) -> list[Finding]:
    """Look whether the ingest can read who may push, as it does itself."""
    file = settings.ingest_tokens_file
    if file is None:
        return [Finding.look(_TOKENS, "not looked at: set FLATLINE_INGEST_TOKENS_FILE")]
    try:
        Tokens(file)
    except TokensError as error:
        return [Finding.wrong(_TOKENS, str(error))]
    return [Finding.fine(_TOKENS, f"{file} can be read")]
