// SPDX-License-Identifier: GPL-2.0-only
/* Who sent it, as the receiver sees it */
#include "kmq-test.h"

static union {
	struct kmq_record rec;
	char buf[256];
} in;

static int receive(int q)
{
	struct kmq_xfer_args x = xfer_recv(&in, sizeof(in));

	x.max_records = 1;
	return xfer(q, &x);
}

/* A queue anybody may use. */
static int make(__u32 flags)
{
	struct kmq_attrs at = ATTRS(.mask = KMQ_A_MODE, .mode = 0666);

	return create("q", flags, &at);
}

static int as_user(uid_t uid, gid_t gid, int (*fn)(int), int arg)
{
	int ret;

	if (!become(uid, gid))
		abort();
	ret = fn(arg);
	become_root();
	return ret;
}

static int put_write(int q)
{
	return put(q, "written");
}

static int put_xfer(int q)
{
	return put_priority(q, "transferred", 0);
}

static int open_send(int flags)
{
	return open_queue("q", SEND | flags);
}

TEST_F(abi, write_is_stamped_with_the_opener)
{
	int q = make(BOTH), s;

	s = as_user(USER, OTHER, open_send, 0);
	ASSERT_LE(0, s);
	ASSERT_EQ(0, put(s, "a"));
	ASSERT_EQ(0, receive(q));
	EXPECT_EQ(USER, in.rec.uid);
	EXPECT_EQ(OTHER, in.rec.gid);
	EXPECT_EQ(getpid(), in.rec.pid);
	EXPECT_EQ(KMQ_REC_OPENER, in.rec.flags);
}

TEST_F(abi, xfer_is_stamped_with_the_caller)
{
	int q = make(BOTH);

	ASSERT_EQ(0, as_user(USER, OTHER, put_xfer, q));
	ASSERT_EQ(0, receive(q));
	EXPECT_EQ(USER, in.rec.uid);
	EXPECT_EQ(OTHER, in.rec.gid);
	EXPECT_EQ(getpid(), in.rec.pid);
	EXPECT_EQ(0, in.rec.flags);
	ASSERT_EQ(0, put_xfer(q));
	ASSERT_EQ(0, receive(q));
	EXPECT_EQ(0, in.rec.uid);
}

TEST_F(abi, a_set_uid_program_does_not_lend_its_name)
{
	int q = make(BOTH), s;

	/* opened by USER, written to by root: as su(1) with stderr on it */
	s = as_user(USER, USER, open_send, 0);
	ASSERT_EQ(0, put(s, "error: not root"));
	ASSERT_EQ(0, receive(q));
	EXPECT_EQ(USER, in.rec.uid);
	EXPECT_EQ(KMQ_REC_OPENER, in.rec.flags);
	/* nor the other way round */
	ASSERT_EQ(0, as_user(USER, USER, put_write, q));
	ASSERT_EQ(0, receive(q));
	EXPECT_EQ(0, in.rec.uid);
	EXPECT_EQ(KMQ_REC_OPENER, in.rec.flags);
}

TEST_F(abi, written_records_carry_the_opener_too)
{
	int q = make(BOTH), s;
	struct batch b = BATCH(128);

	s = as_user(USER, USER, open_send, RECORDS);
	ASSERT_LE(0, s);
	add(&b, "a");
	ASSERT_EQ(b.len, wr(s, b.buf, b.len));
	ASSERT_EQ(0, receive(q));
	EXPECT_EQ(USER, in.rec.uid);
	EXPECT_EQ(KMQ_REC_OPENER, in.rec.flags);
}

TEST_F(abi, the_opener_is_who_it_was_then)
{
	int q = make(BOTH), s;

	s = as_user(USER, USER, open_send, 0);
	ASSERT_EQ(0, setresuid(OTHER, OTHER, 0));
	ASSERT_EQ(0, put(s, "a"));
	ASSERT_EQ(0, seteuid(0));
	ASSERT_EQ(0, receive(q));
	EXPECT_EQ(USER, in.rec.uid);
}

TEST_F(abi, pid_is_the_process_not_the_opener)
{
	int q = make(BOTH);
	pid_t pid = fork_child();

	if (!pid)
		_exit(put(q, "a") || put_xfer(q));
	ASSERT_EQ(0, child_status(pid));
	/* though it is gone */
	ASSERT_EQ(0, receive(q));
	EXPECT_EQ(pid, in.rec.pid);
	ASSERT_EQ(0, receive(q));
	EXPECT_EQ(pid, in.rec.pid);
}

TEST_F(abi, pid_is_that_of_the_process_of_a_thread)
{
	int q = make(BOTH);
	struct bg bg;

	bg_start(&bg, BG_WRITE, q, "a", 1);
	EXPECT_EQ(1, bg_end(&bg));
	ASSERT_EQ(0, receive(q));
	EXPECT_EQ(getpid(), in.rec.pid);
}

TEST_F(abi, what_the_sender_claims_is_overwritten)
{
	int q = make(BOTH);
	struct batch b = BATCH(128);
	struct kmq_xfer_args x;
	struct kmq_record *rec = add(&b, "a");

	rec->pid = 1;
	rec->uid = 4711;
	rec->gid = 4711;
	rec->flags = 0;
	rec->seq = 99;
	rec->time = 1;
	x = xfer_send(&b);
	ASSERT_EQ(0, xfer(q, &x));
	ASSERT_EQ(0, receive(q));
	EXPECT_EQ(getpid(), in.rec.pid);
	EXPECT_EQ(0, in.rec.uid);
	EXPECT_EQ(0, in.rec.gid);
	EXPECT_EQ(1, in.rec.seq);
	EXPECT_LT(1, in.rec.time);
}

/* ---- namespaces --------------------------------------------------------- */

struct view {
	int ret;
	struct kmq_record rec;
	struct kmq_attrs attrs;
};

TEST_F(abi, users_show_as_in_the_readers_user_namespace)
{
	struct kmq_attrs at = ATTRS(.mask = KMQ_A_UID | KMQ_A_GID,
				    .uid = USER, .gid = OTHER);
	struct view *view = shared(sizeof(*view) * 2);
	int q = make(BOTH), p[2], c[2];
	char path[64], byte;
	pid_t pid;

	/* root maps 5 to 1000; 1001 is not mapped */
	ASSERT_EQ(0, as_user(USER, USER, put_xfer, q));
	ASSERT_EQ(0, as_user(OTHER, OTHER, put_xfer, q));
	ASSERT_EQ(0, alter("q", &at, NULL));
	ASSERT_EQ(0, pipe(p));
	ASSERT_EQ(0, pipe(c));
	pid = fork_child();
	if (!pid) {
		int i;

		if (unshare(CLONE_NEWUSER))
			_exit(77);
		write(c[1], "u", 1);
		read(p[0], &byte, 1);
		for (i = 0; i < 2; i++) {
			view[i].ret = receive(q);
			view[i].rec = in.rec;
			view[i].attrs = attrs_of(q);
		}
		_exit(0);
	}
	close(c[1]);
	if (read(c[0], &byte, 1) != 1)
		SKIP(return, "no user namespaces here");
	snprintf(path, sizeof(path), "/proc/%d/uid_map", pid);
	ASSERT_TRUE(write_file(path, "5 1000 1\n"));
	snprintf(path, sizeof(path), "/proc/%d/gid_map", pid);
	ASSERT_TRUE(write_file(path, "6 1000 1\n"));
	ASSERT_EQ(1, write(p[1], "g", 1));
	ASSERT_EQ(0, child_status(pid));
	EXPECT_EQ(0, view[0].ret);
	EXPECT_EQ(5, view[0].rec.uid);
	EXPECT_EQ(6, view[0].rec.gid);
	EXPECT_EQ(5, view[0].attrs.uid);
	EXPECT_EQ(65534, view[0].attrs.gid);
	EXPECT_EQ(0, view[1].ret);
	EXPECT_EQ(65534, view[1].rec.uid);
	EXPECT_EQ(65534, view[1].rec.gid);
}

/* Runs fn(q) as process 1 of a pid namespace; -1: cannot. */
static int in_pid_namespace(int (*fn)(int, struct view *), int q,
			    struct view *view, pid_t *outer)
{
	pid_t pid = fork_child();

	if (!pid) {
		pid_t inner;

		if (unshare(CLONE_NEWPID))
			_exit(77);
		inner = fork_child();
		if (!inner)
			_exit(fn(q, view));
		_exit(child_status(inner));
	}
	*outer = pid;
	return child_status(pid);
}

static int send_from_inside(int q, struct view *view)
{
	view->ret = getpid();
	return put_xfer(q) ? 1 : 0;
}

static int receive_inside(int q, struct view *view)
{
	if (put_xfer(q))
		return 1;
	view[0].ret = receive(q);
	view[0].rec = in.rec;
	view[1].ret = receive(q);
	view[1].rec = in.rec;
	return 0;
}

TEST_F(abi, a_process_outside_the_readers_pid_namespace_is_0)
{
	struct view *view = shared(sizeof(*view) * 2);
	int q = make(BOTH);
	pid_t outer;

	ASSERT_EQ(0, put_xfer(q));
	ASSERT_EQ(0, in_pid_namespace(receive_inside, q, view, &outer));
	EXPECT_EQ(0, view[0].ret);
	EXPECT_EQ(0, view[0].rec.pid);
	/* its own it sees as 1 */
	EXPECT_EQ(0, view[1].ret);
	EXPECT_EQ(1, view[1].rec.pid);
}

TEST_F(abi, a_process_of_a_pid_namespace_below_is_seen)
{
	struct view *view = shared(sizeof(*view));
	int q = make(BOTH);
	pid_t outer;

	ASSERT_EQ(0, in_pid_namespace(send_from_inside, q, view, &outer));
	EXPECT_EQ(1, view->ret);
	ASSERT_EQ(0, receive(q));
	EXPECT_LT(outer, in.rec.pid);
}

TEST_HARNESS_MAIN
