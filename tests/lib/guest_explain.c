// SPDX-License-Identifier: GPL-2.0-only
/* Sentences with facts from the kernel in them. */
#include <sys/stat.h>

#include "common.h"

static char text[1024];

#define assert_says(what) do { \
	if (!strstr(text, (what))) \
		fail_msg("\"%s\" is not in \"%s\"", (what), text); \
} while (0)

static void say(int err, uint64_t detail)
{
	int len = kmq_explain(-1, queue, err, detail, text, sizeof(text));

	assert_int_equal(len, strlen(text));
}

static void missing_queue(void **state)
{
	struct kmq_info_args info;
	char what[128];

	(void)state;
	say(-ENOENT, 0);
	assert_ret(kmq_info(-1, &info), 0);
	snprintf(what, sizeof(what), "no queue %s in this domain (network namespace %llu)",
		 queue, (unsigned long long)info.netns);
	assert_says(what);
	snprintf(what, sizeof(what), "kmqctl queue create %s", queue);
	assert_says(what);
}

static void full_and_empty(void **state)
{
	struct kmq_attrs attrs = { .mask = KMQ_A_MAX_BYTES |
					   KMQ_A_MAX_MESSAGE_SIZE,
				   .max_message_size = 100, .max_bytes = 200 };
	char what[128];
	int fd;

	(void)state;
	make_queue(2, 0, 0);
	fd = handle(BOTH);
	say(-EAGAIN, 0);
	snprintf(what, sizeof(what), "%s is empty (1 sender)", queue);
	assert_string_equal(text, what);
	say(-ETIMEDOUT, 0);
	assert_says("timed out: ");
	assert_says(what);

	assert_ret(kmq_send(fd, "x", 1, 0), 0);
	say(-EAGAIN, 0);
	assert_says("now it holds 1 of 2 messages");
	assert_ret(kmq_send(fd, "x", 1, 0), 0);
	say(-EAGAIN, 0);
	snprintf(what, sizeof(what), "%s is full (2 messages, 1 consumer)",
		 queue);
	assert_string_equal(text, what);
	handle(KMQ_OPEN_RECV);
	say(-ETIMEDOUT, 0);
	assert_says("is full (2 messages, 2 consumers)");

	assert_ret(kmq_recv(fd, text, 1, NULL, 0), 1);
	assert_ret(kmq_alter(-1, queue, &attrs, NULL), 0);
	say(-EAGAIN, 0);
	assert_says("is full (72 of 200 bytes, 2 consumers)");
}

static void values_in_the_way(void **state)
{
	int fd;

	(void)state;
	make_queue(10, 0, 100);
	fd = handle(BOTH);
	say(-EEXIST, 0);
	assert_says("exists already");
	say(-EEXIST, KMQ_A_MAX_MESSAGES | KMQ_A_MAX_MESSAGE_SIZE);
	assert_says("differs in max_message_size (is 100), max_messages (is 10)");
	say(-EINVAL, KMQ_A_MAX_BYTES);
	assert_says("(168 bytes on test.");
	say(-EMSGSIZE, 0);
	assert_says("up to 100 bytes");
	say(-EBUSY, 0);
	assert_says("1 open handle;");
	assert_ret(kmq_send(fd, "x", 1, 0), 0);
	say(-ENOTEMPTY, 0);
	assert_says("still holds 1 message;");
	assert_says("kmqctl queue purge");
	say(-EPIPE, 0);
	assert_says("is sealed");
	say(-EOPNOTSUPP, 0);
	assert_says("by kmq ");
}

static int denied(void *arg)
{
	const int *ctl = arg;
	int ret;

	ret = kmq_open(*ctl, queue, KMQ_OPEN_RECV, NULL);
	kmq_explain(*ctl, queue, ret, 0, text, sizeof(text));
	if (ret != -EACCES || !strstr(text, "belongs to root:root, mode 0602") ||
	    !strstr(text, "as other you may send"))
		goto unexpected;
	ret = kmq_delete(*ctl, queue, 0);
	kmq_explain(*ctl, queue, ret, 0, text, sizeof(text));
	if (ret != -EPERM || !strstr(text, "belongs to root: only its owner"))
		goto unexpected;
	return 0;

unexpected:
	printf("# %d: %s\n", ret, text);
	return 1;
}

static int planted(void *arg)
{
	const int *ctl = arg;
	int ret;

	ret = kmq_open(*ctl, queue, BOTH | KMQ_OPEN_CREATE, NULL);
	kmq_explain(*ctl, queue, ret, 0, text, sizeof(text));
	if (ret == -EACCES && strstr(text, "belongs to 54320:") &&
	    strstr(text, "KMQ_OPEN_FOREIGN_OK"))
		return 0;
	printf("# %d: %s\n", ret, text);
	return 1;
}

static void rights(void **state)
{
	struct kmq_attrs attrs = { .mask = KMQ_A_MODE | KMQ_A_UID, .mode = 0602 };
	int ctl = kmq_ctl_open(-1);

	(void)state;
	make_queue(0, 0, 0);
	assert_ret(kmq_alter(-1, queue, &attrs, NULL), 0);
	assert_int_equal(as_user(54321, denied, &ctl), 0);
	attrs.mode = 0666;
	attrs.uid = 54320;
	assert_ret(kmq_alter(-1, queue, &attrs, NULL), 0);
	assert_int_equal(as_user(54321, planted, &ctl), 0);
	close(ctl);
}

static int locked_out(void *arg)
{
	int ret = kmq_ctl_open(-1);

	(void)arg;
	kmq_explain(-1, "jobs", ret, 0, text, sizeof(text));
	if (ret == -EACCES && strstr(text, "no access to /dev/kmq") &&
	    strstr(text, "group"))
		return 0;
	printf("# %d: %s\n", ret, text);
	return 1;
}

static void device_closed(void **state)
{
	struct stat st;
	int result;

	(void)state;
	/* Not on a machine where others may be at work. */
	if (!getenv("KMQ_VM"))
		skip();
	assert_int_equal(stat(KMQ_DEVICE, &st), 0);
	assert_int_equal(chmod(KMQ_DEVICE, 0600), 0);
	result = as_user(54321, locked_out, NULL);
	assert_int_equal(chmod(KMQ_DEVICE, st.st_mode & 07777), 0);
	assert_int_equal(result, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		guest_test(missing_queue),
		guest_test(full_and_empty),
		guest_test(values_in_the_way),
		guest_test(rights),
		guest_test(device_closed),
	};

	enter_domain();
	return cmocka_run_group_tests_name("explain", tests, NULL, NULL);
}
