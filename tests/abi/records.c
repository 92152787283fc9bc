// SPDX-License-Identifier: GPL-2.0-only
/* The record format, and what is refused of it */
#include "kmq-test.h"

static union {
	struct kmq_record rec;
	char buf[65536];
} in;

struct attr {
	struct kmq_record_attr attr;
	char value[56];
};

TEST_F(abi, a_record_keeps_what_is_the_senders)
{
	struct attr header = {
		{ .type = KMQ_ATTR_HEADER, .len = 8 }, "name\0val",
	};
	int q = create("q", BOTH | RECORDS, NULL);
	struct batch b = BATCH(256);
	struct kmq_record *rec = add_full(&b, &header, 16, "body", 4);

	rec->priority = 300;
	rec->cookie = 0x0123456789abcdef;
	ASSERT_EQ(b.len, wr(q, b.buf, b.len));
	ASSERT_EQ(b.len, rd(q, &in, sizeof(in)));
	EXPECT_EQ(b.len, in.rec.size);
	EXPECT_EQ(4, in.rec.body_len);
	EXPECT_EQ(16, in.rec.attr_len);
	EXPECT_EQ(300, in.rec.priority);
	EXPECT_EQ(0x0123456789abcdefull, in.rec.cookie);
	EXPECT_EQ(0, memcmp(&in.rec + 1, &header, 16));
	EXPECT_TRUE(body_is(&in.rec, "body"));
}

TEST_F(abi, a_record_gets_what_is_the_kernels)
{
	int q = create("q", BOTH | RECORDS, NULL);
	struct batch b = BATCH(256);
	uint64_t before, after;

	add(&b, "body");
	before = clock_ns(CLOCK_REALTIME);
	ASSERT_EQ(b.len, wr(q, b.buf, b.len));
	after = clock_ns(CLOCK_REALTIME);
	ASSERT_EQ(b.len, rd(q, &in, sizeof(in)));
	EXPECT_EQ(1, in.rec.deliveries);
	EXPECT_EQ(0, in.rec.partition);
	EXPECT_EQ(KMQ_REC_OPENER, in.rec.flags);
	EXPECT_EQ(getpid(), in.rec.pid);
	EXPECT_EQ(0, in.rec.uid);
	EXPECT_EQ(0, in.rec.gid);
	EXPECT_LE(before, in.rec.time);
	EXPECT_GE(after, in.rec.time);
	EXPECT_EQ(1, in.rec.seq);
	EXPECT_EQ(0, in.rec.tag);
}

TEST_F(abi, a_plain_message_is_a_record_too)
{
	int q = create("q", BOTH, NULL), r = open_queue("q", RECV | RECORDS);
	uint64_t before = clock_ns(CLOCK_REALTIME), after;

	ASSERT_EQ(0, put(q, "hello"));
	after = clock_ns(CLOCK_REALTIME);
	memset(&in, POISON, sizeof(in));
	ASSERT_EQ(72, rd(r, &in, sizeof(in)));
	EXPECT_EQ(72, in.rec.size);
	EXPECT_EQ(5, in.rec.body_len);
	EXPECT_EQ(0, in.rec.attr_len);
	EXPECT_EQ(0, in.rec.priority);
	EXPECT_EQ(0, in.rec.partition);
	EXPECT_EQ(1, in.rec.deliveries);
	EXPECT_EQ(KMQ_REC_OPENER, in.rec.flags);
	EXPECT_EQ(getpid(), in.rec.pid);
	EXPECT_EQ(0, in.rec.cookie);
	EXPECT_LE(before, in.rec.time);
	EXPECT_GE(after, in.rec.time);
	EXPECT_EQ(0, in.rec.tag);
	EXPECT_EQ(0, memcmp(&in.rec + 1, "hello\0\0\0", 8));
	EXPECT_EQ((char)POISON, in.buf[72]);
}

/* Memory of the kernel is used again: nothing of what stood there is shown. */
TEST_F(abi, a_plain_message_shows_nothing_of_earlier_ones)
{
	int q = create("q", BOTH, NULL), r = open_queue("q", BOTH | RECORDS);
	struct batch b = BATCH(72);
	int i;

	add(&b, "poison!!");
	memset(&in, POISON, sizeof(in));
	for (i = 0; i < 20; i++) {
		ASSERT_EQ(72, wr(r, b.buf, 72));
		ASSERT_EQ(72, rd(r, &in, sizeof(in)));
		ASSERT_EQ(POISON64, in.rec.cookie);
		ASSERT_EQ(0, put(q, "a"));
		ASSERT_EQ(72, rd(r, &in, sizeof(in)));
		ASSERT_EQ(0, in.rec.cookie);
		ASSERT_EQ(0, in.rec.tag);
		ASSERT_EQ(0, memcmp(in.buf + 65, "\0\0\0\0\0\0", 7));
	}
}

TEST_F(abi, padding_is_zero)
{
	int q = create("q", BOTH | RECORDS, NULL), plain = open_queue("q", SEND);
	size_t len, i;
	char body[24];

	memset(body, 'b', sizeof(body));
	for (len = 0; len < sizeof(body); len++) {
		struct batch b = BATCH(256);

		/* padding of poison, in a batch and alone */
		add_full(&b, NULL, 0, body, len);
		add_full(&b, NULL, 0, body, len);
		ASSERT_EQ(b.len, wr(q, b.buf, b.len));
		ASSERT_EQ(len ? (ssize_t)len : -EINVAL, wr(plain, body, len));
		memset(&in, POISON, sizeof(in));
		ASSERT_LT(0, rd(q, &in, sizeof(in)));
		for (i = 64 + len; i < record_size(0, len); i++) {
			EXPECT_EQ(0, in.buf[i]);
			EXPECT_EQ(0, in.buf[i + record_size(0, len)]);
			EXPECT_EQ(0, in.buf[i + 2 * record_size(0, len)]);
		}
	}
}

TEST_F(abi, padding_of_a_large_record_is_zero)
{
	int q = create("q", BOTH | RECORDS, NULL);
	size_t len = 20001, i;
	struct batch b = BATCH(32768);

	add_full(&b, NULL, 0, in.buf, len);
	ASSERT_EQ(b.len, wr(q, b.buf, b.len));
	memset(&in, POISON, sizeof(in));
	ASSERT_EQ(b.len, rd(q, &in, sizeof(in)));
	for (i = 64 + len; i < b.len; i++)
		EXPECT_EQ(0, in.buf[i]);
}

TEST_F(abi, many_travel_packed)
{
	int q = create("q", BOTH | RECORDS, NULL), i;
	struct batch b = BATCH(65536);
	struct kmq_record *rec;
	char body[8];

	for (i = 0; i < 400; i++) {
		memset(body, 'a' + i % 26, sizeof(body));
		add_full(&b, NULL, 0, body, i % 9)->cookie = i;
	}
	ASSERT_EQ(b.len, wr(q, b.buf, b.len));
	EXPECT_EQ(400, stat_fd(q).ready);
	EXPECT_EQ(b.len, stat_fd(q).bytes);
	ASSERT_EQ(b.len, rd(q, &in, sizeof(in)));
	for (i = 0, rec = &in.rec; i < 400; i++, rec = next_record(rec)) {
		ASSERT_EQ(i, rec->cookie);
		EXPECT_EQ(i + 1, rec->seq);
		EXPECT_EQ(i % 9, rec->body_len);
		memset(body, 'a' + i % 26, sizeof(body));
		EXPECT_EQ(0, memcmp(rec + 1, body, rec->body_len));
	}
}

TEST_F(abi, a_read_takes_whole_records_that_fit)
{
	int q = create("q", BOTH | RECORDS, NULL);
	struct batch b = BATCH(512);

	add(&b, "a");
	add(&b, "b");
	add(&b, "c");
	ASSERT_EQ(216, wr(q, b.buf, b.len));
	memset(&in, POISON, sizeof(in));
	EXPECT_EQ(144, rd(q, &in, 215));
	EXPECT_EQ((char)POISON, in.buf[144]);
	EXPECT_EQ(-EMSGSIZE, rd(q, &in, 71));
	EXPECT_EQ(1, stat_fd(q).ready);
	EXPECT_EQ(72, rd(q, &in, 72));
	EXPECT_TRUE(body_is(&in.rec, "c"));
}

TEST_F(abi, an_empty_body_travels)
{
	int q = create("q", BOTH | RECORDS, NULL);
	struct batch b = BATCH(128);

	add(&b, "");
	ASSERT_EQ(64, wr(q, b.buf, b.len));
	ASSERT_EQ(64, rd(q, &in, sizeof(in)));
	EXPECT_EQ(0, in.rec.body_len);
	EXPECT_EQ(64, in.rec.size);
}

TEST_F(abi, fionread_is_the_size_of_the_next_record)
{
	int q = create("q", BOTH | RECORDS, NULL), size = -1;
	struct batch b = BATCH(128);

	add(&b, "hello");
	ASSERT_EQ(72, wr(q, b.buf, b.len));
	ASSERT_EQ(0, request(q, FIONREAD, &size));
	EXPECT_EQ(72, size);
}

TEST_F(abi, writing_no_records_sends_nothing)
{
	int q = create("q", BOTH | RECORDS, NULL);

	wr(q, "", 0);
	EXPECT_EQ(0, stat_fd(q).sent);
}

TEST_F(abi, the_largest_record_travels)
{
	struct kmq_attrs at = ATTRS(.mask = KMQ_A_MAX_MESSAGE_SIZE,
				    .max_message_size = KMQ_MESSAGE_MAX);
	size_t size = record_size(KMQ_ATTR_MAX, KMQ_MESSAGE_MAX), i;
	struct batch b = { .max = size, .buf = malloc(size) };
	char *attrs = calloc(1, KMQ_ATTR_MAX), *back = malloc(size);
	char *body = malloc(KMQ_MESSAGE_MAX);
	struct kmq_record_attr *attr = (void *)attrs;
	int q = create("q", BOTH | RECORDS, &at);
	struct kmq_record *rec;

	attr->type = KMQ_ATTR_HEADER;
	attr->len = KMQ_ATTR_MAX - sizeof(*attr);
	attrs[8] = 'n';
	for (i = 0; i < KMQ_MESSAGE_MAX; i++)
		body[i] = i ^ i >> 8;
	add_full(&b, attrs, KMQ_ATTR_MAX, body, KMQ_MESSAGE_MAX);
	ASSERT_EQ(size, wr(q, b.buf, size));
	ASSERT_EQ(size, rd(q, back, size));
	rec = (void *)back;
	EXPECT_EQ(KMQ_MESSAGE_MAX, rec->body_len);
	EXPECT_EQ(0, memcmp(rec + 1, attrs, KMQ_ATTR_MAX));
	EXPECT_EQ(0, memcmp(body_of(rec), body, KMQ_MESSAGE_MAX));
}

TEST_F(abi, a_longer_buffer_than_one_call_takes_ends_short)
{
	size_t size = record_size(0, 100000), n, i;
	struct batch b = { .max = 60 * size, .buf = malloc(60 * size) };
	char *body = calloc(1, 100000);
	int q = create("q", BOTH | RECORDS, NULL);
	ssize_t ret;

	for (i = 0; i < 60; i++)
		add_full(&b, NULL, 0, body, 100000)->cookie = i;
	n = KMQ_XFER_MAX / size;
	ret = wr(q, b.buf, b.len);
	EXPECT_EQ(n * size, ret);
	EXPECT_EQ(n, stat_fd(q).ready);
	ret = wr(q, b.buf + ret, b.len - ret);
	EXPECT_EQ((60 - n) * size, ret);
	/* and so does receiving */
	ret = rd(q, b.buf, b.len);
	EXPECT_EQ(n * size, ret);
	EXPECT_EQ(60 - n, stat_fd(q).ready);
}

/* ---- what is refused ---------------------------------------------------- */

static void no_size(struct kmq_record *rec)
{
	rec->size = 0;
}

static void smaller_than_a_header(struct kmq_record *rec)
{
	rec->size = 56;
}

static void unaligned_size(struct kmq_record *rec)
{
	rec->size += 4;
}

static void size_too_small(struct kmq_record *rec)
{
	rec->size -= 8;
}

static void size_too_large(struct kmq_record *rec)
{
	rec->size += 8;
}

static void size_beyond_the_buffer(struct kmq_record *rec)
{
	rec->size = 1 << 16;
	rec->body_len = (1 << 16) - 64 - rec->attr_len;
}

static void huge_size(struct kmq_record *rec)
{
	rec->size = ~7u;
}

static void body_beyond_the_size(struct kmq_record *rec)
{
	rec->body_len += 8;
}

static void body_below_the_size(struct kmq_record *rec)
{
	rec->body_len = 0;
}

static void unaligned_attrs(struct kmq_record *rec)
{
	rec->attr_len = 12;
}

static void attrs_beyond_the_size(struct kmq_record *rec)
{
	rec->attr_len = 512;
}

static void too_many_attrs(struct kmq_record *rec)
{
	rec->attr_len = KMQ_ATTR_MAX + 8;
	rec->size += KMQ_ATTR_MAX + 8;
}

static void priority_too_high(struct kmq_record *rec)
{
	rec->priority = KMQ_PRIORITY_MAX + 1;
}

static void unknown_flag(struct kmq_record *rec)
{
	rec->flags = 1;
}

static void unknown_flag_15(struct kmq_record *rec)
{
	rec->flags = 0x8000;
}

static const struct {
	const char *what;
	void (*spoil)(struct kmq_record *rec);
} malformed[] = {
	{ "no size", no_size },
	{ "smaller than a header", smaller_than_a_header },
	{ "unaligned size", unaligned_size },
	{ "size too small", size_too_small },
	{ "size too large", size_too_large },
	{ "size beyond the buffer", size_beyond_the_buffer },
	{ "huge size", huge_size },
	{ "body beyond the size", body_beyond_the_size },
	{ "body below the size", body_below_the_size },
	{ "unaligned attributes", unaligned_attrs },
	{ "attributes beyond the size", attrs_beyond_the_size },
	{ "too many attributes", too_many_attrs },
	{ "priority too high", priority_too_high },
	{ "unknown flag", unknown_flag },
	{ "unknown flag 15", unknown_flag_15 },
};

/* Is a batch refused for the record or attribute at @at, and nothing taken? */
static bool refused(int q, const struct batch *b, size_t at, int err)
{
	struct kmq_xfer_args x = xfer_send(b);
	struct kmq_stat_args before = stat_fd(q);
	int ret = xfer(q, &x);

	if (ret == err && x.send_err == err && x.error_at == at && !x.sent &&
	    !x.sent_bytes && !x.last_seq && !x.recv_err && !x.received &&
	    wr(q, b->buf, b->len) == err && same_stat(&before, q))
		return true;
	printf("# returned %d, send_err %d, error_at %u (not %zu), sent %u\n",
	       ret, x.send_err, x.error_at, at, x.sent);
	return false;
}

TEST_F(abi, a_malformed_record_is_named_and_nothing_taken)
{
	int q = create("q", BOTH | RECORDS, NULL);
	size_t i, place, k;

	for (i = 0; i < ARRAY_SIZE(malformed); i++) {
		for (place = 0; place < 4; place++) {
			struct batch b = BATCH(1024);
			struct kmq_record *bad = NULL;

			for (k = 0; k < 4; k++) {
				struct kmq_record *rec = add(&b, "some body");

				if (k == place)
					bad = rec;
			}
			malformed[i].spoil(bad);
			EXPECT_TRUE(refused(q, &b, place * 80, -EINVAL))
				TH_LOG("%s, record %zu", malformed[i].what,
				       place);
		}
	}
}

TEST_F(abi, far_behind_in_a_batch_it_is_found_too)
{
	int q = create("q", BOTH | RECORDS, NULL);
	static const size_t places[] = { 1, 226, 227, 228, 455, 511 };
	size_t i, place, k;

	/* records of 72 bytes do not end where the kernel cuts its chunks */
	for (i = 0; i < ARRAY_SIZE(malformed); i++) {
		for (place = 0; place < ARRAY_SIZE(places); place++) {
			struct batch b = BATCH(36864);
			struct kmq_record *bad = NULL;

			for (k = 0; k < 512; k++) {
				struct kmq_record *rec = add(&b, "body");

				if (k == places[place])
					bad = rec;
			}
			malformed[i].spoil(bad);
			ASSERT_TRUE(refused(q, &b, places[place] * 72, -EINVAL))
				TH_LOG("%s, record %zu", malformed[i].what,
				       places[place]);
		}
	}
}

TEST_F(abi, a_malformed_large_record_is_named)
{
	int q = create("q", BOTH | RECORDS, NULL);
	size_t i;

	for (i = 0; i < ARRAY_SIZE(malformed); i++) {
		struct batch b = BATCH(65536);
		struct kmq_record *rec;

		add(&b, "body");
		rec = add_full(&b, NULL, 0, in.buf, 40000);
		if (malformed[i].spoil == size_beyond_the_buffer)
			rec->size += 16384;
		else
			malformed[i].spoil(rec);
		EXPECT_TRUE(refused(q, &b, 72, -EINVAL))
			TH_LOG("%s", malformed[i].what);
	}
}

TEST_F(abi, bytes_behind_the_last_record_are_refused)
{
	int q = create("q", BOTH | RECORDS, NULL);
	size_t extra;

	for (extra = 1; extra < 64; extra++) {
		struct batch b = BATCH(256);

		add(&b, "body");
		memset(b.buf + b.len, 0, 64);
		b.len += extra;
		ASSERT_TRUE(refused(q, &b, 72, -EINVAL));
	}
}

TEST_F(abi, a_cut_off_record_is_refused)
{
	int q = create("q", BOTH | RECORDS, NULL);
	size_t cut;

	for (cut = 1; cut < 80; cut++) {
		struct batch b = BATCH(256);

		add(&b, "body");
		add(&b, "some body");
		b.len -= cut;
		ASSERT_TRUE(refused(q, &b, 72, -EINVAL));
	}
}

TEST_F(abi, too_long_a_body_is_emsgsize)
{
	struct kmq_attrs at = ATTRS(.mask = KMQ_A_MAX_MESSAGE_SIZE,
				    .max_message_size = 10);
	int q = create("q", BOTH | RECORDS, &at);
	struct batch b = BATCH(512);

	add(&b, "1234567890");
	add(&b, "12345678901");
	add(&b, "1");
	EXPECT_TRUE(refused(q, &b, 80, -EMSGSIZE));
}

TEST_F(abi, a_body_above_the_hard_limit_is_emsgsize)
{
	struct kmq_attrs at = ATTRS(.mask = KMQ_A_MAX_MESSAGE_SIZE,
				    .max_message_size = KMQ_MESSAGE_MAX);
	size_t size = record_size(0, KMQ_MESSAGE_MAX + 1) + 72;
	struct batch b = { .max = size, .buf = malloc(size) };
	char *body = calloc(1, KMQ_MESSAGE_MAX + 1);
	int q = create("q", BOTH | RECORDS, &at);

	add(&b, "body");
	add_full(&b, NULL, 0, body, KMQ_MESSAGE_MAX + 1);
	EXPECT_TRUE(refused(q, &b, 72, -EMSGSIZE));
}

TEST_F(abi, kernel_flags_of_the_sender_are_ignored)
{
	int q = create("q", BOTH | RECORDS, NULL);
	struct batch b = BATCH(128);

	add(&b, "body")->flags = KMQ_REC_KERNEL_FLAGS;
	ASSERT_EQ(b.len, wr(q, b.buf, b.len));
	ASSERT_EQ(b.len, rd(q, &in, sizeof(in)));
	EXPECT_EQ(KMQ_REC_OPENER, in.rec.flags);
}

/* ---- attributes --------------------------------------------------------- */

/* Bytes an attribute takes. */
static size_t put_attr(char *to, __u16 type, const void *value, __u16 len)
{
	struct kmq_record_attr attr = { .type = type, .len = len };

	memcpy(to, &attr, sizeof(attr));
	memset(to + sizeof(attr), 0, (len + 7) & ~7);
	memcpy(to + sizeof(attr), value, len);
	return sizeof(attr) + ((len + 7) & ~7);
}

TEST_F(abi, attributes_at_their_limits_are_taken)
{
	int q = create("q", BOTH | RECORDS, NULL);
	char attrs[KMQ_ATTR_MAX], value[2000];
	struct batch b = BATCH(16384);
	size_t len = 0;

	memset(value, 'v', sizeof(value));
	value[255] = 0;
	len += put_attr(attrs + len, KMQ_ATTR_KEY, value, KMQ_KEY_MAX);
	len += put_attr(attrs + len, KMQ_ATTR_HEADER, value, 256);
	len += put_attr(attrs + len, KMQ_ATTR_HEADER, value, 256);
	len += put_attr(attrs + len, KMQ_ATTR_HEADER, "n\0", 2);
	add_full(&b, attrs, len, "body", 4);
	add_full(&b, attrs, put_attr(attrs, KMQ_ATTR_KEY, "\0", 1), "body", 4);
	EXPECT_EQ(b.len, wr(q, b.buf, b.len));
	EXPECT_EQ(b.len, rd(q, &in, sizeof(in)));
}

TEST_F(abi, a_bad_attribute_is_named_and_nothing_taken)
{
	int q = create("q", BOTH | RECORDS, NULL);
	char value[2048];
	static const struct {
		const char *what;
		__u16 type, len;
		const char *value;
		__u32 reserved;
	} bad[] = {
		{ "type 0", 0, 8, "12345678", 0 },
		{ "type 3", 3, 8, "12345678", 0 },
		{ "type of the kernel", 0x8000, 8, "12345678", 0 },
		{ "reserved", KMQ_ATTR_HEADER, 3, "n\0v", 1 },
		{ "a second key", KMQ_ATTR_KEY, 3, "key", 0 },
		{ "a header without a NUL", KMQ_ATTR_HEADER, 8, "12345678", 0 },
		{ "a header without a name", KMQ_ATTR_HEADER, 3, "\0va", 0 },
		{ "a header without anything", KMQ_ATTR_HEADER, 0, "", 0 },
		{ "a header with a name of 256", KMQ_ATTR_HEADER, 260, NULL,
		  0 },
	};
	size_t i;

	memset(value, 'n', sizeof(value));
	value[256] = 0;
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		struct batch b = BATCH(4096);
		char attrs[2048];
		size_t len = put_attr(attrs, KMQ_ATTR_KEY, "key", 3), at = len;

		len += put_attr(attrs + len, bad[i].type,
				bad[i].value ? bad[i].value : value,
				bad[i].len);
		memcpy(attrs + at + 4, &bad[i].reserved, 4);
		add(&b, "body");
		add_full(&b, attrs, len, "body", 4);
		EXPECT_TRUE(refused(q, &b, 72 + 64 + at, -EINVAL))
			TH_LOG("%s", bad[i].what);
	}
}

TEST_F(abi, a_key_has_1_to_1024_bytes)
{
	int q = create("q", BOTH | RECORDS, NULL);
	struct batch b = BATCH(4096), c = BATCH(4096);
	char attrs[2048], value[2048] = "";

	add_full(&b, attrs, put_attr(attrs, KMQ_ATTR_KEY, value, 0), "b", 1);
	EXPECT_TRUE(refused(q, &b, 64, -EINVAL));
	add_full(&c, attrs, put_attr(attrs, KMQ_ATTR_KEY, value,
				     KMQ_KEY_MAX + 1), "b", 1);
	EXPECT_TRUE(refused(q, &c, 64, -EINVAL));
}

TEST_F(abi, an_attribute_must_end_within_the_attributes)
{
	int q = create("q", BOTH | RECORDS, NULL);
	struct kmq_record_attr attr = { .type = KMQ_ATTR_KEY, .len = 9 };
	struct batch b = BATCH(256);
	char attrs[24] = "";

	/* the key reaches into the body */
	put_attr(attrs, KMQ_ATTR_HEADER, "n\0", 2);
	memcpy(attrs + 16, &attr, sizeof(attr));
	add_full(&b, attrs, sizeof(attrs), "a body that is long", 19);
	EXPECT_TRUE(refused(q, &b, 64 + 16, -EINVAL));
}

TEST_F(abi, attributes_of_a_large_record_are_checked)
{
	int q = create("q", BOTH | RECORDS, NULL);
	struct batch b = BATCH(65536);
	char attrs[64];
	size_t len = put_attr(attrs, KMQ_ATTR_KEY, "key", 3), at = len;

	len += put_attr(attrs + len, 77, "value", 5);
	add(&b, "body");
	add_full(&b, attrs, len, in.buf, 30000);
	EXPECT_TRUE(refused(q, &b, 72 + 64 + at, -EINVAL));
}

TEST_HARNESS_MAIN
