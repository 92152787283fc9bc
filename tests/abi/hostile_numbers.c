// SPDX-License-Identifier: GPL-2.0-only
/* Counts, lengths and times that are zero, huge, or overflow when combined */
#include <limits.h>

#include "kmq-test.h"

#define PAGE	4096ul

static const __u32 huge32[] = {
	0x7fffffff, 0x80000000, 0x80000001, 0xfffffff0, 0xfffffff8, 0xffffffff,
};

static const __u64 huge64[] = {
	0x7fffffff, 0x80000000, 0xffffffff, 1ull << 32, 1ull << 47, 1ull << 62,
	(1ull << 63) - 1, 1ull << 63, ~0ull - 7, ~0ull,
};

/* ---- requests ----------------------------------------------------------- */

TEST_F(abi, no_name_is_that_long)
{
	static const __u32 lengths[] = { 0, 256, 4096, 0x7fffffff, 0x80000000,
					 0xffffffff };
	int q = create("q", BOTH, NULL);
	struct kmq_stat_args before = stat_fd(q);
	struct kmq_attrs at = ATTRS(.mask = KMQ_A_MODE, .mode = 0);
	char name[8192];
	size_t i;

	memset(name, 'q', sizeof(name));
	for (i = 0; i < ARRAY_SIZE(lengths); i++) {
		struct kmq_open_args o = open_args("q", BOTH | CREATE, NULL);
		struct kmq_stat_args st = stat_args("q");
		struct kmq_alter_args al = { .size = sizeof(al),
			.name = ptr(name), .attrs = ptr(&at),
			.name_len = lengths[i] };
		struct kmq_delete_args d = { .size = sizeof(d),
			.name = ptr(name), .name_len = lengths[i] };
		struct kmq_admin_args ad = { .size = sizeof(ad),
			.name = ptr(name), .name_len = lengths[i],
			.op = KMQ_ADMIN_PURGE };
		struct kmq_list_args l = { .size = sizeof(l),
			.what = KMQ_LIST_HANDLES, .row_size = 8,
			.name = ptr(name), .rows = ptr(name),
			.name_len = lengths[i], .count = 1 };

		o.name = st.name = ptr(name);
		o.name_len = st.name_len = lengths[i];
		EXPECT_EQ(-EINVAL, request(ctl, KMQ_IOC_OPEN, &o));
		EXPECT_EQ(-EINVAL, request(ctl, KMQ_IOC_STAT, &st));
		EXPECT_EQ(-EINVAL, request(ctl, KMQ_IOC_ALTER, &al));
		EXPECT_EQ(-EINVAL, request(ctl, KMQ_IOC_DELETE, &d));
		EXPECT_EQ(-EINVAL, request(ctl, KMQ_IOC_ADMIN, &ad));
		EXPECT_EQ(-EINVAL, request(ctl, KMQ_IOC_LIST, &l));
	}
	EXPECT_TRUE(same_stat(&before, q));
	EXPECT_EQ(1, get_limits(KMQ_SCOPE_DOMAIN, 0).r[KMQ_R_OBJECTS].used);
}

TEST_F(abi, no_structure_is_that_large)
{
	static const unsigned long numbers[] = {
		KMQ_IOC_INFO, KMQ_IOC_OPEN, KMQ_IOC_ALTER, KMQ_IOC_DELETE,
		KMQ_IOC_STAT, KMQ_IOC_LIST, KMQ_IOC_LIMITS, KMQ_IOC_ADMIN,
		KMQ_IOC_XFER,
	};
	int q = create("q", BOTH, NULL);
	static __u32 args[2048];
	struct kmq_attrs at = { .mask = 0 };
	struct kmq_stat_args st;
	size_t i, k;

	for (k = 0; k < ARRAY_SIZE(huge32); k++) {
		args[0] = huge32[k];
		for (i = 0; i < ARRAY_SIZE(numbers); i++)
			EXPECT_EQ(-EINVAL, request(numbers[i] == KMQ_IOC_XFER ?
						   q : ctl, numbers[i], args));
		at.size = huge32[k];
		EXPECT_EQ(-EINVAL, create("r", BOTH, &at));
		EXPECT_EQ(-EINVAL, alter("q", &at, NULL));
		st = stat_args("q");
		st.attrs = ptr(&at);
		EXPECT_EQ(-EINVAL, request(ctl, KMQ_IOC_STAT, &st));
	}
	args[0] = PAGE + 1;
	EXPECT_EQ(-EINVAL, request(ctl, KMQ_IOC_INFO, args));
}

static int list(__u32 count, __u32 row_size, void *rows, __u64 cursor)
{
	struct kmq_list_args l = {
		.size = sizeof(l), .what = KMQ_LIST_OBJECTS, .count = count,
		.row_size = row_size, .rows = ptr(rows), .cursor = cursor,
	};
	int ret = request(ctl, KMQ_IOC_LIST, &l);

	/* where there is nothing the cursor stays */
	return ret ? ret : l.cursor < cursor ? -ERANGE : (int)l.count;
}

TEST_F(abi, a_list_has_bounds)
{
	static const __u32 sizes[] = { 0, 4, 7, 9, 12, 4104, 8192 };
	char *rows = malloc(1 << 20);
	size_t i;

	ASSERT_LE(0, create("q", BOTH, NULL));
	ASSERT_LE(0, create("r", BOTH, NULL));
	for (i = 0; i < ARRAY_SIZE(huge32); i++) {
		EXPECT_EQ(-EINVAL, list(huge32[i], 8, rows, 0));
		EXPECT_EQ(-EINVAL, list(1, huge32[i], rows, 0));
		/* the product is small, or zero */
		EXPECT_EQ(-EINVAL, list(huge32[i], huge32[i], rows, 0));
	}
	EXPECT_EQ(-EINVAL, list(0, 400, rows, 0));
	EXPECT_EQ(-EINVAL, list(1025, 400, rows, 0));
	for (i = 0; i < ARRAY_SIZE(sizes); i++)
		EXPECT_EQ(-EINVAL, list(1, sizes[i], rows, 0));
	EXPECT_EQ(2, list(1024, 8, rows, 0));
	EXPECT_EQ(2, list(1024, PAGE, rows, 0));
	for (i = 0; i < ARRAY_SIZE(huge64); i++)
		EXPECT_EQ(0, list(10, 400, rows, huge64[i]));
	/* the second row would be at the beginning of memory */
	EXPECT_EQ(-EFAULT, list(2, 400, (void *)(uintptr_t)-400, 0));
}

TEST_F(abi, no_bound_is_that_large)
{
	static const __u64 good = LLONG_MAX / 4;
	int q = create("q", BOTH, NULL);
	struct kmq_attrs at, before = attrs_of(q);
	__u64 bad;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(huge64); i++) {
		at = ATTRS(.mask = KMQ_A_MAX_MESSAGES,
			   .max_messages = huge64[i]);
		if (huge64[i] > INT_MAX) {
			EXPECT_EQ(-EINVAL, alter("q", &at, &bad));
			EXPECT_EQ(KMQ_A_MAX_MESSAGES, bad);
			EXPECT_EQ(-EINVAL, create("r", BOTH, &at));
		}
		at = ATTRS(.mask = KMQ_A_MAX_BYTES, .max_bytes = huge64[i]);
		if (huge64[i] > good) {
			EXPECT_EQ(-EINVAL, alter("q", &at, &bad));
			EXPECT_EQ(KMQ_A_MAX_BYTES, bad);
			EXPECT_EQ(-EINVAL, create("r", BOTH, &at));
		}
	}
	for (i = 0; i < ARRAY_SIZE(huge32); i++) {
		at = ATTRS(.mask = KMQ_A_MAX_MESSAGE_SIZE,
			   .max_message_size = huge32[i]);
		EXPECT_EQ(-EINVAL, alter("q", &at, &bad));
		EXPECT_EQ(KMQ_A_MAX_MESSAGE_SIZE, bad);
		EXPECT_EQ(-EINVAL, create("r", BOTH, &at));
		at = ATTRS(.mask = KMQ_A_MODE, .mode = huge32[i]);
		EXPECT_EQ(-EINVAL, alter("q", &at, &bad));
		at = ATTRS(.mask = KMQ_A_OVERFLOW, .overflow = huge32[i]);
		EXPECT_EQ(-EINVAL, alter("q", &at, &bad));
		at = ATTRS(.mask = KMQ_A_KIND, .kind = huge32[i]);
		EXPECT_EQ(-EINVAL, alter("q", &at, &bad));
	}
	at = ATTRS(.mask = KMQ_A_UID, .uid = ~0u);
	EXPECT_EQ(-EINVAL, alter("q", &at, &bad));
	at = ATTRS(.mask = KMQ_A_GID, .gid = ~0u);
	EXPECT_EQ(-EINVAL, alter("q", &at, &bad));
	at = attrs_of(q);
	EXPECT_EQ(0, memcmp(&before, &at, sizeof(at)));
	EXPECT_FALSE(exists("r"));
}

TEST_F(abi, the_largest_bounds_hold_messages)
{
	struct kmq_attrs at = ATTRS(
		.mask = KMQ_A_MAX_MESSAGES | KMQ_A_MAX_BYTES,
		.max_messages = INT_MAX, .max_bytes = LLONG_MAX / 4);
	int q = create("q", BOTH | NONBLOCK, &at), i;
	struct pollfd p = { .fd = q, .events = POLLOUT };

	ASSERT_LE(0, q);
	for (i = 0; i < 100; i++)
		ASSERT_EQ(0, put(q, "a"));
	EXPECT_EQ(1, poll(&p, 1, 0));
	for (i = 0; i < 100; i++)
		ASSERT_TRUE(get(q, "a"));
}

TEST_F(abi, limits_end_at_the_largest_long)
{
	struct kmq_limits_args was = get_limits(KMQ_SCOPE_MODULE, 0);
	__u64 before = was.r[KMQ_R_BYTES].limit;
	int q = create("q", BOTH, NULL);

	EXPECT_EQ(-EINVAL, set_limit(KMQ_SCOPE_MODULE, 0, KMQ_R_BYTES,
				     1ull << 63));
	EXPECT_EQ(-EINVAL, set_limit(KMQ_SCOPE_MODULE, 0, KMQ_R_BYTES, ~0ull));
	was = get_limits(KMQ_SCOPE_MODULE, 0);
	EXPECT_EQ(before, was.r[KMQ_R_BYTES].limit);
	EXPECT_EQ(0, set_limit(KMQ_SCOPE_MODULE, 0, KMQ_R_BYTES, LLONG_MAX));
	EXPECT_EQ(0, put(q, "a"));
	EXPECT_EQ(0, set_limit(KMQ_SCOPE_MODULE, 0, KMQ_R_BYTES, 0));
	EXPECT_EQ(0, set_limit(KMQ_SCOPE_MODULE, 0, KMQ_R_BYTES, before));
	EXPECT_TRUE(get(q, "a"));
}

TEST_F(abi, nobody_has_uid_minus_one)
{
	struct kmq_limits_args l = {
		.size = sizeof(l), .scope = KMQ_SCOPE_USER, .uid = ~0u,
	};
	struct kmq_open_args a = open_args("q", BOTH | CREATE | KMQ_OPEN_OWNER,
					   NULL);

	EXPECT_EQ(-EINVAL, request(ctl, KMQ_IOC_LIMITS, &l));
	a.owner = ~0u;
	EXPECT_EQ(-EPERM, request(ctl, KMQ_IOC_OPEN, &a));
	EXPECT_FALSE(exists("q"));
}

/* ---- XFER --------------------------------------------------------------- */

TEST_F(abi, lengths_of_an_xfer)
{
	static const __u32 lengths[] = { 1, 8, 63, 65, 71, 73, 4097 };
	int q = create("q", BOTH, NULL);
	struct batch b = { .max = 8192, .buf = calloc(1, 8192) };
	struct kmq_stat_args before = stat_fd(q);
	/* longer than what one call takes, and all zero: not a record */
	char *zeros = mmap(NULL, 8 << 20, PROT_READ, MAP_PRIVATE |
			   MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	struct kmq_xfer_args x;
	size_t i;

	add(&b, "a");
	for (i = 0; i < ARRAY_SIZE(lengths); i++) {
		x = xfer_send(&b);
		x.send_len = lengths[i];
		EXPECT_EQ(-EINVAL, xfer(q, &x))
			TH_LOG("%u", lengths[i]);
		EXPECT_GT(lengths[i], x.error_at);
	}
	for (i = 0; i < ARRAY_SIZE(huge32); i++) {
		x = xfer_send(&b);
		x.send = ptr(zeros);
		x.send_len = huge32[i];
		EXPECT_EQ(-EINVAL, xfer(q, &x));
		x.flags = KMQ_XFER_ATOMIC;
		EXPECT_EQ(-EMSGSIZE, xfer(q, &x));
	}
	EXPECT_TRUE(same_stat(&before, q));
}

TEST_F(abi, room_of_an_xfer)
{
	int q = create("q", BOTH, NULL);
	struct kmq_xfer_args x;
	char buf[256];
	size_t i;

	for (i = 0; i < ARRAY_SIZE(huge32); i++) {
		ASSERT_EQ(0, put(q, "hello"));
		x = xfer_recv(buf, sizeof(buf));
		x.recv_len = huge32[i];
		x.max_records = huge32[i];
		EXPECT_EQ(0, xfer(q, &x));
		EXPECT_EQ(1, x.received);
		EXPECT_EQ((char)POISON, buf[72]);
		ASSERT_EQ(0, put(q, "hello"));
		x = xfer_recv(buf, sizeof(buf));
		x.recv_len = huge32[i];
		x.flags = KMQ_XFER_BODY;
		EXPECT_EQ(0, xfer(q, &x));
		EXPECT_EQ(69, x.received_bytes);
	}
	/* more than there will ever be: with no time to wait, what is there */
	ASSERT_EQ(0, put(q, "hello"));
	for (i = 0; i < ARRAY_SIZE(huge32); i++) {
		x = xfer_recv(buf, sizeof(buf));
		x.min_records = huge32[i];
		x.max_records = huge32[i] - 1;
		EXPECT_EQ(-EINVAL, xfer(q, &x));
	}
	x = xfer_recv(buf, sizeof(buf));
	x.recv_len = 1;
	EXPECT_EQ(-EMSGSIZE, xfer(q, &x));
	EXPECT_EQ(72, x.needed);
	EXPECT_TRUE(get(q, "hello"));
}

TEST_F(abi, times_of_an_xfer)
{
	static const __u64 past[] = { 1, 2, NSEC };
	int q = create("q", BOTH, NULL);
	struct kmq_xfer_args x;
	char buf[256];
	struct bg bg;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(past); i++) {
		x = xfer_recv(buf, sizeof(buf));
		x.deadline = past[i];
		EXPECT_EQ(-ETIMEDOUT, xfer(q, &x));
		x.linger_until = ~0ull;
		x.min_records = 2;
		EXPECT_EQ(-ETIMEDOUT, xfer(q, &x));
	}
	for (i = 5; i < ARRAY_SIZE(huge64); i++) {
		x = xfer_recv(buf, sizeof(buf));
		x.deadline = huge64[i];
		x.linger_until = huge64[ARRAY_SIZE(huge64) - 1 - i % 3];
		x.min_records = 2;
		bg_start(&bg, BG_XFER, q, &x, 0);
		ASSERT_TRUE(waiting(q, 0, 1));
		EXPECT_EQ(0, put(q, "a"));
		EXPECT_EQ(0, put(q, "b"));
		EXPECT_EQ(0, bg_end(&bg));
		EXPECT_EQ(2, x.received);
	}
}

TEST_F(abi, what_adds_up_to_a_small_record_is_none)
{
	/* body_len, attr_len: 64 + both, rounded up, is 64 or 72 in 32 bits */
	static const struct {
		__u32 body_len;
		__u16 attr_len;
	} sums[] = {
		{ 0xffffffff, 0 }, { 0xfffffffa, 0 }, { 0xfffffff8, 0 },
		{ 0xffffffc0, 64 }, { 0xfffffff8, 8 }, { 0xffff0008, 0xfff8 },
		{ 0x80000000, 0 }, { 0xffffffc8, 0 }, { 8, 0xfff8 },
		{ 0, 0x8000 }, { 0xfffff000, 0x1000 },
	};
	int q = create("q", BOTH | RECORDS, NULL);
	struct kmq_stat_args before = stat_fd(q);
	struct batch b = BATCH(256);
	struct kmq_record *rec;
	struct kmq_xfer_args x;
	size_t i;
	int size;

	for (i = 0; i < ARRAY_SIZE(sums); i++) {
		for (size = 64; size <= 128; size += 8) {
			b.len = 0;
			rec = add(&b, "12345678");
			rec->size = size;
			rec->body_len = sums[i].body_len;
			rec->attr_len = sums[i].attr_len;
			add(&b, "12345678");
			EXPECT_GT(0, wr(q, b.buf, size))
				TH_LOG("sum %zu, size %d", i, size);
			EXPECT_GT(0, wr(q, b.buf, b.len));
			x = xfer_send(&b);
			EXPECT_GT(0, xfer(q, &x));
			EXPECT_EQ(0, x.error_at);
		}
	}
	for (i = 0; i < ARRAY_SIZE(huge32); i++) {
		b.len = 0;
		rec = add(&b, "12345678");
		rec->size = huge32[i] & ~7u;
		EXPECT_EQ(-EINVAL, wr(q, b.buf, b.len));
		rec->body_len = rec->size - 64;
		EXPECT_GT(0, wr(q, b.buf, b.len));
	}
	EXPECT_TRUE(same_stat(&before, q));
}

/* ---- read and write ----------------------------------------------------- */

TEST_F(abi, lengths_of_read_and_write)
{
	static const size_t lengths[] = {
		INT_MAX & ~4095ul, INT_MAX, SSIZE_MAX,
#if LONG_MAX > INT_MAX
		1ul << 31, 1ul << 32, (1ul << 32) + 8,
#endif
	};
	int q = create("q", BOTH | NONBLOCK, NULL);
	/* not a constant, which the compiler would refuse */
	volatile size_t all = SIZE_MAX;
	int r = create("r", BOTH | NONBLOCK | RECORDS, NULL);
	struct batch b = BATCH(128);
	char buf[256];
	ssize_t ret;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(lengths); i++) {
		/* no body is that long; records end where the memory does */
		ret = wr(q, buf, lengths[i]);
		EXPECT_TRUE(ret == -EMSGSIZE || ret == -EFAULT);
		memset(buf, 0, sizeof(buf));
		ret = wr(r, buf, lengths[i]);
		EXPECT_TRUE(ret == -EFAULT || ret == -EINVAL);
		ASSERT_EQ(0, put(q, "hello"));
		ret = rd(q, buf, lengths[i]);
		EXPECT_TRUE(ret == 5 || ret == -EFAULT);
		if (ret < 0)
			EXPECT_TRUE(get(q, "hello"));
		b.len = 0;
		add(&b, "hello");
		ASSERT_EQ(72, wr(r, b.buf, b.len));
		ret = rd(r, buf, lengths[i]);
		EXPECT_TRUE(ret == 72 || ret == -EFAULT);
		if (ret < 0)
			EXPECT_TRUE(get(r, "hello"));
	}
	EXPECT_GT(0, wr(q, buf, all));
	EXPECT_GT(0, rd(q, buf, all));
	EXPECT_EQ(0, stat_fd(q).ready);
	EXPECT_EQ(0, stat_fd(r).ready);
}

TEST_F(abi, numbers_of_buffers)
{
	static const int bad[] = { -1, INT_MIN, INT_MAX, 1025 };
	int q = create("q", BOTH | NONBLOCK, NULL);
	static struct iovec iov[1025];
	char buf[8] = "x";
	size_t i;

	iov[0] = (struct iovec){ buf, 1 };
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		EXPECT_EQ(-EINVAL, result(writev(q, iov, bad[i])));
		EXPECT_EQ(-EINVAL, result(readv(q, iov, bad[i])));
	}
	EXPECT_EQ(0, stat_fd(q).ready);
	/* 1024 of which most are empty */
	EXPECT_EQ(1, result(writev(q, iov, 1024)));
	EXPECT_EQ(1, result(readv(q, iov, 1024)));
	/* lengths that overflow together */
	iov[0].iov_len = SSIZE_MAX;
	iov[1] = (struct iovec){ buf, SSIZE_MAX };
	iov[2] = (struct iovec){ buf, 3 };
	EXPECT_GT(0, result(writev(q, iov, 3)));
	iov[0].iov_len = SIZE_MAX;
	EXPECT_EQ(-EINVAL, result(writev(q, iov, 3)));
	EXPECT_EQ(-EINVAL, result(readv(q, iov, 3)));
	EXPECT_EQ(0, stat_fd(q).ready);
}

TEST_HARNESS_MAIN
