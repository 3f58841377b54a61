# Everything starts with `make setup`, which the other targets run first; it takes half a second when nothing is missing.
.DEFAULT_GOAL := help
.PHONY: help setup demo test check fuzz chaos lint lock release audit chart deploy-check dashboards bench profile
bin := .venv/bin
# Whoever sets this has each process compile all modules again, and tests start many processes.
unexport PYTHONDONTWRITEBYTECODE
# So many tests at a time.
JOBS := 2
pytest = $(bin)/pytest -q -n $(JOBS) --no-loadscope-reorder --durations=10

# The oldest Python that pyproject.toml allows.
compile = $(bin)/uv pip compile --quiet --universal --python-version 3.11.0 --constraints constraints.txt \
  --generate-hashes --no-annotate --no-header

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

setup: ## install what is missing: Java, Prometheus, Alertmanager (apt), the Python packages, Kafka
	@bash deploy/setup.sh

demo: setup ## run everything here on a simulated history (HISTORY=file or git clone; DEMO_ONCE=1 ends by itself)
	@$(bin)/flatline demo $(if $(HISTORY),--history '$(HISTORY)') $(if $(filter 1,$(DEMO_ONCE)),--once)

test: ## all tests, against a real Kafka, Prometheus, Alertmanager and browser (JOBS=2 at a time)
	@bash deploy/setup.sh test
	@$(pytest)

check: lint ## before each commit: lint, and the tests that start no server and don't compute for long
	@$(pytest) -m 'not servers and not long' --hypothesis-profile quick

fuzz: setup ## the native core on changed records (FUZZ_SECONDS=60), the properties on 1,000 new examples each (no servers)
	@$(bin)/python -m tests.agents.native_fuzzer
	@$(pytest) -m 'hypothesis and not servers' --hypothesis-profile fuzz

chaos: setup ## every fault that can be made, at length (CHAOS_SEED=number repeats a run, CHAOS_MINUTES=5 shortens it)
	@CHAOS=full CHAOS_SEED='$(CHAOS_SEED)' CHAOS_MINUTES='$(CHAOS_MINUTES)' $(bin)/pytest tests/chaos tests/api/test_kills.py -v -s

lint: setup ## style, types, and the direction of imports
	@$(bin)/ruff check
	@$(bin)/ruff format --check
	@$(bin)/mypy
	@$(bin)/lint-imports
	@bash streams/native/lint.sh

lock: setup ## write deploy/requirements*.txt anew: what the image is built with, by hash
	@$(compile) pyproject.toml --output-file deploy/requirements.txt
	@$(bin)/python -c 'import sys, tomllib; \
	  [print(*tomllib.load(open(file, "rb"))["build-system"]["requires"], sep="\n") for file in sys.argv[1:]]' \
	  pyproject.toml streams/native/pyproject.toml | $(compile) - --output-file deploy/requirements-build.txt

release: setup ## wheel, sdist and bill of materials (CycloneDX) of the version that Git's newest tag says, in dist
	@rm -rf dist && $(bin)/uv build --quiet --out-dir dist
	@$(bin)/uv venv --quiet --clear --python $(bin)/python .tools/release
	@$(bin)/uv pip sync --quiet --python .tools/release --require-hashes deploy/requirements.txt
	@$(bin)/cyclonedx-py environment --pyproject pyproject.toml --output-reproducible -o dist/flatline.cdx.json .tools/release
	@ls dist

audit: setup ## ask PyPI whether a locked package has a known vulnerability
	@$(bin)/uv tool run --quiet pip-audit --disable-pip --require-hashes --requirement deploy/requirements.txt

chart: setup ## write deploy/helm/flatline anew from topics, permissions and settings
	@$(bin)/python deploy/helm/generate.py

deploy-check: ## the tests of image and chart (builds Helm once: minutes)
	@bash deploy/setup.sh test
	@bash deploy/setup.sh helm
	@IMAGE=build $(pytest) tests/deploy/test_chart.py tests/deploy/test_chart_options.py tests/deploy/test_container.py tests/deploy/test_compose.py

dashboards: setup ## write grafana/dashboards anew from grafana/*.py
	@$(bin)/python -m grafana

bench: ## measure, next to others (BENCH_OUT=file keeps the figures; EVENTS=100000 REPEATS=1 is a quick look)
	@bash deploy/setup.sh bench
	@BENCH_OUT='$(BENCH_OUT)' $(bin)/python -m tests.bench

profile: setup ## where the worker's time goes on the benchmark's events (EVENTS=1000000)
	@$(bin)/python -m tests.bench.profile
