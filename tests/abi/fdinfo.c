// SPDX-License-Identifier: GPL-2.0-only
/* /proc/PID/fdinfo of a handle */
#include "kmq-test.h"

/* The value of a field; NULL if there is none. */
static const char *field(int fd, const char *name)
{
	static char line[512];
	char path[64], *value = NULL;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	f = fopen(path, "re");
	if (!f)
		return NULL;
	while (!value && fgets(line, sizeof(line), f)) {
		line[strcspn(line, "\n")] = 0;
		if (!strncmp(line, name, strlen(name)) &&
		    !strncmp(line + strlen(name), ":\t", 2))
			value = line + strlen(name) + 2;
	}
	fclose(f);
	return value;
}

static unsigned long long number(int fd, const char *name)
{
	const char *value = field(fd, name);

	return value ? strtoull(value, NULL, 0) : ~0ull;
}

TEST_F(abi, tells_name_and_kind)
{
	int q = create("a.name", BOTH, NULL);

	ASSERT_LE(0, q);
	ASSERT_NE(NULL, field(q, "kmq-name"));
	EXPECT_STREQ("a.name", field(q, "kmq-name"));
	EXPECT_STREQ("queue", field(q, "kmq-kind"));
	EXPECT_EQ(stat_fd(q).id, number(q, "kmq-object"));
}

TEST_F(abi, tells_depth_and_limits)
{
	struct kmq_attrs at = ATTRS(
		.mask = KMQ_A_MAX_MESSAGES | KMQ_A_MAX_BYTES |
			KMQ_A_MAX_MESSAGE_SIZE,
		.max_messages = 5, .max_bytes = 4096, .max_message_size = 100);
	int q = create("q", BOTH, &at);

	ASSERT_EQ(0, put(q, "a"));
	ASSERT_EQ(0, put(q, "b"));
	EXPECT_EQ(2, number(q, "kmq-ready"));
	EXPECT_EQ(144, number(q, "kmq-bytes"));
	EXPECT_EQ(5, number(q, "kmq-max-messages"));
	EXPECT_EQ(4096, number(q, "kmq-max-bytes"));
	EXPECT_EQ(100, number(q, "kmq-max-message-size"));
}

TEST_F(abi, tells_what_the_handle_did)
{
	int q = create("q", BOTH | RECORDS, NULL);
	struct kmq_handle_row row;
	struct kmq_list_args a = {
		.size = sizeof(a), .what = KMQ_LIST_HANDLES,
		.row_size = sizeof(row), .rows = ptr(&row), .count = 1,
	};

	ASSERT_EQ(0, put_priority(q, "a", 0));
	ASSERT_EQ(0, put_priority(q, "b", 0));
	ASSERT_TRUE(get(q, "a"));
	ASSERT_EQ(0, shut(q, SEND));
	ASSERT_EQ(0, request(ctl, KMQ_IOC_LIST, &a));
	/* the same as its row in LIST */
	EXPECT_EQ(row.id, number(q, "kmq-handle"));
	EXPECT_EQ(row.flags, number(q, "kmq-flags"));
	EXPECT_EQ(row.state, number(q, "kmq-handle-state"));
	EXPECT_EQ(2, number(q, "kmq-sent"));
	EXPECT_EQ(1, number(q, "kmq-received"));
}

TEST_F(abi, tells_the_state)
{
	int q = create("q", BOTH, NULL);

	EXPECT_EQ(0, number(q, "kmq-state"));
	ASSERT_EQ(0, admin("q", KMQ_ADMIN_SEAL, NULL));
	EXPECT_EQ(KMQ_STATE_SEALED, number(q, "kmq-state"));
	ASSERT_EQ(0, delete("q", 0));
	EXPECT_EQ(KMQ_STATE_UNLINKED,
		  number(q, "kmq-state") & KMQ_STATE_UNLINKED);
}

TEST_F(abi, the_file_is_recognisable)
{
	int q = create("q", BOTH, NULL);
	char path[64], target[64] = "";

	snprintf(path, sizeof(path), "/proc/self/fd/%d", q);
	ASSERT_LT(0, readlink(path, target, sizeof(target) - 1));
	EXPECT_STREQ("anon_inode:[kmq]", target);
}

TEST_HARNESS_MAIN
