// SPDX-License-Identifier: GPL-2.0-only
/* What a full queue does */
#include "kmq-test.h"

static int make(__u32 overflow, __u64 messages)
{
	struct kmq_attrs at = ATTRS(
		.mask = KMQ_A_OVERFLOW | KMQ_A_MAX_MESSAGES,
		.overflow = overflow, .max_messages = messages);

	return create("q", BOTH, &at);
}

TEST_F(abi, block_makes_a_sender_wait)
{
	int q = make(KMQ_OVERFLOW_BLOCK, 1);
	struct bg bg;

	ASSERT_EQ(0, put(q, "a"));
	bg_start(&bg, BG_WRITE, q, "b", 1);
	ASSERT_TRUE(waiting(q, 1, 0));
	ASSERT_TRUE(get(q, "a"));
	EXPECT_EQ(1, bg_end(&bg));
	EXPECT_TRUE(get(q, "b"));
}

TEST_F(abi, reject_refuses_even_one_who_would_wait)
{
	int q = make(KMQ_OVERFLOW_REJECT, 1);
	struct batch b = BATCH(128);
	struct kmq_xfer_args x;

	ASSERT_EQ(0, put(q, "a"));
	EXPECT_EQ(-EAGAIN, put(q, "b"));
	add(&b, "c");
	x = xfer_send(&b);
	x.deadline = KMQ_FOREVER;
	EXPECT_EQ(-EAGAIN, xfer(q, &x));
	EXPECT_EQ(-EAGAIN, x.send_err);
	EXPECT_EQ(2, stat_fd(q).refused_full);
	EXPECT_EQ(0, stat_fd(q).blocked);
	EXPECT_TRUE(get(q, "a"));
	EXPECT_EQ(0, put(q, "d"));
}

TEST_F(abi, reject_takes_the_first_of_a_batch)
{
	int q = make(KMQ_OVERFLOW_REJECT, 2);
	struct batch b = BATCH(512);
	struct kmq_xfer_args x;

	add(&b, "a");
	add(&b, "b");
	add(&b, "c");
	x = xfer_send(&b);
	x.deadline = KMQ_FOREVER;
	EXPECT_EQ(0, xfer(q, &x));
	EXPECT_EQ(2, x.sent);
	EXPECT_EQ(-EAGAIN, x.send_err);
}

TEST_F(abi, drop_head_drops_the_oldest)
{
	int q = make(KMQ_OVERFLOW_DROP_HEAD, 3);
	struct kmq_stat_args st;

	ASSERT_EQ(0, put(q, "a"));
	ASSERT_EQ(0, put(q, "b"));
	ASSERT_EQ(0, put(q, "c"));
	ASSERT_EQ(0, put(q, "d"));
	ASSERT_EQ(0, put(q, "e"));
	st = stat_fd(q);
	EXPECT_EQ(3, st.ready);
	EXPECT_EQ(2, st.dropped_full);
	EXPECT_EQ(5, st.sent);
	EXPECT_EQ(6, st.next_seq);
	EXPECT_EQ(3 * 72, st.bytes);
	EXPECT_TRUE(get(q, "c"));
	EXPECT_TRUE(get(q, "d"));
	EXPECT_TRUE(get(q, "e"));
}

TEST_F(abi, drop_head_drops_of_the_lowest_priority)
{
	int q = make(KMQ_OVERFLOW_DROP_HEAD, 4);

	ASSERT_EQ(0, put_priority(q, "high 1", 9));
	ASSERT_EQ(0, put_priority(q, "low 1", 2));
	ASSERT_EQ(0, put_priority(q, "low 2", 2));
	ASSERT_EQ(0, put_priority(q, "middle", 5));
	ASSERT_EQ(0, put_priority(q, "high 2", 9));
	ASSERT_EQ(0, put_priority(q, "new", 2));
	EXPECT_EQ(2, stat_fd(q).dropped_full);
	EXPECT_TRUE(get(q, "high 1"));
	EXPECT_TRUE(get(q, "high 2"));
	EXPECT_TRUE(get(q, "middle"));
	EXPECT_TRUE(get(q, "new"));
}

TEST_F(abi, drop_head_may_drop_the_new_one)
{
	int q = make(KMQ_OVERFLOW_DROP_HEAD, 2);
	struct batch b = BATCH(128);
	struct kmq_xfer_args x;

	ASSERT_EQ(0, put_priority(q, "a", 5));
	ASSERT_EQ(0, put_priority(q, "b", 5));
	add(&b, "new")->priority = 4;
	x = xfer_send(&b);
	EXPECT_EQ(0, xfer(q, &x));
	EXPECT_EQ(1, x.sent);
	EXPECT_EQ(0, x.send_err);
	EXPECT_EQ(1, stat_fd(q).dropped_full);
	EXPECT_EQ(3, stat_fd(q).sent);
	EXPECT_TRUE(get(q, "a"));
	EXPECT_TRUE(get(q, "b"));
}

TEST_F(abi, drop_head_makes_as_much_room_as_needed)
{
	struct kmq_attrs at = ATTRS(
		.mask = KMQ_A_OVERFLOW | KMQ_A_MAX_BYTES |
			KMQ_A_MAX_MESSAGE_SIZE,
		.overflow = KMQ_OVERFLOW_DROP_HEAD, .max_message_size = 500,
		.max_bytes = 720);
	int q = create("q", BOTH, &at), i;
	static char big[500];

	for (i = 0; i < 10; i++)
		ASSERT_EQ(0, put(q, "x"));
	EXPECT_EQ(10, stat_fd(q).ready);
	/* 568 bytes: eight of 72 have to go */
	ASSERT_EQ(500, wr(q, big, 500));
	EXPECT_EQ(3, stat_fd(q).ready);
	EXPECT_EQ(8, stat_fd(q).dropped_full);
	EXPECT_GE(720, stat_fd(q).bytes);
}

TEST_F(abi, drop_head_never_waits_however_large_the_batch)
{
	int q = make(KMQ_OVERFLOW_DROP_HEAD, 10), i;
	struct batch b = BATCH(72000);
	struct kmq_xfer_args x;
	char text[8];

	for (i = 0; i < 1000; i++) {
		snprintf(text, sizeof(text), "%d", i);
		add(&b, text);
	}
	x = xfer_send(&b);
	EXPECT_EQ(0, xfer(q, &x));
	EXPECT_EQ(1000, x.sent);
	EXPECT_EQ(1000, x.last_seq);
	EXPECT_EQ(990, stat_fd(q).dropped_full);
	for (i = 990; i < 1000; i++) {
		snprintf(text, sizeof(text), "%d", i);
		EXPECT_TRUE(get(q, text));
	}
}

TEST_F(abi, a_changed_overflow_holds_for_the_next_send)
{
	struct kmq_attrs at = ATTRS(.mask = KMQ_A_OVERFLOW,
				    .overflow = KMQ_OVERFLOW_DROP_HEAD);
	int q = make(KMQ_OVERFLOW_REJECT, 1);

	ASSERT_EQ(0, put(q, "a"));
	EXPECT_EQ(-EAGAIN, put(q, "b"));
	ASSERT_EQ(0, alter("q", &at, NULL));
	EXPECT_EQ(0, put(q, "c"));
	EXPECT_TRUE(get(q, "c"));
}

TEST_F(abi, drop_head_lets_those_go_who_wait_already)
{
	struct kmq_attrs at = ATTRS(.mask = KMQ_A_OVERFLOW,
				    .overflow = KMQ_OVERFLOW_DROP_HEAD);
	int q = make(KMQ_OVERFLOW_BLOCK, 1);
	struct bg bg;

	ASSERT_EQ(0, put(q, "a"));
	bg_start(&bg, BG_WRITE, q, "b", 1);
	ASSERT_TRUE(waiting(q, 1, 0));
	ASSERT_EQ(0, alter("q", &at, NULL));
	EXPECT_EQ(1, bg_end(&bg));
	EXPECT_TRUE(get(q, "b"));
}

TEST_HARNESS_MAIN
