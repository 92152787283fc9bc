// SPDX-License-Identifier: GPL-2.0-only
/* Who may do what */
#include "kmq-test.h"

#define GROUP	2000	/* of the queue */

static int make(__u32 uid, __u32 gid, __u32 mode)
{
	struct kmq_attrs at = ATTRS(
		.mask = KMQ_A_MODE | KMQ_A_UID | KMQ_A_GID,
		.mode = mode, .uid = uid, .gid = gid);

	return create("q", BOTH, &at);
}

/* Opens and closes as that user; in @extra group, if not 0. */
static int try_open(uid_t uid, gid_t gid, gid_t extra, __u32 flags)
{
	int fd;

	if (setgroups(extra ? 1 : 0, &extra) || setegid(gid) || seteuid(uid))
		abort();
	fd = open_queue("q", flags);
	seteuid(0);
	setegid(0);
	setgroups(0, NULL);
	if (fd >= 0)
		close(fd);
	return fd < 0 ? fd : 0;
}

TEST_F(abi, owner_group_and_others_have_their_bits)
{
	static const struct {
		uid_t uid;
		gid_t gid, extra;
		unsigned int shift;
	} who[] = {
		{ USER, USER, 0, 6 },
		{ USER, GROUP, 0, 6 },
		{ OTHER, GROUP, 0, 3 },
		{ OTHER, OTHER, GROUP, 3 },
		{ OTHER, OTHER, 0, 0 },
	};
	struct kmq_attrs at = ATTRS(.mask = KMQ_A_MODE);
	size_t i;

	ASSERT_LE(0, make(USER, GROUP, 0));
	for (at.mode = 0; at.mode <= 0777; at.mode++) {
		unsigned int bits;

		/* x means nothing */
		if (at.mode & 0111)
			continue;
		ASSERT_EQ(0, alter("q", &at, NULL));
		for (i = 0; i < ARRAY_SIZE(who); i++) {
			bits = at.mode >> who[i].shift;
			EXPECT_EQ(bits & 2 ? 0 : -EACCES,
				  try_open(who[i].uid, who[i].gid,
					   who[i].extra, SEND))
				TH_LOG("mode %o, case %zu", at.mode, i);
			EXPECT_EQ(bits & 4 ? 0 : -EACCES,
				  try_open(who[i].uid, who[i].gid,
					   who[i].extra, RECV))
				TH_LOG("mode %o, case %zu", at.mode, i);
			EXPECT_EQ((bits & 6) == 6 ? 0 : -EACCES,
				  try_open(who[i].uid, who[i].gid,
					   who[i].extra, BOTH))
				TH_LOG("mode %o, case %zu", at.mode, i);
		}
	}
}

TEST_F(abi, root_goes_past_them)
{
	ASSERT_LE(0, make(USER, GROUP, 0));
	EXPECT_EQ(0, try_open(0, 0, 0, BOTH));
}

TEST_F(abi, without_a_direction_any_right_will_do)
{
	static const struct {
		__u32 mode;
		int ret;
	} other[] = {
		{ 0000, -EACCES }, { 0001, -EACCES }, { 0660, -EACCES },
		{ 0002, 0 }, { 0004, 0 }, { 0006, 0 },
	};
	struct kmq_attrs at = ATTRS(.mask = KMQ_A_MODE);
	size_t i;

	ASSERT_LE(0, make(USER, GROUP, 0));
	for (i = 0; i < ARRAY_SIZE(other); i++) {
		at.mode = other[i].mode;
		ASSERT_EQ(0, alter("q", &at, NULL));
		EXPECT_EQ(other[i].ret, try_open(OTHER, OTHER, 0, 0))
			TH_LOG("mode %o", at.mode);
		/* the owner has it anyway */
		EXPECT_EQ(0, try_open(USER, USER, 0, 0));
	}
}

TEST_F(abi, a_refused_open_leaves_no_trace)
{
	int q = make(USER, GROUP, 0);
	struct kmq_stat_args before = stat_fd(q);

	EXPECT_EQ(-EACCES, try_open(OTHER, OTHER, 0, SEND));
	EXPECT_TRUE(same_stat(&before, q));
}

TEST_F(abi, rights_are_kept_in_the_handle)
{
	struct kmq_attrs at = ATTRS(.mask = KMQ_A_MODE, .mode = 0);
	int q;

	ASSERT_LE(0, make(USER, GROUP, 0600));
	ASSERT_TRUE(become(USER, USER));
	q = open_queue("q", BOTH);
	become_root();
	ASSERT_LE(0, q);
	ASSERT_EQ(0, alter("q", &at, NULL));
	ASSERT_TRUE(become(OTHER, OTHER));
	EXPECT_EQ(0, put(q, "a"));
	EXPECT_TRUE(get(q, "a"));
	become_root();
}

/* What somebody may do to the queue: result of each operation. */
static void administer(int result[4])
{
	struct kmq_attrs at = ATTRS(.mask = KMQ_A_MAX_MESSAGES,
				    .max_messages = 5);

	result[0] = alter("q", &at, NULL);
	result[1] = admin("q", KMQ_ADMIN_SEAL, NULL);
	result[2] = admin("q", KMQ_ADMIN_PURGE, NULL);
	result[3] = delete("q", 0);
}

TEST_F(abi, administration_is_for_the_owner)
{
	int q = make(USER, GROUP, 0666), result[4], i;
	struct kmq_stat_args before;

	ASSERT_EQ(0, put(q, "a"));
	before = stat_fd(q);
	ASSERT_TRUE(become(OTHER, GROUP));
	administer(result);
	become_root();
	for (i = 0; i < 4; i++)
		EXPECT_EQ(-EPERM, result[i]);
	EXPECT_TRUE(same_stat(&before, q));
	EXPECT_EQ(8192, attrs_of(q).max_messages);

	ASSERT_TRUE(become(USER, USER));
	administer(result);
	become_root();
	for (i = 0; i < 4; i++)
		EXPECT_EQ(0, result[i]);
}

TEST_F(abi, administration_is_for_root)
{
	int result[4], i;

	ASSERT_LE(0, make(USER, GROUP, 0));
	administer(result);
	for (i = 0; i < 4; i++)
		EXPECT_EQ(0, result[i]);
}

TEST_F(abi, a_refused_alter_blames_no_attribute)
{
	struct kmq_attrs at = ATTRS(.mask = KMQ_A_MODE, .mode = 0777);
	__u64 bad;
	int ret;

	ASSERT_LE(0, make(USER, GROUP, 0666));
	ASSERT_TRUE(become(OTHER, OTHER));
	ret = alter("q", &at, &bad);
	become_root();
	EXPECT_EQ(-EPERM, ret);
	EXPECT_EQ(0, bad);
}

TEST_F(abi, reset_is_for_who_rules_the_domain)
{
	__u64 n = 0;
	int ret;

	ASSERT_LE(0, make(USER, GROUP, 0666));
	ASSERT_TRUE(become(USER, USER));
	ret = admin(NULL, KMQ_ADMIN_RESET, &n);
	become_root();
	EXPECT_EQ(-EPERM, ret);
	EXPECT_EQ(0, n);
	EXPECT_TRUE(exists("q"));
}

/* ---- giving away -------------------------------------------------------- */

static int alter_as(uid_t uid, gid_t gid, gid_t extra,
		    const struct kmq_attrs *at, __u64 *bad)
{
	int ret;

	if (setgroups(extra ? 1 : 0, &extra) || setegid(gid) || seteuid(uid))
		abort();
	ret = alter("q", at, bad);
	seteuid(0);
	setegid(0);
	setgroups(0, NULL);
	return ret;
}

TEST_F(abi, the_owner_cannot_give_it_away)
{
	struct kmq_attrs at = ATTRS(.mask = KMQ_A_UID | KMQ_A_MODE,
				    .uid = OTHER, .mode = 0);
	int q = make(USER, USER, 0600);
	__u64 bad;

	EXPECT_EQ(-EPERM, alter_as(USER, USER, 0, &at, &bad));
	EXPECT_EQ(KMQ_A_UID, bad);
	EXPECT_EQ(USER, attrs_of(q).uid);
	EXPECT_EQ(0600, attrs_of(q).mode);
	at.uid = USER;
	EXPECT_EQ(0, alter_as(USER, USER, 0, &at, &bad));
}

TEST_F(abi, the_owner_may_choose_among_own_groups)
{
	struct kmq_attrs at = ATTRS(.mask = KMQ_A_GID, .gid = GROUP);
	int q = make(USER, USER, 0600);
	__u64 bad;

	EXPECT_EQ(-EPERM, alter_as(USER, USER, 0, &at, &bad));
	EXPECT_EQ(KMQ_A_GID, bad);
	EXPECT_EQ(USER, attrs_of(q).gid);
	EXPECT_EQ(0, alter_as(USER, USER, GROUP, &at, &bad));
	EXPECT_EQ(GROUP, attrs_of(q).gid);
}

TEST_F(abi, root_gives_away)
{
	struct kmq_attrs at = ATTRS(.mask = KMQ_A_UID | KMQ_A_GID,
				    .uid = OTHER, .gid = GROUP);
	int q = make(USER, USER, 0600);

	EXPECT_EQ(0, alter("q", &at, NULL));
	EXPECT_EQ(OTHER, attrs_of(q).uid);
	EXPECT_EQ(GROUP, attrs_of(q).gid);
}

static int create_as_user(const struct kmq_attrs *at, __u64 *bad)
{
	struct kmq_open_args a = open_args("q", BOTH | CREATE, at);
	int ret;

	if (!become(USER, USER))
		abort();
	ret = request(ctl, KMQ_IOC_OPEN, &a);
	become_root();
	*bad = a.bad;
	return ret;
}

TEST_F(abi, nobody_creates_for_others)
{
	struct kmq_attrs uid = ATTRS(.mask = KMQ_A_UID, .uid = OTHER);
	struct kmq_attrs gid = ATTRS(.mask = KMQ_A_GID, .gid = GROUP);
	struct kmq_attrs own = ATTRS(.mask = KMQ_A_UID | KMQ_A_GID,
				     .uid = USER, .gid = USER);
	__u64 bad;

	EXPECT_EQ(-EPERM, create_as_user(&uid, &bad));
	EXPECT_EQ(-EPERM, create_as_user(&gid, &bad));
	EXPECT_FALSE(exists("q"));
	EXPECT_LE(0, create_as_user(&own, &bad));
}

TEST_F(abi, the_creator_is_the_owner)
{
	struct kmq_attrs at;
	__u64 bad;
	int q = create_as_user(NULL, &bad);

	ASSERT_LE(0, q);
	at = attrs_of(q);
	EXPECT_EQ(USER, at.uid);
	EXPECT_EQ(USER, at.gid);
	EXPECT_EQ(0640, at.mode);
}

/* ---- squatting ---------------------------------------------------------- */

static int adopt_as(uid_t uid, __u32 flags)
{
	return try_open(uid, uid, 0, BOTH | CREATE | flags);
}

TEST_F(abi, create_does_not_adopt_what_belongs_to_somebody_else)
{
	ASSERT_LE(0, make(USER, USER, 0666));
	EXPECT_EQ(-EACCES, adopt_as(OTHER, 0));
	EXPECT_EQ(-EACCES, adopt_as(0, 0));
	EXPECT_EQ(0, adopt_as(USER, 0));
	/* without CREATE there is nothing to be tricked into */
	EXPECT_EQ(0, try_open(OTHER, OTHER, 0, BOTH));
}

TEST_F(abi, create_adopts_what_belongs_to_root)
{
	ASSERT_LE(0, make(0, 0, 0666));
	EXPECT_EQ(0, adopt_as(OTHER, 0));
}

TEST_F(abi, foreign_ok_adopts_anybodys)
{
	ASSERT_LE(0, make(USER, USER, 0666));
	EXPECT_EQ(0, adopt_as(OTHER, KMQ_OPEN_FOREIGN_OK));
	EXPECT_EQ(0, adopt_as(0, KMQ_OPEN_FOREIGN_OK));
}

TEST_F(abi, foreign_ok_gives_no_rights)
{
	ASSERT_LE(0, make(USER, USER, 0600));
	EXPECT_EQ(-EACCES, adopt_as(OTHER, KMQ_OPEN_FOREIGN_OK));
}

/* ---- in user namespaces ------------------------------------------------- */

TEST_F(abi, root_of_another_user_namespace_is_nobody_here)
{
	int *result = shared(sizeof(int) * 6);
	pid_t pid;

	ASSERT_LE(0, make(0, 0, 0600));
	pid = fork_child();
	if (!pid) {
		if (!become(USER, USER) || setresuid(USER, USER, USER) ||
		    unshare(CLONE_NEWUSER))
			_exit(77);
		/* all capabilities, but over the new namespace only */
		administer(result);
		result[4] = open_queue("q", BOTH);
		result[5] = admin(NULL, KMQ_ADMIN_RESET, NULL);
		_exit(0);
	}
	if (child_status(pid) == 77)
		SKIP(return, "no user namespaces here");
	EXPECT_EQ(-EPERM, result[0]);
	EXPECT_EQ(-EPERM, result[1]);
	EXPECT_EQ(-EPERM, result[2]);
	EXPECT_EQ(-EPERM, result[3]);
	EXPECT_EQ(-EACCES, result[4]);
	EXPECT_EQ(-EPERM, result[5]);
	EXPECT_TRUE(exists("q"));
}

TEST_HARNESS_MAIN
