"""Grafana's dashboards as code: a module a dashboard. `python -m grafana` writes what Grafana reads."""
