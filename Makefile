# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Everything a person does with this repository. `make` alone lists it.
# Each target prepares the machine first, through scripts/bootstrap, which says what it installs.

SHELL := /bin/bash
.DEFAULT_GOAL := help

PYTHON := .venv/bin/python
PYTEST := $(PYTHON) -m pytest
NOX := $(PYTHON) -m nox --reuse-existing-virtualenvs
LINT_SESSIONS := codeqa yamllint antsibull-nox-config types license-check extra-checks docs-check build-import-check ansible-lint
RUN := .venv/.ready-run
TEST := .venv/.ready-test
AGENT := .cache/build/.agent
AGENT_NEEDS := $(wildcard agent/build.py agent/kvmmanager_agent/*.py agent/kvmmanager_agent/*/*.py \
  agent/packaging/*.py agent/packaging/files/*) plugins/module_utils/_agent/wire.py

# Ansible insists on a UTF-8 locale, and a fresh container has none.
export LC_ALL := C.UTF-8
export PATH := $(CURDIR)/.venv/bin:$(PATH)
export ANSIBLE_COLLECTIONS_PATH := $(CURDIR)/.cache/collections

.PHONY: help
help: ## list the targets
	@echo 'make demo    shows the collection at work; make test runs every check. All targets:'
	@echo
	@sed -nE 's/^([a-z0-9-]+):[^#]*## (.*)/\1|\2/p' $(MAKEFILE_LIST) | \
	  while IFS='|' read -r target text; do printf '  %-14s %s\n' "$$target" "$$text"; done

# --- to see it at work

.PHONY: demo demo-clean
demo: $(RUN) $(AGENT) ## deploy VMs on this machine from a cloud image and list them
	@scripts/demo

demo-clean: $(RUN) ## remove exactly what the demo made
	@scripts/demo --clean

# --- to check it

.PHONY: test unit integration e2e molecule bench
test: $(TEST) $(AGENT) ## run every check and print a summary
	@$(PYTHON) -m scripts.run_checks

# One process more than processors, since some tests wait.
unit: $(TEST) $(AGENT) ## run the unit tests (seconds, no hypervisor)
	@$(PYTEST) tests/unit -n $$(($$(nproc) + 1)) --dist worksteal $(PYTEST_ARGS)

integration: $(TEST) $(AGENT) ## run the integration targets on lab hosts; TARGET=domain runs one
	@$(PYTEST) tests/integration --target '$(TARGET)' $(PYTEST_ARGS)

e2e: $(TEST) $(AGENT) ## deploy full cloud images on two lab hosts
	@$(PYTEST) tests/e2e $(PYTEST_ARGS)

molecule: $(TEST) $(AGENT) ## apply the roles to lab hosts, twice, and look at what they did
	@$(PYTHON) -m scripts.molecule

bench: $(TEST) $(AGENT) ## measure speed and memory, side by side with community.libvirt
	@$(PYTHON) -m benchmarks

.PHONY: lint format sanity docs build changelog agent
lint: $(TEST) ## check style, types, licences, documentation and playbooks
	@$(NOX) --session $(LINT_SESSIONS)

format: $(TEST) ## let ruff format the Python files and sort their imports
	@.venv/bin/ruff check --select I --fix --quiet .
	@.venv/bin/ruff format .

sanity: $(TEST) ## run ansible-test sanity
	@$(NOX) --session sanity

docs: $(TEST) ## build the documentation; any warning fails
	@$(NOX) --session docs

changelog: $(TEST) ## turn the fragments in changelogs/ into the release that galaxy.yml names
	@$(NOX) --session changelog

build: $(TEST) $(AGENT) ## build the collection's tarball into .cache/build
	@.venv/bin/ansible-galaxy collection build --force --output-path .cache/build

agent: $(TEST) $(AGENT) ## build the guest agent and its packages into .cache/build, and test it on every Python here
	@$(PYTHON) agent/run_tests.py

# The role guest_agent installs these packages. They are built, not committed: a tarball has them, a bare checkout has not.
$(AGENT): $(AGENT_NEEDS) | $(RUN)
	@cd agent && ../$(PYTHON) -m packaging ../.cache/build --role ../roles/guest_agent/files
	@touch $@

# --- the lab

.PHONY: lab-up lab-down lab-status
lab-up: $(TEST) ## start two hypervisors to play with on this machine
	@$(PYTHON) -m tests.lab up

lab-down: $(TEST) ## stop them
	@$(PYTHON) -m tests.lab down

lab-status: $(TEST) ## show which lab hosts run
	@$(PYTHON) -m tests.lab status

# --- preparation

.PHONY: bootstrap clean
bootstrap: ## install what the checks need, even when it seems to be there
	@scripts/bootstrap test

clean: ## remove what was built; keeps .venv and downloaded images
	@rm -rf .nox .cache/build roles/guest_agent/files/kvmmanager-agent.* .cache/docs .cache/mypy .cache/pytest .cache/ruff .cache/sanity tests/output

RUN_NEEDS := scripts/bootstrap scripts/requirements.txt requirements.txt $(wildcard scripts/packages/*-run.txt)
TEST_NEEDS := $(RUN_NEEDS) tests/requirements.txt $(wildcard scripts/packages/*-test.txt)

$(RUN): $(RUN_NEEDS)
	@scripts/bootstrap run

$(TEST): $(TEST_NEEDS)
	@scripts/bootstrap test
