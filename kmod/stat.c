// SPDX-License-Identifier: GPL-2.0-only
/* What can be asked: INFO, STAT, LIST, LIMITS. */
#include <linux/capability.h>
#include <linux/err.h>
#include <linux/rcupdate.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/user_namespace.h>

#include "ctl.h"
#include "domain.h"
#include "handle.h"
#include "object.h"
#include "params.h"
#include "user.h"

/**
 * kmq_info() - the INFO request
 * @domain: the control fd's
 * @arg: the caller's struct kmq_info_args
 *
 * Return: 0, -EFAULT, -EINVAL, -E2BIG.
 */
long kmq_info(struct kmq_domain *domain, void __user *arg)
{
	struct kmq_info_args args;
	int err;

	err = kmq_args_read(arg, &args, sizeof(args),
			    KMQ_INFO_ARGS_SIZE_VER0);
	if (err)
		return err;
	if (args.flags)
		return -EINVAL;

	args.features = KMQ_FEATURE_QUEUE | KMQ_FEATURE_WATERMARK;
	args.instance = kmq_instance;
	args.netns = domain->netns;
	args.attrs = KMQ_A_ALL;
	args.max_message_size = KMQ_MESSAGE_MAX;
	args.max_attr_len = KMQ_ATTR_MAX;
	args.max_xfer = KMQ_XFER_MAX;
	args.max_name = KMQ_NAME_MAX;
	args.default_messages = READ_ONCE(kmq_default_max_messages);
	args.default_bytes = READ_ONCE(kmq_default_max_bytes);
	args.default_message_size = READ_ONCE(kmq_default_max_message_size);
	args.reserved = 0;
	memset(args.version, 0, sizeof(args.version));
	strscpy((char *)args.version, KMQ_VERSION, sizeof(args.version));
	return kmq_args_write(arg, &args, sizeof(args),
			      offsetof(struct kmq_info_args, features));
}

/* Attributes for a caller that may know more or fewer of them. */
static int attrs_write(struct kmq_object *obj, u64 addr)
{
	void __user *to = u64_to_user_ptr(addr);
	struct kmq_attrs attrs = {};
	u32 size;

	if (get_user(size, (u32 __user *)to))
		return -EFAULT;
	if (size < KMQ_ATTRS_SIZE_VER0 || size > PAGE_SIZE)
		return -EINVAL;
	kmq_object_attrs(obj, &attrs);
	attrs.size = size;
	if (size > sizeof(attrs) &&
	    clear_user(to + sizeof(attrs), size - sizeof(attrs)))
		return -EFAULT;
	return copy_to_user(to, &attrs, min_t(size_t, size, sizeof(attrs))) ?
		-EFAULT : 0;
}

/* Of the object named, or of @obj if there is no @domain to look in. */
static long stat(struct kmq_domain *domain, struct kmq_object *obj,
		 void __user *arg)
{
	struct kmq_object *found = NULL;
	struct kmq_stat_args args, st = {};
	int err;

	err = kmq_args_read(arg, &args, sizeof(args),
			    KMQ_STAT_ARGS_SIZE_VER0);
	if (err)
		return err;
	if (args.flags)
		return -EINVAL;
	if (obj) {
		if (args.name || args.name_len)
			return -EINVAL;
		if (args.id && args.id != obj->id)
			return -ESTALE;
	} else {
		err = kmq_find(domain, args.name, args.name_len, args.id,
			       &found);
		if (err)
			return err;
		obj = found;
	}

	st.size = args.size;
	st.name = args.name;
	st.name_len = args.name_len;
	st.attrs = args.attrs;
	kmq_object_stat(obj, &st);
	err = args.attrs ? attrs_write(obj, args.attrs) : 0;
	if (!err)
		err = kmq_args_write(arg, &st, sizeof(st), 0);
	if (found)
		kmq_object_put(found);
	return err;
}

/**
 * kmq_stat_named() - the STAT request on a control fd
 * @domain: the control fd's
 * @arg: the caller's struct kmq_stat_args, which names the object
 *
 * Return: 0, -EFAULT, -EINVAL, -E2BIG, -ENOENT, -ESTALE.
 */
long kmq_stat_named(struct kmq_domain *domain, void __user *arg)
{
	return stat(domain, NULL, arg);
}

/**
 * kmq_stat_object() - the STAT request on a handle
 * @obj: the handle's object
 * @arg: the caller's struct kmq_stat_args
 *
 * Return: 0, -EFAULT, -EINVAL, -E2BIG, -ESTALE.
 */
long kmq_stat_object(struct kmq_object *obj, void __user *arg)
{
	return stat(NULL, obj, arg);
}

static void object_row(struct kmq_object *obj, struct kmq_object_row *row)
{
	struct kmq_stat_args st = {};
	struct kmq_attrs attrs = {};

	kmq_object_stat(obj, &st);
	kmq_object_attrs(obj, &attrs);
	row->id = obj->id;
	row->kind = obj->kind;
	row->state = st.state;
	row->mode = attrs.mode;
	row->uid = attrs.uid;
	row->gid = attrs.gid;
	row->overflow = attrs.overflow;
	row->max_message_size = attrs.max_message_size;
	row->handles = st.handles;
	row->senders = st.senders;
	row->receivers = st.receivers;
	row->waiting_senders = st.waiting_senders;
	row->waiting_receivers = st.waiting_receivers;
	row->max_messages = attrs.max_messages;
	row->max_bytes = attrs.max_bytes;
	row->ready = st.ready;
	row->bytes = st.bytes;
	row->memory = st.memory;
	row->sent = st.sent;
	row->received = st.received;
	row->dropped = st.dropped_full + st.dropped_purged;
	row->refused_full = st.refused_full;
	row->created = st.created;
	row->name_len = obj->name_len;
	memcpy(row->name, obj->name, obj->name_len);
}

/* One row about the first object or handle from *id on; false: the end. */
static bool next_object_row(struct kmq_domain *domain, u64 *id,
			    struct kmq_object_row *row)
{
	struct kmq_object *obj = kmq_domain_next_object(domain, id);

	if (!obj)
		return false;
	memset(row, 0, sizeof(*row));
	object_row(obj, row);
	kmq_object_put(obj);
	return true;
}

static bool next_handle_row(struct kmq_domain *domain, u64 *id, u64 only,
			    struct kmq_handle_row *row)
{
	unsigned long index = *id;
	struct kmq_handle *h;
	u32 skipped = 0;

	rcu_read_lock();
	h = xa_find(&domain->handles, &index, ULONG_MAX, XA_PRESENT);
	while (h && only && h->obj->id != only) {
		/* other objects may have very many */
		if (++skipped % 256 == 0) {
			rcu_read_unlock();
			cond_resched();
			rcu_read_lock();
		}
		h = xa_find_after(&domain->handles, &index, ULONG_MAX,
				  XA_PRESENT);
	}
	if (h) {
		memset(row, 0, sizeof(*row));
		kmq_handle_row(h, row);
	}
	rcu_read_unlock();
	*id = index;
	return h;
}

static u32 row_bytes(u32 what)
{
	switch (what) {
	case KMQ_LIST_OBJECTS:
		return sizeof(struct kmq_object_row);
	case KMQ_LIST_HANDLES:
		return sizeof(struct kmq_handle_row);
	}
	return 0;
}

static int put_row(u64 addr, u32 given, const void *row, u32 size)
{
	void __user *to = u64_to_user_ptr(addr);

	if (copy_to_user(to, row, min(given, size)))
		return -EFAULT;
	if (given > size && clear_user(to + size, given - size))
		return -EFAULT;
	return 0;
}

static long list_rows(struct kmq_domain *domain, struct kmq_list_args *args,
		      u64 only, void *row)
{
	u32 size = row_bytes(args->what), n;
	u64 id = args->cursor;
	bool more;
	int err;

	for (n = 0; n < args->count; n++) {
		if (args->what == KMQ_LIST_OBJECTS)
			more = next_object_row(domain, &id, row);
		else
			more = next_handle_row(domain, &id, only, row);
		if (!more)
			break;
		err = put_row(args->rows + (u64)n * args->row_size,
			      args->row_size, row, size);
		if (err)
			return err;
		id++;
		args->cursor = id;
		cond_resched();
		if (fatal_signal_pending(current))
			return -EINTR;
	}
	args->count = n;
	return 0;
}

/**
 * kmq_list() - the LIST request
 * @domain: the control fd's
 * @arg: the caller's struct kmq_list_args
 *
 * Return: 0, -EFAULT, -EINVAL, -E2BIG, -ENOENT, -ENOMEM.
 */
long kmq_list(struct kmq_domain *domain, void __user *arg)
{
	struct kmq_object *obj = NULL;
	struct kmq_list_args args;
	void *row;
	long ret;

	ret = kmq_args_read(arg, &args, sizeof(args),
			    KMQ_LIST_ARGS_SIZE_VER0);
	if (ret)
		return ret;
	if (args.flags || !row_bytes(args.what) || !args.count ||
	    args.count > KMQ_LIST_MAX || args.row_size < sizeof(u64) ||
	    args.row_size > PAGE_SIZE || args.row_size % 8)
		return -EINVAL;
	if (args.name || args.name_len) {
		if (args.what != KMQ_LIST_HANDLES)
			return -EINVAL;
		ret = kmq_find(domain, args.name, args.name_len, 0, &obj);
		if (ret)
			return ret;
	}

	ret = -ENOMEM;
	row = kmalloc(row_bytes(args.what), GFP_KERNEL_ACCOUNT);
	if (row)
		ret = list_rows(domain, &args, obj ? obj->id : 0, row);
	kfree(row);
	if (obj)
		kmq_object_put(obj);
	if (!ret)
		ret = kmq_args_write(arg, &args, sizeof(args),
				     offsetof(struct kmq_list_args, count));
	return ret;
}

/* Limits that are about to be set are told as they will be. */
static void account_read(const struct kmq_account *acc,
			 struct kmq_limits_args *args)
{
	struct kmq_limit *limits = args->r;
	unsigned int i;

	for (i = 0; i < KMQ_R_COUNT; i++) {
		if (!(args->set_mask & BIT(i)))
			limits[i].limit = kmq_account_limit(acc, i);
		limits[i].used = atomic_long_read(&acc->used[i]);
		limits[i].peak = atomic_long_read(&acc->peak[i]);
		limits[i].refused = atomic_long_read(&acc->refused[i]);
	}
}

static void account_set(struct kmq_account *acc,
			const struct kmq_limits_args *args)
{
	unsigned int i;

	for (i = 0; i < KMQ_R_COUNT; i++)
		if (args->set_mask & BIT(i))
			atomic_long_set(&acc->limit[i], args->r[i].limit);
}

static int limits_check(const struct kmq_limits_args *args)
{
	unsigned int i;

	if (args->flags & ~KMQ_LIMITS_SET || args->reserved ||
	    args->scope > KMQ_SCOPE_USER ||
	    args->set_mask & ~(BIT(KMQ_R_COUNT) - 1))
		return -EINVAL;
	if (!!(args->flags & KMQ_LIMITS_SET) != !!args->set_mask)
		return -EINVAL;
	if (args->uid && args->scope != KMQ_SCOPE_USER)
		return -EINVAL;
	for (i = 0; i < KMQ_R_COUNT; i++)
		if (args->set_mask & BIT(i) && args->r[i].limit > LONG_MAX)
			return -EINVAL;
	return 0;
}

/**
 * kmq_limits() - the LIMITS request
 * @domain: the control fd's
 * @arg: the caller's struct kmq_limits_args
 *
 * A limit that was set lasts until the module is unloaded, or the domain ends.
 *
 * Return: 0, -EFAULT, -EINVAL, -E2BIG, -EPERM, -ENOMEM.
 */
long kmq_limits(struct kmq_domain *domain, void __user *arg)
{
	struct kmq_account *acc = &kmq_module_account;
	struct kmq_user *user = NULL;
	struct kmq_limits_args args;
	int err;

	err = kmq_args_read(arg, &args, sizeof(args),
			    KMQ_LIMITS_ARGS_SIZE_VER0);
	if (err)
		return err;
	err = limits_check(&args);
	if (err)
		return err;
	if (args.flags & KMQ_LIMITS_SET && !capable(CAP_SYS_RESOURCE))
		return -EPERM;

	if (args.scope == KMQ_SCOPE_DOMAIN) {
		acc = &domain->account;
	} else if (args.scope == KMQ_SCOPE_USER) {
		kuid_t uid = make_kuid(current_user_ns(), args.uid);

		if (!uid_valid(uid))
			return -EINVAL;
		user = kmq_user_get(uid);
		if (!user)
			return -ENOMEM;
		acc = &user->account;
	}

	account_read(acc, &args);
	err = kmq_args_write(arg, &args, sizeof(args),
			     offsetof(struct kmq_limits_args, r));
	/* what cannot be told is not done */
	if (!err && args.set_mask) {
		account_set(acc, &args);
		if (user)
			kmq_user_keep(user);
	}
	kmq_user_put(user);
	return err;
}
