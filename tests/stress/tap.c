// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "stress.h"

double opt_seconds;
const char *opt_only;
const char *opt_tamper;

static const char *program_name;
static unsigned int nresults, nfailed;
static pid_t main_pid;
uint64_t opt_seed;
static double slow = 1;
static _Thread_local uint64_t state;

static void usage(void)
{
	fprintf(stderr, "Usage: %s [--seconds N] [--seed N] [--only NAME] [--tamper WHAT]\n",
		program_name);
	exit(2);
}

static double number(const char *text)
{
	char *end;
	double n = strtod(text, &end);

	if (*end || end == text || n <= 0)
		usage();
	return n;
}

void begin(const char *program, int argc, char **argv, double seconds)
{
	static const struct option options[] = {
		{ "seconds", required_argument, NULL, 's' },
		{ "seed", required_argument, NULL, 'r' },
		{ "only", required_argument, NULL, 'o' },
		{ "tamper", required_argument, NULL, 't' },
		{}
	};
	int c;

	program_name = program;
	main_pid = getpid();
	opt_seconds = seconds;
	opt_seed = now_ns() % 1000000007;
	if (getenv("KMQ_SLOW"))
		slow = number(getenv("KMQ_SLOW"));
	while ((c = getopt_long(argc, argv, "", options, NULL)) >= 0) {
		switch (c) {
		case 's':
			opt_seconds = number(optarg);
			break;
		case 'r':
			opt_seed = strtoull(optarg, NULL, 0);
			break;
		case 'o':
			opt_only = optarg;
			break;
		case 't':
			opt_tamper = optarg;
			break;
		default:
			usage();
		}
	}
	if (optind < argc)
		usage();
	setvbuf(stdout, NULL, _IOLBF, 0);
	reseed(0);
	printf("TAP version 13\n# %s --seconds %g --seed %" PRIu64 "\n",
	       program, opt_seconds, opt_seed);
}

int end(void)
{
	printf("1..%u\n", nresults);
	return nfailed ? 1 : 0;
}

bool selected(const char *name)
{
	return !opt_only || strstr(name, opt_only);
}

void result(bool good, const char *name)
{
	printf("%sok %u - %s.%s\n", good ? "" : "not ", ++nresults,
	       program_name, name);
	nfailed += !good;
}

void skipped(const char *name, const char *why)
{
	printf("ok %u - %s.%s # SKIP %s\n", ++nresults, program_name, name,
	       why);
}

void note(const char *fmt, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	printf("# %s\n", text);
}

void bail(const char *fmt, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	/* a child's end is noticed by its parent */
	if (getpid() != main_pid) {
		printf("# pid %d gives up: %s\n", getpid(), text);
		fflush(stdout);
		_exit(99);
	}
	printf("Bail out! %s: %s\n", program_name, text);
	exit(99);
}

void reseed(uint64_t with)
{
	state = (opt_seed + 1) * 0x9e3779b97f4a7c15ull ^
		(with + 1) * 0xd1342543de82ef95ull;
	if (!state)
		state = 1;
}

uint64_t reseed_name(const char *name)
{
	uint64_t hash = 1469598103934665603ull;

	while (*name)
		hash = (hash ^ (unsigned char)*name++) * 1099511628211ull;
	reseed(hash);
	return hash;
}

uint32_t random_below(uint32_t n)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return n ? (state >> 16) % n : 0;
}

double patience(double amount)
{
	return amount * slow;
}

uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000ull + ts.tv_nsec;
}

void nap_us(unsigned int us)
{
	struct timespec ts = { us / 1000000, us % 1000000 * 1000 };

	nanosleep(&ts, NULL);
}

bool file_write(const char *path, const char *text)
{
	FILE *f = fopen(path, "we");
	bool good;

	if (!f)
		return false;
	good = fputs(text, f) >= 0;
	return !fclose(f) && good;
}

/* The number behind @key, or without a key the first one; -1: none. */
long file_number(const char *path, const char *key)
{
	size_t len = key ? strlen(key) : 0;
	FILE *f = fopen(path, "re");
	char line[256];
	long n = -1;

	if (!f)
		return -1;
	while (fgets(line, sizeof(line), f)) {
		if (key && strncmp(line, key, len))
			continue;
		if (sscanf(line + len, "%*[: \t]%ld", &n) != 1 &&
		    sscanf(line + len, "%ld", &n) != 1)
			n = -1;
		break;
	}
	fclose(f);
	return n;
}
