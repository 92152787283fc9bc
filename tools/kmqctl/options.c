// SPDX-License-Identifier: GPL-2.0-only
/* Options: one description serves parsing, --help and completion. */
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "kmqctl.h"

struct globals opts;
const struct verb *current;

enum {
	OPT_NOHEADINGS = 1000,
	OPT_RAW,
	OPT_VERSION,
};

static const struct option_def common_options[] = {
	{ 'p', "domain", "DOMAIN",
	  "another network namespace: a pid, name or path" },
	{ 'q', "quiet", NULL, "print errors and results only" },
	{ 'h', "help", NULL, "print this text" },
	{ 0, NULL, NULL, NULL }
};

static const struct option_def json_options[] = {
	{ 'J', "json", NULL, "print JSON" },
	{ 0, NULL, NULL, NULL }
};

static const struct option_def table_options[] = {
	{ 'J', "json", NULL, "print JSON" },
	{ 'o', "output", "COLS",
	  "A,B,C; +A adds to the usual ones; or all" },
	{ OPT_NOHEADINGS, "noheadings", NULL, "leave out the headings" },
	{ OPT_RAW, "raw", NULL, "columns separated by one blank" },
	{ 'b', "bytes", NULL, "sizes in bytes, not in K, M, G" },
	{ 0, NULL, NULL, NULL }
};

static const struct option_def version_options[] = {
	{ 'V', "version", NULL, "print the version" },
	{ 0, NULL, NULL, NULL }
};

static const struct option_def no_options[] = { { 0, NULL, NULL, NULL } };

#define MAX_LISTS 4

/* The lists of options that hold for @verb, or before any verb if NULL. */
static size_t option_lists(const struct verb *verb,
			   const struct option_def *lists[MAX_LISTS])
{
	size_t n = 0;

	if (verb)
		lists[n++] = verb->options ? verb->options : no_options;
	/* In front of the noun all are taken, and checked with the verb. */
	if (!verb || verb->takes & TAKES_TABLE)
		lists[n++] = table_options;
	else if (verb->takes & TAKES_JSON)
		lists[n++] = json_options;
	lists[n++] = common_options;
	if (!verb)
		lists[n++] = version_options;
	return n;
}

/* What getopt_long() and the messages need, made once a verb. */
static struct {
	const struct verb *built_for;
	struct option longs[64];
	const char *names[64];
	size_t n;
	char shorts[160];
} set;

static void build_set(const struct verb *verb)
{
	const struct option_def *lists[MAX_LISTS], *o;
	size_t i, n = option_lists(verb, lists);
	char *s = set.shorts;

	set.n = 0;
	/* '+': words behind the noun belong to the verb. */
	if (!verb)
		*s++ = '+';
	*s++ = ':';
	for (i = 0; i < n; i++) {
		for (o = lists[i]; o->name; o++) {
			int has = no_argument;

			if (o->arg)
				has = o->arg[0] == '[' ? optional_argument :
				      required_argument;
			set.names[set.n] = o->name;
			set.longs[set.n++] = (struct option){
				.name = o->name, .has_arg = has, .val = o->id,
			};
			if (o->id >= LONG_ONLY)
				continue;
			*s++ = (char)o->id;
			if (has != no_argument)
				*s++ = ':';
			if (has == optional_argument)
				*s++ = ':';
		}
	}
	*s = '\0';
	set.longs[set.n] = (struct option){ 0 };
	set.built_for = verb;
	optind = 0;
	opterr = 0;
}

static const char *option_name(int id)
{
	size_t i;

	for (i = 0; i < set.n; i++)
		if (set.longs[i].val == id)
			return set.longs[i].name;
	return NULL;
}

static void __attribute__((noreturn))
bad_option(const char *word)
{
	char near[200], name[64];
	const char *known = option_name(optopt);

	if (optopt && known && !strncmp(word, "--", 2))
		usage_error("option --%s takes no value", known);
	if (optopt)
		usage_error("unknown option -%c", optopt);

	snprintf(name, sizeof(name), "%.*s", (int)strcspn(word + 2, "="),
		 word + 2);
	nearest(name, "--", set.names, set.n, near, sizeof(near));
	usage_error("unknown option --%s%s", name, near);
}

static bool common_option(int c)
{
	switch (c) {
	case 'J':
		opts.json = true;
		return true;
	case 'o':
		opts.columns = optarg;
		return true;
	case OPT_NOHEADINGS:
		opts.noheadings = true;
		return true;
	case OPT_RAW:
		opts.raw = true;
		return true;
	case 'b':
		opts.bytes = true;
		return true;
	case 'p':
		opts.domain = optarg;
		return true;
	case 'q':
		opts.quiet = true;
		return true;
	default:
		return false;
	}
}

/* Own options of the verb come before those of all, when letters clash. */
static bool own_option(int c)
{
	const struct option_def *o = current->options;

	for (o = o ? o : no_options; o->name; o++)
		if (o->id == c)
			return true;
	return false;
}

/* Options before the noun that this verb has no use for. */
static void check_globals(void)
{
	const struct verb *verb = current;
	const char *useless = NULL;

	if (!(verb->takes & TAKES_TABLE)) {
		if (opts.columns)
			useless = "output";
		else if (opts.noheadings)
			useless = "noheadings";
		else if (opts.raw)
			useless = "raw";
		else if (opts.bytes)
			useless = "bytes";
	}
	if (!(verb->takes & (TAKES_TABLE | TAKES_JSON)) && opts.json)
		useless = "json";
	if (useless)
		usage_error("--%s means nothing to %s%s%s", useless,
			    verb->noun ? verb->noun : "",
			    verb->noun ? " " : "", verb->name);
}

int next_option(int argc, char **argv)
{
	int c;

	if (!set.built_for)
		build_set(current);

	while ((c = getopt_long(argc, argv, set.shorts, set.longs,
				NULL)) >= 0) {
		if (c == '?')
			bad_option(argv[optind - 1]);
		if (c == ':')
			usage_error("option --%s needs a value",
				    option_name(optopt));
		if (own_option(c))
			return c;
		if (c == 'h') {
			verb_help(current, stdout);
			finish(RC_OK);
		}
		common_option(c);
	}
	check_globals();
	return -1;
}

int global_options(int argc, char **argv)
{
	int c;

	build_set(NULL);
	while ((c = getopt_long(argc, argv, set.shorts, set.longs,
				NULL)) >= 0) {
		if (c == '?')
			bad_option(argv[optind - 1]);
		if (c == ':')
			usage_error("option --%s needs a value",
				    option_name(optopt));
		if (c == 'h') {
			main_help(stdout);
			finish(RC_OK);
		}
		if (c == 'V') {
			puts("kmqctl " KMQ_VERSION);
			finish(RC_OK);
		}
		common_option(c);
	}
	return optind;
}

static void print_list(const struct option_def *o, FILE *out)
{
	char left[64];

	for (; o->name; o++) {
		bool may = o->arg && o->arg[0] == '[';

		snprintf(left, sizeof(left), "%c%c%c --%s%s%s",
			 o->id < LONG_ONLY ? '-' : ' ',
			 o->id < LONG_ONLY ? o->id : ' ',
			 o->id < LONG_ONLY ? ',' : ' ', o->name,
			 o->arg && !may ? " " : "", o->arg ? o->arg : "");
		fprintf(out, "  %-30s %s\n", left, o->help);
	}
}

void print_options(const struct verb *verb, FILE *out)
{
	const struct option_def *lists[MAX_LISTS];
	size_t i, n = option_lists(verb, lists);

	for (i = verb ? 0 : 1; i < n; i++)
		print_list(lists[i], out);
	if (!verb)
		fputs("  Tables also take --json, -o COLS, --noheadings, --raw, --bytes.\n",
		      out);
}

const char *only_name(int argc, char **argv)
{
	need_name(argc);
	if (argc - optind > 1)
		usage_error("one argument too many: \"%s\"",
			    argv[optind + 1]);
	return argv[optind];
}

void need_name(int argc)
{
	if (argc - optind < 1)
		usage_error("which queue? Usage: kmqctl %s%s%s %s",
			    current->noun ? current->noun : "",
			    current->noun ? " " : "", current->name,
			    current->args);
}
