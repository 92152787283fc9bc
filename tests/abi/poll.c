// SPDX-License-Identifier: GPL-2.0-only
/* poll(2) and epoll(7) */
#include <sys/epoll.h>
#include <sys/eventfd.h>

#include "kmq-test.h"

#define IN	(POLLIN | POLLRDNORM)
#define OUT	(POLLOUT | POLLWRNORM)
#define ALL	(IN | OUT | POLLRDHUP | POLLPRI)

static int ready(int fd)
{
	struct pollfd p = { .fd = fd, .events = ALL };

	poll(&p, 1, 0);
	return p.revents;
}

static int watch(int ep, int fd, __u32 events)
{
	struct epoll_event ev = { .events = events, .data.fd = fd };

	return epoll_ctl(ep, EPOLL_CTL_ADD, fd, &ev);
}

/* Events of the only fd watched, 0 for none. */
static __u32 event(int ep, int timeout)
{
	struct epoll_event ev = { };

	return epoll_wait(ep, &ev, 1, timeout) == 1 ? ev.events : 0;
}

TEST_F(abi, each_direction_has_its_events)
{
	int q = create("q", BOTH, NULL);
	int s = open_queue("q", SEND), r = open_queue("q", RECV);

	EXPECT_EQ(OUT, ready(q));
	EXPECT_EQ(OUT, ready(s));
	EXPECT_EQ(0, ready(r));
	ASSERT_EQ(0, put(q, "a"));
	EXPECT_EQ(IN | OUT, ready(q));
	EXPECT_EQ(OUT, ready(s));
	EXPECT_EQ(IN, ready(r));
	ASSERT_TRUE(get(q, "a"));
	EXPECT_EQ(0, ready(r));
}

TEST_F(abi, writable_means_room_for_the_largest_message)
{
	struct kmq_attrs at = ATTRS(
		.mask = KMQ_A_MAX_BYTES | KMQ_A_MAX_MESSAGE_SIZE,
		.max_message_size = 1000, .max_bytes = 1200);
	int q = create("q", BOTH, &at);

	EXPECT_EQ(OUT, ready(q));
	/* 1136 bytes are left, then 1064, then 1000; the largest takes 1064 */
	ASSERT_EQ(0, put_priority(q, "", 0));
	EXPECT_EQ(IN | OUT, ready(q));
	ASSERT_EQ(0, put(q, "12345678"));
	EXPECT_EQ(IN | OUT, ready(q));
	ASSERT_EQ(0, put_priority(q, "", 0));
	EXPECT_EQ(IN, ready(q));
	ASSERT_TRUE(get(q, ""));
	EXPECT_EQ(IN | OUT, ready(q));
}

TEST_F(abi, a_full_queue_is_not_writable)
{
	int q = create_bounded("q", BOTH, 1);

	ASSERT_EQ(0, put(q, "a"));
	EXPECT_EQ(IN, ready(q));
	ASSERT_TRUE(get(q, "a"));
	EXPECT_EQ(OUT, ready(q));
}

TEST_F(abi, a_queue_that_refuses_is_writable_when_it_would_not)
{
	struct kmq_attrs at = ATTRS(
		.mask = KMQ_A_OVERFLOW | KMQ_A_MAX_MESSAGES,
		.overflow = KMQ_OVERFLOW_REJECT, .max_messages = 1);
	int q = create("q", BOTH, &at);

	ASSERT_EQ(0, put(q, "a"));
	EXPECT_EQ(IN, ready(q));
}

TEST_F(abi, a_queue_that_drops_is_always_writable)
{
	struct kmq_attrs at = ATTRS(
		.mask = KMQ_A_OVERFLOW | KMQ_A_MAX_MESSAGES,
		.overflow = KMQ_OVERFLOW_DROP_HEAD, .max_messages = 1);
	int q = create("q", BOTH, &at);

	ASSERT_EQ(0, put(q, "a"));
	EXPECT_EQ(IN | OUT, ready(q));
}

TEST_F(abi, not_writable_while_a_sender_waits)
{
	struct kmq_attrs at = ATTRS(
		.mask = KMQ_A_MAX_BYTES | KMQ_A_MAX_MESSAGE_SIZE |
			KMQ_A_MAX_MESSAGES,
		.max_message_size = 100, .max_bytes = 4096, .max_messages = 3);
	int q = create("q", BOTH, &at);
	struct batch b = BATCH(1024);
	struct kmq_xfer_args x;
	struct bg bg;
	int i;

	ASSERT_EQ(0, put(q, "a"));
	for (i = 0; i < 3; i++)
		add(&b, "batch");
	x = xfer_send(&b);
	x.flags = KMQ_XFER_ATOMIC;
	x.deadline = KMQ_FOREVER;
	/* two are free, but a batch of three stands before everybody */
	EXPECT_EQ(IN | OUT, ready(q));
	bg_start(&bg, BG_XFER, q, &x, 0);
	ASSERT_TRUE(waiting(q, 1, 0));
	EXPECT_EQ(IN, ready(q));
	ASSERT_EQ(0, shut(q, SEND));
	EXPECT_EQ(-ECANCELED, bg_end(&bg));
	EXPECT_EQ(OUT, ready(open_queue("q", SEND)));
}

TEST_F(abi, sealed_shows_err_then_the_end)
{
	int q = create("q", BOTH, NULL);
	int s = open_queue("q", SEND), r = open_queue("q", RECV);

	ASSERT_EQ(0, put(q, "a"));
	ASSERT_EQ(0, admin("q", KMQ_ADMIN_SEAL, NULL));
	EXPECT_EQ(OUT | POLLERR, ready(s));
	EXPECT_EQ(IN, ready(r));
	ASSERT_TRUE(get(q, "a"));
	EXPECT_EQ(IN | POLLHUP | POLLRDHUP, ready(r));
	EXPECT_EQ(OUT | POLLERR, ready(s));
	ASSERT_EQ(0, admin("q", KMQ_ADMIN_UNSEAL, NULL));
	EXPECT_EQ(OUT, ready(s));
	EXPECT_EQ(0, ready(r));
}

TEST_F(abi, deleted_shows_err_and_hup)
{
	int q = create("q", BOTH, NULL);
	int s = open_queue("q", SEND), r = open_queue("q", RECV);

	ASSERT_EQ(0, delete("q", 0));
	EXPECT_EQ(POLLERR | POLLHUP, ready(q) & (POLLERR | POLLHUP));
	EXPECT_EQ(POLLERR | POLLHUP, ready(s) & (POLLERR | POLLHUP));
	EXPECT_EQ(POLLERR | POLLHUP, ready(r) & (POLLERR | POLLHUP));
}

TEST_F(abi, shut_down_shows_hup)
{
	int s = create("q", SEND, NULL), r = open_queue("q", RECV);

	ASSERT_EQ(0, shut(s, SEND));
	ASSERT_EQ(0, shut(r, RECV));
	EXPECT_EQ(POLLHUP, ready(s) & POLLHUP);
	EXPECT_EQ(POLLHUP, ready(r) & POLLHUP);
}

/* ---- somebody sleeps in poll -------------------------------------------- */

struct sleeper {
	pthread_t thread;
	int fd;
	short events;
	short revents;
	int done;
};

static void *sleep_in_poll(void *arg)
{
	struct sleeper *s = arg;
	struct pollfd p = { .fd = s->fd, .events = s->events };

	poll(&p, 1, PATIENCE / 1000000);
	s->revents = p.revents;
	__atomic_store_n(&s->done, 1, __ATOMIC_RELEASE);
	return NULL;
}

/* The state letter of a thread of ours, from /proc. */
static char thread_state(pid_t tid)
{
	char path[64], line[256] = "", *end;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/self/task/%d/stat", tid);
	f = fopen(path, "re");
	if (!f)
		return 0;
	end = fgets(line, sizeof(line), f) ? strrchr(line, ')') : NULL;
	fclose(f);
	return end ? end[2] : 0;
}

struct tid_arg {
	struct sleeper *s;
	pid_t tid;
};

static void *note_tid(void *arg)
{
	struct tid_arg *t = arg;
	struct sleeper *s = t->s;

	__atomic_store_n(&t->tid, (pid_t)syscall(SYS_gettid),
			 __ATOMIC_RELEASE);
	return sleep_in_poll(s);
}

/* Starts a thread and returns when it sleeps in poll. */
static bool fall_asleep(struct sleeper *s, int fd, short events)
{
	struct tid_arg t = { .s = s };

	*s = (struct sleeper){ .fd = fd, .events = events };
	if (pthread_create(&s->thread, NULL, note_tid, &t))
		return false;
	return WAIT_FOR(__atomic_load_n(&t.tid, __ATOMIC_ACQUIRE)) &&
		WAIT_FOR(thread_state(t.tid) == 'S');
}

static short wake_up(struct sleeper *s)
{
	pthread_join(s->thread, NULL);
	return s->revents;
}

TEST_F(abi, a_message_wakes_pollers)
{
	int q = create("q", BOTH, NULL);
	struct sleeper s;

	ASSERT_TRUE(fall_asleep(&s, q, POLLIN));
	ASSERT_EQ(0, put(q, "a"));
	EXPECT_EQ(POLLIN, wake_up(&s));
}

TEST_F(abi, room_wakes_pollers)
{
	int q = create_bounded("q", BOTH, 1);
	struct sleeper s;

	ASSERT_EQ(0, put(q, "a"));
	ASSERT_TRUE(fall_asleep(&s, q, POLLOUT));
	ASSERT_TRUE(get(q, "a"));
	EXPECT_EQ(POLLOUT, wake_up(&s));
}

TEST_F(abi, a_purge_wakes_pollers)
{
	int q = create_bounded("q", BOTH, 1);
	struct sleeper s;

	ASSERT_EQ(0, put(q, "a"));
	ASSERT_TRUE(fall_asleep(&s, q, POLLOUT));
	ASSERT_EQ(0, admin("q", KMQ_ADMIN_PURGE, NULL));
	EXPECT_EQ(POLLOUT, wake_up(&s));
}

TEST_F(abi, a_sender_that_leaves_wakes_pollers)
{
	int q = create_bounded("q", BOTH, 3), other = open_queue("q", SEND);
	struct batch b = BATCH(512);
	struct kmq_xfer_args x;
	struct sleeper s;
	struct bg bg;

	ASSERT_EQ(0, put(q, "a"));
	add(&b, "1");
	add(&b, "2");
	add(&b, "3");
	x = xfer_send(&b);
	x.flags = KMQ_XFER_ATOMIC;
	x.deadline = now() + NSEC / 4;
	bg_start(&bg, BG_XFER, q, &x, 0);
	ASSERT_TRUE(waiting(q, 1, 0));
	ASSERT_TRUE(fall_asleep(&s, other, POLLOUT));
	EXPECT_EQ(-ETIMEDOUT, bg_end(&bg));
	EXPECT_EQ(POLLOUT, wake_up(&s));
}

TEST_F(abi, delete_wakes_pollers)
{
	int q = create_bounded("q", BOTH, 1);
	struct sleeper in, out;

	ASSERT_EQ(0, put(q, "a"));
	ASSERT_TRUE(fall_asleep(&out, q, POLLOUT));
	ASSERT_TRUE(get(q, "a"));
	EXPECT_EQ(POLLOUT, wake_up(&out));
	ASSERT_TRUE(fall_asleep(&in, q, POLLIN));
	ASSERT_EQ(0, put(q, "b"));
	EXPECT_EQ(POLLIN, wake_up(&in));
	ASSERT_TRUE(fall_asleep(&out, q, POLLOUT));
	ASSERT_EQ(0, delete("q", 0));
	EXPECT_EQ(POLLERR | POLLHUP, wake_up(&out) & (POLLERR | POLLHUP));
}

TEST_F(abi, delete_wakes_pollers_of_no_direction)
{
	int q = create("q", BOTH, NULL), none = open_queue("q", 0);
	struct sleeper s;

	ASSERT_LE(0, none);
	ASSERT_EQ(0, put(q, "a"));
	EXPECT_EQ(0, ready(none));
	ASSERT_TRUE(fall_asleep(&s, none, POLLIN));
	ASSERT_EQ(0, delete("q", 0));
	EXPECT_EQ(POLLIN | POLLERR | POLLHUP, wake_up(&s));
}

TEST_F(abi, seal_and_drain_wake_pollers)
{
	int q = create("q", BOTH, NULL);
	int r = open_queue("q", RECV);
	struct sleeper s;

	ASSERT_TRUE(fall_asleep(&s, r, POLLIN));
	ASSERT_EQ(0, admin("q", KMQ_ADMIN_SEAL, NULL));
	EXPECT_EQ(POLLIN | POLLHUP, wake_up(&s));
	ASSERT_EQ(0, admin("q", KMQ_ADMIN_UNSEAL, NULL));
	ASSERT_EQ(0, put(q, "a"));
	ASSERT_EQ(0, admin("q", KMQ_ADMIN_SEAL, NULL));
	ASSERT_TRUE(fall_asleep(&s, r, POLLRDHUP));
	ASSERT_TRUE(get(q, "a"));
	EXPECT_EQ(POLLHUP, wake_up(&s) & POLLHUP);
}

TEST_F(abi, shutdown_wakes_pollers)
{
	int r = create("q", RECV, NULL);
	struct sleeper s;

	ASSERT_TRUE(fall_asleep(&s, r, POLLIN));
	ASSERT_EQ(0, shut(r, RECV));
	EXPECT_EQ(POLLHUP, wake_up(&s) & POLLHUP);
}

/* ---- epoll -------------------------------------------------------------- */

TEST_F(abi, level_triggered_shows_until_it_is_empty)
{
	int q = create("q", BOTH | NONBLOCK, NULL), ep = epoll_create1(0);

	ASSERT_EQ(0, watch(ep, q, EPOLLIN));
	EXPECT_EQ(0, event(ep, 0));
	ASSERT_EQ(0, put(q, "a"));
	ASSERT_EQ(0, put(q, "b"));
	EXPECT_EQ(EPOLLIN, event(ep, 0));
	EXPECT_EQ(EPOLLIN, event(ep, 0));
	ASSERT_TRUE(get(q, "a"));
	EXPECT_EQ(EPOLLIN, event(ep, 0));
	ASSERT_TRUE(get(q, "b"));
	EXPECT_EQ(0, event(ep, 0));
}

TEST_F(abi, edge_triggered_shows_every_message_that_comes)
{
	int q = create("q", BOTH | NONBLOCK, NULL), ep = epoll_create1(0);

	ASSERT_EQ(0, watch(ep, q, EPOLLIN | EPOLLET));
	EXPECT_EQ(0, event(ep, 0));
	ASSERT_EQ(0, put(q, "a"));
	EXPECT_EQ(EPOLLIN, event(ep, 0));
	EXPECT_EQ(0, event(ep, 0));
	/* though it was not empty meanwhile */
	ASSERT_EQ(0, put(q, "b"));
	EXPECT_EQ(EPOLLIN, event(ep, 0));
	EXPECT_EQ(0, event(ep, 0));
}

TEST_F(abi, edge_triggered_shows_room)
{
	int q = create_bounded("q", BOTH | NONBLOCK, 1), ep = epoll_create1(0);

	ASSERT_EQ(0, watch(ep, q, EPOLLOUT | EPOLLET));
	EXPECT_EQ(EPOLLOUT, event(ep, 0));
	EXPECT_EQ(0, event(ep, 0));
	ASSERT_EQ(0, put(q, "a"));
	EXPECT_EQ(0, event(ep, 0));
	ASSERT_TRUE(get(q, "a"));
	EXPECT_EQ(EPOLLOUT, event(ep, 0));
}

TEST_F(abi, edge_triggered_shows_what_unseal_brings)
{
	int q = create("q", BOTH | NONBLOCK, NULL), ep = epoll_create1(0);

	ASSERT_EQ(0, admin("q", KMQ_ADMIN_SEAL, NULL));
	ASSERT_EQ(0, watch(ep, q, EPOLLOUT | EPOLLET));
	EXPECT_EQ(EPOLLERR, event(ep, 0) & EPOLLERR);
	ASSERT_EQ(0, admin("q", KMQ_ADMIN_UNSEAL, NULL));
	EXPECT_EQ(EPOLLOUT, event(ep, 0) & (EPOLLOUT | EPOLLERR));
}

TEST_F(abi, edge_triggered_shows_what_alter_brings)
{
	struct kmq_attrs at = ATTRS(.mask = KMQ_A_MAX_MESSAGES,
				    .max_messages = 2);
	int q = create_bounded("q", BOTH | NONBLOCK, 1), ep = epoll_create1(0);

	ASSERT_EQ(0, put(q, "a"));
	ASSERT_EQ(0, watch(ep, q, EPOLLOUT | EPOLLET));
	EXPECT_EQ(0, event(ep, 0));
	ASSERT_EQ(0, alter("q", &at, NULL));
	EXPECT_EQ(EPOLLOUT, event(ep, 0));
}

TEST_F(abi, edge_triggered_shows_the_end)
{
	int q = create("q", BOTH | NONBLOCK, NULL), ep = epoll_create1(0);

	ASSERT_EQ(0, watch(ep, q, EPOLLIN | EPOLLET));
	ASSERT_EQ(0, admin("q", KMQ_ADMIN_SEAL, NULL));
	EXPECT_EQ(EPOLLHUP, event(ep, 0) & EPOLLHUP);
	ASSERT_EQ(0, delete("q", 0));
	EXPECT_EQ(EPOLLHUP | EPOLLERR, event(ep, 0) & (EPOLLHUP | EPOLLERR));
}

TEST_F(abi, edge_triggered_shows_what_was_put_back)
{
	int q = create("q", BOTH | NONBLOCK, NULL), ep = epoll_create1(0);
	char *page = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS,
			  -1, 0);

	ASSERT_EQ(0, watch(ep, q, EPOLLIN | EPOLLET));
	ASSERT_EQ(0, put(q, "a"));
	EXPECT_EQ(EPOLLIN, event(ep, 0));
	EXPECT_EQ(0, event(ep, 0));
	EXPECT_EQ(-EFAULT, rd(q, page, 4096));
	EXPECT_EQ(EPOLLIN, event(ep, 0));
}

TEST_F(abi, oneshot_shows_once)
{
	int q = create("q", BOTH | NONBLOCK, NULL), ep = epoll_create1(0);
	struct epoll_event ev = { .events = EPOLLIN | EPOLLONESHOT };

	ASSERT_EQ(0, watch(ep, q, EPOLLIN | EPOLLONESHOT));
	ASSERT_EQ(0, put(q, "a"));
	EXPECT_EQ(EPOLLIN, event(ep, 0));
	ASSERT_EQ(0, put(q, "b"));
	EXPECT_EQ(0, event(ep, 0));
	ASSERT_EQ(0, epoll_ctl(ep, EPOLL_CTL_MOD, q, &ev));
	EXPECT_EQ(EPOLLIN, event(ep, 0));
}

TEST_F(abi, a_receive_that_leaves_something_shows_it_again)
{
	int q = create("q", BOTH | NONBLOCK, NULL), ep = epoll_create1(0);

	/* so that whoever was passed over comes to take it */
	ASSERT_EQ(0, put(q, "a"));
	ASSERT_EQ(0, put(q, "b"));
	ASSERT_EQ(0, watch(ep, q, EPOLLIN | EPOLLET));
	EXPECT_EQ(EPOLLIN, event(ep, 0));
	EXPECT_EQ(0, event(ep, 0));
	ASSERT_TRUE(get(q, "a"));
	EXPECT_EQ(EPOLLIN, event(ep, 0));
	ASSERT_TRUE(get(q, "b"));
	EXPECT_EQ(0, event(ep, 0));
}

#define WORKERS 6

struct worker {
	pthread_t thread;
	int q;
	int ep;
	int stop;
	pid_t tid;
	unsigned long switches;
	int taken;
};

/* Waits until it could take one message, or is told to stop. */
static void *work_once(void *arg)
{
	struct worker *w = arg;
	struct epoll_event ev;
	char c;

	__atomic_store_n(&w->tid, (pid_t)syscall(SYS_gettid),
			 __ATOMIC_RELEASE);
	for (;;) {
		if (epoll_wait(w->ep, &ev, 1, -1) != 1)
			continue;
		if (ev.data.fd == w->stop)
			return NULL;
		if (rd(w->q, &c, 1) == 1) {
			__atomic_store_n(&w->taken, 1, __ATOMIC_RELEASE);
			return NULL;
		}
	}
}

/* How often the thread went to sleep. */
static unsigned long switches(pid_t tid)
{
	unsigned long n = 0;
	char path[64], line[128];
	FILE *f;

	snprintf(path, sizeof(path), "/proc/self/task/%d/status", tid);
	f = fopen(path, "re");
	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "voluntary_ctxt_switches: %lu", &n) == 1)
			break;
	if (f)
		fclose(f);
	return n;
}

/* WORKERS of them sleep, each in an epoll set of its own. */
static bool start_workers(struct worker *w, int q)
{
	int stop = eventfd(0, EFD_CLOEXEC), i;

	for (i = 0; i < WORKERS; i++) {
		w[i] = (struct worker){
			.q = q, .ep = epoll_create1(0), .stop = stop,
		};
		if (watch(w[i].ep, q, EPOLLIN | EPOLLEXCLUSIVE) ||
		    watch(w[i].ep, stop, EPOLLIN) ||
		    pthread_create(&w[i].thread, NULL, work_once, &w[i]))
			return false;
	}
	for (i = 0; i < WORKERS; i++) {
		if (!WAIT_FOR(__atomic_load_n(&w[i].tid, __ATOMIC_ACQUIRE)) ||
		    !WAIT_FOR(thread_state(w[i].tid) == 'S'))
			return false;
		w[i].switches = switches(w[i].tid);
	}
	return true;
}

static int taken(struct worker *w)
{
	int i, n = 0;

	for (i = 0; i < WORKERS; i++)
		n += __atomic_load_n(&w[i].taken, __ATOMIC_ACQUIRE);
	return n;
}

/* Ends them: how many were woken and found nothing. */
static int in_vain(struct worker *w)
{
	__u64 one = 1;
	int i, n = 0;

	for (i = 0; i < WORKERS; i++)
		n += !w[i].taken && switches(w[i].tid) != w[i].switches;
	if (write(w[0].stop, &one, sizeof(one)) != sizeof(one))
		abort();
	for (i = 0; i < WORKERS; i++)
		pthread_join(w[i].thread, NULL);
	return n;
}

TEST_F(abi, exclusive_wakes_one_for_one_message)
{
	int q = create("q", BOTH | NONBLOCK, NULL);
	struct worker w[WORKERS];

	ASSERT_TRUE(start_workers(w, q));
	ASSERT_EQ(0, put(q, "a"));
	EXPECT_TRUE(WAIT_FOR(taken(w) == 1));
	EXPECT_EQ(0, in_vain(w));
}

TEST_F(abi, exclusive_wakes_as_many_as_messages)
{
	int q = create("q", BOTH | NONBLOCK, NULL);
	struct worker w[WORKERS];
	struct batch b = BATCH(512);
	struct kmq_xfer_args x;

	add(&b, "a");
	add(&b, "b");
	add(&b, "c");
	add(&b, "d");
	ASSERT_TRUE(start_workers(w, q));
	x = xfer_send(&b);
	ASSERT_EQ(0, xfer(q, &x));
	EXPECT_TRUE(WAIT_FOR(taken(w) == 4));
	/* a receive that leaves something may wake one more for it */
	in_vain(w);
	EXPECT_EQ(0, stat_fd(q).ready);
}

TEST_F(abi, exclusive_leaves_no_message_behind)
{
	int q = create("q", BOTH | NONBLOCK, NULL), i;
	struct worker w[WORKERS];

	ASSERT_TRUE(start_workers(w, q));
	for (i = 0; i < WORKERS; i++)
		ASSERT_EQ(0, put(q, "x"));
	EXPECT_TRUE(WAIT_FOR(taken(w) == WORKERS));
	in_vain(w);
}

TEST_F(abi, a_large_batch_wakes_all_who_can_take_of_it)
{
	int q = create("q", BOTH | NONBLOCK, NULL), i;
	struct worker w[WORKERS];
	struct batch b = BATCH(36000);
	struct kmq_xfer_args x;

	/* more than is moved in one go in the kernel */
	for (i = 0; i < 500; i++)
		add(&b, "x");
	ASSERT_TRUE(start_workers(w, q));
	x = xfer_send(&b);
	ASSERT_EQ(0, xfer(q, &x));
	EXPECT_TRUE(WAIT_FOR(taken(w) == WORKERS));
	in_vain(w);
}

TEST_F(abi, exclusive_writers_are_woken_by_room)
{
	int q = create_bounded("q", BOTH | NONBLOCK, 1), ep[2], i, woken = 0;

	ASSERT_EQ(0, put(q, "a"));
	for (i = 0; i < 2; i++) {
		ep[i] = epoll_create1(0);
		ASSERT_EQ(0, watch(ep[i], q, EPOLLOUT | EPOLLEXCLUSIVE));
		EXPECT_EQ(0, event(ep[i], 0));
	}
	ASSERT_TRUE(get(q, "a"));
	for (i = 0; i < 2; i++)
		woken += event(ep[i], 0) == EPOLLOUT;
	EXPECT_LE(1, woken);
}

TEST_HARNESS_MAIN
