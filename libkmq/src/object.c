// SPDX-License-Identifier: LGPL-2.1-or-later
/* Objects: open and create, alter, delete, seal, purge, look at. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "internal.h"

/*
 * What the kernel is to read: the caller's own structure if it says how long
 * it is (its program may know a longer or a shorter layout than this library),
 * else a copy with the size filled in.
 */
static uint64_t attrs_address(const struct kmq_attrs *attrs,
			      struct kmq_attrs *copy)
{
	if (!attrs || attrs->size)
		return kmq__address(attrs);
	*copy = *attrs;
	copy->size = sizeof(*copy);
	return kmq__address(copy);
}

static uint32_t expected_owner(const struct kmq_attrs *attrs)
{
	if (attrs && (attrs->mask & KMQ_A_UID))
		return attrs->uid;
	return geteuid();
}

int kmq_open_report(int ctl, const char *name, unsigned int flags,
		    const struct kmq_attrs *attrs, struct kmq_opened *opened)
{
	struct kmq_open_args args = { .size = sizeof(args), .flags = flags };
	struct kmq_attrs copy;
	int ret;

	if (opened)
		memset(opened, 0, sizeof(*opened));
	ret = kmq__name(name, &args.name, &args.name_len);
	if (ret < 0)
		return ret;
	args.attrs = attrs_address(attrs, &copy);
	if (flags & KMQ_OPEN_OWNER)
		args.owner = expected_owner(attrs);

	ret = kmq__ctl_call(ctl, KMQ_IOC_OPEN, &args);
	if (opened) {
		opened->id = args.id;
		opened->differs = args.differs;
		opened->bad = args.bad;
		opened->created = (int)args.created;
	}
	return ret;
}

int kmq_open(int ctl, const char *name, unsigned int flags,
	     const struct kmq_attrs *attrs)
{
	return kmq_open_report(ctl, name, flags, attrs, NULL);
}

int kmq_alter(int ctl, const char *name, const struct kmq_attrs *attrs,
	      uint64_t *bad)
{
	struct kmq_alter_args args = { .size = sizeof(args) };
	struct kmq_attrs copy;
	int ret;

	if (bad)
		*bad = 0;
	if (!attrs)
		return -EINVAL;
	ret = kmq__name(name, &args.name, &args.name_len);
	if (ret < 0)
		return ret;
	args.attrs = attrs_address(attrs, &copy);

	ret = kmq__ctl_call(ctl, KMQ_IOC_ALTER, &args);
	if (bad)
		*bad = args.bad;
	return ret < 0 ? ret : 0;
}

int kmq_delete(int ctl, const char *name, unsigned int flags)
{
	struct kmq_delete_args args = { .size = sizeof(args), .flags = flags };
	int ret;

	ret = kmq__name(name, &args.name, &args.name_len);
	if (ret < 0)
		return ret;
	ret = kmq__ctl_call(ctl, KMQ_IOC_DELETE, &args);
	return ret < 0 ? ret : 0;
}

static int admin(int ctl, const char *name, unsigned int op, uint64_t *result)
{
	struct kmq_admin_args args = { .size = sizeof(args), .op = op };
	int ret;

	if (result)
		*result = 0;
	ret = kmq__name(name, &args.name, &args.name_len);
	if (ret < 0)
		return ret;
	ret = kmq__ctl_call(ctl, KMQ_IOC_ADMIN, &args);
	if (result)
		*result = args.result;
	return ret < 0 ? ret : 0;
}

int kmq_seal(int ctl, const char *name)
{
	return admin(ctl, name, KMQ_ADMIN_SEAL, NULL);
}

int kmq_unseal(int ctl, const char *name)
{
	return admin(ctl, name, KMQ_ADMIN_UNSEAL, NULL);
}

int kmq_purge(int ctl, const char *name, uint64_t *purged)
{
	return admin(ctl, name, KMQ_ADMIN_PURGE, purged);
}

int kmq_reset(int ctl, int all_domains, uint64_t *deleted)
{
	struct kmq_admin_args args = {
		.size = sizeof(args),
		.flags = all_domains ? KMQ_RESET_ALL_DOMAINS : 0,
		.op = KMQ_ADMIN_RESET,
	};
	int ret = kmq__ctl_call(ctl, KMQ_IOC_ADMIN, &args);

	if (deleted)
		*deleted = args.result;
	return ret < 0 ? ret : 0;
}

int kmq_shutdown(int fd, unsigned int what)
{
	struct kmq_admin_args args = {
		.size = sizeof(args),
		.op = KMQ_ADMIN_SHUTDOWN,
		.arg = what,
	};
	int ret = kmq__ioctl(fd, KMQ_IOC_ADMIN, &args);

	return ret < 0 ? ret : 0;
}

/* Hand out what the kernel filled in, without the addresses sent to it. */
static void stat_result(const struct kmq_stat_args *args,
			const struct kmq_attrs *got,
			struct kmq_stat_args *stat, struct kmq_attrs *attrs)
{
	if (stat) {
		*stat = *args;
		stat->name = 0;
		stat->name_len = 0;
		stat->attrs = 0;
	}
	if (attrs)
		*attrs = *got;
}

int kmq_stat(int ctl, const char *name, struct kmq_stat_args *stat,
	     struct kmq_attrs *attrs)
{
	struct kmq_attrs got = { .size = sizeof(got) };
	struct kmq_stat_args args = { .size = sizeof(args) };
	int ret;

	ret = kmq__name(name, &args.name, &args.name_len);
	if (ret < 0)
		return ret;
	if (attrs)
		args.attrs = kmq__address(&got);
	ret = kmq__ctl_call(ctl, KMQ_IOC_STAT, &args);
	if (ret < 0)
		return ret;
	stat_result(&args, &got, stat, attrs);
	return 0;
}

int kmq_fstat(int fd, struct kmq_stat_args *stat, struct kmq_attrs *attrs)
{
	struct kmq_attrs got = { .size = sizeof(got) };
	struct kmq_stat_args args = { .size = sizeof(args) };
	int ret;

	if (attrs)
		args.attrs = kmq__address(&got);
	ret = kmq__ioctl(fd, KMQ_IOC_STAT, &args);
	if (ret < 0)
		return ret;
	stat_result(&args, &got, stat, attrs);
	return 0;
}
