// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * One message a call.
 *
 * All go by XFER, whatever the handle was opened for: it carries a deadline of
 * its own, which write(2) and read(2) do not, works alike on plain and record
 * handles, and stamps the sender that calls. A record has to stand in one
 * piece, so it is put together on the stack, or in a mapping when it is large:
 * mmap() is a bare system call and allowed in a signal handler, malloc() not.
 */
#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>

#include "internal.h"

static int send_one(int fd, const struct kmq_msg *msg, int ms, uint64_t *seq)
{
	_Alignas(8) unsigned char area[KMQ__STACK_RECORD];
	struct kmq_xfer_args x = { .size = sizeof(x), .send_fd = -1 };
	struct kmq_record head;
	unsigned char *at = area;
	int ret;

	ret = kmq__record_head(msg, &head);
	if (!ret)
		ret = kmq__deadline(ms, &x.deadline);
	if (ret < 0)
		return ret;
	if (head.size > sizeof(area)) {
		at = kmq__map(head.size);
		if (!at)
			return -ENOMEM;
	}
	kmq__record_write(at, &head, msg);
	x.send = kmq__address(at);
	x.send_len = head.size;
	ret = kmq__ioctl(fd, KMQ_IOC_XFER, &x);
	if (at != area)
		kmq__unmap(at, head.size);
	if (ret < 0)
		return ret;
	*seq = x.last_seq;
	return 0;
}

int kmq_send(int fd, const void *body, size_t len, int ms)
{
	struct kmq_msg msg = { .body = body, .len = len };
	uint64_t seq;

	return send_one(fd, &msg, ms, &seq);
}

int kmq_send_msg(int fd, struct kmq_msg *msg, int ms)
{
	uint64_t seq;
	int ret = send_one(fd, msg, ms, &seq);

	if (!ret)
		msg->seq = seq;
	return ret;
}

ssize_t kmq_next_size(int fd)
{
	int size = 0;
	int ret = kmq__ioctl(fd, FIONREAD, &size);

	return ret < 0 ? ret : size;
}

/* One record into @len bytes at @at: 1, 0 at the end, or -errno. */
static int take(int fd, void *at, size_t len, uint64_t deadline,
		size_t *needed)
{
	struct kmq_xfer_args x = {
		.size = sizeof(x),
		.recv = kmq__address(at),
		.recv_len = (uint32_t)len,
		.deadline = deadline,
		.max_records = 1,
		.send_fd = -1,
	};
	int ret = kmq__ioctl(fd, KMQ_IOC_XFER, &x);

	*needed = x.needed;
	return ret < 0 ? ret : (int)x.received;
}

/* The record at @at into the caller's hands, who gets body and facts only. */
static ssize_t deliver(const unsigned char *at, size_t len, void *body,
		       size_t cap, struct kmq_msg *msg)
{
	struct kmq_msg got;
	ssize_t ret = kmq__record_read(at, len, &got);

	if (ret < 0)
		return ret;
	ret = got.len <= cap ? (ssize_t)got.len : -EOVERFLOW;
	if (cap)
		memmove(body, got.body, got.len < cap ? got.len : cap);
	if (msg) {
		*msg = got;
		msg->body = body;
		msg->key = NULL;
		msg->key_len = 0;
		msg->headers = NULL;
		msg->headers_len = 0;
	}
	return ret;
}

/*
 * A call takes a message when its record fits, while the caller's bound is on
 * the body. A record of at most @sure bytes has a body of at most @cap. So
 * offer that much first: on the stack, or, when that is too small, in the
 * caller's own memory, where the header in front costs a little of the room.
 *
 * What does not fit there may still have a body that does: it has attributes,
 * or a body that ends within the last 7 bytes of @cap, or 64 bytes too many
 * for the caller's memory. Then the kernel is asked how long the body is, and
 * the record taken at once, without waiting for one that might be another. A
 * record handle tells the size of the record only: there the rest of it counts
 * as body, rather than to take what might not fit.
 */
ssize_t kmq_recv(int fd, void *body, size_t cap, struct kmq_msg *msg, int ms)
{
	_Alignas(8) unsigned char area[KMQ__STACK_RECORD];
	size_t sure, len, needed;
	unsigned char *at;
	__u64 deadline;
	ssize_t ret, size;

	if (cap && !body)
		return -EINVAL;
	ret = kmq__deadline(ms, &deadline);
	if (ret < 0)
		return ret;
	if (cap > KMQ_XFER_MAX)
		cap = KMQ_XFER_MAX;
	sure = KMQ__RECORD_HEAD + KMQ__ALIGN_DOWN(cap);

	for (;;) {
		at = area;
		len = sure;
		if (sure > sizeof(area)) {
			at = body;
			len = KMQ__ALIGN_DOWN(cap);
		}
		ret = take(fd, at, len, deadline, &needed);
		if (ret > 0)
			return deliver(at, len, body, cap, msg);
		if (ret != -EMSGSIZE)
			return ret ? ret : -ENODATA;
		if (needed <= len)
			return -EPROTO;

		len = sure;
		if (needed > sure) {
			size = kmq_next_size(fd);
			if (size < 0)
				return size;
			if ((size_t)size == needed)
				size -= (ssize_t)KMQ__RECORD_HEAD;
			if ((size_t)size > cap) {
				if (msg) {
					memset(msg, 0, sizeof(*msg));
					msg->len = (size_t)size;
				}
				return -EMSGSIZE;
			}
			len = needed;
		}
		at = len <= sizeof(area) ? area : kmq__map(len);
		if (!at)
			return -ENOMEM;
		ret = take(fd, at, len, 0, &needed);
		if (ret > 0)
			ret = deliver(at, len, body, cap, msg);
		else if (!ret)
			ret = -ENODATA;
		if (at != area)
			kmq__unmap(at, len);
		/* Another receiver was faster, or something larger came. */
		if (ret != -EAGAIN && ret != -EMSGSIZE)
			return ret;
	}
}
