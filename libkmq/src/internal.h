/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the files of libkmq share. Nothing here is exported.
 *
 * No function changes errno, none keeps state between calls, and everything
 * below kmq_send, kmq_recv, kmq_xfer and kmq_shutdown is async-signal-safe:
 * system calls, memcpy and arithmetic only.
 */
#ifndef KMQ_INTERNAL_H
#define KMQ_INTERNAL_H

/* All is built hidden; what the public header declares is not. */
#pragma GCC visibility push(default)
#include <kmq.h>
#pragma GCC visibility pop

#define KMQ__RECORD_HEAD	sizeof(struct kmq_record)
#define KMQ__ALIGN(n)		(((n) + (KMQ_RECORD_ALIGN - 1)) & \
				 ~(size_t)(KMQ_RECORD_ALIGN - 1))

/* Records up to this size are put together on the stack, in and out. */
#define KMQ__STACK_RECORD	4096

/* ctl.c */
int kmq__ioctl(int fd, unsigned long request, void *args);
void kmq__close(int fd);
/* The request on @ctl, or on a control fd opened for it alone. */
int kmq__ctl_call(int ctl, unsigned long request, void *args);
/* Address and length of a name as the ABI takes them; -EINVAL for NULL. */
int kmq__name(const char *name, __u64 *address, __u32 *len);
/* @ms as kmq.h has it to what kmq_xfer_args.deadline takes. */
int kmq__deadline(int ms, __u64 *deadline);
uint64_t kmq__now(void);

static inline uint64_t kmq__address(const void *p)
{
	return (uint64_t)(uintptr_t)p;
}

/* record.c */
/* Check @msg and fill the header it gets: 0 or -errno. */
int kmq__record_head(const struct kmq_msg *msg, struct kmq_record *head);
/* Write head->size bytes: header, attributes, body, zeroed padding. */
void kmq__record_write(unsigned char *at, const struct kmq_record *head,
		       const struct kmq_msg *msg);
/* What the header tells into an otherwise empty *msg. */
void kmq__record_facts(const struct kmq_record *head, struct kmq_msg *msg);
/*
 * The record at @at, of which @left bytes may be touched, into *msg. Returns
 * its size, or -EBADMSG. @at may stand on any address.
 */
ssize_t kmq__record_read(const unsigned char *at, size_t left,
			 struct kmq_msg *msg);

/* buffer.c */
struct kmq_buf {
	unsigned char *data;	/* an anonymous mapping of map_size bytes */
	size_t map_size;
	size_t size;		/* bytes in use at most */
	size_t head, tail;	/* records stand in [head, tail) */
	size_t count;		/* how many */
	int linger_ms;		/* -1: age does not matter */
	uint64_t oldest;	/* when the oldest was put, if linger_ms > 0 */
};

/* A mapping, or NULL; async-signal-safe, unlike malloc(). */
void *kmq__map(size_t size);
void kmq__unmap(void *data, size_t size);
/* Room for one record of @need bytes in an empty buffer. */
int kmq__buf_grow(struct kmq_buf *buf, size_t need);
/* The first @count records, @bytes long, have left. */
void kmq__buf_drop(struct kmq_buf *buf, size_t count, size_t bytes);
/* Bytes of the leading whole records that fit in @max. */
size_t kmq__buf_prefix(const struct kmq_buf *buf, size_t max);

/* xfer.c */
/* Send the buffer until empty; *sent counts. 0 or what stopped it. */
int kmq__send_all(int fd, struct kmq_buf *buf, unsigned int flags,
		  uint64_t deadline, size_t *sent);

#endif /* KMQ_INTERNAL_H */
