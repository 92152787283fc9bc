// SPDX-License-Identifier: GPL-2.0-only
/* DELETE */
#include "kmq-test.h"

#define UNLINK	KMQ_DELETE_UNLINK
#define EMPTY	KMQ_DELETE_IF_EMPTY
#define UNUSED	KMQ_DELETE_IF_UNUSED

static unsigned int objects(void)
{
	return get_limits(KMQ_SCOPE_DOMAIN, 0).r[KMQ_R_OBJECTS].used;
}

TEST_F(abi, takes_the_name_and_ends_the_object)
{
	int q = create("q", BOTH | NONBLOCK, NULL);
	struct kmq_xfer_args x;
	char buf[128];

	ASSERT_EQ(0, put(q, "a"));
	ASSERT_EQ(0, delete("q", 0));
	EXPECT_FALSE(exists("q"));
	EXPECT_EQ(-ENOENT, open_queue("q", BOTH));
	EXPECT_EQ(-EIDRM, rd(q, buf, sizeof(buf)));
	EXPECT_EQ(-EIDRM, put(q, "b"));
	x = xfer_recv(buf, sizeof(buf));
	EXPECT_EQ(-EIDRM, xfer(q, &x));
	EXPECT_EQ(-EIDRM, x.recv_err);
}

TEST_F(abi, wakes_who_waits)
{
	int q = create_bounded("q", BOTH, 1), r = create("r", BOTH, NULL);
	struct bg sender, receiver;
	char c;

	ASSERT_EQ(0, put(q, "a"));
	bg_start(&sender, BG_WRITE, q, "b", 1);
	bg_start(&receiver, BG_READ, r, &c, 1);
	ASSERT_TRUE(waiting(q, 1, 0));
	ASSERT_TRUE(waiting(r, 0, 1));
	ASSERT_EQ(0, delete("q", 0));
	ASSERT_EQ(0, delete("r", 0));
	EXPECT_EQ(-EIDRM, bg_end(&sender));
	EXPECT_EQ(-EIDRM, bg_end(&receiver));
}

TEST_F(abi, frees_the_messages_of_open_handles)
{
	int q = create("q", BOTH, NULL), i;
	char big[4096] = "";

	for (i = 0; i < 64; i++)
		ASSERT_EQ(sizeof(big), wr(q, big, sizeof(big)));
	EXPECT_LE(sizeof(big) * 64,
		  get_limits(KMQ_SCOPE_DOMAIN, 0).r[KMQ_R_BYTES].used);
	ASSERT_EQ(0, delete("q", 0));
	EXPECT_TRUE(WAIT_FOR(get_limits(KMQ_SCOPE_DOMAIN, 0)
			     .r[KMQ_R_BYTES].used <= 2 * 64 << 10));
	close(q);
	EXPECT_TRUE(WAIT_FOR(!get_limits(KMQ_SCOPE_DOMAIN, 0)
			     .r[KMQ_R_BYTES].used));
	EXPECT_EQ(0, objects());
}

TEST_F(abi, without_handles_it_is_gone_at_once)
{
	int q = create("q", BOTH, NULL);

	ASSERT_EQ(0, put(q, "a"));
	close(q);
	EXPECT_EQ(1, objects());
	ASSERT_EQ(0, delete("q", 0));
	EXPECT_EQ(0, objects());
}

TEST_F(abi, unlink_leaves_handles_working)
{
	int q = create("q", BOTH, NULL);
	int r = open_queue("q", BOTH);

	ASSERT_EQ(0, put(q, "a"));
	ASSERT_EQ(0, delete("q", UNLINK));
	EXPECT_FALSE(exists("q"));
	EXPECT_EQ(KMQ_STATE_UNLINKED, stat_fd(q).state);
	EXPECT_EQ(0, put(q, "b"));
	EXPECT_TRUE(get(r, "a"));
	EXPECT_TRUE(get(r, "b"));
}

TEST_F(abi, unlinked_ends_with_the_last_handle)
{
	int q = create("q", BOTH, NULL);
	int r = open_queue("q", BOTH);

	ASSERT_EQ(0, put(q, "a"));
	ASSERT_EQ(0, delete("q", UNLINK));
	EXPECT_EQ(1, objects());
	close(q);
	EXPECT_EQ(1, objects());
	close(r);
	EXPECT_EQ(0, objects());
}

TEST_F(abi, unlink_without_handles_ends_it)
{
	close(create("q", BOTH, NULL));
	EXPECT_EQ(1, objects());
	ASSERT_EQ(0, delete("q", UNLINK));
	EXPECT_EQ(0, objects());
}

TEST_F(abi, an_unlinked_name_is_free)
{
	int q = create("q", BOTH, NULL), fresh;
	__u64 id = stat_fd(q).id;

	ASSERT_EQ(0, delete("q", UNLINK));
	EXPECT_EQ(-ENOENT, delete("q", UNLINK));
	fresh = create("q", BOTH | NONBLOCK, NULL);
	ASSERT_LE(0, fresh);
	EXPECT_LT(id, stat_fd(fresh).id);
	ASSERT_EQ(0, put(q, "old"));
	EXPECT_EQ(0, stat_fd(fresh).ready);
	EXPECT_TRUE(get(q, "old"));
}

TEST_F(abi, if_empty_refuses_with_messages)
{
	int q = create("q", BOTH, NULL);
	struct kmq_stat_args before;

	ASSERT_EQ(0, put(q, "a"));
	before = stat_fd(q);
	EXPECT_EQ(-ENOTEMPTY, delete("q", EMPTY));
	EXPECT_EQ(-ENOTEMPTY, delete("q", EMPTY | UNLINK));
	EXPECT_TRUE(same_stat(&before, q));
	EXPECT_TRUE(exists("q"));
	EXPECT_TRUE(get(q, "a"));
	EXPECT_EQ(0, delete("q", EMPTY));
	EXPECT_FALSE(exists("q"));
}

TEST_F(abi, if_unused_refuses_with_handles)
{
	int q = create("q", BOTH, NULL);
	struct kmq_stat_args before = stat_fd(q);

	EXPECT_EQ(-EBUSY, delete("q", UNUSED));
	EXPECT_EQ(-EBUSY, delete("q", UNUSED | UNLINK));
	EXPECT_TRUE(same_stat(&before, q));
	EXPECT_EQ(0, put(q, "a"));
	close(q);
	EXPECT_EQ(0, delete("q", UNUSED));
	EXPECT_FALSE(exists("q"));
}

TEST_F(abi, if_empty_and_if_unused_both_hold)
{
	int q = create("q", BOTH, NULL);

	ASSERT_EQ(0, put(q, "a"));
	close(q);
	EXPECT_EQ(-ENOTEMPTY, delete("q", EMPTY | UNUSED));
	/* the refusal leaves it usable */
	q = open_queue("q", BOTH);
	ASSERT_LE(0, q);
	EXPECT_TRUE(get(q, "a"));
	EXPECT_EQ(-EBUSY, delete("q", EMPTY | UNUSED));
	close(q);
	EXPECT_EQ(0, delete("q", EMPTY | UNUSED));
}

TEST_F(abi, missing_is_enoent)
{
	EXPECT_EQ(-ENOENT, delete("q", 0));
}

TEST_F(abi, another_id_is_estale)
{
	struct kmq_delete_args a = {
		.size = sizeof(a), .name = ptr("q"), .name_len = 1,
	};
	int q = create("q", BOTH, NULL);

	a.id = stat_fd(q).id + 1;
	EXPECT_EQ(-ESTALE, request(ctl, KMQ_IOC_DELETE, &a));
	EXPECT_TRUE(exists("q"));
	a.id--;
	EXPECT_EQ(0, request(ctl, KMQ_IOC_DELETE, &a));
	EXPECT_FALSE(exists("q"));
}

TEST_F(abi, unknown_flags_and_reserved_are_refused)
{
	struct kmq_delete_args a = {
		.size = sizeof(a), .name = ptr("q"), .name_len = 1,
	};

	ASSERT_LE(0, create("q", BOTH, NULL));
	for (a.flags = KMQ_DELETE_FLAGS + 1; a.flags; a.flags <<= 1)
		EXPECT_EQ(-EINVAL, request(ctl, KMQ_IOC_DELETE, &a));
	a.reserved = 1;
	EXPECT_EQ(-EINVAL, request(ctl, KMQ_IOC_DELETE, &a));
	EXPECT_TRUE(exists("q"));
}

TEST_F(abi, bad_names_are_einval)
{
	struct kmq_delete_args a = { .size = sizeof(a), .name = ptr("q") };

	EXPECT_EQ(-EINVAL, request(ctl, KMQ_IOC_DELETE, &a));
	a.name_len = 256;
	EXPECT_EQ(-EINVAL, request(ctl, KMQ_IOC_DELETE, &a));
	EXPECT_EQ(-EINVAL, delete("a/b", 0));
}

TEST_F(abi, ids_are_never_reused)
{
	__u64 last = 0, id;
	int i, q;

	for (i = 0; i < 20; i++) {
		q = create("q", BOTH, NULL);
		id = stat_fd(q).id;
		EXPECT_LT(last, id);
		last = id;
		close(q);
		ASSERT_EQ(0, delete("q", 0));
	}
}

TEST_F(abi, a_failed_delete_leaves_it_to_be_opened)
{
	int fd = create("q", BOTH, NULL);

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, put(fd, "stay"));
	close(fd);
	EXPECT_EQ(-ENOTEMPTY, delete("q", KMQ_DELETE_IF_UNUSED | EMPTY));
	fd = open_queue("q", BOTH);
	ASSERT_LE(0, fd);
	EXPECT_TRUE(get(fd, "stay"));
	close(fd);
}

TEST_HARNESS_MAIN
