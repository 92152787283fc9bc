# SPDX-License-Identifier: GPL-2.0-only
#
# kmq: dispatches to the parts. "make help" lists what there is.

PREFIX	?= /usr/local
DESTDIR	?=
KVER ?= $(shell uname -r)
KDIR	?= /lib/modules/$(KVER)/build

B	:= $(CURDIR)/build
MODULE	:= $(B)/module/$(KVER)
SETUP	:= tests/setup/packages
export PREFIX DESTDIR

# Only with the headers of the running kernel; the rest does without.
have_headers := $(wildcard $(KDIR)/Makefile)

all: $(if $(have_headers),modules) lib tools
	$(if $(have_headers),,@echo "No headers at $(KDIR): module not built (apt install linux-headers-$(KVER))")

help:
	@echo 'Try it'
	@echo '  demo          boots a guest and shows what kmq does (under a minute)'
	@echo '  vm            a root prompt in a guest with kmq loaded'
	@echo '  vm-shell      one more terminal in that guest'
	@echo 'Build and install'
	@echo '  all           module for the running kernel, library, tools'
	@echo '  modules lib tools'
	@echo '  install       library, tools and module; PREFIX=$(PREFIX) DESTDIR='
	@echo '  modules_install'
	@echo '  clean'
	@echo 'Test'
	@echo '  check         everything, on Linux 6.1 in a guest'
	@echo '  check-user    what needs no guest and no network'
	@echo '  check-matrix  what of it runs in the guest, on 5.10, 6.1, 6.12 and 7.x'
	@echo '  check-debug   the same on kernels with KASAN, lockdep, KCSAN ...'
	@echo '  check-all     all there is'
	@echo '  soak          stress at random, for SOAK="--seconds N" and a seed'
	@echo '  style         sparse, checkpatch, shellcheck, man pages'
	@echo '  bench         instructions per message, into build/bench/icount.json'
	@echo 'demo, vm, check and bench install the Debian packages they need.'

# A copy, so that the sources stay clean.
modules:
	@mkdir -p $(MODULE)
	cp -ru --preserve=timestamps Kbuild kmod $(MODULE)/
	$(MAKE) -C $(KDIR) M=$(MODULE) modules

# Headers of distributions lack the key, which gives errors that mean nothing,
# and System.map, without which the kernel's Makefile runs no depmod.
modules_install:
	$(MAKE) -C $(KDIR) M=$(MODULE) \
		$(if $(wildcard $(KDIR)/certs/signing_key.pem),,CONFIG_MODULE_SIG_ALL=) \
		$(if $(DESTDIR),INSTALL_MOD_PATH=$(DESTDIR)) modules_install
	$(if $(DESTDIR),,/sbin/depmod $(KVER))

lib:
	$(MAKE) -C libkmq O=$(B)/libkmq

tools: lib
	$(MAKE) -C tools O=$(B)/tools

have_module := $(wildcard $(MODULE)/kmod/kmq.ko)

install: $(if $(have_module),modules_install)
	$(MAKE) -C libkmq O=$(B)/libkmq install
	$(MAKE) -C tools O=$(B)/tools install
	$(MAKE) -C tools/dist install
	$(if $(have_module),,@echo "No module built for $(KVER): none installed")

check:
	@$(SETUP) user abi32 vm style
	@tests/run --level check

check-user:
	@tests/run --level user

check-matrix:
	@$(SETUP) user abi32 vm matrix
	@tests/run --level all --beyond check --only guest --kernels '^[567]'

check-debug:
	@$(SETUP) user abi32 vm debug
	@tests/run --level all --beyond check --only guest --kernels '^k[ac]san$$'

# BEYOND=check leaves out what "make check" runs.
check-all:
	@$(SETUP) user abi32 vm style matrix debug static fuzz
	@tests/run --level all $(if $(BEYOND),--beyond $(BEYOND))

# SOAK="--seconds N --seed S ...": see tests/soak
soak:
	@$(SETUP) user vm
	@tests/soak $(SOAK)

style:
	@$(SETUP) vm style
	@tests/build/style

guest-ready:
	@$(SETUP) user vm
	@tests/build/module >/dev/null
	@$(MAKE) -s lib tools
	@$(MAKE) -s -C tools/demo O=$(B)/demo

demo: guest-ready
	@tests/vm/run $$([ ! -t 1 ] || echo --tty) --timeout 180 -- \
		tools/demo/demo.sh

# A shell ends with the status of its last command: no failure of ours.
vm: guest-ready
	@tests/vm/interactive || [ $$? -lt 120 ]

vm-shell:
	@tests/vm/shell || [ $$? -lt 120 ]

bench:
	@$(SETUP) user vm
	@tests/bench/run

clean:
	rm -rf $(B)

.PHONY: all help modules modules_install lib tools install check check-user \
	check-matrix check-debug check-all soak style guest-ready demo vm vm-shell bench clean
