// SPDX-License-Identifier: GPL-2.0-only
/* kmqbench: measures kmq beside the kernel's other ways to pass messages */
#define _GNU_SOURCE
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <linux/kmq.h>

#include "plan.h"

#define EXIT_USAGE	2

const struct scenario *const scenarios[] = {
	&scenario_self,
	&scenario_pingpong,
	&scenario_oneway,
	&scenario_depth,
	&scenario_names,
	NULL
};

struct options {
	struct wishes w;
	const char *count;
	const char *json;
	const char *unit;
	bool table;
	enum pinning pin;
	unsigned int timeout;
};

static void __attribute__((format(printf, 1, 2), noreturn))
usage_error(const char *fmt, ...)
{
	va_list ap;

	fputs("kmqbench: ", stderr);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputs("\nTry 'kmqbench --help'.\n", stderr);
	exit(EXIT_USAGE);
}

static void help(void)
{
	fputs("Usage: kmqbench [options]\n"
	      "Measures kmq beside pipes, sockets and the other message queues.\n"
	      "\n"
	      "What to run (lists are comma-separated):\n"
	      "  -s, --scenario LIST   default: self,pingpong,oneway\n"
	      "  -t, --transport LIST  default: all\n"
	      "      --size LIST       bytes of a message (64,1024,8192)\n"
	      "      --batch LIST      messages a call, where it applies (1,8,32,64)\n"
	      "      --depth LIST      queued messages (10,1000,100000,1000000)\n"
	      "      --names LIST      queues to open from (10,1000,100000)\n"
	      "  -l, --list            show scenarios and transports\n"
	      "\n"
	      "How:\n"
	      "  -n, --count N         messages to measure, or SCENARIO=N,...\n"
	      "  -r, --rounds N        the median is reported (3)\n"
	      "      --seed N          decides the order within the rounds (1)\n"
	      "      --foreign PERCENT repeat a round if others had more CPU time (10)\n"
	      "      --pin HOW         parties on the same CPU, apart, or none (same)\n"
	      "      --timeout SECONDS for one case (600)\n"
	      "\n"
	      "Output:\n"
	      "  -u, --unit UNIT       what a nanosecond of the clock is: ns, or\n"
	      "                        instructions (QEMU with -icount shift=0)\n"
	      "      --table           print the table (default without --json)\n"
	      "      --json FILE       write an array of results, - for stdout\n"
	      "  -h, --help\n"
	      "  -V, --version\n"
	      "\n"
	      "Exit status: 0 all ran, 1 a case failed, 2 wrong usage.\n", stdout);
}

static void list(void)
{
	int i;

	puts("Scenarios:");
	for (i = 0; scenarios[i]; i++)
		printf("  %-15s %s\n", scenarios[i]->name,
		       scenarios[i]->about);
	puts("Transports:");
	for (i = 0; transports[i]; i++)
		printf("  %-15s %s\n", transports[i]->name,
		       transports[i]->about);
}

static uint64_t number(const char *option, const char *text, uint64_t least,
		       uint64_t most)
{
	char *end;
	uint64_t v;

	errno = 0;
	v = strtoull(text, &end, 10);
	if (errno || end == text || *end || *text == '-' || v < least ||
	    v > most)
		usage_error("--%s: '%s' is not a number from %" PRIu64 " to %"
			    PRIu64, option, text, least, most);
	return v;
}

static void numbers(struct number_list *l, const char *option, char *text,
		    uint64_t least, uint64_t most)
{
	char *word;

	for (l->n = 0; (word = strsep(&text, ",")); l->n++) {
		if (l->n == LIST_MOST)
			usage_error("--%s: more than %u values", option,
				    LIST_MOST);
		l->v[l->n] = number(option, word, least, most);
	}
}

static void sizes(struct wishes *w, char *text)
{
	unsigned int i;

	numbers(&w->size, "size", text, SIZE_LEAST, SIZE_MOST);
	for (i = 0; i < w->size.n; i++)
		if (w->size.v[i] % 8)
			usage_error("--size: %" PRIu64
				    " is not a multiple of 8", w->size.v[i]);
}

static void choose_scenarios(struct wishes *w, char *text)
{
	char *word;
	int i;

	for (w->n_scenarios = 0; (word = strsep(&text, ","));) {
		for (i = 0; scenarios[i]; i++)
			if (!strcmp(scenarios[i]->name, word))
				break;
		if (!scenarios[i] || w->n_scenarios == LIST_MOST)
			usage_error("--scenario: no scenario '%s' (see --list)",
				    word);
		w->scenario[w->n_scenarios++] = scenarios[i];
	}
}

static void choose_transports(struct wishes *w, char *text)
{
	char *word;
	int i;

	for (w->n_transports = 0; (word = strsep(&text, ","));) {
		for (i = 0; transports[i]; i++)
			if (!strcmp(transports[i]->name, word))
				break;
		if (!transports[i] || w->n_transports == LIST_MOST)
			usage_error("--transport: no transport '%s' (see --list)",
				    word);
		w->transport[w->n_transports++] = transports[i];
	}
	w->transports_chosen = true;
}

/* All there are, but without kmq where its module is not loaded */
static void default_transports(struct wishes *w)
{
	bool kmq = !access(KMQ_DEVICE, F_OK);
	int i;

	for (i = 0; transports[i]; i++)
		if (kmq || strncmp(transports[i]->name, "kmq", 3))
			w->transport[w->n_transports++] = transports[i];
	if (!kmq)
		fprintf(stderr, "kmqbench: no %s: running without kmq\n",
			KMQ_DEVICE);
}

static void set_counts(struct wishes *w, const char *option)
{
	char *text = strdup(option), *rest = text, *word, *value;
	unsigned int i;

	while ((word = strsep(&rest, ","))) {
		value = strchr(word, '=');
		if (value)
			*value++ = '\0';
		for (i = 0; i < w->n_scenarios; i++) {
			if (value && strcmp(w->scenario[i]->name, word))
				continue;
			w->count[i] = number("count", value ? value : word, 2,
					     1ull << 40);
			if (value)
				break;
		}
		if (value && i == w->n_scenarios)
			usage_error("--count: scenario '%s' is not among those to run",
				    word);
	}
	free(text);
}

static enum pinning pinning(const char *text)
{
	if (!strcmp(text, "same"))
		return PIN_SAME;
	if (!strcmp(text, "apart"))
		return PIN_APART;
	if (!strcmp(text, "none"))
		return PIN_NONE;
	usage_error("--pin: '%s' is none of same, apart, none", text);
}

enum { O_SIZE = 256, O_BATCH, O_DEPTH, O_NAMES, O_SEED, O_FOREIGN, O_PIN, O_TIMEOUT,
	O_TABLE, O_JSON };

static const struct option long_options[] = {
	{ "scenario", required_argument, NULL, 's' },
	{ "transport", required_argument, NULL, 't' },
	{ "size", required_argument, NULL, O_SIZE },
	{ "batch", required_argument, NULL, O_BATCH },
	{ "depth", required_argument, NULL, O_DEPTH },
	{ "names", required_argument, NULL, O_NAMES },
	{ "list", no_argument, NULL, 'l' },
	{ "count", required_argument, NULL, 'n' },
	{ "rounds", required_argument, NULL, 'r' },
	{ "seed", required_argument, NULL, O_SEED },
	{ "foreign", required_argument, NULL, O_FOREIGN },
	{ "pin", required_argument, NULL, O_PIN },
	{ "timeout", required_argument, NULL, O_TIMEOUT },
	{ "unit", required_argument, NULL, 'u' },
	{ "table", no_argument, NULL, O_TABLE },
	{ "json", required_argument, NULL, O_JSON },
	{ "help", no_argument, NULL, 'h' },
	{ "version", no_argument, NULL, 'V' },
	{ NULL, 0, NULL, 0 }
};

static void take_option(struct options *o, int opt)
{
	struct wishes *w = &o->w;

	switch (opt) {
	case 's':
		choose_scenarios(w, optarg);
		break;
	case 't':
		choose_transports(w, optarg);
		break;
	case O_SIZE:
		sizes(w, optarg);
		break;
	case O_BATCH:
		numbers(&w->batch, "batch", optarg, 1, BATCH_MOST);
		break;
	case O_DEPTH:
		numbers(&w->depth, "depth", optarg, 1, 100000000);
		break;
	case O_NAMES:
		numbers(&w->names, "names", optarg, 1, 999999);
		break;
	case 'n':
		o->count = optarg;
		break;
	case 'r':
		w->rounds = number("rounds", optarg, 1, 1000);
		break;
	case O_SEED:
		w->seed = number("seed", optarg, 0, UINT64_MAX);
		break;
	case O_FOREIGN:
		w->foreign = number("foreign", optarg, 0, 100);
		break;
	case O_PIN:
		o->pin = pinning(optarg);
		break;
	case O_TIMEOUT:
		o->timeout = number("timeout", optarg, 1, 1000000);
		break;
	case 'u':
		if (strcmp(optarg, "ns") && strcmp(optarg, "instructions"))
			usage_error("--unit: '%s' is neither ns nor instructions",
				    optarg);
		o->unit = optarg;
		break;
	case O_TABLE:
		o->table = true;
		break;
	case O_JSON:
		o->json = optarg;
		break;
	case 'l':
		list();
		exit(0);
	case 'V':
		puts("kmqbench " KMQ_VERSION);
		exit(0);
	case 'h':
		help();
		exit(0);
	default:
		fputs("Try 'kmqbench --help'.\n", stderr);
		exit(EXIT_USAGE);
	}
}

static int report(const struct options *o, const struct results *all)
{
	int rc;

	if (o->json) {
		rc = output_json(all, o->json);
		if (rc < 0) {
			fprintf(stderr, "kmqbench: %s: %s\n", o->json,
				strerror(-rc));
			return 1;
		}
	}
	if (!o->table && o->json)
		return 0;
	rc = output_table(all, stdout);
	if (!rc && fflush(stdout))
		rc = -errno;
	if (rc < 0) {
		fprintf(stderr, "kmqbench: table: %s\n", strerror(-rc));
		return 1;
	}
	return 0;
}

int main(int argc, char **argv)
{
	struct options o = {
		.w = {
			.scenario = { &scenario_self, &scenario_pingpong,
				      &scenario_oneway },
			.n_scenarios = 3,
			.size = { { 64, 1024, 8192 }, 3 },
			.batch = { { 1, 8, 32, 64 }, 4 },
			.depth = { { 10, 1000, 100000, 1000000 }, 4 },
			.names = { { 10, 1000, 100000 }, 3 },
			.rounds = 3,
			.foreign = 10,
			.seed = 1,
		},
		.unit = "ns",
		.timeout = 600,
	};
	struct results all = { 0 };
	int opt, rc;

	while ((opt = getopt_long(argc, argv, "s:t:n:r:u:lhV", long_options,
				  NULL)) != -1)
		take_option(&o, opt);
	if (optind < argc)
		usage_error("unexpected argument '%s'", argv[optind]);
	if (!o.w.n_transports)
		default_transports(&o.w);
	if (o.count)
		set_counts(&o.w, o.count);

	all.unit = o.unit;
	if (plan_make(&o.w, &all) < 0) {
		fputs("kmqbench: no memory\n", stderr);
		return 1;
	}
	if (!all.n)
		usage_error("no transport chosen can do any batch and scenario chosen");
	if (runner_init(o.pin, o.timeout) < 0) {
		fprintf(stderr, "kmqbench: %s\n", strerror(errno));
		return 1;
	}
	rc = plan_run(&o.w, &all);
	if (rc < 128 && report(&o, &all))
		rc = 1;
	plan_free(&all);
	return rc;
}
