// SPDX-License-Identifier: GPL-2.0-only
/* Names and attributes: from callers into the module, checked. */
#include <linux/cred.h>
#include <linux/ctype.h>
#include <linux/fs.h>
#include <linux/fs_struct.h>
#include <linux/string.h>
#include <linux/uaccess.h>
#include <linux/user_namespace.h>

#include "core/record.h"
#include "object.h"
#include "params.h"

static bool name_char(unsigned char c)
{
	/* isalnum() of the kernel knows Latin-1 letters too */
	return (isascii(c) && isalnum(c)) || (c && strchr("._:@%+=,~-", c));
}

/**
 * kmq_name_read() - copy a name from the caller and check it
 * @addr: where it is
 * @len: its bytes
 * @create: it is to be a new object's
 * @name: filled in
 *
 * Return: 0, -EINVAL or -EFAULT.
 */
int kmq_name_read(u64 addr, u32 len, bool create, struct kmq_name *name)
{
	unsigned int i;

	if (!len || len > KMQ_NAME_MAX)
		return -EINVAL;
	if (copy_from_user(name->text, u64_to_user_ptr(addr), len))
		return -EFAULT;
	name->text[len] = 0;
	name->len = len;

	for (i = 0; i < len; i++)
		if (!name_char(name->text[i]))
			return -EINVAL;
	if (!isalnum(name->text[0]) && name->text[0] != '_')
		return -EINVAL;
	if (create && !strncmp(name->text, "kmq.", 4))
		return -EINVAL;
	return 0;
}

/**
 * kmq_settings_read() - copy attributes from the caller and check each
 * @addr: where they are
 * @set: filled in as far as the mask says
 * @bad: set to the attribute at fault
 *
 * Return: 0, or -EINVAL, -E2BIG, -EFAULT.
 */
int kmq_settings_read(u64 addr, struct kmq_settings *set, u64 *bad)
{
	void __user *from = u64_to_user_ptr(addr);
	struct kmq_attrs attrs = {};
	u32 size;
	int err;

	if (get_user(size, (u32 __user *)from))
		return -EFAULT;
	if (size < KMQ_ATTRS_SIZE_VER0 || size > PAGE_SIZE)
		return -EINVAL;
	err = copy_struct_from_user(&attrs, sizeof(attrs), from, size);
	if (err)
		return err;
	if (attrs.flags || attrs.mask & ~KMQ_A_ALL) {
		*bad = attrs.mask & ~KMQ_A_ALL;
		return -EINVAL;
	}

	set->mask = attrs.mask;
	set->kind = attrs.kind;
	set->mode = attrs.mode;
	set->uid = make_kuid(current_user_ns(), attrs.uid);
	set->gid = make_kgid(current_user_ns(), attrs.gid);
	set->cfg.overflow = attrs.overflow;
	set->cfg.max_messages = attrs.max_messages;
	set->cfg.max_bytes = attrs.max_bytes;
	set->cfg.max_message_size = attrs.max_message_size;

	if (set->mask & KMQ_A_KIND && set->kind != KMQ_KIND_QUEUE)
		*bad = KMQ_A_KIND;
	else if (set->mask & KMQ_A_MODE && attrs.mode & ~0777)
		*bad = KMQ_A_MODE;
	else if (set->mask & KMQ_A_UID && !uid_valid(set->uid))
		*bad = KMQ_A_UID;
	else if (set->mask & KMQ_A_GID && !gid_valid(set->gid))
		*bad = KMQ_A_GID;
	else if (set->mask & KMQ_A_OVERFLOW &&
		 set->cfg.overflow > KMQ_OVERFLOW_DROP_HEAD)
		*bad = KMQ_A_OVERFLOW;
	return *bad ? -EINVAL : 0;
}

/**
 * kmq_config_check() - do bounds make sense, each and together?
 * @cfg: the bounds
 * @mask: KMQ_A_* that the caller gave; blamed first
 * @bad: set to the attribute at fault
 *
 * Return: 0 or -EINVAL.
 */
int kmq_config_check(const struct kmq_queue_config *cfg, u64 mask, u64 *bad)
{
	if (!cfg->max_message_size ||
	    cfg->max_message_size > KMQ_MESSAGE_MAX)
		*bad = KMQ_A_MAX_MESSAGE_SIZE;
	else if (!cfg->max_messages || cfg->max_messages > INT_MAX)
		*bad = KMQ_A_MAX_MESSAGES;
	else if (cfg->max_bytes > LLONG_MAX / 4)
		*bad = KMQ_A_MAX_BYTES;
	else if (cfg->max_bytes < kmq_record_size(0, cfg->max_message_size))
		*bad = mask & KMQ_A_MAX_BYTES ?
			KMQ_A_MAX_BYTES : KMQ_A_MAX_MESSAGE_SIZE;
	return *bad ? -EINVAL : 0;
}

/**
 * kmq_settings_default() - fill in what the creator did not say
 * @set: the settings
 * @bad: set to the attribute at fault
 *
 * A queue that names only one of max_bytes and max_message_size gets the other
 * so that a message fits.
 *
 * Return: 0 or -EINVAL.
 */
int kmq_settings_default(struct kmq_settings *set, u64 *bad)
{
	struct kmq_queue_config *cfg = &set->cfg;
	u64 fits, record, mask = set->mask;

	if (!(mask & KMQ_A_KIND))
		set->kind = KMQ_KIND_QUEUE;
	if (!(mask & KMQ_A_MODE))
		set->mode = 0660 & ~current_umask();
	if (!(mask & KMQ_A_UID))
		set->uid = current_fsuid();
	if (!(mask & KMQ_A_GID))
		set->gid = current_fsgid();
	if (!(mask & KMQ_A_OVERFLOW))
		cfg->overflow = KMQ_OVERFLOW_BLOCK;
	if (!(mask & KMQ_A_MAX_MESSAGES))
		cfg->max_messages = READ_ONCE(kmq_default_max_messages);
	fits = round_down(cfg->max_bytes, KMQ_RECORD_ALIGN) -
		sizeof(struct kmq_record);
	if (!(mask & KMQ_A_MAX_MESSAGE_SIZE)) {
		cfg->max_message_size =
			READ_ONCE(kmq_default_max_message_size);
		if (mask & KMQ_A_MAX_BYTES &&
		    cfg->max_bytes > sizeof(struct kmq_record))
			cfg->max_message_size = min_t(u64, fits,
						      cfg->max_message_size);
	}
	record = kmq_record_size(0, min(cfg->max_message_size,
					KMQ_MESSAGE_MAX));
	if (!(mask & KMQ_A_MAX_BYTES)) {
		cfg->max_bytes = READ_ONCE(kmq_default_max_bytes);
		if (cfg->max_message_size <= KMQ_MESSAGE_MAX)
			cfg->max_bytes = max_t(u64, record, cfg->max_bytes);
	}
	return kmq_config_check(cfg, mask, bad);
}

/**
 * kmq_settings_differ() - where does an object differ from what was asked for?
 * @obj: the object
 * @want: what was asked for
 *
 * Return: KMQ_A_* of all attributes given that the object has otherwise.
 */
u64 kmq_settings_differ(struct kmq_object *obj,
			const struct kmq_settings *want)
{
	struct kmq_queue_config cfg;
	u64 differ = 0;

	kmq_queue_get_config(&obj->queue, &cfg);
	if (want->kind != obj->kind)
		differ |= KMQ_A_KIND;
	if (want->mode != READ_ONCE(obj->mode))
		differ |= KMQ_A_MODE;
	if (!uid_eq(want->uid, READ_ONCE(obj->uid)))
		differ |= KMQ_A_UID;
	if (!gid_eq(want->gid, READ_ONCE(obj->gid)))
		differ |= KMQ_A_GID;
	if (want->cfg.overflow != cfg.overflow)
		differ |= KMQ_A_OVERFLOW;
	if (want->cfg.max_message_size != cfg.max_message_size)
		differ |= KMQ_A_MAX_MESSAGE_SIZE;
	if (want->cfg.max_messages != cfg.max_messages)
		differ |= KMQ_A_MAX_MESSAGES;
	if (want->cfg.max_bytes != cfg.max_bytes)
		differ |= KMQ_A_MAX_BYTES;
	return differ & want->mask;
}
