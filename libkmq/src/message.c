// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * One message a call.
 *
 * All go by XFER, whatever the handle was opened for: it carries a deadline of
 * its own, which write(2) and read(2) do not, works alike on plain and record
 * handles, and stamps the sender that calls. A message has to stand in one
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

/*
 * Header and body of one message into @len bytes at @at: the length of the
 * body, or -errno; with -EMSGSIZE, *needed is what header and body take.
 */
static ssize_t take(int fd, void *at, size_t len, __u64 deadline,
		    size_t *needed)
{
	struct kmq_xfer_args x = {
		.size = sizeof(x),
		.flags = KMQ_XFER_BODY,
		.recv = kmq__address(at),
		.recv_len = (uint32_t)len,
		.deadline = deadline,
		.send_fd = -1,
	};
	int ret = kmq__ioctl(fd, KMQ_IOC_XFER, &x);

	*needed = x.needed;
	if (ret < 0)
		return ret;
	if (!x.received)
		return -ENODATA;
	if (x.received_bytes < KMQ__RECORD_HEAD || x.received_bytes > len)
		return -EPROTO;
	return (ssize_t)(x.received_bytes - KMQ__RECORD_HEAD);
}

/* What take() put at @at, which may be @body, into the caller's hands. */
static void deliver(const unsigned char *at, size_t len, void *body,
		    struct kmq_msg *msg)
{
	struct kmq_record head;

	memcpy(&head, at, sizeof(head));
	if (len)
		memmove(body, at + sizeof(head), len);
	if (!msg)
		return;
	kmq__record_facts(&head, msg);
	msg->body = body;
	msg->len = len;
}

/*
 * Header and body arrive in one piece, while the caller has room for the body
 * alone. If that is more than fits on the stack, the caller's own memory is
 * tried first: it is large enough for all but the longest 64 lengths, which
 * take another call and a mapping.
 */
ssize_t kmq_recv(int fd, void *body, size_t cap, struct kmq_msg *msg, int ms)
{
	_Alignas(8) unsigned char area[KMQ__STACK_RECORD];
	unsigned char *at = area, *map = NULL;
	size_t room, len, needed;
	__u64 deadline;
	ssize_t ret;

	if (cap && !body)
		return -EINVAL;
	ret = kmq__deadline(ms, &deadline);
	if (ret < 0)
		return ret;
	if (cap > KMQ_XFER_MAX - KMQ__RECORD_HEAD)
		cap = KMQ_XFER_MAX - KMQ__RECORD_HEAD;
	room = KMQ__RECORD_HEAD + cap;

	len = room;
	if (room > sizeof(area)) {
		at = body;
		len = cap;
	}
	ret = take(fd, at, len, deadline, &needed);
	if (ret == -EMSGSIZE && needed > len && needed <= room) {
		map = kmq__map(room);
		if (!map)
			return -ENOMEM;
		at = map;
		len = room;
		ret = take(fd, at, len, deadline, &needed);
	}
	if (ret >= 0) {
		deliver(at, (size_t)ret, body, msg);
	} else if (ret == -EMSGSIZE && needed <= len) {
		ret = -EPROTO;
	} else if (ret == -EMSGSIZE && msg) {
		memset(msg, 0, sizeof(*msg));
		msg->len = needed - KMQ__RECORD_HEAD;
	}
	if (map)
		kmq__unmap(map, room);
	return ret;
}
