"""Agents: apply the records of each topic to articles, by the code of the domain."""
