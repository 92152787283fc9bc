// SPDX-License-Identifier: GPL-2.0-only
/* Bytes of the kernel, or of others, that a caller must never see */
#include "kmq-test.h"

/* Bytes that would show if memory were handed out again as it was. */
static void dirty(int q)
{
	static char dirt[40000];
	struct batch b = { .max = 72 * 200, .buf = malloc(72 * 200) };
	struct kmq_xfer_args x;
	size_t len;
	int i;

	memset(dirt, 0x5a, sizeof(dirt));
	for (i = 0; i < 4; i++) {
		for (len = 1; len < sizeof(dirt); len = len * 3 / 2 + 1)
			wr(q, dirt, len);
		b.len = 0;
		while (b.len + 72 <= b.max)
			add_full(&b, NULL, 0, dirt, 8)->cookie = POISON64;
		x = xfer_send(&b);
		xfer(q, &x);
	}
	admin("dirty", KMQ_ADMIN_PURGE, NULL);
	free(b.buf);
}

static bool all(const void *p, size_t len, int value)
{
	const unsigned char *c = p;

	while (len--)
		if (*c++ != value)
			return false;
	return true;
}

/* A text and nothing but zeros behind it. */
static bool clean_text(const void *p, size_t size)
{
	size_t len = strnlen(p, size);

	return len < size && all((const char *)p + len, size - len, 0);
}

TEST_F(abi, a_plain_message_as_a_record)
{
	static char body[40000];
	int d = create("dirty", BOTH, NULL), q = create("q", BOTH, NULL);
	char *buf = malloc(1 << 16);
	struct kmq_record *rec = (void *)buf;
	struct kmq_xfer_args x;
	size_t len, used;

	memset(body, 'x', sizeof(body));
	dirty(d);
	for (len = 1; len < sizeof(body);
	     len += len < 300 ? 1 : len < 17000 ? 1021 : 7919) {
		ASSERT_EQ(len, wr(q, body, len));
		x = xfer_recv(buf, 1 << 16);
		ASSERT_EQ(0, xfer(q, &x));
		used = sizeof(*rec) + len;
		EXPECT_EQ(record_size(0, len), x.received_bytes);
		EXPECT_TRUE(all(rec + 1, len, 'x'));
		EXPECT_TRUE(all(buf + used, rec->size - used, 0))
			TH_LOG("padding of %zu", len);
		/* what is behind is as it was */
		EXPECT_TRUE(all(buf + rec->size, 4096, POISON));
		EXPECT_EQ(0, rec->cookie);
		EXPECT_EQ(0, rec->tag);
		EXPECT_EQ(0, rec->priority);
		EXPECT_EQ(0, rec->partition);
		EXPECT_EQ(0, rec->attr_len);
		EXPECT_EQ(1, rec->deliveries);
		EXPECT_EQ(KMQ_REC_OPENER, rec->flags);
	}
}

TEST_F(abi, records_of_a_batch)
{
	int d = create("dirty", BOTH, NULL), q = create("q", BOTH, NULL), i;
	struct batch b = { .max = 1 << 17, .buf = malloc(1 << 17) };
	char *buf = malloc(1 << 18), body[256];
	struct kmq_record *rec;
	struct kmq_xfer_args x;
	size_t used;

	memset(body, 'x', sizeof(body));
	dirty(d);
	/* add() poisons everything that is the kernel's to write */
	for (i = 0; i < 500; i++)
		add_full(&b, NULL, 0, body, i % 200);
	x = xfer_send(&b);
	ASSERT_EQ(0, xfer(q, &x));
	ASSERT_EQ(500, x.sent);
	x = xfer_recv(buf, 1 << 18);
	ASSERT_EQ(0, xfer(q, &x));
	ASSERT_EQ(500, x.received);
	rec = (void *)buf;
	for (i = 0; i < 500; i++, rec = next_record(rec)) {
		used = sizeof(*rec) + rec->body_len;
		ASSERT_EQ(i % 200, rec->body_len);
		EXPECT_TRUE(all((char *)rec + used, rec->size - used, 0));
		EXPECT_EQ(0, rec->tag);
		EXPECT_EQ(0, rec->partition);
		EXPECT_EQ(0, rec->flags);
		EXPECT_EQ(1, rec->deliveries);
	}
	EXPECT_TRUE(all(rec, 4096, POISON));
}

TEST_F(abi, a_body_alone)
{
	int q = create("q", BOTH, NULL);
	struct {
		struct kmq_record rec;
		char body[200];
	} in;
	struct kmq_xfer_args x;
	size_t len;
	char body[64];

	memset(body, 'x', sizeof(body));
	for (len = 1; len < sizeof(body); len++) {
		ASSERT_EQ(len, wr(q, body, len));
		x = xfer_recv(&in, sizeof(in));
		x.flags = KMQ_XFER_BODY;
		ASSERT_EQ(0, xfer(q, &x));
		EXPECT_EQ(sizeof(in.rec) + len, x.received_bytes);
		EXPECT_EQ(record_size(0, len), in.rec.size);
		EXPECT_TRUE(all(in.body + len, sizeof(in.body) - len, POISON));
		/* and by read(2) */
		ASSERT_EQ(len, wr(q, body, len));
		memset(&in, POISON, sizeof(in));
		ASSERT_EQ(len, rd(q, &in, sizeof(in)));
		EXPECT_TRUE(all((char *)&in + len, sizeof(in) - len, POISON));
	}
}

TEST_F(abi, what_is_too_small_gets_nothing)
{
	int q = create("q", BOTH, NULL), r = open_queue("q", RECV | RECORDS);
	struct kmq_xfer_args x;
	char buf[256];

	ASSERT_EQ(0, put(q, "a secret that does not fit"));
	memset(buf, POISON, sizeof(buf));
	EXPECT_EQ(-EMSGSIZE, rd(q, buf, 10));
	EXPECT_EQ(-EMSGSIZE, rd(r, buf, 80));
	EXPECT_TRUE(all(buf, sizeof(buf), POISON));
	x = xfer_recv(buf, sizeof(buf));
	x.recv_len = 80;
	EXPECT_EQ(-EMSGSIZE, xfer(q, &x));
	x.flags = KMQ_XFER_BODY;
	EXPECT_EQ(-EMSGSIZE, xfer(q, &x));
	EXPECT_TRUE(all(buf, sizeof(buf), POISON));
}

TEST_F(abi, rows_of_objects)
{
	struct kmq_object_row rows[8];
	struct kmq_list_args list = {
		.size = sizeof(list), .what = KMQ_LIST_OBJECTS,
		.row_size = sizeof(rows[0]), .rows = ptr(rows), .count = 8,
	};
	char name[KMQ_NAME_MAX + 1] = "";
	__u32 i;

	/* a long name before short ones */
	memset(name, 'n', KMQ_NAME_MAX);
	ASSERT_LE(0, create(name, BOTH, NULL));
	ASSERT_LE(0, create("q", BOTH, NULL));
	ASSERT_LE(0, create("rr", 0, NULL));
	memset(rows, POISON, sizeof(rows));
	ASSERT_EQ(0, request(ctl, KMQ_IOC_LIST, &list));
	ASSERT_EQ(3, list.count);
	for (i = 0; i < list.count; i++) {
		EXPECT_EQ(strlen((char *)rows[i].name), rows[i].name_len);
		EXPECT_TRUE(clean_text(rows[i].name, sizeof(rows[i].name)));
		EXPECT_EQ(0, rows[i].reserved);
		EXPECT_EQ(0, rows[i].waiting_senders);
		EXPECT_EQ(0, rows[i].refused_full);
	}
	EXPECT_TRUE(all(&rows[3], sizeof(rows) - 3 * sizeof(rows[0]), POISON));
}

TEST_F(abi, rows_of_handles)
{
	struct kmq_handle_row rows[8];
	struct kmq_list_args list = {
		.size = sizeof(list), .what = KMQ_LIST_HANDLES,
		.row_size = sizeof(rows[0]), .rows = ptr(rows), .count = 8,
	};
	char name[KMQ_NAME_MAX + 1] = "";
	int q, r;
	__u32 i;

	memset(name, 'n', KMQ_NAME_MAX);
	/* long names of processes before short ones */
	ASSERT_EQ(0, prctl(PR_SET_NAME, "fifteen-letters"));
	q = create(name, BOTH, NULL);
	ASSERT_EQ(0, put(q, "a"));
	ASSERT_EQ(0, prctl(PR_SET_NAME, "x"));
	r = create("r", BOTH, NULL);
	ASSERT_LE(0, create("s", 0, NULL));
	ASSERT_EQ(0, put(r, "a"));
	memset(rows, POISON, sizeof(rows));
	ASSERT_EQ(0, request(ctl, KMQ_IOC_LIST, &list));
	ASSERT_EQ(3, list.count);
	for (i = 0; i < list.count; i++) {
		EXPECT_EQ(strlen((char *)rows[i].name), rows[i].name_len);
		EXPECT_TRUE(clean_text(rows[i].name, sizeof(rows[i].name)));
		EXPECT_TRUE(clean_text(rows[i].comm, sizeof(rows[i].comm)));
		EXPECT_TRUE(clean_text(rows[i].last_comm,
				       sizeof(rows[i].last_comm)));
		EXPECT_EQ(0, rows[i].reserved);
		EXPECT_EQ(0, rows[i].reserved2);
	}
	EXPECT_EQ(0, rows[2].last_pid);
	EXPECT_TRUE(all(rows[2].last_comm, 16, 0));
	EXPECT_TRUE(all(&rows[3], sizeof(rows) - 3 * sizeof(rows[0]), POISON));
}

TEST_F(abi, rows_cut_to_any_size)
{
	static char whole[4096], buf[3 * 4096];
	struct kmq_list_args list = {
		.size = sizeof(list), .what = KMQ_LIST_OBJECTS,
		.row_size = sizeof(whole), .rows = ptr(whole), .count = 1,
	};
	size_t size;

	ASSERT_LE(0, create("q", BOTH, NULL));
	ASSERT_EQ(0, request(ctl, KMQ_IOC_LIST, &list));
	for (size = 8; size <= 4096; size += size < 512 ? 8 : 512) {
		list.cursor = 0;
		list.count = 2;
		list.row_size = size;
		list.rows = ptr(buf);
		memset(buf, POISON, sizeof(buf));
		ASSERT_EQ(0, request(ctl, KMQ_IOC_LIST, &list));
		EXPECT_EQ(0, memcmp(buf, whole, size))
			TH_LOG("rows of %zu", size);
		EXPECT_TRUE(all(buf + size, sizeof(buf) - size, POISON))
			TH_LOG("rows of %zu", size);
	}
}

TEST_F(abi, answers_hold_no_more_than_answers)
{
	struct kmq_limits_args limits = get_limits(KMQ_SCOPE_DOMAIN, 0);
	struct kmq_stat_args st;
	struct kmq_attrs at;
	struct kmq_xfer_args x;
	int q = create("q", BOTH | NONBLOCK, NULL), i;
	char buf[128];

	st = stat_fd(q);
	EXPECT_EQ(0, st.reserved);
	EXPECT_EQ(0, st.state);
	EXPECT_EQ(0, st.head_time);
	EXPECT_EQ(0, st.blocked);
	EXPECT_EQ(0, st.blocked_ns);
	at = attrs_of(q);
	EXPECT_EQ(0, at.flags);
	EXPECT_EQ(KMQ_A_ALL, at.mask);
	for (i = 0; i < KMQ_R_COUNT; i++)
		EXPECT_EQ(0, limits.r[i].used);
	/* an XFER that did nothing says nothing but so */
	x = xfer_recv(buf, sizeof(buf));
	EXPECT_EQ(-EAGAIN, xfer(q, &x));
	EXPECT_EQ(-EAGAIN, x.recv_err);
	x.recv_err = 0;
	EXPECT_TRUE(all(&x.sent, sizeof(x) - offsetof(typeof(x), sent), 0));
	EXPECT_TRUE(all(buf, sizeof(buf), POISON));
}

TEST_F(abi, refused_requests_write_nothing)
{
	struct kmq_stat_args st = stat_args("nothing"), was = st;
	struct kmq_object_row row;
	struct kmq_list_args list = {
		.size = sizeof(list), .what = 99, .rows = ptr(&row),
		.row_size = sizeof(row), .count = 1,
	};
	struct kmq_info_args info;

	EXPECT_EQ(-ENOENT, request(ctl, KMQ_IOC_STAT, &st));
	EXPECT_EQ(0, memcmp(&was, &st, sizeof(st)));
	memset(&row, POISON, sizeof(row));
	EXPECT_EQ(-EINVAL, request(ctl, KMQ_IOC_LIST, &list));
	EXPECT_TRUE(all(&row, sizeof(row), POISON));
	memset(&info, POISON, sizeof(info));
	info.size = sizeof(info);
	EXPECT_EQ(-EINVAL, request(ctl, KMQ_IOC_INFO, &info));
	EXPECT_TRUE(all(&info.features, sizeof(info) - 8, POISON));
}

TEST_HARNESS_MAIN
