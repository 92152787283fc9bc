// SPDX-License-Identifier: GPL-2.0-only
#include <asm/ioctls.h>
#include <linux/anon_inodes.h>
#include <linux/cred.h>
#include <linux/err.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/jiffies.h>
#include <linux/module.h>
#include <linux/pid.h>
#include <linux/pid_namespace.h>
#include <linux/poll.h>
#include <linux/sched.h>
#include <linux/sched/task.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/timekeeping.h>
#include <linux/uaccess.h>
#include <linux/user_namespace.h>

#include "ctl.h"
#include "domain.h"
#include "handle.h"
#include "object.h"
#include "perm.h"
#include "user.h"
#include "wait.h"

/* A credit of the core, with what its accounts live in. */
struct handle_credit {
	struct kmq_credit credit;
	struct kmq_user *user;
	struct kmq_domain *domain;
};

static void credit_release(struct kmq_credit *credit)
{
	struct handle_credit *hc = container_of(credit, struct handle_credit,
						credit);

	kmq_user_put(hc->user);
	kmq_domain_put(hc->domain);
	kfree(hc);
}

static struct kmq_credit *credit_create(struct kmq_handle *h,
					struct kmq_domain *domain)
{
	struct handle_credit *hc;

	hc = kzalloc(sizeof(*hc), GFP_KERNEL_ACCOUNT);
	if (!hc)
		return NULL;
	refcount_inc(&h->user->refs);
	hc->user = h->user;
	kmq_domain_get(domain);
	hc->domain = domain;
	kmq_credit_init(&hc->credit, &h->payer, credit_release);
	return &hc->credit;
}

static void sender_release(struct kmq_sender *sender)
{
	put_pid(sender->pid);
	kmq_credit_put(sender->credit);
	kfree(sender);
}

static struct kmq_sender *sender_create(struct kmq_handle *h, kuid_t uid,
					kgid_t gid, u32 flags)
{
	struct kmq_sender *sender;

	sender = kzalloc(sizeof(*sender), GFP_KERNEL_ACCOUNT);
	if (!sender)
		return NULL;
	refcount_set(&sender->refs, 1);
	sender->uid = __kuid_val(uid);
	sender->gid = __kgid_val(gid);
	sender->flags = flags;
	sender->pid = get_pid(task_tgid(current));
	refcount_inc(&h->credit->refs);
	sender->credit = h->credit;
	sender->release = sender_release;
	return sender;
}

/**
 * kmq_handle_new_sender() - another process or user sends now
 * @h: the handle
 * @by: KMQ_BY_OPENER or KMQ_BY_CALLER
 *
 * Context: process context, may sleep.
 * Return: the sender with a reference, or NULL when there is no memory.
 */
struct kmq_sender *kmq_handle_new_sender(struct kmq_handle *h, unsigned int by)
{
	kuid_t uid = by == KMQ_BY_OPENER ? h->uid : current_euid();
	kgid_t gid = by == KMQ_BY_OPENER ? h->gid : current_egid();
	struct kmq_sender *sender, *old;

	sender = sender_create(h, uid, gid,
			       by == KMQ_BY_OPENER ? KMQ_REC_OPENER : 0);
	if (!sender)
		return NULL;
	refcount_inc(&sender->refs);
	spin_lock(&h->lock);
	old = h->sender[by];
	h->sender[by] = sender;
	spin_unlock(&h->lock);
	if (old)
		kmq_sender_put(old);
	return sender;
}

/**
 * kmq_handle_new_user() - another process uses the handle now
 * @h: the handle
 * @dir: KMQ_SENDS or KMQ_RECEIVES
 */
void kmq_handle_new_user(struct kmq_handle *h, unsigned int dir)
{
	struct pid *old, *pid = get_pid(task_tgid(current));

	spin_lock(&h->lock);
	old = h->last[dir];
	WRITE_ONCE(h->last[dir], pid);
	spin_unlock(&h->lock);
	put_pid(old);
}

/* Who used the handle last; the receiver, where both were used. */
static void last_user(struct kmq_handle *h, struct kmq_handle_row *row)
{
	struct task_struct *task;
	struct pid *pid;

	spin_lock(&h->lock);
	pid = h->last[KMQ_RECEIVES];
	if (!pid)
		pid = h->last[KMQ_SENDS];
	get_pid(pid);
	spin_unlock(&h->lock);
	if (!pid)
		return;

	row->last_pid = pid_nr_ns(pid, task_active_pid_ns(current));
	task = get_pid_task(pid, PIDTYPE_TGID);
	if (task) {
		char comm[TASK_COMM_LEN];

		get_task_comm(comm, task);
		memcpy(row->last_comm, comm, sizeof(comm));
		put_task_struct(task);
	}
	put_pid(pid);
}

/**
 * kmq_handle_row() - a handle as LIST shows it
 * @h: the handle; the caller is in an RCU read-side section
 * @row: zeroed; filled in
 */
void kmq_handle_row(struct kmq_handle *h, struct kmq_handle_row *row)
{
	struct pid_namespace *pids = task_active_pid_ns(current);
	struct kmq_object *obj = h->obj;

	row->id = h->id;
	row->object = obj->id;
	row->flags = h->flags;
	row->opened = h->opened;
	row->uid = from_kuid_munged(current_user_ns(), h->uid);
	row->name_len = obj->name_len;
	memcpy(row->name, obj->name, obj->name_len);
	kmq_port_stat(&obj->queue, &h->port, row);
	if (row->waiting_since)
		row->waiting_since = ktime_get_real_ns() -
			jiffies64_to_nsecs(get_jiffies_64() -
					   row->waiting_since);

	if (!kmq_may_see_users(obj))
		return;
	row->pid = pid_nr_ns(h->opener, pids);
	memcpy(row->comm, h->comm, sizeof(row->comm));
	last_user(h, row);
}

static void handle_free(struct rcu_head *rcu)
{
	struct kmq_handle *h = container_of(rcu, struct kmq_handle, rcu);

	put_pid(h->opener);
	put_pid(h->last[KMQ_SENDS]);
	put_pid(h->last[KMQ_RECEIVES]);
	kfree(h);
}

static void handle_destroy(struct kmq_handle *h)
{
	struct kmq_object *obj = h->obj;
	int i;

	xa_erase(&obj->domain->handles, h->id);
	if (h->flags & KMQ_OPEN_SEND)
		atomic_dec(&obj->senders);
	if (h->flags & KMQ_OPEN_RECV)
		atomic_dec(&obj->receivers);
	for (i = 0; i < ARRAY_SIZE(h->sender); i++)
		if (h->sender[i])
			kmq_sender_put(h->sender[i]);
	if (h->credit)
		kmq_credit_close(h->credit);
	kmq_uncharge(&h->payer, KMQ_R_HANDLES, 1);
	kmq_user_put(h->user);
	kmq_object_unuse(obj);
	kmq_object_put(obj);
	/* LIST may still be looking */
	call_rcu(&h->rcu, handle_free);
}

static int kmq_release(struct inode *inode, struct file *file)
{
	handle_destroy(file->private_data);
	return 0;
}

static __poll_t kmq_poll(struct file *file, poll_table *pt)
{
	struct kmq_handle *h = file->private_data;
	struct kmq_object *obj = h->obj;
	__poll_t mask = 0;
	unsigned int bits;

	/* one that does neither wants to know of the end */
	if (!(h->flags & KMQ_OPEN_SEND) || h->flags & KMQ_OPEN_RECV)
		poll_wait(file, &obj->readers, pt);
	if (h->flags & KMQ_OPEN_SEND)
		poll_wait(file, &obj->writers, pt);

	bits = kmq_queue_poll(&obj->queue, &h->port);
	if (bits & KMQ_POLL_DEAD)
		return EPOLLERR | EPOLLHUP | EPOLLIN | EPOLLRDNORM |
			EPOLLOUT | EPOLLWRNORM;
	if (h->flags & KMQ_OPEN_RECV) {
		if (bits & KMQ_POLL_SHUT_RECV)
			mask |= EPOLLIN | EPOLLRDNORM | EPOLLHUP;
		else if (bits & KMQ_POLL_READ)
			mask |= EPOLLIN | EPOLLRDNORM;
		else if (bits & KMQ_POLL_EOF)
			mask |= EPOLLIN | EPOLLRDNORM | EPOLLRDHUP | EPOLLHUP;
	}
	if (h->flags & KMQ_OPEN_SEND) {
		if (bits & KMQ_POLL_SHUT_SEND)
			mask |= EPOLLOUT | EPOLLWRNORM | EPOLLHUP;
		else if (bits & KMQ_POLL_SEALED)
			mask |= EPOLLOUT | EPOLLWRNORM | EPOLLERR;
		else if (bits & KMQ_POLL_WRITE)
			mask |= EPOLLOUT | EPOLLWRNORM;
	}
	return mask;
}

static long handle_shutdown(struct kmq_handle *h, void __user *arg)
{
	struct kmq_admin_args args;
	bool more;
	int err;

	err = kmq_args_read(arg, &args, sizeof(args),
			    KMQ_ADMIN_ARGS_SIZE_VER0);
	if (err)
		return err;
	if (args.op != KMQ_ADMIN_SHUTDOWN)
		return args.op >= KMQ_ADMIN_SEAL &&
			args.op <= KMQ_ADMIN_RESET ? -ENOTTY : -EINVAL;
	if (args.flags || args.name || args.name_len || !args.arg ||
	    args.arg & ~(u64)(KMQ_OPEN_SEND | KMQ_OPEN_RECV))
		return -EINVAL;
	if (args.id && args.id != h->obj->id)
		return -ESTALE;

	do {
		struct kmq_effects fx __kmq_uninit;

		kmq_effects_init(&fx);
		more = kmq_queue_shutdown(&h->obj->queue, &h->port, args.arg,
					  &fx);
		kmq_finish(h->obj, &fx);
		cond_resched();
	} while (more);
	return 0;
}

static long handle_next_size(struct kmq_handle *h, int __user *arg)
{
	u32 size;

	if (!(h->flags & KMQ_OPEN_RECV))
		return -EBADF;
	size = kmq_queue_next_size(&h->obj->queue,
				   !(h->flags & KMQ_OPEN_RECORDS));
	return put_user(size, arg);
}

static long kmq_handle_ioctl(struct file *file, unsigned int cmd,
			     unsigned long addr)
{
	struct kmq_handle *h = file->private_data;
	void __user *arg = (void __user *)addr;

	if (likely(cmd == KMQ_IOC_XFER))
		return kmq_xfer(file, arg);

	switch (kmq_request(cmd)) {
	case _IOC_NR(KMQ_IOC_XFER):
		return kmq_xfer(file, arg);
	case _IOC_NR(KMQ_IOC_STAT):
		return kmq_stat_object(h->obj, arg);
	case _IOC_NR(KMQ_IOC_ADMIN):
		return handle_shutdown(h, arg);
	default:
		if (cmd == FIONREAD)
			return handle_next_size(h, arg);
		return -ENOTTY;
	}
}

static void kmq_show_fdinfo(struct seq_file *m, struct file *file)
{
	struct kmq_handle *h = file->private_data;
	struct kmq_object *obj = h->obj;
	struct kmq_handle_row row = {};
	struct kmq_stat_args st = {};
	struct kmq_attrs attrs = {};

	kmq_object_stat(obj, &st);
	kmq_object_attrs(obj, &attrs);
	kmq_port_stat(&obj->queue, &h->port, &row);

	seq_printf(m, "kmq-name:\t%s\n", obj->name);
	seq_puts(m, "kmq-kind:\tqueue\n");
	seq_printf(m, "kmq-object:\t%llu\n", obj->id);
	seq_printf(m, "kmq-handle:\t%llu\n", h->id);
	seq_printf(m, "kmq-flags:\t%#x\n", h->flags);
	seq_printf(m, "kmq-handle-state:\t%#x\n", row.state);
	seq_printf(m, "kmq-sent:\t%llu\n", row.sent);
	seq_printf(m, "kmq-received:\t%llu\n", row.received);
	seq_printf(m, "kmq-state:\t%#x\n", st.state);
	seq_printf(m, "kmq-ready:\t%llu\n", st.ready);
	seq_printf(m, "kmq-bytes:\t%llu\n", st.bytes);
	seq_printf(m, "kmq-max-messages:\t%llu\n", attrs.max_messages);
	seq_printf(m, "kmq-max-bytes:\t%llu\n", attrs.max_bytes);
	seq_printf(m, "kmq-max-message-size:\t%u\n", attrs.max_message_size);
}

static const struct file_operations kmq_handle_fops = {
	.owner = THIS_MODULE,
	.release = kmq_release,
	.read = kmq_read,
	.write = kmq_write,
	.read_iter = kmq_read_iter,
	.write_iter = kmq_write_iter,
	.poll = kmq_poll,
	.unlocked_ioctl = kmq_handle_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
	.show_fdinfo = kmq_show_fdinfo,
	.llseek = noop_llseek,
};

/**
 * kmq_handle_of() - the handle behind a file
 * @file: any file
 *
 * Return: the handle, valid while @file is held; NULL if it is something else.
 */
struct kmq_handle *kmq_handle_of(struct file *file)
{
	return file->f_op == &kmq_handle_fops ? file->private_data : NULL;
}

static struct kmq_handle *handle_create(struct kmq_object *obj, u32 flags)
{
	struct kmq_handle *h;
	int err = -ENOMEM;

	h = kzalloc(sizeof(*h), GFP_KERNEL_ACCOUNT);
	if (!h)
		return ERR_PTR(-ENOMEM);
	h->user = kmq_user_get(kmq_paying_uid());
	if (!h->user)
		goto err_free;
	kmq_payer_set(&h->payer, h->user, obj->domain);
	err = kmq_charge(&h->payer, KMQ_R_HANDLES, 1);
	if (err)
		goto err_user;
	if (flags & KMQ_OPEN_SEND) {
		err = -ENOMEM;
		h->credit = credit_create(h, obj->domain);
		if (!h->credit)
			goto err_charge;
	}

	h->obj = obj;
	h->flags = flags;
	kmq_port_init(&h->port);
	spin_lock_init(&h->lock);
	h->id = kmq_new_id();
	h->opened = ktime_get_real_ns();
	h->uid = current_euid();
	h->gid = current_egid();
	h->opener = get_pid(task_tgid(current));
	get_task_comm(h->comm, current->group_leader);

	err = xa_err(xa_store(&obj->domain->handles, h->id, h,
			      GFP_KERNEL_ACCOUNT));
	if (err)
		goto err_pids;
	return h;

err_pids:
	put_pid(h->opener);
	if (h->credit)
		kmq_credit_close(h->credit);
err_charge:
	kmq_uncharge(&h->payer, KMQ_R_HANDLES, 1);
err_user:
	kmq_user_put(h->user);
err_free:
	kfree(h);
	return ERR_PTR(err);
}

/**
 * kmq_handle_file() - open an object
 * @obj: the object; on success the file takes over the caller's reference and
 *	its count in obj->handles
 * @flags: KMQ_OPEN_SEND, RECV, RECORDS, NONBLOCK; rights were checked
 *
 * Context: process context, may sleep.
 * Return: the file of a handle, or an ERR_PTR.
 */
struct file *kmq_handle_file(struct kmq_object *obj, u32 flags)
{
	static const int modes[] = { O_RDONLY, O_WRONLY, O_RDONLY, O_RDWR };
	int mode = modes[flags & (KMQ_OPEN_SEND | KMQ_OPEN_RECV)];
	struct kmq_handle *h;
	struct file *file;

	h = handle_create(obj, flags & (KMQ_OPEN_SEND | KMQ_OPEN_RECV |
					KMQ_OPEN_RECORDS));
	if (IS_ERR(h))
		return ERR_CAST(h);
	if (flags & KMQ_OPEN_SEND)
		atomic_inc(&obj->senders);
	if (flags & KMQ_OPEN_RECV)
		atomic_inc(&obj->receivers);

	if (flags & KMQ_OPEN_NONBLOCK)
		mode |= O_NONBLOCK;
	file = anon_inode_getfile("[kmq]", &kmq_handle_fops, h, mode);
	if (IS_ERR(file)) {
		/* both stay with the caller when this fails */
		refcount_inc(&obj->refs);
		atomic_inc(&obj->handles);
		handle_destroy(h);
		return file;
	}
	stream_open(file_inode(file), file);
	file->f_mode |= FMODE_NOWAIT;
	return file;
}
