// SPDX-License-Identifier: GPL-2.0-only
/* STAT */
#include "kmq-test.h"

TEST_F(abi, a_fresh_queue_has_zeros)
{
	uint64_t before = clock_ns(CLOCK_REALTIME);
	int q = create("q", BOTH, NULL);
	uint64_t after = clock_ns(CLOCK_REALTIME);
	struct kmq_stat_args st = stat_fd(q);

	ASSERT_LE(0, q);
	EXPECT_EQ(sizeof(st), st.size);
	EXPECT_EQ(0, st.state);
	EXPECT_NE(0, st.id);
	EXPECT_LE(before, st.created);
	EXPECT_GE(after, st.created);
	EXPECT_EQ(1, st.next_seq);
	EXPECT_EQ(1, st.handles);
	EXPECT_EQ(1, st.senders);
	EXPECT_EQ(1, st.receivers);
	EXPECT_EQ(0, st.ready);
	EXPECT_EQ(0, st.bytes);
	EXPECT_EQ(0, st.memory);
	EXPECT_EQ(0, st.head_time);
	EXPECT_EQ(0, st.waiting_senders);
	EXPECT_EQ(0, st.waiting_receivers);
	EXPECT_EQ(0, st.reserved);
	EXPECT_EQ(0, st.sent);
	EXPECT_EQ(0, st.sent_bytes);
	EXPECT_EQ(0, st.received);
	EXPECT_EQ(0, st.received_bytes);
	EXPECT_EQ(0, st.dropped_full);
	EXPECT_EQ(0, st.dropped_purged);
	EXPECT_EQ(0, st.refused_full);
	EXPECT_EQ(0, st.blocked);
	EXPECT_EQ(0, st.blocked_ns);
}

TEST_F(abi, counts_messages_and_record_bytes)
{
	int q = create("q", BOTH, NULL);
	uint64_t bytes = record_size(0, 1) + record_size(0, 9);
	struct kmq_stat_args st;

	ASSERT_EQ(0, put(q, "a"));
	ASSERT_EQ(0, put(q, "nine char"));
	st = stat_fd(q);
	EXPECT_EQ(2, st.ready);
	EXPECT_EQ(bytes, st.bytes);
	EXPECT_LE(bytes, st.memory);
	EXPECT_EQ(2, st.sent);
	EXPECT_EQ(bytes, st.sent_bytes);
	EXPECT_EQ(3, st.next_seq);

	ASSERT_TRUE(get(q, "a"));
	st = stat_fd(q);
	EXPECT_EQ(1, st.ready);
	EXPECT_EQ(record_size(0, 9), st.bytes);
	EXPECT_EQ(1, st.received);
	EXPECT_EQ(record_size(0, 1), st.received_bytes);
	EXPECT_EQ(2, st.sent);
	EXPECT_EQ(3, st.next_seq);

	ASSERT_TRUE(get(q, "nine char"));
	st = stat_fd(q);
	EXPECT_EQ(0, st.ready);
	EXPECT_EQ(0, st.bytes);
	EXPECT_EQ(0, st.memory);
	EXPECT_EQ(bytes, st.received_bytes);
}

TEST_F(abi, head_time_is_that_of_the_next_to_leave)
{
	int q = create("q", BOTH, NULL);
	uint64_t t0 = clock_ns(CLOCK_REALTIME), t1, t2;

	ASSERT_EQ(0, put(q, "a"));
	t1 = clock_ns(CLOCK_REALTIME);
	ASSERT_EQ(0, put_priority(q, "b", 9));
	t2 = clock_ns(CLOCK_REALTIME);
	EXPECT_LE(t1, stat_fd(q).head_time);
	EXPECT_GE(t2, stat_fd(q).head_time);
	ASSERT_TRUE(get(q, "b"));
	EXPECT_LE(t0, stat_fd(q).head_time);
	EXPECT_GE(t1, stat_fd(q).head_time);
	ASSERT_TRUE(get(q, "a"));
	EXPECT_EQ(0, stat_fd(q).head_time);
}

TEST_F(abi, counts_handles_by_direction)
{
	int q = create("q", BOTH, NULL);
	int s = open_queue("q", SEND), r = open_queue("q", RECV), d;
	struct kmq_stat_args st = stat_fd(q);

	EXPECT_EQ(3, st.handles);
	EXPECT_EQ(2, st.senders);
	EXPECT_EQ(2, st.receivers);
	d = dup(r);
	EXPECT_EQ(3, stat_fd(q).handles);
	close(s);
	close(r);
	EXPECT_EQ(2, stat_fd(q).handles);
	close(d);
	st = stat_fd(q);
	EXPECT_EQ(1, st.handles);
	EXPECT_EQ(1, st.senders);
	EXPECT_EQ(1, st.receivers);
}

TEST_F(abi, counts_refusals)
{
	int q = create_bounded("q", BOTH | NONBLOCK, 1);

	ASSERT_EQ(0, put(q, "a"));
	EXPECT_EQ(-EAGAIN, put(q, "b"));
	EXPECT_EQ(-EAGAIN, put(q, "c"));
	EXPECT_EQ(2, stat_fd(q).refused_full);
	EXPECT_EQ(1, stat_fd(q).sent);
	EXPECT_EQ(0, stat_fd(q).blocked);
}

TEST_F(abi, counts_blocked_sends_and_their_time)
{
	int q = create_bounded("q", BOTH, 1);
	uint64_t t0 = now(), t1;
	struct bg bg;

	ASSERT_EQ(0, put(q, "a"));
	bg_start(&bg, BG_WRITE, q, "b", 1);
	ASSERT_TRUE(waiting(q, 1, 0));
	t1 = now();
	ASSERT_TRUE(WAIT_FOR(now() > t1 + 5000000));
	ASSERT_TRUE(get(q, "a"));
	ASSERT_EQ(1, bg_end(&bg));
	EXPECT_EQ(1, stat_fd(q).blocked);
	EXPECT_LE(5000000, stat_fd(q).blocked_ns);
	EXPECT_GE(now() - t0, stat_fd(q).blocked_ns);
	EXPECT_EQ(0, stat_fd(q).refused_full);
}

TEST_F(abi, counts_who_waits)
{
	int q = create("q", BOTH, NULL);
	struct bg a, b;
	char c, d;

	bg_start(&a, BG_READ, q, &c, 1);
	bg_start(&b, BG_READ, q, &d, 1);
	EXPECT_TRUE(waiting(q, 0, 2));
	ASSERT_EQ(0, put(q, "x"));
	EXPECT_TRUE(waiting(q, 0, 1));
	ASSERT_EQ(0, put(q, "y"));
	EXPECT_EQ(1, bg_end(&a));
	EXPECT_EQ(1, bg_end(&b));
	EXPECT_EQ(0, stat_fd(q).waiting_receivers);
}

TEST_F(abi, counts_purged_and_dropped)
{
	struct kmq_attrs at = ATTRS(
		.mask = KMQ_A_OVERFLOW | KMQ_A_MAX_MESSAGES,
		.overflow = KMQ_OVERFLOW_DROP_HEAD, .max_messages = 2);
	int q = create("q", BOTH, &at);

	ASSERT_EQ(0, put(q, "a"));
	ASSERT_EQ(0, put(q, "b"));
	ASSERT_EQ(0, put(q, "c"));
	EXPECT_EQ(1, stat_fd(q).dropped_full);
	ASSERT_EQ(0, admin("q", KMQ_ADMIN_PURGE, NULL));
	EXPECT_EQ(2, stat_fd(q).dropped_purged);
	EXPECT_EQ(1, stat_fd(q).dropped_full);
	EXPECT_EQ(3, stat_fd(q).sent);
	EXPECT_EQ(0, stat_fd(q).received);
}

TEST_F(abi, by_name_and_by_handle_are_the_same)
{
	int q = create("q", BOTH, NULL);
	struct kmq_stat_args a, b = stat_fd(q);

	ASSERT_EQ(0, put(q, "a"));
	b = stat_fd(q);
	ASSERT_EQ(0, stat_name("q", &a));
	EXPECT_EQ(1, a.name_len);
	a.name = 0;
	a.name_len = 0;
	EXPECT_EQ(0, memcmp(&a, &b, sizeof(a)));
}

TEST_F(abi, overwrites_what_stood_there)
{
	int q = create("q", BOTH, NULL);
	struct kmq_stat_args a = stat_fd(q), b;

	ASSERT_EQ(0, put(q, "a"));
	a = stat_fd(q);
	memset(&b, 0x33, sizeof(b));
	b.size = sizeof(b);
	b.flags = 0;
	b.name = 0;
	b.attrs = 0;
	b.name_len = 0;
	b.id = 0;
	ASSERT_EQ(0, request(q, KMQ_IOC_STAT, &b));
	EXPECT_EQ(0, memcmp(&a, &b, sizeof(a)));
}

TEST_F(abi, attributes_are_overwritten_too)
{
	int q = create("q", BOTH, NULL);
	struct kmq_attrs a = attrs_of(q), b;
	struct kmq_stat_args st = stat_args(NULL);

	memset(&b, 0x33, sizeof(b));
	b.size = sizeof(b);
	st.attrs = ptr(&b);
	ASSERT_EQ(0, request(q, KMQ_IOC_STAT, &st));
	EXPECT_EQ(0, memcmp(&a, &b, sizeof(a)));
	EXPECT_EQ(ptr(&b), st.attrs);
}

TEST_F(abi, a_refusal_writes_nothing)
{
	struct kmq_stat_args a = stat_args("q"), b = a;

	EXPECT_EQ(-ENOENT, request(ctl, KMQ_IOC_STAT, &a));
	EXPECT_EQ(0, memcmp(&a, &b, sizeof(a)));
}

TEST_F(abi, seal_and_unlink_show_in_state)
{
	int q = create("q", BOTH, NULL);

	ASSERT_EQ(0, admin("q", KMQ_ADMIN_SEAL, NULL));
	EXPECT_EQ(KMQ_STATE_SEALED, stat_fd(q).state);
	ASSERT_EQ(0, delete("q", KMQ_DELETE_UNLINK));
	EXPECT_EQ(KMQ_STATE_SEALED | KMQ_STATE_UNLINKED, stat_fd(q).state);
}

TEST_F(abi, a_handle_takes_no_name)
{
	int q = create("q", BOTH, NULL);
	struct kmq_stat_args st = stat_args("q");

	EXPECT_EQ(-EINVAL, request(q, KMQ_IOC_STAT, &st));
	st = stat_args(NULL);
	st.name_len = 1;
	EXPECT_EQ(-EINVAL, request(q, KMQ_IOC_STAT, &st));
}

TEST_F(abi, a_control_fd_needs_a_name)
{
	struct kmq_stat_args st = stat_args(NULL);

	EXPECT_EQ(-EINVAL, request(ctl, KMQ_IOC_STAT, &st));
}

TEST_F(abi, another_id_is_estale)
{
	int q = create("q", BOTH, NULL);
	struct kmq_stat_args st = stat_args("q");
	__u64 id = stat_fd(q).id;

	st.id = id + 1;
	EXPECT_EQ(-ESTALE, request(ctl, KMQ_IOC_STAT, &st));
	st = stat_args(NULL);
	st.id = id + 1;
	EXPECT_EQ(-ESTALE, request(q, KMQ_IOC_STAT, &st));
	st.id = id;
	EXPECT_EQ(0, request(q, KMQ_IOC_STAT, &st));
}

TEST_F(abi, flags_must_be_zero)
{
	int q = create("q", BOTH, NULL);
	struct kmq_stat_args st = stat_args(NULL);

	st.flags = 1;
	EXPECT_EQ(-EINVAL, request(q, KMQ_IOC_STAT, &st));
}

TEST_F(abi, needs_no_rights)
{
	struct kmq_attrs at = ATTRS(.mask = KMQ_A_MODE, .mode = 0);
	struct kmq_stat_args st;
	int q = create("q", BOTH, &at), ret;

	ASSERT_LE(0, q);
	ASSERT_TRUE(become(USER, USER));
	ret = stat_name("q", &st);
	become_root();
	EXPECT_EQ(0, ret);
}

TEST_HARNESS_MAIN
