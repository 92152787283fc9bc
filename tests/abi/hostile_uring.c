// SPDX-License-Identifier: GPL-2.0-only
/* io_uring requests that are cancelled, orphaned, or of an odd kind */
#include <linux/time_types.h>

#include "kmq-uring.h"

FIXTURE(uring)
{
	struct _test_data_abi abi;
	struct ring ring;
	int q;
	bool none;
};

FIXTURE_SETUP(uring)
{
	abi_setup(_metadata, &self->abi, NULL);
	self->q = create("q", BOTH, NULL);
	ASSERT_LE(0, self->q);
	self->none = ring_open(&self->ring, 0);
}

FIXTURE_TEARDOWN(uring)
{
	if (!self->none)
		close(self->ring.fd);
	abi_teardown(_metadata, &self->abi, NULL);
}

static bool handles(int q, __u32 n)
{
	return WAIT_FOR(stat_fd(q).handles == n);
}

/* Results of two requests, told apart by their number. */
static void reap_two(struct ring *r, int res[2])
{
	__u64 data;
	int i, got;

	res[0] = res[1] = -ETIME;
	for (i = 0; i < 2; i++) {
		got = reap(r, &data);
		if (got == -ETIME && data > 1)
			return;
		res[data & 1] = got;
	}
}

static void cancel(struct ring *r, __u64 which, __u64 data)
{
	submit(r, IORING_OP_ASYNC_CANCEL, -1, (void *)(uintptr_t)which, 0,
	       data);
}

TEST_F(uring, a_poll_that_waits_can_be_cancelled)
{
	struct io_uring_sqe s = sqe(IORING_OP_POLL_ADD, self->q, NULL, 0, 0);
	int res[2];

	if (self->none)
		SKIP(return, "no io_uring");
	s.poll_events = POLLIN;
	submit_sqe(&self->ring, &s, 1);
	EXPECT_FALSE(completed(&self->ring));
	cancel(&self->ring, 0, 1);
	reap_two(&self->ring, res);
	EXPECT_EQ(-ECANCELED, res[0]);
	EXPECT_EQ(0, res[1]);
	ASSERT_EQ(0, put(self->q, "a"));
	EXPECT_FALSE(completed(&self->ring));
	EXPECT_TRUE(get(self->q, "a"));
}

TEST_F(uring, a_write_that_waits_can_be_cancelled)
{
	int q = create_bounded("r", BOTH, 1), res[2];

	if (self->none)
		SKIP(return, "no io_uring");
	ASSERT_EQ(0, put(q, "a"));
	submit(&self->ring, IORING_OP_WRITE, q, "b", 1, 0);
	EXPECT_FALSE(completed(&self->ring));
	cancel(&self->ring, 0, 1);
	reap_two(&self->ring, res);
	EXPECT_EQ(-ECANCELED, res[0]);
	EXPECT_TRUE(get(q, "a"));
	EXPECT_EQ(1, stat_fd(q).sent);
}

TEST_F(uring, a_cancel_that_races_with_a_message_loses_none)
{
	int i, res[2], taken = 0;
	struct bg bg;
	char c;

	if (self->none)
		SKIP(return, "no io_uring");
	for (i = 0; i < 50; i++) {
		submit(&self->ring, IORING_OP_READ, self->q, &c, 1, 0);
		bg_start(&bg, BG_WRITE, self->q, "m", 1);
		if (i % 2)
			sched_yield();
		cancel(&self->ring, 0, 1);
		reap_two(&self->ring, res);
		ASSERT_EQ(1, bg_end(&bg));
		EXPECT_TRUE(res[0] == 1 || res[0] == -ECANCELED ||
			    res[0] == -EINTR)
			TH_LOG("%d", res[0]);
		ASSERT_EQ(res[0] != 1, stat_fd(self->q).ready);
		taken += res[0] == 1;
		if (res[0] != 1)
			ASSERT_TRUE(get(self->q, "m"));
	}
	EXPECT_EQ(50, stat_fd(self->q).received);
}

TEST_F(uring, a_linked_timeout_ends_a_read)
{
	struct __kernel_timespec ts = { .tv_nsec = 20000000 };
	struct io_uring_sqe s[2];
	int res[2];
	char c;

	if (self->none)
		SKIP(return, "no io_uring");
	s[0] = sqe(IORING_OP_READ, self->q, &c, 1, 0);
	s[0].flags = IOSQE_IO_LINK;
	s[1] = sqe(IORING_OP_LINK_TIMEOUT, -1, &ts, 1, 1);
	submit_sqe(&self->ring, s, 2);
	reap_two(&self->ring, res);
	EXPECT_EQ(-ECANCELED, res[0]);
	EXPECT_EQ(-ETIME, res[1]);
	ASSERT_EQ(0, put(self->q, "a"));
	EXPECT_TRUE(get(self->q, "a"));
}

TEST_F(uring, a_forced_worker_can_be_cancelled)
{
	struct io_uring_sqe s = sqe(IORING_OP_READ, self->q, NULL, 1, 0);
	int res[2];
	char c;

	if (self->none)
		SKIP(return, "no io_uring");
	s.addr = ptr(&c);
	s.flags = IOSQE_ASYNC;
	submit_sqe(&self->ring, &s, 1);
	cancel(&self->ring, 0, 1);
	reap_two(&self->ring, res);
	EXPECT_TRUE(res[0] == -ECANCELED || res[0] == -EINTR)
		TH_LOG("%d", res[0]);
	EXPECT_TRUE(waiting(self->q, 0, 0));
	ASSERT_EQ(0, put(self->q, "a"));
	EXPECT_TRUE(get(self->q, "a"));
}

TEST_F(uring, fixed_buffers)
{
	char *buf = aligned_alloc(4096, 8192), *in = buf + 4096;
	struct iovec iov = { buf, 8192 };

	if (self->none)
		SKIP(return, "no io_uring");
	ASSERT_EQ(0, syscall(SYS_io_uring_register, self->ring.fd,
			     IORING_REGISTER_BUFFERS, &iov, 1));
	memset(in, POISON, 4096);
	memcpy(buf, "hello", 5);
	submit(&self->ring, IORING_OP_WRITE_FIXED, self->q, buf, 5, 1);
	EXPECT_EQ(5, reap(&self->ring, NULL));
	submit(&self->ring, IORING_OP_READ_FIXED, self->q, in, 4096, 1);
	EXPECT_EQ(5, reap(&self->ring, NULL));
	EXPECT_EQ(0, memcmp(in, "hello", 5));
	EXPECT_EQ((char)POISON, in[5]);
	/* beyond what was registered */
	ASSERT_EQ(0, put(self->q, "a"));
	submit(&self->ring, IORING_OP_READ_FIXED, self->q, in, 4097, 1);
	EXPECT_EQ(-EFAULT, reap(&self->ring, NULL));
	EXPECT_TRUE(get(self->q, "a"));
}

TEST_F(uring, a_fixed_file_keeps_the_handle)
{
	int r = open_queue("q", BOTH);
	struct io_uring_sqe s = sqe(IORING_OP_WRITE, 0, "hello", 5, 1);

	if (self->none)
		SKIP(return, "no io_uring");
	ASSERT_EQ(0, syscall(SYS_io_uring_register, self->ring.fd,
			     IORING_REGISTER_FILES, &r, 1));
	close(r);
	EXPECT_EQ(2, stat_fd(self->q).handles);
	s.flags = IOSQE_FIXED_FILE;
	submit_sqe(&self->ring, &s, 1);
	EXPECT_EQ(5, reap(&self->ring, NULL));
	EXPECT_TRUE(get(self->q, "hello"));
	ASSERT_EQ(0, syscall(SYS_io_uring_register, self->ring.fd,
			     IORING_UNREGISTER_FILES, NULL, 0));
	EXPECT_TRUE(handles(self->q, 1));
}

TEST_F(uring, a_handle_closed_while_a_read_waits_serves_it)
{
	int r = open_queue("q", RECV);
	char c = 0;

	if (self->none)
		SKIP(return, "no io_uring");
	submit(&self->ring, IORING_OP_READ, r, &c, 1, 1);
	EXPECT_FALSE(completed(&self->ring));
	close(r);
	EXPECT_EQ(2, stat_fd(self->q).handles);
	ASSERT_EQ(0, put(self->q, "a"));
	EXPECT_EQ(1, reap(&self->ring, NULL));
	EXPECT_EQ('a', c);
	EXPECT_TRUE(handles(self->q, 1));
}

TEST_F(uring, a_ring_that_goes_leaves_everything)
{
	int r = open_queue("q", RECV), i;
	struct ring other;
	char buf[16];

	if (self->none)
		SKIP(return, "no io_uring");
	ASSERT_EQ(0, ring_open(&other, 0));
	for (i = 0; i < 16; i++)
		submit(&other, IORING_OP_READ, r, buf + i, 1, i);
	close(r);
	EXPECT_EQ(2, stat_fd(self->q).handles);
	ring_close(&other);
	EXPECT_TRUE(handles(self->q, 1));
	ASSERT_EQ(0, put(self->q, "a"));
	EXPECT_TRUE(get(self->q, "a"));
}

TEST_F(uring, a_killed_process_leaves_everything)
{
	int go[2], i, n = 0;
	char buf[64];
	pid_t pid;

	if (self->none)
		SKIP(return, "no io_uring");
	ASSERT_EQ(0, pipe(go));
	pid = fork_child();
	if (!pid) {
		int r = open_queue("q", RECV);
		struct ring other;

		close(self->ring.fd);
		if (ring_open(&other, 0))
			_exit(1);
		for (i = 0; i < 16; i++)
			submit(&other, IORING_OP_READ, r, buf + i, 1, i);
		if (write(go[1], "g", 1) == 1)
			pause();
		_exit(1);
	}
	ASSERT_EQ(1, read(go[0], buf, 1));
	EXPECT_EQ(2, stat_fd(self->q).handles);
	ASSERT_EQ(0, kill(pid, SIGKILL));
	for (i = 0; i < 8; i++)
		ASSERT_EQ(0, put(self->q, "a"));
	EXPECT_EQ(-1, child_status(pid));
	EXPECT_TRUE(handles(self->q, 1));
	/* it may have taken some before it died: each is somewhere */
	while (get(self->q, "a"))
		n++;
	EXPECT_EQ(8, stat_fd(self->q).received);
	EXPECT_LE(0, n);
}

TEST_F(uring, a_ring_that_polls_for_completion_is_refused)
{
	struct ring other;
	char c;

	if (self->none)
		SKIP(return, "no io_uring");
	if (ring_open(&other, IORING_SETUP_IOPOLL))
		SKIP(return, "no such ring");
	ASSERT_EQ(0, put(self->q, "a"));
	submit(&other, IORING_OP_READ, self->q, &c, 1, 1);
	EXPECT_EQ(-EOPNOTSUPP, reap(&other, NULL));
	submit(&other, IORING_OP_WRITE, self->q, "b", 1, 1);
	EXPECT_EQ(-EOPNOTSUPP, reap(&other, NULL));
	EXPECT_EQ(1, stat_fd(self->q).sent);
	EXPECT_TRUE(get(self->q, "a"));
	ring_close(&other);
}

TEST_F(uring, a_ring_with_a_thread_of_its_own_works)
{
	union {
		struct kmq_record rec;
		char buf[128];
	} in;
	struct kmq_xfer_args x;
	struct ring other;
	char c = 0;
	int err;

	if (self->none)
		SKIP(return, "no io_uring");
	err = ring_open(&other, IORING_SETUP_SQPOLL);
	if (err)
		SKIP(return, "no such ring: %s", strerror(-err));
	submit(&other, IORING_OP_WRITE, self->q, "a", 1, 1);
	ASSERT_EQ(1, reap(&other, NULL));
	x = xfer_recv(&in, sizeof(in));
	ASSERT_EQ(0, xfer(self->q, &x));
	EXPECT_EQ(KMQ_REC_OPENER, in.rec.flags);
	EXPECT_EQ(0, in.rec.uid);
	/* and when it has to wait */
	submit(&other, IORING_OP_READ, self->q, &c, 1, 1);
	ASSERT_EQ(0, put(self->q, "b"));
	EXPECT_EQ(1, reap(&other, NULL));
	EXPECT_EQ('b', c);
	ring_close(&other);
}

TEST_HARNESS_MAIN
