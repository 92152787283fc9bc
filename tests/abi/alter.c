// SPDX-License-Identifier: GPL-2.0-only
/* ALTER */
#include "kmq-test.h"

TEST_F(abi, each_attribute_changes_alone)
{
	static const struct kmq_attrs to[] = {
		{ .mask = KMQ_A_KIND, .kind = KMQ_KIND_QUEUE },
		{ .mask = KMQ_A_MODE, .mode = 0604 },
		{ .mask = KMQ_A_UID, .uid = USER },
		{ .mask = KMQ_A_GID, .gid = OTHER },
		{ .mask = KMQ_A_OVERFLOW, .overflow = KMQ_OVERFLOW_REJECT },
		{ .mask = KMQ_A_MAX_MESSAGE_SIZE, .max_message_size = 9 },
		{ .mask = KMQ_A_MAX_MESSAGES, .max_messages = 10 },
		{ .mask = KMQ_A_MAX_BYTES, .max_bytes = 1 << 20 },
	};
	int q = create("q", BOTH, NULL);
	struct kmq_attrs want = attrs_of(q);
	size_t i;

	ASSERT_LE(0, q);
	for (i = 0; i < ARRAY_SIZE(to); i++) {
		struct kmq_attrs at = to[i], is;
		__u64 bad;

		at.size = sizeof(at);
		ASSERT_EQ(0, alter("q", &at, &bad));
		EXPECT_EQ(0, bad);
		want.mode = at.mask == KMQ_A_MODE ? at.mode : want.mode;
		want.uid = at.mask == KMQ_A_UID ? at.uid : want.uid;
		want.gid = at.mask == KMQ_A_GID ? at.gid : want.gid;
		if (at.mask == KMQ_A_OVERFLOW)
			want.overflow = at.overflow;
		if (at.mask == KMQ_A_MAX_MESSAGE_SIZE)
			want.max_message_size = at.max_message_size;
		if (at.mask == KMQ_A_MAX_MESSAGES)
			want.max_messages = at.max_messages;
		if (at.mask == KMQ_A_MAX_BYTES)
			want.max_bytes = at.max_bytes;
		is = attrs_of(q);
		EXPECT_EQ(0, memcmp(&want, &is, sizeof(is)))
			TH_LOG("mask %#llx", at.mask);
	}
}

TEST_F(abi, an_empty_mask_changes_nothing)
{
	int q = create("q", BOTH, NULL);
	struct kmq_attrs was = attrs_of(q), is;
	struct kmq_attrs at = ATTRS(.mode = 0777, .max_messages = 1);

	EXPECT_EQ(0, alter("q", &at, NULL));
	is = attrs_of(q);
	EXPECT_EQ(0, memcmp(&was, &is, sizeof(is)));
}

TEST_F(abi, a_bad_attribute_is_named_and_nothing_changed)
{
	static const struct kmq_attrs bad_attrs[] = {
		{ .mask = KMQ_A_KIND, .kind = KMQ_KIND_QUEUE + 1 },
		{ .mask = KMQ_A_MODE, .mode = 01000 },
		{ .mask = KMQ_A_UID, .uid = -1 },
		{ .mask = KMQ_A_GID, .gid = -1 },
		{ .mask = KMQ_A_OVERFLOW, .overflow = 3 },
		{ .mask = KMQ_A_MAX_MESSAGE_SIZE, .max_message_size = 0 },
		{ .mask = KMQ_A_MAX_MESSAGE_SIZE,
		  .max_message_size = KMQ_MESSAGE_MAX + 1 },
		{ .mask = KMQ_A_MAX_MESSAGES, .max_messages = 0 },
		{ .mask = KMQ_A_MAX_MESSAGES, .max_messages = 1ull << 31 },
		{ .mask = KMQ_A_MAX_BYTES, .max_bytes = 64 },
		{ .mask = KMQ_A_ALL + 1 },
	};
	int q = create("q", BOTH, NULL);
	struct kmq_attrs was = attrs_of(q), is;
	size_t i;

	ASSERT_LE(0, q);
	for (i = 0; i < ARRAY_SIZE(bad_attrs); i++) {
		struct kmq_attrs at = bad_attrs[i];
		__u64 bad;

		at.size = sizeof(at);
		EXPECT_EQ(-EINVAL, alter("q", &at, &bad))
			TH_LOG("attributes %zu", i);
		EXPECT_EQ(at.mask, bad)
			TH_LOG("attributes %zu", i);
		is = attrs_of(q);
		EXPECT_EQ(0, memcmp(&was, &is, sizeof(is)));
	}
}

TEST_F(abi, all_or_nothing)
{
	struct kmq_attrs at = ATTRS(
		.mask = KMQ_A_MODE | KMQ_A_MAX_MESSAGES | KMQ_A_OVERFLOW,
		.mode = 0, .max_messages = 3, .overflow = 99);
	int q = create("q", BOTH, NULL);
	struct kmq_attrs was = attrs_of(q), is;
	__u64 bad;

	EXPECT_EQ(-EINVAL, alter("q", &at, &bad));
	EXPECT_EQ(KMQ_A_OVERFLOW, bad);
	is = attrs_of(q);
	EXPECT_EQ(0, memcmp(&was, &is, sizeof(is)));
}

TEST_F(abi, a_message_must_still_fit)
{
	struct kmq_attrs at = ATTRS(
		.mask = KMQ_A_MAX_MESSAGE_SIZE | KMQ_A_MAX_BYTES,
		.max_message_size = 100, .max_bytes = record_size(0, 100));
	struct kmq_attrs larger = ATTRS(.mask = KMQ_A_MAX_MESSAGE_SIZE,
					.max_message_size = 105);
	__u64 bad;

	ASSERT_LE(0, create("q", BOTH, NULL));
	EXPECT_EQ(0, alter("q", &at, NULL));
	EXPECT_EQ(-EINVAL, alter("q", &larger, &bad));
	EXPECT_EQ(KMQ_A_MAX_MESSAGE_SIZE, bad);
}

TEST_F(abi, bad_is_zero_when_another_field_is_at_fault)
{
	struct kmq_attrs at = ATTRS(.mask = KMQ_A_MODE, .mode = 0600);
	struct kmq_alter_args a = {
		.size = sizeof(a), .flags = 1, .name = ptr("q"),
		.name_len = 1, .attrs = ptr(&at), .bad = POISON64,
	};

	ASSERT_LE(0, create("q", BOTH, NULL));
	EXPECT_EQ(-EINVAL, request(ctl, KMQ_IOC_ALTER, &a));
	EXPECT_EQ(0, a.bad);
}

TEST_F(abi, flags_and_reserved_must_be_zero)
{
	struct kmq_attrs at = ATTRS(.mask = KMQ_A_MODE, .mode = 0600);
	struct kmq_alter_args a = {
		.size = sizeof(a), .name = ptr("q"), .name_len = 1,
		.attrs = ptr(&at),
	};
	int q = create("q", BOTH, NULL);
	struct kmq_attrs was = attrs_of(q), is;

	a.flags = 1;
	EXPECT_EQ(-EINVAL, request(ctl, KMQ_IOC_ALTER, &a));
	a.flags = 0;
	a.reserved = 1;
	EXPECT_EQ(-EINVAL, request(ctl, KMQ_IOC_ALTER, &a));
	a.reserved = 0;
	at.flags = 1;
	EXPECT_EQ(-EINVAL, request(ctl, KMQ_IOC_ALTER, &a));
	is = attrs_of(q);
	EXPECT_EQ(0, memcmp(&was, &is, sizeof(is)));
}

TEST_F(abi, missing_is_enoent)
{
	struct kmq_attrs at = ATTRS(.mask = KMQ_A_MODE, .mode = 0600);

	EXPECT_EQ(-ENOENT, alter("q", &at, NULL));
}

TEST_F(abi, another_id_is_estale)
{
	struct kmq_attrs at = ATTRS(.mask = KMQ_A_MODE, .mode = 0);
	struct kmq_alter_args a = {
		.size = sizeof(a), .name = ptr("q"), .name_len = 1,
		.attrs = ptr(&at),
	};
	int q = create("q", BOTH, NULL);

	a.id = stat_fd(q).id + 1;
	EXPECT_EQ(-ESTALE, request(ctl, KMQ_IOC_ALTER, &a));
	EXPECT_EQ(0640, attrs_of(q).mode);
	a.id--;
	EXPECT_EQ(0, request(ctl, KMQ_IOC_ALTER, &a));
	EXPECT_EQ(0, attrs_of(q).mode);
}

TEST_F(abi, a_lowered_bound_keeps_what_is_queued)
{
	struct kmq_attrs at = ATTRS(.mask = KMQ_A_MAX_MESSAGES,
				    .max_messages = 1);
	int q = create("q", BOTH | NONBLOCK, NULL);

	ASSERT_EQ(0, put(q, "a"));
	ASSERT_EQ(0, put(q, "b"));
	ASSERT_EQ(0, put(q, "c"));
	ASSERT_EQ(0, alter("q", &at, NULL));
	EXPECT_EQ(3, stat_fd(q).ready);
	EXPECT_EQ(-EAGAIN, put(q, "d"));
	EXPECT_TRUE(get(q, "a"));
	EXPECT_TRUE(get(q, "b"));
	EXPECT_EQ(-EAGAIN, put(q, "d"));
	EXPECT_TRUE(get(q, "c"));
	EXPECT_EQ(0, put(q, "d"));
}

TEST_F(abi, a_lowered_message_size_keeps_what_is_queued)
{
	struct kmq_attrs at = ATTRS(.mask = KMQ_A_MAX_MESSAGE_SIZE,
				    .max_message_size = 2);
	int q = create("q", BOTH | NONBLOCK, NULL);

	ASSERT_EQ(0, put(q, "long"));
	ASSERT_EQ(0, alter("q", &at, NULL));
	EXPECT_EQ(-EMSGSIZE, put(q, "long"));
	EXPECT_TRUE(get(q, "long"));
}

TEST_F(abi, a_raised_bound_lets_blocked_senders_go_on)
{
	struct kmq_attrs at = ATTRS(.mask = KMQ_A_MAX_MESSAGES,
				    .max_messages = 2);
	int q = create_bounded("q", BOTH, 1);
	struct bg bg;

	ASSERT_EQ(0, put(q, "a"));
	bg_start(&bg, BG_WRITE, q, "b", 1);
	ASSERT_TRUE(waiting(q, 1, 0));
	ASSERT_EQ(0, alter("q", &at, NULL));
	EXPECT_EQ(1, bg_end(&bg));
	EXPECT_EQ(2, stat_fd(q).ready);
}

/* More than is moved in one hold of the queue's lock. */
TEST_F(abi, a_raised_bound_lets_a_large_batch_go_on)
{
	struct kmq_attrs at = ATTRS(.mask = KMQ_A_MAX_MESSAGES,
				    .max_messages = 1000);
	int i, q = create_bounded("q", BOTH, 4);
	struct batch b = BATCH(800 * 72);
	struct kmq_xfer_args x;
	struct bg bg;

	for (i = 0; i < 800; i++)
		add(&b, "a");
	x = xfer_send(&b);
	x.deadline = KMQ_FOREVER;
	bg_start(&bg, BG_XFER, q, &x, 0);
	ASSERT_TRUE(waiting(q, 1, 0));
	ASSERT_EQ(0, alter("q", &at, NULL));
	EXPECT_EQ(0, bg_end(&bg));
	EXPECT_EQ(800, x.sent);
	EXPECT_EQ(800, stat_fd(q).ready);
}

TEST_F(abi, a_raised_bound_makes_it_writable)
{
	struct kmq_attrs at = ATTRS(.mask = KMQ_A_MAX_MESSAGES,
				    .max_messages = 2);
	int q = create_bounded("q", BOTH, 1);
	struct pollfd p = { .fd = q, .events = POLLOUT };

	ASSERT_EQ(0, put(q, "a"));
	EXPECT_EQ(0, poll(&p, 1, 0));
	ASSERT_EQ(0, alter("q", &at, NULL));
	EXPECT_EQ(1, poll(&p, 1, 0));
}

TEST_F(abi, a_blocked_message_that_never_fits_any_more_is_emsgsize)
{
	struct kmq_attrs at = ATTRS(
		.mask = KMQ_A_MAX_MESSAGE_SIZE | KMQ_A_MAX_BYTES,
		.max_message_size = 8, .max_bytes = record_size(0, 8));
	int q = create_bounded("q", BOTH, 1);
	char big[200] = "";
	struct bg bg;

	ASSERT_EQ(0, put(q, "a"));
	bg_start(&bg, BG_WRITE, q, big, sizeof(big));
	ASSERT_TRUE(waiting(q, 1, 0));
	ASSERT_EQ(0, alter("q", &at, NULL));
	EXPECT_EQ(-EMSGSIZE, bg_end(&bg));
	EXPECT_EQ(1, stat_fd(q).ready);
}

TEST_HARNESS_MAIN
