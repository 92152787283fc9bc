// SPDX-License-Identifier: GPL-2.0-only
/*
 * The memory of a call ends too early, or cannot be written: what injected
 * faults do not reach, because it is copied without the checked functions.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/uio.h>

#include "faults.h"

#define ROOM	(256ul << 10)	/* most that is copied aside of one area */
#define PAGE	4096ul

/* Ends in front of a page that nobody may access. */
static __thread char *border;

static char *get_border(void)
{
	char *p;

	if (border)
		return border;
	p = mmap(NULL, ROOM + PAGE, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (p == MAP_FAILED || mprotect(p + ROOM, PAGE, PROT_NONE))
		abort();
	border = p + ROOM;
	return border;
}

/* One attempt: an area lies elsewhere. */
struct attempt {
	struct call call;
	union args args;
};

static void move_area(struct attempt *at, struct call *c, unsigned int i,
		      char *to)
{
	const struct area *a = &c->areas[i];
	void *copy = &at->args;

	at->call = *c;
	if (a->arg >= 0) {
		at->call.arg[a->arg] = (long)to;
		return;
	}
	at->args = c->args;
	memcpy((char *)copy + a->at, &to, sizeof(to));
	at->call.arg[c->nr == SYS_ioctl ? 2 : 1] = (long)copy;
}

/* It went well: the program is to find the results where it wants them. */
static void bring_back(struct attempt *at, struct call *c, unsigned int i,
		       const char *from, size_t len)
{
	const struct area *a = &c->areas[i];

	if (a->out)
		poke(a->addr, from, len);
	if (a->arg < 0 && c->nr == SYS_ioctl) {
		memcpy((char *)&at->args + a->at, &a->addr, sizeof(a->addr));
		poke((void *)c->arg[2], &at->args, c->n_args);
	}
}

/* There were no rows. */
static bool may_be_unused(const struct attempt *at, const struct area *a)
{
	return at->call.request == _IOC_NR(KMQ_IOC_LIST) &&
		a->at == offsetof(struct kmq_list_args, rows) &&
		a->arg < 0 && !at->args.list.count;
}

/* The attempt's result; NO_RESULT when it failed, as it should. */
static long try(struct call *c, const struct state *before, unsigned int i,
		size_t cut, bool read_only, long *odd)
{
	const struct area *a = &c->areas[i];
	size_t n = cut < a->n_saved ? cut : a->n_saved;
	static __thread struct attempt at;
	char *to = get_border() - cut;
	long ret;

	memset(to, 0, cut);
	memcpy(to, a->saved, n);
	if (read_only)
		mprotect(border - ROOM, ROOM, PROT_READ);
	move_area(&at, c, i, to);
	ret = call_make(&at.call);
	if (read_only)
		mprotect(border - ROOM, ROOM, PROT_READ | PROT_WRITE);
	TALLY(c, cut);
	if (ret >= 0 && may_be_unused(&at, a)) {
		bring_back(&at, c, i, to, cut);
		return ret;
	}
	if (ret >= 0) {
		violation("%s: works without %s %zu bytes of memory %u%s",
			  call_name(c), read_only ? "writing" : "more than",
			  cut, i, a->in ? "" : " (a result)");
		bring_back(&at, c, i, to, cut);
		return ret;
	}
	TALLY(c, cut_failed);
	if (ret != -EFAULT)
		*odd = ret;
	/* what came through that was not cut off */
	call_restore(c);
	state_expect(c, before, read_only ? "memory that cannot be written" :
		     "memory that is cut off");
	return NO_RESULT;
}

/*
 * Tries each area with none of it, a part, all but a byte; the results with
 * memory that can only be read. NO_RESULT, or the result of a call that went
 * well nevertheless.
 */
long cut_sweep(struct call *c, const struct state *before, uint64_t seed,
	       long *odd)
{
	unsigned int i, k;
	long ret;

	for (i = 0; i < c->n_areas; i++) {
		const struct area *a = &c->areas[i];
		size_t cuts[] = { 0, a->need > 1 ? mix(seed, i) % a->need : 0,
				  a->need - 1 };
		size_t last = ~0ul;

		for (k = 0; a->need && k < 3; k++) {
			if (cuts[k] == last || cuts[k] > ROOM)
				continue;
			last = cuts[k];
			ret = try(c, before, i, last, false, odd);
			if (ret != NO_RESULT)
				return ret;
		}
		if (!a->need || !a->out || a->len > ROOM ||
		    (a->arg == 2 && c->nr == SYS_ioctl && !c->answers))
			continue;
		ret = try(c, before, i, a->len, true, odd);
		if (ret != NO_RESULT)
			return ret;
	}
	return NO_RESULT;
}
