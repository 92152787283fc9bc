// SPDX-License-Identifier: GPL-2.0-only
/* Calls that wait: their order, deadlines, signals */
#include "kmq-test.h"

TEST_F(abi, blocked_senders_are_served_in_order)
{
	int q = create_bounded("q", BOTH, 1), i;
	static char text[] = "abcdef";
	struct bg bg[6];
	char c;

	ASSERT_EQ(0, put(q, "x"));
	for (i = 0; i < 6; i++) {
		bg_start(&bg[i], BG_WRITE, q, &text[i], 1);
		ASSERT_TRUE(waiting(q, i + 1, 0));
	}
	ASSERT_EQ(1, rd(q, &c, 1));
	EXPECT_EQ('x', c);
	for (i = 0; i < 6; i++) {
		ASSERT_EQ(1, rd(q, &c, 1));
		EXPECT_EQ(text[i], c);
		EXPECT_EQ(1, bg_end(&bg[i]));
	}
}

TEST_F(abi, blocked_receivers_are_served_in_order)
{
	int q = create("q", BOTH, NULL), i;
	struct bg bg[6];
	char got[6];

	for (i = 0; i < 6; i++) {
		bg_start(&bg[i], BG_READ, q, &got[i], 1);
		ASSERT_TRUE(waiting(q, 0, i + 1));
	}
	for (i = 0; i < 6; i++) {
		char text[2] = { 'a' + i };

		ASSERT_EQ(0, put(q, text));
		EXPECT_EQ(1, bg_end(&bg[i]));
		EXPECT_EQ('a' + i, got[i]);
	}
}

TEST_F(abi, a_batch_wakes_as_many_receivers_as_messages)
{
	int q = create("q", BOTH, NULL), i;
	struct batch b = BATCH(512);
	struct kmq_xfer_args x;
	struct bg bg[4];
	char got[4];

	for (i = 0; i < 4; i++) {
		bg_start(&bg[i], BG_READ, q, &got[i], 1);
		ASSERT_TRUE(waiting(q, 0, i + 1));
	}
	add(&b, "a");
	add(&b, "b");
	add(&b, "c");
	x = xfer_send(&b);
	ASSERT_EQ(0, xfer(q, &x));
	for (i = 0; i < 3; i++) {
		EXPECT_EQ(1, bg_end(&bg[i]));
		EXPECT_EQ('a' + i, got[i]);
	}
	EXPECT_FALSE(bg_done(&bg[3]));
	EXPECT_EQ(1, stat_fd(q).waiting_receivers);
	ASSERT_EQ(0, put(q, "d"));
	EXPECT_EQ(1, bg_end(&bg[3]));
}

TEST_F(abi, waiting_receivers_share_a_batch)
{
	int q = create("q", BOTH, NULL), i;
	struct kmq_xfer_args x[2], send;
	struct batch b = BATCH(512);
	char buf[2][1024];
	struct bg bg[2];

	for (i = 0; i < 2; i++) {
		x[i] = xfer_recv(buf[i], sizeof(buf[i]));
		x[i].deadline = KMQ_FOREVER;
		bg_start(&bg[i], BG_XFER, q, &x[i], 0);
		ASSERT_TRUE(waiting(q, 0, i + 1));
	}
	for (i = 0; i < 4; i++)
		add(&b, "x");
	send = xfer_send(&b);
	ASSERT_EQ(0, xfer(q, &send));
	EXPECT_EQ(0, bg_end(&bg[0]));
	EXPECT_EQ(0, bg_end(&bg[1]));
	EXPECT_EQ(2, x[0].received);
	EXPECT_EQ(2, x[1].received);
}

TEST_F(abi, one_who_does_not_wait_never_overtakes)
{
	struct kmq_attrs at = ATTRS(
		.mask = KMQ_A_MAX_BYTES | KMQ_A_MAX_MESSAGE_SIZE,
		.max_message_size = 1000, .max_bytes = 1200);
	int q = create("q", BOTH, &at), poor = open_queue("q", BOTH | NONBLOCK);
	static char big[1000];
	struct bg bg;

	ASSERT_EQ(0, put(q, "first"));
	/* there is room for it, but somebody waits */
	ASSERT_EQ(600, wr(poor, big, 600));
	bg_start(&bg, BG_WRITE, q, big, 1000);
	ASSERT_TRUE(waiting(q, 1, 0));
	EXPECT_EQ(-EAGAIN, put(poor, "small"));
	ASSERT_TRUE(get(q, "first"));
	EXPECT_EQ(-EAGAIN, put(poor, "small"));
	EXPECT_EQ(600, rd(q, big, sizeof(big)));
	EXPECT_EQ(1000, bg_end(&bg));
	EXPECT_EQ(0, put(poor, "small"));
}

TEST_F(abi, one_who_waits_stands_behind_those_who_wait)
{
	struct kmq_attrs at = ATTRS(
		.mask = KMQ_A_MAX_BYTES | KMQ_A_MAX_MESSAGE_SIZE,
		.max_message_size = 1000, .max_bytes = 1200);
	int q = create("q", BOTH, &at);
	static char big[1000];
	struct bg large, small;

	ASSERT_EQ(500, wr(q, big, 500));
	bg_start(&large, BG_WRITE, q, big, 1000);
	ASSERT_TRUE(waiting(q, 1, 0));
	bg_start(&small, BG_WRITE, q, "s", 1);
	ASSERT_TRUE(waiting(q, 2, 0));
	ASSERT_EQ(500, rd(q, big, sizeof(big)));
	EXPECT_EQ(1000, bg_end(&large));
	EXPECT_EQ(1, bg_end(&small));
	EXPECT_EQ(1000, rd(q, big, sizeof(big)));
	EXPECT_EQ(1, rd(q, big, sizeof(big)));
}

TEST_F(abi, a_blocked_batch_goes_in_piece_by_piece_keeping_its_turn)
{
	int q = create_bounded("q", BOTH, 1);
	struct batch b = BATCH(512);
	struct kmq_xfer_args x;
	struct bg batch, single;

	add(&b, "1");
	add(&b, "2");
	add(&b, "3");
	x = xfer_send(&b);
	x.deadline = KMQ_FOREVER;
	bg_start(&batch, BG_XFER, q, &x, 0);
	ASSERT_TRUE(waiting(q, 1, 0));
	EXPECT_EQ(1, stat_fd(q).ready);
	bg_start(&single, BG_WRITE, q, "4", 1);
	ASSERT_TRUE(waiting(q, 2, 0));
	EXPECT_TRUE(get(q, "1"));
	EXPECT_EQ(2, stat_fd(q).waiting_senders);
	EXPECT_TRUE(get(q, "2"));
	EXPECT_TRUE(get(q, "3"));
	EXPECT_EQ(0, bg_end(&batch));
	EXPECT_EQ(3, x.sent);
	EXPECT_EQ(3, x.last_seq);
	EXPECT_EQ(1, bg_end(&single));
	EXPECT_TRUE(get(q, "4"));
}

TEST_F(abi, a_sent_message_goes_straight_to_who_waits)
{
	int q = create_bounded("q", BOTH, 1);
	struct bg bg;
	char c;

	bg_start(&bg, BG_READ, q, &c, 1);
	ASSERT_TRUE(waiting(q, 0, 1));
	ASSERT_EQ(0, put(q, "a"));
	ASSERT_EQ(0, put(q, "b"));
	EXPECT_EQ(1, bg_end(&bg));
	EXPECT_EQ('a', c);
	EXPECT_TRUE(get(q, "b"));
}

/* ---- deadlines ---------------------------------------------------------- */

TEST_F(abi, a_receive_ends_at_its_deadline)
{
	int q = create("q", BOTH, NULL);
	char buf[128];
	struct kmq_xfer_args x = xfer_recv(buf, sizeof(buf));

	x.deadline = now() + NSEC / 20;
	EXPECT_EQ(-ETIMEDOUT, xfer(q, &x));
	EXPECT_LE(x.deadline, now());
	EXPECT_EQ(-ETIMEDOUT, x.recv_err);
	EXPECT_EQ(0, stat_fd(q).waiting_receivers);
}

TEST_F(abi, a_send_ends_at_its_deadline)
{
	int q = create_bounded("q", BOTH, 1);
	struct batch b = BATCH(128);
	struct kmq_xfer_args x;

	ASSERT_EQ(0, put(q, "a"));
	add(&b, "b");
	x = xfer_send(&b);
	x.deadline = now() + NSEC / 20;
	EXPECT_EQ(-ETIMEDOUT, xfer(q, &x));
	EXPECT_LE(x.deadline, now());
	EXPECT_EQ(-ETIMEDOUT, x.send_err);
	EXPECT_EQ(0, x.sent);
	EXPECT_EQ(0, stat_fd(q).waiting_senders);
	EXPECT_EQ(1, stat_fd(q).ready);
}

TEST_F(abi, a_batch_keeps_what_went_in_before_the_deadline)
{
	int q = create_bounded("q", BOTH, 2);
	struct batch b = BATCH(512);
	struct kmq_xfer_args x;

	add(&b, "a");
	add(&b, "b");
	add(&b, "c");
	x = xfer_send(&b);
	x.deadline = now() + NSEC / 20;
	EXPECT_EQ(0, xfer(q, &x));
	EXPECT_EQ(2, x.sent);
	EXPECT_EQ(144, x.sent_bytes);
	EXPECT_EQ(-ETIMEDOUT, x.send_err);
	EXPECT_EQ(2, stat_fd(q).ready);
}

TEST_F(abi, a_deadline_that_has_passed_is_etimedout)
{
	int q = create_bounded("q", BOTH, 1);
	char buf[128];
	struct kmq_xfer_args x = xfer_recv(buf, sizeof(buf));
	struct batch b = BATCH(128);

	x.deadline = 1;
	EXPECT_EQ(-ETIMEDOUT, xfer(q, &x));
	ASSERT_EQ(0, put(q, "a"));
	add(&b, "b");
	x = xfer_send(&b);
	x.deadline = 1;
	EXPECT_EQ(-ETIMEDOUT, xfer(q, &x));
	/* what can be done at once is done all the same */
	x = xfer_recv(buf, sizeof(buf));
	x.deadline = 1;
	EXPECT_EQ(0, xfer(q, &x));
	EXPECT_EQ(1, x.received);
}

TEST_F(abi, a_deadline_beyond_all_clocks_is_no_end)
{
	int q = create("q", BOTH, NULL);
	char buf[128];
	struct kmq_xfer_args x = xfer_recv(buf, sizeof(buf));
	struct bg bg;

	x.deadline = KMQ_FOREVER - 1;
	bg_start(&bg, BG_XFER, q, &x, 0);
	ASSERT_TRUE(waiting(q, 0, 1));
	ASSERT_EQ(0, put(q, "a"));
	EXPECT_EQ(0, bg_end(&bg));
}

TEST_F(abi, both_parts_share_the_deadline)
{
	int q = create("q", BOTH, NULL), to = create_bounded("to", BOTH, 1);
	char buf[128];
	struct kmq_xfer_args x = xfer_recv(buf, sizeof(buf));
	struct batch b = BATCH(128);
	struct bg bg;

	ASSERT_EQ(0, put(to, "x"));
	add(&b, "a");
	x.send = ptr(b.buf);
	x.send_len = b.len;
	x.send_fd = to;
	x.deadline = now() + NSEC / 4;
	bg_start(&bg, BG_XFER, q, &x, 0);
	ASSERT_TRUE(waiting(to, 1, 0));
	ASSERT_TRUE(get(to, "x"));
	EXPECT_EQ(0, bg_end(&bg));
	EXPECT_EQ(1, x.sent);
	EXPECT_EQ(-ETIMEDOUT, x.recv_err);
	EXPECT_LE(x.deadline, now());
}

/* ---- signals ------------------------------------------------------------ */

TEST_F(abi, a_signal_interrupts_a_read)
{
	int q = create("q", BOTH, NULL);
	struct bg bg;
	char c;

	catch_signal(SIGUSR1, 0);
	bg_start(&bg, BG_READ, q, &c, 1);
	ASSERT_TRUE(waiting(q, 0, 1));
	pthread_kill(bg.thread, SIGUSR1);
	EXPECT_EQ(-EINTR, bg_end(&bg));
	EXPECT_EQ(1, signals);
	EXPECT_EQ(0, stat_fd(q).waiting_receivers);
}

TEST_F(abi, a_signal_interrupts_a_write)
{
	int q = create_bounded("q", BOTH, 1);
	struct bg bg;

	ASSERT_EQ(0, put(q, "a"));
	catch_signal(SIGUSR1, 0);
	bg_start(&bg, BG_WRITE, q, "b", 1);
	ASSERT_TRUE(waiting(q, 1, 0));
	pthread_kill(bg.thread, SIGUSR1);
	EXPECT_EQ(-EINTR, bg_end(&bg));
	EXPECT_EQ(1, stat_fd(q).ready);
}

TEST_F(abi, sa_restart_goes_on_reading)
{
	int q = create("q", BOTH, NULL), i;
	struct bg bg;
	char c;

	catch_signal(SIGUSR1, SA_RESTART);
	bg_start(&bg, BG_READ, q, &c, 1);
	for (i = 1; i <= 3; i++) {
		ASSERT_TRUE(waiting(q, 0, 1));
		pthread_kill(bg.thread, SIGUSR1);
		ASSERT_TRUE(WAIT_FOR(signals == i));
	}
	ASSERT_TRUE(waiting(q, 0, 1));
	EXPECT_FALSE(bg_done(&bg));
	ASSERT_EQ(0, put(q, "a"));
	EXPECT_EQ(1, bg_end(&bg));
}

TEST_F(abi, sa_restart_goes_on_writing)
{
	int q = create_bounded("q", BOTH, 1);
	struct bg bg;

	ASSERT_EQ(0, put(q, "a"));
	catch_signal(SIGUSR1, SA_RESTART);
	bg_start(&bg, BG_WRITE, q, "b", 1);
	ASSERT_TRUE(waiting(q, 1, 0));
	pthread_kill(bg.thread, SIGUSR1);
	ASSERT_TRUE(WAIT_FOR(signals == 1));
	ASSERT_TRUE(waiting(q, 1, 0));
	ASSERT_TRUE(get(q, "a"));
	EXPECT_EQ(1, bg_end(&bg));
	EXPECT_TRUE(get(q, "b"));
	EXPECT_EQ(0, stat_fd(q).ready);
}

TEST_F(abi, a_signal_interrupts_an_xfer_that_did_nothing)
{
	int q = create("q", BOTH, NULL);
	char buf[128];
	struct kmq_xfer_args x = xfer_recv(buf, sizeof(buf));
	struct bg bg;

	catch_signal(SIGUSR1, 0);
	x.deadline = KMQ_FOREVER;
	bg_start(&bg, BG_XFER, q, &x, 0);
	ASSERT_TRUE(waiting(q, 0, 1));
	pthread_kill(bg.thread, SIGUSR1);
	EXPECT_EQ(-EINTR, bg_end(&bg));
	EXPECT_EQ(-EINTR, x.recv_err);
	EXPECT_EQ(0, x.received);
}

TEST_F(abi, one_that_gives_up_lets_the_next_go)
{
	int q = create_bounded("q", BOTH, 4);
	struct batch b = BATCH(512);
	struct kmq_xfer_args x;
	struct bg many, one;

	catch_signal(SIGUSR1, 0);
	ASSERT_EQ(0, put(q, "1"));
	ASSERT_EQ(0, put(q, "2"));
	add(&b, "a");
	add(&b, "b");
	add(&b, "c");
	x = xfer_send(&b);
	x.flags = KMQ_XFER_ATOMIC;
	x.deadline = KMQ_FOREVER;
	bg_start(&many, BG_XFER, q, &x, 0);
	ASSERT_TRUE(waiting(q, 1, 0));
	/* there is room for it, but not its turn */
	bg_start(&one, BG_WRITE, q, "one", 3);
	ASSERT_TRUE(waiting(q, 2, 0));
	pthread_kill(many.thread, SIGUSR1);
	EXPECT_EQ(-EINTR, bg_end(&many));
	EXPECT_EQ(3, bg_end(&one));
	EXPECT_EQ(3, stat_fd(q).ready);
}

TEST_F(abi, sa_restart_keeps_the_deadline)
{
	int q = create("q", BOTH, NULL);
	char buf[128];
	struct kmq_xfer_args x = xfer_recv(buf, sizeof(buf));
	struct bg bg;

	catch_signal(SIGUSR1, SA_RESTART);
	x.deadline = now() + NSEC;
	bg_start(&bg, BG_XFER, q, &x, 0);
	ASSERT_TRUE(waiting(q, 0, 1));
	ASSERT_TRUE(WAIT_FOR(now() > x.deadline - NSEC / 2));
	pthread_kill(bg.thread, SIGUSR1);
	EXPECT_EQ(-ETIMEDOUT, bg_end(&bg));
	EXPECT_EQ(1, signals);
	EXPECT_LE(x.deadline, now());
	EXPECT_GT(x.deadline + NSEC / 2, now());
}

TEST_F(abi, a_send_that_happened_is_never_repeated)
{
	int q = create("q", BOTH, NULL), to = create("to", BOTH, NULL);
	char buf[128];
	struct kmq_xfer_args x = xfer_recv(buf, sizeof(buf));
	struct batch b = BATCH(128);
	struct bg bg;

	catch_signal(SIGUSR1, SA_RESTART);
	add(&b, "once");
	x.send = ptr(b.buf);
	x.send_len = b.len;
	x.send_fd = to;
	x.deadline = KMQ_FOREVER;
	bg_start(&bg, BG_XFER, q, &x, 0);
	ASSERT_TRUE(waiting(q, 0, 1));
	pthread_kill(bg.thread, SIGUSR1);
	EXPECT_EQ(0, bg_end(&bg));
	EXPECT_EQ(1, x.sent);
	EXPECT_EQ(0, x.send_err);
	EXPECT_EQ(-EINTR, x.recv_err);
	EXPECT_EQ(1, stat_fd(to).sent);
}

TEST_F(abi, a_batch_keeps_what_went_in_before_the_signal)
{
	int q = create_bounded("q", BOTH, 2);
	struct batch b = BATCH(512);
	struct kmq_xfer_args x;
	struct bg bg;

	catch_signal(SIGUSR1, SA_RESTART);
	add(&b, "a");
	add(&b, "b");
	add(&b, "c");
	x = xfer_send(&b);
	x.deadline = KMQ_FOREVER;
	bg_start(&bg, BG_XFER, q, &x, 0);
	ASSERT_TRUE(waiting(q, 1, 0));
	pthread_kill(bg.thread, SIGUSR1);
	EXPECT_EQ(0, bg_end(&bg));
	EXPECT_EQ(2, x.sent);
	EXPECT_EQ(-EINTR, x.send_err);
	EXPECT_EQ(2, stat_fd(q).sent);
}

TEST_F(abi, an_interrupted_write_of_records_ends_short)
{
	int q = create_bounded("q", BOTH | RECORDS, 2);
	struct batch b = BATCH(512);
	struct bg bg;

	catch_signal(SIGUSR1, SA_RESTART);
	add(&b, "a");
	add(&b, "b");
	add(&b, "c");
	bg_start(&bg, BG_WRITE, q, b.buf, b.len);
	ASSERT_TRUE(waiting(q, 1, 0));
	pthread_kill(bg.thread, SIGUSR1);
	EXPECT_EQ(144, bg_end(&bg));
	EXPECT_EQ(2, stat_fd(q).ready);
}

TEST_F(abi, a_killed_waiter_leaves_nothing_behind)
{
	int q = create("q", BOTH, NULL), i;
	char c;

	for (i = 0; i < 10; i++) {
		pid_t pid = fork_child();

		if (!pid) {
			rd(q, &c, 1);
			_exit(0);
		}
		ASSERT_TRUE(waiting(q, 0, 1));
		kill(pid, SIGKILL);
		EXPECT_EQ(-1, child_status(pid));
		EXPECT_EQ(0, stat_fd(q).waiting_receivers);
	}
	ASSERT_EQ(0, put(q, "a"));
	EXPECT_TRUE(get(q, "a"));
}

TEST_F(abi, a_message_for_a_killed_waiter_is_not_lost)
{
	int i;

	for (i = 0; i < 50; i++) {
		int q = create("q", BOTH, NULL);
		struct kmq_stat_args st;
		pid_t pid = fork_child();
		char c;

		if (!pid) {
			for (;;)
				rd(q, &c, 1);
		}
		ASSERT_TRUE(waiting(q, 0, 1));
		kill(pid, SIGKILL);
		ASSERT_EQ(0, put(q, "a"));
		ASSERT_EQ(-1, child_status(pid));
		/* handed over before it died, or still there */
		st = stat_fd(q);
		EXPECT_EQ(1, st.received + st.ready);
		EXPECT_EQ(0, st.waiting_receivers);
		close(q);
		ASSERT_EQ(0, delete("q", 0));
	}
}

TEST_HARNESS_MAIN
