// SPDX-License-Identifier: GPL-2.0-only
/* kmqbench: the control side of /dev/kmq */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "bench.h"
#include "kmqdev.h"

#define SCOPES	3u

static uint64_t saved[SCOPES][KMQ_R_COUNT];
static uint32_t changed[SCOPES];

static uint64_t address(const void *p)
{
	return (uintptr_t)p;
}

int kmqdev_control(void)
{
	int fd = open(KMQ_DEVICE, O_RDWR | O_CLOEXEC);

	if (fd < 0)
		return run_failed("%s: %s%s", KMQ_DEVICE, strerror(errno),
				  errno == ENOENT ?
				  " (is the module loaded?)" : "");
	return fd;
}

int kmqdev_open(int ctl, const struct kmqdev_queue *q, uint32_t flags)
{
	struct kmq_attrs a = {
		.size = sizeof(a),
		.mask = KMQ_A_KIND | KMQ_A_MODE | KMQ_A_MAX_MESSAGE_SIZE |
			KMQ_A_MAX_MESSAGES | KMQ_A_MAX_BYTES,
		.kind = KMQ_KIND_QUEUE,
		.mode = 0600,
		.max_message_size = q->max_message_size,
		.max_messages = q->max_messages,
		.max_bytes = q->max_bytes,
	};
	struct kmq_open_args o = {
		.size = sizeof(o),
		.flags = flags,
		.name = address(q->name),
		.name_len = strlen(q->name),
		.attrs = flags & KMQ_OPEN_CREATE ? address(&a) : 0,
	};
	int fd = ioctl(ctl, KMQ_IOC_OPEN, &o);

	if (fd < 0)
		return run_failed("opening queue %s: %s", q->name,
				  strerror(errno));
	return fd;
}

int kmqdev_delete(int ctl, const char *name, uint32_t flags)
{
	struct kmq_delete_args d = {
		.size = sizeof(d),
		.flags = flags,
		.name = address(name),
		.name_len = strlen(name),
	};

	if (ioctl(ctl, KMQ_IOC_DELETE, &d) < 0)
		return run_failed("deleting queue %s: %s", name,
				  strerror(errno));
	return 0;
}

int kmqdev_stat(int handle, struct kmq_stat_args *st)
{
	memset(st, 0, sizeof(*st));
	st->size = sizeof(*st);
	if (ioctl(handle, KMQ_IOC_STAT, st) < 0)
		return run_failed("STAT: %s", strerror(errno));
	return 0;
}

static void limits_args(struct kmq_limits_args *l, unsigned int scope)
{
	memset(l, 0, sizeof(*l));
	l->size = sizeof(*l);
	l->scope = scope;
	if (scope == KMQ_SCOPE_USER)
		l->uid = geteuid();
}

int kmqdev_limits_raise(int ctl, unsigned int r, uint64_t more)
{
	static const char *const names[] = { "module", "domain", "user" };
	struct kmq_limits_args l;
	unsigned int s;
	uint64_t want;

	for (s = 0; s < SCOPES; s++) {
		limits_args(&l, s);
		if (ioctl(ctl, KMQ_IOC_LIMITS, &l) < 0)
			return run_failed("reading the %s's limits: %s",
					  names[s], strerror(errno));
		if (l.r[r].limit - l.r[r].used >= more &&
		    l.r[r].limit >= l.r[r].used)
			continue;
		if (!(changed[s] & 1u << r)) {
			saved[s][r] = l.r[r].limit;
			changed[s] |= 1u << r;
		}
		want = l.r[r].used + more;
		limits_args(&l, s);
		l.flags = KMQ_LIMITS_SET;
		l.set_mask = 1u << r;
		l.r[r].limit = want;
		if (ioctl(ctl, KMQ_IOC_LIMITS, &l) < 0)
			return run_failed("raising the %s's limits: %s",
					  names[s], strerror(errno));
	}
	return 0;
}

void kmqdev_limits_restore(int ctl)
{
	struct kmq_limits_args l;
	unsigned int s;

	for (s = 0; s < SCOPES; s++) {
		if (!changed[s])
			continue;
		limits_args(&l, s);
		l.flags = KMQ_LIMITS_SET;
		l.set_mask = changed[s];
		for (unsigned int r = 0; r < KMQ_R_COUNT; r++)
			l.r[r].limit = saved[s][r];
		ioctl(ctl, KMQ_IOC_LIMITS, &l);
		changed[s] = 0;
	}
}
