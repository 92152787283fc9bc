// SPDX-License-Identifier: GPL-2.0-only
/* Runs a program, cleans up after it, and checks that nothing is left. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "run.h"

/* A call that waits is interrupted after so long, and again and again. */
#define PATIENCE_NS	2000000
#define HANG_SECONDS	10
#define NR_USERS	3

struct program program;
struct thread threads[NR_THREADS];
atomic_int slots[SLOTS];

static int ctl = -1;	/* nobody changes this one */
static int current_fd = -1;
static timer_t nudge;
static sem_t finished;
static struct kmq_limits_args limits[2 + NR_USERS];

void found(const char *format, ...)
{
	va_list args;

	fputs("\nfuzz: ", stderr);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputs("\n", stderr);
	abort();
}

static int thread_is(unsigned int nr)
{
	return tgkill(getpid(), threads[nr].tid, SIGRTMIN + 1);
}

/* Main gets it from the timer; it passes it on. */
static void on_nudge(int sig)
{
	int err = errno;
	unsigned int i;

	(void)sig;
	if (gettid() == threads[0].tid)
		for (i = 1; i < NR_THREADS; i++)
			if (atomic_load(&threads[i].busy))
				thread_is(i);
	errno = err;
}

static void nudging(bool on)
{
	struct itimerspec it = { 0 };

	if (on) {
		it.it_value.tv_nsec = PATIENCE_NS;
		it.it_interval.tv_nsec = PATIENCE_NS;
	}
	timer_settime(nudge, 0, &it, NULL);
}

static void disarm(struct thread *t)
{
	int tries;

	if (t->fail_nth < 0)
		return;
	/* this write may be what fails; then it has, and the next one does not */
	for (tries = 0; tries < 3; tries++)
		if (pwrite(t->fail_nth, "0\n", 2, 0) == 2)
			return;
	found("fail-nth: %s", strerror(errno));
}

static void run_ops(struct thread *t, unsigned int from, unsigned int to)
{
	bool armed = false;
	unsigned int i;

	for (i = from; i < to; i++) {
		const struct op *op = &program.ops[i];
		unsigned int code = op_code(op);
		long ret;

		if (op_thread(op) != t->nr)
			continue;
		if (armed && (code == OP_NETNS || code == OP_BECOME)) {
			disarm(t);
			armed = false;
		}
		if (op->fd % SLOTS > SLOT_LAST)
			atomic_store(&program.misc_changed, true);
		watch_before(t);
		ret = op_execute(t, op);
		watch_after(t, code, ret);
		if (armed)
			disarm(t);
		armed = code == OP_FAIL && ret >= 0;
	}
	if (armed)
		disarm(t);
	if (t->became) {
		t->became = false;
		if (syscall(SYS_setresuid, -1, 0, -1) ||
		    syscall(SYS_setresgid, -1, 0, -1))
			found("cannot become root again");
	}
}

static void thread_init(struct thread *t)
{
	char path[64];

	t->tid = gettid();
	snprintf(path, sizeof(path), "/proc/self/task/%d/fail-nth", t->tid);
	t->fail_nth = open(path, O_WRONLY | O_CLOEXEC);
	watch_thread(t);
}

static void *thread_main(void *arg)
{
	struct thread *t = arg;

	thread_init(t);
	sem_post(&finished);
	for (;;) {
		while (sem_wait(&t->go))
			;
		run_ops(t, program.serial, program.n);
		atomic_store(&t->busy, false);
		sem_post(&finished);
	}
	return NULL;
}

static void wait_finished(unsigned int n)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	ts.tv_sec += HANG_SECONDS;
	while (n) {
		if (!sem_timedwait(&finished, &ts))
			n--;
		else if (errno == ETIMEDOUT)
			found("a call does not end");
	}
}

static int request(unsigned long nr, void *args)
{
	return CALL(ioctl(ctl, nr, args));
}

static void open_slots(void)
{
	int pipes[2], pair[2];

	if (pipe2(pipes, O_CLOEXEC | O_NONBLOCK) ||
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0,
		       pair))
		found("pipes: %s", strerror(errno));
	slots[SLOT_PIPE_READ] = pipes[0];
	slots[SLOT_PIPE_WRITE] = pipes[1];
	slots[SLOT_SOCKET] = pair[0];
	close(pair[1]);
}

static void open_ctls(void)
{
	unsigned int i;

	for (i = SLOT_CTL; i <= SLOT_CTL2; i++) {
		slots[i] = open(KMQ_DEVICE, O_RDWR | O_CLOEXEC);
		if (slots[i] < 0)
			found("%s: %s", KMQ_DEVICE, strerror(errno));
	}
}

static void close_slots(unsigned int first, unsigned int last)
{
	for (; first <= last; first++) {
		int fd = atomic_exchange(&slots[first], -1);

		if (fd >= 0)
			close(fd);
	}
}

/* All scopes there are: module, domain, users. */
static void limits_all(bool set)
{
	unsigned int i;

	for (i = 0; i < 2 + NR_USERS; i++) {
		struct kmq_limits_args a = {
			.size = sizeof(a), .scope = i < 2 ? i : KMQ_SCOPE_USER,
			.uid = i > 2 ? 997 + i : 0,
		};

		if (set) {
			a = limits[i];
			a.flags = KMQ_LIMITS_SET;
			a.set_mask = (1u << KMQ_R_COUNT) - 1;
		}
		if (request(KMQ_IOC_LIMITS, &a))
			found("LIMITS: %s", strerror(errno));
		if (!set)
			limits[i] = a;
	}
}

/* What is freed by others, a namespace for one, may take a moment. */
static void check_nothing_used(void)
{
	const struct timespec pause = { .tv_nsec = 1000000 };
	struct kmq_limits_args a = { .size = sizeof(a) };
	int i;

	for (i = 0; i < 5000; i++) {
		a = (struct kmq_limits_args) { .size = sizeof(a) };
		if (request(KMQ_IOC_LIMITS, &a))
			found("LIMITS: %s", strerror(errno));
		if (!a.r[KMQ_R_OBJECTS].used && !a.r[KMQ_R_HANDLES].used &&
		    !a.r[KMQ_R_BYTES].used)
			return;
		nanosleep(&pause, NULL);
	}
	found("left behind: %llu objects, %llu handles, %llu bytes",
	      a.r[KMQ_R_OBJECTS].used, a.r[KMQ_R_HANDLES].used,
	      a.r[KMQ_R_BYTES].used);
}

static void clean_up(void)
{
	struct kmq_admin_args reset = {
		.size = sizeof(reset), .op = KMQ_ADMIN_RESET,
		.flags = KMQ_RESET_ALL_DOMAINS,
	};
	int err;

	close_slots(SLOT_FIRST, SLOT_LAST);
	if (program.ctl_changed) {
		close_slots(SLOT_CTL, SLOT_CTL2);
		open_ctls();
	}
	if (program.misc_changed) {
		close_slots(SLOT_PIPE_READ, SLOT_SOCKET);
		open_slots();
	}
	err = request(KMQ_IOC_ADMIN, &reset);
	if (err)
		found("RESET: %s", strerror(-err));
	if (program.limits_changed)
		limits_all(true);
	check_nothing_used();
	watch_log();
}

static bool puts_back(const struct op *op)
{
	unsigned int place = place_of(op->at);

	switch (op_code(op)) {
	case OP_ALTER:
	case OP_FAIL:
		return true;
	case OP_XFER:
	case OP_READ:
	case OP_READV:
		return place != PLACE_PLAIN && place != PLACE_END;
	default:
		return false;
	}
}

static void look_through(void)
{
	unsigned int i;

	program.serial = program.n;
	program.shared = false;
	program.bounded = true;
	for (i = program.n; i--;) {
		const struct op *op = &program.ops[i];

		if (op_thread(op))
			program.serial = i;
		if (place_of(op->at) == PLACE_SHARED ||
		    place_of(op->at >> 4) == PLACE_SHARED)
			program.shared = true;
		if (puts_back(op))
			program.bounded = false;
	}
	/* a buffer is shared by those who run at the same time */
	if (program.serial == program.n)
		program.shared = false;
	program.ctl_changed = false;
	program.misc_changed = false;
	program.limits_changed = false;
	program.netns_made = false;
}

/* Should the guest not survive it, it is there to be looked at. */
static void keep_current(size_t size)
{
	static uint8_t data[(OPS_MAX + 1) * sizeof(struct op)];

	if (current_fd < 0)
		return;
	memcpy(data, program.ops, size);
	/* so that it need not be cut off behind */
	memset(data + size, OP_END, sizeof(struct op));
	if (pwrite(current_fd, data, size + sizeof(struct op), 0) < 0)
		found("cannot keep the program: %s", strerror(errno));
}

void run_program(const uint8_t *data, size_t size)
{
	unsigned int i;

	program.ops = (const void *)data;
	program.n = size / sizeof(struct op);
	if (program.n > OPS_MAX)
		program.n = OPS_MAX;
	keep_current(program.n * sizeof(struct op));
	look_through();

	nudging(true);
	run_ops(&threads[0], 0, program.serial);
	if (program.serial < program.n) {
		for (i = 1; i < NR_THREADS; i++) {
			atomic_store(&threads[i].busy, true);
			sem_post(&threads[i].go);
		}
		run_ops(&threads[0], program.serial, program.n);
		wait_finished(NR_THREADS - 1);
	}
	nudging(false);
	clean_up();
}

static void start_threads(void)
{
	struct sigaction sa = { .sa_handler = on_nudge };
	struct sigevent ev = {
		.sigev_notify = SIGEV_THREAD_ID, .sigev_signo = SIGRTMIN + 1,
	};
	pthread_t thread;
	unsigned int i;

	sem_init(&finished, 0, 0);
	for (i = 0; i < NR_THREADS; i++) {
		threads[i].nr = i;
		sem_init(&threads[i].go, 0, 0);
	}
	thread_init(&threads[0]);
	for (i = 1; i < NR_THREADS; i++)
		if (pthread_create(&thread, NULL, thread_main, &threads[i]))
			found("pthread_create");
	wait_finished(NR_THREADS - 1);
	sigaction(SIGRTMIN + 1, &sa, NULL);
	ev._sigev_un._tid = threads[0].tid;
	if (timer_create(CLOCK_MONOTONIC, &ev, &nudge))
		found("timer_create: %s", strerror(errno));
}

static int netns_new(void)
{
	if (unshare(CLONE_NEWNET)) {
		fprintf(stderr, "no network namespace: %s (needs root)\n",
			strerror(errno));
		exit(1);
	}
	return open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
}

void run_init(void)
{
	const char *path = getenv("KMQ_FUZZ_CURRENT");
	unsigned int i;

	for (i = 0; i < SLOTS; i++)
		slots[i] = -1;
	memory_init();
	watch_init();
	slots[SLOT_NETNS2] = netns_new();
	slots[SLOT_NETNS] = netns_new();
	open_slots();
	open_ctls();
	ctl = open(KMQ_DEVICE, O_RDWR | O_CLOEXEC);
	if (path)
		current_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
	limits_all(false);
	start_threads();
}
