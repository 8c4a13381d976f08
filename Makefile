# Penstock
#
#   make               build the programs into build/
#   make check         everything a change must pass: lint, unit (also with
#                      sanitizers), mta, faults, e2e, bounces
#   make demo          a private Postfix, three tenants, real mail; one page
#   make deps          install what is missing (Debian packages), as root
#   make unit          the unit test programs alone, built and run
#   make lint          silence is success
#   make bench         CPU and rate beside OpenDKIM, in one run
#   make soak          the full counts of the crash, fuzz and load rounds
#   make install       DESTDIR=, PREFIX=, SYSCONFDIR=, LOCALSTATEDIR=, UNITDIR=
#   make clean         what was built; distclean: what was unpacked, too
#
# Variables: V=1 shows commands; SANITIZER=address|undefined|thread|...;
# ROUNDS=50 how often the random tests go round; B=build where to build;
# SUITES="lint unit e2e" what check runs.

B ?= build
V ?= 0
PREFIX ?= /usr/local
SYSCONFDIR ?= /etc
LOCALSTATEDIR ?= /var
UNITDIR ?= $(PREFIX)/lib/systemd/system
ROUNDS ?= 50
SANITIZER ?=
CC = gcc
OPT ?= -O2 -g
WARN = -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes \
	-Wpointer-arith -Wformat-security -Werror
HARDEN = -fstack-protector-strong -fstack-clash-protection -fcf-protection \
	-fno-delete-null-pointer-checks -fPIE
CFLAGS = -std=c11 -D_GNU_SOURCE $(OPT) $(WARN) $(HARDEN) -iquote . \
	-I/usr/include/opendkim $(SAN)
LDFLAGS = -pie -Wl,-z,relro,-z,now,--as-needed $(SAN)
ifneq ($(SANITIZER),)
SAN = -fsanitize=$(SANITIZER) -fno-omit-frame-pointer
else
HARDEN += -D_FORTIFY_SOURCE=2
endif

Q_0 = @
Q_1 =
Q = $(Q_$(V))

LIB = $(patsubst %.c,$(B)/%.o,$(wildcard lib/*.c)) $(B)/lib/provider_data.o \
	$(B)/lib/fold_data.o
POLICY = $(patsubst %.c,$(B)/%.o,$(wildcard policy/*.c))
MILTER = $(patsubst %.c,$(B)/%.o,$(filter-out milter/main.c,$(wildcard milter/*.c)))
REPUTATION = $(patsubst %.c,$(B)/%.o,$(wildcard reputation/*.c)) \
	$(B)/reputation/bounces_data.o $(B)/reputation/backoff_data.o \
	$(B)/reputation/reputation_data.o
TOOLS = $(patsubst %.c,$(B)/%.o,$(filter-out tools/penstock.c,$(wildcard tools/*.c))) \
	$(B)/tools/report_css.o
UNIT = $(patsubst tests/unit/%.c,$(B)/unit/%,$(wildcard tests/unit/*.c))

# A folder below tools/ is one program, penstock-FOLDER, and may use a library
# of its own: LIBS_FOLDER.  Its objects without main are there for the tests.
FOLDERS = $(patsubst tools/%/main.c,%,$(wildcard tools/*/main.c))
folder = $(patsubst %.c,$(B)/%.o,$(filter-out %/main.c,$(wildcard tools/$1/*.c)))
FOLDER_OBJECTS = $(patsubst %.c,$(B)/%.o,$(filter-out %/main.c,$(wildcard \
	tools/*/*.c)))
PROGRAMS = $(addprefix $(B)/,penstock-milter penstock \
	$(addprefix penstock-,$(FOLDERS)))

LIBS_FLOOR = -llmdb -lcrypto -lidn2 -ljansson -lpthread -lm
LIBS_TOOLS = -lopendkim -lz -lsystemd $(LIBS_FLOOR)
LIBS_MILTER = -lmilter $(LIBS_FLOOR)
LIBS_ingest = -lgmime-3.0 -lgobject-2.0 -lgio-2.0 -lglib-2.0 -lexpat -lz -ljansson \
	-lsystemd
LIBS_unsubscribe = -lmicrohttpd
LIBS_alert = -lcurl
LIBS_ALL = $(foreach f,$(notdir $(patsubst %/,%,$(wildcard tools/*/))),$(LIBS_$f)) \
	-lmilter $(LIBS_TOOLS)
GMIME_CFLAGS = $(shell pkg-config --cflags gmime-3.0 2>/dev/null)

all: $(PROGRAMS)

$(B)/penstock-milter: $(B)/milter/main.o $(MILTER) $(POLICY) $(LIB)
	@echo "  LD  $@"
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ $(LIBS_MILTER)

# What reads a log, for the command line, too.
LOG_READER = $(addprefix $(B)/tools/ingest/,once.o ingest.o source.o follow.o \
	follow_find.o gz.o journal.o breakers.o decisions.o)
$(B)/penstock: $(B)/tools/penstock.o $(TOOLS) $(LOG_READER) $(POLICY) \
	$(REPUTATION) $(LIB)
	@echo "  LD  $@"
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ $(LIBS_TOOLS)

define program
$(B)/penstock-$1: $(B)/tools/$1/main.o $(call folder,$1) $$(POLICY) \
	$$(REPUTATION) $$(LIB)
	@echo "  LD  $$@"
	$$(Q)$$(CC) $$(LDFLAGS) -o $$@ $$^ $$(LIBS_$1) $$(LIBS_FLOOR)
endef
$(foreach f,$(FOLDERS),$(eval $(call program,$f)))

$(B)/unit/%: $(B)/tests/unit/%.o $(FOLDER_OBJECTS) $(MILTER) $(TOOLS) \
	$(POLICY) $(REPUTATION) $(LIB)
	@mkdir -p $(@D)
	@echo "  LD  $@"
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ -lcmocka $(LIBS_ALL)

$(B)/tools/ingest/%.o $(B)/tests/bounces/%.o: CFLAGS += $(GMIME_CFLAGS)
$(B)/%.o: %.c $(B)/flags
	@mkdir -p $(@D)
	@echo "  CC  $<"
	$(Q)$(CC) $(CFLAGS) -MMD -MP -c -o $@ $<

# Text that is compiled in, so that no installed file is needed: $1 is made
# from $2 and holds the string $(notdir $1).
define data
$(B)/$1.c: $2
	@mkdir -p $$(@D)
	$$(Q)( echo '/* made from $$< */'; \
	  echo 'extern const char $(notdir $1)[];'; \
	  echo 'const char $(notdir $1)[] ='; \
	  sed -e 's/\\/\\\\/g' -e 's/["?]/\\&/g' -e 's/.*/	"&\\n"/' $$<; \
	  echo '	;' ) > $$@
$(B)/$1.o: $(B)/$1.c $(B)/flags
	$$(Q)$$(CC) $$(CFLAGS) -c -o $$@ $$<
endef
$(eval $(call data,lib/provider_data,conf/providers.conf))
$(eval $(call data,lib/fold_data,conf/folding.conf))
$(eval $(call data,reputation/bounces_data,conf/bounces.rules))
$(eval $(call data,reputation/backoff_data,conf/backoff.conf))
$(eval $(call data,reputation/reputation_data,conf/reputation.conf))
$(eval $(call data,tools/report_css,tools/report.css))

# Rebuild when the flags change.
$(B)/flags: FORCE
	@mkdir -p $(@D)
	@echo '$(CC) $(CFLAGS) $(LDFLAGS)' | cmp -s - $@ || \
		echo '$(CC) $(CFLAGS) $(LDFLAGS)' > $@

programs: all $(UNIT)

# --- the commands of the two lines in README ----------------------------------
deps:
	@tests/deps

# Sanitizers get a build of their own; what races gets a second one.
RACES = ledger policy writer db key reload session stage obey warmer pacer
check: deps
	@tests/run $(SUITES)

demo: deps
	@$(MAKE) --no-print-directory all
	@B=$(B) tests/demo/run

unit:
	@tests/run unit

lint:
	@tests/lint

bench: deps
	@$(MAKE) --no-print-directory all $(B)/bench/load \
	    $(B)/bench/bounce $(B)/bench/events $(B)/bench/cells
	@B=$(B) tests/bench/run
	@B=$(B) tests/bench/size
	@B=$(B) tests/bench/ingest
	@B=$(B) tests/bench/ingest --events
	@B=$(B) tests/bench/rollup
	@$(B)/bench/bounce

$(B)/bench/load: tests/bench/load.c $(B)/flags
	@mkdir -p $(@D)
	@echo "  LD  $@"
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $< -lpthread

$(B)/bench/bounce: $(B)/tests/bench/bounce.o $(REPUTATION) $(LIB)
	@mkdir -p $(@D)
	@echo "  LD  $@"
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ $(LIBS_FLOOR)

$(B)/bench/events: $(B)/tests/bench/events.o $(LIB)
	@mkdir -p $(@D)
	@echo "  LD  $@"
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ $(LIBS_FLOOR)

$(B)/bench/cells: $(B)/tests/bench/cells.o $(REPUTATION) $(LIB)
	@mkdir -p $(@D)
	@echo "  LD  $@"
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ $(LIBS_FLOOR)

# The stores that tests/e2e/test_report.py shows.
$(B)/fill/report: $(B)/tests/lib/report_fill.o $(POLICY) $(REPUTATION) $(LIB)
	@mkdir -p $(@D)
	@echo "  LD  $@"
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ $(LIBS_FLOOR)

# What tests/bounces/run reads the labelled messages with.
$(B)/bounces/said: $(B)/tests/bounces/said.o $(FOLDER_OBJECTS) \
	$(POLICY) $(REPUTATION) $(LIB)
	@mkdir -p $(@D)
	@echo "  LD  $@"
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ $(LIBS_ALL)

# What tests/e2e/test_advice.py fills a store with.
$(B)/judge: $(B)/tests/lib/judge.o $(REPUTATION) $(LIB)
	@mkdir -p $(@D)
	@echo "  LD  $@"
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ $(LIBS_FLOOR)

# One round of penstock-alert's questions, for tests/e2e/test_fetch.py.
$(B)/snapshots/fetch: $(B)/tests/snapshots/fetch.o $(FOLDER_OBJECTS) \
	$(TOOLS) $(POLICY) $(REPUTATION) $(LIB)
	@mkdir -p $(@D)
	@echo "  LD  $@"
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ $(LIBS_ALL)

soak:
	@tests/deps soak
	@B=$(B) tests/soak

# What tests/run builds: the programs of a sanitizer that have races to show.
races: $(filter $(addprefix $(B)/unit/,\
	$(addsuffix %,$(RACES))),$(UNIT))

# --- fuzz targets ---------------------------------------------------------------
# fuzz: with clang's libFuzzer, as tests/soak calls it.  replay: the inputs that
# are kept, with any compiler, as tests/run does.  A target may include the .c
# that it is about, so a symbol may come twice.
FUZZ = $(patsubst tests/fuzz/%.c,%,$(wildcard tests/fuzz/*.c))
fuzz: $(addprefix $(B)/bin/,$(FUZZ))
replay: $(addprefix $(B)/replay/,$(FUZZ))
$(B)/bin/%: $(B)/tests/fuzz/%.o $(FOLDER_OBJECTS) $(MILTER) $(TOOLS) \
	$(POLICY) $(REPUTATION) $(LIB)
	@mkdir -p $(@D)
	@echo "  LD  $@"
	$(Q)$(CC) $(LDFLAGS) -fsanitize=fuzzer -Wl,-z,muldefs -o $@ $^ $(LIBS_ALL)
$(B)/replay/%: $(B)/tests/fuzz/%.o $(B)/tests/lib/replay.o $(FOLDER_OBJECTS) \
	$(MILTER) $(TOOLS) $(POLICY) $(REPUTATION) $(LIB)
	@mkdir -p $(@D)
	@echo "  LD  $@"
	$(Q)$(CC) $(LDFLAGS) -Wl,-z,muldefs -o $@ $^ $(LIBS_ALL)

# --- install --------------------------------------------------------------------
MAN1 = $(wildcard man/*.1)
MAN5 = $(wildcard man/*.5)
MAN8 = $(wildcard man/*.8)
D = $(DESTDIR)
ETC = $(D)$(SYSCONFDIR)/penstock

install: all
	install -d $(D)$(PREFIX)/sbin $(D)$(PREFIX)/bin $(D)$(UNITDIR) \
	    $(D)$(PREFIX)/share/man/man1 $(D)$(PREFIX)/share/man/man5 \
	    $(D)$(PREFIX)/share/man/man8 $(ETC)/tenants.d \
	    $(D)$(LOCALSTATEDIR)/lib
	install -d -m 0750 $(ETC)/keys
	install -m 0755 $(filter-out $(B)/penstock,$(PROGRAMS)) $(D)$(PREFIX)/sbin/
	install -m 0755 $(B)/penstock $(D)$(PREFIX)/bin/
	install -m 0644 $(MAN1) $(D)$(PREFIX)/share/man/man1/
	install -m 0644 $(MAN5) $(D)$(PREFIX)/share/man/man5/
	install -m 0644 $(MAN8) $(D)$(PREFIX)/share/man/man8/
	install -D -m 0644 conf/bounces.rules \
	    $(D)$(PREFIX)/share/penstock/bounces.rules
	install -D -m 0644 conf/backoff.conf \
	    $(D)$(PREFIX)/share/penstock/backoff.conf
	install -D -m 0644 conf/reputation.conf \
	    $(D)$(PREFIX)/share/penstock/reputation.conf
	for f in conf/*.service; do \
		sed -e 's,@SBINDIR@,$(PREFIX)/sbin,g' \
		    -e 's,@BINDIR@,$(PREFIX)/bin,g' \
		    -e 's,@SYSCONFDIR@,$(SYSCONFDIR),g' $$f \
		    > $(D)$(UNITDIR)/$${f#conf/} && \
		chmod 0644 $(D)$(UNITDIR)/$${f#conf/} || exit 1; \
	done
	install -m 0644 conf/tenants.d/README $(ETC)/tenants.d/
	install -d $(D)$(PREFIX)/share/doc/penstock
	install -m 0644 README INSTALL CHANGES LICENSE \
	    $(D)$(PREFIX)/share/doc/penstock/
	cp -R conf/examples $(D)$(PREFIX)/share/doc/penstock/
	@for f in penstock.conf policy.conf; do \
		if [ ! -e conf/$$f ]; then :; \
		elif [ -e $(ETC)/$$f ]; then \
			echo "$(ETC)/$$f is there already: left alone"; \
		else \
			echo "install -m 0644 conf/$$f $(ETC)/$$f"; \
			install -m 0644 conf/$$f $(ETC)/$$f; \
		fi; \
	done

# --- tidy -----------------------------------------------------------------------
clean:
	@if [ -d $(B) ]; then find $(B) -mindepth 1 -maxdepth 1 \
	    ! -name postfix ! -name opendkim -exec rm -rf {} +; fi

distclean:
	rm -rf $(B)

help:
	@sed -n -e 's/^#   //p' -e '/^# Variables/,/^$$/s/^# //p' Makefile

.PHONY: all programs deps check demo unit lint bench soak races fuzz replay install \
	clean distclean help FORCE
.SECONDARY:
-include $(shell find $(B) -name '*.d' -type f 2>/dev/null)
