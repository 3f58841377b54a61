# Everything starts with `make setup`, which the other targets run first; it takes half a second when nothing is missing.
.DEFAULT_GOAL := help
.PHONY: help setup demo test lint bench
bin := .venv/bin

help: ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

setup: ## install what is missing: Java, Prometheus, Alertmanager (apt), the Python packages, Kafka
	@bash deploy/setup.sh

demo: setup ## run everything here on a simulated history (HISTORY=file; DEMO_ONCE=1 ends by itself)
	@$(bin)/flatline demo $(if $(HISTORY),--history '$(HISTORY)') $(if $(filter 1,$(DEMO_ONCE)),--once)

test: setup ## all tests, against a real Kafka, Prometheus and Alertmanager
	@$(bin)/pytest

lint: setup ## style, types, and the direction of imports
	@$(bin)/ruff check
	@$(bin)/ruff format --check
	@$(bin)/mypy
	@$(bin)/lint-imports

bench: setup ## measure (BENCH_OUT=file keeps the figures)
	@BENCH_OUT='$(BENCH_OUT)' $(bin)/python -m tests.bench
