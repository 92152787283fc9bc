// SPDX-License-Identifier: GPL-2.0-only
/* What is in use cannot be unloaded */
#include "kmq-test.h"

static int references(void)
{
	int fd = open("/sys/module/kmq/refcnt", O_RDONLY | O_CLOEXEC), n;
	char text[32] = "";

	n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
	close(fd);
	return n > 0 ? atoi(text) : -1;
}

static int unload(void)
{
	return result(syscall(SYS_delete_module, "kmq", O_NONBLOCK));
}

TEST_F(abi, a_control_fd_pins_the_module)
{
	int before = references(), fd = open(KMQ_DEVICE, O_RDWR | O_CLOEXEC);

	ASSERT_LE(1, before);
	EXPECT_EQ(before + 1, references());
	EXPECT_EQ(-EAGAIN, unload());
	close(fd);
	EXPECT_EQ(before, references());
}

TEST_F(abi, an_object_pins_the_module)
{
	int before = references(), q = create("q", BOTH, NULL);

	EXPECT_LT(before, references());
	close(q);
	EXPECT_EQ(before + 1, references());
	/* without any fd open, the messages are safe */
	close(ctl);
	EXPECT_EQ(before, references());
	EXPECT_EQ(-EAGAIN, unload());
	ctl = open(KMQ_DEVICE, O_RDWR | O_CLOEXEC);
	self->ctl = ctl;
	EXPECT_TRUE(exists("q"));
	ASSERT_EQ(0, delete("q", 0));
	EXPECT_EQ(before, references());
}

TEST_F(abi, a_handle_of_a_deleted_object_pins_the_module)
{
	int before = references(), q = create("q", BOTH, NULL);

	ASSERT_EQ(0, put(q, "a"));
	ASSERT_EQ(0, delete("q", 0));
	EXPECT_LT(before, references());
	EXPECT_EQ(-EAGAIN, unload());
	close(q);
	EXPECT_EQ(before, references());
}

TEST_F(abi, an_unlinked_object_pins_the_module)
{
	int before = references(), q = create("q", BOTH, NULL);

	ASSERT_EQ(0, delete("q", KMQ_DELETE_UNLINK));
	EXPECT_LT(before, references());
	close(q);
	EXPECT_EQ(before, references());
}

TEST_F(abi, opening_and_closing_leaves_the_count_as_it_was)
{
	int before = references(), i;

	for (i = 0; i < 50; i++) {
		close(create("q", BOTH, NULL));
		EXPECT_EQ(-EEXIST, create("q", BOTH, NULL));
		close(open_queue("q", RECV));
		EXPECT_EQ(-ENOENT, open_queue("none", RECV));
		ASSERT_EQ(0, delete("q", 0));
	}
	EXPECT_EQ(before, references());
}

TEST_F(abi, the_module_says_what_it_is)
{
	struct kmq_info_args info = { .size = sizeof(info) };
	char version[64] = "";
	int fd = open("/sys/module/kmq/version", O_RDONLY | O_CLOEXEC);

	ASSERT_LE(0, fd);
	ASSERT_LT(0, read(fd, version, sizeof(version) - 1));
	version[strcspn(version, "\n")] = 0;
	ASSERT_EQ(0, request(ctl, KMQ_IOC_INFO, &info));
	EXPECT_STREQ(version, (char *)info.version);
}

TEST_HARNESS_MAIN
