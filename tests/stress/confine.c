// SPDX-License-Identifier: GPL-2.0-only
/*
 * At the limits: of a user, of the module, of a memory cgroup; and the end of a
 * network namespace whose queues are in use.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "stress.h"

#define CGROUPS		"/sys/fs/cgroup"
#define CGROUP		CGROUPS "/kmq-stress"
#define USER_BYTES	(256u << 10)
#define MODULE_BYTES	(512u << 10)
#define USER_HANDLES	20u
#define USER_OBJECTS	5u

static uint64_t module_bytes;

/* ---- bytes -------------------------------------------------------------- */

static unsigned int limits_user(struct crew *crew)
{
	static uint64_t before;
	struct kmq_limits_args args;

	/* a user is known as long as it has something */
	kmq_limit_set(KMQ_SCOPE_USER, USER_UID, KMQ_R_BYTES, USER_BYTES);
	if (kmq_limits(KMQ_SCOPE_USER, USER_UID, &args))
		ledger_fault(crew->ledger, F_ERRNO, "LIMITS");
	else if (args.r[KMQ_R_BYTES].limit == USER_BYTES &&
		 crew->step++ > 100 && args.r[KMQ_R_BYTES].used > before &&
		 args.r[KMQ_R_BYTES].used > 2 * USER_BYTES)
		ledger_fault(crew->ledger, F_BOUND, "%" PRIu64 " bytes used of %u",
			     (uint64_t)args.r[KMQ_R_BYTES].used, USER_BYTES);
	/* what was used before the limit was set may stay, but not grow */
	before = args.r[KMQ_R_BYTES].used;
	return 2000;
}

static unsigned int limits_module(struct crew *crew)
{
	bool tight = crew->step++ % 2;
	int err = kmq_limit_set(KMQ_SCOPE_MODULE, 0, KMQ_R_BYTES,
				tight ? MODULE_BYTES : module_bytes);

	if (err)
		ledger_fault(crew->ledger, F_ERRNO, "LIMITS: %s",
			     strerror(-err));
	return 20000;
}

static unsigned int replaces(struct crew *crew)
{
	replace_dead(crew);
	return 10000;
}

static const struct scenario user_limit = {
	.name = "user_limit",
	.queues = 1, .max_messages = 100000, .max_bytes = 16 << 20,
	.max_len = 4000, .may = MAY_LIMIT,
	.roles = {
		{ 2, 2, SEND, RECORDS, BLOCK, 8, AS_USER },
		{ 1, 2, SEND, PLAIN, BLOCK, 1, AS_USER },
		{ 1, 1, SEND, PLAIN, BLOCK, 1, SLOW },
		{ 1, 2, RECV, RECORDS, BLOCK, 8, SLOW },
	},
	.chaos = limits_user,
	.needs = 1u << E_LIMIT,
};

static const struct scenario module_limit = {
	.name = "module_limit",
	.queues = 2, .max_messages = 100000, .max_bytes = 16 << 20,
	.levels = 3, .max_len = 4000, .may = MAY_LIMIT,
	.roles = {
		{ 2, 2, SEND, RECORDS, BLOCK, 8, 0 },
		{ 1, 2, SEND, XFER, DEADLINE, 8, 0 },
		{ 1, 2, RECV, RECORDS, BLOCK, 8, SLOW },
		{ 1, 2, RECV, PLAIN, BLOCK, 1, SLOW },
	},
	.chaos = limits_module,
	.needs = 1u << E_LIMIT,
};

static const struct scenario memory_cgroup = {
	.name = "memory_cgroup",
	.queues = 1, .max_messages = 100000, .max_bytes = 60 << 20,
	.max_len = 12000, .may = MAY_STARVE | MAY_REPEAT,
	.roles = {
		{ 2, 1, SEND, RECORDS, BLOCK, 8, IN_CGROUP },
		{ 1, 1, SEND, PLAIN, BLOCK, 1, IN_CGROUP },
		{ 1, 1, SEND, XFER, DEADLINE, 16, 0 },
		{ 1, 1, RECV, RECORDS, BLOCK, 2, SLOW },
		{ 2, 1, RECV, RECORDS, BLOCK, 2, IN_CGROUP | SLOW },
	},
	.chaos = replaces,
	.needs = 1u << E_KILL,
};

static void run_user_limit(double seconds)
{
	struct kmq_limits_args args;

	run_scenario(&user_limit, seconds, NULL);
	if (kmq_limits(KMQ_SCOPE_USER, USER_UID, &args))
		bail("LIMITS: %s", strerror(errno));
	if (args.r[KMQ_R_BYTES].used)
		note("%" PRIu64 " bytes used by nobody",
		     (uint64_t)args.r[KMQ_R_BYTES].used);
	result(!args.r[KMQ_R_BYTES].used, "user_limit_pays_back");
}

static void run_module_limit(double seconds)
{
	struct kmq_limits_args args;

	if (kmq_limits(KMQ_SCOPE_MODULE, 0, &args))
		bail("LIMITS: %s", strerror(errno));
	module_bytes = args.r[KMQ_R_BYTES].limit;
	run_scenario(&module_limit, seconds, NULL);
	kmq_limit_set(KMQ_SCOPE_MODULE, 0, KMQ_R_BYTES, module_bytes);
}

/* ---- memory cgroup ------------------------------------------------------ */

/*
 * tests/vm/judge takes a report of the kernel that it kills for want of memory
 * for a fault, except between these two lines.
 */
#define OOM_EXPECTED	"kmq-test: processes will be killed for want of memory"
#define OOM_OVER	"kmq-test: no more processes will be killed"

static void tell_log(const char *line)
{
	if (!file_write("/dev/kmsg", line))
		bail("/dev/kmsg: %s", strerror(errno));
}

/* Slab memory that is still charged to the group. */
static bool slab_returns(void)
{
	long bytes = -1;
	unsigned int i;

	for (i = 0; i < patience(1000); i++) {
		bytes = file_number(CGROUP "/memory.stat", "slab ");
		if (bytes >= 0 && bytes < 512 << 10)
			return true;
		nap_us(10000);
	}
	note("%ld bytes of slab are still charged", bytes);
	return false;
}

static void run_memory_cgroup(double seconds)
{
	long kills;

	if (mkdir(CGROUP, 0755) && errno != EEXIST) {
		skipped("memory_cgroup", "no cgroup2 at " CGROUPS);
		return;
	}
	if (!file_write(CGROUP "/memory.max", "12M")) {
		rmdir(CGROUP);
		skipped("memory_cgroup", "no memory controller");
		return;
	}
	tell_log(OOM_EXPECTED "\n");
	run_scenario(&memory_cgroup, seconds, CGROUP);
	result(slab_returns(), "memory_cgroup_is_uncharged");
	tell_log(OOM_OVER "\n");
	kills = file_number(CGROUP "/memory.events", "oom_kill ");
	note("memory_cgroup: killed for want of memory: %ld", kills);
	result(kills > 0, "memory_cgroup_kills");
	if (rmdir(CGROUP))
		note("rmdir " CGROUP ": %s", strerror(errno));
}

/* ---- objects and handles ------------------------------------------------- */

static void use_up(void *arg)
{
	uint64_t until = *(uint64_t *)arg;
	unsigned int refused = 0, n, i;
	int fds[4 * USER_HANDLES];
	char name[64];

	ctl();
	if (setresgid(USER_UID, USER_UID, USER_UID) ||
	    setresuid(USER_UID, USER_UID, USER_UID))
		bail("setresuid: %s", strerror(errno));
	while (now_ns() < until) {
		for (n = 0; n < ARRAY_SIZE(fds); n++) {
			snprintf(name, sizeof(name), "limit.%d.%u", getpid(),
				 n / 8);
			fds[n] = kmq_open_at(ctl(), name, SEND | RECV |
					     KMQ_OPEN_CREATE, NULL, NULL);
			if (fds[n] < 0)
				break;
		}
		if (n < ARRAY_SIZE(fds)) {
			if (fds[n] != -EDQUOT)
				bail("open: %s", strerror(-fds[n]));
			refused++;
		}
		for (i = 0; i < n; i++) {
			if (write(fds[i], "x", 1) != 1)
				bail("write: %s", strerror(errno));
			close(fds[i]);
		}
		for (i = 0; i <= n / 8; i++) {
			snprintf(name, sizeof(name), "limit.%d.%u", getpid(),
				 i);
			kmq_delete(name, 0);
		}
	}
	if (!refused)
		bail("never refused");
}

static void run_object_limit(double seconds)
{
	uint64_t until = now_ns() + seconds * 1e9;
	struct kmq_limits_args args;
	pid_t pids[4];
	bool ok = true;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(pids); i++)
		pids[i] = child(use_up, &until);
	while (now_ns() < until) {
		kmq_limit_set(KMQ_SCOPE_USER, USER_UID, KMQ_R_HANDLES,
			      USER_HANDLES);
		kmq_limit_set(KMQ_SCOPE_USER, USER_UID, KMQ_R_OBJECTS,
			      USER_OBJECTS);
		nap_us(1000);
	}
	for (i = 0; i < ARRAY_SIZE(pids); i++)
		ok &= child_done(pids[i], "object_limit");
	if (kmq_limits(KMQ_SCOPE_USER, USER_UID, &args) ||
	    args.r[KMQ_R_HANDLES].used || args.r[KMQ_R_OBJECTS].used) {
		note("still used: %" PRIu64 " handles, %" PRIu64 " objects",
		     (uint64_t)args.r[KMQ_R_HANDLES].used,
		     (uint64_t)args.r[KMQ_R_OBJECTS].used);
		ok = false;
	}
	result(ok, "object_limit");
}

/* ---- network namespaces --------------------------------------------------- */

enum { NS_CTL, NS_BUSY, NS_EMPTY, NS_FULL, NS_HANDLES };

struct ns_job {
	int fd;
	bool sends;
};

/* Uses a handle until its domain has ended. */
static void use_until_end(void *arg)
{
	struct ns_job *job = arg;
	char buf[256] = "message";
	ssize_t n;

	do {
		n = job->sends ? write(job->fd, buf, 64) :
			read(job->fd, buf, sizeof(buf));
	} while (n > 0);
	if (n == 0 || errno != EIDRM)
		bail("%s: %s, expected EIDRM", job->sends ? "write" : "read",
		     n ? strerror(errno) : "end of stream");
}

static int ns_queue(const char *name, unsigned int max_messages)
{
	struct kmq_attrs attrs = {
		.size = sizeof(attrs),
		.mask = KMQ_A_MAX_MESSAGES,
		.max_messages = max_messages,
	};

	return kmq_open_at(ctl(), name, SEND | RECV | KMQ_OPEN_CREATE, &attrs,
			   NULL);
}

/* The only process of a network namespace: hands out what it has and ends. */
static void ns_owner(void *arg)
{
	int sock = *(int *)arg, fds[NS_HANDLES], pair[2];
	char buf[2048] = "";
	unsigned int i;

	if (unshare(CLONE_NEWNET))
		bail("unshare: %s", strerror(errno));
	fds[NS_CTL] = ctl();
	fds[NS_BUSY] = ns_queue("busy", 16);
	fds[NS_EMPTY] = ns_queue("empty", 16);
	fds[NS_FULL] = ns_queue("full", 100);
	/* before anybody else can */
	for (i = 0; i < 100; i++)
		if (write(fds[NS_FULL], buf, 1 + random_below(sizeof(buf))) < 0)
			bail("write: %s", strerror(errno));
	for (i = 0; i < NS_HANDLES; i++)
		if (fds[i] < 0 || pass_fd(sock, fds[i]))
			bail("pass: %s", strerror(errno));
	/* one is left in a socket that nobody reads */
	if (socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, pair) ||
	    pass_fd(pair[0], fds[NS_EMPTY]) || pass_fd(pair[0], pair[1]))
		bail("socketpair: %s", strerror(errno));
	if (read(sock, buf, 1) < 0)
		bail("read: %s", strerror(errno));
}

static bool ns_round(void)
{
	struct ns_job jobs[] = {
		{ .sends = true }, { .sends = false },	/* busy */
		{ .sends = false },			/* empty */
		{ .sends = true },			/* full */
	};
	static const int use[] = { NS_BUSY, NS_BUSY, NS_EMPTY, NS_FULL };
	int pair[2], fds[NS_HANDLES], i, err;
	struct kmq_stat_args st;
	pid_t owner, pids[ARRAY_SIZE(jobs)];
	bool ok = true;

	if (socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, pair))
		bail("socketpair: %s", strerror(errno));
	owner = child(ns_owner, &pair[1]);
	for (i = 0; i < NS_HANDLES; i++) {
		fds[i] = get_fd(pair[0]);
		if (fds[i] < 0)
			bail("no handle: %s", strerror(-fds[i]));
	}
	for (i = 0; i < (int)ARRAY_SIZE(jobs); i++) {
		jobs[i].fd = fds[use[i]];
		pids[i] = child(use_until_end, &jobs[i]);
	}
	nap_us(random_below(20000));
	for (i = 0; i < patience(1000); i++) {
		if (!kmq_stat_fd(fds[NS_EMPTY], &st) && st.waiting_receivers &&
		    !kmq_stat_fd(fds[NS_FULL], &st) && st.waiting_senders)
			break;
		nap_us(5000);
	}
	if (i >= patience(1000)) {
		note("nobody waits");
		ok = false;
	}

	if (write(pair[0], "", 1) != 1)
		bail("write: %s", strerror(errno));
	ok &= child_done(owner, "namespaces: owner");
	for (i = 0; i < (int)ARRAY_SIZE(jobs); i++)
		ok &= child_done(pids[i], "namespaces: user of a handle");
	err = kmq_open_at(fds[NS_CTL], "late", SEND | KMQ_OPEN_CREATE, NULL,
			  NULL);
	if (err != -ENXIO) {
		note("open in a domain that has ended: %d", err);
		ok = false;
	}
	for (i = 0; i < NS_HANDLES; i++)
		close(fds[i]);
	close(pair[0]);
	close(pair[1]);
	return ok;
}

static void run_namespaces(double seconds)
{
	uint64_t until = now_ns() + seconds * 1e9;
	unsigned int rounds = 0;
	bool ok = true;

	do {
		ok &= ns_round();
		rounds++;
	} while (ok && now_ns() < until);
	note("namespaces: %u ended, each with 100 messages queued, a sender and a receiver waiting",
	     rounds);
	result(ok && nothing_left(), "namespaces");
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		void (*run)(double seconds);
	} tests[] = {
		{ "user_limit", run_user_limit },
		{ "module_limit", run_module_limit },
		{ "object_limit", run_object_limit },
		{ "memory_cgroup", run_memory_cgroup },
		{ "namespaces", run_namespaces },
	};
	unsigned int i, some = 0;

	begin("confine", argc, argv, 10);
	for (i = 0; i < ARRAY_SIZE(tests); i++)
		some += selected(tests[i].name);
	for (i = 0; i < ARRAY_SIZE(tests); i++)
		if (selected(tests[i].name))
			tests[i].run(opt_seconds / some);
	check_nothing_left();
	return end();
}
