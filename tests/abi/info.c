// SPDX-License-Identifier: GPL-2.0-only
/* INFO */
#include "kmq-test.h"

static int info(int fd, struct kmq_info_args *a, int poison)
{
	memset(a, poison, sizeof(*a));
	a->size = sizeof(*a);
	a->flags = 0;
	return request(fd, KMQ_IOC_INFO, a);
}

TEST_F(abi, reports_the_hard_limits)
{
	struct kmq_info_args a;

	ASSERT_EQ(0, info(ctl, &a, POISON));
	EXPECT_EQ(KMQ_MESSAGE_MAX, a.max_message_size);
	EXPECT_EQ(KMQ_ATTR_MAX, a.max_attr_len);
	EXPECT_EQ(KMQ_XFER_MAX, a.max_xfer);
	EXPECT_EQ(KMQ_NAME_MAX, a.max_name);
	EXPECT_EQ(KMQ_A_ALL, a.attrs);
}

TEST_F(abi, reports_the_defaults)
{
	struct kmq_info_args a;

	ASSERT_EQ(0, info(ctl, &a, POISON));
	EXPECT_EQ(8192, a.default_messages);
	EXPECT_EQ(16 << 20, a.default_bytes);
	EXPECT_EQ(256 << 10, a.default_message_size);
}

TEST_F(abi, reports_features)
{
	struct kmq_info_args a;

	ASSERT_EQ(0, info(ctl, &a, POISON));
	EXPECT_EQ(KMQ_FEATURE_QUEUE | KMQ_FEATURE_WATERMARK, a.features);
}

TEST_F(abi, overwrites_everything_but_size_and_flags)
{
	struct kmq_info_args a, b;

	ASSERT_EQ(0, info(ctl, &a, POISON));
	ASSERT_EQ(0, info(ctl, &b, 0x33));
	EXPECT_EQ(0, memcmp(&a, &b, sizeof(a)));
	EXPECT_EQ(0, a.reserved);
	EXPECT_EQ(sizeof(a), a.size);
	EXPECT_EQ(0, a.flags);
}

TEST_F(abi, version_is_terminated_and_padded_with_zeros)
{
	struct kmq_info_args a;
	size_t i, len;

	ASSERT_EQ(0, info(ctl, &a, POISON));
	len = strnlen((char *)a.version, sizeof(a.version));
	EXPECT_LT(0, len);
	ASSERT_GT(sizeof(a.version), len);
	for (i = len; i < sizeof(a.version); i++)
		EXPECT_EQ(0, a.version[i]);
}

TEST_F(abi, instance_is_that_of_the_module)
{
	int other = open(KMQ_DEVICE, O_RDWR | O_CLOEXEC);
	struct kmq_info_args a, b;

	ASSERT_LE(0, other);
	ASSERT_EQ(0, info(ctl, &a, POISON));
	ASSERT_EQ(0, info(other, &b, POISON));
	EXPECT_EQ(a.instance, b.instance);
	EXPECT_NE(0, a.instance);
}

TEST_F(abi, netns_is_the_inode_of_the_namespace)
{
	struct kmq_info_args a;
	struct stat st;

	ASSERT_EQ(0, info(ctl, &a, POISON));
	ASSERT_EQ(0, stat("/proc/self/ns/net", &st));
	EXPECT_EQ(st.st_ino, a.netns);
}

TEST_F(abi, flags_must_be_zero)
{
	struct kmq_info_args a, before;

	memset(&a, POISON, sizeof(a));
	a.size = sizeof(a);
	a.flags = 1;
	before = a;
	EXPECT_EQ(-EINVAL, request(ctl, KMQ_IOC_INFO, &a));
	EXPECT_EQ(0, memcmp(&a, &before, sizeof(a)));
}

TEST_F(abi, needs_no_rights)
{
	struct kmq_info_args a;
	int ret;

	ASSERT_TRUE(become(USER, USER));
	ret = info(ctl, &a, POISON);
	become_root();
	EXPECT_EQ(0, ret);
}

TEST_F(abi, is_not_for_handles)
{
	int q = create("q", BOTH, NULL);
	struct kmq_info_args a;

	ASSERT_LE(0, q);
	EXPECT_EQ(-ENOTTY, info(q, &a, POISON));
}

TEST_HARNESS_MAIN
