// SPDX-License-Identifier: GPL-2.0-only
/* LIMITS, and what happens when one is reached */
#include "kmq-test.h"

#define MODULE	KMQ_SCOPE_MODULE
#define DOMAIN	KMQ_SCOPE_DOMAIN
#define USERS	KMQ_SCOPE_USER

static struct kmq_limit limit(__u32 scope, __u32 uid, unsigned int res)
{
	return get_limits(scope, uid).r[res];
}

/* Something of that user's, so that limits set for it last. */
static int hold(uid_t uid)
{
	int q;

	become(uid, uid);
	q = create("hold", BOTH, NULL);
	become_root();
	return q;
}

static int create_as(uid_t uid, const char *name)
{
	int ret;

	become(uid, uid);
	ret = create(name, BOTH, NULL);
	become_root();
	return ret;
}

TEST_F(abi, every_scope_can_be_read)
{
	struct kmq_limits_args a = get_limits(MODULE, 0);
	unsigned int i;
	__u32 scope;

	for (scope = MODULE; scope <= USERS; scope++) {
		a = get_limits(scope, 0);
		for (i = 0; i < KMQ_R_COUNT; i++) {
			EXPECT_LT(0, a.r[i].limit);
			EXPECT_NE(POISON64, a.r[i].limit);
			EXPECT_GE(a.r[i].limit, a.r[i].used);
			EXPECT_LE(a.r[i].used, a.r[i].peak);
			EXPECT_NE(POISON64, a.r[i].refused);
		}
		EXPECT_EQ(scope, a.scope);
		EXPECT_EQ(0, a.reserved);
	}
}

TEST_F(abi, defaults_are_as_documented)
{
	struct kmq_limits_args user = get_limits(USERS, 54321);
	struct kmq_limits_args module = get_limits(MODULE, 0);

	EXPECT_EQ(4096, user.r[KMQ_R_OBJECTS].limit);
	EXPECT_EQ(16384, user.r[KMQ_R_HANDLES].limit);
	EXPECT_EQ(module.r[KMQ_R_BYTES].limit / 4, user.r[KMQ_R_BYTES].limit);
	EXPECT_EQ(0, user.r[KMQ_R_OBJECTS].used);
}

TEST_F(abi, use_follows_what_is_there)
{
	struct kmq_limits_args user = get_limits(USERS, 0), now_used;
	struct kmq_limits_args module = get_limits(MODULE, 0);
	int q, r;

	EXPECT_EQ(0, limit(DOMAIN, 0, KMQ_R_OBJECTS).used);
	q = create("q", BOTH, NULL);
	r = open_queue("q", RECV);
	EXPECT_EQ(1, limit(DOMAIN, 0, KMQ_R_OBJECTS).used);
	EXPECT_EQ(2, limit(DOMAIN, 0, KMQ_R_HANDLES).used);
	now_used = get_limits(USERS, 0);
	EXPECT_EQ(user.r[KMQ_R_OBJECTS].used + 1,
		  now_used.r[KMQ_R_OBJECTS].used);
	EXPECT_EQ(user.r[KMQ_R_HANDLES].used + 2,
		  now_used.r[KMQ_R_HANDLES].used);
	now_used = get_limits(MODULE, 0);
	EXPECT_EQ(module.r[KMQ_R_OBJECTS].used + 1,
		  now_used.r[KMQ_R_OBJECTS].used);
	close(r);
	EXPECT_EQ(1, limit(DOMAIN, 0, KMQ_R_HANDLES).used);
	close(q);
	EXPECT_EQ(0, limit(DOMAIN, 0, KMQ_R_HANDLES).used);
	EXPECT_LE(2, limit(DOMAIN, 0, KMQ_R_HANDLES).peak);
	ASSERT_EQ(0, delete("q", 0));
	EXPECT_EQ(0, limit(DOMAIN, 0, KMQ_R_OBJECTS).used);
	EXPECT_LE(1, limit(DOMAIN, 0, KMQ_R_OBJECTS).peak);
}

TEST_F(abi, bytes_are_memory_and_come_back)
{
	int q = create("q", BOTH, NULL), i;
	char buf[1000] = "";
	__u64 used;

	for (i = 0; i < 400; i++)
		ASSERT_EQ(sizeof(buf), wr(q, buf, sizeof(buf)));
	used = limit(DOMAIN, 0, KMQ_R_BYTES).used;
	EXPECT_LE(stat_fd(q).memory, used);
	/* in steps of up to 64 KiB */
	EXPECT_GE(stat_fd(q).memory + (128 << 10), used);
	for (i = 0; i < 400; i++)
		ASSERT_EQ(sizeof(buf), rd(q, buf, sizeof(buf)));
	EXPECT_GE(128 << 10, limit(DOMAIN, 0, KMQ_R_BYTES).used);
	close(q);
	EXPECT_EQ(0, limit(DOMAIN, 0, KMQ_R_BYTES).used);
}

TEST_F(abi, a_user_has_so_many_objects)
{
	int held = hold(USER), a;
	struct kmq_limit was = limit(USERS, USER, KMQ_R_OBJECTS);

	ASSERT_LE(0, held);
	ASSERT_EQ(0, set_limit(USERS, USER, KMQ_R_OBJECTS, 2));
	EXPECT_EQ(2, limit(USERS, USER, KMQ_R_OBJECTS).limit);
	a = create_as(USER, "a");
	EXPECT_LE(0, a);
	EXPECT_EQ(-EDQUOT, create_as(USER, "b"));
	EXPECT_FALSE(exists("b"));
	EXPECT_EQ(was.refused + 1, limit(USERS, USER, KMQ_R_OBJECTS).refused);
	EXPECT_EQ(2, limit(USERS, USER, KMQ_R_OBJECTS).used);
	/* others are not concerned */
	EXPECT_LE(0, create_as(OTHER, "b"));
	/* a deleted one counts while somebody has it open */
	ASSERT_EQ(0, delete("a", 0));
	EXPECT_EQ(-EDQUOT, create_as(USER, "c"));
	close(a);
	EXPECT_LE(0, create_as(USER, "c"));
}

TEST_F(abi, a_user_has_so_many_handles)
{
	int held = hold(USER), a, b;
	struct kmq_limit was = limit(USERS, USER, KMQ_R_HANDLES);

	ASSERT_LE(0, held);
	ASSERT_EQ(0, set_limit(USERS, USER, KMQ_R_HANDLES, 2));
	become(USER, USER);
	a = open_queue("hold", BOTH);
	b = open_queue("hold", BOTH);
	become_root();
	EXPECT_LE(0, a);
	EXPECT_EQ(-EDQUOT, b);
	EXPECT_EQ(was.refused + 1, limit(USERS, USER, KMQ_R_HANDLES).refused);
	EXPECT_EQ(2, stat_fd(held).handles);
	EXPECT_EQ(-EDQUOT, create_as(USER, "new"));
	EXPECT_FALSE(exists("new"));
	EXPECT_EQ(1, limit(USERS, USER, KMQ_R_OBJECTS).used);
}

/* Fill the queue through @q: what ends it. */
static int fill(int q)
{
	char buf[1000] = "";
	int i, ret = 0;

	for (i = 0; i < 10000 && ret >= 0; i++)
		ret = wr(q, buf, sizeof(buf));
	return ret;
}

TEST_F(abi, a_user_has_so_many_bytes)
{
	/* somebody whom no test before gave a peak */
	const int fresh = USER + 77;
	int q = hold(fresh);
	struct kmq_stat_args st;
	struct kmq_limit l;

	ASSERT_LE(0, q);
	ASSERT_EQ(0, set_limit(USERS, fresh, KMQ_R_BYTES, 300 << 10));
	/* root writes, but fresh opened it and pays */
	EXPECT_EQ(-EDQUOT, fill(q));
	st = stat_fd(q);
	l = limit(USERS, fresh, KMQ_R_BYTES);
	EXPECT_GE(300 << 10, l.used);
	EXPECT_GE(300 << 10, l.peak);
	EXPECT_LT(0, l.refused);
	/* the last bytes can be used too */
	EXPECT_LE(l.limit - 4096, st.memory);
	EXPECT_EQ(st.ready, st.sent);
	ASSERT_EQ(0, admin("hold", KMQ_ADMIN_PURGE, NULL));
	EXPECT_EQ(0, put(q, "a"));
}

TEST_F(abi, a_limit_refuses_at_once)
{
	int q = hold(USER);
	struct batch b = BATCH(128);
	struct kmq_xfer_args x;

	ASSERT_EQ(0, set_limit(USERS, USER, KMQ_R_BYTES, 0));
	/* a blocking handle and no end of patience */
	EXPECT_EQ(-EDQUOT, put(q, "a"));
	add(&b, "a");
	x = xfer_send(&b);
	x.deadline = KMQ_FOREVER;
	EXPECT_EQ(-EDQUOT, xfer(q, &x));
	EXPECT_EQ(-EDQUOT, x.send_err);
	EXPECT_EQ(0, stat_fd(q).sent);
}

TEST_F(abi, a_batch_is_refused_whole)
{
	int q = hold(USER), i;
	struct batch b = BATCH(65536);
	struct kmq_xfer_args x;
	char body[1000] = "";

	ASSERT_EQ(0, set_limit(USERS, USER, KMQ_R_BYTES, 40 << 10));
	for (i = 0; i < 60; i++)
		add_full(&b, NULL, 0, body, sizeof(body));
	x = xfer_send(&b);
	EXPECT_EQ(-EDQUOT, xfer(q, &x));
	EXPECT_EQ(0, x.sent);
	EXPECT_EQ(0, stat_fd(q).ready);
	EXPECT_EQ(1000, wr(q, body, sizeof(body)));
}

TEST_F(abi, a_domain_has_so_much)
{
	int q = hold(USER);
	struct kmq_limit was = limit(DOMAIN, 0, KMQ_R_OBJECTS);
	__u64 bytes = limit(DOMAIN, 0, KMQ_R_BYTES).limit;

	ASSERT_LE(0, q);
	ASSERT_EQ(0, set_limit(DOMAIN, 0, KMQ_R_OBJECTS, 2));
	EXPECT_LE(0, create_as(USER, "a"));
	EXPECT_EQ(-EDQUOT, create_as(OTHER, "b"));
	EXPECT_EQ(was.refused + 1, limit(DOMAIN, 0, KMQ_R_OBJECTS).refused);
	ASSERT_EQ(0, set_limit(DOMAIN, 0, KMQ_R_BYTES, 200 << 10));
	EXPECT_EQ(-EDQUOT, fill(q));
	EXPECT_GE(200 << 10, limit(DOMAIN, 0, KMQ_R_BYTES).used);
	ASSERT_EQ(0, set_limit(DOMAIN, 0, KMQ_R_OBJECTS, was.limit));
	ASSERT_EQ(0, set_limit(DOMAIN, 0, KMQ_R_BYTES, bytes));
}

TEST_F(abi, the_module_has_so_many_objects)
{
	struct kmq_limit was = limit(MODULE, 0, KMQ_R_OBJECTS);
	int a, b, user;

	ASSERT_EQ(0, set_limit(MODULE, 0, KMQ_R_OBJECTS, was.used + 1));
	a = create("a", BOTH, NULL);
	b = create("b", BOTH, NULL);
	user = create_as(USER, "c");
	ASSERT_EQ(0, set_limit(MODULE, 0, KMQ_R_OBJECTS, was.limit));
	EXPECT_LE(0, a);
	/* root too */
	EXPECT_EQ(-ENOBUFS, b);
	EXPECT_EQ(-ENOBUFS, user);
	EXPECT_EQ(was.refused + 2, limit(MODULE, 0, KMQ_R_OBJECTS).refused);
	EXPECT_LE(0, create("b", BOTH, NULL));
}

TEST_F(abi, the_module_has_so_many_bytes)
{
	struct kmq_limit was = limit(MODULE, 0, KMQ_R_BYTES);
	int q = create("q", BOTH, NULL), ret;

	ASSERT_EQ(0, set_limit(MODULE, 0, KMQ_R_BYTES, was.used + (100 << 10)));
	ret = fill(q);
	ASSERT_EQ(0, set_limit(MODULE, 0, KMQ_R_BYTES, was.limit));
	EXPECT_EQ(-ENOBUFS, ret);
	EXPECT_GE(was.used + (100 << 10), limit(MODULE, 0, KMQ_R_BYTES).used);
	EXPECT_EQ(0, put(q, "a"));
}

TEST_F(abi, the_module_has_so_many_handles)
{
	struct kmq_limit was = limit(MODULE, 0, KMQ_R_HANDLES);
	int a, b;

	ASSERT_EQ(0, set_limit(MODULE, 0, KMQ_R_HANDLES, was.used + 1));
	a = create("a", BOTH, NULL);
	b = open_queue("a", BOTH);
	ASSERT_EQ(0, set_limit(MODULE, 0, KMQ_R_HANDLES, was.limit));
	EXPECT_LE(0, a);
	EXPECT_EQ(-ENOBUFS, b);
}

TEST_F(abi, cap_sys_resource_goes_past_user_and_domain)
{
	struct kmq_limits_args domain = get_limits(DOMAIN, 0);
	struct kmq_limits_args user;
	int first = create("first", BOTH, NULL), a, ret, i;

	user = get_limits(USERS, 0);
	ASSERT_LE(0, first);
	for (i = 0; i < KMQ_R_COUNT; i++) {
		ASSERT_EQ(0, set_limit(USERS, 0, i, 0));
		ASSERT_EQ(0, set_limit(DOMAIN, 0, i, 0));
	}
	a = create("a", BOTH, NULL);
	ret = put(a, "x");
	for (i = 0; i < KMQ_R_COUNT; i++) {
		ASSERT_EQ(0, set_limit(USERS, 0, i, user.r[i].limit));
		ASSERT_EQ(0, set_limit(DOMAIN, 0, i, domain.r[i].limit));
	}
	EXPECT_LE(0, a);
	EXPECT_EQ(0, ret);
	EXPECT_EQ(2, limit(DOMAIN, 0, KMQ_R_OBJECTS).used);
}

TEST_F(abi, a_limit_lasts_though_the_user_holds_nothing)
{
	ASSERT_EQ(0, set_limit(USERS, 55555, KMQ_R_OBJECTS, 7));
	EXPECT_EQ(7, limit(USERS, 55555, KMQ_R_OBJECTS).limit);
}

TEST_F(abi, setting_returns_the_new_values)
{
	struct kmq_limit was = limit(DOMAIN, 0, KMQ_R_HANDLES);
	struct kmq_limits_args a = get_limits(DOMAIN, 0), b = a;

	a.flags = KMQ_LIMITS_SET;
	a.set_mask = 1 << KMQ_R_HANDLES;
	a.r[KMQ_R_HANDLES].limit = 77;
	a.r[KMQ_R_OBJECTS].limit = 88;
	ASSERT_EQ(0, request(ctl, KMQ_IOC_LIMITS, &a));
	EXPECT_EQ(77, a.r[KMQ_R_HANDLES].limit);
	/* not in the mask */
	EXPECT_EQ(b.r[KMQ_R_OBJECTS].limit, a.r[KMQ_R_OBJECTS].limit);
	ASSERT_EQ(0, set_limit(DOMAIN, 0, KMQ_R_HANDLES, was.limit));
}

TEST_F(abi, setting_needs_cap_sys_resource)
{
	struct kmq_limit before = limit(DOMAIN, 0, KMQ_R_OBJECTS);
	int domain, user;

	become(USER, USER);
	domain = set_limit(DOMAIN, 0, KMQ_R_OBJECTS, 1 << 20);
	user = set_limit(USERS, USER, KMQ_R_OBJECTS, 1 << 20);
	become_root();
	EXPECT_EQ(-EPERM, domain);
	EXPECT_EQ(-EPERM, user);
	EXPECT_EQ(before.limit, limit(DOMAIN, 0, KMQ_R_OBJECTS).limit);
}

TEST_F(abi, reading_needs_no_rights)
{
	struct kmq_limits_args a;

	become(USER, USER);
	a = get_limits(DOMAIN, 0);
	become_root();
	EXPECT_NE(POISON64, a.r[0].limit);
}

TEST_F(abi, malformed_requests_are_einval)
{
	struct kmq_limits_args good = get_limits(DOMAIN, 0), a;

	a = good;
	a.flags = 2;
	EXPECT_EQ(-EINVAL, request(ctl, KMQ_IOC_LIMITS, &a));
	a = good;
	a.scope = USERS + 1;
	EXPECT_EQ(-EINVAL, request(ctl, KMQ_IOC_LIMITS, &a));
	a = good;
	a.reserved = 1;
	EXPECT_EQ(-EINVAL, request(ctl, KMQ_IOC_LIMITS, &a));
	a = good;
	a.flags = KMQ_LIMITS_SET;
	a.set_mask = 1 << KMQ_R_COUNT;
	EXPECT_EQ(-EINVAL, request(ctl, KMQ_IOC_LIMITS, &a));
	a = good;
	a.scope = USERS;
	a.uid = -1;
	EXPECT_EQ(-EINVAL, request(ctl, KMQ_IOC_LIMITS, &a));
}

/* ---- user namespaces ---------------------------------------------------- */

/*
 * A child in a user namespace that USER made, where 0 to 9 stand for 100000 to
 * 100009 here; runs @fn there as user @uid of it.
 */
static int in_user_namespace(uid_t uid, int (*fn)(void))
{
	int to[2], from[2];
	char path[64], byte;
	pid_t pid;

	if (pipe(to) || pipe(from))
		return -1;
	pid = fork_child();
	if (!pid) {
		close(from[0]);
		if (!become(USER, USER) || unshare(CLONE_NEWUSER))
			_exit(77);
		if (write(from[1], "u", 1) != 1 || read(to[0], &byte, 1) != 1)
			_exit(78);
		if (setresgid(uid, uid, uid) || setresuid(uid, uid, uid))
			_exit(79);
		_exit(fn());
	}
	close(from[1]);
	if (read(from[0], &byte, 1) == 1) {
		snprintf(path, sizeof(path), "/proc/%d/uid_map", pid);
		if (!write_file(path, "0 100000 10\n"))
			return -1;
		snprintf(path, sizeof(path), "/proc/%d/gid_map", pid);
		if (!write_file(path, "0 100000 10\n") ||
		    write(to[1], "g", 1) != 1)
			return -1;
	}
	return child_status(pid);
}

static int create_two(void)
{
	if (create("one", BOTH, NULL) < 0)
		return 1;
	return create("two", BOTH, NULL) == -EDQUOT ? 0 : 2;
}

static int raise_limit(void)
{
	return set_limit(USERS, 0, KMQ_R_OBJECTS, 1000) == -EPERM ? 0 : 1;
}

TEST_F(abi, a_user_namespace_does_not_multiply_them)
{
	int held = hold(USER), ret;

	ASSERT_LE(0, held);
	ASSERT_EQ(0, set_limit(USERS, USER, KMQ_R_OBJECTS, 2));
	/* it has one; in the namespace it is another, but pays the same */
	ret = in_user_namespace(5, create_two);
	if (ret == 77)
		SKIP(return, "no user namespaces here");
	EXPECT_EQ(0, ret);
	EXPECT_EQ(2, limit(USERS, USER, KMQ_R_OBJECTS).used);
	EXPECT_EQ(0, limit(USERS, 100005, KMQ_R_OBJECTS).used);
}

TEST_F(abi, root_of_a_user_namespace_sets_none)
{
	int ret = in_user_namespace(0, raise_limit);

	if (ret == 77)
		SKIP(return, "no user namespaces here");
	EXPECT_EQ(0, ret);
}

TEST_F(abi, root_of_a_user_namespace_is_not_exempt)
{
	int held = hold(USER), ret;

	ASSERT_LE(0, held);
	ASSERT_EQ(0, set_limit(USERS, USER, KMQ_R_OBJECTS, 2));
	ret = in_user_namespace(0, create_two);
	if (ret == 77)
		SKIP(return, "no user namespaces here");
	EXPECT_EQ(0, ret);
}

TEST_HARNESS_MAIN
