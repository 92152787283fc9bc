// SPDX-License-Identifier: GPL-2.0-only
/* kmqctl queue create, alter: the attributes of a queue. */
#include <errno.h>
#include <getopt.h>
#include <unistd.h>

#include "kmqctl.h"

enum {
	OPT_MAX_LENGTH = LONG_ONLY,
	OPT_MAX_MESSAGES,
	OPT_MAX_BYTES,
	OPT_MAX_MSG_SIZE,
	OPT_OVERFLOW,
	OPT_MODE,
	OPT_OWNER,
	OPT_IF_NOT_EXISTS,
};

#define ATTRIBUTE_OPTIONS						\
	{ OPT_MAX_LENGTH, "max-length", "N", "messages it may hold" },	\
	{ OPT_MAX_MESSAGES, "max-messages", "N", "the same" },		\
	{ OPT_MAX_BYTES, "max-bytes", "SIZE",				\
	  "bytes it may hold, 64 a message on top" },	\
	{ OPT_MAX_MSG_SIZE, "max-msg-size", "SIZE", "bytes of one body" }, \
	{ OPT_OVERFLOW, "overflow", "POLICY",				\
	  "when full: block, reject-publish or drop-head" },		\
	{ OPT_MODE, "mode", "MODE",					\
	  "octal; r to receive, w to send" },				\
	{ OPT_OWNER, "owner", "USER[:GROUP]", "whom it belongs to" }

static const struct option_def create_options[] = {
	ATTRIBUTE_OPTIONS,
	{ OPT_IF_NOT_EXISTS, "if-not-exists", NULL,
	  "one that exists and is equal is as good" },
	{ 0, NULL, NULL, NULL }
};

static const struct option_def alter_options[] = {
	ATTRIBUTE_OPTIONS,
	{ 0, NULL, NULL, NULL }
};

static bool attribute_option(int c, struct kmq_attrs *at)
{
	switch (c) {
	case OPT_MAX_LENGTH:
	case OPT_MAX_MESSAGES:
		at->max_messages = parse_number(c == OPT_MAX_LENGTH ?
						"max-length" : "max-messages",
						optarg, 1, INT32_MAX);
		at->mask |= KMQ_A_MAX_MESSAGES;
		return true;
	case OPT_MAX_BYTES:
		at->max_bytes = parse_size("max-bytes", optarg);
		at->mask |= KMQ_A_MAX_BYTES;
		return true;
	case OPT_MAX_MSG_SIZE: {
		uint64_t v = parse_size("max-msg-size", optarg);

		/* What does not fit the field is for the kernel to refuse. */
		at->max_message_size = v < UINT32_MAX ? (uint32_t)v :
				       UINT32_MAX;
		at->mask |= KMQ_A_MAX_MESSAGE_SIZE;
		return true;
	}
	case OPT_OVERFLOW:
		at->overflow = parse_overflow("overflow", optarg);
		at->mask |= KMQ_A_OVERFLOW;
		return true;
	case OPT_MODE:
		at->mode = parse_mode("mode", optarg);
		at->mask |= KMQ_A_MODE;
		return true;
	case OPT_OWNER:
		parse_owner("owner", optarg, at);
		return true;
	default:
		return false;
	}
}

static void list_differences(const char *name, uint64_t differs,
			     const struct kmq_attrs *want)
{
	struct kmq_attrs have = { .size = sizeof(have) };
	char a[64], b[64];

	if (kmq_stat(ctl(), name, NULL, &have))
		return;
#define DIFFERS(bit, option, format, field)				\
	do {								\
		if (!(differs & (bit)))					\
			break;						\
		format(have.field, a, sizeof(a));			\
		format(want->field, b, sizeof(b));			\
		complain("%s exists with %s %s, not %s", name, option,	\
			 a, b);						\
	} while (0)
	opts.bytes = true;
	DIFFERS(KMQ_A_MAX_MESSAGES, "max-length", cell_u64, max_messages);
	DIFFERS(KMQ_A_MAX_BYTES, "max-bytes", cell_size, max_bytes);
	DIFFERS(KMQ_A_MAX_MESSAGE_SIZE, "max-msg-size", cell_size,
		max_message_size);
	DIFFERS(KMQ_A_MODE, "mode", format_perms, mode);
	DIFFERS(KMQ_A_UID, "owner", format_user, uid);
	DIFFERS(KMQ_A_GID, "group", format_group, gid);
#undef DIFFERS
	if (differs & KMQ_A_OVERFLOW)
		complain("%s exists with overflow %s, not %s", name,
			 overflow_name(have.overflow),
			 overflow_name(want->overflow));
}

static int run_create(int argc, char **argv)
{
	unsigned int flags = KMQ_OPEN_CREATE | KMQ_OPEN_EXCL;
	struct kmq_attrs at = KMQ_ATTRS_INIT;
	struct kmq_opened opened;
	const char *name;
	int c, fd;

	while ((c = next_option(argc, argv)) >= 0)
		if (!attribute_option(c, &at))
			flags = KMQ_OPEN_CREATE | KMQ_OPEN_MATCH;
	name = only_name(argc, argv);

	fd = kmq_open_report(ctl(), name, flags, &at, &opened);
	if (fd >= 0) {
		close(fd);
		return RC_OK;
	}
	if (fd == -EEXIST && flags & KMQ_OPEN_MATCH && opened.differs) {
		list_differences(name, opened.differs, &at);
		complain("to change it: kmqctl queue alter %s", name);
		return RC_EXISTS;
	}
	return fail(name, fd, opened.bad);
}

const struct verb verb_create = {
	.noun = "queue", .name = "create",
	.args = "NAME [OPTION]...",
	.summary = "create a queue",
	.details =
"Without options it holds 8192 messages of up to 256K, 16M together; senders\n"
"wait while it is full. SIZE is in bytes, or with K, M, G (times 1024).",
	.options = create_options,
	.run = run_create,
};

static int run_alter(int argc, char **argv)
{
	struct kmq_attrs at = { .size = sizeof(at) };
	const char *name;
	uint64_t bad = 0;
	int c, err;

	while ((c = next_option(argc, argv)) >= 0)
		attribute_option(c, &at);
	name = only_name(argc, argv);
	if (!at.mask)
		usage_error("alter what? Name at least one of --max-length, --max-bytes, --max-msg-size, --overflow, --mode, --owner");

	err = kmq_alter(ctl(), name, &at, &bad);
	return err ? fail(name, err, bad) : RC_OK;
}

const struct verb verb_alter = {
	.noun = "queue", .name = "alter",
	.args = "NAME OPTION...",
	.summary = "change a queue while it is in use",
	.details =
"All of it is changed or nothing. What is queued stays, also above a lowered\n"
"bound; a raised one lets waiting senders go on.",
	.options = alter_options,
	.run = run_alter,
};
