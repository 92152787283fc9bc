/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KMQ_HANDLE_H
#define KMQ_HANDLE_H

#include <linux/cred.h>
#include <linux/fs.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/spinlock.h>
#include <linux/types.h>
#include <linux/uidgid.h>
#include <linux/kmq.h>

#include "core/queue.h"

struct kmq_object;
struct kmq_user;

/**
 * DOC: handles
 *
 * An open object: what a handle fd refers to. Rights are those it was opened
 * with. It belongs to its struct file and goes with it; calls hold the file,
 * so nobody waits through a handle that is being released.
 *
 *   file ──owns──> handle ──holds──> object, credit, senders, pids
 *   credit ──holds──> user, domain
 *
 * handle->lock (spinlock, innermost) guards sender[] and last[]. All else is
 * constant, but for port, which the queue's lock guards. Lists of
 * handles find it under RCU, hence the grace period; what they read must stay
 * valid until then: object, pids.
 */

/* Which credentials a message carries; index of kmq_handle.sender. */
#define KMQ_BY_OPENER	0	/* write(2): those of whoever opened it */
#define KMQ_BY_CALLER	1	/* XFER: those of the task that sends */

/**
 * struct kmq_handle - an open object
 * @obj: the object, with a reference
 * @flags: KMQ_OPEN_SEND, RECV, RECORDS
 * @port: its side of the queue
 * @credit: pays for the messages sent through it
 * @lock: see above
 * @sender: the last sender of each kind; each with a reference
 * @last: the processes that sent and received last; NULL until then
 * @id: never reused
 * @opened: ns of CLOCK_REALTIME
 * @uid: effective uid of whoever opened it
 * @gid: effective gid of whoever opened it
 * @opener: the process that opened it
 * @comm: its name
 * @user: charged for it
 * @payer: the accounts charged
 * @rcu: for the grace period
 */
struct kmq_handle {
	struct kmq_object *obj;
	u32 flags;
	struct kmq_port port;
	struct kmq_credit *credit;
	spinlock_t lock; /* see above */
	struct kmq_sender *sender[2];
	struct pid *last[2];
	u64 id;
	u64 opened;
	kuid_t uid;
	kgid_t gid;
	struct pid *opener;
	char comm[TASK_COMM_LEN];
	struct kmq_user *user;
	struct kmq_payer payer;
	struct rcu_head rcu;
};

struct file *kmq_handle_file(struct kmq_object *obj, u32 flags);
struct kmq_handle *kmq_handle_of(struct file *file);
struct kmq_sender *kmq_handle_new_sender(struct kmq_handle *h,
					 unsigned int by);
void kmq_handle_row(struct kmq_handle *h, struct kmq_handle_row *row);

void kmq_handle_new_user(struct kmq_handle *h, unsigned int dir);

#define KMQ_SENDS	0
#define KMQ_RECEIVES	1

/**
 * kmq_handle_used() - remember who used a handle last
 * @h: the handle
 * @dir: KMQ_SENDS or KMQ_RECEIVES: one process often does one of them
 */
static inline void kmq_handle_used(struct kmq_handle *h, unsigned int dir)
{
	if (unlikely(READ_ONCE(h->last[dir]) != task_tgid(current)))
		kmq_handle_new_user(h, dir);
}

/**
 * kmq_handle_sender() - who sends now, for the messages' stamp
 * @h: the handle
 * @by: KMQ_BY_OPENER or KMQ_BY_CALLER
 *
 * One is kept for each kind: the next send by the same process finds it.
 *
 * Context: process context, may sleep.
 * Return: the sender with a reference, or NULL when there is no memory.
 */
static inline struct kmq_sender *kmq_handle_sender(struct kmq_handle *h,
						   unsigned int by)
{
	struct kmq_sender *sender;

	spin_lock(&h->lock);
	sender = h->sender[by];
	if (unlikely(!sender || sender->pid != task_tgid(current) ||
		     (by == KMQ_BY_CALLER &&
		      (sender->uid != __kuid_val(current_euid()) ||
		       sender->gid != __kgid_val(current_egid()))))) {
		spin_unlock(&h->lock);
		return kmq_handle_new_sender(h, by);
	}
	refcount_inc(&sender->refs);
	spin_unlock(&h->lock);
	return sender;
}

/* rw.c */
struct kmq_user_buf;
int kmq_send_from(struct kmq_handle *h, unsigned int by,
		  struct kmq_user_buf *from, size_t len, u64 deadline,
		  struct kmq_run *run, struct kmq_send *s, u32 *error_at);
ssize_t kmq_read(struct file *file, char __user *buf, size_t len, loff_t *pos);
ssize_t kmq_write(struct file *file, const char __user *buf, size_t len,
		  loff_t *pos);
ssize_t kmq_read_iter(struct kiocb *iocb, struct iov_iter *to);
ssize_t kmq_write_iter(struct kiocb *iocb, struct iov_iter *from);

/* xfer.c */
long kmq_xfer(struct file *file, void __user *arg);

#endif
