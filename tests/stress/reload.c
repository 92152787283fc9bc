// SPDX-License-Identifier: GPL-2.0-only
/*
 * Unloading: refused while anything exists, possible when nothing does, again
 * and again under load. And: work leaves no kernel memory behind.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include "stress.h"

#define WORKERS		4
/* Growth that is not a leak: slabs partly filled, caches of the CPUs. */
#define GROWTH_KB	2048
#define LEAK_BYTES	(6u << 20)
#define WARM_UP		4
#define BODY		2000u

/* What the workers see. */
struct common {
	_Atomic bool stop;
	_Atomic bool rest;	/* have nothing open, leave nothing */
	_Atomic uint32_t resting;
	_Atomic uint64_t messages;
};

static struct common *common;
static char module_path[512];

static void find_module(void)
{
	const char *given = getenv("KMQ_MODULE");
	char self[256];
	struct utsname u;
	ssize_t n;

	if (given) {
		snprintf(module_path, sizeof(module_path), "%s", given);
		return;
	}
	/* build/stress/reload lies beside build/module/RELEASE */
	n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	if (n < 0 || uname(&u))
		bail("uname: %s", strerror(errno));
	self[n] = '\0';
	*strrchr(self, '/') = '\0';
	snprintf(module_path, sizeof(module_path),
		 "%s/../module/%s/kmod/kmq.ko", self, u.release);
}

static int unload(void)
{
	return syscall(SYS_delete_module, "kmq", O_NONBLOCK) ? -errno : 0;
}

static void load(void)
{
	int fd = open(module_path, O_RDONLY | O_CLOEXEC);
	unsigned int i;

	if (fd < 0 || syscall(SYS_finit_module, fd, "", 0))
		bail("%s: %s", module_path, strerror(errno));
	close(fd);
	for (i = 0; i < patience(1000) && access(KMQ_DEVICE, F_OK); i++)
		nap_us(2000);
}

/* With nothing left; the last references go a moment after the last close. */
static int unload_soon(void)
{
	unsigned int i;
	int err;

	for (i = 0; i < patience(1000); i++) {
		err = unload();
		if (err != -EAGAIN)
			break;
		nap_us(5000);
	}
	return err;
}

static bool refused(const char *with)
{
	int err = unload();

	if (err != -EAGAIN)
		note("unloading with %s: %s", with,
		     err ? strerror(-err) : "done");
	if (!err)
		load();
	return err == -EAGAIN;
}

static void test_refused(void)
{
	bool ok = true;
	int fd;

	ctl();
	ok &= refused("a control fd");
	fd = kmq_open_name("reload", SEND | RECV | KMQ_OPEN_CREATE);
	ok &= write(fd, "message", 7) == 7;
	ctl_forget();
	ok &= refused("a handle");
	close(fd);
	ok &= refused("an object");
	fd = kmq_open_name("reload", RECV);
	ok &= !kmq_delete("reload", 0);
	ctl_forget();
	ok &= refused("a handle to what was deleted");
	close(fd);
	ok &= !unload_soon();
	load();
	result(ok, "refused_while_in_use");
}

/* ---- under load ---------------------------------------------------------- */

/* One round of work; what fails because the module goes is no matter. */
static void work_once(void)
{
	char name[32], buf[BODY] = "";
	int c, fd, i, n = 1 + random_below(50);
	struct kmq_attrs attrs = {
		.size = sizeof(attrs),
		.mask = KMQ_A_MAX_MESSAGES,
		.max_messages = 100,
	};

	snprintf(name, sizeof(name), "reload.%u", random_below(WORKERS + 1));
	c = open(KMQ_DEVICE, O_RDWR | O_CLOEXEC);
	if (c < 0) {
		if (errno != ENOENT && errno != ENXIO && errno != ENODEV)
			bail(KMQ_DEVICE ": %s", strerror(errno));
		nap_us(1000);
		return;
	}
	fd = kmq_open_at(c, name, SEND | RECV | KMQ_OPEN_CREATE |
			 KMQ_OPEN_NONBLOCK, &attrs, NULL);
	if (fd < 0 && fd != -ENODEV)
		bail("open: %s", strerror(-fd));
	for (i = 0; fd >= 0 && i < n; i++) {
		if (write(fd, buf, 1 + random_below(BODY)) > 0)
			common->messages++;
		if (random_below(2) && read(fd, buf, sizeof(buf)) < 0 &&
		    errno != EAGAIN && errno != EIDRM)
			bail("read: %s", strerror(errno));
	}
	/* the object often stays, and what is in it */
	if (!random_below(4))
		kmq_delete_at(c, name, 0);
	close(c);
	if (fd >= 0)
		close(fd);
}

static void load_worker(void *arg)
{
	(void)arg;
	while (!common->stop) {
		if (common->rest) {
			common->resting++;
			while (common->rest && !common->stop)
				nap_us(500);
			common->resting--;
			continue;
		}
		work_once();
	}
}

static void killed_worker(void *arg)
{
	(void)arg;
	for (;;)
		work_once();
}

static void reset_if_loaded(void)
{
	if (ctl_try() >= 0)
		kmq_reset();
	ctl_forget();
}

static void test_under_load(double seconds)
{
	uint64_t until = now_ns() + seconds * 1e9;
	unsigned int unloaded = 0, refusals = 0, i;
	pid_t pids[WORKERS], victim;
	bool ok = true;
	int err;

	common->stop = false;
	for (i = 0; i < WORKERS; i++)
		pids[i] = child(load_worker, NULL);
	while (now_ns() < until) {
		/* while they work: now and then nothing is open */
		victim = child(killed_worker, NULL);
		for (i = 0; i < 40; i++) {
			if (i == 30) {
				kill(victim, SIGKILL);
				waitpid(victim, NULL, 0);
			}
			if (i % 8 == 0)
				reset_if_loaded();
			err = unload();
			if (!err) {
				unloaded++;
				load();
			} else if (err == -EAGAIN) {
				refusals++;
			} else {
				note("unload: %s", strerror(-err));
				ok = false;
			}
			nap_us(1000);
		}
		/* and while they rest */
		common->rest = true;
		while (common->resting < WORKERS)
			nap_us(500);
		reset_if_loaded();
		err = unload_soon();
		if (err) {
			note("unload after reset: %s", strerror(-err));
			ok = false;
		} else {
			unloaded++;
			load();
		}
		common->rest = false;
		while (common->resting)
			nap_us(500);
	}
	common->stop = true;
	for (i = 0; i < WORKERS; i++)
		ok &= child_done(pids[i], "under_load");
	note("under_load: unloaded %u times, refused %u times, %" PRIu64 " messages",
	     unloaded, refusals, common->messages);
	result(ok && unloaded && refusals && common->messages, "under_load");
}

/* ---- leaks ----------------------------------------------------------------- */

static long unreclaimable_kb(void)
{
	unsigned int i;
	long kb, least = -1;

	/* what is freed by RCU and works takes its time */
	for (i = 0; i < 5; i++) {
		syscall(SYS_membarrier, 1, 0, 0);
		nap_us(20000);
		file_write("/proc/sys/vm/drop_caches", "3");
		kb = file_number("/proc/meminfo", "SUnreclaim:");
		if (least < 0 || kb < least)
			least = kb;
	}
	return least;
}

/* Killed in the middle of whatever it does. */
static void busy_round(void *arg)
{
	int fd = *(int *)arg;
	char buf[BODY] = "";

	for (;;) {
		if (write(fd, buf, 1 + random_below(BODY)) > 0)
			common->messages++;
		if (random_below(2))
			read(fd, buf, sizeof(buf));
		kmq_open_name("leak", SEND);
	}
}

static void one_round(void)
{
	pid_t pids[3];
	unsigned int i;
	int fd;

	fd = kmq_open_name("leak", SEND | RECV | KMQ_OPEN_CREATE |
			   KMQ_OPEN_NONBLOCK);
	if (fd < 0)
		bail("open: %s", strerror(-fd));
	for (i = 0; i < ARRAY_SIZE(pids); i++)
		pids[i] = child(busy_round, &fd);
	nap_us(30000 + random_below(30000));
	for (i = 0; i < ARRAY_SIZE(pids); i++)
		kill(pids[i], SIGKILL);
	for (i = 0; i < ARRAY_SIZE(pids); i++)
		waitpid(pids[i], NULL, 0);
	close(fd);
	if (kmq_reset() < 0)
		bail("reset");
}

/* What a leak would look like. */
static int leak_something(void)
{
	int fd = kmq_open_name("leaked", SEND | KMQ_OPEN_CREATE);
	char buf[BODY] = "";
	unsigned int i;

	for (i = 0; i < LEAK_BYTES / BODY; i++)
		if (write(fd, buf, sizeof(buf)) < 0)
			bail("write: %s", strerror(errno));
	return fd;
}

static void test_leaks(double seconds)
{
	uint64_t until = now_ns() + seconds * 1e9;
	unsigned int rounds = 0;
	long before = 0, after;
	int leak = -1;
	bool ok;

	common->messages = 0;
	while (rounds < WARM_UP || now_ns() < until) {
		one_round();
		if (++rounds == WARM_UP)
			before = unreclaimable_kb();
	}
	ok = nothing_left();
	if (opt_tamper && !strcmp(opt_tamper, "leak"))
		leak = leak_something();
	after = unreclaimable_kb();
	if (leak >= 0)
		close(leak);
	note("leaks: %u rounds, %" PRIu64 " messages, SUnreclaim from %ld to %ld kB, %d more would be a leak",
	     rounds, common->messages, before, after, GROWTH_KB);
	result(ok && before > 0 && after - before < GROWTH_KB, "leaks");
}

int main(int argc, char **argv)
{
	begin("reload", argc, argv, 8);
	common = mmap(NULL, sizeof(*common), PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (common == MAP_FAILED)
		bail("mmap: %s", strerror(errno));
	find_module();
	kmq_reset();
	ctl_forget();
	if (selected("refused"))
		test_refused();
	if (selected("under_load"))
		test_under_load(opt_seconds / 2);
	if (selected("leaks"))
		test_leaks(opt_seconds / 2);
	check_nothing_left();
	return end();
}
