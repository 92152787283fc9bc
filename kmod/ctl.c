// SPDX-License-Identifier: GPL-2.0-only
#include <linux/capability.h>
#include <linux/err.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/random.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/uaccess.h>

#include "ctl.h"
#include "domain.h"
#include "handle.h"
#include "object.h"
#include "perm.h"

/* What is in use cannot be made smaller; what grows gets a new VER. */
static_assert(sizeof(struct kmq_record) == 64);
static_assert(sizeof(struct kmq_record_attr) == 8);
static_assert(sizeof(struct kmq_attrs) == KMQ_ATTRS_SIZE_VER0);
static_assert(sizeof(struct kmq_info_args) == KMQ_INFO_ARGS_SIZE_VER0);
static_assert(sizeof(struct kmq_open_args) == KMQ_OPEN_ARGS_SIZE_VER0);
static_assert(sizeof(struct kmq_alter_args) == KMQ_ALTER_ARGS_SIZE_VER0);
static_assert(sizeof(struct kmq_delete_args) == KMQ_DELETE_ARGS_SIZE_VER0);
static_assert(sizeof(struct kmq_stat_args) == KMQ_STAT_ARGS_SIZE_VER0);
static_assert(sizeof(struct kmq_list_args) == KMQ_LIST_ARGS_SIZE_VER0);
static_assert(sizeof(struct kmq_limits_args) == KMQ_LIMITS_ARGS_SIZE_VER0);
static_assert(sizeof(struct kmq_admin_args) == KMQ_ADMIN_ARGS_SIZE_VER0);
static_assert(sizeof(struct kmq_xfer_args) == KMQ_XFER_ARGS_SIZE_VER0);

/* An open control fd. */
struct kmq_ctl {
	spinlock_t lock; /* guards domain */
	struct kmq_domain *domain;
};

/* Tells one loading of the module from the next. */
u64 kmq_instance;

/**
 * kmq_request() - which request an ioctl number stands for
 * @cmd: the number
 *
 * The size in it is that of the caller's structure and may differ.
 *
 * Return: _IOC_NR, or a value no request has.
 */
unsigned int kmq_request(unsigned int cmd)
{
	if (_IOC_TYPE(cmd) != KMQ_IOC_MAGIC ||
	    _IOC_DIR(cmd) != (_IOC_READ | _IOC_WRITE))
		return ~0u;
	return _IOC_NR(cmd);
}

/**
 * kmq_args_read() - a caller's structure, copied once
 * @from: where it lies; begins with its size
 * @args: filled in; what an older caller lacks is zero
 * @size: bytes of @args
 * @least: the smallest size there ever was
 *
 * Return: 0, -EFAULT, -EINVAL (no possible size), -E2BIG (unknown tail).
 */
int kmq_args_read(void __user *from, void *args, size_t size, size_t least)
{
	u32 given;
	int err;

	if (get_user(given, (u32 __user *)from))
		return -EFAULT;
	/* no structure is ever larger than a page */
	if (given < least || given > PAGE_SIZE)
		return -EINVAL;
	err = copy_struct_from_user(args, size, from, given);
	if (err)
		return err;
	/* what was checked is what counts, whatever stands there now */
	*(u32 *)args = given;
	return 0;
}

/**
 * kmq_args_write() - results into a caller's structure
 * @to: where it lies
 * @args: all of it; its size field is what the caller gave
 * @size: bytes of @args
 * @at: offset of the first byte to write
 *
 * Return: 0 or -EFAULT.
 */
int kmq_args_write(void __user *to, const void *args, size_t size, size_t at)
{
	size_t given = *(const u32 *)args;

	size = min(size, given);
	if (at >= size)
		return 0;
	return copy_to_user(to + at, args + at, size - at) ? -EFAULT : 0;
}

/**
 * kmq_find() - the object a request names
 * @domain: where
 * @name: address of the name
 * @len: its bytes
 * @id: 0, or the id it must have
 * @found: set to the object, with a reference
 *
 * Return: 0, -EINVAL, -EFAULT, -ENOENT, -ESTALE.
 */
int kmq_find(struct kmq_domain *domain, u64 name, u32 len, u64 id,
	     struct kmq_object **found)
{
	struct kmq_object *obj;
	struct kmq_name text;
	int err;

	err = kmq_name_read(name, len, false, &text);
	if (err)
		return err;
	obj = kmq_domain_find(domain, text.text, text.len);
	if (!obj)
		return -ENOENT;
	if (id && id != obj->id) {
		kmq_object_put(obj);
		return -ESTALE;
	}
	*found = obj;
	return 0;
}

static int open_check(const struct kmq_open_args *args)
{
	u32 flags = args->flags;

	if (flags & ~KMQ_OPEN_FLAGS || args->reserved)
		return -EINVAL;
	if (!(flags & KMQ_OPEN_CREATE) &&
	    flags & (KMQ_OPEN_EXCL | KMQ_OPEN_FOREIGN_OK))
		return -EINVAL;
	if (!(flags & KMQ_OPEN_OWNER) && args->owner)
		return -EINVAL;
	return 0;
}

/* Give @fd to a handle of the object; on success that has the references. */
static int open_finish(struct kmq_object *obj, struct kmq_open_args *args,
		       void __user *arg, int fd)
{
	struct file *file;

	file = kmq_handle_file(obj, args->flags);
	if (IS_ERR(file)) {
		if (args->created)
			kmq_object_undo(obj, 1);
		return PTR_ERR(file);
	}
	if (kmq_args_write(arg, args, sizeof(*args),
			   offsetof(struct kmq_open_args, id))) {
		refcount_inc(&obj->refs);
		atomic_inc(&obj->handles);
		fput(file);
		/* the file, which goes a moment later, counts as well */
		if (args->created)
			kmq_object_undo(obj, 2);
		return -EFAULT;
	}
	fd_install(fd, file);
	return 0;
}

static long ctl_open(struct kmq_domain *domain, void __user *arg)
{
	struct kmq_settings want = {};
	struct kmq_open_args args;
	struct kmq_object *obj;
	struct kmq_name name;
	int fd = -1;
	long ret;

	ret = kmq_args_read(arg, &args, sizeof(args),
			    KMQ_OPEN_ARGS_SIZE_VER0);
	if (ret)
		return ret;
	args.differs = 0;
	args.bad = 0;
	args.created = 0;

	ret = open_check(&args);
	if (!ret)
		ret = kmq_name_read(args.name, args.name_len,
				    args.flags & KMQ_OPEN_CREATE, &name);
	if (!ret && args.attrs)
		ret = kmq_settings_read(args.attrs, &want, &args.bad);
	if (!ret) {
		/* first, so that nothing is created without a descriptor */
		fd = get_unused_fd_flags(O_CLOEXEC);
		ret = min(fd, 0);
	}
	if (!ret)
		ret = kmq_object_open(domain, &name, &want, &args, &obj);
	if (!ret) {
		ret = open_finish(obj, &args, arg, fd);
		if (!ret)
			return fd;
		put_unused_fd(fd);
		kmq_object_unuse(obj);
		kmq_object_put(obj);
		return ret;
	}
	if (fd >= 0)
		put_unused_fd(fd);
	if (kmq_args_write(arg, &args, sizeof(args),
			   offsetof(struct kmq_open_args, id)))
		return -EFAULT;
	return ret;
}

static long ctl_alter(struct kmq_domain *domain, void __user *arg)
{
	struct kmq_alter_args args;
	struct kmq_settings want = {};
	struct kmq_object *obj;
	long ret;

	ret = kmq_args_read(arg, &args, sizeof(args),
			    KMQ_ALTER_ARGS_SIZE_VER0);
	if (ret)
		return ret;
	args.bad = 0;
	ret = args.flags || args.reserved ? -EINVAL :
		kmq_settings_read(args.attrs, &want, &args.bad);
	if (!ret)
		ret = kmq_find(domain, args.name, args.name_len, args.id,
			       &obj);
	if (!ret) {
		ret = kmq_object_alter(obj, &want, &args.bad);
		kmq_object_put(obj);
	}
	if (kmq_args_write(arg, &args, sizeof(args),
			   offsetof(struct kmq_alter_args, bad)) && ret)
		return -EFAULT;
	return ret;
}

static long ctl_delete(struct kmq_domain *domain, void __user *arg)
{
	struct kmq_delete_args args;
	struct kmq_object *obj;
	long ret;

	ret = kmq_args_read(arg, &args, sizeof(args),
			    KMQ_DELETE_ARGS_SIZE_VER0);
	if (ret)
		return ret;
	if (args.flags & ~KMQ_DELETE_FLAGS || args.reserved)
		return -EINVAL;
	ret = kmq_find(domain, args.name, args.name_len, args.id, &obj);
	if (ret)
		return ret;
	ret = kmq_object_remove(obj, args.flags);
	kmq_object_put(obj);
	return ret;
}

/* Operations on one object. */
static long admin_object(struct kmq_domain *domain,
			 struct kmq_admin_args *args)
{
	struct kmq_object *obj;
	long ret;

	if (args->flags || args->arg)
		return -EINVAL;
	ret = kmq_find(domain, args->name, args->name_len, args->id, &obj);
	if (ret)
		return ret;

	if (args->op == KMQ_ADMIN_PURGE)
		ret = kmq_object_purge(obj, &args->result);
	else if (!kmq_is_owner(obj))
		ret = -EPERM;
	else
		kmq_object_seal(obj, args->op == KMQ_ADMIN_SEAL);
	kmq_object_put(obj);
	return ret;
}

static long admin_join(struct kmq_ctl *ctl, const struct kmq_admin_args *args)
{
	struct kmq_domain *domain, *old;

	if (args->flags || args->name || args->name_len || args->id ||
	    args->arg > INT_MAX)
		return -EINVAL;
	domain = kmq_domain_of_fd(args->arg);
	if (IS_ERR(domain))
		return PTR_ERR(domain);
	spin_lock(&ctl->lock);
	old = ctl->domain;
	ctl->domain = domain;
	spin_unlock(&ctl->lock);
	kmq_domain_put(old);
	return 0;
}

static long admin_reset(struct kmq_domain *domain,
			struct kmq_admin_args *args)
{
	if (args->flags & ~KMQ_RESET_ALL_DOMAINS || args->name ||
	    args->name_len || args->id || args->arg)
		return -EINVAL;
	if (args->flags & KMQ_RESET_ALL_DOMAINS) {
		if (!capable(CAP_SYS_ADMIN))
			return -EPERM;
		args->result = kmq_domains_reset_all();
		return 0;
	}
	if (!kmq_rules_domain(domain))
		return -EPERM;
	if (READ_ONCE(domain->dead))
		return -ENXIO;
	args->result = kmq_domain_reset(domain);
	return 0;
}

static long ctl_admin(struct kmq_ctl *ctl, struct kmq_domain *domain,
		      void __user *arg)
{
	const size_t at = offsetof(struct kmq_admin_args, result);
	struct kmq_admin_args args;
	long ret;

	ret = kmq_args_read(arg, &args, sizeof(args),
			    KMQ_ADMIN_ARGS_SIZE_VER0);
	if (ret)
		return ret;
	args.result = 0;
	/* what cannot be told afterwards is not done */
	if (kmq_args_write(arg, &args, sizeof(args), at))
		return -EFAULT;

	switch (args.op) {
	case KMQ_ADMIN_SEAL:
	case KMQ_ADMIN_UNSEAL:
	case KMQ_ADMIN_PURGE:
		ret = admin_object(domain, &args);
		break;
	case KMQ_ADMIN_JOIN:
		ret = admin_join(ctl, &args);
		break;
	case KMQ_ADMIN_RESET:
		ret = admin_reset(domain, &args);
		break;
	case KMQ_ADMIN_SHUTDOWN:
		/* of a handle, on the handle */
		return -ENOTTY;
	default:
		return -EINVAL;
	}
	/* the page was there a moment ago, and it is done: no failure */
	if (!ret && args.result)
		kmq_args_write(arg, &args, sizeof(args), at);
	return ret;
}

/* Requests that mean nothing once the domain has ended. */
static long ctl_in_domain(struct kmq_domain *domain, unsigned int cmd,
			  void __user *arg)
{
	long (*fn)(struct kmq_domain *domain, void __user *arg);

	switch (kmq_request(cmd)) {
	case _IOC_NR(KMQ_IOC_OPEN):
		fn = ctl_open;
		break;
	case _IOC_NR(KMQ_IOC_ALTER):
		fn = ctl_alter;
		break;
	case _IOC_NR(KMQ_IOC_DELETE):
		fn = ctl_delete;
		break;
	case _IOC_NR(KMQ_IOC_STAT):
		fn = kmq_stat_named;
		break;
	case _IOC_NR(KMQ_IOC_LIST):
		fn = kmq_list;
		break;
	case _IOC_NR(KMQ_IOC_LIMITS):
		fn = kmq_limits;
		break;
	default:
		return -ENOTTY;
	}
	return READ_ONCE(domain->dead) ? -ENXIO : fn(domain, arg);
}

static long kmq_ctl_ioctl(struct file *file, unsigned int cmd,
			  unsigned long addr)
{
	struct kmq_ctl *ctl = file->private_data;
	void __user *arg = (void __user *)addr;
	struct kmq_domain *domain;
	long ret;

	spin_lock(&ctl->lock);
	domain = ctl->domain;
	kmq_domain_get(domain);
	spin_unlock(&ctl->lock);

	switch (kmq_request(cmd)) {
	case _IOC_NR(KMQ_IOC_INFO):
		ret = kmq_info(domain, arg);
		break;
	case _IOC_NR(KMQ_IOC_ADMIN):
		/* JOIN leads out of a domain that has ended */
		ret = ctl_admin(ctl, domain, arg);
		break;
	default:
		ret = ctl_in_domain(domain, cmd, arg);
	}
	/* nothing can be found in a domain that has ended: say so instead */
	if (ret == -ENOENT && READ_ONCE(domain->dead))
		ret = -ENXIO;
	kmq_domain_put(domain);
	return ret;
}

static int kmq_ctl_fopen(struct inode *inode, struct file *file)
{
	struct kmq_domain *domain;
	struct kmq_ctl *ctl;

	ctl = kzalloc(sizeof(*ctl), GFP_KERNEL_ACCOUNT);
	if (!ctl)
		return -ENOMEM;
	domain = kmq_domain_of_current();
	if (IS_ERR(domain)) {
		kfree(ctl);
		return PTR_ERR(domain);
	}
	spin_lock_init(&ctl->lock);
	ctl->domain = domain;
	/* misc_open() has left the device there */
	file->private_data = ctl;
	return nonseekable_open(inode, file);
}

static int kmq_ctl_release(struct inode *inode, struct file *file)
{
	struct kmq_ctl *ctl = file->private_data;

	kmq_domain_put(ctl->domain);
	kfree(ctl);
	return 0;
}

static const struct file_operations kmq_ctl_fops = {
	.owner = THIS_MODULE,
	.open = kmq_ctl_fopen,
	.release = kmq_ctl_release,
	.unlocked_ioctl = kmq_ctl_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
	.llseek = noop_llseek,
};

static struct miscdevice kmq_device = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "kmq",
	.mode = 0660,
	.fops = &kmq_ctl_fops,
};

/**
 * kmq_ctl_init() - make /dev/kmq
 *
 * Context: module init, last.
 * Return: 0 or a negative errno.
 */
int kmq_ctl_init(void)
{
	kmq_instance = get_random_u64();
	return misc_register(&kmq_device);
}

/**
 * kmq_ctl_exit() - remove /dev/kmq
 *
 * Context: module exit, first.
 */
void kmq_ctl_exit(void)
{
	misc_deregister(&kmq_device);
}
