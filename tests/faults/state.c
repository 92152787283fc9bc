// SPDX-License-Identifier: GPL-2.0-only
/* What must be as before when a call has failed. */
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>

#include "faults.h"

/* Bytes are drawn in steps, up to two for a handle that sends. */
#define CREDIT		(2ull * 64 << 10)
#define SETTLES		200	/* ms, for what is done behind the caller */

static int ctl_fd = -1;

/* A control fd of the program, by which the domain can be looked at. */
void state_opened(int fd)
{
	ctl_fd = fd;
}

static void take_limits(int ctl, struct state *st)
{
	unsigned int i, r;

	for (i = 0; i < 3; i++) {
		struct kmq_limits_args *l = &st->limits[i];

		l->size = sizeof(*l);
		l->scope = i;
		l->uid = i == KMQ_SCOPE_USER ? geteuid() : 0;
		sys(SYS_ioctl, ctl, KMQ_IOC_LIMITS, l);
		for (r = 0; r < KMQ_R_COUNT; r++)
			l->r[r].peak = 0;
	}
}

static unsigned int take_rows(int ctl, unsigned int what, void *rows,
			      size_t size)
{
	struct kmq_list_args l = {
		.size = sizeof(l), .what = what, .row_size = size,
		.rows = (uintptr_t)rows, .count = MAX_ROWS,
	};

	return sys(SYS_ioctl, ctl, KMQ_IOC_LIST, &l) ? 0 : l.count;
}

static void take_ctl(int ctl, struct state *st)
{
	unsigned int i;

	take_limits(ctl, st);
	st->objects = take_rows(ctl, KMQ_LIST_OBJECTS, st->object,
				sizeof(st->object[0]));
	st->handles = take_rows(ctl, KMQ_LIST_HANDLES, st->handle,
				sizeof(st->handle[0]));
	for (i = 0; i < st->handles; i++)
		st->handle[i].waiting_since = 0;
}

static void take_handle(int fd, struct state *st)
{
	struct pollfd p = { .fd = fd, .events = POLLIN | POLLOUT | POLLRDHUP };

	st->stat.size = sizeof(st->stat);
	st->attrs.size = sizeof(st->attrs);
	st->stat.attrs = (uintptr_t)&st->attrs;
	sys(SYS_ioctl, fd, KMQ_IOC_STAT, &st->stat);
	st->stat.attrs = 0;
	sys(SYS_ioctl, fd, FIONREAD, &st->next_size);
	sys(SYS_poll, &p, 1, 0);
	st->revents = p.revents;
}

void state_take(const struct call *c, struct state *st)
{
	int ctl = c->file == CTL ? c->fd : ctl_fd;

	memset(st, 0, sizeof(*st));
	if (file_of(ctl) == CTL) {
		st->has_ctl = true;
		take_ctl(ctl, st);
	}
	if (c->file == HANDLE) {
		st->has_handle = true;
		take_handle(c->fd, st);
	}
	/* a descriptor that was not given back */
	st->lowest_fd = sys(SYS_fcntl, c->fd >= 0 ? c->fd : ctl, F_DUPFD_CLOEXEC,
			    0);
	if (st->lowest_fd >= 0)
		sys(SYS_close, st->lowest_fd);
}

#define DIFFERS(field) \
	(memcmp(&a->field, &b->field, sizeof(a->field)) ? #field : NULL)

static const char *limits_differ(const struct state *a, const struct state *b)
{
	static const char *const scopes[] = { "module", "domain", "user" };
	static const char *const names[] = { "objects", "handles", "bytes" };
	static char text[96];
	unsigned int i, r;

	for (i = 0; i < 3; i++) {
		for (r = 0; r < KMQ_R_COUNT; r++) {
			const struct kmq_limit *x = &a->limits[i].r[r];
			const struct kmq_limit *y = &b->limits[i].r[r];
			int64_t more = y->used - x->used;
			int64_t may = r == KMQ_R_BYTES ? CREDIT : 0;

			if (x->limit == y->limit && x->refused == y->refused &&
			    more <= may && -more <= may)
				continue;
			snprintf(text, sizeof(text),
				 "%s of the %s: limit %lld, used %lld, refused %lld more",
				 names[r], scopes[i],
				 (long long)(y->limit - x->limit),
				 (long long)more,
				 (long long)(y->refused - x->refused));
			return text;
		}
	}
	return NULL;
}

/* Failed calls, too, show who made them. */
static bool last_users(struct state *a, const struct state *b)
{
	bool differ = false;
	unsigned int i;

	for (i = 0; i < a->handles && i < b->handles; i++) {
		struct kmq_handle_row *x = &a->handle[i];
		const struct kmq_handle_row *y = &b->handle[i];

		differ |= x->last_pid != y->last_pid;
		x->last_pid = y->last_pid;
		memcpy(x->last_comm, y->last_comm, sizeof(x->last_comm));
	}
	return differ;
}

/* What differs, or NULL. */
static const char *differ(const struct state *a, const struct state *b)
{
	const char *what = NULL;

	what = what ?: DIFFERS(lowest_fd);
	what = what ?: DIFFERS(revents);
	what = what ?: DIFFERS(next_size);
	what = what ?: DIFFERS(stat);
	what = what ?: DIFFERS(attrs);
	what = what ?: DIFFERS(objects);
	what = what ?: DIFFERS(object);
	what = what ?: DIFFERS(handles);
	what = what ?: DIFFERS(handle);
	return what ?: limits_differ(a, b);
}

/* A call has failed: is all as it was? */
void state_expect(const struct call *c, const struct state *before,
		  const char *after)
{
	const struct timespec pause = { .tv_nsec = 1000000 };
	struct state was = *before, is;
	const char *what;
	int i;

	TALLY(c, compared);
	for (i = 0; i < SETTLES; i++) {
		state_take(c, &is);
		if (last_users(&was, &is) && !i)
			COUNT(shared->last_users);
		what = differ(&was, &is);
		if (!what)
			break;
		nanosleep(&pause, NULL);
	}
	if (what)
		violation("%s failed by %s, and yet changed: %s", call_name(c),
			  after, what);
	else if (i)
		COUNT(shared->late);
}

/* A limit refuses this call: each attempt at it would be counted. */
bool state_at_limit(const struct call *c, const struct state *st)
{
	unsigned int i, r;

	if (c->file != CTL || c->request != _IOC_NR(KMQ_IOC_OPEN))
		return false;
	for (i = 0; i < 3; i++) {
		for (r = 0; r < KMQ_R_BYTES; r++) {
			const struct kmq_limit *l = &st->limits[i].r[r];

			if (l->used >= l->limit)
				return true;
		}
	}
	return false;
}

/* Nothing of any program is left; *text says what is. */
bool usage_is_zero(char *text, size_t len)
{
	const struct timespec pause = { .tv_nsec = 5000000 };
	struct kmq_limits_args l;
	int i, fd;

	for (i = 0; i < 400; i++) {
		fd = sys(SYS_openat, AT_FDCWD, KMQ_DEVICE, O_RDWR | O_CLOEXEC);
		if (fd < 0)
			return true;
		memset(&l, 0, sizeof(l));
		l.size = sizeof(l);
		l.scope = KMQ_SCOPE_MODULE;
		sys(SYS_ioctl, fd, KMQ_IOC_LIMITS, &l);
		sys(SYS_close, fd);
		if (!l.r[0].used && !l.r[1].used && !l.r[2].used)
			return true;
		nanosleep(&pause, NULL);
	}
	snprintf(text, len, "%llu objects, %llu handles, %llu bytes",
		 l.r[0].used, l.r[1].used, l.r[2].used);
	return false;
}
