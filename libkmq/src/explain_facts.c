// SPDX-License-Identifier: LGPL-2.1-or-later
/* Facts for kmq_explain(): people, attributes and their ranges, limits. */
#define _GNU_SOURCE
#include <errno.h>
#include <grp.h>
#include <inttypes.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "explain.h"

#define NAME_BYTES	"abcdefghijklmnopqrstuvwxyz" \
			"ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._:@%+=,~-"

void kmq__explain_add(struct explain *e, const char *fmt, ...)
{
	size_t left = e->len < e->size ? e->size - e->len : 0;
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(left ? e->text + e->len : NULL, left, fmt, ap);
	va_end(ap);
	if (n > 0)
		e->len += (size_t)n;
}

void kmq__explain_errno(struct explain *e, int err)
{
	errno = -err;
	kmq__explain_add(e, "%m");
}

int kmq__explain_look(struct explain *e)
{
	if (!e->looked) {
		e->looked = -1;
		if (e->name && e->ctl >= 0 &&
		    !kmq_stat(e->ctl, e->name, &e->st, &e->at))
			e->looked = 1;
	}
	return e->looked > 0;
}

void kmq__explain_user(uint32_t uid, char *buf, size_t size)
{
	struct passwd entry, *found = NULL;
	char room[1024];

	if (!getpwuid_r(uid, &entry, room, sizeof(room), &found) && found)
		snprintf(buf, size, "%s", entry.pw_name);
	else
		snprintf(buf, size, "%" PRIu32, uid);
}

void kmq__explain_group(uint32_t gid, char *buf, size_t size)
{
	struct group entry, *found = NULL;
	char room[4096];

	if (!getgrgid_r(gid, &entry, room, sizeof(room), &found) && found)
		snprintf(buf, size, "%s", entry.gr_name);
	else
		snprintf(buf, size, "%" PRIu32, gid);
}

static const char *overflow_name(uint32_t overflow)
{
	switch (overflow) {
	case KMQ_OVERFLOW_BLOCK:
		return "block";
	case KMQ_OVERFLOW_REJECT:
		return "reject-publish";
	case KMQ_OVERFLOW_DROP_HEAD:
		return "drop-head";
	default:
		return "unknown";
	}
}

static void attr_value(struct explain *e, uint64_t attr)
{
	const struct kmq_attrs *at = &e->at;
	char who[64];

	switch (attr) {
	case KMQ_A_KIND:
		kmq__explain_add(e, "%" PRIu32, at->kind);
		break;
	case KMQ_A_MODE:
		kmq__explain_add(e, "%04" PRIo32, at->mode);
		break;
	case KMQ_A_UID:
		kmq__explain_user(at->uid, who, sizeof(who));
		kmq__explain_add(e, "%s", who);
		break;
	case KMQ_A_GID:
		kmq__explain_group(at->gid, who, sizeof(who));
		kmq__explain_add(e, "%s", who);
		break;
	case KMQ_A_OVERFLOW:
		kmq__explain_add(e, "%s", overflow_name(at->overflow));
		break;
	case KMQ_A_MAX_MESSAGE_SIZE:
		kmq__explain_add(e, "%" PRIu32, at->max_message_size);
		break;
	case KMQ_A_MAX_MESSAGES:
		kmq__explain_add(e, "%" PRIu64, (uint64_t)at->max_messages);
		break;
	case KMQ_A_MAX_BYTES:
		kmq__explain_add(e, "%" PRIu64, (uint64_t)at->max_bytes);
		break;
	default:
		break;
	}
}

static const char *const attr_names[] = {
	"kind", "mode", "owner", "group", "overflow", "max_message_size",
	"max_messages", "max_bytes",
};

#define ATTR_COUNT	(sizeof(attr_names) / sizeof(attr_names[0]))

void kmq__explain_attrs(struct explain *e, uint64_t mask, int values)
{
	const char *between = "";
	unsigned int i;

	for (i = 0; i < ATTR_COUNT; i++) {
		if (!(mask & (1ull << i)))
			continue;
		kmq__explain_add(e, "%s%s", between, attr_names[i]);
		between = ", ";
		if (values) {
			kmq__explain_add(e, " (is ");
			attr_value(e, 1ull << i);
			kmq__explain_add(e, ")");
		}
	}
	if (!*between)
		kmq__explain_add(e, "an attribute unknown to this library");
}

static void attr_range(struct explain *e, uint64_t attr)
{
	struct kmq_info_args info = { .max_message_size = KMQ_MESSAGE_MAX };
	uint64_t body = 0;

	/* Ranges of the kernel that said no, if it can be asked. */
	if (e->ctl >= 0)
		(void)kmq_info(e->ctl, &info);

	switch (attr) {
	case KMQ_A_KIND:
		kmq__explain_add(e, "kind must be KMQ_KIND_QUEUE (%d) and cannot be changed later",
				 KMQ_KIND_QUEUE);
		break;
	case KMQ_A_MODE:
		kmq__explain_add(e, "mode must be of 0000 to 0777 (r is to receive, w to send; x means nothing)");
		break;
	case KMQ_A_UID:
		kmq__explain_add(e, "owner must be a user of this user namespace");
		break;
	case KMQ_A_GID:
		kmq__explain_add(e, "group must be a group of this user namespace");
		break;
	case KMQ_A_OVERFLOW:
		kmq__explain_add(e, "overflow must be one of block, reject-publish, drop-head");
		break;
	case KMQ_A_MAX_MESSAGE_SIZE:
		kmq__explain_add(e, "max_message_size must be of 1 to %" PRIu32 " bytes, and one such message has to fit in max_bytes",
				 info.max_message_size);
		break;
	case KMQ_A_MAX_MESSAGES:
		kmq__explain_add(e, "max_messages must be of 1 to %" PRIu32,
				 (uint32_t)INT32_MAX);
		break;
	case KMQ_A_MAX_BYTES:
		if (kmq__explain_look(e))
			body = e->at.max_message_size;
		kmq__explain_add(e, "max_bytes must hold at least one record of max_message_size, its %zu byte header included",
				 KMQ__RECORD_HEAD);
		if (body)
			kmq__explain_add(e, " (%" PRIu64 " bytes on %s)",
					 (uint64_t)KMQ__ALIGN(body +
							      KMQ__RECORD_HEAD),
					 e->name);
		break;
	default:
		kmq__explain_add(e, "an attribute this library does not know is out of range");
		break;
	}
}

/* A name in quotes, whatever bytes it is made of. */
static void quoted(struct explain *e, const char *name)
{
	size_t i, len = strnlen(name, KMQ_NAME_MAX + 1);

	kmq__explain_add(e, "\"");
	for (i = 0; i < len && i < KMQ_NAME_MAX; i++) {
		unsigned char c = (unsigned char)name[i];

		if (c < 0x20 || c >= 0x7f || c == '"' || c == '\\')
			kmq__explain_add(e, "\\x%02x", c);
		else
			kmq__explain_add(e, "%c", c);
	}
	kmq__explain_add(e, len > KMQ_NAME_MAX ? "...\"" : "\"");
}

static int bad_name(const char *name)
{
	size_t len = strnlen(name, KMQ_NAME_MAX + 1);

	return !len || len > KMQ_NAME_MAX || strspn(name, NAME_BYTES) != len ||
	       strchr(".:@%+=,~-", name[0]);
}

void kmq__explain_einval(struct explain *e)
{
	const char *between = "";
	unsigned int i;

	for (i = 0; i < 64; i++) {
		if (!(e->detail & (1ull << i)))
			continue;
		kmq__explain_add(e, "%s", between);
		attr_range(e, 1ull << i);
		between = "; ";
	}
	if (*between)
		return;
	if (e->name && bad_name(e->name)) {
		quoted(e, e->name);
		kmq__explain_add(e, " is no name: a name has 1 to %d bytes of A-Z a-z 0-9 . _ : @ %% + = , ~ - and starts with a letter, a digit or _",
				 KMQ_NAME_MAX);
		return;
	}
	if (e->name && !strncmp(e->name, "kmq.", 4)) {
		kmq__explain_add(e, "%s is no name for an object of yours: the names that start with kmq. are reserved",
				 e->name);
		return;
	}
	kmq__explain_add(e, "an argument, a flag or a record is malformed; nothing was done");
}

static const char *const resources[KMQ_R_COUNT] = {
	[KMQ_R_OBJECTS] = "objects",
	[KMQ_R_HANDLES] = "open handles",
	[KMQ_R_BYTES] = "bytes of messages",
};

static const char *const knobs[KMQ_R_COUNT] = {
	[KMQ_R_OBJECTS] = "max_objects",
	[KMQ_R_HANDLES] = "max_handles",
	[KMQ_R_BYTES] = "max_bytes",
};

/* Of kmqctl limits set. */
static const char *const options[KMQ_R_COUNT] = {
	[KMQ_R_OBJECTS] = "objects",
	[KMQ_R_HANDLES] = "handles",
	[KMQ_R_BYTES] = "memory",
};

/* The limit most likely meant: it has refused, and is used up the most. */
struct culprit {
	unsigned int scope, r;
	struct kmq_limit limit;
	double used;		/* -1: none yet */
};

static void look_at_limits(struct explain *e, unsigned int scope,
			   struct culprit *worst)
{
	struct kmq_limit limits[KMQ_R_COUNT];
	unsigned int r;
	double used;

	if (e->ctl < 0 || kmq_limits(e->ctl, scope, geteuid(), limits) < 0)
		return;
	for (r = 0; r < KMQ_R_COUNT; r++) {
		if (!limits[r].refused)
			continue;
		used = (double)limits[r].used /
		       (double)(limits[r].limit ? limits[r].limit : 1);
		if (used <= worst->used)
			continue;
		*worst = (struct culprit){ scope, r, limits[r], used };
	}
}

void kmq__explain_limit(struct explain *e, unsigned int scope)
{
	static const char *const prefixes[] = {
		[KMQ_SCOPE_MODULE] = "",
		[KMQ_SCOPE_DOMAIN] = "domain_",
		[KMQ_SCOPE_USER] = "user_",
	};
	struct culprit worst = { .used = -1 };
	char whose[64 + 8] = "the kmq module", user[64];
	char option[64 + 8] = "--scope module";

	look_at_limits(e, scope, &worst);
	if (scope == KMQ_SCOPE_USER)
		look_at_limits(e, KMQ_SCOPE_DOMAIN, &worst);
	if (worst.used < 0) {
		kmq__explain_add(e, "a limit %s is reached; kmqctl limits shows which",
				 scope == KMQ_SCOPE_USER ?
				 "of the user or of the domain" :
				 "of the kmq module");
		return;
	}
	if (worst.scope == KMQ_SCOPE_USER) {
		kmq__explain_user(geteuid(), user, sizeof(user));
		snprintf(whose, sizeof(whose), "user %s", user);
		snprintf(option, sizeof(option), "--user %s", user);
	} else if (worst.scope == KMQ_SCOPE_DOMAIN) {
		snprintf(whose, sizeof(whose), "this domain");
		snprintf(option, sizeof(option), "--scope domain");
	}
	kmq__explain_add(e, "%s may have %" PRIu64 " %s and has %" PRIu64 "; an administrator raises it with: kmqctl limits set %s --%s N",
			 whose, (uint64_t)worst.limit.limit,
			 resources[worst.r], (uint64_t)worst.limit.used, option,
			 options[worst.r]);
	kmq__explain_add(e, ", or where no limit of its own is set, in /sys/module/kmq/parameters/%s%s",
			 prefixes[worst.scope], knobs[worst.r]);
}
