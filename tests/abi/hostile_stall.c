// SPDX-License-Identifier: GPL-2.0-only
/* Calls whose memory does not come, by userfaultfd and by FUSE */
#include "kmq-stall.h"

#define COUNT		300	/* records of a batch that takes two chunks */
#define BYTES		(COUNT * 72ul)
#define FETCHED		20000ul	/* of them before it stalls */

FIXTURE(stall)
{
	struct _test_data_abi abi;
	int q;
};

FIXTURE_VARIANT(stall)
{
	enum stall_kind kind;
};

FIXTURE_VARIANT_ADD(stall, userfaultfd)
{
	.kind = BY_USERFAULTFD,
};

FIXTURE_VARIANT_ADD(stall, fuse)
{
	.kind = BY_FUSE,
};

FIXTURE_SETUP(stall)
{
	abi_setup(_metadata, &self->abi, NULL);
	self->q = create("q", BOTH, NULL);
	ASSERT_LE(0, self->q);
}

FIXTURE_TEARDOWN(stall)
{
	abi_teardown(_metadata, &self->abi, NULL);
}

static __u64 used(__u32 scope, unsigned int res)
{
	return get_limits(scope, 0).r[res].used;
}

static struct batch numbered(unsigned int n)
{
	struct batch b = { .max = n * 72ul, .buf = calloc(n, 72) };
	unsigned int i;

	for (i = 0; i < n; i++)
		add(&b, "numbered")->cookie = i;
	return b;
}

/* The records in a buffer are numbered so, and follow each other. */
static bool are_numbered(const void *buf, unsigned int first, unsigned int n)
{
	const struct kmq_record *rec = buf;
	__u64 seq = rec->seq;
	unsigned int i;

	for (i = 0; i < n; i++, rec++, rec = (void *)((char *)rec + 8))
		if (rec->size != 72 || rec->cookie != first + i ||
		    rec->seq != seq + i || !body_is(rec, "numbered"))
			return false;
	return true;
}

static bool rest_is(int q, unsigned int first, unsigned int n)
{
	char *buf = malloc(BYTES);
	struct kmq_xfer_args x = xfer_recv(buf, BYTES);
	bool ok = !xfer(q, &x) && x.received == n &&
		are_numbered(buf, first, n);

	free(buf);
	return ok;
}

/*
 * What others do with an empty queue and beside it, each call in the time that
 * the harness gives the test.
 */
static bool others_go_on(int q)
{
	struct kmq_attrs at = ATTRS(.mask = KMQ_A_MAX_MESSAGES,
				    .max_messages = 5000);
	struct kmq_object_row rows[4];
	struct kmq_list_args list = {
		.size = sizeof(list), .what = KMQ_LIST_OBJECTS,
		.row_size = sizeof(rows[0]), .rows = ptr(rows), .count = 4,
	};
	int other = open_queue("q", BOTH), fresh = create("fresh", BOTH, NULL);
	struct pollfd p = { .fd = q, .events = POLLIN | POLLOUT };
	bool ok = other >= 0 && fresh >= 0;
	struct kmq_stat_args st;
	struct bg bg;
	char c;

	ok &= !put(other, "other") && get(q, "other");
	/* a receive that waits, and is served */
	bg_start(&bg, BG_READ, other, &c, 1);
	ok &= waiting(q, 0, 1) && !put(q, "x") && bg_end(&bg) == 1;
	ok &= poll(&p, 1, 0) == 1 && p.revents == POLLOUT;
	ok &= !alter("q", &at, NULL) && !stat_name("q", &st);
	ok &= !request(ctl, KMQ_IOC_LIST, &list) && list.count >= 2;
	ok &= !delete("fresh", 0);
	close(fresh);
	close(other);
	return ok;
}

/* ---- sending ------------------------------------------------------------ */

/* An XFER that has fetched a part of its batch. */
static bool stall_send(struct stall *s, struct bg *bg, struct kmq_xfer_args *x,
		       int q, const struct batch *b)
{
	*x = xfer_send(b);
	memcpy(s->page - FETCHED, b->buf, FETCHED);
	x->send = ptr(s->page - FETCHED);
	bg_start(bg, BG_XFER, q, x, 0);
	return stalled(s);
}

static bool end_send(struct stall *s, const struct batch *b)
{
	return stall_end(s, b->buf + FETCHED, BYTES - FETCHED);
}

TEST_F(stall, a_batch_half_fetched_holds_up_nobody)
{
	struct batch b = numbered(COUNT);
	struct kmq_xfer_args x;
	struct stall s;
	struct bg bg;

	if (!stall_make(&s, variant->kind))
		SKIP(return, "cannot: %s", strerror(errno));
	ASSERT_TRUE(stall_send(&s, &bg, &x, self->q, &b));
	EXPECT_TRUE(others_go_on(self->q));
	EXPECT_EQ(0, stat_fd(self->q).ready);
	EXPECT_FALSE(bg_done(&bg));
	ASSERT_TRUE(end_send(&s, &b));
	EXPECT_EQ(0, bg_end(&bg));
	EXPECT_EQ(COUNT, x.sent);
	EXPECT_TRUE(rest_is(self->q, 0, COUNT));
}

TEST_F(stall, a_batch_that_never_comes_costs_nothing)
{
	struct batch b = numbered(COUNT);
	struct kmq_xfer_args x;
	struct stall s;
	struct bg bg;

	if (!stall_make(&s, variant->kind))
		SKIP(return, "cannot: %s", strerror(errno));
	ASSERT_TRUE(stall_send(&s, &bg, &x, self->q, &b));
	/* what was fetched is paid for */
	EXPECT_LE(16384, used(KMQ_SCOPE_DOMAIN, KMQ_R_BYTES));
	ASSERT_TRUE(stall_fail(&s));
	EXPECT_EQ(-EFAULT, bg_end(&bg));
	EXPECT_EQ(0, x.sent);
	EXPECT_EQ(0, stat_fd(self->q).sent);
	close(self->q);
	EXPECT_EQ(0, used(KMQ_SCOPE_DOMAIN, KMQ_R_BYTES));
}

TEST_F(stall, a_large_body_is_paid_for_before_it_is_fetched)
{
	struct batch b = BATCH(BEFORE + PAGE);
	char *big = calloc(1, BEFORE + PAGE);
	struct kmq_xfer_args x;
	struct stall s;
	struct bg bg;
	int i;

	for (i = 0; i < 2; i++) {
		if (!stall_make(&s, variant->kind))
			SKIP(return, "cannot: %s", strerror(errno));
		if (i) {
			add_full(&b, NULL, 0, big, BEFORE);
			memcpy(s.page - BEFORE, b.buf, BEFORE);
			x = xfer_send(&b);
			x.send = ptr(s.page - BEFORE);
			bg_start(&bg, BG_XFER, self->q, &x, 0);
		} else {
			bg_start(&bg, BG_WRITE, self->q, s.page - BEFORE,
				 BEFORE + 100);
		}
		ASSERT_TRUE(stalled(&s));
		/* or as many as there are threads could have one each */
		EXPECT_LE(BEFORE, used(KMQ_SCOPE_DOMAIN, KMQ_R_BYTES));
		ASSERT_TRUE(stall_fail(&s));
		EXPECT_EQ(-EFAULT, bg_end(&bg));
		close(self->q);
		EXPECT_EQ(0, used(KMQ_SCOPE_DOMAIN, KMQ_R_BYTES));
		self->q = open_queue("q", BOTH);
	}
}

enum event { SEAL, PURGE, DELETE, UNLINK, RESET, SHUTDOWN, EVENTS };

static int happen(enum event event, int q)
{
	switch (event) {
	case SEAL:
		return admin("q", KMQ_ADMIN_SEAL, NULL);
	case PURGE:
		return admin("q", KMQ_ADMIN_PURGE, NULL);
	case DELETE:
		return delete("q", 0);
	case UNLINK:
		return delete("q", KMQ_DELETE_UNLINK);
	case RESET:
		return admin(NULL, KMQ_ADMIN_RESET, NULL);
	case SHUTDOWN:
		return shut(q, BOTH);
	default:
		return -1;
	}
}

TEST_F(stall, what_happens_meanwhile_counts_for_the_send)
{
	static const int want[EVENTS] = {
		[SEAL] = -EPIPE, [PURGE] = 0, [DELETE] = -EIDRM, [UNLINK] = 0,
		[RESET] = -EIDRM, [SHUTDOWN] = -ECANCELED,
	};
	struct batch b = numbered(COUNT);
	struct kmq_xfer_args x;
	enum event event;
	struct stall s;
	struct bg bg;

	for (event = 0; event < EVENTS; event++) {
		int q = event ? create("q", BOTH, NULL) : self->q;

		if (!stall_make(&s, variant->kind))
			SKIP(return, "cannot: %s", strerror(errno));
		ASSERT_TRUE(stall_send(&s, &bg, &x, q, &b));
		EXPECT_EQ(0, happen(event, q));
		EXPECT_FALSE(bg_done(&bg));
		ASSERT_TRUE(end_send(&s, &b));
		EXPECT_EQ(want[event], bg_end(&bg))
			TH_LOG("event %d", event);
		EXPECT_EQ(want[event] ? 0 : COUNT, stat_fd(q).sent);
		delete("q", 0);
		close(q);
	}
	EXPECT_EQ(0, used(KMQ_SCOPE_DOMAIN, KMQ_R_BYTES));
}

/* ---- receiving ---------------------------------------------------------- */

#define HALF	50

/* An XFER that has delivered HALF of 2 * HALF records. */
static bool stall_receive(struct stall *s, struct bg *bg,
			  struct kmq_xfer_args *x, int q)
{
	struct batch b = numbered(2 * HALF);
	struct kmq_xfer_args all = xfer_send(&b);

	if (xfer(q, &all) || all.sent != 2 * HALF)
		return false;
	*x = xfer_args();
	x->recv = ptr(s->page - HALF * 72);
	x->recv_len = 2 * HALF * 72;
	bg_start(bg, BG_XFER, q, x, 0);
	free(b.buf);
	return stalled(s);
}

TEST_F(stall, a_batch_half_delivered_holds_up_nobody)
{
	struct kmq_xfer_args x;
	struct stall s;
	struct bg bg;

	if (!stall_make(&s, variant->kind))
		SKIP(return, "cannot: %s", strerror(errno));
	ASSERT_TRUE(stall_receive(&s, &bg, &x, self->q));
	EXPECT_EQ(0, stat_fd(self->q).ready);
	EXPECT_TRUE(others_go_on(self->q));
	EXPECT_FALSE(bg_done(&bg));
	ASSERT_TRUE(stall_end(&s, NULL, 0));
	EXPECT_EQ(0, bg_end(&bg));
	EXPECT_EQ(2 * HALF, x.received);
	EXPECT_TRUE(are_numbered(s.page - HALF * 72, 0, 2 * HALF));
	EXPECT_EQ(0, stat_fd(self->q).ready);
}

TEST_F(stall, a_batch_half_delivered_goes_back_by_half)
{
	struct kmq_stat_args st;
	struct kmq_xfer_args x;
	struct stall s;
	struct bg bg;

	if (!stall_make(&s, variant->kind))
		SKIP(return, "cannot: %s", strerror(errno));
	ASSERT_TRUE(stall_receive(&s, &bg, &x, self->q));
	EXPECT_TRUE(others_go_on(self->q));
	ASSERT_TRUE(stall_fail(&s));
	EXPECT_EQ(0, bg_end(&bg));
	EXPECT_EQ(HALF, x.received);
	EXPECT_EQ(-EFAULT, x.recv_err);
	EXPECT_TRUE(are_numbered(s.page - HALF * 72, 0, HALF));
	st = stat_fd(self->q);
	EXPECT_EQ(HALF, st.ready);
	EXPECT_EQ(st.sent, st.received + st.ready);
	EXPECT_TRUE(rest_is(self->q, HALF, HALF));
}

TEST_F(stall, what_was_taken_belongs_to_the_receiver)
{
	struct kmq_xfer_args x;
	enum event event;
	struct stall s;
	struct bg bg;

	for (event = 0; event < EVENTS; event++) {
		int q = event ? create("q", BOTH, NULL) : self->q;

		if (!stall_make(&s, variant->kind))
			SKIP(return, "cannot: %s", strerror(errno));
		ASSERT_TRUE(stall_receive(&s, &bg, &x, q));
		EXPECT_EQ(0, happen(event, q));
		ASSERT_TRUE(stall_end(&s, NULL, 0));
		EXPECT_EQ(0, bg_end(&bg))
			TH_LOG("event %d", event);
		EXPECT_EQ(2 * HALF, x.received);
		EXPECT_TRUE(are_numbered(s.page - HALF * 72, 0, 2 * HALF));
		delete("q", 0);
		close(q);
	}
	EXPECT_EQ(0, used(KMQ_SCOPE_DOMAIN, KMQ_R_BYTES));
}

TEST_F(stall, what_goes_back_goes_where_the_queue_went)
{
	struct kmq_xfer_args x;
	struct kmq_stat_args st;
	enum event event;
	struct stall s;
	struct bg bg;

	for (event = 0; event < EVENTS; event++) {
		int q = event ? create("q", BOTH, NULL) : self->q;
		bool gone = event == DELETE || event == RESET;

		if (!stall_make(&s, variant->kind))
			SKIP(return, "cannot: %s", strerror(errno));
		ASSERT_TRUE(stall_receive(&s, &bg, &x, q));
		EXPECT_EQ(0, happen(event, q));
		ASSERT_TRUE(stall_fail(&s));
		EXPECT_EQ(0, bg_end(&bg))
			TH_LOG("event %d", event);
		EXPECT_EQ(HALF, x.received);
		st = stat_fd(q);
		EXPECT_EQ(gone ? 0 : HALF, st.ready)
			TH_LOG("event %d", event);
		EXPECT_EQ(gone ? HALF : 0, st.dropped_purged);
		EXPECT_EQ(st.sent, st.received + st.ready + st.dropped_purged);
		if (event == SEAL || event == PURGE || event == UNLINK)
			EXPECT_TRUE(rest_is(q, HALF, HALF));
		delete("q", 0);
		close(q);
	}
	EXPECT_TRUE(WAIT_FOR(!used(KMQ_SCOPE_DOMAIN, KMQ_R_BYTES)));
}

TEST_F(stall, a_handle_closed_meanwhile_lives_until_the_call_is_over)
{
	struct kmq_xfer_args x;
	struct stall s;
	struct bg bg;

	if (!stall_make(&s, variant->kind))
		SKIP(return, "cannot: %s", strerror(errno));
	ASSERT_TRUE(stall_receive(&s, &bg, &x, self->q));
	ASSERT_EQ(0, delete("q", KMQ_DELETE_UNLINK));
	ASSERT_EQ(0, close(self->q));
	EXPECT_EQ(1, used(KMQ_SCOPE_DOMAIN, KMQ_R_HANDLES));
	EXPECT_EQ(1, used(KMQ_SCOPE_DOMAIN, KMQ_R_OBJECTS));
	ASSERT_TRUE(stall_fail(&s));
	EXPECT_EQ(0, bg_end(&bg));
	EXPECT_TRUE(WAIT_FOR(!used(KMQ_SCOPE_DOMAIN, KMQ_R_OBJECTS)));
	EXPECT_EQ(0, used(KMQ_SCOPE_DOMAIN, KMQ_R_HANDLES));
	EXPECT_EQ(0, used(KMQ_SCOPE_DOMAIN, KMQ_R_BYTES));
}

TEST_F(stall, two_that_stall_do_not_wait_for_each_other)
{
	struct batch b = numbered(COUNT);
	struct kmq_xfer_args in, out;
	struct stall s[2];
	struct bg bg[2];

	if (!stall_make(&s[0], variant->kind))
		SKIP(return, "cannot: %s", strerror(errno));
	if (!stall_make(&s[1], variant->kind))
		SKIP(return, "cannot: %s", strerror(errno));
	ASSERT_TRUE(stall_receive(&s[0], &bg[0], &in, self->q));
	ASSERT_TRUE(stall_send(&s[1], &bg[1], &out, self->q, &b));
	ASSERT_TRUE(end_send(&s[1], &b));
	EXPECT_EQ(0, bg_end(&bg[1]));
	EXPECT_TRUE(rest_is(self->q, 0, COUNT));
	EXPECT_FALSE(bg_done(&bg[0]));
	ASSERT_TRUE(stall_end(&s[0], NULL, 0));
	EXPECT_EQ(0, bg_end(&bg[0]));
}

TEST_F(stall, a_namespace_ends_all_the_same)
{
	int own = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC), mine = ctl;
	__u64 objects = used(KMQ_SCOPE_MODULE, KMQ_R_OBJECTS);
	struct batch b = numbered(COUNT);
	struct kmq_xfer_args in, out;
	struct stall s[2];
	struct bg bg[2];
	int q;

	if (!stall_make(&s[0], variant->kind))
		SKIP(return, "cannot: %s", strerror(errno));
	if (!stall_make(&s[1], variant->kind))
		SKIP(return, "cannot: %s", strerror(errno));
	ASSERT_EQ(0, unshare(CLONE_NEWNET));
	ctl = open(KMQ_DEVICE, O_RDWR | O_CLOEXEC);
	q = create("q", BOTH, NULL);
	ASSERT_LE(0, q);
	ASSERT_EQ(0, setns(own, CLONE_NEWNET));
	close(ctl);
	ctl = mine;
	ASSERT_TRUE(stall_receive(&s[0], &bg[0], &in, q));
	ASSERT_TRUE(stall_send(&s[1], &bg[1], &out, q, &b));
	/* the threads were started in this namespace: that one has ended */
	EXPECT_TRUE(WAIT_FOR(put(q, "x") == -EIDRM));
	ASSERT_TRUE(end_send(&s[1], &b));
	EXPECT_EQ(-EIDRM, bg_end(&bg[1]));
	ASSERT_TRUE(stall_fail(&s[0]));
	EXPECT_EQ(0, bg_end(&bg[0]));
	EXPECT_EQ(HALF, in.received);
	close(q);
	EXPECT_TRUE(WAIT_FOR(used(KMQ_SCOPE_MODULE, KMQ_R_OBJECTS) <=
			     objects));
}

/* ---- requests ----------------------------------------------------------- */

union request_args {
	__u32 size;
	struct kmq_info_args info;
	struct kmq_open_args open;
	struct kmq_alter_args alter;
	struct kmq_delete_args del;
	struct kmq_stat_args stat;
	struct kmq_list_args list;
	struct kmq_limits_args limits;
	struct kmq_admin_args admin;
};

#define NAMED(what, ...)						\
	.args.what = { .size = sizeof(struct kmq_##what##_args),	\
		       .name_len = 1, __VA_ARGS__ }

/* What each takes from elsewhere in memory, and what becomes of it. */
static struct request {
	const char *what;
	unsigned long nr;
	size_t name, attrs, rows;	/* offsets of addresses */
	int without;			/* result when "q" was deleted first */
	union request_args args;
} requests[] = {
	{ "INFO", KMQ_IOC_INFO,
	  .args.info = { .size = sizeof(struct kmq_info_args) } },
	{ "OPEN", KMQ_IOC_OPEN, offsetof(struct kmq_open_args, name),
	  offsetof(struct kmq_open_args, attrs), .without = -ENOENT,
	  NAMED(open, .flags = BOTH) },
	{ "ALTER", KMQ_IOC_ALTER, offsetof(struct kmq_alter_args, name),
	  offsetof(struct kmq_alter_args, attrs), .without = -ENOENT,
	  NAMED(alter) },
	{ "STAT", KMQ_IOC_STAT, offsetof(struct kmq_stat_args, name),
	  offsetof(struct kmq_stat_args, attrs), .without = -ENOENT,
	  NAMED(stat) },
	{ "LIST", KMQ_IOC_LIST, offsetof(struct kmq_list_args, name), 0,
	  offsetof(struct kmq_list_args, rows), -ENOENT,
	  NAMED(list, .what = KMQ_LIST_HANDLES, .row_size = 368,
		.count = 9) },
	{ "LIMITS", KMQ_IOC_LIMITS,
	  .args.limits = { .size = sizeof(struct kmq_limits_args) } },
	{ "ADMIN", KMQ_IOC_ADMIN, offsetof(struct kmq_admin_args, name),
	  .without = -ENOENT,
	  .args.admin = { .size = sizeof(struct kmq_admin_args),
			  .name_len = 1, .op = KMQ_ADMIN_PURGE } },
	{ "DELETE", KMQ_IOC_DELETE, offsetof(struct kmq_delete_args, name),
	  .without = -ENOENT,
	  .args.del = { .size = sizeof(struct kmq_delete_args),
			.name_len = 1 } },
};

static struct kmq_attrs some_attrs;

static void set_ptr(union request_args *a, size_t off, const void *p)
{
	__u64 value = ptr(p);

	if (off)
		memcpy((char *)a + off, &value, sizeof(value));
}

static union request_args valid(const struct request *r)
{
	static char rows[9 * 368];
	union request_args a = r->args;

	some_attrs = ATTRS(.mask = KMQ_A_MODE, .mode = 0640);
	set_ptr(&a, r->name, "q");
	set_ptr(&a, r->attrs, &some_attrs);
	set_ptr(&a, r->rows, rows);
	return a;
}

TEST_F(stall, requests_whose_arguments_stall_hold_up_nobody)
{
	union request_args a;
	struct stall s;
	struct bg bg;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(requests); i++) {
		if (!stall_make(&s, variant->kind))
			SKIP(return, "cannot: %s", strerror(errno));
		bg_start(&bg, BG_REQUEST, ctl, s.page, requests[i].nr);
		ASSERT_TRUE(stalled(&s));
		EXPECT_TRUE(others_go_on(self->q))
			TH_LOG("%s", requests[i].what);
		EXPECT_FALSE(bg_done(&bg));
		a = valid(&requests[i]);
		ASSERT_TRUE(stall_end(&s, &a, sizeof(a)));
		EXPECT_LE(0, bg_end(&bg))
			TH_LOG("%s", requests[i].what);
	}
}

TEST_F(stall, requests_that_stall_on_a_name_find_what_is_there_then)
{
	union request_args a;
	struct stall s;
	struct bg bg;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(requests); i++) {
		if (!requests[i].name)
			continue;
		if (!stall_make(&s, variant->kind))
			SKIP(return, "cannot: %s", strerror(errno));
		a = valid(&requests[i]);
		set_ptr(&a, requests[i].name, s.page);
		bg_start(&bg, BG_REQUEST, ctl, &a, requests[i].nr);
		ASSERT_TRUE(stalled(&s));
		EXPECT_TRUE(others_go_on(self->q))
			TH_LOG("%s", requests[i].what);
		ASSERT_EQ(0, delete("q", 0));
		ASSERT_TRUE(stall_end(&s, "q", 1));
		EXPECT_EQ(requests[i].without, bg_end(&bg))
			TH_LOG("%s", requests[i].what);
		close(self->q);
		self->q = create("q", BOTH, NULL);
	}
}

TEST_F(stall, requests_that_stall_on_attributes_or_rows_hold_up_nobody)
{
	union request_args a;
	struct stall s;
	struct bg bg;
	size_t i;
	int ret;

	for (i = 0; i < ARRAY_SIZE(requests); i++) {
		if (!requests[i].attrs && !requests[i].rows)
			continue;
		if (!stall_make(&s, variant->kind))
			SKIP(return, "cannot: %s", strerror(errno));
		a = valid(&requests[i]);
		if (requests[i].rows)
			set_ptr(&a, requests[i].rows, s.page);
		else
			set_ptr(&a, requests[i].attrs, s.page);
		bg_start(&bg, BG_REQUEST, ctl, &a, requests[i].nr);
		ASSERT_TRUE(stalled(&s));
		EXPECT_TRUE(others_go_on(self->q))
			TH_LOG("%s", requests[i].what);
		ASSERT_EQ(0, delete("q", 0));
		ASSERT_TRUE(stall_end(&s, &some_attrs, sizeof(some_attrs)));
		ret = bg_end(&bg);
		/* STAT and LIST had found it */
		EXPECT_EQ(requests[i].nr == KMQ_IOC_OPEN ||
			  requests[i].nr == KMQ_IOC_ALTER ? -ENOENT : 0, ret)
			TH_LOG("%s", requests[i].what);
		close(self->q);
		self->q = create("q", BOTH, NULL);
	}
}

TEST_F(stall, an_xfer_that_cannot_answer_yet_has_done_nothing)
{
	struct batch b = BATCH(128);
	struct kmq_xfer_args x;
	char buf[256];
	struct stall s;
	struct bg bg;

	if (!stall_make(&s, variant->kind))
		SKIP(return, "cannot: %s", strerror(errno));
	add(&b, "sent");
	x = xfer_recv(buf, sizeof(buf));
	x.send = ptr(b.buf);
	x.send_len = b.len;
	/* the parameters are there, the results will stall */
	memcpy(s.page - 72, &x, 72);
	ASSERT_EQ(0, put(self->q, "first"));
	bg_start(&bg, BG_XFER, self->q, s.page - 72, 0);
	ASSERT_TRUE(stalled(&s));
	EXPECT_EQ(1, stat_fd(self->q).ready);
	EXPECT_TRUE(get(self->q, "first"));
	EXPECT_TRUE(others_go_on(self->q));
	ASSERT_TRUE(stall_end(&s, NULL, 0));
	EXPECT_EQ(0, bg_end(&bg));
	memcpy(&x, s.page - 72, sizeof(x));
	EXPECT_EQ(1, x.sent);
	EXPECT_EQ(1, x.received);
	EXPECT_TRUE(body_is((void *)buf, "sent"));
}

TEST_F(abi, a_receiver_killed_while_fuse_holds_it_loses_nothing)
{
	int q = create("q", BOTH, NULL);
	struct stall s;
	pid_t pid;

	if (!stall_make(&s, BY_FUSE))
		SKIP(return, "cannot: %s", strerror(errno));
	ASSERT_EQ(0, put(q, "first"));
	pid = fork_child();
	if (!pid) {
		rd(q, s.page, 64);
		_exit(0);
	}
	ASSERT_TRUE(stalled(&s));
	EXPECT_EQ(0, stat_fd(q).ready);
	/* it cannot die before the server answers */
	ASSERT_EQ(0, kill(pid, SIGKILL));
	EXPECT_TRUE(others_go_on(q));
	ASSERT_TRUE(stall_end(&s, NULL, 0));
	EXPECT_EQ(-1, child_status(pid));
	EXPECT_EQ(1, stat_fd(q).ready);
	EXPECT_TRUE(get(q, "first"));
}

TEST_HARNESS_MAIN
