// SPDX-License-Identifier: GPL-2.0-only
/* ADMIN: seal, purge, shutdown, reset; JOIN is in domain.c */
#include "kmq-test.h"

TEST_F(abi, sealed_refuses_sends_with_epipe)
{
	int q = create("q", BOTH, NULL);
	struct batch b = BATCH(128);
	struct kmq_xfer_args x;

	ASSERT_EQ(0, admin("q", KMQ_ADMIN_SEAL, NULL));
	/* a SIGPIPE would end the test */
	EXPECT_EQ(-EPIPE, put(q, "a"));
	add(&b, "a");
	x = xfer_send(&b);
	EXPECT_EQ(-EPIPE, xfer(q, &x));
	EXPECT_EQ(-EPIPE, x.send_err);
	EXPECT_EQ(0, stat_fd(q).sent);
}

TEST_F(abi, sealed_drains_then_ends)
{
	int q = create("q", BOTH, NULL);
	char buf[8];

	ASSERT_EQ(0, put(q, "a"));
	ASSERT_EQ(0, put(q, "b"));
	ASSERT_EQ(0, admin("q", KMQ_ADMIN_SEAL, NULL));
	EXPECT_EQ(1, rd(q, buf, 8));
	EXPECT_EQ(1, rd(q, buf, 8));
	EXPECT_EQ(0, rd(q, buf, 8));
	EXPECT_EQ(0, rd(q, buf, 8));
}

TEST_F(abi, seal_wakes_who_waits)
{
	int q = create_bounded("q", BOTH, 1), r = create("r", BOTH, NULL);
	struct bg sender, receiver;
	char c;

	ASSERT_EQ(0, put(q, "a"));
	bg_start(&sender, BG_WRITE, q, "b", 1);
	bg_start(&receiver, BG_READ, r, &c, 1);
	ASSERT_TRUE(waiting(q, 1, 0));
	ASSERT_TRUE(waiting(r, 0, 1));
	ASSERT_EQ(0, admin("q", KMQ_ADMIN_SEAL, NULL));
	ASSERT_EQ(0, admin("r", KMQ_ADMIN_SEAL, NULL));
	EXPECT_EQ(-EPIPE, bg_end(&sender));
	EXPECT_EQ(0, bg_end(&receiver));
	EXPECT_EQ(1, stat_fd(q).ready);
}

TEST_F(abi, unseal_opens_it_again)
{
	int q = create("q", BOTH | NONBLOCK, NULL);
	char c;

	ASSERT_EQ(0, admin("q", KMQ_ADMIN_SEAL, NULL));
	EXPECT_EQ(0, rd(q, &c, 1));
	ASSERT_EQ(0, admin("q", KMQ_ADMIN_UNSEAL, NULL));
	EXPECT_EQ(0, stat_fd(q).state);
	EXPECT_EQ(-EAGAIN, rd(q, &c, 1));
	EXPECT_EQ(0, put(q, "a"));
	EXPECT_EQ(1, rd(q, &c, 1));
}

TEST_F(abi, sealing_twice_is_fine)
{
	int q = create("q", BOTH, NULL);

	EXPECT_EQ(0, admin("q", KMQ_ADMIN_UNSEAL, NULL));
	EXPECT_EQ(0, admin("q", KMQ_ADMIN_SEAL, NULL));
	EXPECT_EQ(0, admin("q", KMQ_ADMIN_SEAL, NULL));
	EXPECT_EQ(KMQ_STATE_SEALED, stat_fd(q).state);
}

TEST_F(abi, purge_drops_what_is_there)
{
	int q = create("q", BOTH | NONBLOCK, NULL), i;
	struct kmq_stat_args st;
	__u64 n;
	char c;

	for (i = 0; i < 1000; i++)
		ASSERT_EQ(0, put(q, "x"));
	ASSERT_EQ(0, put_priority(q, "y", 7));
	ASSERT_EQ(0, admin("q", KMQ_ADMIN_PURGE, &n));
	EXPECT_EQ(1001, n);
	st = stat_fd(q);
	EXPECT_EQ(0, st.ready);
	EXPECT_EQ(0, st.bytes);
	EXPECT_EQ(0, st.memory);
	EXPECT_EQ(1001, st.dropped_purged);
	EXPECT_EQ(-EAGAIN, rd(q, &c, 1));
	/* its place in the sequence is not reused */
	EXPECT_EQ(1002, st.next_seq);
	ASSERT_EQ(0, admin("q", KMQ_ADMIN_PURGE, &n));
	EXPECT_EQ(0, n);
}

TEST_F(abi, purge_keeps_what_comes_meanwhile)
{
	int q = create_bounded("q", BOTH, 1);
	struct bg bg;
	__u64 n;

	ASSERT_EQ(0, put(q, "a"));
	bg_start(&bg, BG_WRITE, q, "b", 1);
	ASSERT_TRUE(waiting(q, 1, 0));
	ASSERT_EQ(0, admin("q", KMQ_ADMIN_PURGE, &n));
	EXPECT_EQ(1, n);
	EXPECT_EQ(1, bg_end(&bg));
	EXPECT_TRUE(get(q, "b"));
}

TEST_F(abi, shutdown_ends_a_direction)
{
	int q = create("q", BOTH, NULL), other = open_queue("q", BOTH);
	char c;

	ASSERT_EQ(0, put(q, "a"));
	ASSERT_EQ(0, shut(q, RECV));
	EXPECT_EQ(-ECANCELED, rd(q, &c, 1));
	EXPECT_EQ(0, put(q, "b"));
	ASSERT_EQ(0, shut(q, SEND));
	EXPECT_EQ(-ECANCELED, put(q, "c"));
	EXPECT_EQ(-ECANCELED, rd(q, &c, 1));
	/* of this handle only */
	EXPECT_TRUE(get(other, "a"));
	EXPECT_TRUE(get(other, "b"));
	EXPECT_EQ(0, put(other, "d"));
}

TEST_F(abi, shutdown_wakes_who_waits)
{
	int q = create_bounded("q", BOTH, 1), dup_q = dup(q);
	int r = create("r", BOTH, NULL), other = open_queue("r", BOTH);
	struct bg sender, receiver, spared;
	char c, d;

	ASSERT_EQ(0, put(q, "a"));
	bg_start(&sender, BG_WRITE, q, "b", 1);
	bg_start(&receiver, BG_READ, r, &c, 1);
	bg_start(&spared, BG_READ, other, &d, 1);
	ASSERT_TRUE(waiting(q, 1, 0));
	ASSERT_TRUE(waiting(r, 0, 2));
	ASSERT_EQ(0, shut(dup_q, BOTH));
	ASSERT_EQ(0, shut(r, BOTH));
	EXPECT_EQ(-ECANCELED, bg_end(&sender));
	EXPECT_EQ(-ECANCELED, bg_end(&receiver));
	EXPECT_FALSE(bg_done(&spared));
	ASSERT_EQ(0, put(other, "z"));
	EXPECT_EQ(1, bg_end(&spared));
}

TEST_F(abi, shutdown_lets_the_next_sender_go)
{
	struct kmq_attrs at = ATTRS(
		.mask = KMQ_A_MAX_BYTES | KMQ_A_MAX_MESSAGE_SIZE,
		.max_message_size = 1000, .max_bytes = 1200);
	int q = create("q", BOTH, &at), other = open_queue("q", BOTH);
	char big[1000] = "";
	struct bg a, b;

	/* room for a small one, but a large one stands before it */
	ASSERT_EQ(100, wr(q, big, 100));
	bg_start(&a, BG_WRITE, q, big, 1000);
	ASSERT_TRUE(waiting(q, 1, 0));
	EXPECT_EQ(-EAGAIN, wr(open_queue("q", BOTH | NONBLOCK), big, 200));
	bg_start(&b, BG_WRITE, other, big, 200);
	ASSERT_TRUE(waiting(q, 2, 0));
	ASSERT_EQ(0, shut(q, SEND));
	EXPECT_EQ(-ECANCELED, bg_end(&a));
	EXPECT_EQ(200, bg_end(&b));
}

TEST_F(abi, shutdown_needs_a_direction)
{
	int q = create("q", BOTH, NULL);

	EXPECT_EQ(-EINVAL, shut(q, 0));
	EXPECT_EQ(-EINVAL, shut(q, BOTH | 4));
	EXPECT_EQ(-EINVAL, shut(q, 1ull << 32 | SEND));
	EXPECT_EQ(0, put(q, "a"));
}

TEST_F(abi, shutdown_checks_the_id)
{
	int q = create("q", BOTH, NULL);
	struct kmq_admin_args a = {
		.size = sizeof(a), .op = KMQ_ADMIN_SHUTDOWN, .arg = BOTH,
	};

	a.id = stat_fd(q).id + 1;
	EXPECT_EQ(-ESTALE, request(q, KMQ_IOC_ADMIN, &a));
	EXPECT_EQ(0, put(q, "a"));
	a.id--;
	EXPECT_EQ(0, request(q, KMQ_IOC_ADMIN, &a));
	EXPECT_EQ(-ECANCELED, put(q, "a"));
}

TEST_F(abi, operations_of_the_other_kind_of_fd_are_enotty)
{
	static const __u32 ops[] = {
		KMQ_ADMIN_SEAL, KMQ_ADMIN_UNSEAL, KMQ_ADMIN_PURGE,
		KMQ_ADMIN_JOIN, KMQ_ADMIN_RESET,
	};
	struct kmq_admin_args a = { .size = sizeof(a) };
	int q = create("q", BOTH, NULL);
	size_t i;

	for (i = 0; i < ARRAY_SIZE(ops); i++) {
		a.op = ops[i];
		EXPECT_EQ(-ENOTTY, request(q, KMQ_IOC_ADMIN, &a))
			TH_LOG("operation %u", a.op);
	}
	EXPECT_EQ(-ENOTTY, shut(ctl, BOTH));
	EXPECT_TRUE(exists("q"));
}

TEST_F(abi, unknown_operations_are_einval)
{
	struct kmq_admin_args a = { .size = sizeof(a), .op = 99 };
	int q = create("q", BOTH, NULL);

	EXPECT_EQ(-EINVAL, request(ctl, KMQ_IOC_ADMIN, &a));
	EXPECT_EQ(-EINVAL, request(q, KMQ_IOC_ADMIN, &a));
	a.op = 0;
	EXPECT_EQ(-EINVAL, request(ctl, KMQ_IOC_ADMIN, &a));
	EXPECT_EQ(-EINVAL, request(q, KMQ_IOC_ADMIN, &a));
}

TEST_F(abi, flags_and_arguments_must_be_the_operations_own)
{
	static const __u32 ops[] = {
		KMQ_ADMIN_SEAL, KMQ_ADMIN_UNSEAL, KMQ_ADMIN_PURGE,
	};
	int q = create("q", BOTH, NULL);
	struct kmq_stat_args before;
	size_t i;

	ASSERT_EQ(0, put(q, "a"));
	before = stat_fd(q);
	for (i = 0; i < ARRAY_SIZE(ops); i++) {
		struct kmq_admin_args a = {
			.size = sizeof(a), .name = ptr("q"), .name_len = 1,
			.op = ops[i], .flags = 1,
		};

		EXPECT_EQ(-EINVAL, request(ctl, KMQ_IOC_ADMIN, &a));
		a.flags = 0;
		a.arg = 1;
		EXPECT_EQ(-EINVAL, request(ctl, KMQ_IOC_ADMIN, &a));
		a.arg = 0;
		a.id = before.id + 1;
		EXPECT_EQ(-ESTALE, request(ctl, KMQ_IOC_ADMIN, &a));
		a.id = 0;
		a.name = ptr("r");
		EXPECT_EQ(-ENOENT, request(ctl, KMQ_IOC_ADMIN, &a));
		a.name_len = 0;
		EXPECT_EQ(-EINVAL, request(ctl, KMQ_IOC_ADMIN, &a));
	}
	EXPECT_TRUE(same_stat(&before, q));
}

TEST_F(abi, reset_deletes_everything_and_says_how_much)
{
	int q = create("q", BOTH, NULL), i;
	char name[8];
	__u64 n;

	for (i = 0; i < 9; i++) {
		snprintf(name, sizeof(name), "q%d", i);
		close(create(name, BOTH, NULL));
	}
	ASSERT_EQ(0, put(q, "a"));
	ASSERT_EQ(0, admin(NULL, KMQ_ADMIN_RESET, &n));
	EXPECT_EQ(10, n);
	EXPECT_FALSE(exists("q"));
	EXPECT_EQ(-EIDRM, put(q, "b"));
	ASSERT_EQ(0, admin(NULL, KMQ_ADMIN_RESET, &n));
	EXPECT_EQ(0, n);
}

TEST_F(abi, reset_takes_the_unlinked_too)
{
	int q = create("q", BOTH, NULL);
	__u64 n;

	ASSERT_EQ(0, delete("q", KMQ_DELETE_UNLINK));
	ASSERT_EQ(0, admin(NULL, KMQ_ADMIN_RESET, &n));
	EXPECT_EQ(1, n);
	EXPECT_EQ(-EIDRM, put(q, "b"));
}

TEST_F(abi, reset_takes_no_name)
{
	struct kmq_admin_args a = {
		.size = sizeof(a), .op = KMQ_ADMIN_RESET, .name = ptr("q"),
		.name_len = 1,
	};

	ASSERT_LE(0, create("q", BOTH, NULL));
	EXPECT_EQ(-EINVAL, request(ctl, KMQ_IOC_ADMIN, &a));
	a.name = 0;
	a.name_len = 0;
	a.arg = 1;
	EXPECT_EQ(-EINVAL, request(ctl, KMQ_IOC_ADMIN, &a));
	a.arg = 0;
	a.flags = 2;
	EXPECT_EQ(-EINVAL, request(ctl, KMQ_IOC_ADMIN, &a));
	EXPECT_TRUE(exists("q"));
}

TEST_HARNESS_MAIN
