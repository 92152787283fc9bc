// SPDX-License-Identifier: GPL-2.0-only
/* OPEN: finding and creating */
#include <sys/resource.h>

#include "kmq-test.h"

static int do_open(struct kmq_open_args *a)
{
	return request(ctl, KMQ_IOC_OPEN, a);
}

TEST_F(abi, creates_once_and_finds_afterwards)
{
	struct kmq_open_args a = open_args("q", BOTH | CREATE, NULL);
	struct kmq_open_args b = open_args("q", BOTH | CREATE, NULL);

	ASSERT_LE(0, do_open(&a));
	EXPECT_EQ(1, a.created);
	EXPECT_NE(0, a.id);
	EXPECT_EQ(0, a.differs);
	EXPECT_EQ(0, a.bad);
	EXPECT_EQ(0, a.reserved);
	ASSERT_LE(0, do_open(&b));
	EXPECT_EQ(0, b.created);
	EXPECT_EQ(a.id, b.id);
	EXPECT_EQ(0, b.differs);
}

TEST_F(abi, results_do_not_depend_on_what_stood_there)
{
	struct kmq_open_args a = open_args("q", BOTH | CREATE, NULL);
	struct kmq_open_args b;

	ASSERT_LE(0, do_open(&a));
	a = open_args("q", BOTH, NULL);
	b = a;
	memset(&b.differs, 0x33, offsetof(struct kmq_open_args, reserved) -
	       offsetof(struct kmq_open_args, differs));
	ASSERT_LE(0, do_open(&a));
	ASSERT_LE(0, do_open(&b));
	EXPECT_EQ(0, memcmp(&a, &b, sizeof(a)));
}

TEST_F(abi, missing_is_enoent)
{
	EXPECT_EQ(-ENOENT, open_queue("nothing", BOTH));
	EXPECT_FALSE(exists("nothing"));
}

TEST_F(abi, excl_of_what_exists_is_eexist)
{
	int q = create("q", BOTH, NULL);
	struct kmq_stat_args before = stat_fd(q);

	ASSERT_LE(0, q);
	EXPECT_EQ(-EEXIST, create("q", BOTH, NULL));
	EXPECT_TRUE(same_stat(&before, q));
}

TEST_F(abi, handles_are_close_on_exec)
{
	int q = create("q", BOTH, NULL);

	ASSERT_LE(0, q);
	EXPECT_EQ(FD_CLOEXEC, fcntl(q, F_GETFD));
}

TEST_F(abi, nonblock_is_the_file_flag)
{
	int q = create("q", BOTH | NONBLOCK, NULL);
	int blocking = open_queue("q", BOTH);
	char c;

	ASSERT_LE(0, q);
	ASSERT_LE(0, blocking);
	EXPECT_EQ(O_NONBLOCK, fcntl(q, F_GETFL) & O_NONBLOCK);
	EXPECT_EQ(0, fcntl(blocking, F_GETFL) & O_NONBLOCK);
	EXPECT_EQ(-EAGAIN, rd(q, &c, 1));
	ASSERT_EQ(0, fcntl(blocking, F_SETFL, O_NONBLOCK));
	EXPECT_EQ(-EAGAIN, rd(blocking, &c, 1));
}

TEST_F(abi, defaults_are_those_of_info)
{
	struct kmq_info_args info = { .size = sizeof(info) };
	struct kmq_attrs at;
	int q;

	umask(027);
	q = create("q", BOTH, NULL);
	ASSERT_LE(0, q);
	ASSERT_EQ(0, request(ctl, KMQ_IOC_INFO, &info));
	at = attrs_of(q);
	EXPECT_EQ(sizeof(at), at.size);
	EXPECT_EQ(0, at.flags);
	EXPECT_EQ(KMQ_A_ALL, at.mask);
	EXPECT_EQ(KMQ_KIND_QUEUE, at.kind);
	EXPECT_EQ(0640, at.mode);
	EXPECT_EQ(0, at.uid);
	EXPECT_EQ(0, at.gid);
	EXPECT_EQ(KMQ_OVERFLOW_BLOCK, at.overflow);
	EXPECT_EQ(info.default_message_size, at.max_message_size);
	EXPECT_EQ(info.default_messages, at.max_messages);
	EXPECT_EQ(info.default_bytes, at.max_bytes);
}

TEST_F(abi, explicit_attributes_are_taken)
{
	struct kmq_attrs want = ATTRS(
		.mask = KMQ_A_ALL, .kind = KMQ_KIND_QUEUE, .mode = 0777,
		.uid = USER, .gid = OTHER, .overflow = KMQ_OVERFLOW_DROP_HEAD,
		.max_message_size = 100, .max_messages = 7, .max_bytes = 4096);
	struct kmq_attrs at;
	int q;

	umask(077);
	q = create("q", BOTH, &want);
	ASSERT_LE(0, q);
	at = attrs_of(q);
	EXPECT_EQ(0, memcmp(&want, &at, sizeof(at)));
}

TEST_F(abi, largest_bounds_are_allowed)
{
	struct kmq_attrs want = ATTRS(
		.mask = KMQ_A_MAX_MESSAGE_SIZE | KMQ_A_MAX_MESSAGES |
			KMQ_A_MAX_BYTES,
		.max_message_size = KMQ_MESSAGE_MAX,
		.max_messages = 0x7fffffff, .max_bytes = 1ull << 40);

	EXPECT_LE(0, create("q", BOTH, &want));
}

TEST_F(abi, smallest_bounds_are_allowed)
{
	struct kmq_attrs want = ATTRS(
		.mask = KMQ_A_MAX_MESSAGE_SIZE | KMQ_A_MAX_MESSAGES |
			KMQ_A_MAX_BYTES,
		.max_message_size = 1, .max_messages = 1,
		.max_bytes = record_size(0, 1));
	int q = create("q", BOTH | NONBLOCK, &want);

	ASSERT_LE(0, q);
	EXPECT_EQ(1, wr(q, "x", 1));
	EXPECT_EQ(-EAGAIN, wr(q, "y", 1));
}

/* Each attribute otherwise than a queue made by default has it. */
static const struct kmq_attrs others[] = {
	{ .mask = KMQ_A_MODE, .mode = 0400 },
	{ .mask = KMQ_A_UID, .uid = USER },
	{ .mask = KMQ_A_GID, .gid = USER },
	{ .mask = KMQ_A_OVERFLOW, .overflow = KMQ_OVERFLOW_REJECT },
	{ .mask = KMQ_A_MAX_MESSAGE_SIZE, .max_message_size = 5 },
	{ .mask = KMQ_A_MAX_MESSAGES, .max_messages = 5 },
	{ .mask = KMQ_A_MAX_BYTES, .max_bytes = 1 << 24 | 8 },
};

TEST_F(abi, differences_are_reported_and_change_nothing)
{
	int q = create("q", BOTH, NULL);
	struct kmq_attrs was = attrs_of(q), is;
	size_t i;

	ASSERT_LE(0, q);
	for (i = 0; i < ARRAY_SIZE(others); i++) {
		struct kmq_attrs want = others[i];
		struct kmq_open_args a = open_args("q", RECV, &want);
		int fd;

		want.size = sizeof(want);
		fd = do_open(&a);
		ASSERT_LE(0, fd);
		EXPECT_EQ(want.mask, a.differs);
		EXPECT_EQ(0, a.bad);
		close(fd);
		is = attrs_of(q);
		EXPECT_EQ(0, memcmp(&was, &is, sizeof(is)));
	}
}

TEST_F(abi, all_differences_are_reported_together)
{
	struct kmq_attrs want = ATTRS(
		.mask = KMQ_A_MODE | KMQ_A_OVERFLOW | KMQ_A_MAX_MESSAGES,
		.mode = 0600, .max_messages = 3);
	struct kmq_open_args a;

	ASSERT_LE(0, create("q", BOTH, NULL));
	a = open_args("q", BOTH | CREATE, &want);
	ASSERT_LE(0, do_open(&a));
	EXPECT_EQ(KMQ_A_MODE | KMQ_A_MAX_MESSAGES, a.differs);
	EXPECT_EQ(0, a.created);
}

TEST_F(abi, match_refuses_what_differs)
{
	int q = create("q", BOTH, NULL);
	size_t i;

	ASSERT_LE(0, q);
	for (i = 0; i < ARRAY_SIZE(others); i++) {
		struct kmq_attrs want = others[i];
		struct kmq_open_args a = open_args("q", RECV | CREATE |
						   KMQ_OPEN_MATCH, &want);

		want.size = sizeof(want);
		EXPECT_EQ(-EEXIST, do_open(&a));
		EXPECT_EQ(want.mask, a.differs);
		EXPECT_EQ(1, stat_fd(q).handles);
	}
}

TEST_F(abi, match_takes_what_is_equal)
{
	struct kmq_attrs want = ATTRS(.mask = KMQ_A_MAX_MESSAGES,
				      .max_messages = 3);
	struct kmq_open_args a;

	ASSERT_LE(0, create("q", BOTH, &want));
	a = open_args("q", BOTH | CREATE | KMQ_OPEN_MATCH, &want);
	EXPECT_LE(0, do_open(&a));
	EXPECT_EQ(0, a.differs);
}

static const struct kmq_attrs bad_attrs[] = {
	{ .mask = KMQ_A_KIND, .kind = 0 },
	{ .mask = KMQ_A_KIND, .kind = KMQ_KIND_QUEUE + 1 },
	{ .mask = KMQ_A_MODE, .mode = 01000 },
	{ .mask = KMQ_A_UID, .uid = -1 },
	{ .mask = KMQ_A_GID, .gid = -1 },
	{ .mask = KMQ_A_OVERFLOW, .overflow = KMQ_OVERFLOW_DROP_HEAD + 1 },
	{ .mask = KMQ_A_MAX_MESSAGE_SIZE, .max_message_size = 0 },
	{ .mask = KMQ_A_MAX_MESSAGE_SIZE,
	  .max_message_size = KMQ_MESSAGE_MAX + 1 },
	{ .mask = KMQ_A_MAX_MESSAGES, .max_messages = 0 },
	{ .mask = KMQ_A_MAX_MESSAGES, .max_messages = 1ull << 31 },
	{ .mask = KMQ_A_MAX_BYTES, .max_bytes = 0 },
	{ .mask = KMQ_A_MAX_BYTES, .max_bytes = sizeof(struct kmq_record) },
	{ .mask = KMQ_A_MAX_BYTES, .max_bytes = ~0ull },
	{ .mask = KMQ_A_ALL + 1 },
};

TEST_F(abi, a_bad_attribute_is_named_and_nothing_created)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(bad_attrs); i++) {
		struct kmq_attrs want = bad_attrs[i];
		struct kmq_open_args a = open_args("q", BOTH | CREATE, &want);

		want.size = sizeof(want);
		EXPECT_EQ(-EINVAL, do_open(&a))
			TH_LOG("attributes %zu", i);
		EXPECT_EQ(want.mask, a.bad)
			TH_LOG("attributes %zu", i);
		EXPECT_EQ(0, a.created);
		EXPECT_EQ(0, a.id);
		EXPECT_FALSE(exists("q"));
	}
}

TEST_F(abi, one_record_of_the_largest_message_must_fit)
{
	struct kmq_attrs want = ATTRS(
		.mask = KMQ_A_MAX_MESSAGE_SIZE | KMQ_A_MAX_BYTES,
		.max_message_size = 1000,
		.max_bytes = record_size(0, 1000) - 1);
	struct kmq_open_args a = open_args("q", BOTH | CREATE, &want);

	EXPECT_EQ(-EINVAL, do_open(&a));
	EXPECT_EQ(KMQ_A_MAX_BYTES, a.bad);
	want.max_bytes++;
	EXPECT_LE(0, create("q", BOTH, &want));
}

TEST_F(abi, attributes_without_mask_are_ignored)
{
	struct kmq_attrs want = ATTRS(.mask = 0, .kind = 99, .mode = ~0u,
				      .uid = -1, .overflow = 99);

	EXPECT_LE(0, create("q", BOTH, &want));
}

TEST_F(abi, flags_of_attributes_must_be_zero)
{
	struct kmq_attrs want = ATTRS(.flags = 1);
	struct kmq_open_args a = open_args("q", BOTH | CREATE, &want);

	EXPECT_EQ(-EINVAL, do_open(&a));
	EXPECT_EQ(0, a.bad);
	EXPECT_FALSE(exists("q"));
}

TEST_F(abi, unknown_flags_are_refused)
{
	unsigned int bit;

	for (bit = 0; bit < 32; bit++) {
		struct kmq_open_args a = open_args("q", BOTH | CREATE, NULL);

		if (KMQ_OPEN_FLAGS & 1u << bit)
			continue;
		a.flags |= 1u << bit;
		EXPECT_EQ(-EINVAL, do_open(&a))
			TH_LOG("bit %u", bit);
	}
	EXPECT_FALSE(exists("q"));
}

TEST_F(abi, bad_is_zero_when_another_field_is_at_fault)
{
	struct kmq_open_args a = open_args("q", BOTH | CREATE | 1u << 31, NULL);
	struct kmq_open_args b = open_args("q", BOTH | CREATE, NULL);
	struct kmq_open_args c = open_args("/", BOTH | CREATE, NULL);

	EXPECT_EQ(-EINVAL, do_open(&a));
	EXPECT_EQ(0, a.bad);
	b.reserved = 1;
	EXPECT_EQ(-EINVAL, do_open(&b));
	EXPECT_EQ(0, b.bad);
	EXPECT_EQ(-EINVAL, do_open(&c));
	EXPECT_EQ(0, c.bad);
}

TEST_F(abi, excl_without_create_is_einval)
{
	struct kmq_open_args a = open_args("q", BOTH | KMQ_OPEN_EXCL, NULL);

	EXPECT_EQ(-EINVAL, do_open(&a));
}

TEST_F(abi, reserved_must_be_zero)
{
	struct kmq_open_args a = open_args("q", BOTH | CREATE, NULL);

	a.reserved = 1;
	EXPECT_EQ(-EINVAL, do_open(&a));
	EXPECT_FALSE(exists("q"));
}

TEST_F(abi, an_expected_id_is_checked)
{
	struct kmq_open_args a = open_args("q", BOTH | CREATE, NULL);
	struct kmq_open_args b = open_args("q", BOTH, NULL);
	__u64 id;

	ASSERT_LE(0, do_open(&a));
	id = a.id;
	b.id = id;
	EXPECT_LE(0, do_open(&b));
	ASSERT_EQ(0, delete("q", 0));
	ASSERT_LE(0, create("q", BOTH, NULL));
	b = open_args("q", BOTH, NULL);
	b.id = id;
	EXPECT_EQ(-ESTALE, do_open(&b));
}

TEST_F(abi, an_expected_id_creates_nothing)
{
	struct kmq_open_args a = open_args("q", BOTH | CREATE, NULL);

	a.id = 4711;
	EXPECT_EQ(-ENOENT, do_open(&a));
	EXPECT_FALSE(exists("q"));
}

TEST_F(abi, an_expected_owner_is_checked)
{
	struct kmq_open_args a = open_args("q", BOTH | KMQ_OPEN_OWNER, NULL);
	int q = create("q", BOTH, NULL);

	ASSERT_LE(0, q);
	EXPECT_LE(0, do_open(&a));
	a = open_args("q", BOTH | KMQ_OPEN_OWNER, NULL);
	a.owner = USER;
	EXPECT_EQ(-EPERM, do_open(&a));
	EXPECT_EQ(2, stat_fd(q).handles);
}

TEST_F(abi, what_is_created_has_the_expected_owner)
{
	struct kmq_open_args a = open_args("q", BOTH | CREATE | KMQ_OPEN_OWNER,
					   NULL);

	a.owner = USER;
	EXPECT_EQ(-EPERM, do_open(&a));
	EXPECT_FALSE(exists("q"));
	a = open_args("r", BOTH | CREATE | KMQ_OPEN_OWNER, NULL);
	EXPECT_LE(0, do_open(&a));
}

static int open_name(const void *name, __u32 len)
{
	struct kmq_open_args a = open_args("", BOTH | CREATE, NULL);
	int fd;

	a.name = ptr(name);
	a.name_len = len;
	fd = do_open(&a);
	if (fd >= 0)
		close(fd);
	return fd < 0 ? fd : 0;
}

TEST_F(abi, names_have_1_to_255_bytes)
{
	char name[257];

	memset(name, 'n', sizeof(name));
	EXPECT_EQ(-EINVAL, open_name(name, 0));
	EXPECT_EQ(0, open_name(name, 1));
	EXPECT_EQ(0, open_name(name, 255));
	EXPECT_EQ(-EINVAL, open_name(name, 256));
	EXPECT_EQ(-EINVAL, open_name(name, ~0u));
}

TEST_F(abi, names_consist_of_the_allowed_characters)
{
	const char *ok = "abcdefghijklmnopqrstuvwxyz"
		"ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._:@%+=,~-";
	unsigned int c;

	for (c = 0; c < 256; c++) {
		char name[2] = { 'x', c };
		int want = c && strchr(ok, c) ? 0 : -EINVAL;

		EXPECT_EQ(want, open_name(name, 2))
			TH_LOG("character %#x", c);
	}
}

TEST_F(abi, names_begin_with_a_letter_digit_or_underscore)
{
	unsigned int c;

	for (c = 0; c < 256; c++) {
		char name[2] = { c, 'x' };
		int ok = c < 128 && (strchr("_", c) || (c >= '0' && c <= '9') ||
				     (c >= 'a' && c <= 'z') ||
				     (c >= 'A' && c <= 'Z'));

		EXPECT_EQ(ok && c ? 0 : -EINVAL, open_name(name, 2))
			TH_LOG("character %#x", c);
	}
}

TEST_F(abi, names_that_begin_with_kmq_dot_are_reserved)
{
	EXPECT_EQ(-EINVAL, create("kmq.q", BOTH, NULL));
	EXPECT_EQ(-ENOENT, open_queue("kmq.q", BOTH));
	EXPECT_LE(0, create("kmq", BOTH, NULL));
	EXPECT_LE(0, create("kmq-q", BOTH, NULL));
}

TEST_F(abi, names_end_where_their_length_says)
{
	EXPECT_EQ(0, open_name("abcdef", 3));
	EXPECT_TRUE(exists("abc"));
	EXPECT_FALSE(exists("abcdef"));
	EXPECT_EQ(-EINVAL, open_name("abc", 4));
}

TEST_F(abi, each_direction_needs_to_be_opened)
{
	int send = create("q", SEND, NULL), recv = open_queue("q", RECV);
	int none = open_queue("q", 0);
	char c = 0;

	ASSERT_LE(0, send);
	ASSERT_LE(0, recv);
	EXPECT_EQ(-EBADF, rd(send, &c, 1));
	EXPECT_EQ(-EBADF, wr(recv, &c, 1));
	EXPECT_EQ(1, stat_fd(send).senders);
	EXPECT_EQ(1, stat_fd(send).receivers);
	/* keeps the object and answers STAT */
	ASSERT_LE(0, none);
	EXPECT_EQ(-EBADF, rd(none, &c, 1));
	EXPECT_EQ(-EBADF, wr(none, &c, 1));
	EXPECT_EQ(stat_fd(send).id, stat_fd(none).id);
	EXPECT_EQ(3, stat_fd(send).handles);
}

#define RACERS 6

static void *race(void *arg)
{
	struct kmq_open_args *a = arg;
	pthread_barrier_t *barrier = (void *)(uintptr_t)a->differs;

	*a = open_args("race", BOTH | CREATE, NULL);
	pthread_barrier_wait(barrier);
	return (void *)(long)do_open(a);
}

TEST_F(abi, of_many_creators_one_is_first)
{
	struct kmq_open_args a[RACERS];
	pthread_t threads[RACERS];
	pthread_barrier_t barrier;
	int i, round, created;

	pthread_barrier_init(&barrier, NULL, RACERS);
	for (round = 0; round < 20; round++) {
		created = 0;
		for (i = 0; i < RACERS; i++) {
			a[i].differs = ptr(&barrier);
			ASSERT_EQ(0, pthread_create(&threads[i], NULL, race,
						    &a[i]));
		}
		for (i = 0; i < RACERS; i++) {
			void *fd;

			pthread_join(threads[i], &fd);
			ASSERT_LE(0, (long)fd);
			close((long)fd);
			created += a[i].created;
			EXPECT_EQ(a[0].id, a[i].id);
		}
		EXPECT_EQ(1, created);
		ASSERT_EQ(0, delete("race", 0));
	}
}

/* A creator that fails must not leave, or take away, what others may use. */
TEST_F(abi, without_a_free_descriptor_nothing_is_created)
{
	struct rlimit lim, none;
	int first = dup(ctl);

	ASSERT_LE(0, first);
	close(first);
	ASSERT_EQ(0, getrlimit(RLIMIT_NOFILE, &lim));
	none = lim;
	none.rlim_cur = first;
	ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &none));
	EXPECT_EQ(-EMFILE, open_queue("q", SEND | CREATE));
	ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &lim));
	EXPECT_FALSE(exists("q"));
}

TEST_F(abi, what_cannot_be_opened_is_not_left_behind)
{
	struct kmq_limits_args was = get_limits(KMQ_SCOPE_MODULE, 0);

	ASSERT_EQ(0, set_limit(KMQ_SCOPE_MODULE, 0, KMQ_R_HANDLES,
			       was.r[KMQ_R_HANDLES].used));
	EXPECT_EQ(-ENOBUFS, open_queue("q", SEND | CREATE));
	ASSERT_EQ(0, set_limit(KMQ_SCOPE_MODULE, 0, KMQ_R_HANDLES,
			       was.r[KMQ_R_HANDLES].limit));
	EXPECT_FALSE(exists("q"));
}

TEST_HARNESS_MAIN
