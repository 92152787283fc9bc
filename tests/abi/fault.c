// SPDX-License-Identifier: GPL-2.0-only
/* Bad addresses, and memory that changes or stalls during a call */
#include "kmq-stall.h"

/* Two pages, the second inaccessible; the address of the border. */
static char *border(int prot)
{
	char *p = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED || mprotect(p + PAGE, PAGE, prot))
		abort();
	return p + PAGE;
}

static char *nowhere(void)
{
	return border(PROT_NONE);
}

/* ---- requests ----------------------------------------------------------- */

static const struct {
	const char *name;
	unsigned long nr;
	size_t size;
} requests[] = {
	{ "INFO", KMQ_IOC_INFO, sizeof(struct kmq_info_args) },
	{ "OPEN", KMQ_IOC_OPEN, sizeof(struct kmq_open_args) },
	{ "ALTER", KMQ_IOC_ALTER, sizeof(struct kmq_alter_args) },
	{ "DELETE", KMQ_IOC_DELETE, sizeof(struct kmq_delete_args) },
	{ "STAT", KMQ_IOC_STAT, sizeof(struct kmq_stat_args) },
	{ "LIST", KMQ_IOC_LIST, sizeof(struct kmq_list_args) },
	{ "LIMITS", KMQ_IOC_LIMITS, sizeof(struct kmq_limits_args) },
	{ "ADMIN", KMQ_IOC_ADMIN, sizeof(struct kmq_admin_args) },
	{ "XFER", KMQ_IOC_XFER, sizeof(struct kmq_xfer_args) },
};

TEST_F(abi, arguments_at_a_bad_address)
{
	int q = create("q", BOTH, NULL), fd;
	char *bad = nowhere();
	size_t i;

	for (i = 0; i < ARRAY_SIZE(requests); i++) {
		fd = requests[i].nr == KMQ_IOC_XFER ? q : ctl;
		EXPECT_EQ(-EFAULT, request(fd, requests[i].nr, NULL))
			TH_LOG("%s", requests[i].name);
		EXPECT_EQ(-EFAULT, request(fd, requests[i].nr, bad))
			TH_LOG("%s", requests[i].name);
		EXPECT_EQ(-EFAULT, request(fd, requests[i].nr, bad - 2))
			TH_LOG("%s", requests[i].name);
	}
	EXPECT_EQ(-EFAULT, request(q, KMQ_IOC_STAT, NULL));
	EXPECT_EQ(-EFAULT, request(q, KMQ_IOC_ADMIN, NULL));
	EXPECT_EQ(-EFAULT, request(q, FIONREAD, bad));
}

TEST_F(abi, arguments_that_end_too_early)
{
	int q = create("q", BOTH, NULL), fd;
	char *bad = nowhere(), buf[128];
	struct kmq_xfer_args x = xfer_recv(buf, sizeof(buf));
	size_t i;

	ASSERT_EQ(0, put(q, "a"));
	for (i = 0; i < ARRAY_SIZE(requests); i++) {
		char *at = bad - requests[i].size + 8;

		/* good as far as it goes */
		memset(bad - PAGE, 0, PAGE);
		x.size = requests[i].size;
		memcpy(at, &x, requests[i].nr == KMQ_IOC_XFER ?
		       sizeof(x) - 8 : sizeof(x.size));
		fd = requests[i].nr == KMQ_IOC_XFER ? q : ctl;
		EXPECT_EQ(-EFAULT, request(fd, requests[i].nr, at))
			TH_LOG("%s", requests[i].name);
	}
	EXPECT_EQ(1, stat_fd(q).ready);
}

/* A copy of a structure where it can be read but not written. */
static void *read_only(const void *args, size_t size)
{
	char *p = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	memcpy(p, args, size);
	mprotect(p, PAGE, PROT_READ);
	return p;
}

TEST_F(abi, open_that_cannot_answer_leaves_nothing)
{
	struct kmq_open_args a = open_args("new", BOTH | CREATE, NULL);
	int q = create("q", BOTH, NULL), last = dup(q);
	struct kmq_stat_args before = stat_fd(q);

	EXPECT_EQ(-EFAULT, request(ctl, KMQ_IOC_OPEN,
				   read_only(&a, sizeof(a))));
	EXPECT_FALSE(exists("new"));
	a = open_args("q", BOTH, NULL);
	EXPECT_EQ(-EFAULT, request(ctl, KMQ_IOC_OPEN,
				   read_only(&a, sizeof(a))));
	EXPECT_TRUE(WAIT_FOR(same_stat(&before, q)));
	/* nor a file descriptor */
	EXPECT_EQ(last + 1, dup(q));
	EXPECT_EQ(1, get_limits(KMQ_SCOPE_DOMAIN, 0).r[KMQ_R_HANDLES].used);
	EXPECT_EQ(1, get_limits(KMQ_SCOPE_DOMAIN, 0).r[KMQ_R_OBJECTS].used);
}

TEST_F(abi, stat_list_and_limits_cannot_answer)
{
	int q = create("q", BOTH, NULL);
	struct kmq_stat_args st = stat_args("q");
	struct kmq_limits_args l = { .size = sizeof(l) };
	struct kmq_info_args info = { .size = sizeof(info) };
	struct kmq_object_row row;
	struct kmq_list_args list = {
		.size = sizeof(list), .what = KMQ_LIST_OBJECTS,
		.row_size = sizeof(row), .rows = ptr(&row), .count = 1,
	};

	ASSERT_LE(0, q);
	EXPECT_EQ(-EFAULT, request(ctl, KMQ_IOC_STAT,
				   read_only(&st, sizeof(st))));
	EXPECT_EQ(-EFAULT, request(ctl, KMQ_IOC_LIMITS,
				   read_only(&l, sizeof(l))));
	EXPECT_EQ(-EFAULT, request(ctl, KMQ_IOC_INFO,
				   read_only(&info, sizeof(info))));
	EXPECT_EQ(-EFAULT, request(ctl, KMQ_IOC_LIST,
				   read_only(&list, sizeof(list))));
	list.rows = ptr(nowhere());
	EXPECT_EQ(-EFAULT, request(ctl, KMQ_IOC_LIST, &list));
	EXPECT_EQ(1, list.count);
	EXPECT_EQ(0, list.cursor);
	st = stat_args("q");
	st.attrs = ptr(nowhere());
	EXPECT_EQ(-EFAULT, request(ctl, KMQ_IOC_STAT, &st));
	EXPECT_EQ(POISON64, st.created);
}

TEST_F(abi, admin_that_cannot_answer_does_nothing)
{
	int q = create("q", BOTH, NULL);
	struct kmq_admin_args a = {
		.size = sizeof(a), .name = ptr("q"), .name_len = 1,
		.op = KMQ_ADMIN_PURGE,
	};

	ASSERT_EQ(0, put(q, "a"));
	EXPECT_EQ(-EFAULT, request(ctl, KMQ_IOC_ADMIN,
				   read_only(&a, sizeof(a))));
	EXPECT_EQ(1, stat_fd(q).ready);
	a.name = 0;
	a.name_len = 0;
	a.op = KMQ_ADMIN_RESET;
	EXPECT_EQ(-EFAULT, request(ctl, KMQ_IOC_ADMIN,
				   read_only(&a, sizeof(a))));
	EXPECT_TRUE(exists("q"));
}

TEST_F(abi, limits_that_cannot_be_told_are_not_set)
{
	struct kmq_limits_args before = get_limits(KMQ_SCOPE_DOMAIN, 0), after;
	struct kmq_limits_args a = {
		.size = sizeof(a), .flags = KMQ_LIMITS_SET,
		.scope = KMQ_SCOPE_DOMAIN, .set_mask = 1 << KMQ_R_OBJECTS,
	};

	a.r[KMQ_R_OBJECTS].limit = 7;
	EXPECT_EQ(-EFAULT, request(ctl, KMQ_IOC_LIMITS,
				   read_only(&a, sizeof(a))));
	after = get_limits(KMQ_SCOPE_DOMAIN, 0);
	EXPECT_EQ(before.r[KMQ_R_OBJECTS].limit,
		  after.r[KMQ_R_OBJECTS].limit);
}

TEST_F(abi, xfer_that_cannot_answer_does_nothing)
{
	int q = create("q", BOTH, NULL);
	struct batch b = BATCH(128);
	char buf[128];
	struct kmq_xfer_args x = xfer_recv(buf, sizeof(buf));
	struct kmq_stat_args before;

	ASSERT_EQ(0, put(q, "a"));
	before = stat_fd(q);
	add(&b, "b");
	x.send = ptr(b.buf);
	x.send_len = b.len;
	EXPECT_EQ(-EFAULT, request(q, KMQ_IOC_XFER,
				   read_only(&x, sizeof(x))));
	EXPECT_TRUE(same_stat(&before, q));
	EXPECT_EQ((char)POISON, buf[0]);
}

TEST_F(abi, names_and_attributes_at_a_bad_address)
{
	struct kmq_open_args a = open_args("q", BOTH | CREATE, NULL);
	struct kmq_attrs at = ATTRS(.mask = KMQ_A_MODE, .mode = 0);
	struct kmq_alter_args alter_args = {
		.size = sizeof(alter_args), .name = ptr("q"), .name_len = 1,
	};
	struct kmq_delete_args d = { .size = sizeof(d), .name_len = 1 };
	struct kmq_stat_args st = stat_args("q");
	char *bad = nowhere();
	int q = create("q", BOTH, NULL);

	ASSERT_LE(0, q);
	a.name = ptr(bad);
	EXPECT_EQ(-EFAULT, request(ctl, KMQ_IOC_OPEN, &a));
	bad[-1] = 'x';
	a = open_args("q", BOTH | CREATE, NULL);
	a.name = ptr(bad - 1);
	a.name_len = 2;
	EXPECT_EQ(-EFAULT, request(ctl, KMQ_IOC_OPEN, &a));
	a = open_args("new", BOTH | CREATE, NULL);
	a.attrs = ptr(bad);
	EXPECT_EQ(-EFAULT, request(ctl, KMQ_IOC_OPEN, &a));
	a = open_args("new", BOTH | CREATE, NULL);
	memcpy(bad - 16, &at, 16);
	a.attrs = ptr(bad - 16);
	EXPECT_EQ(-EFAULT, request(ctl, KMQ_IOC_OPEN, &a));
	EXPECT_FALSE(exists("new"));
	EXPECT_EQ(-EFAULT, request(ctl, KMQ_IOC_ALTER, &alter_args));
	alter_args.attrs = ptr(&at);
	alter_args.name = ptr(bad);
	EXPECT_EQ(-EFAULT, request(ctl, KMQ_IOC_ALTER, &alter_args));
	EXPECT_EQ(0640, attrs_of(q).mode);
	d.name = ptr(bad);
	EXPECT_EQ(-EFAULT, request(ctl, KMQ_IOC_DELETE, &d));
	st.name = ptr(bad);
	EXPECT_EQ(-EFAULT, request(ctl, KMQ_IOC_STAT, &st));
	EXPECT_TRUE(exists("q"));
}

/* ---- sending ------------------------------------------------------------ */

TEST_F(abi, a_body_that_cannot_be_read_is_not_sent)
{
	int q = create("q", BOTH, NULL);
	struct kmq_stat_args before = stat_fd(q);
	char *bad = nowhere();
	struct iovec iov[2] = { { "good", 4 }, { bad, 4 } };

	EXPECT_EQ(-EFAULT, wr(q, bad, 10));
	EXPECT_EQ(-EFAULT, wr(q, bad - 5, 10));
	EXPECT_EQ(-EFAULT, result(writev(q, iov, 2)));
	EXPECT_TRUE(same_stat(&before, q));
}

TEST_F(abi, a_batch_that_cannot_be_read_whole_is_not_sent)
{
	int q = create("q", BOTH | RECORDS, NULL);
	struct kmq_stat_args before = stat_fd(q);
	struct batch b = BATCH(512);
	char *bad = nowhere();
	struct kmq_xfer_args x;
	size_t readable;

	add(&b, "a");
	add(&b, "b");
	add(&b, "c");
	for (readable = 0; readable < b.len; readable += 8) {
		char *at = bad - readable;

		memcpy(at, b.buf, readable);
		EXPECT_EQ(-EFAULT, wr(q, at, b.len));
		x = xfer_send(&b);
		x.send = ptr(at);
		EXPECT_EQ(-EFAULT, xfer(q, &x));
		EXPECT_EQ(-EFAULT, x.send_err);
		EXPECT_EQ(0, x.sent);
	}
	EXPECT_TRUE(same_stat(&before, q));
}

TEST_F(abi, a_large_batch_with_a_hole_is_not_sent)
{
	int q = create("q", BOTH | RECORDS, NULL), i;
	size_t size = 1000 * 72, hole;
	struct kmq_stat_args before = stat_fd(q);
	char *p = mmap(NULL, size, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct batch b = { .max = size, .buf = p };

	for (i = 0; i < 1000; i++)
		add(&b, "body");
	for (hole = 0; hole < size; hole += PAGE) {
		ASSERT_EQ(0, mprotect(p + hole, PAGE, PROT_NONE));
		EXPECT_EQ(-EFAULT, wr(q, p, size));
		ASSERT_EQ(0, mprotect(p + hole, PAGE, PROT_READ | PROT_WRITE));
	}
	EXPECT_TRUE(same_stat(&before, q));
	EXPECT_EQ(size, wr(q, p, size));
}

TEST_F(abi, a_large_body_with_a_hole_is_not_sent)
{
	int q = create("q", BOTH, NULL);
	size_t size = 100000, hole;
	struct kmq_stat_args before = stat_fd(q);
	char *p = mmap(NULL, size, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	for (hole = 0; hole < size; hole += PAGE) {
		ASSERT_EQ(0, mprotect(p + hole, PAGE, PROT_NONE));
		EXPECT_EQ(-EFAULT, wr(q, p, size));
		ASSERT_EQ(0, mprotect(p + hole, PAGE, PROT_READ | PROT_WRITE));
	}
	EXPECT_TRUE(same_stat(&before, q));
	EXPECT_EQ(0, get_limits(KMQ_SCOPE_DOMAIN, 0).r[KMQ_R_BYTES].used >>
		  18);
}

/* ---- receiving ---------------------------------------------------------- */

TEST_F(abi, a_message_that_cannot_be_delivered_stays)
{
	int q = create("q", BOTH, NULL);
	struct kmq_stat_args before;
	char *bad = nowhere(), *ro = border(PROT_READ);
	struct iovec iov[2] = { { bad - 2, 2 }, { bad, 8 } };

	ASSERT_EQ(0, put(q, "hello"));
	ASSERT_EQ(0, put(q, "second"));
	before = stat_fd(q);
	EXPECT_EQ(-EFAULT, rd(q, bad, 10));
	EXPECT_EQ(-EFAULT, rd(q, bad - 4, 10));
	EXPECT_EQ(-EFAULT, rd(q, ro, 10));
	EXPECT_EQ(-EFAULT, result(readv(q, iov, 2)));
	EXPECT_TRUE(same_stat(&before, q));
	/* room that is not needed is not touched */
	EXPECT_EQ(5, rd(q, bad - 5, 10));
	EXPECT_EQ(0, memcmp(bad - 5, "hello", 5));
	EXPECT_TRUE(get(q, "second"));
}

TEST_F(abi, records_that_arrived_whole_count_the_others_stay)
{
	int q = create("q", BOTH | RECORDS, NULL), i;
	struct batch b = BATCH(1024);
	char *bad = nowhere(), *at;
	size_t readable;

	for (readable = 0; readable < 8 * 72; readable += 4) {
		int whole = readable / 72;
		struct kmq_stat_args st;
		struct kmq_xfer_args x;

		b.len = 0;
		for (i = 0; i < 8; i++)
			add(&b, "body")->cookie = i;
		ASSERT_EQ(b.len, wr(q, b.buf, b.len));
		at = bad - readable;
		x = xfer_args();
		x.recv = ptr(at);
		x.recv_len = 8 * 72;
		ASSERT_EQ(whole ? 0 : -EFAULT, xfer(q, &x));
		EXPECT_EQ(whole, x.received);
		EXPECT_EQ(whole * 72, x.received_bytes);
		EXPECT_EQ(-EFAULT, x.recv_err);
		st = stat_fd(q);
		ASSERT_EQ(8 - whole, st.ready);
		EXPECT_EQ(st.sent, st.received + st.ready);
		EXPECT_EQ((8 - whole) * 72, st.bytes);
		/* what is left comes in order */
		x = xfer_recv(b.buf, b.max);
		ASSERT_EQ(0, xfer(q, &x));
		ASSERT_EQ(8 - whole, x.received);
		for (i = 0; i < 8 - whole; i++)
			EXPECT_EQ(whole + i, ((struct kmq_record *)
					      (b.buf + i * 72))->cookie);
	}
	EXPECT_EQ(0, stat_fd(q).memory);
}

TEST_F(abi, a_large_batch_into_a_hole_loses_nothing)
{
	int q = create("q", BOTH | RECORDS, NULL), i, n, next = 0;
	size_t size = 1000 * 72, got;
	struct batch b = { .max = size, .buf = malloc(size) };
	char *p = mmap(NULL, size, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ssize_t ret;

	for (i = 0; i < 1000; i++)
		add(&b, "body")->cookie = i;
	ASSERT_EQ(size, wr(q, b.buf, size));
	ASSERT_EQ(0, mprotect(p + 5 * PAGE, PAGE, PROT_NONE));
	while (next < 1000) {
		ret = rd(q, p, size);
		ASSERT_LT(0, ret);
		got = ret;
		EXPECT_GE(5 * PAGE, got);
		n = got / 72;
		for (i = 0; i < n; i++, next++)
			ASSERT_EQ(next, ((struct kmq_record *)
					 (p + i * 72))->cookie);
		ASSERT_EQ(1000 - next, stat_fd(q).ready);
	}
	EXPECT_EQ(1000, stat_fd(q).received);
}

TEST_F(abi, a_fault_of_one_receiver_serves_the_one_who_waits)
{
	int q = create("q", BOTH, NULL);
	struct bg bad, good;
	char buf[8];

	bg_start(&bad, BG_READ, q, nowhere(), 8);
	ASSERT_TRUE(waiting(q, 0, 1));
	bg_start(&good, BG_READ, q, buf, 8);
	ASSERT_TRUE(waiting(q, 0, 2));
	ASSERT_EQ(0, put(q, "hello"));
	EXPECT_EQ(-EFAULT, bg_end(&bad));
	EXPECT_EQ(5, bg_end(&good));
	EXPECT_EQ(0, memcmp(buf, "hello", 5));
	EXPECT_EQ(1, stat_fd(q).received);
}

/* ---- memory that stalls ------------------------------------------------- */

TEST_F(abi, a_stalled_receive_does_not_hold_up_others)
{
	int q = create("q", BOTH, NULL);
	struct stall s;
	struct bg bg;

	if (!stall_make(&s, BY_USERFAULTFD))
		SKIP(return, "no userfaultfd: %s", strerror(errno));
	ASSERT_EQ(0, put(q, "first"));
	ASSERT_EQ(0, put(q, "second"));
	bg_start(&bg, BG_READ, q, s.page, 64);
	ASSERT_TRUE(stalled(&s));
	EXPECT_EQ(1, stat_fd(q).ready);
	EXPECT_TRUE(get(q, "second"));
	EXPECT_EQ(0, put(q, "third"));
	EXPECT_TRUE(get(q, "third"));
	EXPECT_FALSE(bg_done(&bg));
	ASSERT_TRUE(stall_end(&s, "", 0));
	EXPECT_EQ(5, bg_end(&bg));
	EXPECT_EQ(0, memcmp(s.page, "first", 5));
}

TEST_F(abi, a_stalled_receive_that_fails_gives_it_back_in_its_place)
{
	int q = create("q", BOTH, NULL);
	struct stall s;
	struct bg bg;

	if (!stall_make(&s, BY_USERFAULTFD))
		SKIP(return, "no userfaultfd: %s", strerror(errno));
	ASSERT_EQ(0, put(q, "first"));
	ASSERT_EQ(0, put(q, "second"));
	bg_start(&bg, BG_READ, q, s.page, 64);
	ASSERT_TRUE(stalled(&s));
	ASSERT_TRUE(stall_fail(&s));
	EXPECT_EQ(-EFAULT, bg_end(&bg));
	EXPECT_TRUE(get(q, "first"));
	EXPECT_TRUE(get(q, "second"));
	EXPECT_EQ(2, stat_fd(q).received);
}

TEST_F(abi, what_comes_back_may_exceed_the_bounds)
{
	int q = create_bounded("q", BOTH | NONBLOCK, 1);
	struct stall s;
	struct bg bg;

	if (!stall_make(&s, BY_USERFAULTFD))
		SKIP(return, "no userfaultfd: %s", strerror(errno));
	ASSERT_EQ(0, put(q, "first"));
	bg_start(&bg, BG_READ, q, s.page, 64);
	ASSERT_TRUE(stalled(&s));
	ASSERT_EQ(0, put(q, "second"));
	ASSERT_TRUE(stall_fail(&s));
	EXPECT_EQ(-EFAULT, bg_end(&bg));
	EXPECT_EQ(2, stat_fd(q).ready);
	EXPECT_EQ(-EAGAIN, put(q, "third"));
	EXPECT_TRUE(get(q, "first"));
	EXPECT_TRUE(get(q, "second"));
}

TEST_F(abi, a_stalled_receive_does_not_escape_the_quota)
{
	int q = create("q", BOTH, NULL);
	struct stall s;
	char big[4000] = "";
	__u64 used;
	struct bg bg;

	if (!stall_make(&s, BY_USERFAULTFD))
		SKIP(return, "no userfaultfd: %s", strerror(errno));
	ASSERT_EQ(sizeof(big), wr(q, big, sizeof(big)));
	used = get_limits(KMQ_SCOPE_DOMAIN, 0).r[KMQ_R_BYTES].used;
	bg_start(&bg, BG_READ, q, s.page, PAGE);
	ASSERT_TRUE(stalled(&s));
	EXPECT_EQ(0, stat_fd(q).ready);
	EXPECT_EQ(used, get_limits(KMQ_SCOPE_DOMAIN, 0).r[KMQ_R_BYTES].used);
	ASSERT_TRUE(stall_end(&s, "", 0));
	EXPECT_EQ(sizeof(big), bg_end(&bg));
}

TEST_F(abi, a_stalled_send_does_not_hold_up_others)
{
	int q = create("q", BOTH, NULL);
	struct stall s;
	struct bg bg;

	if (!stall_make(&s, BY_USERFAULTFD))
		SKIP(return, "no userfaultfd: %s", strerror(errno));
	bg_start(&bg, BG_WRITE, q, s.page, 4);
	ASSERT_TRUE(stalled(&s));
	EXPECT_EQ(0, put(q, "other"));
	EXPECT_TRUE(get(q, "other"));
	EXPECT_EQ(0, stat_fd(q).ready);
	ASSERT_TRUE(stall_end(&s, "late", 4));
	EXPECT_EQ(4, bg_end(&bg));
	EXPECT_TRUE(get(q, "late"));
}

TEST_F(abi, a_stalled_send_to_what_was_deleted_meanwhile)
{
	int q = create("q", BOTH, NULL);
	struct stall s;
	struct bg bg;

	if (!stall_make(&s, BY_USERFAULTFD))
		SKIP(return, "no userfaultfd: %s", strerror(errno));
	bg_start(&bg, BG_WRITE, q, s.page, 4);
	ASSERT_TRUE(stalled(&s));
	ASSERT_EQ(0, delete("q", 0));
	ASSERT_TRUE(stall_end(&s, "late", 4));
	EXPECT_EQ(-EIDRM, bg_end(&bg));
}

TEST_F(abi, a_stalled_receive_from_what_was_deleted_meanwhile)
{
	int q = create("q", BOTH, NULL);
	struct stall s;
	struct bg bg;

	if (!stall_make(&s, BY_USERFAULTFD))
		SKIP(return, "no userfaultfd: %s", strerror(errno));
	ASSERT_EQ(0, put(q, "first"));
	bg_start(&bg, BG_READ, q, s.page, 64);
	ASSERT_TRUE(stalled(&s));
	ASSERT_EQ(0, delete("q", 0));
	/* it was taken before */
	ASSERT_TRUE(stall_end(&s, "", 0));
	EXPECT_EQ(5, bg_end(&bg));
	EXPECT_TRUE(WAIT_FOR(get_limits(KMQ_SCOPE_DOMAIN, 0)
			     .r[KMQ_R_BYTES].used <= 128 << 10));
}

/* ---- memory that changes ------------------------------------------------ */

struct changer {
	struct kmq_record *rec;
	int stop;
};

/* Flips fields of a record between right and wrong. */
static void *keep_changing(void *arg)
{
	struct changer *c = arg;
	volatile struct kmq_record *rec = c->rec;
	unsigned int i;

	for (i = 0; !__atomic_load_n(&c->stop, __ATOMIC_RELAXED); i++) {
		switch (i % 6) {
		case 0:
			rec->size = 1 << 30;
			break;
		case 1:
			rec->body_len = ~0u;
			break;
		case 2:
			rec->attr_len = 0xfff8;
			break;
		case 3:
			rec->size = 72;
			break;
		case 4:
			rec->body_len = 8;
			break;
		case 5:
			rec->attr_len = 0;
			break;
		}
	}
	return NULL;
}

/* Whatever got through is well formed, and only whole batches did. */
static void change_during_sends(struct __test_metadata *_metadata,
				size_t before, size_t body)
{
	int q = create("q", BOTH | RECORDS, NULL);
	size_t size = before * 72 + 72 + record_size(0, body);
	struct batch b = { .max = size, .buf = malloc(size) };
	uint64_t end = now() + NSEC;
	char *big = calloc(1, body), *in = malloc(1 << 20);
	struct changer c = { };
	pthread_t thread;
	int tries = 0;
	ssize_t ret;
	size_t i;

	for (i = 0; i < before; i++)
		add(&b, "12345678");
	c.rec = add(&b, "12345678");
	add_full(&b, NULL, 0, big, body);
	ASSERT_EQ(0, pthread_create(&thread, NULL, keep_changing, &c));
	while (now() < end || tries < 10) {
		struct kmq_record *rec = (void *)in;

		tries++;
		ret = wr(q, b.buf, b.len);
		if (ret < 0) {
			EXPECT_TRUE(ret == -EINVAL || ret == -EMSGSIZE);
			EXPECT_EQ(0, stat_fd(q).ready);
			continue;
		}
		EXPECT_EQ(b.len, ret);
		ret = rd(q, in, 1 << 20);
		EXPECT_EQ(b.len, ret);
		for (i = 0; i <= before; i++) {
			ASSERT_EQ(72, rec->size);
			ASSERT_EQ(8, rec->body_len);
			ASSERT_EQ(0, rec->attr_len);
			rec = next_record(rec);
		}
		EXPECT_EQ(body, rec->body_len);
	}
	__atomic_store_n(&c.stop, 1, __ATOMIC_RELAXED);
	pthread_join(thread, NULL);
}

TEST_F(abi, records_that_change_during_a_send)
{
	change_during_sends(_metadata, 3, 8);
}

TEST_F(abi, records_that_change_at_the_border_of_a_chunk)
{
	/* the changing one is fetched with one chunk and again with the next */
	change_during_sends(_metadata, 227, 40000);
}

TEST_HARNESS_MAIN
