// SPDX-License-Identifier: LGPL-2.1-or-later
/* Rows about what is in the domain. */
#include <errno.h>

#include "internal.h"

static int list(int ctl, unsigned int what, const char *name, uint64_t *cursor,
		void *rows, size_t row_size, unsigned int n)
{
	struct kmq_list_args args = {
		.size = sizeof(args),
		.what = what,
		.row_size = (uint32_t)row_size,
		.rows = kmq__address(rows),
		.count = n < KMQ_LIST_MAX ? n : KMQ_LIST_MAX,
	};
	int ret;

	if (!cursor || !rows || !n)
		return -EINVAL;
	if (name) {
		ret = kmq__name(name, &args.name, &args.name_len);
		if (ret < 0)
			return ret;
	}
	args.cursor = *cursor;
	ret = kmq__ctl_call(ctl, KMQ_IOC_LIST, &args);
	if (ret < 0)
		return ret;
	*cursor = args.cursor;
	return (int)args.count;
}

int kmq_list_objects(int ctl, uint64_t *cursor, struct kmq_object_row *rows,
		     unsigned int n)
{
	return list(ctl, KMQ_LIST_OBJECTS, NULL, cursor, rows, sizeof(*rows),
		    n);
}

int kmq_list_handles(int ctl, const char *name, uint64_t *cursor,
		     struct kmq_handle_row *rows, unsigned int n)
{
	return list(ctl, KMQ_LIST_HANDLES, name, cursor, rows, sizeof(*rows),
		    n);
}
