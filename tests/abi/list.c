// SPDX-License-Identifier: GPL-2.0-only
/* LIST */
#include "kmq-test.h"

#define OBJECTS	KMQ_LIST_OBJECTS
#define HANDLES	KMQ_LIST_HANDLES
#define TICK	(NSEC / 100)	/* of the slowest clock there is */

static struct kmq_list_args list_args(__u32 what, void *rows, size_t row_size,
				      __u32 count)
{
	struct kmq_list_args a = {
		.size = sizeof(a), .what = what, .row_size = row_size,
		.rows = ptr(rows), .count = count,
	};

	memset(rows, POISON, row_size * count);
	return a;
}

static int list(struct kmq_list_args *a)
{
	return request(ctl, KMQ_IOC_LIST, a);
}

static int make(int i)
{
	char name[16];

	snprintf(name, sizeof(name), "q%d", i);
	return create(name, BOTH, NULL);
}

static bool all_zero(const void *p, size_t len)
{
	const char *c = p;

	while (len && !*c)
		c++, len--;
	return !len;
}

TEST_F(abi, an_empty_domain_has_no_rows)
{
	struct kmq_object_row row;
	struct kmq_list_args a = list_args(OBJECTS, &row, sizeof(row), 1);

	EXPECT_EQ(0, list(&a));
	EXPECT_EQ(0, a.count);
	EXPECT_EQ(0xcc, row.name[0]);
	a = list_args(HANDLES, &row, sizeof(row), 1);
	EXPECT_EQ(0, list(&a));
	EXPECT_EQ(0, a.count);
}

TEST_F(abi, an_object_row_tells_what_stat_tells)
{
	struct kmq_attrs at = ATTRS(
		.mask = KMQ_A_MODE | KMQ_A_UID | KMQ_A_GID | KMQ_A_OVERFLOW |
			KMQ_A_MAX_MESSAGES,
		.mode = 0755, .uid = USER, .gid = OTHER,
		.overflow = KMQ_OVERFLOW_REJECT, .max_messages = 2);
	int q = create("name", BOTH | NONBLOCK, &at);
	struct kmq_object_row row;
	struct kmq_list_args a = list_args(OBJECTS, &row, sizeof(row), 1);
	struct kmq_stat_args st;

	ASSERT_EQ(0, put(q, "a"));
	ASSERT_EQ(0, put(q, "b"));
	ASSERT_EQ(-EAGAIN, put(q, "c"));
	ASSERT_TRUE(get(q, "a"));
	ASSERT_EQ(0, admin("name", KMQ_ADMIN_PURGE, NULL));
	ASSERT_EQ(0, put(q, "d"));
	ASSERT_EQ(0, admin("name", KMQ_ADMIN_SEAL, NULL));
	ASSERT_EQ(0, list(&a));
	EXPECT_EQ(1, a.count);
	st = stat_fd(q);
	at = attrs_of(q);
	EXPECT_EQ(st.id, row.id);
	EXPECT_EQ(KMQ_KIND_QUEUE, row.kind);
	EXPECT_EQ(KMQ_STATE_SEALED, row.state);
	EXPECT_EQ(0755, row.mode);
	EXPECT_EQ(USER, row.uid);
	EXPECT_EQ(OTHER, row.gid);
	EXPECT_EQ(KMQ_OVERFLOW_REJECT, row.overflow);
	EXPECT_EQ(at.max_message_size, row.max_message_size);
	EXPECT_EQ(1, row.handles);
	EXPECT_EQ(1, row.senders);
	EXPECT_EQ(1, row.receivers);
	EXPECT_EQ(0, row.waiting_senders);
	EXPECT_EQ(0, row.waiting_receivers);
	EXPECT_EQ(2, row.max_messages);
	EXPECT_EQ(at.max_bytes, row.max_bytes);
	EXPECT_EQ(1, row.ready);
	EXPECT_EQ(st.bytes, row.bytes);
	EXPECT_EQ(st.memory, row.memory);
	EXPECT_EQ(3, row.sent);
	EXPECT_EQ(1, row.received);
	EXPECT_EQ(1, row.dropped);
	EXPECT_EQ(1, row.refused_full);
	EXPECT_EQ(st.created, row.created);
	EXPECT_EQ(4, row.name_len);
	EXPECT_EQ(0, row.reserved);
	EXPECT_EQ(0, memcmp("name", row.name, 4));
	EXPECT_TRUE(all_zero(row.name + 4, sizeof(row.name) - 4));
}

TEST_F(abi, a_handle_row_tells_who_has_it)
{
	int q = create("name", SEND | RECORDS | NONBLOCK, NULL);
	struct kmq_handle_row row;
	struct kmq_list_args a = list_args(HANDLES, &row, sizeof(row), 1);
	uint64_t t = clock_ns(CLOCK_REALTIME);
	char comm[16] = "";

	prctl(PR_GET_NAME, comm);
	ASSERT_EQ(0, put_priority(q, "a", 0));
	ASSERT_EQ(0, list(&a));
	EXPECT_EQ(1, a.count);
	EXPECT_NE(0, row.id);
	EXPECT_EQ(stat_fd(q).id, row.object);
	EXPECT_EQ(SEND | RECORDS, row.flags);
	EXPECT_EQ(0, row.state);
	EXPECT_EQ(getpid(), row.pid);
	EXPECT_EQ(0, row.uid);
	EXPECT_EQ(getpid(), row.last_pid);
	EXPECT_EQ(0, row.reserved);
	EXPECT_GE(t, row.opened);
	EXPECT_LE(t - 60 * NSEC, row.opened);
	EXPECT_EQ(0, row.waiting_since);
	EXPECT_EQ(1, row.sent);
	EXPECT_EQ(0, row.received);
	EXPECT_STREQ(comm, (char *)row.comm);
	EXPECT_STREQ(comm, (char *)row.last_comm);
	EXPECT_EQ(4, row.name_len);
	EXPECT_EQ(0, row.reserved2);
	EXPECT_EQ(0, memcmp("name", row.name, 4));
	EXPECT_TRUE(all_zero(row.name + 4, sizeof(row.name) - 4));
}

TEST_F(abi, a_handle_row_tells_who_used_it_last)
{
	int q = create("q", BOTH, NULL), go[2];
	struct kmq_handle_row row;
	struct kmq_list_args a = list_args(HANDLES, &row, sizeof(row), 1);
	pid_t pid;
	char c;

	ASSERT_EQ(0, pipe(go));
	pid = fork_child();
	if (!pid) {
		prctl(PR_SET_NAME, "child");
		if (put(q, "a") || read(go[0], &c, 1) != 1)
			_exit(1);
		_exit(0);
	}
	ASSERT_TRUE(WAIT_FOR(stat_fd(q).sent == 1));
	ASSERT_EQ(0, list(&a));
	EXPECT_EQ(getpid(), row.pid);
	EXPECT_EQ(pid, row.last_pid);
	EXPECT_STREQ("child", (char *)row.last_comm);
	EXPECT_STRNE("child", (char *)row.comm);
	ASSERT_EQ(1, write(go[1], "g", 1));
	EXPECT_EQ(0, child_status(pid));
}

TEST_F(abi, a_handle_row_tells_what_waits)
{
	int q = create_bounded("q", RECV, 1);
	struct kmq_handle_row row;
	struct kmq_list_args a = list_args(HANDLES, &row, sizeof(row), 1);
	uint64_t t = clock_ns(CLOCK_REALTIME);
	struct bg bg;
	char c;

	bg_start(&bg, BG_READ, q, &c, 1);
	ASSERT_TRUE(waiting(q, 0, 1));
	ASSERT_EQ(0, list(&a));
	EXPECT_EQ(KMQ_HANDLE_RECEIVING, row.state);
	EXPECT_LE(t - TICK, row.waiting_since);
	EXPECT_GE(clock_ns(CLOCK_REALTIME), row.waiting_since);
	ASSERT_EQ(0, shut(q, RECV));
	EXPECT_EQ(-ECANCELED, bg_end(&bg));
	a = list_args(HANDLES, &row, sizeof(row), 1);
	ASSERT_EQ(0, list(&a));
	EXPECT_EQ(KMQ_HANDLE_SHUT_RECV, row.state);
	EXPECT_EQ(0, row.waiting_since);
}

TEST_F(abi, waiting_since_is_that_of_the_longest_waiting_call)
{
	int q = create("q", BOTH, NULL), r = open_queue("q", RECV);
	struct kmq_handle_row row[2];
	struct kmq_list_args a;
	struct bg first, second;
	uint64_t t, t2;
	char c, d;

	bg_start(&first, BG_READ, r, &c, 1);
	ASSERT_TRUE(waiting(q, 0, 1));
	t = clock_ns(CLOCK_REALTIME);
	ASSERT_TRUE(WAIT_FOR(clock_ns(CLOCK_REALTIME) > t + 5 * TICK));
	t2 = clock_ns(CLOCK_REALTIME);
	bg_start(&second, BG_READ, r, &d, 1);
	ASSERT_TRUE(waiting(q, 0, 2));
	a = list_args(HANDLES, row, sizeof(row[0]), 2);
	ASSERT_EQ(0, list(&a));
	EXPECT_GE(t + TICK, row[1].waiting_since);
	/* the first leaves, the other is the longest waiting one now */
	ASSERT_EQ(0, put(q, "a"));
	EXPECT_EQ(1, bg_end(&first));
	a = list_args(HANDLES, row, sizeof(row[0]), 2);
	ASSERT_EQ(0, list(&a));
	EXPECT_LE(t2 - TICK, row[1].waiting_since);
	ASSERT_EQ(0, put(q, "b"));
	EXPECT_EQ(1, bg_end(&second));
	a = list_args(HANDLES, row, sizeof(row[0]), 2);
	ASSERT_EQ(0, list(&a));
	EXPECT_EQ(0, row[1].waiting_since);
}

TEST_F(abi, a_sending_handle_shows_it)
{
	int q = create_bounded("q", SEND, 1);
	struct kmq_handle_row row;
	struct kmq_list_args a = list_args(HANDLES, &row, sizeof(row), 1);
	struct bg bg;

	ASSERT_EQ(0, put(q, "a"));
	bg_start(&bg, BG_WRITE, q, "b", 1);
	ASSERT_TRUE(waiting(q, 1, 0));
	ASSERT_EQ(0, list(&a));
	EXPECT_EQ(KMQ_HANDLE_SENDING, row.state);
	ASSERT_EQ(0, shut(q, SEND));
	EXPECT_EQ(-ECANCELED, bg_end(&bg));
	a = list_args(HANDLES, &row, sizeof(row), 1);
	ASSERT_EQ(0, list(&a));
	EXPECT_EQ(KMQ_HANDLE_SHUT_SEND, row.state);
}

/* As USER: can the opener of the only handle be seen? */
static bool opener_seen(__u32 mode)
{
	struct kmq_attrs at = ATTRS(.mask = KMQ_A_MODE, .mode = mode);
	struct kmq_handle_row row;
	struct kmq_list_args a = list_args(HANDLES, &row, sizeof(row), 1);
	int ret;

	alter("q", &at, NULL);
	become(USER, USER);
	ret = list(&a);
	become_root();
	if (ret || a.count != 1 || row.sent != 1)
		return -1;
	if (row.pid == (__u32)getpid())
		return row.last_pid && row.comm[0] && row.last_comm[0];
	if (row.pid || row.last_pid ||
	    !all_zero(row.comm, sizeof(row.comm)) ||
	    !all_zero(row.last_comm, sizeof(row.last_comm)))
		abort();
	return false;
}

TEST_F(abi, processes_are_hidden_from_those_without_rights)
{
	int q = create("q", BOTH, NULL);

	ASSERT_EQ(0, put(q, "a"));
	EXPECT_FALSE(opener_seen(0660));
	EXPECT_FALSE(opener_seen(0662));
	EXPECT_TRUE(opener_seen(0664));
}

TEST_F(abi, processes_are_shown_to_the_owner)
{
	struct kmq_attrs at = ATTRS(.mask = KMQ_A_UID, .uid = USER);
	int q = create("q", BOTH, &at);

	ASSERT_EQ(0, put(q, "a"));
	EXPECT_TRUE(opener_seen(0000));
}

TEST_F(abi, rows_come_by_rising_id)
{
	struct kmq_object_row rows[12];
	struct kmq_list_args a = list_args(OBJECTS, rows, sizeof(rows[0]), 12);
	unsigned int i;

	for (i = 0; i < 10; i++)
		ASSERT_LE(0, make(i));
	ASSERT_EQ(0, list(&a));
	ASSERT_EQ(10, a.count);
	for (i = 1; i < 10; i++)
		EXPECT_LT(rows[i - 1].id, rows[i].id);
	EXPECT_EQ(0xcc, rows[10].name[0]);
}

TEST_F(abi, the_cursor_goes_on)
{
	struct kmq_object_row rows[3];
	struct kmq_list_args a = list_args(OBJECTS, rows, sizeof(rows[0]), 3);
	unsigned int i, n = 0;
	__u64 last = 0;

	for (i = 0; i < 8; i++)
		ASSERT_LE(0, make(i));
	do {
		__u64 cursor = a.cursor;

		a = list_args(OBJECTS, rows, sizeof(rows[0]), 3);
		a.cursor = n ? cursor : 0;
		ASSERT_EQ(0, list(&a));
		for (i = 0; i < a.count; i++) {
			EXPECT_LT(last, rows[i].id);
			last = rows[i].id;
		}
		n += a.count;
	} while (a.count == 3);
	EXPECT_EQ(8, n);
	EXPECT_EQ(2, a.count);
}

TEST_F(abi, the_list_ends_with_fewer_rows_than_asked_for)
{
	struct kmq_object_row rows[2];
	struct kmq_list_args a = list_args(OBJECTS, rows, sizeof(rows[0]), 2);

	ASSERT_LE(0, make(0));
	ASSERT_LE(0, make(1));
	ASSERT_EQ(0, list(&a));
	EXPECT_EQ(2, a.count);
	ASSERT_EQ(0, list(&a));
	EXPECT_EQ(0, a.count);
	a.count = 2;
	a.cursor = ~0ull;
	ASSERT_EQ(0, list(&a));
	EXPECT_EQ(0, a.count);
}

TEST_F(abi, what_stays_is_listed_once_whatever_others_do)
{
	struct kmq_object_row row;
	struct kmq_list_args a = list_args(OBJECTS, &row, sizeof(row), 1);
	unsigned int seen, i;
	char name[16];

	for (i = 0; i < 20; i++)
		close(make(i));
	for (i = 0;; i++) {
		ASSERT_EQ(0, list(&a));
		if (!a.count)
			break;
		ASSERT_GT(200, i);
		/* of q0 to q19 the even ones stay */
		if (sscanf((char *)row.name, "q%u", &seen) != 1)
			seen = 99;
		if (seen < 20 && seen % 2 == 0) {
			snprintf(name, sizeof(name), "q%u", seen + 1);
			EXPECT_EQ(0, delete(name, 0));
			snprintf(name, sizeof(name), "new%u", seen);
			close(create(name, BOTH, NULL));
		} else {
			EXPECT_NE('q', row.name[0]);
		}
	}
	/* ten that stayed and the ten made meanwhile, which have larger ids */
	EXPECT_EQ(20, i);
}

TEST_F(abi, a_shorter_row_is_cut)
{
	char rows[2 * 16 + 8];
	struct kmq_list_args a = list_args(OBJECTS, rows, 16, 2);
	__u64 id[2], guard = 0;

	id[0] = stat_fd(make(0)).id;
	id[1] = stat_fd(make(1)).id;
	memset(rows, POISON, sizeof(rows));
	ASSERT_EQ(0, list(&a));
	EXPECT_EQ(2, a.count);
	EXPECT_EQ(0, memcmp(rows, &id[0], 8));
	EXPECT_EQ(0, memcmp(rows + 16, &id[1], 8));
	memcpy(&guard, rows + 32, 8);
	EXPECT_EQ(POISON64, guard);
}

TEST_F(abi, a_longer_row_has_a_zero_tail)
{
	struct longer {
		struct kmq_object_row row;
		char tail[40];
	} rows[2];
	struct kmq_list_args a = list_args(OBJECTS, rows, sizeof(rows[0]), 2);

	ASSERT_LE(0, make(0));
	ASSERT_LE(0, make(1));
	ASSERT_EQ(0, list(&a));
	EXPECT_EQ(2, a.count);
	EXPECT_STREQ("q0", (char *)rows[0].row.name);
	EXPECT_STREQ("q1", (char *)rows[1].row.name);
	EXPECT_TRUE(all_zero(rows[0].tail, sizeof(rows[0].tail)));
	EXPECT_TRUE(all_zero(rows[1].tail, sizeof(rows[1].tail)));
}

TEST_F(abi, handles_of_one_object)
{
	struct kmq_handle_row rows[8];
	struct kmq_list_args a = list_args(HANDLES, rows, sizeof(rows[0]), 8);
	int q = make(0), i;

	make(1);
	open_queue("q1", SEND);
	open_queue("q0", RECV);
	ASSERT_EQ(0, list(&a));
	EXPECT_EQ(4, a.count);
	a = list_args(HANDLES, rows, sizeof(rows[0]), 8);
	a.name = ptr("q0");
	a.name_len = 2;
	ASSERT_EQ(0, list(&a));
	ASSERT_EQ(2, a.count);
	for (i = 0; i < 2; i++)
		EXPECT_EQ(stat_fd(q).id, rows[i].object);
	EXPECT_EQ(BOTH, rows[0].flags);
	EXPECT_EQ(RECV, rows[1].flags);
	a.name = ptr("none");
	a.name_len = 4;
	a.count = 8;
	EXPECT_EQ(-ENOENT, list(&a));
}

TEST_F(abi, an_unlinked_object_is_listed_while_it_lives)
{
	struct kmq_object_row row;
	struct kmq_list_args a = list_args(OBJECTS, &row, sizeof(row), 1);
	int q = make(0);

	ASSERT_EQ(0, delete("q0", KMQ_DELETE_UNLINK));
	ASSERT_EQ(0, list(&a));
	EXPECT_EQ(1, a.count);
	EXPECT_EQ(KMQ_STATE_UNLINKED, row.state);
	EXPECT_STREQ("q0", (char *)row.name);
	close(q);
	a = list_args(OBJECTS, &row, sizeof(row), 1);
	ASSERT_EQ(0, list(&a));
	EXPECT_EQ(0, a.count);
}

TEST_F(abi, malformed_requests_are_einval)
{
	struct kmq_object_row row;
	struct kmq_list_args good = list_args(OBJECTS, &row, sizeof(row), 1);
	struct kmq_list_args a;

	ASSERT_LE(0, make(0));
	a = good;
	a.flags = 1;
	EXPECT_EQ(-EINVAL, list(&a));
	a = good;
	a.what = 0;
	EXPECT_EQ(-EINVAL, list(&a));
	a.what = HANDLES + 1;
	EXPECT_EQ(-EINVAL, list(&a));
	a = good;
	a.count = 0;
	EXPECT_EQ(-EINVAL, list(&a));
	a.count = KMQ_LIST_MAX + 1;
	EXPECT_EQ(-EINVAL, list(&a));
	a = good;
	a.row_size = 0;
	EXPECT_EQ(-EINVAL, list(&a));
	a = good;
	a.name_len = 256;
	a.what = HANDLES;
	EXPECT_EQ(-EINVAL, list(&a));
	a = good;
	a.name = ptr("q0");
	a.name_len = 2;
	EXPECT_EQ(-EINVAL, list(&a));
	EXPECT_EQ(0xcc, row.name[0]);
}

TEST_HARNESS_MAIN
