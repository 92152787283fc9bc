// SPDX-License-Identifier: GPL-2.0-only
/* Objects and control fds: every call by name, and its errors. */
#include "common.h"

static void open_and_create(void **state)
{
	struct kmq_opened opened;
	uint64_t id;
	int fd;

	(void)state;
	memset(&opened, 0xa5, sizeof(opened));
	assert_ret(kmq_open_report(-1, queue, BOTH, NULL, &opened), -ENOENT);
	assert_int_equal(opened.created, 0);

	fd = kmq_open_report(-1, queue, BOTH | KMQ_OPEN_CREATE, NULL, &opened);
	assert_true(fd >= 0);
	assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	assert_int_equal(opened.created, 1);
	assert_true(opened.id != 0);
	id = opened.id;
	close(fd);

	fd = kmq_open_report(-1, queue, BOTH | KMQ_OPEN_CREATE, NULL, &opened);
	assert_true(fd >= 0);
	assert_int_equal(opened.created, 0);
	assert_true(opened.id == id);
	assert_true(opened.differs == 0);
	close(fd);

	assert_ret(kmq_open(-1, queue, BOTH | KMQ_OPEN_CREATE | KMQ_OPEN_EXCL,
			    NULL), -EEXIST);
}

static void differences_are_reported(void **state)
{
	struct kmq_attrs attrs = KMQ_ATTRS_INIT;
	struct kmq_opened opened;
	int fd;

	(void)state;
	make_queue(10, 0, 0);
	attrs.mask |= KMQ_A_MAX_MESSAGES | KMQ_A_OVERFLOW;
	attrs.max_messages = 11;
	attrs.overflow = KMQ_OVERFLOW_BLOCK;
	fd = kmq_open_report(-1, queue, BOTH | KMQ_OPEN_CREATE, &attrs,
			     &opened);
	assert_true(fd >= 0);
	assert_true(opened.differs == KMQ_A_MAX_MESSAGES);
	close(fd);
	assert_ret(kmq_open_report(-1, queue, BOTH | KMQ_OPEN_CREATE |
				   KMQ_OPEN_MATCH, &attrs, &opened), -EEXIST);
	assert_true(opened.differs == KMQ_A_MAX_MESSAGES);
	attrs.max_messages = 10;
	fd = kmq_open(-1, queue, BOTH | KMQ_OPEN_CREATE | KMQ_OPEN_MATCH,
		      &attrs);
	assert_true(fd >= 0);
	close(fd);
}

static void bad_attributes_are_named(void **state)
{
	static const struct { uint64_t bit; struct kmq_attrs attrs; } bad[] = {
		{ KMQ_A_KIND, { .kind = 99 } },
		{ KMQ_A_OVERFLOW, { .overflow = 99 } },
		{ KMQ_A_MAX_MESSAGE_SIZE, { .max_message_size = 0 } },
		{ KMQ_A_MAX_MESSAGE_SIZE,
		  { .max_message_size = KMQ_MESSAGE_MAX + 1 } },
		{ KMQ_A_MAX_MESSAGES, { .max_messages = 0 } },
		{ KMQ_A_MAX_MESSAGES, { .max_messages = 1ull << 31 } },
		{ KMQ_A_MAX_BYTES, { .max_bytes = 64 } },
	};
	struct kmq_opened opened;
	struct kmq_attrs attrs;
	uint64_t mask;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		attrs = bad[i].attrs;
		attrs.mask = bad[i].bit;
		assert_ret(kmq_open_report(-1, queue, BOTH | KMQ_OPEN_CREATE,
					   &attrs, &opened), -EINVAL);
		assert_true(opened.bad == bad[i].bit);
		assert_ret(kmq_stat(-1, queue, NULL, NULL), -ENOENT);
	}
	make_queue(0, 0, 0);
	for (i = 1; i < ARRAY_SIZE(bad); i++) {
		attrs = bad[i].attrs;
		attrs.mask = bad[i].bit;
		mask = 0;
		assert_ret(kmq_alter(-1, queue, &attrs, &mask), -EINVAL);
		assert_true(mask == bad[i].bit);
		assert_ret(kmq_alter(-1, queue, &attrs, NULL), -EINVAL);
	}
}

static void bad_names_and_flags(void **state)
{
	char name[300];

	(void)state;
	memset(name, 'n', sizeof(name));
	name[256] = '\0';
	assert_ret(kmq_open(-1, NULL, BOTH | KMQ_OPEN_CREATE, NULL), -EINVAL);
	assert_ret(kmq_open(-1, "", BOTH | KMQ_OPEN_CREATE, NULL), -EINVAL);
	assert_ret(kmq_open(-1, name, BOTH | KMQ_OPEN_CREATE, NULL), -EINVAL);
	assert_ret(kmq_open(-1, "a b", BOTH | KMQ_OPEN_CREATE, NULL), -EINVAL);
	assert_ret(kmq_open(-1, "-a", BOTH | KMQ_OPEN_CREATE, NULL), -EINVAL);
	assert_ret(kmq_open(-1, queue, 1u << 31 | KMQ_OPEN_CREATE, NULL),
		   -EINVAL);
	name[255] = '\0';
	assert_int_equal(close(kmq_open(-1, name, BOTH | KMQ_OPEN_CREATE,
					NULL)), 0);
	assert_ret(kmq_alter(-1, NULL, NULL, NULL), -EINVAL);
	assert_ret(kmq_alter(-1, queue, NULL, NULL), -EINVAL);
	assert_ret(kmq_delete(-1, NULL, 0), -EINVAL);
	assert_ret(kmq_delete(-1, name, 1u << 31), -EINVAL);
	assert_ret(kmq_seal(-1, NULL), -EINVAL);
	assert_ret(kmq_unseal(-1, NULL), -EINVAL);
	assert_ret(kmq_purge(-1, NULL, NULL), -EINVAL);
	assert_ret(kmq_stat(-1, NULL, NULL, NULL), -EINVAL);
	assert_ret(kmq_stat(-1, name, NULL, NULL), 0);
}

static void owner_can_be_demanded(void **state)
{
	struct kmq_attrs attrs = { .mask = KMQ_A_UID, .uid = 12345 };
	int fd;

	(void)state;
	make_queue(0, 0, 0);
	fd = kmq_open(-1, queue, BOTH | KMQ_OPEN_OWNER, NULL);
	assert_true(fd >= 0);
	close(fd);
	assert_ret(kmq_open(-1, queue, BOTH | KMQ_OPEN_OWNER, &attrs), -EPERM);
	attrs.uid = geteuid();
	fd = kmq_open(-1, queue, BOTH | KMQ_OPEN_OWNER, &attrs);
	assert_true(fd >= 0);
	close(fd);
}

static void alter_changes_what_is_masked(void **state)
{
	struct kmq_attrs attrs = { .mask = KMQ_A_MAX_MESSAGES | KMQ_A_MODE,
				   .max_messages = 7, .mode = 0600,
				   .max_bytes = 1 };
	struct kmq_attrs now, before;
	uint64_t bad = ~0ull;

	(void)state;
	assert_ret(kmq_alter(-1, queue, &attrs, &bad), -ENOENT);
	assert_true(bad == 0);
	make_queue(0, 0, 0);
	assert_ret(kmq_stat(-1, queue, NULL, &before), 0);
	assert_ret(kmq_alter(-1, queue, &attrs, NULL), 0);
	assert_ret(kmq_stat(-1, queue, NULL, &now), 0);
	assert_int_equal(now.size, sizeof(now));
	assert_true(now.mask == KMQ_A_ALL);
	assert_int_equal(now.kind, KMQ_KIND_QUEUE);
	assert_int_equal(now.max_messages, 7);
	assert_int_equal(now.mode, 0600);
	assert_int_equal(now.max_bytes, before.max_bytes);
	assert_int_equal(now.max_message_size, before.max_message_size);
}

static void delete_with_conditions(void **state)
{
	struct kmq_stat_args st;
	int fd = handle(BOTH);

	(void)state;
	assert_ret(kmq_send(fd, "x", 1, 0), 0);
	assert_ret(kmq_delete(-1, queue, KMQ_DELETE_IF_EMPTY), -ENOTEMPTY);
	assert_ret(kmq_delete(-1, queue, KMQ_DELETE_IF_UNUSED), -EBUSY);
	assert_int_equal(depth(), 1);

	/* Only the name goes: the handle works on, the name is free. */
	assert_ret(kmq_delete(-1, queue, KMQ_DELETE_UNLINK), 0);
	assert_ret(kmq_delete(-1, queue, 0), -ENOENT);
	assert_ret(kmq_send(fd, "y", 1, 0), 0);
	assert_ret(kmq_fstat(fd, &st, NULL), 0);
	assert_int_equal(st.state, KMQ_STATE_UNLINKED);
	assert_int_equal(st.ready, 2);

	fd = handle(BOTH);
	assert_ret(kmq_delete(-1, queue, 0), 0);
	assert_ret(kmq_send(fd, "x", 1, -1), -EIDRM);
	assert_ret(kmq_recv(fd, NULL, 0, NULL, -1), -EIDRM);
}

static void seal_and_unseal(void **state)
{
	int fd = handle(BOTH);
	char body[8];

	(void)state;
	assert_ret(kmq_seal(-1, "no.such"), -ENOENT);
	assert_ret(kmq_send(fd, "x", 1, 0), 0);
	assert_ret(kmq_seal(-1, queue), 0);
	assert_ret(kmq_send(fd, "y", 1, -1), -EPIPE);
	assert_ret(kmq_recv(fd, body, 8, NULL, -1), 1);
	assert_ret(kmq_recv(fd, body, 8, NULL, -1), -ENODATA);
	assert_ret(kmq_unseal(-1, queue), 0);
	assert_ret(kmq_recv(fd, body, 8, NULL, 0), -EAGAIN);
	assert_ret(kmq_send(fd, "z", 1, 0), 0);
	assert_ret(kmq_recv(fd, body, 8, NULL, 0), 1);
}

static void purge_counts(void **state)
{
	uint64_t purged = 99;
	int fd = handle(BOTH), i;

	(void)state;
	for (i = 0; i < 300; i++)
		assert_ret(kmq_send(fd, "x", 1, 0), 0);
	assert_ret(kmq_purge(-1, "no.such", &purged), -ENOENT);
	assert_int_equal(purged, 0);
	assert_ret(kmq_purge(-1, queue, &purged), 0);
	assert_int_equal(purged, 300);
	assert_int_equal(depth(), 0);
	assert_ret(kmq_purge(-1, queue, NULL), 0);
}

static void stat_and_fstat_agree(void **state)
{
	struct kmq_stat_args st, fst;
	struct kmq_attrs attrs, fattrs;
	int fd = handle(BOTH);
	char body[8];

	(void)state;
	assert_ret(kmq_send(fd, "12345678", 8, 0), 0);
	assert_ret(kmq_send(fd, "x", 1, 0), 0);
	assert_ret(kmq_recv(fd, body, sizeof(body), NULL, 0), 8);
	memset(&st, 0xa5, sizeof(st));
	memset(&attrs, 0xa5, sizeof(attrs));
	assert_ret(kmq_stat(-1, queue, &st, &attrs), 0);
	assert_ret(kmq_fstat(fd, &fst, &fattrs), 0);
	assert_int_equal(st.size, sizeof(st));
	assert_int_equal(st.ready, 1);
	assert_int_equal(st.bytes, 72);
	assert_int_equal(st.sent, 2);
	assert_int_equal(st.sent_bytes, 144);
	assert_int_equal(st.received, 1);
	assert_int_equal(st.next_seq, 3);
	assert_int_equal(st.handles, 1);
	assert_int_equal(st.senders, 1);
	assert_int_equal(st.receivers, 1);
	assert_true(st.memory >= 72);
	assert_true(st.head_time >= st.created);
	assert_true(st.name == 0 && st.attrs == 0 && st.name_len == 0);
	assert_memory_equal(&st, &fst, sizeof(st));
	assert_memory_equal(&attrs, &fattrs, sizeof(attrs));
	assert_ret(kmq_fstat(fd, NULL, NULL), 0);
}

static void info_and_control_fds(void **state)
{
	struct kmq_info_args info, other;
	int ctl = kmq_ctl_open(-1), netns, fd;

	(void)state;
	assert_true(ctl >= 0);
	assert_true(fcntl(ctl, F_GETFD) & FD_CLOEXEC);
	assert_ret(kmq_info(ctl, &info), 0);
	assert_int_equal(info.size, sizeof(info));
	assert_true(info.features & KMQ_FEATURE_QUEUE);
	assert_true(info.attrs == KMQ_A_ALL);
	assert_int_equal(info.max_message_size, KMQ_MESSAGE_MAX);
	assert_int_equal(info.max_name, KMQ_NAME_MAX);
	assert_in_range(strlen((char *)info.version), 1, 31);

	fd = kmq_open(ctl, queue, BOTH | KMQ_OPEN_CREATE, NULL);
	assert_true(fd >= 0);
	assert_ret(kmq_info(fd, &info), -ENOTTY);
	assert_ret(kmq_fstat(ctl, NULL, NULL), -EINVAL);
	assert_ret(kmq_send(ctl, "x", 1, 0), -ENOTTY);
	close(fd);

	/* Another network namespace, another domain. */
	netns = open("/proc/1/ns/net", O_RDONLY | O_CLOEXEC);
	assert_true(netns >= 0);
	fd = kmq_ctl_open(netns);
	assert_true(fd >= 0);
	assert_ret(kmq_info(fd, &other), 0);
	assert_true(other.netns != info.netns);
	assert_true(other.instance == info.instance);
	assert_ret(kmq_stat(fd, queue, NULL, NULL), -ENOENT);
	assert_ret(kmq_stat(ctl, queue, NULL, NULL), 0);
	close(fd);
	close(netns);

	assert_true(kmq_ctl_open(ctl) < 0);
	close(ctl);
	assert_ret(kmq_info(ctl, &info), -EBADF);
}

struct stranger { int ctl; int want; unsigned int flags; };

static int open_as_stranger(void *arg)
{
	struct stranger *s = arg;

	return kmq_open(s->ctl, queue, s->flags, NULL) != s->want;
}

static int change_as_stranger(void *arg)
{
	struct kmq_attrs attrs = { .mask = KMQ_A_MODE, .mode = 0666 };
	int *ctl = arg;

	if (kmq_alter(*ctl, queue, &attrs, NULL) != -EPERM)
		return 1;
	if (kmq_delete(*ctl, queue, 0) != -EPERM)
		return 2;
	if (kmq_purge(*ctl, queue, NULL) != -EPERM)
		return 3;
	if (kmq_reset(*ctl, 0, NULL) != -EPERM)
		return 4;
	if (kmq_stat(*ctl, queue, NULL, NULL) != 0)
		return 5;
	return 0;
}

static void strangers_are_kept_out(void **state)
{
	int ctl = kmq_ctl_open(-1);
	struct kmq_attrs attrs = { .mask = KMQ_A_MODE, .mode = 0600 };
	struct stranger s = { .ctl = ctl, .want = -EACCES,
			      .flags = KMQ_OPEN_SEND };

	(void)state;
	make_queue(0, 0, 0);
	assert_ret(kmq_alter(-1, queue, &attrs, NULL), 0);
	assert_int_equal(as_user(54320, open_as_stranger, &s), 0);
	assert_int_equal(as_user(54320, change_as_stranger, &ctl), 0);
	attrs.mode = 0662;
	assert_ret(kmq_alter(-1, queue, &attrs, NULL), 0);
	s.flags = KMQ_OPEN_RECV;
	assert_int_equal(as_user(54320, open_as_stranger, &s), 0);
	close(ctl);
}

static void reset_empties_the_domain(void **state)
{
	uint64_t deleted = 0;
	int i;

	(void)state;
	for (i = 0; i < 3; i++) {
		guest_setup(NULL);
		handle(BOTH);
	}
	assert_ret(kmq_reset(-1, 0, &deleted), 0);
	assert_int_equal(deleted, 3);
	assert_ret(kmq_reset(-1, 0, NULL), 0);
	assert_ret(kmq_stat(-1, queue, NULL, NULL), -ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		guest_test(open_and_create),
		guest_test(differences_are_reported),
		guest_test(bad_attributes_are_named),
		guest_test(bad_names_and_flags),
		guest_test(owner_can_be_demanded),
		guest_test(alter_changes_what_is_masked),
		guest_test(delete_with_conditions),
		guest_test(seal_and_unseal),
		guest_test(purge_counts),
		guest_test(stat_and_fstat_agree),
		guest_test(info_and_control_fds),
		guest_test(strangers_are_kept_out),
		guest_test(reset_empties_the_domain),
	};

	enter_domain();
	return cmocka_run_group_tests_name("object", tests, NULL, NULL);
}
