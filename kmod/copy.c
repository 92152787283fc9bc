// SPDX-License-Identifier: GPL-2.0-only
#include <linux/cred.h>
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/pid.h>
#include <linux/pid_namespace.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/timekeeping.h>
#include <linux/uaccess.h>
#include <linux/user_namespace.h>

#include "copy.h"
#include "handle.h"
#include "object.h"

/*
 * Short bodies are copied word by word: the checks of copy_from_user() and
 * copy_to_user() would cost several times as much as the copy itself. The
 * kernel's side is always within one record of known size.
 */
#define SHORT_COPY 128

static __always_inline bool short_in(void *to, const void __user *from, u32 len)
{
	u64 *word = to;
	const u64 __user *src = from;
	u32 n;

	if (!user_read_access_begin(from, len))
		return false;
	for (n = len / 64; n; n--) {
		unsafe_get_user(word[0], src, fault);
		unsafe_get_user(word[1], src + 1, fault);
		unsafe_get_user(word[2], src + 2, fault);
		unsafe_get_user(word[3], src + 3, fault);
		unsafe_get_user(word[4], src + 4, fault);
		unsafe_get_user(word[5], src + 5, fault);
		unsafe_get_user(word[6], src + 6, fault);
		unsafe_get_user(word[7], src + 7, fault);
		word += 8;
		src += 8;
	}
	for (n = len % 64 / 8; n; n--)
		unsafe_get_user(*word++, src++, fault);
	for (n = 0; n < len % 8; n++)
		unsafe_get_user(((u8 *)word)[n], (u8 __user *)src + n, fault);
	user_read_access_end();
	return true;
fault:
	user_read_access_end();
	return false;
}

static __always_inline bool short_out(void __user *to, const void *from,
				      u32 len)
{
	const u64 *word = from;
	u64 __user *dst = to;
	u32 n;

	if (!user_write_access_begin(to, len))
		return false;
	for (n = len / 64; n; n--) {
		unsafe_put_user(word[0], dst, fault);
		unsafe_put_user(word[1], dst + 1, fault);
		unsafe_put_user(word[2], dst + 2, fault);
		unsafe_put_user(word[3], dst + 3, fault);
		unsafe_put_user(word[4], dst + 4, fault);
		unsafe_put_user(word[5], dst + 5, fault);
		unsafe_put_user(word[6], dst + 6, fault);
		unsafe_put_user(word[7], dst + 7, fault);
		word += 8;
		dst += 8;
	}
	for (n = len % 64 / 8; n; n--)
		unsafe_put_user(*word++, dst++, fault);
	for (n = 0; n < len % 8; n++)
		unsafe_put_user(((const u8 *)word)[n], (u8 __user *)dst + n,
				fault);
	user_write_access_end();
	return true;
fault:
	user_write_access_end();
	return false;
}

static bool is_short(const struct kmq_user_buf *buf, u32 len)
{
	return IS_ENABLED(CONFIG_HAVE_EFFICIENT_UNALIGNED_ACCESS) &&
		!buf->iter && len <= SHORT_COPY;
}

static __always_inline int copy_in(struct kmq_user_buf *from, void *to, u32 len)
{
	if (likely(!from->iter)) {
		bool ok;

		if (is_short(from, len))
			ok = short_in(to, from->ptr, len);
		else
			ok = !copy_from_user(to, from->ptr, len);
		if (unlikely(!ok))
			return -EFAULT;
		from->ptr += len;
		return 0;
	}
	return copy_from_iter_full(to, len, from->iter) ? 0 : -EFAULT;
}

/* Go back over bytes just copied; they will be fetched and checked again. */
static void step_back(struct kmq_user_buf *from, u32 len)
{
	if (from->iter)
		iov_iter_revert(from->iter, len);
	else
		from->ptr -= len;
}

static u32 copy_to(struct kmq_user_buf *to, void *data, u32 len)
{
	u32 done;

	if (unlikely(to->iter))
		return copy_to_iter(data, len, to->iter);
	if (is_short(to, len))
		done = short_out(to->ptr, data, len) ? len : 0;
	else
		done = len - copy_to_user(to->ptr, data, len);
	to->ptr += done;
	return done;
}

/* The run is paid for by its sender, whose reference goes with it. */
static __always_inline int pay_for(struct kmq_run *run,
				   struct kmq_sender *sender)
{
	int err = kmq_run_charge(run, sender);

	if (unlikely(err))
		kmq_sender_put(sender);
	return err;
}

/*
 * Make a run ready to be sent: paid for by @sender, whose reference goes with
 * it, or NULL if that was done before; and with a place for its priorities. On
 * error it is gone.
 */
static __always_inline int finish_run(struct kmq_handle *h,
				      struct kmq_sender *sender,
				      struct kmq_run *run)
{
	int err = likely(sender) ? pay_for(run, sender) : 0;

	if (likely(!err))
		err = kmq_queue_reserve(&h->obj->queue, run);
	if (unlikely(err))
		kmq_run_free(run);
	return err;
}

/* The rest of a large record, behind the first piece. */
static int copy_pieces(struct kmq_user_buf *from, struct kmq_run *run,
		       u32 off, u32 len)
{
	while (len) {
		u32 part = len;
		void *to = kmq_run_segment(run, off, &part);

		if (copy_in(from, to, part))
			return -EFAULT;
		off += part;
		len -= part;
	}
	return 0;
}

static void zero_padding(struct kmq_run *run, u32 used, u32 size)
{
	u32 pad = size - used;

	/* fewer than 8 bytes and aligned to 8: never across pieces */
	if (pad)
		memset(kmq_run_segment(run, used, &pad), 0, size - used);
}

/* A run for one record of any size, zeroed where its header goes. */
static struct kmq_run *run_for(u32 size)
{
	struct kmq_data first;
	struct kmq_run *run;

	if (likely(size <= KMQ_CHUNK_BYTES))
		return kmq_run_single(size);
	if (kmq_data_alloc(&first, KMQ_CHUNK_BYTES))
		return NULL;
	run = kmq_run_large(&first, size);
	kmq_data_free(&first);
	return run;
}

/**
 * kmq_copy_message() - one message whose body is all of a buffer
 * @h: the handle
 * @by: KMQ_BY_OPENER or KMQ_BY_CALLER
 * @from: the body
 * @len: its bytes, at most KMQ_MESSAGE_MAX
 *
 * Context: process context, may sleep.
 * Return: a run to be sent, or an ERR_PTR: -EFAULT, -ENOMEM, -EDQUOT, -ENOBUFS.
 */
struct kmq_run *kmq_copy_message(struct kmq_handle *h, unsigned int by,
				 struct kmq_user_buf *from, size_t len)
{
	u32 size = kmq_record_size(0, len);
	struct kmq_sender *sender;
	struct kmq_record *rec;
	struct kmq_run *run;
	u32 part = len;
	void *body;
	int err;

	run = run_for(size);
	if (unlikely(!run))
		return ERR_PTR(-ENOMEM);
	if (unlikely(run->npieces)) {
		/* the body may be long in coming: see large_record() */
		err = -ENOMEM;
		sender = kmq_handle_sender(h, by);
		if (sender)
			err = pay_for(run, sender);
		if (err)
			goto err_free;
	}

	rec = run->npieces ? run->pieces[0] : run->data;
	*rec = (struct kmq_record) { .size = size, .body_len = len };
	body = kmq_run_segment(run, sizeof(*rec), &part);
	err = copy_in(from, body, part);
	if (unlikely(!err && part < len))
		err = copy_pieces(from, run, sizeof(*rec) + part, len - part);
	if (unlikely(err))
		goto err_free;
	zero_padding(run, sizeof(*rec) + len, size);
	kmq_run_single_ready(run, ktime_get_real_fast_ns());

	sender = NULL;
	if (likely(!run->sender)) {
		err = -ENOMEM;
		sender = kmq_handle_sender(h, by);
		if (unlikely(!sender))
			goto err_free;
	}
	err = finish_run(h, sender, run);
	return unlikely(err) ? ERR_PTR(err) : run;

err_free:
	kmq_run_free(run);
	return ERR_PTR(err);
}

/*
 * A record that is longer than a chunk: its first KMQ_CHUNK_BYTES are in @data
 * and @from stands behind them. @left bytes of the buffer remain from the start
 * of the record.
 *
 * It is paid for before the rest is fetched: user memory may take any time to
 * come, and everybody who waits for some would have a megabyte for nothing.
 */
static struct kmq_run *large_record(struct kmq_user_buf *from,
				    struct kmq_sender *sender,
				    struct kmq_data *data, size_t left,
				    u32 max_body, u64 time, u32 *error_at)
{
	struct kmq_record *rec = data->ptr;
	struct kmq_run *run;
	u32 size, body_len;
	int err;

	err = kmq_record_check(rec, max_body, error_at);
	if (err)
		return ERR_PTR(err);
	size = rec->size;
	body_len = rec->body_len;
	if (size > left)
		return ERR_PTR(-EINVAL);

	run = kmq_run_large(data, size);
	if (!run)
		return ERR_PTR(-ENOMEM);
	refcount_inc(&sender->refs);
	err = pay_for(run, sender);
	if (!err)
		err = copy_pieces(from, run, KMQ_CHUNK_BYTES,
				  size - KMQ_CHUNK_BYTES);
	if (err) {
		kmq_run_free(run);
		return ERR_PTR(err);
	}
	zero_padding(run, sizeof(*rec) + rec->attr_len + body_len, size);
	kmq_run_single_ready(run, time);
	return run;
}

/* A record cut off by the end of the buffer, or of what one call takes? */
static bool cut_off_is_fine(const void *data, u32 got, size_t left, bool capped)
{
	const struct kmq_record *rec = data;

	/* only the limit of a call may cut a record, never the buffer's end */
	return capped && (got < sizeof(*rec) ||
			  (rec->size > left && rec->size <= KMQ_RECORD_MAX));
}

/**
 * kmq_copy_single() - the record in a buffer that holds just one
 * @h: the handle
 * @by: KMQ_BY_OPENER or KMQ_BY_CALLER
 * @from: the buffer
 * @len: its bytes
 * @error_at: set on -EINVAL and -EMSGSIZE to the offset of what is wrong
 *
 * A run of one node takes one allocation where a batch takes two.
 *
 * Context: process context, may sleep.
 * Return: a run to be sent; NULL when the buffer holds something else, which is
 * for kmq_copy_records(); or an ERR_PTR as that returns.
 */
struct kmq_run *kmq_copy_single(struct kmq_handle *h, unsigned int by,
				struct kmq_user_buf *from, size_t len,
				u32 *error_at)
{
	struct kmq_sender *sender;
	struct kmq_record *rec;
	struct kmq_run *run;
	u32 size, hint, used, max_body;
	int err;

	if (from->iter || len > KMQ_CHUNK_BYTES || len < sizeof(*rec))
		return NULL;
	size = len;
	/* a hint, to save copying; what counts is looked at in the copy */
	if (size > SHORT_COPY &&
	    (get_user(hint, (u32 __user *)from->ptr) || hint != size))
		return NULL;

	run = kmq_run_single(size);
	if (unlikely(!run))
		return ERR_PTR(-ENOMEM);
	rec = run->data;
	err = copy_in(from, rec, size);
	if (unlikely(err))
		goto err_free;
	if (unlikely(rec->size != size)) {
		step_back(from, size);
		kmq_run_free(run);
		return NULL;
	}
	max_body = READ_ONCE(h->obj->queue.cfg.max_message_size);
	if (unlikely(!kmq_record_plain(rec, size, max_body))) {
		*error_at = 0;
		err = -EINVAL;
		if (rec->attr_len > size - sizeof(*rec))
			goto err_free;
		err = kmq_record_check(rec, max_body, error_at);
		if (err)
			goto err_free;
	}
	used = sizeof(*rec) + rec->attr_len + rec->body_len;
	if (used != size)
		memset((char *)rec + used, 0, size - used);
	kmq_record_sent(rec, ktime_get_real_fast_ns());
	kmq_node_init(&run->nodes[0], 0, 0, rec);

	err = -ENOMEM;
	sender = kmq_handle_sender(h, by);
	if (unlikely(!sender))
		goto err_free;
	err = finish_run(h, sender, run);
	return unlikely(err) ? ERR_PTR(err) : run;

err_free:
	kmq_run_free(run);
	return ERR_PTR(err);
}

/**
 * kmq_copy_records() - the packed records in a buffer
 * @h: the handle
 * @by: KMQ_BY_OPENER or KMQ_BY_CALLER
 * @from: the buffer
 * @len: its bytes; beyond KMQ_XFER_MAX only whole records before that are taken
 * @s: the batch they are added to; nothing may be sent of it on error
 * @error_at: set on -EINVAL and -EMSGSIZE to the offset of what is wrong
 *
 * Context: process context, may sleep.
 * Return: 0, -EINVAL, -EMSGSIZE, -EFAULT, -ENOMEM, -EDQUOT, -ENOBUFS.
 */
int kmq_copy_records(struct kmq_handle *h, unsigned int by,
		     struct kmq_user_buf *from, size_t len,
		     struct kmq_send *s, u32 *error_at)
{
	u32 max_body = READ_ONCE(h->obj->queue.cfg.max_message_size);
	bool capped = len > KMQ_XFER_MAX;
	u64 time = ktime_get_real_fast_ns();
	struct kmq_sender *sender;
	u32 at = 0;
	int err = 0;

	if (capped)
		len = KMQ_XFER_MAX;
	sender = kmq_handle_sender(h, by);
	if (unlikely(!sender))
		return -ENOMEM;

	while (at < len && !err) {
		u32 part = min_t(size_t, len - at, KMQ_CHUNK_BYTES);
		struct kmq_data data;
		struct kmq_scan scan;
		struct kmq_run *run;

		err = kmq_data_alloc(&data, part);
		if (unlikely(err))
			break;
		err = copy_in(from, data.ptr, part);
		if (unlikely(err)) {
			kmq_data_free(&data);
			break;
		}
		err = kmq_records_scan(data.ptr, part, max_body, &scan);
		*error_at = at + scan.error_at;
		if (unlikely(err)) {
			kmq_data_free(&data);
			break;
		}

		if (likely(scan.count)) {
			run = kmq_run_batch(&data, &scan, time);
			if (unlikely(!run))
				run = ERR_PTR(-ENOMEM);
			else if (scan.bytes < part)
				step_back(from, part - scan.bytes);
		} else if (cut_off_is_fine(data.ptr, part, len - at, capped)) {
			kmq_data_free(&data);
			break;
		} else if (part < KMQ_CHUNK_BYTES) {
			run = ERR_PTR(-EINVAL);
		} else {
			u32 off = 0;

			run = large_record(from, sender, &data, len - at,
					   max_body, time, &off);
			*error_at = at + off;
		}
		kmq_data_free(&data);

		if (IS_ERR(run)) {
			err = PTR_ERR(run);
			break;
		}
		at += run->bytes;
		if (likely(!run->sender)) {
			refcount_inc(&sender->refs);
			err = finish_run(h, sender, run);
		} else {
			err = finish_run(h, NULL, run);
		}
		if (likely(!err))
			kmq_send_add(s, run);
	}

	kmq_sender_put(sender);
	return err;
}

static u32 copy_segments(struct kmq_user_buf *to, struct kmq_run *run,
			 u32 off, u32 len)
{
	u32 done = 0;

	while (done < len) {
		u32 part = len - done;
		void *data = kmq_run_segment(run, off + done, &part);
		u32 n = copy_to(to, data, part);

		done += n;
		if (n < part)
			break;
	}
	return done;
}

/**
 * kmq_copy_body() - the body of a message taken
 * @to: the buffer; it is large enough
 * @node: the message; stays the caller's
 *
 * Context: process context, may sleep.
 * Return: bytes of the body, or -EFAULT, or -EINTR when the task is being killed.
 */
ssize_t kmq_copy_body(struct kmq_user_buf *to, struct kmq_node *node)
{
	struct kmq_run *run = kmq_node_run(node);
	struct kmq_record *rec = kmq_run_record(run, node);
	u32 len = rec->body_len;
	u32 off = node->off + sizeof(*rec) + rec->attr_len;

	if (copy_segments(to, run, off, len) < len)
		return -EFAULT;
	/* a task that is being killed cannot use it: others can */
	if (unlikely(fatal_signal_pending(current)))
		return -EINTR;
	return len;
}

/* What the reader sees of a sender. */
struct stamp {
	u32 flags;
	u32 pid;
	u32 uid;
	u32 gid;
};

static __always_inline void make_stamp(struct stamp *st,
				       const struct kmq_sender *sender)
{
	struct user_namespace *ns = current_user_ns();

	st->flags = sender->flags;
	st->pid = pid_nr_ns(sender->pid, task_active_pid_ns(current));
	st->uid = sender->uid;
	st->gid = sender->gid;
	/* in the initial namespace there is nothing to translate */
	if (likely(ns == &init_user_ns))
		return;
	st->uid = from_kuid_munged(ns, KUIDT_INIT(sender->uid));
	st->gid = from_kgid_munged(ns, KGIDT_INIT(sender->gid));
}

static __always_inline void stamp_record(struct kmq_record *rec,
					 const struct kmq_node *node,
					 const struct stamp *st)
{
	rec->seq = node->seq;
	rec->flags = (rec->flags & KMQ_REC_USER_FLAGS) | st->flags;
	rec->pid = st->pid;
	rec->uid = st->uid;
	rec->gid = st->gid;
}

/**
 * kmq_copy_short() - kmq_copy_out() for one short record
 * @to: the buffer; it is large enough
 * @node: the message; freed when it was copied
 *
 * There are no neighbours to put together.
 *
 * Context: process context, may sleep.
 * Return: bytes of the record; 0 when it is longer than that or cannot be
 * copied: then kmq_copy_out() is to be used.
 */
u32 kmq_copy_short(struct kmq_user_buf *to, struct kmq_node *node)
{
	struct kmq_run *run = kmq_node_run(node);
	u32 size = node->size;
	struct kmq_record *rec;
	struct stamp st;

	if (!is_short(to, size))
		return 0;
	make_stamp(&st, run->sender);
	rec = run->data + node->off;
	stamp_record(rec, node, &st);
	if (unlikely(!short_out(to->ptr, rec, size)))
		return 0;
	if (unlikely(fatal_signal_pending(current)))
		return 0;
	to->ptr += size;
	kmq_run_put(run, 1);
	return size;
}

/**
 * kmq_copy_bare() - header and body of a message taken, without attributes
 * @to: the buffer; it is large enough
 * @node: the message; stays the caller's
 *
 * Context: process context, may sleep.
 * Return: bytes of both, or -EFAULT or -EINTR as kmq_copy_body().
 */
ssize_t kmq_copy_bare(struct kmq_user_buf *to, struct kmq_node *node)
{
	struct kmq_run *run = kmq_node_run(node);
	struct kmq_record header = *kmq_run_record(run, node);
	struct stamp st;
	ssize_t n;

	make_stamp(&st, run->sender);
	stamp_record(&header, node, &st);
	header.attr_len = 0;
	header.size = kmq_record_size(0, header.body_len);
	if (copy_to(to, &header, sizeof(header)) < sizeof(header))
		return -EFAULT;
	n = kmq_copy_body(to, node);
	return n < 0 ? n : n + (ssize_t)sizeof(header);
}

/**
 * kmq_copy_out() - the records taken
 * @to: the buffer; it is large enough
 * @nodes: the messages; those copied whole are freed and leave the list
 * @count: increased by the records copied
 *
 * The task that took a node owns the words of its header that are stamped here.
 *
 * Context: process context, may sleep.
 * Return: bytes of the records copied whole; nodes left in @nodes: a fault, or
 * the task is being killed.
 */
u32 kmq_copy_out(struct kmq_user_buf *to, struct list_head *nodes, u32 *count)
{
	struct list_head *pos = nodes->next;
	u32 total = 0, before = *count;
	LIST_HEAD(copied);

	while (pos != nodes) {
		struct kmq_node *node = list_entry(pos, struct kmq_node, link);
		struct kmq_run *run = kmq_node_run(node);
		struct list_head *last = pos, *first = pos;
		u32 off = node->off, len = 0, n = 0, done;
		struct stamp st;

		/* neighbours in one run leave together */
		make_stamp(&st, run->sender);
		do {
			stamp_record(kmq_run_record(run, node), node, &st);
			len += node->size;
			n++;
			last = pos;
			pos = pos->next;
			if (pos == nodes)
				break;
			node = list_entry(pos, struct kmq_node, link);
		} while (kmq_node_run(node) == run && node->off == off + len);

		done = copy_segments(to, run, off, len);
		if (unlikely(done < len)) {
			/* only what arrived whole was delivered */
			node = list_entry(first, struct kmq_node, link);
			for (last = first->prev, len = 0, n = 0;
			     len + node->size <= done;
			     node = list_next_entry(node, link)) {
				len += node->size;
				last = &node->link;
				n++;
			}
			pos = nodes;
		}
		total += len;
		*count += n;
		if (pos == nodes)
			list_cut_position(&copied, nodes, last);
	}
	/* a task that is being killed cannot use them: others can */
	if (unlikely(fatal_signal_pending(current))) {
		list_splice(&copied, nodes);
		*count = before;
		return 0;
	}
	kmq_nodes_free(&copied);
	return total;
}
