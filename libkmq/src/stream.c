// SPDX-License-Identifier: LGPL-2.1-or-later
/* Like stdio: put and flush on the way out, next on the way in. */
#include <errno.h>

#include "internal.h"

void kmq_buf_set_linger(struct kmq_buf *buf, int ms)
{
	buf->linger_ms = ms < 0 ? -1 : ms;
	if (ms > 0 && buf->count)
		buf->oldest = kmq__now();
}

static int too_old(const struct kmq_buf *buf, uint64_t now)
{
	return buf->linger_ms >= 0 &&
	       now - buf->oldest >= (uint64_t)buf->linger_ms * 1000000;
}

/* Take back the record added last; a send that failed cannot have taken it. */
static void unadd(struct kmq_buf *buf, size_t bytes)
{
	buf->tail -= bytes;
	buf->count--;
	if (!buf->count)
		kmq_buf_reset(buf);
}

int kmq_put(int fd, struct kmq_buf *buf, const struct kmq_msg *msg, int ms)
{
	uint64_t now = 0;
	__u64 deadline;
	size_t before, added, sent;
	int ret;

	ret = kmq__deadline(ms, &deadline);
	if (ret < 0)
		return ret;
	before = kmq_buf_bytes(buf);
	ret = kmq_buf_add(buf, msg);
	if (ret == -ENOBUFS) {
		ret = kmq__send_all(fd, buf, 0, deadline, &sent);
		if (ret < 0)
			return ret;
		before = 0;
		ret = kmq_buf_add(buf, msg);
	}
	if (ret < 0)
		return ret;

	if (buf->linger_ms > 0) {
		now = kmq__now();
		if (!before)
			buf->oldest = now;
	}
	if (buf->linger_ms && !too_old(buf, now))
		return 0;
	added = kmq_buf_bytes(buf) - before;
	ret = kmq__send_all(fd, buf, 0, deadline, &sent);
	if (ret < 0)
		unadd(buf, added);
	return ret;
}

int kmq_flush(int fd, struct kmq_buf *buf, int ms)
{
	__u64 deadline;
	size_t sent;
	int ret;

	ret = kmq__deadline(ms, &deadline);
	if (ret < 0)
		return ret;
	return kmq__send_all(fd, buf, 0, deadline, &sent);
}

int kmq_next(int fd, struct kmq_buf *buf, struct kmq_msg *msg, int ms)
{
	int ret = kmq_buf_get(buf, msg);

	if (ret)
		return ret;
	ret = kmq_recv_buf(fd, buf, 0, ms);
	if (ret <= 0)
		return ret;
	return kmq_buf_get(buf, msg);
}
