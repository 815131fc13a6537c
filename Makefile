# Switchpoint's build. Everything made goes below $(BUILD); nothing else is touched.
#
# `make help` lists the targets, a line each.

VERSION := 0.1.0
PREFIX  ?= /usr/local
DESTDIR ?=
BUILD   ?= build

CFLAGS   ?= -O2 -g
# What the code needs, whatever CFLAGS the user chose. SANITIZE=address,undefined or thread.
SANITIZE ?=
WERROR   ?=
OWN_CFLAGS := -std=gnu17 -pthread -I. -Wall -Wextra -Wshadow -Wconversion -Wvla \
              -Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith -Wwrite-strings \
              $(if $(WERROR),-Werror) \
              $(if $(SANITIZE),-fsanitize=$(SANITIZE) -fno-omit-frame-pointer -fno-sanitize-recover=all)
OWN_CPPFLAGS := -D_GNU_SOURCE -DSWITCHPOINT_VERSION='"$(VERSION)"' -I$(BUILD)/generated
# gcc's two sanitizers share one place for their reports only when both are linked statically.
OWN_LDFLAGS  := -pthread $(if $(SANITIZE),-fsanitize=$(SANITIZE)) \
                $(if $(findstring clang,$(CC)),,$(if $(findstring address,$(SANITIZE)),-static-libasan -static-libubsan))

PKG_CONFIG ?= pkg-config
PKGS := jansson inih gsl zlib hiredis sqlite3
# What one model needs and the others do not: PKGS_NAME.
PKGS_uring := liburing
MODEL_PKGS := $(foreach v,$(filter PKGS_%,$(.VARIABLES)),$($(v)))
ifeq ($(filter clean help,$(MAKECMDGOALS)),)
missing := $(strip $(foreach p,$(PKGS) $(MODEL_PKGS),$(shell $(PKG_CONFIG) --exists $(p) || echo $(p))))
ifneq ($(missing),)
$(error not installed: $(missing). Run scripts/setup, which installs what the build needs)
endif
endif
PKG_CFLAGS := $(shell $(PKG_CONFIG) --cflags $(PKGS) 2>/dev/null)
JSON_LIBS  := $(shell $(PKG_CONFIG) --libs jansson 2>/dev/null)
ZLIB_LIBS  := $(shell $(PKG_CONFIG) --libs zlib 2>/dev/null)
INI_LIBS   := $(shell $(PKG_CONFIG) --libs inih 2>/dev/null)
BACKEND_LIBS := $(shell $(PKG_CONFIG) --libs hiredis sqlite3 2>/dev/null)
GSL_LIBS   := $(shell $(PKG_CONFIG) --libs gsl 2>/dev/null)

# llhttp: a shared library where the distribution has one; Debian's node-llhttp ships its C sources.
ifeq ($(shell $(PKG_CONFIG) --exists libllhttp && echo yes),yes)
LLHTTP_CFLAGS := $(shell $(PKG_CONFIG) --cflags libllhttp)
LLHTTP_LIBS   := $(shell $(PKG_CONFIG) --libs libllhttp)
LLHTTP_OBJ    :=
else
LLHTTP_CFLAGS := -isystem /usr/share/include/llhttp
LLHTTP_LIBS   :=
LLHTTP_OBJ    := $(patsubst %,$(BUILD)/llhttp/%.o,api http llhttp)
endif

objects = $(patsubst %.c,$(BUILD)/%.o,$(filter-out %/main.c,$(foreach d,$(1),$(wildcard $(d)/*.c))))

COMMON_OBJ  := $(call objects,common)
SERVER_OBJ  := $(call objects,servers servers/http servers/handler servers/backend) $(BUILD)/servers/main.o
LOADGEN_OBJ := $(call objects,loadgen)
BENCH_OBJ   := $(call objects,bench/*)
SWITCHES_OBJ := $(call objects,switches)

ALL_MODELS  := $(subst _,-,$(patsubst servers/models/%.c,%,$(wildcard servers/models/*.c)))
SERVERS     := $(patsubst %,$(BUILD)/bin/server-%,$(ALL_MODELS))
PROGRAMS    := $(SERVERS) $(BUILD)/bin/loadgen $(BUILD)/bin/bench $(BUILD)/bin/specimen $(BUILD)/bin/switches

UNIT_TESTS  := $(patsubst tests/unit/%.c,$(BUILD)/tests/%,$(wildcard tests/unit/test_*.c))

.PHONY: all
all: $(PROGRAMS) ## the servers, loadgen and bench, in build/bin/

.PHONY: help
help:
	@sed -n 's/^\([a-z0-9-]*\):.*## \(.*\)/make \1|\2/p' Makefile | awk -F'|' '{printf "%-20s %s\n", $$1, $$2}'

# --- compile and link -------------------------------------------------------------------------

$(BUILD)/%.o: %.c $(BUILD)/flags
	@mkdir -p $(@D)
	$(CC) $(OWN_CPPFLAGS) $(CPPFLAGS) $(OWN_CFLAGS) $(LLHTTP_CFLAGS) $(PKG_CFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<

# Shadow stacks and a second stack do not go together: see there.
$(BUILD)/common/coroutine_switch.o: OWN_CFLAGS += -fcf-protection=none

# Another project's code: its warnings are not ours to mend.
$(BUILD)/llhttp/%.o: /usr/share/llhttp/%.c $(BUILD)/flags
	@mkdir -p $(@D)
	$(CC) -DLLHTTP_STRICT_MODE=1 $(LLHTTP_CFLAGS) $(filter -fsanitize% -fno-omit%,$(OWN_CFLAGS)) $(CFLAGS) -w -c -o $@ $<

# The names of system calls, as the headers of the machine that is compiled for have them.
SYSCALL_NAMES := $(BUILD)/generated/syscall_names.h
$(SYSCALL_NAMES): $(BUILD)/flags
	@mkdir -p $(@D)
	echo '#include <sys/syscall.h>' | $(CC) $(CPPFLAGS) $(CFLAGS) -E -dM -x c - | \
	    sed -n 's/^#define SYS_\([a-z0-9_]*\) .*/{SYS_\1, "\1"},/p' | sort > $@
	@test -s $@ || { echo "$(CC) finds no system calls in <sys/syscall.h>" >&2; exit 1; }
$(BUILD)/loadgen/probe_syscalls.o: $(SYSCALL_NAMES)

# Rewritten only when the flags change, so that objects are never a mixture of two builds.
BUILD_FLAGS = $(CC) $(OWN_CPPFLAGS) $(CPPFLAGS) $(OWN_CFLAGS) $(CFLAGS) $(LDFLAGS)
.PHONY: FORCE
$(BUILD)/flags: FORCE
	@mkdir -p $(@D)
	@printf '%s\n' '$(subst ','\'',$(BUILD_FLAGS))' | cmp -s - $@ || printf '%s\n' '$(subst ','\'',$(BUILD_FLAGS))' > $@

link = $(CC) $(OWN_LDFLAGS) $(CFLAGS) $(LDFLAGS) -o $@ $(filter %.o,$^) $(1) $(LDLIBS)

# What the programs share: each takes from the archive just what it names.
COMMON := $(BUILD)/parts/common.a
$(COMMON): $(COMMON_OBJ) $(LLHTTP_OBJ)
archive = rm -f $@ && $(AR) rcs $@ $(filter %.o,$^)
$(BUILD)/parts/%.a:
	@mkdir -p $(@D)
	$(archive)

$(BUILD)/bin/loadgen: $(BUILD)/loadgen/main.o $(LOADGEN_OBJ) $(COMMON)
	@mkdir -p $(@D)
	$(call link,$(COMMON) -lev $(LLHTTP_LIBS) $(JSON_LIBS) $(GSL_LIBS) $(ZLIB_LIBS) -lm)

$(BUILD)/bin/bench: $(BUILD)/bench/main.o $(BENCH_OBJ) $(COMMON)
	@mkdir -p $(@D)
	$(call link,$(COMMON) $(INI_LIBS) $(JSON_LIBS) $(GSL_LIBS) $(ZLIB_LIBS) -lm)

# Known costs, to hold the instrument against.
$(BUILD)/bin/specimen: $(BUILD)/tests/specimen/main.o $(COMMON)
	@mkdir -p $(@D)
	$(call link,$(COMMON))

$(BUILD)/bin/switches: $(BUILD)/switches/main.o $(SWITCHES_OBJ) $(COMMON)
	@mkdir -p $(@D)
	$(call link,$(COMMON) -lev $(JSON_LIBS) $(GSL_LIBS) -lm)

# A model is one file, and the one difference between two servers.
define server_rule
$(BUILD)/servers/models/$(subst -,_,$(1)).o: PKG_CFLAGS += $(if $(PKGS_$(1)),$(shell $(PKG_CONFIG) --cflags $(PKGS_$(1))))
$(BUILD)/bin/server-$(1): $(BUILD)/servers/models/$(subst -,_,$(1)).o $(SERVER_OBJ) $(COMMON)
	@mkdir -p $$(@D)
	$$(call link,$(COMMON) -lev $$(LLHTTP_LIBS) $$(BACKEND_LIBS) $(if $(PKGS_$(1)),$(shell $(PKG_CONFIG) --libs $(PKGS_$(1)))) -lm)
endef
$(foreach m,$(ALL_MODELS),$(eval $(call server_rule,$(m))))

# --- measuring --------------------------------------------------------------------------------

PROFILE ?= standard
BENCH_OPTIONS = $(if $(MODELS),--models $(MODELS)) $(if $(TARGETS),--targets $(TARGETS)) $(if $(WORKLOADS),--workloads $(WORKLOADS)) \
                $(if $(TIME),--time $(TIME)) $(if $(TRIALS),--trials $(TRIALS)) $(if $(SEED),--seed $(SEED))

.PHONY: bench plots demo validate switches
bench: all ## measure, answer and plot: ten minutes (TIME=, PROFILE=, MODELS=, TARGETS=, WORKLOADS=, SEED=)
	$(BUILD)/bin/bench run --profile $(PROFILE) $(BENCH_OPTIONS)

plots: $(BUILD)/bin/bench ## draw the plots of results/latest again
	@$(BUILD)/bin/bench plot results/latest

validate: all ## hold the instrument against known truths and theory (half an hour; SHORT=1: five minutes)
	$(BUILD)/bin/bench validate $(if $(SHORT),--short) $(if $(CHECKS),--checks $(CHECKS))

switches: all ## what a context switch costs here (a minute; QUICK=1: ten seconds)
	$(BUILD)/bin/bench switches $(if $(QUICK),--quick) $(if $(TRIALS),--trials $(TRIALS)) $(if $(SEED),--seed $(SEED))

demo: all ## half a minute for a classroom: four models, four workloads, and the answer
	@$(BUILD)/bin/bench run --time 30s --models blocking,thread-per-connection,thread-pool,epoll \
	    --workloads hello-keepalive,hello-close,io,cpu $(BENCH_OPTIONS)

# The least that a server can be, for comparison.
$(BUILD)/peers/%: tests/peers/%.c $(BUILD)/flags
	@mkdir -p $(@D)
	$(CC) $(OWN_CPPFLAGS) $(CPPFLAGS) $(OWN_CFLAGS) $(CFLAGS) $(OWN_LDFLAGS) $(LDFLAGS) -o $@ $<

# What it costs to record a sample.
$(BUILD)/peers/record_cost: $(BUILD)/tests/peers/record_cost.o $(COMMON)
	$(call link,$(COMMON) $(GSL_LIBS) -lm)

# A library that need not be there: compare-peers says so.
HAS_MICROHTTPD := $(shell $(PKG_CONFIG) --exists libmicrohttpd && echo yes)
$(BUILD)/peers/microhttpd_server: $(BUILD)/tests/peers/microhttpd_server.o
	@mkdir -p $(@D)
	$(call link,$(shell $(PKG_CONFIG) --libs libmicrohttpd))

PEERS := $(patsubst %,$(BUILD)/peers/%,floor_server record_cost $(if $(HAS_MICROHTTPD),microhttpd_server))
.PHONY: compare-peers
compare-peers: all $(PEERS) ## against nginx, Apache, lighttpd, libmicrohttpd, wrk, h2load and perf: a table of ratios (PARTS=, ROUNDS=)
	scripts/compare-peers $(BUILD) $(PARTS)

# --- tests ------------------------------------------------------------------------------------

# Each part of the suite is an archive, from which a test takes just the members that it names:
# the parts need not know of each other's names.
TEST_PARTS := $(patsubst %,$(BUILD)/parts/%.a,servers loadgen bench switches) $(COMMON)
$(BUILD)/parts/servers.a: $(filter-out %/main.o,$(SERVER_OBJ))
$(BUILD)/parts/loadgen.a: $(LOADGEN_OBJ)
$(BUILD)/parts/bench.a: $(BENCH_OBJ)
$(BUILD)/parts/switches.a: $(SWITCHES_OBJ)

$(BUILD)/tests/%: $(BUILD)/tests/unit/%.o $(TEST_PARTS)
	@mkdir -p $(@D)
	$(call link,$(TEST_PARTS) -lcmocka -lev $(LLHTTP_LIBS) $(BACKEND_LIBS) $(INI_LIBS) $(JSON_LIBS) $(GSL_LIBS) $(ZLIB_LIBS) -lm)

.PHONY: test unit e2e test-programs
test: ## unit tests, then end-to-end tests against every server binary (E2E=: only those whose name begins so)
	@$(MAKE) --no-print-directory $(if $(findstring -j,$(MAKEFLAGS)),,-j$(shell nproc)) test-programs
	@$(MAKE) --no-print-directory unit
	@$(MAKE) --no-print-directory e2e

# What a test prints is shown when it fails.
UNIT_LIMIT_S := $(if $(SANITIZE),300,60)
unit: $(UNIT_TESTS) ## the unit tests alone
	@for t in $(UNIT_TESTS); do \
	    timeout $(UNIT_LIMIT_S) $$t >$$t.log 2>&1 && continue; \
	    echo "FAILED  $$t, status $$?"; cat $$t.log; exit 1; \
	done
	@echo "ok      unit tests ($(words $(UNIT_TESTS)) programs)"

# Servers that misbehave, and the like.
E2E_HELPERS := $(patsubst tests/e2e/helpers/%.c,$(BUILD)/tests/helpers/%,$(wildcard tests/e2e/helpers/*.c))
$(BUILD)/tests/helpers/%: $(BUILD)/tests/e2e/helpers/%.o
	@mkdir -p $(@D)
	$(call link)

# The load generator with one piece replaced, to see that bench validate catches it.
SPOILED := $(patsubst %,$(BUILD)/tests/helpers/loadgen-%,histogram probe)
$(BUILD)/tests/helpers/loadgen-histogram: WRAPPED = --wrap=histogram_quantile_ns
$(BUILD)/tests/helpers/loadgen-probe: WRAPPED = --wrap=ledger_read
$(SPOILED): $(BUILD)/tests/helpers/loadgen-%: $(BUILD)/tests/spoiled/%.o $(BUILD)/loadgen/main.o $(LOADGEN_OBJ) $(COMMON)
	@mkdir -p $(@D)
	$(call link,-Xlinker $(WRAPPED) $(COMMON) -lev $(LLHTTP_LIBS) $(JSON_LIBS) $(GSL_LIBS) $(ZLIB_LIBS) -lm)

# A server with an option that changes how it waits is held to the same.
VARIANTS := $(patsubst %,$(BUILD)/tests/%/server-epoll,select poll)
$(VARIANTS): $(BUILD)/tests/%/server-epoll: $(BUILD)/bin/server-epoll
	@mkdir -p $(@D)
	printf '#!/bin/sh\nexec %s --backend %s "$$@"\n' '$(abspath $<)' $* > $@
	chmod +x $@

test-programs: all $(UNIT_TESTS) $(E2E_HELPERS) $(SPOILED) $(VARIANTS)

e2e: all $(E2E_HELPERS) $(SPOILED) $(VARIANTS) ## the end-to-end tests alone (E2E=: only those whose name begins so)
	@SANITIZE=$(SANITIZE) TEST_LIMIT_S=$(if $(SANITIZE),240,120) tests/run $(BUILD) $(E2E)

# The same tests, by binaries that watch themselves. A defect ends the process with a report.
.PHONY: test-asan test-tsan
test-asan: ## all tests under AddressSanitizer and UndefinedBehaviorSanitizer
	$(MAKE) BUILD=build-asan SANITIZE=address,undefined CFLAGS='-O1 -g' test

test-tsan: ## what has threads, under ThreadSanitizer and under load
	$(MAKE) BUILD=build-tsan SANITIZE=thread CFLAGS='-O1 -g' all
	tests/tsan build-tsan/bin

# libFuzzer needs clang, and every object compiled for it.
FUZZ_SECONDS ?= 300
FUZZERS := $(patsubst tests/fuzz/%.c,$(BUILD)/fuzz/%,$(wildcard tests/fuzz/fuzz_*.c))
$(BUILD)/fuzz/%: $(BUILD)/tests/fuzz/%.o $(TEST_PARTS)
	@mkdir -p $(@D)
	$(call link,$(TEST_PARTS) -fsanitize=fuzzer $(LLHTTP_LIBS) $(BACKEND_LIBS) $(GSL_LIBS) $(ZLIB_LIBS) -lm)

.PHONY: fuzz fuzz-build
fuzz-build: $(FUZZERS)
fuzz: ## each fuzz target for FUZZ_SECONDS (300), under ASan and UBSan
	$(MAKE) BUILD=build-fuzz CC=clang SANITIZE=address,undefined CFLAGS='-O1 -g -fsanitize=fuzzer-no-link' fuzz-build
	@printf '%s\n' $(patsubst tests/fuzz/%.c,%,$(wildcard tests/fuzz/fuzz_*.c)) | xargs -P $$(nproc) -I{} sh -c ' \
	    mkdir -p build-fuzz/corpus/{} tests/fuzz/corpus; \
	    build-fuzz/fuzz/{} -max_total_time=$(FUZZ_SECONDS) -max_len=8192 -timeout=10 \
	        -dict=tests/fuzz/http.dict -artifact_prefix=build-fuzz/{}- -print_final_stats=1 \
	        build-fuzz/corpus/{} tests/fuzz/corpus 2>build-fuzz/{}.log \
	        || { tail -n 60 build-fuzz/{}.log; exit 1; }; \
	    echo "{}: $$(grep -E "number_of_executed_units|DONE" build-fuzz/{}.log)"'

# --- linters ----------------------------------------------------------------------------------

C_SOURCES := $(wildcard $(addsuffix /*.c,common servers servers/* loadgen bench bench/* switches tests/specimen tests/peers))
C_FILES    = $(C_SOURCES) $(wildcard $(addsuffix /*.h,common servers servers/* loadgen bench/* switches)) \
             $(wildcard tests/unit/*.c tests/unit/*.h tests/fuzz/*.c tests/e2e/helpers/*.c tests/spoiled/*.c)
SCRIPTS    = scripts/setup scripts/readme-answer scripts/compare-peers scripts/model-figures .ci/run tests/run tests/tsan tests/spoiled/waiting-loadgen

.PHONY: lint
lint: $(SYSCALL_NAMES) ## clang-format, clang-tidy, cppcheck and shellcheck
	clang-format --dry-run -Werror $(C_FILES)
	printf '%s\n' $(C_SOURCES) | xargs -P $$(nproc) -I{} clang-tidy --quiet {} -- \
	    $(OWN_CPPFLAGS) -std=gnu17 -I. $(LLHTTP_CFLAGS) $(PKG_CFLAGS)
	cppcheck --quiet --enable=warning,performance,portability --inline-suppr --error-exitcode=1 -I. \
	    --std=c11 --suppress=missingIncludeSystem --suppress=ctuuninitvar --suppress=invalidPointerCast \
	    '-Djson_array_foreach(a,i,v)=for(;;)' '-Djson_object_foreach(o,k,v)=for(;;)' $(C_SOURCES)
	shellcheck $(SCRIPTS)
	shellcheck --severity=error --shell=bash $(wildcard tests/e2e/*.bats tests/e2e/*.bash)

# --- house keeping ----------------------------------------------------------------------------

.PHONY: clean
clean: ## remove what was built (results stay)
	rm -rf $(BUILD) $(wildcard build-*)

.PHONY: install
install: all ## into $(DESTDIR)$(PREFIX)
	install -d $(DESTDIR)$(PREFIX)/bin
	install $(PROGRAMS) $(DESTDIR)$(PREFIX)/bin
	install -d $(DESTDIR)$(PREFIX)/share/switchpoint/workloads $(DESTDIR)$(PREFIX)/share/switchpoint/scripts/plot
	install -m 644 workloads/*.conf workloads/*.mix $(DESTDIR)$(PREFIX)/share/switchpoint/workloads
	install -d $(DESTDIR)$(PREFIX)/share/switchpoint/targets
	install -m 644 targets/*.conf $(DESTDIR)$(PREFIX)/share/switchpoint/targets
	install -m 644 scripts/plot/*.gp $(DESTDIR)$(PREFIX)/share/switchpoint/scripts/plot

-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)
.SECONDARY:
.DELETE_ON_ERROR:
