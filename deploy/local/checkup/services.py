from deploy.local.checkup.finding import Finding
from deploy.local.checkup.http import Server, Unanswered


async def examine_readiness(name: str, server: Server) -> list[Finding]:
    """Look whether a worker or the ingest is ready."""
    try:
        await server.text("/readyz")
    except Unanswered as cause:
        return [Finding.wrong(name, f"{server.shown} {cause}; its log says more")]
    return [Finding.fine(name, f"ready at {server.shown}")]
