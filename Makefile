# `make` alone explains the targets.
PG_CONFIG ?= pg_config
ROWS ?= 10000000
STOPS ?= 2000
DURATION ?= 100
SEED ?=
SECONDS ?= 60
# `ci` builds faster, for tests.
BUILD_PROFILE ?= release

# The order in which the parts of the install script build on each other.
SQL_PARTS := schema \
    functions/gradebook functions/contents functions/roster functions/solvers functions/drift \
    functions/calibrate functions/backtest functions/options functions/school_map \
    functions/status sample/network \
    aggregates/item aggregates/decay aggregates/trend aggregates/pairs aggregates/alpha \
    aggregates/dif aggregates/over_time functions/word \
    model/source model/call model/words model/work model/definitions/settings \
    model/definitions/runs model/definitions/source model/definitions/results \
    model/definitions/lists model/definitions/alerts model/relations model/lookup model/rights \
    model/log model/periods model/triggers model/tracking model/alert_rules model/alert_findings \
    model/alerts model/check_refreshes model/history model/refresh model/set_option \
    model/describe model/create_model \
    explain/what_if explain/student explain/question explain/runs explain/pictures
# A part with @time@ in it is repeated for each of these.
TIME_TYPES := date timestamp timestamptz

TARGET := $(or $(CARGO_TARGET_DIR),target)
VERSION := $(shell sed -n "s/^default_version *= *'\(.*\)'/\1/p" pg_assess.control)
LIBRARY := $(TARGET)/$(BUILD_PROFILE)/libpg_assess.so
SCRIPT := $(TARGET)/$(BUILD_PROFILE)/pg_assess--$(VERSION).sql

# Asked for when used, as `setup` may only just have installed the server.
PG_MAJOR = $(shell $(PG_CONFIG) --version | sed 's/[^0-9]*\([0-9]*\).*/\1/')
PG_FEATURES = --no-default-features --features pg_assess/pg$(PG_MAJOR)
LIBDIR = $(DESTDIR)$(shell $(PG_CONFIG) --pkglibdir)
EXTENSIONDIR = $(DESTDIR)$(shell $(PG_CONFIG) --sharedir)/extension
CARGO_PG = PGRX_PG_CONFIG_PATH="$$(command -v $(PG_CONFIG))" cargo

export PG_CONFIG
export PATH := $(PATH):$(HOME)/.cargo/bin

.DEFAULT_GOAL := help
.PHONY: help setup build install test test-versions stress fuzz lint demo demo-oulad evaluation bench bench-core clean

help: ## list the targets
	@echo 'make TARGET [PG_CONFIG=/path/to/pg_config] [DESTDIR=] [ROWS=] [STOPS=] [DURATION=] [SEED=] [SECONDS=] [DATA=]'
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 14 | sed 's/^/  /'

setup: ## install what is missing for everything below
	@tests/setup.sh

# `sudo make install` after `make build` needs no Rust toolchain.
build: $(SCRIPT) ## build the release library and the install script
	@command -v "$(PG_CONFIG)" >/dev/null || { echo 'make: no $(PG_CONFIG) here: say PG_CONFIG=/path/to/pg_config' >&2; exit 1; }
	@if command -v cargo >/dev/null; then \
	    $(CARGO_PG) build --profile $(BUILD_PROFILE) -p pg_assess $(PG_FEATURES); \
	else \
	    test -f $(LIBRARY) || { echo 'make: neither cargo nor a built $(LIBRARY)' >&2; exit 1; }; \
	fi

# MODULE_PATHNAME and @extschema@ are filled in by CREATE EXTENSION.
$(SCRIPT): $(SQL_PARTS:%=sql/%.sql) pg_assess.control Makefile
	@mkdir -p $(@D)
	@{ printf '%s\n' '\echo Use "CREATE EXTENSION pg_assess" to load this file. \quit'; \
	   for part in $(SQL_PARTS:%=sql/%.sql); do \
	       if grep -q '@time@' $$part; then \
	           for time in $(TIME_TYPES); do sed "s/@time@/$$time/g" $$part; done; \
	       else cat $$part; fi; \
	   done; } >$@.new && mv $@.new $@

install: build ## install the extension where PG_CONFIG says (DESTDIR is honoured)
	@install -d "$(LIBDIR)" "$(EXTENSIONDIR)"
	install -m 755 $(LIBRARY) "$(LIBDIR)/pg_assess.so"
	install -m 644 pg_assess.control $(SCRIPT) $(wildcard sql/pg_assess--*--*.sql) "$(EXTENSIONDIR)"

test: setup ## run all tests beside a private server and print the totals
	@tests/run.sh

test-versions: setup ## run the client tests on PostgreSQL 15, 16, 17 and 18, as far as these can be had
	@tests/versions.sh 15 16 17 18

stress: setup ## STOPS random cancels and timeouts, then many writers for DURATION seconds, from a SEED
	@$(MAKE) --no-print-directory build
	@tests/with_postgres.sh env STOPS=$(STOPS) DURATION=$(DURATION) SEED=$(SEED) \
	    cargo test --no-fail-fast -p pg_assess_it --test stress_stops --test stress_writers

fuzz: ## each fuzz target of tests/fuzz for SECONDS of processor time (default 60)
	@tests/fuzz/run.sh $(SECONDS)

lint: ## formatting, clippy, unsafe only where allowed, shell scripts, spelling, licences
	cargo fmt --all --check
	$(CARGO_PG) clippy --workspace --all-targets $(PG_FEATURES) -- -D warnings
	cargo clippy -p pg_assess_it --test stress_stops --test stress_writers -- -D warnings
	@tests/lint.sh

demo: setup ## a made-up school network: who needs help, and why?
	@tests/demo/demo.sh

demo-oulad: setup ## the same on real university data: make demo-oulad DATA=directory
	@tests/demo/oulad.sh "$(DATA)"

evaluation: setup ## accuracy on real data into docs/evaluation: make evaluation [DATA=directory]
	cargo run --release -p pg_assess_evaluation -- "$(or $(DATA),../shared/data)" docs/evaluation

bench: setup ## speed and memory on ROWS responses (default ten million)
	@ROWS=$(ROWS) tests/bench/run.sh

bench-core: ## what the core takes for made-up responses, without a server
	cargo bench -p pg_assess_core --bench solvers

clean: ## remove everything that was built
	cargo clean
