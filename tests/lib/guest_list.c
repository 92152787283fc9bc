// SPDX-License-Identifier: GPL-2.0-only
/* Lists and limits. */
#include "common.h"

static void objects_in_pieces(void **state)
{
	struct kmq_object_row rows[3];
	char names[10][64];
	uint64_t cursor = 0, last = 0;
	int seen = 0, i, n;

	(void)state;
	for (i = 0; i < 10; i++) {
		guest_setup(NULL);
		make_queue((uint64_t)i + 1, 0, 0);
		strcpy(names[i], queue);
	}
	do {
		n = kmq_list_objects(-1, &cursor, rows, 3);
		assert_true(n >= 0 && n <= 3);
		for (i = 0; i < n; i++, seen++) {
			assert_true(rows[i].id > last);
			last = rows[i].id;
			assert_true(seen < 10);
			assert_string_equal((char *)rows[i].name, names[seen]);
			assert_int_equal(rows[i].name_len, strlen(names[seen]));
			assert_int_equal(rows[i].kind, KMQ_KIND_QUEUE);
			assert_int_equal(rows[i].max_messages, seen + 1);
			assert_int_equal(rows[i].uid, geteuid());
		}
	} while (n);
	assert_int_equal(seen, 10);
	assert_ret(kmq_list_objects(-1, &cursor, rows, 3), 0);
}

static void more_rows_than_a_call_takes(void **state)
{
	unsigned int n = KMQ_LIST_MAX + 100;
	struct kmq_object_row *rows = calloc(n, sizeof(*rows));
	uint64_t cursor = 0;

	(void)state;
	assert_non_null(rows);
	make_queue(0, 0, 0);
	assert_ret(kmq_list_objects(-1, &cursor, rows, n), 1);
	assert_string_equal((char *)rows[0].name, queue);
	free(rows);
}

static void handles_of_one_or_all(void **state)
{
	struct kmq_handle_row rows[8];
	char first[64];
	uint64_t cursor = 0;

	(void)state;
	handle(KMQ_OPEN_SEND);
	handle(KMQ_OPEN_RECV | KMQ_OPEN_RECORDS);
	strcpy(first, queue);
	guest_setup(NULL);
	handle(BOTH);

	assert_ret(kmq_list_handles(-1, first, &cursor, rows, 8), 2);
	assert_int_equal(rows[0].flags, KMQ_OPEN_SEND);
	assert_int_equal(rows[1].flags, KMQ_OPEN_RECV | KMQ_OPEN_RECORDS);
	assert_int_equal(rows[0].pid, getpid());
	assert_string_equal((char *)rows[0].name, first);
	assert_string_equal((char *)rows[0].comm, "guest_list");
	assert_true(rows[0].object == rows[1].object);
	cursor = 0;
	assert_ret(kmq_list_handles(-1, NULL, &cursor, rows, 8), 3);
	cursor = 0;
	assert_ret(kmq_list_handles(-1, "no.such", &cursor, rows, 8), -ENOENT);
}

static void list_refuses(void **state)
{
	struct kmq_object_row row;
	struct kmq_handle_row hrow;
	uint64_t cursor = 0;

	(void)state;
	assert_ret(kmq_list_objects(-1, NULL, &row, 1), -EINVAL);
	assert_ret(kmq_list_objects(-1, &cursor, NULL, 1), -EINVAL);
	assert_ret(kmq_list_objects(-1, &cursor, &row, 0), -EINVAL);
	assert_ret(kmq_list_handles(-1, NULL, &cursor, &hrow, 0), -EINVAL);
	assert_ret(kmq_list_objects(-2, &cursor, &row, 1), -EBADF);
}

static void limits_show_use(void **state)
{
	struct kmq_limit domain[KMQ_R_COUNT], user[KMQ_R_COUNT];

	(void)state;
	assert_ret(kmq_limits(-1, KMQ_SCOPE_DOMAIN, 0, domain), 0);
	assert_int_equal(domain[KMQ_R_OBJECTS].used, 0);
	handle(BOTH);
	handle(BOTH);
	assert_ret(kmq_limits(-1, KMQ_SCOPE_DOMAIN, 0, domain), 0);
	assert_int_equal(domain[KMQ_R_OBJECTS].used, 1);
	assert_int_equal(domain[KMQ_R_HANDLES].used, 2);
	assert_true(domain[KMQ_R_OBJECTS].limit > 0);
	assert_true(domain[KMQ_R_HANDLES].peak >= 2);
	assert_ret(kmq_limits(-1, KMQ_SCOPE_USER, geteuid(), user), 0);
	assert_true(user[KMQ_R_HANDLES].used >= 2);
	assert_ret(kmq_limits(-1, KMQ_SCOPE_MODULE, 0, user), 0);
	assert_ret(kmq_limits(-1, 99, 0, user), -EINVAL);
	assert_ret(kmq_limits(-1, KMQ_SCOPE_USER, 0, NULL), -EINVAL);
	assert_ret(kmq_set_limits(-1, KMQ_SCOPE_USER, 0, 1, NULL), -EINVAL);
}

static int over_the_limit(void *arg)
{
	struct kmq_limit limits[KMQ_R_COUNT] = { { .limit = 1 } };
	const int *ctl = arg;
	char text[512];
	int fds[2], ret;

	if (kmq_set_limits(*ctl, KMQ_SCOPE_USER, 54321, 1, limits) != -EPERM)
		return 1;
	fds[0] = kmq_open(*ctl, "mine.0", BOTH | KMQ_OPEN_CREATE, NULL);
	fds[1] = kmq_open(*ctl, "mine.1", BOTH | KMQ_OPEN_CREATE, NULL);
	if (fds[0] < 0 || fds[1] < 0)
		return 2;
	ret = kmq_open(*ctl, "mine.2", BOTH | KMQ_OPEN_CREATE, NULL);
	if (ret != -EDQUOT)
		return 3;
	kmq_explain(*ctl, "mine.2", ret, 0, text, sizeof(text));
	if (!strstr(text, "2 objects") || !strstr(text, "54321") ||
	    !strstr(text, "parameters/user_max_objects")) {
		printf("# %s\n", text);
		return 4;
	}
	return 0;
}

static void limits_hold(void **state)
{
	struct kmq_limit limits[KMQ_R_COUNT], old[KMQ_R_COUNT];
	struct kmq_limit got[KMQ_R_COUNT];
	int ctl = kmq_ctl_open(-1);

	(void)state;
	memset(limits, 0, sizeof(limits));
	limits[KMQ_R_OBJECTS].limit = 2;
	/* Of a user who has nothing, and has still nothing when it is set. */
	assert_ret(kmq_limits(-1, KMQ_SCOPE_USER, 54321, old), 0);
	assert_int_equal(old[KMQ_R_HANDLES].used, 0);
	assert_true(old[KMQ_R_OBJECTS].limit != 2);
	assert_ret(kmq_set_limits(-1, KMQ_SCOPE_USER, 54321,
				  1u << KMQ_R_OBJECTS, limits), 0);
	assert_ret(kmq_limits(-1, KMQ_SCOPE_USER, 54321, got), 0);
	assert_int_equal(got[KMQ_R_OBJECTS].limit, 2);
	assert_true(got[KMQ_R_HANDLES].limit == old[KMQ_R_HANDLES].limit);
	assert_int_equal(as_user(54321, over_the_limit, &ctl), 0);
	assert_ret(kmq_limits(-1, KMQ_SCOPE_USER, 54321, got), 0);
	assert_true(got[KMQ_R_OBJECTS].refused >= 1);
	/* It would outlive the domain. */
	assert_ret(kmq_set_limits(-1, KMQ_SCOPE_USER, 54321,
				  1u << KMQ_R_OBJECTS, old), 0);
	close(ctl);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		guest_test(objects_in_pieces),
		guest_test(more_rows_than_a_call_takes),
		guest_test(handles_of_one_or_all),
		guest_test(list_refuses),
		guest_test(limits_show_use),
		guest_test(limits_hold),
	};

	enter_domain();
	return cmocka_run_group_tests_name("list", tests, NULL, NULL);
}
