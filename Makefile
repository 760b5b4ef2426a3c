# Everything a person or CI runs. The first run makes what it needs under .local/; cargo, python3 and a C compiler are
# asked of the machine, and nothing else.

CLOUD := infra/local/cloud
LOCAL := .local
# Which AWS port of this machine `make up` and `make down` are about; a stack a port.
export PORT ?= 4566

PYTHON := PYTHONPATH=$(CLOUD) PYTHONDONTWRITEBYTECODE=1 $(LOCAL)/tools/bin/python
SAM := SAM_CLI_TELEMETRY=0 $(LOCAL)/tools/bin/sam

.DEFAULT_GOAL := help
.PHONY: help demo test prove up down fmt lint check end-to-end bench deploy tools

help:
	@echo 'make demo   the whole story on a local cloud of its own; leaves nothing running'
	@echo 'make test   every check: format, lints, docs, Rust tests, template, end-to-end tests'
	@echo 'make prove  ten thousand events, shuffled, with failing calls and dying processes: each applied once and in order'
	@echo '            (EVENTS=10000 OBJECTS=500, SEED=… for a run that was)'
	@echo 'make up     a local cloud that stays (PORT=4566; STRIPE_API_BASE and STRIPE_API_KEY for another Stripe)'
	@echo 'make down   ends it'
	@echo 'make fmt    formats the Rust code; make lint checks it and the template'
	@echo 'make bench  what a delivery costs in time'
	@echo 'make deploy ENV=test   builds for AWS and deploys there, with your own credentials (see README.md)'

demo: tools
	@$(PYTHON) -m localcloud demo

up: tools
	@$(PYTHON) -m localcloud up

# Makes no tools: without them nothing was ever started.
down:
	@if [ -x $(LOCAL)/tools/bin/python ]; then $(PYTHON) -m localcloud down; else echo 'down: nothing runs'; fi

test: lint check end-to-end

fmt:
	cargo fmt --all

lint: tools
	cargo fmt --all --check
	cargo clippy --workspace --all-targets -- -D warnings
	RUSTDOCFLAGS='-D warnings' cargo doc --workspace --no-deps
	AWS_REGION=us-east-1 __SAM_CLI_APP_DIR=$(LOCAL)/sam $(SAM) validate --lint
	AWS_REGION=us-east-1 __SAM_CLI_APP_DIR=$(LOCAL)/sam $(SAM) validate --lint --template infra/monitoring.yaml

# The same cases each time, so that what fails has been broken; `make prove` looks at others.
check: export PROPTEST_RNG_SEED ?= 7
check: tools
	cargo test --workspace

# On a stack of its own, which is ended whatever happens.
end-to-end: tools
	$(PYTHON) -m pytest -p no:cacheprovider $(CLOUD)/tests

# EVENTS, OBJECTS and SEED reach it by the environment; without SEED each run is another one.
prove:
	cargo run --quiet -p simulation
	PROPTEST_CASES=100 cargo test --quiet -p simulation --test it any_order

# Of the program as it is deployed; `cargo bench -p receive --profile local` builds faster.
bench:
	cargo bench -p receive

# To AWS, with the caller's own credentials; ENV is a section of samconfig.toml.
deploy: ENV ?= test
deploy: tools
	PATH="$(CURDIR)/$(LOCAL)/tools/bin:$$PATH" $(SAM) build
	$(SAM) deploy --config-env $(ENV)

# Two environments, because MiniStack and SAM CLI want different versions of one library. Each is made again only when
# its list changes.
tools: $(LOCAL)/ministack/made $(LOCAL)/tools/made

$(LOCAL)/%/made: $(CLOUD)/requirements/%.txt
	@for tool in cargo python3 cc ps; do command -v $$tool > /dev/null || { echo "make: $$tool is missing" >&2; exit 1; }; done
	@python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo 'make: python3 is older than 3.11' >&2; exit 1; }
	@echo "making $(@D) ($<)"
	@rm -rf $(@D)
	@python3 -m venv $(@D)
	@$(@D)/bin/pip install --quiet --disable-pip-version-check --requirement $<
	@touch $@
