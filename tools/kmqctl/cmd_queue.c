// SPDX-License-Identifier: GPL-2.0-only
/* kmqctl queue purge, seal, unseal, delete, unlink: one step on each name. */
#include <getopt.h>

#include "kmqctl.h"

enum {
	OPT_IF_EMPTY = LONG_ONLY,
	OPT_IF_UNUSED,
};

/* All names get their turn; the first failure decides the exit code. */
static int each_name(int argc, char **argv,
		     int (*step)(const char *name, unsigned int flags),
		     unsigned int flags)
{
	int err, failed, rc = RC_OK;

	need_name(argc);
	for (; optind < argc; optind++) {
		err = step(argv[optind], flags);
		if (!err)
			continue;
		failed = fail(argv[optind], err, 0);
		if (!rc)
			rc = failed;
	}
	return rc;
}

static int purge(const char *name, unsigned int flags)
{
	uint64_t n = 0;
	int err = kmq_purge(ctl(), name, &n);

	(void)flags;
	if (!err && !opts.quiet)
		printf("%s: %llu %s purged\n", name, (unsigned long long)n,
		       plural(n, "message", "messages"));
	return err;
}

static int seal(const char *name, unsigned int flags)
{
	(void)flags;
	return kmq_seal(ctl(), name);
}

static int unseal(const char *name, unsigned int flags)
{
	(void)flags;
	return kmq_unseal(ctl(), name);
}

static int delete_it(const char *name, unsigned int flags)
{
	return kmq_delete(ctl(), name, flags);
}

static int run_step(int argc, char **argv)
{
	int (*step)(const char *, unsigned int) = NULL;

	while (next_option(argc, argv) >= 0)
		;
	if (current == &verb_purge)
		step = purge;
	else if (current == &verb_seal)
		step = seal;
	else
		step = unseal;
	return each_name(argc, argv, step, 0);
}

static int run_delete(int argc, char **argv)
{
	unsigned int flags = current == &verb_unlink ? KMQ_DELETE_UNLINK : 0;
	int c;

	while ((c = next_option(argc, argv)) >= 0)
		flags |= c == OPT_IF_EMPTY ? KMQ_DELETE_IF_EMPTY :
			 KMQ_DELETE_IF_UNUSED;
	return each_name(argc, argv, delete_it, flags);
}

const struct verb verb_purge = {
	.noun = "queue", .name = "purge",
	.args = "NAME...",
	.summary = "drop the messages queued now",
	.run = run_step,
};

const struct verb verb_seal = {
	.noun = "queue", .name = "seal", .aliases = "close",
	.args = "NAME...",
	.summary = "end the stream: no more sends, receivers drain it",
	.run = run_step,
};

const struct verb verb_unseal = {
	.noun = "queue", .name = "unseal",
	.args = "NAME...",
	.summary = "let a sealed queue take messages again",
	.run = run_step,
};

static const struct option_def delete_options[] = {
	{ OPT_IF_EMPTY, "if-empty", NULL, "only when no message is queued" },
	{ OPT_IF_UNUSED, "if-unused", NULL, "only when nobody has it open" },
	{ 0, NULL, NULL, NULL }
};

const struct verb verb_delete = {
	.noun = "queue", .name = "delete", .aliases = "rm",
	.args = "[OPTION]... NAME...",
	.summary = "delete a queue and what is in it",
	.details = "Who has it open gets an error from then on.",
	.options = delete_options,
	.run = run_delete,
};

const struct verb verb_unlink = {
	.noun = "queue", .name = "unlink",
	.args = "[OPTION]... NAME...",
	.summary = "take its name away; it ends when nobody has it open",
	.options = delete_options,
	.run = run_delete,
};
