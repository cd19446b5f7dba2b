# Each target sets up what it needs on a new machine: the virtual environment, and Debian packages where it may.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV := .venv
READY := $(VENV)/.ready
ARGS ?=
FUZZ_PACKETS ?= 10000000
FUZZ_SCAPY_PACKETS ?= 100000

.PHONY: demo test check bench fuzz soak mutants lock docs packages help

help:            ## what there is
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' Makefile | expand -t 12

demo: $(READY)   ## the whole product alive, on this machine: make demo ARGS="--duration 60 --headless"
	$(VENV)/bin/gatewatch demo $(ARGS)

test: $(READY) packages   ## every test, also the heavy ones (Kafka, Chromium, tshark, namespaces)
	$(VENV)/bin/pytest $(ARGS)

check: $(READY)  ## lint, types, structure
	$(VENV)/bin/ruff check .
	$(VENV)/bin/mypy
	$(VENV)/bin/pytest -q tests/structure

bench: $(READY)  ## the benchmarks, a JSON line a case
	for file in benchmarks/[a-z]*.py; do PYTHONPATH=. $(VENV)/bin/python $$file $(ARGS) || exit 1; done

fuzz: $(READY)   ## the whole fuzz run: ten million packets through codec and engine, a hundred thousand through scapy
	PYTHONPATH=. $(VENV)/bin/python tests/fuzz/fuzz_codec.py --count $(FUZZ_PACKETS) --scapy-count $(FUZZ_SCAPY_PACKETS) $(ARGS)

soak: $(READY)   ## an hour of the demo: fails when memory, open files, threads or bookkeeping grow: make soak ARGS="--minutes 15"
	PYTHONPATH=. $(VENV)/bin/python tests/soak/soak.py $(ARGS)

mutants: $(READY) ## small changes to the sources that no test notices: make mutants ARGS="--places 50 forwarder/engine"
	PYTHONPATH=. $(VENV)/bin/python tests/mutants/mutants.py $(ARGS)

docs: $(READY)   ## write docs/reference from the code
	PYTHONPATH=. $(VENV)/bin/python docs/generate.py

lock: $(READY)   ## resolve the dependencies anew
	$(VENV)/bin/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	  --extra test pyproject.toml -o requirements.lock --custom-compile-command "make lock" $(ARGS)

packages:        ## the Debian packages that tests need, where this user may install them
	@./packaging/debian-packages

$(READY): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "gatewatch needs Python 3.11 or newer; set PYTHON="; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check "uv>=0.9"
	$(VENV)/bin/uv pip install --quiet --python $(VENV) --require-hashes -r requirements.lock
	$(VENV)/bin/uv pip install --quiet --python $(VENV) --no-deps --editable .
	@touch $(READY)
