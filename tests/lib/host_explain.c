// SPDX-License-Identifier: GPL-2.0-only
/*
 * Sentences that need no module; where there is none, that is what they say.
 * Queues that do not exist have names no other program uses.
 */
#include "common.h"

#define NAME "kmq-test.there-is-none"

static char text[1024];

#define assert_says(what) do { \
	if (!strstr(text, (what))) \
		fail_msg("\"%s\" is not in \"%s\"", (what), text); \
} while (0)

static int no_module(void)
{
	return access(KMQ_DEVICE, F_OK) < 0;
}

static void every_errno_has_a_sentence(void **state)
{
	int err, len;

	(void)state;
	for (err = 1; err < 134; err++) {
		memset(text, 'x', sizeof(text));
		len = kmq_explain(-1, NAME, -err, 0, text, sizeof(text));
		assert_in_range(len, 5, sizeof(text) - 1);
		assert_int_equal(strlen(text), len);
		assert_null(strchr(text, '\n'));
		len = kmq_explain(-1, NULL, -err, 0, text, sizeof(text));
		assert_in_range(len, 5, sizeof(text) - 1);
	}
}

static void text_is_cut_and_terminated(void **state)
{
	char whole[1024], cut[1024];
	size_t size;
	int len;

	(void)state;
	len = kmq_explain(-1, NAME, -EPIPE, 0, whole, sizeof(whole));
	for (size = 1; size < (size_t)len + 2; size++) {
		size_t kept = size - 1 < (size_t)len ? size - 1 : (size_t)len;

		memset(cut, 'x', sizeof(cut));
		assert_ret(kmq_explain(-1, NAME, -EPIPE, 0, cut, size), len);
		assert_int_equal(strlen(cut), kept);
		assert_memory_equal(cut, whole, kept);
		assert_int_equal(cut[size], 'x');
	}
	assert_ret(kmq_explain(-1, NAME, -EPIPE, 0, NULL, 0), len);
	assert_ret(kmq_explain(-1, NAME, -EPIPE, 0, NULL, 10), len);
}

static void errno_is_left_alone(void **state)
{
	(void)state;
	errno = 1234;
	kmq_explain(-1, NAME, -ENOENT, 0, text, sizeof(text));
	kmq_explain(-1, NAME, -EIO, 0, text, sizeof(text));
	assert_int_equal(errno, 1234);
}

static void bad_names_are_told(void **state)
{
	char longest[300];

	(void)state;
	kmq_explain(-1, "a b\n", -EINVAL, 0, text, sizeof(text));
	assert_says("\"a b\\x0a\" is no name");
	assert_says("1 to 255 bytes");
	kmq_explain(-1, "", -EINVAL, 0, text, sizeof(text));
	assert_says("\"\" is no name");
	kmq_explain(-1, ".hidden", -EINVAL, 0, text, sizeof(text));
	assert_says("\".hidden\" is no name");
	memset(longest, 'n', sizeof(longest));
	longest[256] = '\0';
	kmq_explain(-1, longest, -EINVAL, 0, text, sizeof(text));
	assert_says("is no name");
	kmq_explain(-1, "kmq.mine", -EINVAL, 0, text, sizeof(text));
	assert_says("reserved");
	kmq_explain(-1, NAME, -EINVAL, 0, text, sizeof(text));
	assert_null(strstr(text, "no name"));
}

static void attributes_are_told_with_their_range(void **state)
{
	static const struct { uint64_t attr; const char *says; } attrs[] = {
		{ KMQ_A_KIND, "kind must be KMQ_KIND_QUEUE" },
		{ KMQ_A_MODE, "mode must be" },
		{ KMQ_A_UID, "owner must be" },
		{ KMQ_A_GID, "group must be" },
		{ KMQ_A_OVERFLOW, "block, reject-publish, drop-head" },
		{ KMQ_A_MAX_MESSAGE_SIZE, "1 to 1048576 bytes" },
		{ KMQ_A_MAX_MESSAGES, "1 to 2147483647" },
		{ KMQ_A_MAX_BYTES, "max_bytes must hold" },
		{ 1ull << 63, "this library does not know" },
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(attrs); i++) {
		kmq_explain(-1, NAME, -EINVAL, attrs[i].attr, text,
			    sizeof(text));
		assert_says(attrs[i].says);
	}
	kmq_explain(-1, NAME, -EINVAL, KMQ_A_MODE | KMQ_A_MAX_MESSAGES, text,
		    sizeof(text));
	assert_says("mode must be");
	assert_says("1 to 2147483647");
	kmq_explain(-1, NAME, -EEXIST, KMQ_A_MAX_BYTES | KMQ_A_OVERFLOW, text,
		    sizeof(text));
	assert_says("differs in overflow, max_bytes");
}

static void missing_device_is_told(void **state)
{
	struct kmq_info_args info;
	uint64_t cursor = 0;
	struct kmq_object_row row;

	(void)state;
	if (!no_module())
		skip();
	assert_ret(kmq_ctl_open(-1), -ENOENT);
	assert_ret(kmq_info(-1, &info), -ENOENT);
	assert_ret(kmq_open(-1, NAME, BOTH, NULL), -ENOENT);
	assert_ret(kmq_delete(-1, NAME, 0), -ENOENT);
	assert_ret(kmq_stat(-1, NAME, NULL, NULL), -ENOENT);
	assert_ret(kmq_list_objects(-1, &cursor, &row, 1), -ENOENT);
	kmq_explain(-1, NAME, -ENOENT, 0, text, sizeof(text));
	assert_says("/dev/kmq does not exist");
	assert_says("sudo modprobe kmq");
	kmq_explain(-1, NULL, -ENOENT, 0, text, sizeof(text));
	assert_says("/dev/kmq does not exist");
}

static void wrong_file_descriptors(void **state)
{
	struct kmq_stat_args st;
	struct kmq_info_args info;
	int fds[2];

	(void)state;
	assert_int_equal(pipe(fds), 0);
	assert_ret(kmq_send(fds[1], "x", 1, 0), -ENOTTY);
	assert_ret(kmq_fstat(fds[0], &st, NULL), -ENOTTY);
	assert_ret(kmq_info(fds[0], &info), -ENOTTY);
	assert_ret(kmq_shutdown(fds[0], KMQ_OPEN_RECV), -ENOTTY);
	close(fds[0]);
	close(fds[1]);
	assert_ret(kmq_send(fds[1], "x", 1, 0), -EBADF);
	assert_ret(kmq_next_size(-1), -EBADF);
	assert_ret(kmq_info(-2, &info), -EBADF);
	assert_ret(kmq_ctl_open(-2), -EBADF);
	assert_ret(kmq_info(-1, NULL), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_errno_has_a_sentence),
		cmocka_unit_test(text_is_cut_and_terminated),
		cmocka_unit_test(errno_is_left_alone),
		cmocka_unit_test(bad_names_are_told),
		cmocka_unit_test(attributes_are_told_with_their_range),
		cmocka_unit_test(missing_device_is_told),
		cmocka_unit_test(wrong_file_descriptors),
	};

	return cmocka_run_group_tests_name("explain", tests, NULL, NULL);
}
