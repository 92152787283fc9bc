// SPDX-License-Identifier: GPL-2.0-only
/* Somebody without rights, in a user namespace where he is root */
#include <sys/socket.h>

#include "kmq-test.h"

#define VICTIM	2000

/*
 * What is tried inside, as "unshare -Urn" makes it: the caller is uid 0 there
 * and USER here. 0, or something about the line of what was wrong first.
 */
#define CHECK(cond)	check(cond, __LINE__)
#define NOT_HERE	250

static int failed;

static void check(bool good, int line)
{
	if (!good && !failed)
		failed = line % 200 + 1;
}

static bool map_self(uid_t uid)
{
	char map[32];

	snprintf(map, sizeof(map), "0 %u 1\n", uid);
	return write_file("/proc/self/setgroups", "deny") &&
		write_file("/proc/self/uid_map", map) &&
		write_file("/proc/self/gid_map", map);
}

/* Runs fn as root of a user namespace made by USER, with a domain of its own. */
static int inside(int (*fn)(int outer), int outer)
{
	pid_t pid = fork_child();

	if (!pid) {
		if (setgroups(0, NULL) || setresgid(USER, USER, USER) ||
		    setresuid(USER, USER, USER))
			_exit(NOT_HERE - 1);
		/* or its files in /proc belong to root */
		prctl(PR_SET_DUMPABLE, 1);
		if (unshare(CLONE_NEWUSER) || !map_self(USER) ||
		    unshare(CLONE_NEWNET))
			_exit(NOT_HERE);
		_exit(fn(outer));
	}
	return child_status(pid);
}

static int join(int fd, const char *path)
{
	struct kmq_admin_args a = {
		.size = sizeof(a), .op = KMQ_ADMIN_JOIN,
		.arg = open(path, O_RDONLY | O_CLOEXEC),
	};

	return request(fd, KMQ_IOC_ADMIN, &a);
}

static __u64 used(__u32 uid, unsigned int res)
{
	return get_limits(KMQ_SCOPE_USER, uid).r[res].used;
}

/* Somebody else's queue that everybody may use, with a message. */
static int victims_queue(void)
{
	struct kmq_attrs at = ATTRS(.mask = KMQ_A_MODE, .mode = 0666);
	int q;

	if (!become(VICTIM, VICTIM))
		abort();
	q = create("q", BOTH, &at);
	put(q, "a");
	become_root();
	return q;
}

/* ---- limits ------------------------------------------------------------- */

static int raise_limits(int outer __attribute__((unused)))
{
	__u32 scope;
	int res;

	for (scope = KMQ_SCOPE_MODULE; scope <= KMQ_SCOPE_USER; scope++)
		for (res = 0; res < KMQ_R_COUNT; res++)
			CHECK(set_limit(scope, 0, res, 1 << 30) == -EPERM);
	return failed;
}

TEST_F(abi, its_root_raises_no_limits)
{
	struct kmq_limits_args before = get_limits(KMQ_SCOPE_USER, USER);
	struct kmq_limits_args after;
	int i, ret;

	ret = inside(raise_limits, ctl);
	if (ret == NOT_HERE)
		SKIP(return, "no user namespaces here");
	EXPECT_EQ(0, ret);
	after = get_limits(KMQ_SCOPE_USER, USER);
	for (i = 0; i < KMQ_R_COUNT; i++)
		EXPECT_EQ(before.r[i].limit, after.r[i].limit);
}

/* In a domain of its own, through a control fd of its own. */
static int open_own(int fd)
{
	ctl = fd;
	return join(ctl, "/proc/self/ns/net");
}

static int fill_up(int outer)
{
	static char big[60000];
	int q, i, ret;

	CHECK(!open_own(outer));
	q = create("q", BOTH | NONBLOCK, NULL);
	CHECK(q >= 0);
	CHECK(create("r", BOTH, NULL) == -EDQUOT);
	CHECK(open_queue("q", BOTH) == -EDQUOT);
	for (i = 0; i < 100; i++) {
		ret = wr(q, big, sizeof(big));
		if (ret < 0)
			break;
	}
	CHECK(ret == -EDQUOT);
	/* nor by one more user namespace */
	CHECK(!unshare(CLONE_NEWUSER | CLONE_NEWNET));
	CHECK(create("r", BOTH, NULL) == -EDQUOT);
	CHECK(wr(q, big, sizeof(big)) == -EDQUOT);
	return failed;
}

TEST_F(abi, it_lives_within_the_limits_of_its_creator)
{
	int own = open(KMQ_DEVICE, O_RDWR), other, ret;
	static char big[60000];

	ASSERT_EQ(0, set_limit(KMQ_SCOPE_USER, USER, KMQ_R_OBJECTS, 1));
	ASSERT_EQ(0, set_limit(KMQ_SCOPE_USER, USER, KMQ_R_HANDLES, 1));
	ASSERT_EQ(0, set_limit(KMQ_SCOPE_USER, USER, KMQ_R_BYTES, 1 << 20));
	ret = inside(fill_up, own);
	if (ret == NOT_HERE)
		SKIP(return, "no user namespaces here");
	EXPECT_EQ(0, ret);
	/* others never notice */
	ASSERT_TRUE(become(OTHER, OTHER));
	other = create("q", BOTH, NULL);
	EXPECT_EQ(sizeof(big), wr(other, big, sizeof(big)));
	become_root();
	/* all of it comes back when the namespace has ended */
	close(own);
	EXPECT_TRUE(WAIT_FOR(!used(USER, KMQ_R_OBJECTS)));
	EXPECT_TRUE(WAIT_FOR(!used(USER, KMQ_R_HANDLES)));
	EXPECT_TRUE(WAIT_FOR(!used(USER, KMQ_R_BYTES)));
	set_limit(KMQ_SCOPE_USER, USER, KMQ_R_OBJECTS, 4096);
	set_limit(KMQ_SCOPE_USER, USER, KMQ_R_HANDLES, 16384);
	set_limit(KMQ_SCOPE_USER, USER, KMQ_R_BYTES, 16 << 20);
}

/* ---- objects ------------------------------------------------------------ */

static int take_over(int outer)
{
	struct kmq_attrs uid = ATTRS(.mask = KMQ_A_UID, .uid = 0);
	struct kmq_attrs mode = ATTRS(.mask = KMQ_A_MODE, .mode = 0777);
	struct kmq_open_args a;

	ctl = outer;
	CHECK(alter("q", &uid, NULL) == -EPERM);
	CHECK(alter("q", &mode, NULL) == -EPERM);
	CHECK(delete("q", 0) == -EPERM);
	CHECK(delete("q", KMQ_DELETE_UNLINK) == -EPERM);
	CHECK(admin("q", KMQ_ADMIN_SEAL, NULL) == -EPERM);
	CHECK(admin("q", KMQ_ADMIN_PURGE, NULL) == -EPERM);
	CHECK(admin(NULL, KMQ_ADMIN_RESET, NULL) == -EPERM);
	CHECK(open_queue("secret", RECV) == -EACCES);
	CHECK(open_queue("secret", SEND) == -EACCES);
	CHECK(open_queue("secret", 0) == -EACCES);
	/* its own id 0 is not that of the domain */
	a = open_args("secret", BOTH | KMQ_OPEN_OWNER, NULL);
	CHECK(request(ctl, KMQ_IOC_OPEN, &a) == -EPERM);
	a = open_args("q", BOTH | CREATE, NULL);
	CHECK(request(ctl, KMQ_IOC_OPEN, &a) == -EACCES);
	/* what is allowed to everybody is allowed */
	CHECK(open_queue("q", BOTH) >= 0);
	return failed;
}

TEST_F(abi, its_root_takes_nothing_over)
{
	struct kmq_attrs at = ATTRS(.mask = KMQ_A_MODE, .mode = 0600);
	int q = victims_queue(), secret = create("secret", BOTH, &at);
	struct kmq_attrs before = attrs_of(q), after;
	int ret;

	ASSERT_LE(0, q);
	ret = inside(take_over, ctl);
	if (ret == NOT_HERE)
		SKIP(return, "no user namespaces here");
	EXPECT_EQ(0, ret);
	after = attrs_of(q);
	EXPECT_EQ(0, memcmp(&before, &after, sizeof(after)));
	EXPECT_EQ(1, stat_fd(q).ready);
	EXPECT_EQ(0, attrs_of(secret).uid);
}

static int reset_all(int outer)
{
	struct kmq_admin_args a = {
		.size = sizeof(a), .op = KMQ_ADMIN_RESET,
		.flags = KMQ_RESET_ALL_DOMAINS,
	};

	CHECK(!open_own(outer));
	CHECK(create("mine", BOTH, NULL) >= 0);
	CHECK(request(ctl, KMQ_IOC_ADMIN, &a) == -EPERM);
	CHECK(exists("mine"));
	/* its own domain it may empty */
	CHECK(!admin(NULL, KMQ_ADMIN_RESET, NULL));
	CHECK(!exists("mine"));
	return failed;
}

TEST_F(abi, its_root_resets_its_own_domain_only)
{
	int q = victims_queue(), own = open(KMQ_DEVICE, O_RDWR), ret;

	ASSERT_LE(0, q);
	ret = inside(reset_all, own);
	if (ret == NOT_HERE)
		SKIP(return, "no user namespaces here");
	EXPECT_EQ(0, ret);
	EXPECT_TRUE(exists("q"));
	EXPECT_EQ(1, stat_fd(q).ready);
}

static int join_outer(int outer)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/ns/net", getppid());
	CHECK(!open_own(outer));
	/* it may not even look at it; and what it looks at it may not join */
	CHECK(join(ctl, path) < 0);
	CHECK(!join(ctl, "/proc/self/ns/net"));
	return failed;
}

TEST_F(abi, its_root_joins_no_domain_outside)
{
	int own = open(KMQ_DEVICE, O_RDWR), ret;

	ret = inside(join_outer, own);
	if (ret == NOT_HERE)
		SKIP(return, "no user namespaces here");
	EXPECT_EQ(0, ret);
}

static int give_away(int outer)
{
	struct kmq_attrs uid = ATTRS(.mask = KMQ_A_UID, .uid = VICTIM);
	struct kmq_attrs zero = ATTRS(.mask = KMQ_A_UID, .uid = 0);
	struct kmq_attrs at;
	int q;

	CHECK(!open_own(outer));
	q = create("q", BOTH, NULL);
	CHECK(q >= 0);
	/* nobody has that id here */
	CHECK(alter("q", &uid, NULL) == -EINVAL);
	CHECK(create("r", BOTH, &uid) == -EINVAL);
	CHECK(!alter("q", &zero, NULL));
	at = attrs_of(q);
	CHECK(!at.uid && !at.gid);
	return failed;
}

TEST_F(abi, its_objects_belong_to_who_has_a_name_there)
{
	int own = open(KMQ_DEVICE, O_RDWR), ret;

	ret = inside(give_away, own);
	if (ret == NOT_HERE)
		SKIP(return, "no user namespaces here");
	EXPECT_EQ(0, ret);
}

/* ---- who is who --------------------------------------------------------- */

static union {
	struct kmq_record rec;
	char buf[256];
} in;

static int receive(int q)
{
	struct kmq_xfer_args x = xfer_recv(&in, sizeof(in));

	x.max_records = 1;
	return xfer(q, &x);
}

static int see_and_send(int q)
{
	struct kmq_attrs at = attrs_of(q);

	/* others' ids do not exist here */
	CHECK(at.uid == 65534 && at.gid == 65534);
	CHECK(!receive(q));
	CHECK(in.rec.uid == 65534 && in.rec.gid == 65534);
	/* but its own do */
	CHECK(!put_priority(q, "x", 0));
	CHECK(!receive(q));
	CHECK(in.rec.uid == 0 && in.rec.gid == 0);
	/* as itself, and by a handle somebody else opened */
	CHECK(!put_priority(q, "me", 0));
	CHECK(!put(q, "opener"));
	return failed;
}

TEST_F(abi, everybody_sees_the_ids_of_his_own_namespace)
{
	int q = victims_queue(), ret;

	ret = inside(see_and_send, q);
	if (ret == NOT_HERE)
		SKIP(return, "no user namespaces here");
	EXPECT_EQ(0, ret);
	/* its root is nobody's root out here */
	ASSERT_EQ(0, receive(q));
	EXPECT_EQ(USER, in.rec.uid);
	EXPECT_EQ(USER, in.rec.gid);
	EXPECT_EQ(0, in.rec.flags);
	ASSERT_EQ(0, receive(q));
	EXPECT_EQ(VICTIM, in.rec.uid);
	EXPECT_EQ(KMQ_REC_OPENER, in.rec.flags);
}

/* A program with more rights writes to a handle that was pushed on it. */
TEST_F(abi, a_set_uid_program_writes_in_the_name_of_who_opened)
{
	int q = victims_queue(), s;
	pid_t pid;

	ASSERT_TRUE(get(q, "a"));
	ASSERT_TRUE(become(USER, USER));
	s = open_queue("q", SEND);
	become_root();
	ASSERT_LE(0, s);
	pid = fork_child();
	if (!pid) {
		/* root, with USER's handle for standard output and error */
		dup2(s, STDOUT_FILENO);
		dup2(s, STDERR_FILENO);
		execlp("ls", "ls", "/nothing/that/exists", NULL);
		_exit(127);
	}
	EXPECT_EQ(2, child_status(pid));
	ASSERT_EQ(0, receive(q));
	EXPECT_EQ(USER, in.rec.uid);
	EXPECT_EQ(USER, in.rec.gid);
	EXPECT_EQ(KMQ_REC_OPENER, in.rec.flags);
}

/* ---- one at its limits, another beside it ------------------------------- */

TEST_F(abi, one_who_holds_all_it_may_stops_nobody_else)
{
	struct kmq_attrs at = ATTRS(.mask = KMQ_A_MODE, .mode = 0666);
	int q = create("q", BOTH | NONBLOCK, &at), fds[64], n, other;
	static char big[60000];
	struct bg bg;

	ASSERT_EQ(0, set_limit(KMQ_SCOPE_USER, USER, KMQ_R_OBJECTS, 8));
	ASSERT_EQ(0, set_limit(KMQ_SCOPE_USER, USER, KMQ_R_HANDLES, 32));
	ASSERT_EQ(0, set_limit(KMQ_SCOPE_USER, USER, KMQ_R_BYTES, 1 << 20));
	ASSERT_TRUE(become(USER, USER));
	for (n = 0; n < 64; n++) {
		char name[16];

		snprintf(name, sizeof(name), "hoard%d", n % 8);
		fds[n] = open_queue(name, BOTH | CREATE | NONBLOCK);
		if (fds[n] < 0)
			break;
	}
	EXPECT_EQ(-EDQUOT, fds[n]);
	EXPECT_EQ(32, n);
	for (n = 0; n < 32; n++)
		while (wr(fds[n], big, sizeof(big)) > 0)
			;
	become_root();
	EXPECT_LE((1 << 20) - 2 * sizeof(big), used(USER, KMQ_R_BYTES));

	ASSERT_TRUE(become(OTHER, OTHER));
	other = open_queue("q", BOTH);
	ASSERT_LE(0, other);
	EXPECT_LE(0, create("mine", BOTH, NULL));
	bg_start(&bg, BG_READ, other, big, sizeof(big));
	ASSERT_TRUE(waiting(q, 0, 1));
	EXPECT_EQ(0, put(other, "a"));
	EXPECT_EQ(1, bg_end(&bg));
	EXPECT_EQ(sizeof(big), wr(other, big, sizeof(big)));
	become_root();
	for (n = 0; n < 32; n++)
		close(fds[n]);
	ASSERT_EQ(0, admin(NULL, KMQ_ADMIN_RESET, NULL));
	EXPECT_TRUE(WAIT_FOR(!used(USER, KMQ_R_BYTES)));
	EXPECT_EQ(0, used(USER, KMQ_R_OBJECTS));
	EXPECT_EQ(0, used(USER, KMQ_R_HANDLES));
}

TEST_HARNESS_MAIN
