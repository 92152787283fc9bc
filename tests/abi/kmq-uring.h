/* SPDX-License-Identifier: GPL-2.0-only */
/* An io_uring, without liburing, which is not there for 32-bit programs. */
#ifndef KMQ_URING_H
#define KMQ_URING_H

#include <linux/io_uring.h>

#include "kmq-test.h"

#define ENTRIES	64

struct ring {
	int fd;
	unsigned int *sq_tail, *sq_mask, *sq_array;
	unsigned int *cq_head, *cq_tail, *cq_mask;
	struct io_uring_sqe *sqes;
	struct io_uring_cqe *cqes;
	void *maps[3];
	size_t sizes[3];
};

static inline void *ring_map(struct ring *r, int i, size_t len, off_t off)
{
	void *p = mmap(NULL, len, PROT_READ | PROT_WRITE,
		       MAP_SHARED | MAP_POPULATE, r->fd, off);

	if (p == MAP_FAILED)
		abort();
	r->maps[i] = p;
	r->sizes[i] = len;
	return p;
}

/* With IORING_SETUP_*: 0, or why there is none. */
static inline int ring_open(struct ring *r, unsigned int flags)
{
	struct io_uring_params p = { .flags = flags };
	char *sq, *cq;

	r->fd = syscall(SYS_io_uring_setup, ENTRIES, &p);
	if (r->fd < 0)
		return -errno;
	sq = ring_map(r, 0, p.sq_off.array + p.sq_entries * sizeof(__u32),
		      IORING_OFF_SQ_RING);
	cq = ring_map(r, 1, p.cq_off.cqes +
		      p.cq_entries * sizeof(struct io_uring_cqe),
		      IORING_OFF_CQ_RING);
	r->sqes = ring_map(r, 2, p.sq_entries * sizeof(struct io_uring_sqe),
			   IORING_OFF_SQES);
	r->sq_tail = (void *)(sq + p.sq_off.tail);
	r->sq_mask = (void *)(sq + p.sq_off.ring_mask);
	r->sq_array = (void *)(sq + p.sq_off.array);
	r->cq_head = (void *)(cq + p.cq_off.head);
	r->cq_tail = (void *)(cq + p.cq_off.tail);
	r->cq_mask = (void *)(cq + p.cq_off.ring_mask);
	r->cqes = (void *)(cq + p.cq_off.cqes);
	return 0;
}

/* All of it: mappings keep a ring, too. */
static inline void ring_close(struct ring *r)
{
	int i;

	for (i = 0; i < 3; i++)
		munmap(r->maps[i], r->sizes[i]);
	close(r->fd);
}

static inline void submit_sqe(struct ring *r, const struct io_uring_sqe *sqe,
			      unsigned int n)
{
	unsigned int tail = *r->sq_tail, k;

	for (k = 0; k < n; k++, tail++) {
		r->sqes[tail & *r->sq_mask] = sqe[k];
		r->sq_array[tail & *r->sq_mask] = tail & *r->sq_mask;
	}
	__atomic_store_n(r->sq_tail, tail, __ATOMIC_RELEASE);
	if (syscall(SYS_io_uring_enter, r->fd, n, 0, IORING_ENTER_SQ_WAKEUP,
		    NULL, 0) != (int)n)
		abort();
}

static inline struct io_uring_sqe sqe(int op, int fd, const void *buf,
				      unsigned int len, __u64 data)
{
	return (struct io_uring_sqe){
		.opcode = op, .fd = fd, .addr = ptr(buf), .len = len,
		.off = op == IORING_OP_READ || op == IORING_OP_WRITE ||
			op == IORING_OP_READV || op == IORING_OP_WRITEV ||
			op == IORING_OP_READ_FIXED ||
			op == IORING_OP_WRITE_FIXED ? -1 : 0,
		.user_data = data,
	};
}

static inline void submit_flags(struct ring *r, int op, int fd, const void *buf,
				unsigned int len, int rw_flags, __u64 data)
{
	struct io_uring_sqe s = sqe(op, fd, buf, len, data);

	s.rw_flags = rw_flags;
	submit_sqe(r, &s, 1);
}

static inline void submit(struct ring *r, int op, int fd, const void *buf,
			  unsigned int len, __u64 data)
{
	submit_flags(r, op, fd, buf, len, 0, data);
}

static inline bool completed(struct ring *r)
{
	/* lets the kernel run what it deferred to us */
	syscall(SYS_io_uring_enter, r->fd, 0, 0, IORING_ENTER_GETEVENTS, NULL,
		0);
	return __atomic_load_n(r->cq_tail, __ATOMIC_ACQUIRE) != *r->cq_head;
}

/* The next result; *data says of what. -ETIME: none came. */
static inline int reap(struct ring *r, __u64 *data)
{
	struct io_uring_cqe *cqe;
	int res;

	if (data)
		*data = ~0ull;
	if (!WAIT_FOR(completed(r)))
		return -ETIME;
	cqe = &r->cqes[*r->cq_head & *r->cq_mask];
	res = cqe->res;
	if (data)
		*data = cqe->user_data;
	__atomic_store_n(r->cq_head, *r->cq_head + 1, __ATOMIC_RELEASE);
	return res;
}

#endif
