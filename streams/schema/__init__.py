"""The contract: what travels between connectors and streams. Imports nothing of ours."""
