/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * libkmq: message queues of the kmq kernel module.
 *
 * A handle is a plain file descriptor, close-on-exec: read(2), write(2),
 * poll(2), epoll and io_uring work on it, close(2) ends it, threads may share
 * it and fork(2) inherits it. Every function returns 0 or a count or a file
 * descriptor (>= 0), or a negative errno value; errno itself is left alone.
 *
 * ctl arguments are a control fd from kmq_ctl_open(), or -1 for /dev/kmq in
 * the caller's network namespace, opened for this call alone.
 * Times are in milliseconds: -1 waits for ever, 0 does not wait.
 *
 * Struct kmq_buf belongs to one thread at a time; everything else is
 * thread-safe. kmq_send, kmq_recv, kmq_xfer, kmq_shutdown are
 * async-signal-safe.
 */
#ifndef KMQ_H
#define KMQ_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <linux/kmq.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- objects ---------------------------------------------------------- */

/* A control fd for the domain of @netns_fd, or of the caller if -1. */
int kmq_ctl_open(int netns_fd);

/* Versions, features, limits: see struct kmq_info_args in <linux/kmq.h>. */
int kmq_info(int ctl, struct kmq_info_args *info);

/* Attributes set to "all defaults": mask 0, kind queue. */
#define KMQ_ATTRS_INIT { .size = sizeof(struct kmq_attrs), \
			 .mask = KMQ_A_KIND, .kind = KMQ_KIND_QUEUE }

/* What kmq_open_report() found out; also filled when it fails. */
struct kmq_opened {
	uint64_t id;		/* object id */
	uint64_t differs;	/* KMQ_A_* of attributes unlike those asked for */
	uint64_t bad;		/* -EINVAL: KMQ_A_* of the attribute at fault */
	int created;		/* 1: this call created it */
};

/* Open, or create with KMQ_OPEN_CREATE. Returns the handle. */
int kmq_open(int ctl, const char *name, unsigned int flags,
	     const struct kmq_attrs *attrs);
int kmq_open_report(int ctl, const char *name, unsigned int flags,
		    const struct kmq_attrs *attrs, struct kmq_opened *opened);

/* Change the attributes in attrs->mask; *bad as in kmq_opened, may be NULL. */
int kmq_alter(int ctl, const char *name, const struct kmq_attrs *attrs,
	      uint64_t *bad);
int kmq_delete(int ctl, const char *name, unsigned int flags);

/* Steps on an object by name. */
int kmq_seal(int ctl, const char *name);
int kmq_unseal(int ctl, const char *name);
int kmq_purge(int ctl, const char *name, uint64_t *purged);

/* Counters and attributes; either pointer may be NULL. */
int kmq_stat(int ctl, const char *name, struct kmq_stat_args *stat,
	     struct kmq_attrs *attrs);
int kmq_fstat(int fd, struct kmq_stat_args *stat, struct kmq_attrs *attrs);

/*
 * Up to @n rows from *cursor (0 to start) on; returns how many, 0 at the end.
 * @name, if not NULL, limits handles to those of one object.
 */
int kmq_list_objects(int ctl, uint64_t *cursor, struct kmq_object_row *rows,
		     unsigned int n);
int kmq_list_handles(int ctl, const char *name, uint64_t *cursor,
		     struct kmq_handle_row *rows, unsigned int n);

int kmq_limits(int ctl, unsigned int scope, uint32_t uid,
	       struct kmq_limit limits[KMQ_R_COUNT]);
int kmq_set_limits(int ctl, unsigned int scope, uint32_t uid,
		   unsigned int mask,
		   const struct kmq_limit limits[KMQ_R_COUNT]);

/* Delete every object of the domain; all_domains: of every domain. */
int kmq_reset(int ctl, int all_domains, uint64_t *deleted);

/*
 * The sentence kmqctl prints for a failed call: what was wrong and what to do
 * about it. @err is the negative errno value, @detail a kmq_opened.bad mask or
 * 0. Always NUL-terminates; returns the length the whole text has.
 */
int kmq_explain(int ctl, const char *name, int err, uint64_t detail,
		char *text, size_t size);

/* ---- messages --------------------------------------------------------- */

/* One message, on its way out or as it came in. */
struct kmq_msg {
	const void *body;
	size_t len;
	const void *key;	/* NULL: none */
	size_t key_len;
	const void *headers;	/* as kmq_header_next() walks them; NULL: none */
	size_t headers_len;
	uint64_t cookie;	/* the sender's own word */
	uint16_t priority;
	/* on receipt only */
	uint16_t partition;
	uint16_t deliveries;
	uint32_t flags;		/* KMQ_REC_* */
	uint32_t pid, uid, gid;
	uint64_t time;		/* ns of CLOCK_REALTIME */
	uint64_t seq;
	uint64_t tag;
};

/* One message with no attributes. 0, or -errno. */
int kmq_send(int fd, const void *body, size_t len, int ms);

/* One message with everything; fills msg->seq. 0, or -errno. */
int kmq_send_msg(int fd, struct kmq_msg *msg, int ms);

/*
 * One body into @body. Returns its length (0 is an empty message) or -errno:
 * -EMSGSIZE: larger than @cap (msg->len tells the size; it stays queued),
 * -ENODATA: end of stream, the queue is sealed and drained,
 * -EAGAIN, -ETIMEDOUT: nothing came.
 * @msg, if not NULL, gets the rest; its body points into @body, its key and
 * headers are not delivered (use a kmq_buf for those).
 */
ssize_t kmq_recv(int fd, void *body, size_t cap, struct kmq_msg *msg, int ms);

/* How long the next message's body is; 0 also when there is none. */
ssize_t kmq_next_size(int fd);

/*
 * A buffer of packed records: builder on the way out, iterator on the way in.
 * Nothing is allocated per message. It grows when one record needs more.
 */
struct kmq_buf;

struct kmq_buf *kmq_buf_new(size_t size);
void kmq_buf_free(struct kmq_buf *buf);

/* Append a record; -ENOBUFS when it does not fit beside those already there. */
int kmq_buf_add(struct kmq_buf *buf, const struct kmq_msg *msg);

/*
 * The next record of a received batch into *msg: 1, or 0 at its end. The
 * pointers in *msg live until the buffer is filled again or freed.
 */
int kmq_buf_get(struct kmq_buf *buf, struct kmq_msg *msg);

/* Forget everything in the buffer. */
void kmq_buf_reset(struct kmq_buf *buf);
/* Records and bytes in the buffer that were not sent or got yet. */
size_t kmq_buf_count(const struct kmq_buf *buf);
size_t kmq_buf_bytes(const struct kmq_buf *buf);

/* Walk msg->headers: 1 and one name and value, or 0 at the end; *pos from 0. */
int kmq_header_next(const struct kmq_msg *msg, size_t *pos, const char **name,
		    const void **value, size_t *value_len);
/*
 * Append a header to @headers (of *len bytes so far, @size in all), in the
 * form struct kmq_msg takes. 0, -ENOBUFS or -EINVAL.
 */
int kmq_header_add(void *headers, size_t *len, size_t size, const char *name,
		   const void *value, size_t value_len);

/*
 * Like stdio: put adds and sends when the buffer is full, or when its oldest
 * record has waited longer than kmq_buf_set_linger() allows; flush sends the
 * rest. What was not flushed is lost with the process.
 */
int kmq_put(int fd, struct kmq_buf *buf, const struct kmq_msg *msg, int ms);
int kmq_flush(int fd, struct kmq_buf *buf, int ms);
void kmq_buf_set_linger(struct kmq_buf *buf, int ms);

/*
 * Send all of a built buffer, without the stdio part. Returns the number of
 * records accepted (they leave the buffer), or -errno when none was.
 */
int kmq_send_buf(int fd, struct kmq_buf *buf, unsigned int flags, int ms);

/*
 * Receive a batch into @buf (forgetting what it held): the number of records,
 * 0 at end of stream, or -errno. @max 0: as many as fit.
 */
int kmq_recv_buf(int fd, struct kmq_buf *buf, unsigned int max, int ms);

/* The next message: from @buf, or when it is empty from a new batch.
 * 1, 0 at end of stream, or -errno.
 */
int kmq_next(int fd, struct kmq_buf *buf, struct kmq_msg *msg, int ms);

/*
 * Send @out (may be NULL) on @fd, then receive into @in (may be NULL) from
 * @infd (-1: @fd), in one system call when the receive is on @infd. Result
 * counts and both errors in *res (may be NULL). 0 when either half did
 * anything.
 */
struct kmq_xfer_opts {
	unsigned int flags;	/* KMQ_XFER_ATOMIC, KMQ_XFER_RECV_ANYWAY */
	unsigned int max_records;
	unsigned int min_records;	/* receive watermark */
	int linger_ms;		/* how long to insist on it; -1: to the end */
};

struct kmq_xfer_result {
	unsigned int sent, received;
	int send_err, recv_err;
	unsigned int needed, error_at;
	uint64_t last_seq;
};

int kmq_xfer(int fd, struct kmq_buf *out, int infd, struct kmq_buf *in,
	     const struct kmq_xfer_opts *opts, int ms,
	     struct kmq_xfer_result *res);

/* End a direction of a handle for all who share it: KMQ_OPEN_SEND | _RECV. */
int kmq_shutdown(int fd, unsigned int what);

#ifdef __cplusplus
}
#endif

#endif /* KMQ_H */
