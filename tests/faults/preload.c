// SPDX-License-Identifier: GPL-2.0-only
/*
 * The functions of the C library that the sweeps stand in front of. What does
 * not concern kmq goes straight to the kernel.
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <link.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <sys/wait.h>

#include "faults.h"

/* How often a place is swept in full, and one of how many times after that. */
#define VISITS		4
#define SOMETIMES	32

static unsigned long program_base;
static uint64_t program_key;	/* tells one program from another */
static int depth;	/* 0: the harness, 1: a test, 2: its children */
static int threads;	/* besides the first */
static int children;
static bool handles_signals;
static __thread int inside;

/* Nobody else can change anything meanwhile. */
bool alone(void)
{
	return depth == 1 && !__atomic_load_n(&threads, __ATOMIC_SEQ_CST) &&
		!children;
}

static long returns(long ret)
{
	if (ret >= 0)
		return ret;
	errno = -ret;
	return -1;
}

/* ---- what is done with a call ------------------------------------------- */

/* Whether the call can go on at once, as far as poll can tell. */
static bool is_ready(const struct call *c)
{
	struct pollfd p = { .fd = c->fd };

	if (c->receives)
		p.events |= POLLIN;
	if (c->sends)
		p.events |= POLLOUT;
	return sys(SYS_poll, &p, 1, 0) == 1 &&
		(p.revents & p.events) == p.events;
}

static bool waited_for(const struct call *c)
{
	struct kmq_stat_args st = { .size = sizeof(st) };

	return !sys(SYS_ioctl, c->fd, KMQ_IOC_STAT, &st) &&
		st.waiting_receivers;
}

/*
 * A fault must not come behind a wait that others end: what they see would be
 * another course of things. Nor while a signal handler is started.
 */
static bool may_sweep(const struct call *c)
{
	if (c->file != HANDLE || !(c->sends || c->receives) ||
	    (alone() && !handles_signals))
		return true;
	if (handles_signals && !is_ready(c))
		return false;
	if (alone() || !c->receives)
		return true;
	return !c->sends && is_ready(c) && !waited_for(c);
}

static long sweep(struct call *c)
{
	struct site *site = site_find(c->site);
	uint64_t seed;
	long ret = NO_RESULT, odd = 0;
	struct state before;
	uint32_t visit;
	bool known;

	call_describe(c);
	TALLY(c, calls);
	if (!may_sweep(c) || !site) {
		TALLY(c, plain);
		return call_make(c);
	}
	visit = __atomic_fetch_add(&site->visits, 1, __ATOMIC_RELAXED);
	seed = mix(shared->seed, mix(c->site, visit));
	if (visit >= VISITS && seed % SOMETIMES) {
		TALLY(c, again);
		return call_make(c);
	}

	known = alone() && c->nr != SYS_close;
	if (known)
		state_take(c, &before);
	if (known && state_at_limit(c, &before)) {
		TALLY(c, plain);
		return call_make(c);
	}
	call_save(c);
	if (known && c->may_cut && visit % 2 == 0)
		ret = cut_sweep(c, &before, seed, &odd);
	if (ret == NO_RESULT)
		ret = fault_sweep(c, known ? &before : NULL, &site->from, odd);
	call_done(c);
	return ret;
}

static struct call begin(long nr, int fd, enum file file, const char *entry,
			 void *caller)
{
	unsigned long at = (unsigned long)caller - program_base;
	int e = entry_find(entry);

	return (struct call){
		.nr = nr, .fd = fd, .file = file, .entry = e, .op_entry = -1,
		.request = ~0u,
		.site = mix(mix(at, e), program_key),
	};
}

static void set_args(struct call *c, long a, long b, long d, long e, long f,
		     long g)
{
	const long args[] = { a, b, d, e, f, g };

	memcpy(c->arg, args, sizeof(args));
}

static bool watched(int fd, enum file *file)
{
	if (!shared || inside || !depth)
		return false;
	*file = file_of(fd);
	return *file != OTHER;
}

static long swept(struct call *c)
{
	long ret;

	inside++;
	ret = sweep(c);
	inside--;
	return returns(ret);
}

#define CALLER __builtin_return_address(0)

/* ---- the calls ----------------------------------------------------------- */

int ioctl(int fd, unsigned long cmd, ...)
{
	enum file file;
	struct call c;
	va_list ap;
	long arg;
	int e;

	va_start(ap, cmd);
	arg = va_arg(ap, long);
	va_end(ap);
	if (!watched(fd, &file) || file == FDINFO)
		return returns(sys(SYS_ioctl, fd, cmd, arg));
	c = begin(SYS_ioctl, fd, file, file == CTL ? "ctl other" :
		  cmd == FIONREAD ? "FIONREAD" : "handle other", CALLER);
	set_args(&c, fd, cmd, arg, 0, 0, 0);
	if (_IOC_TYPE(cmd) == KMQ_IOC_MAGIC &&
	    _IOC_DIR(cmd) == (_IOC_READ | _IOC_WRITE)) {
		e = entry_of_request(file == CTL, _IOC_NR(cmd));
		if (e >= 0) {
			c.entry = e;
			c.request = _IOC_NR(cmd);
		}
	}
	return swept(&c);
}

static long transfer(long nr, int fd, const void *buf, long n, const char *name,
		     bool sends, long flags, void *caller)
{
	enum file file;
	struct call c;
	bool at = nr == SYS_preadv2 || nr == SYS_pwritev2;

	if (!watched(fd, &file) || (file == FDINFO && nr != SYS_read)) {
		if (at)
			return returns(sys(nr, fd, buf, n, -1, -1, flags));
		return returns(sys(nr, fd, buf, n));
	}
	c = begin(nr, fd, file, file == FDINFO ? "fdinfo" : name, caller);
	set_args(&c, fd, (long)buf, n, -1, -1, flags);
	c.sends = sends;
	c.receives = !sends;
	return swept(&c);
}

ssize_t read(int fd, void *buf, size_t len)
{
	return transfer(SYS_read, fd, buf, len, "read", false, 0, CALLER);
}

ssize_t write(int fd, const void *buf, size_t len)
{
	return transfer(SYS_write, fd, buf, len, "write", true, 0, CALLER);
}

ssize_t readv(int fd, const struct iovec *iov, int n)
{
	return transfer(SYS_readv, fd, iov, n, "readv", false, 0, CALLER);
}

ssize_t writev(int fd, const struct iovec *iov, int n)
{
	return transfer(SYS_writev, fd, iov, n, "writev", true, 0, CALLER);
}

ssize_t preadv2(int fd, const struct iovec *iov, int n, off_t at, int flags)
{
	if (at != -1)
		return returns(sys(SYS_preadv2, fd, iov, n, at, 0, flags));
	return transfer(SYS_preadv2, fd, iov, n, "readv", false, flags, CALLER);
}

ssize_t pwritev2(int fd, const struct iovec *iov, int n, off_t at, int flags)
{
	if (at != -1)
		return returns(sys(SYS_pwritev2, fd, iov, n, at, 0, flags));
	return transfer(SYS_pwritev2, fd, iov, n, "writev", true, flags,
			CALLER);
}

int open(const char *path, int flags, ...)
{
	enum file file = OTHER;
	mode_t mode = 0;
	struct call c;
	va_list ap;
	int fd;

	if (flags & O_CREAT) {
		va_start(ap, flags);
		mode = va_arg(ap, int);
		va_end(ap);
	}
	if (!shared || inside || !depth ||
	    (strcmp(path, KMQ_DEVICE) && !strstr(path, "/fdinfo/")))
		return returns(sys(SYS_openat, AT_FDCWD, path, flags, mode));
	file = strcmp(path, KMQ_DEVICE) ? FDINFO : CTL;
	c = begin(SYS_openat, -1, OTHER, file == CTL ? "open" : "fdinfo",
		  CALLER);
	set_args(&c, AT_FDCWD, (long)path, flags, mode, 0, 0);
	fd = swept(&c);
	if (fd >= 0 && file == CTL)
		state_opened(fd);
	return fd;
}

/* stdio does not come by here: sweep what it is going to do, before. */
FILE *fopen(const char *path, const char *mode)
{
	FILE *(*next)(const char *path, const char *mode) =
		dlsym(RTLD_NEXT, "fopen");
	char text[1024];
	int fd;

	if (strstr(path, "/fdinfo/")) {
		fd = open(path, O_RDONLY | O_CLOEXEC);
		while (fd >= 0 && read(fd, text, sizeof(text)) > 0)
			;
		close(fd);
	}
	return next(path, mode);
}

int close(int fd)
{
	enum file file;
	struct call c;

	if (!watched(fd, &file) || file == FDINFO)
		return returns(sys(SYS_close, fd));
	c = begin(SYS_close, fd, file, "close", CALLER);
	set_args(&c, fd, 0, 0, 0, 0, 0);
	return swept(&c);
}

int poll(struct pollfd *fds, nfds_t n, int timeout)
{
	enum file file;
	struct call c;

	/* one that waits ends by what others do */
	if (!n || !watched(fds[0].fd, &file) ||
	    (timeout && (handles_signals || !alone())))
		return returns(sys(SYS_poll, fds, n, timeout));
	c = begin(SYS_poll, fds[0].fd, file, "poll", CALLER);
	set_args(&c, (long)fds, n, timeout, 0, 0, 0);
	return swept(&c);
}

int epoll_ctl(int ep, int op, int fd, struct epoll_event *ev)
{
	enum file file;
	struct call c;

	if (!watched(fd, &file))
		return returns(sys(SYS_epoll_ctl, ep, op, fd, ev));
	c = begin(SYS_epoll_ctl, fd, file, "epoll_ctl", CALLER);
	set_args(&c, ep, op, fd, (long)ev, 0, 0);
	return swept(&c);
}

void *mmap(void *addr, size_t len, int prot, int flags, int fd, off_t off)
{
	enum file file;
	struct call c;

	if (fd < 0 || !watched(fd, &file))
		return (void *)returns(sys(SYS_mmap, addr, len, prot, flags,
					   fd, off));
	c = begin(SYS_mmap, fd, file, "mmap", CALLER);
	set_args(&c, (long)addr, len, prot, flags, fd, off);
	return (void *)swept(&c);
}

/* ---- who else there is --------------------------------------------------- */

struct start {
	void *(*fn)(void *arg);
	void *arg;
};

static void thread_ended(void *arg)
{
	(void)arg;
	fault_thread_ends();
	__atomic_sub_fetch(&threads, 1, __ATOMIC_SEQ_CST);
}

static void *thread_main(void *arg)
{
	struct start start = *(struct start *)arg;
	void *ret;

	free(arg);
	pthread_cleanup_push(thread_ended, NULL);
	ret = start.fn(start.arg);
	pthread_cleanup_pop(1);
	return ret;
}

int pthread_create(pthread_t *thread, const pthread_attr_t *attr,
		   void *(*fn)(void *arg), void *arg)
{
	int (*next)(pthread_t *thread, const pthread_attr_t *attr,
		    void *(*fn)(void *arg), void *arg) =
		dlsym(RTLD_NEXT, "pthread_create");
	struct start *start = malloc(sizeof(*start));
	int err;

	*start = (struct start){ fn, arg };
	__atomic_add_fetch(&threads, 1, __ATOMIC_SEQ_CST);
	err = next(thread, attr, thread_main, start);
	if (err) {
		__atomic_sub_fetch(&threads, 1, __ATOMIC_SEQ_CST);
		free(start);
	}
	return err;
}

pid_t fork(void)
{
	__typeof__(&fork) next = dlsym(RTLD_NEXT, "fork");
	pid_t pid = next();

	if (pid > 0) {
		children++;
	} else if (!pid) {
		depth++;
		children = 0;
		threads = 0;
		call_forked();
		fault_forked();
	}
	return pid;
}

/* A test has ended: nothing of it may be left. */
static void check_usage(void)
{
	char text[80];

	if (!shared || depth)
		return;
	COUNT(shared->usage_checks);
	if (!usage_is_zero(text, sizeof(text)))
		violation("left behind by a test: %s", text);
}

pid_t waitpid(pid_t pid, int *status, int options)
{
	pid_t ret = sys(SYS_wait4, pid, status, options, NULL);

	if (ret > 0 && !(options & (WUNTRACED | WCONTINUED))) {
		children--;
		check_usage();
	}
	return returns(ret);
}

int sigaction(int sig, const struct sigaction *act, struct sigaction *old)
{
	int (*next)(int sig, const struct sigaction *act,
		    struct sigaction *old) = dlsym(RTLD_NEXT, "sigaction");

	/* the harness has its own for SIGALRM */
	if (act && depth && act->sa_handler != SIG_DFL &&
	    act->sa_handler != SIG_IGN)
		handles_signals = true;
	return next(sig, act, old);
}

static int find_program(struct dl_phdr_info *info, size_t size, void *arg)
{
	(void)size;
	(void)arg;
	program_base = info->dlpi_addr;
	return 1;
}

static void __attribute__((constructor)) start(void)
{
	const char *path = getenv("KMQ_FAULTS_SHARED");

	const char *name = program_invocation_short_name;

	dl_iterate_phdr(find_program, NULL);
	while (*name)
		program_key = mix(program_key, *name++);
	fault_init();
	if (path && !shared_attach(path, false))
		violation("cannot map %s", path);
}
