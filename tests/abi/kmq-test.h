/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the tests of the interface share. Every call returns what the system
 * call did, or a negative errno. What the kernel fills in is poisoned before.
 */
#ifndef KMQ_TEST_H
#define KMQ_TEST_H

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <linux/kmq.h>
#include <kselftest_harness.h>

#define POISON		0xcc
#define POISON64	0xccccccccccccccccull
#define SEND		KMQ_OPEN_SEND
#define RECV		KMQ_OPEN_RECV
#define BOTH		(KMQ_OPEN_SEND | KMQ_OPEN_RECV)
#define RECORDS		KMQ_OPEN_RECORDS
#define NONBLOCK	KMQ_OPEN_NONBLOCK
#define CREATE		KMQ_OPEN_CREATE
#define NSEC		1000000000ull
/* Longest wait for something that must happen; far below the harness' 30 s. */
#define PATIENCE	(10 * NSEC * slowness())
#define USER		1000	/* somebody without capabilities */
#define OTHER		1001

/* The control fd of the running test. */
static int ctl = -1;

/* Times this machine is slower than others: a debug kernel's guest is. */
static inline unsigned int slowness(void)
{
	const char *s = getenv("KMQ_SLOW");
	int n = s ? atoi(s) : 1;

	return n > 0 ? n : 1;
}

static inline void scale_timeouts(void)
{
	struct __fixture_metadata *f;
	struct __test_metadata *t;

	for (f = __fixture_list; f; f = f->next)
		for (t = f->tests; t; t = t->next)
			t->timeout *= slowness();
}

/* Called by TEST_HARNESS_MAIN. */
#define test_harness_run(argc, argv) \
	(scale_timeouts(), test_harness_run(argc, argv))

static inline __u64 ptr(const void *p)
{
	return (uintptr_t)p;
}

static inline uint64_t clock_ns(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return ts.tv_sec * NSEC + ts.tv_nsec;
}

static inline uint64_t now(void)
{
	return clock_ns(CLOCK_MONOTONIC);
}

/* Wait until an expression holds: whether it did in time. */
#define WAIT_FOR(cond) ({						\
	const struct timespec __pause = { .tv_nsec = 1000000 };		\
	uint64_t __end = now() + PATIENCE;				\
	int __ok;							\
	while (!(__ok = !!(cond)) && now() < __end)			\
		nanosleep(&__pause, NULL);				\
	__ok;								\
})

static inline long result(long ret)
{
	return ret < 0 ? -errno : ret;
}

static inline int request(int fd, unsigned long nr, void *args)
{
	return result(ioctl(fd, nr, args));
}

static inline ssize_t rd(int fd, void *buf, size_t len)
{
	return result(read(fd, buf, len));
}

static inline ssize_t wr(int fd, const void *buf, size_t len)
{
	return result(write(fd, buf, len));
}

/* ---- objects ------------------------------------------------------------ */

#define ATTRS(...) \
	(struct kmq_attrs){ .size = sizeof(struct kmq_attrs), __VA_ARGS__ }

static inline struct kmq_open_args open_args(const char *name, __u32 flags,
					     const struct kmq_attrs *attrs)
{
	struct kmq_open_args a;

	memset(&a, POISON, sizeof(a));
	a.size = sizeof(a);
	a.flags = flags;
	a.name = ptr(name);
	a.attrs = ptr(attrs);
	a.name_len = strlen(name);
	a.owner = 0;
	a.id = 0;
	a.reserved = 0;
	return a;
}

static inline int open_queue(const char *name, __u32 flags)
{
	struct kmq_open_args a = open_args(name, flags, NULL);

	return request(ctl, KMQ_IOC_OPEN, &a);
}

static inline int create(const char *name, __u32 flags,
			 const struct kmq_attrs *attrs)
{
	struct kmq_open_args a = open_args(name, flags | CREATE |
					   KMQ_OPEN_EXCL, attrs);

	return request(ctl, KMQ_IOC_OPEN, &a);
}

/* A queue of at most so many messages. */
static inline int create_bounded(const char *name, __u32 flags, __u64 messages)
{
	struct kmq_attrs at = ATTRS(.mask = KMQ_A_MAX_MESSAGES,
				    .max_messages = messages);

	return create(name, flags, &at);
}

static inline int alter(const char *name, const struct kmq_attrs *attrs,
			__u64 *bad)
{
	struct kmq_alter_args a = {
		.size = sizeof(a), .name = ptr(name), .attrs = ptr(attrs),
		.name_len = strlen(name), .bad = POISON64,
	};
	int ret = request(ctl, KMQ_IOC_ALTER, &a);

	if (bad)
		*bad = a.bad;
	return ret;
}

static inline int delete(const char *name, __u32 flags)
{
	struct kmq_delete_args a = {
		.size = sizeof(a), .flags = flags, .name = ptr(name),
		.name_len = strlen(name),
	};

	return request(ctl, KMQ_IOC_DELETE, &a);
}

static inline struct kmq_stat_args stat_args(const char *name)
{
	struct kmq_stat_args a;

	memset(&a, POISON, sizeof(a));
	a.size = sizeof(a);
	a.flags = 0;
	a.name = ptr(name);
	a.attrs = 0;
	a.name_len = name ? strlen(name) : 0;
	a.id = 0;
	return a;
}

/* Of a handle's object; full of poison when that fails. */
static inline struct kmq_stat_args stat_fd(int fd)
{
	struct kmq_stat_args a = stat_args(NULL);

	request(fd, KMQ_IOC_STAT, &a);
	return a;
}

static inline int stat_name(const char *name, struct kmq_stat_args *st)
{
	*st = stat_args(name);
	return request(ctl, KMQ_IOC_STAT, st);
}

static inline bool exists(const char *name)
{
	struct kmq_stat_args st;

	return !stat_name(name, &st);
}

static inline struct kmq_attrs attrs_of(int fd)
{
	struct kmq_stat_args a = stat_args(NULL);
	struct kmq_attrs at;

	memset(&at, POISON, sizeof(at));
	at.size = sizeof(at);
	a.attrs = ptr(&at);
	request(fd, KMQ_IOC_STAT, &a);
	return at;
}

static inline bool same_stat(const struct kmq_stat_args *a, int fd)
{
	struct kmq_stat_args b = stat_fd(fd);

	return !memcmp(a, &b, sizeof(b));
}

static inline int admin(const char *name, __u32 op, __u64 *count)
{
	struct kmq_admin_args a = {
		.size = sizeof(a), .name = ptr(name),
		.name_len = name ? strlen(name) : 0, .op = op,
		.result = POISON64,
	};
	int ret = request(ctl, KMQ_IOC_ADMIN, &a);

	if (count)
		*count = a.result;
	return ret;
}

static inline int shut(int fd, __u64 what)
{
	struct kmq_admin_args a = {
		.size = sizeof(a), .op = KMQ_ADMIN_SHUTDOWN, .arg = what,
	};

	return request(fd, KMQ_IOC_ADMIN, &a);
}

static inline struct kmq_limits_args get_limits(__u32 scope, __u32 uid)
{
	struct kmq_limits_args a;

	memset(&a, POISON, sizeof(a));
	a.size = sizeof(a);
	a.flags = 0;
	a.scope = scope;
	a.uid = uid;
	a.set_mask = 0;
	a.reserved = 0;
	request(ctl, KMQ_IOC_LIMITS, &a);
	return a;
}

static inline int set_limit(__u32 scope, __u32 uid, unsigned int res,
			    __u64 limit)
{
	struct kmq_limits_args a = {
		.size = sizeof(a), .flags = KMQ_LIMITS_SET, .scope = scope,
		.uid = uid, .set_mask = 1u << res,
	};

	a.r[res].limit = limit;
	return request(ctl, KMQ_IOC_LIMITS, &a);
}

/* ---- messages ----------------------------------------------------------- */

/* Packed records. */
struct batch {
	size_t len;
	size_t max;
	char *buf;
};

#define BATCH(bytes) (struct batch){ .max = (bytes),			\
	.buf = (char *)(uint64_t [((bytes) + 7) / 8]){ } }

static inline size_t record_size(size_t attr_len, size_t body_len)
{
	return (sizeof(struct kmq_record) + attr_len + body_len + 7) & ~7ul;
}

/* Appends a record; what the kernel has to overwrite is poisoned. */
static inline struct kmq_record *add_full(struct batch *b, const void *attrs,
					  size_t attr_len, const void *body,
					  size_t len)
{
	struct kmq_record *rec = (void *)(b->buf + b->len);
	size_t size = record_size(attr_len, len);

	if (b->len + size > b->max)
		abort();
	memset(rec, POISON, size);
	rec->size = size;
	rec->body_len = len;
	rec->attr_len = attr_len;
	rec->priority = 0;
	rec->flags = KMQ_REC_KERNEL_FLAGS;
	if (attr_len)
		memcpy(rec + 1, attrs, attr_len);
	if (len)
		memcpy((char *)(rec + 1) + attr_len, body, len);
	b->len += size;
	return rec;
}

static inline struct kmq_record *add(struct batch *b, const char *text)
{
	return add_full(b, NULL, 0, text, strlen(text));
}

static inline const char *body_of(const struct kmq_record *rec)
{
	return (const char *)(rec + 1) + rec->attr_len;
}

static inline bool body_is(const struct kmq_record *rec, const char *text)
{
	return rec->body_len == strlen(text) &&
		!memcmp(body_of(rec), text, rec->body_len);
}

static inline struct kmq_record *next_record(struct kmq_record *rec)
{
	return (void *)((char *)rec + rec->size);
}

static inline struct kmq_xfer_args xfer_args(void)
{
	struct kmq_xfer_args x;

	memset(&x, 0, sizeof(x));
	memset(&x.sent, POISON, sizeof(x) - offsetof(typeof(x), sent));
	x.size = sizeof(x);
	x.send_fd = -1;
	return x;
}

static inline struct kmq_xfer_args xfer_send(const struct batch *b)
{
	struct kmq_xfer_args x = xfer_args();

	x.send = ptr(b->buf);
	x.send_len = b->len;
	return x;
}

static inline struct kmq_xfer_args xfer_recv(void *buf, size_t len)
{
	struct kmq_xfer_args x = xfer_args();

	memset(buf, POISON, len);
	x.recv = ptr(buf);
	x.recv_len = len;
	return x;
}

static inline int xfer(int fd, struct kmq_xfer_args *x)
{
	return request(fd, KMQ_IOC_XFER, x);
}

static inline int put(int fd, const char *text)
{
	ssize_t ret = wr(fd, text, strlen(text));

	return ret < 0 ? ret : 0;
}

static inline int put_priority(int fd, const char *text, __u16 priority)
{
	struct batch b = BATCH(256);
	struct kmq_xfer_args x;

	add(&b, text)->priority = priority;
	x = xfer_send(&b);
	return xfer(fd, &x);
}

/* Receive one message without waiting: does it have this body? */
static inline bool get(int fd, const char *text)
{
	union {
		struct kmq_record rec;
		char buf[512];
	} u;
	struct kmq_xfer_args x = xfer_recv(&u, sizeof(u));

	x.max_records = 1;
	return !xfer(fd, &x) && x.received == 1 && body_is(&u.rec, text);
}

/* ---- calls that wait ---------------------------------------------------- */

enum bg_op { BG_READ, BG_WRITE, BG_XFER, BG_REQUEST };

/* A call in a thread of its own. */
struct bg {
	pthread_t thread;
	enum bg_op op;
	int fd;
	void *buf;
	size_t len;
	long ret;
	int done;
};

static inline void *bg_main(void *arg)
{
	struct bg *bg = arg;

	switch (bg->op) {
	case BG_READ:
		bg->ret = rd(bg->fd, bg->buf, bg->len);
		break;
	case BG_WRITE:
		bg->ret = wr(bg->fd, bg->buf, bg->len);
		break;
	case BG_XFER:
		bg->ret = xfer(bg->fd, bg->buf);
		break;
	case BG_REQUEST:
		/* its length is its number */
		bg->ret = request(bg->fd, bg->len, bg->buf);
		break;
	}
	__atomic_store_n(&bg->done, 1, __ATOMIC_RELEASE);
	return NULL;
}

static inline void bg_start(struct bg *bg, enum bg_op op, int fd, void *buf,
			    size_t len)
{
	*bg = (struct bg){ .op = op, .fd = fd, .buf = buf, .len = len };
	if (pthread_create(&bg->thread, NULL, bg_main, bg))
		abort();
}

static inline bool bg_done(struct bg *bg)
{
	return __atomic_load_n(&bg->done, __ATOMIC_ACQUIRE);
}

/* What the call returned; -ETIME: it did not return. */
static inline long bg_end(struct bg *bg)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	ts.tv_sec += PATIENCE / NSEC;
	if (pthread_timedjoin_np(bg->thread, NULL, &ts))
		return -ETIME;
	return bg->ret;
}

static inline bool waiting(int fd, __u32 senders, __u32 receivers)
{
	return WAIT_FOR(({
		struct kmq_stat_args st = stat_fd(fd);

		st.waiting_senders == senders &&
			st.waiting_receivers == receivers;
	}));
}

static volatile sig_atomic_t signals;

static inline void count_signal(int sig __attribute__((unused)))
{
	signals++;
}

static inline void catch_signal(int sig, int flags)
{
	struct sigaction sa = { .sa_handler = count_signal, .sa_flags = flags };

	sigaction(sig, &sa, NULL);
}

/* ---- who calls ---------------------------------------------------------- */

/* Go on as somebody without capabilities, until become_root(). */
static inline bool become(uid_t uid, gid_t gid)
{
	return !setgroups(0, NULL) && !setegid(gid) && !seteuid(uid);
}

static inline bool become_root(void)
{
	return !seteuid(0) && !setegid(0);
}

/* fork() whose child does not outlive its parent. */
static inline pid_t fork_child(void)
{
	pid_t pid = fork();

	if (!pid)
		prctl(PR_SET_PDEATHSIG, SIGKILL);
	return pid;
}

/* Exit status of a child; -1: it was killed or did not end. */
static inline int child_status(pid_t pid)
{
	int status = 0;

	if (!WAIT_FOR(waitpid(pid, &status, WNOHANG) == pid)) {
		kill(pid, SIGKILL);
		waitpid(pid, &status, 0);
		return -1;
	}
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* Memory that children write to and the test reads. */
static inline void *shared(size_t len)
{
	void *p = mmap(NULL, len, PROT_READ | PROT_WRITE,
		       MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	return p == MAP_FAILED ? NULL : p;
}

static inline bool write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	bool ok = fd >= 0 && write(fd, text, strlen(text)) ==
		(ssize_t)strlen(text);

	if (fd >= 0)
		close(fd);
	return ok;
}

/* ---- every test --------------------------------------------------------- */

/*
 * The program's own network namespace: its domain is empty and emptying it
 * harms nobody.
 */
static void __attribute__((constructor)) own_domain(void)
{
	if (!unshare(CLONE_NEWNET))
		return;
	fprintf(stderr, "# no network namespace: %s (needs root)\n",
		strerror(errno));
	printf("TAP version 13\nBail out! these tests need root\n");
	exit(1);
}

static inline bool nothing_in_use(void)
{
	struct kmq_limits_args l = get_limits(KMQ_SCOPE_MODULE, 0);

	return !l.r[KMQ_R_OBJECTS].used && !l.r[KMQ_R_HANDLES].used;
}

FIXTURE(abi)
{
	int ctl;
};

FIXTURE_SETUP(abi)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	umask(022);
	ctl = open(KMQ_DEVICE, O_RDWR | O_CLOEXEC);
	ASSERT_LE(0, ctl)
		TH_LOG("cannot open %s: %s", KMQ_DEVICE, strerror(errno));
	self->ctl = ctl;
	ASSERT_EQ(0, admin(NULL, KMQ_ADMIN_RESET, NULL));
	/* namespaces of an earlier test end some time after it */
	EXPECT_TRUE(WAIT_FOR(nothing_in_use()));
}

FIXTURE_TEARDOWN(abi)
{
	become_root();
	ctl = self->ctl;
	EXPECT_EQ(0, admin(NULL, KMQ_ADMIN_RESET, NULL));
	close(ctl);
}

#endif
