// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "ledger.h"

/* Of each kind of fault, so many are told in full. */
#define TOLD 5

static const char *const fault_names[NR_FAULTS] = {
	[F_TWICE] = "received twice",
	[F_UNSENT] = "received but not sent",
	[F_CONTENT] = "not what was sent",
	[F_SENDER] = "wrong sender",
	[F_ORDER] = "out of order",
	[F_LOST] = "lost",
	[F_COUNTERS] = "counters do not add up",
	[F_BOUND] = "bound exceeded",
	[F_ERRNO] = "unexpected error",
	[F_STUCK] = "stuck or dead",
	[F_IDLE] = "did not happen",
};

static const char *const event_names[NR_EVENTS] = {
	[E_INTR] = "EINTR",
	[E_AGAIN] = "EAGAIN",
	[E_TIMEOUT] = "ETIMEDOUT",
	[E_PIPE] = "sealed",
	[E_IDRM] = "EIDRM",
	[E_CANCELED] = "ECANCELED",
	[E_BADF] = "EBADF",
	[E_LIMIT] = "limited",
	[E_NOMEM] = "ENOMEM",
	[E_FAULT] = "EFAULT",
	[E_TOO_SMALL] = "EMSGSIZE",
	[E_KILL] = "killed",
	[E_STOP] = "stopped",
	[E_FORK] = "forked",
	[E_CHAOS] = "interfered",
	[E_STALL] = "stalled",
};

struct ledger *ledger_new(void)
{
	void *map = mmap(NULL, sizeof(struct ledger), PROT_READ | PROT_WRITE,
			 MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	return map == MAP_FAILED ? NULL : map;
}

void ledger_free(struct ledger *l)
{
	munmap(l, sizeof(*l));
}

int ledger_producer(struct ledger *l, uint32_t queue, int32_t pid,
		    uint32_t uid, bool opener, bool flat)
{
	uint32_t n = atomic_fetch_add(&l->nproducers, 1);
	struct producer_log *p;

	if (n >= LEDGER_PRODUCERS) {
		atomic_store(&l->nproducers, LEDGER_PRODUCERS);
		return -1;
	}
	p = &l->producers[n];
	p->queue = queue;
	p->uid = uid;
	p->opener = opener;
	p->flat = flat;
	p->pid = pid;
	return n;
}

int ledger_consumer(struct ledger *l, uint32_t queue, int32_t pid)
{
	uint32_t n = atomic_fetch_add(&l->nconsumers, 1);

	if (n >= LEDGER_CONSUMERS) {
		atomic_store(&l->nconsumers, LEDGER_CONSUMERS);
		return -1;
	}
	l->consumers[n].queue = queue;
	l->consumers[n].pid = pid;
	return n;
}

unsigned int level_of(const struct ledger *l, uint32_t producer,
		      uint64_t number)
{
	uint64_t x = (number + 1) * 0x9e3779b97f4a7c15ull + producer;

	if (l->levels < 2 || l->producers[producer].flat)
		return 0;
	return (x >> 32) % l->levels;
}

void ledger_fault(struct ledger *l, enum fault what, const char *fmt, ...)
{
	char text[256];
	va_list ap;
	int n, k;

	if (atomic_fetch_add(&l->faults[what], 1) >= TOLD)
		return;
	n = snprintf(text, sizeof(text), "# %s: ", fault_names[what]);
	va_start(ap, fmt);
	k = vsnprintf(text + n, sizeof(text) - n - 1, fmt, ap);
	va_end(ap);
	n += k < (int)sizeof(text) - n - 1 ? k : (int)sizeof(text) - n - 2;
	text[n++] = '\n';
	/* in one piece: many write here */
	if (write(STDOUT_FILENO, text, n) != n)
		atomic_fetch_add(&l->faults[what], 1);
}

void ledger_event(struct ledger *l, enum event event)
{
	atomic_fetch_add_explicit(&l->events[event], 1, memory_order_relaxed);
}

static void check_stamp(struct ledger *l, const struct producer_log *p,
			const struct seen *s)
{
	uint32_t priority = level_of(l, s->producer, s->number) * LEVEL_STEP;

	if (s->priority != priority)
		ledger_fault(l, F_CONTENT, "%u/%" PRIu64 " has priority %u, was sent with %u",
			     s->producer, s->number, s->priority, priority);
	if (s->pid != (uint32_t)p->pid || s->uid != p->uid ||
	    s->opener != p->opener)
		ledger_fault(l, F_SENDER, "%u/%" PRIu64 " of pid %u uid %u opener %d, sent by pid %d uid %u opener %d",
			     s->producer, s->number, s->pid, s->uid, s->opener,
			     p->pid, p->uid, p->opener);
}

static void check_order(struct ledger *l, struct order *order,
			const struct seen *s)
{
	uint64_t *last = &order->last[s->producer]
				     [level_of(l, s->producer, s->number)];

	if (s->number < *last && !l->repeats)
		ledger_fault(l, F_ORDER, "%u/%" PRIu64 " came after %u/%" PRIu64,
			     s->producer, s->number, s->producer, *last - 1);
	*last = s->number + 1;
}

void ledger_log(struct ledger *l, uint32_t queue, struct order *order,
		const struct seen *s)
{
	uint64_t none = 0;
	struct producer_log *p;

	if (!s->intact || s->producer >= atomic_load(&l->nproducers) ||
	    s->number >= LEDGER_MESSAGES) {
		ledger_fault(l, F_CONTENT, "%u/%" PRIu64 " of queue %u, seq %" PRIu64,
			     s->producer, s->number, queue, s->seq);
		return;
	}
	p = &l->producers[s->producer];
	if (p->queue != queue)
		ledger_fault(l, F_CONTENT, "%u/%" PRIu64 " of queue %u came from queue %u",
			     s->producer, s->number, p->queue, queue);
	if (s->number >= atomic_load(&p->attempted))
		ledger_fault(l, F_UNSENT, "%u/%" PRIu64, s->producer, s->number);
	if (!atomic_compare_exchange_strong(&l->entries[s->producer][s->number],
					    &none, LEDGER_GOT | s->seq)) {
		ledger_fault(l, F_TWICE, "%u/%" PRIu64 " with seq %" PRIu64 " and then %" PRIu64,
			     s->producer, s->number,
			     (uint64_t)(none & LEDGER_SEQ), s->seq);
		return;
	}
	if (s->stamped)
		check_stamp(l, p, s);
	check_order(l, order, s);
}

static uint32_t nproducers(struct ledger *l)
{
	uint32_t n = atomic_load(&l->nproducers);

	return n < LEDGER_PRODUCERS ? n : LEDGER_PRODUCERS;
}

static uint32_t nconsumers(struct ledger *l)
{
	uint32_t n = atomic_load(&l->nconsumers);

	return n < LEDGER_CONSUMERS ? n : LEDGER_CONSUMERS;
}

void ledger_killed(struct ledger *l, int32_t pid)
{
	uint32_t i;

	for (i = 0; i < nproducers(l); i++)
		if (l->producers[i].pid == pid)
			l->producers[i].killed = true;
	for (i = 0; i < nconsumers(l); i++)
		if (l->consumers[i].pid == pid)
			l->consumers[i].killed = true;
}

/* Of one producer. */
struct count {
	uint64_t attempted;
	uint64_t known;		/* accepted for sure */
	uint64_t maybe;		/* in the call it was killed in */
	uint64_t got;		/* received, of the known */
	uint64_t got_maybe;	/* received, of the others */
};

static void count_producer(struct ledger *l, uint32_t nr, struct count *c)
{
	struct producer_log *p = &l->producers[nr];
	uint64_t next = p->next, attempted = p->attempted, n, entry;
	uint64_t seq[LEDGER_LEVELS] = {}, *last;

	c->attempted += attempted;
	c->known += next;
	if (p->killed)
		c->maybe += attempted - next;
	for (n = 0; n < attempted && n < LEDGER_MESSAGES; n++) {
		entry = l->entries[nr][n];
		if (!entry)
			continue;
		if (n < next) {
			c->got++;
		} else {
			c->got_maybe++;
			if (!p->killed)
				ledger_fault(l, F_UNSENT, "%u/%" PRIu64 " was refused",
					     nr, n);
		}
		last = &seq[level_of(l, nr, n)];
		if ((entry & LEDGER_SEQ) && (entry & LEDGER_SEQ) <= *last)
			ledger_fault(l, F_ORDER, "%u/%" PRIu64 " has seq %" PRIu64 ", an earlier one %" PRIu64,
				     nr, n, (uint64_t)(entry & LEDGER_SEQ),
				     *last);
		if (entry & LEDGER_SEQ)
			*last = entry & LEDGER_SEQ;
	}
}

static struct count count_queue(struct ledger *l, uint32_t queue)
{
	struct count c = {};
	uint32_t i;

	for (i = 0; i < nproducers(l); i++)
		if (l->producers[i].queue == queue)
			count_producer(l, i, &c);
	return c;
}

/* At most; in calls that did not return, and behind them. */
static uint64_t gone_with_consumers(struct ledger *l, uint32_t queue,
				    bool returned)
{
	uint64_t n = 0;
	uint32_t i;

	for (i = 0; i < nconsumers(l); i++)
		if (l->consumers[i].queue == queue && l->consumers[i].killed &&
		    l->consumers[i].returned == returned)
			n += l->consumers[i].taking;
	return n;
}

static void tell_lost(struct ledger *l, uint32_t queue)
{
	unsigned int told = 0;
	uint32_t i;
	uint64_t n;

	for (i = 0; i < nproducers(l) && told < TOLD; i++) {
		if (l->producers[i].queue != queue)
			continue;
		for (n = 0; n < l->producers[i].next && told < TOLD; n++) {
			if (l->entries[i][n])
				continue;
			printf("# missing: %u/%" PRIu64 "\n", i, n);
			told++;
		}
	}
}

void ledger_settle(struct ledger *l, uint32_t queue,
		   const struct totals *k)
{
	struct count c = count_queue(l, queue);
	uint64_t gone_in = gone_with_consumers(l, queue, false);
	uint64_t gone = gone_in + gone_with_consumers(l, queue, true);
	uint64_t got = c.got + c.got_maybe, missing = c.known - c.got;
	uint64_t left;

	if (k->sent < c.known + c.got_maybe || k->sent > c.known + c.maybe)
		ledger_fault(l, F_COUNTERS, "queue %u: the kernel counts %" PRIu64 " sent; %" PRIu64 " for sure, at most %" PRIu64 " more",
			     queue, k->sent, c.known + c.got_maybe,
			     c.maybe > c.got_maybe ? c.maybe - c.got_maybe : 0);
	if (k->received < got || k->received > got + gone)
		ledger_fault(l, F_COUNTERS, "queue %u: the kernel counts %" PRIu64 " received; %" PRIu64 " came, at most %" PRIu64 " more",
			     queue, k->received, got, gone);
	if (k->sent != k->received + k->dropped + k->ready)
		ledger_fault(l, F_COUNTERS, "queue %u: %" PRIu64 " sent, %" PRIu64 " received + %" PRIu64 " dropped + %" PRIu64 " queued",
			     queue, k->sent, k->received, k->dropped,
			     k->ready);

	left = k->dropped + k->ready + gone;
	if (missing > left) {
		ledger_fault(l, F_LOST, "queue %u: %" PRIu64 " of %" PRIu64 " accepted are missing, %" PRIu64 " are accounted for",
			     queue, missing, c.known, left);
		tell_lost(l, queue);
	}
	if (c.known && !got && !k->dropped)
		ledger_fault(l, F_IDLE, "queue %u: nothing was received",
			     queue);
	if (!c.known && !c.maybe)
		ledger_fault(l, F_IDLE, "queue %u: nothing was sent", queue);
	l->tally.attempted += c.attempted;
	l->tally.sent += c.known;
	l->tally.received += got;
	l->tally.recovered += c.got_maybe;
	l->tally.lost += missing > left ? missing - left : 0;
	l->tally.dropped += k->dropped + k->ready;
	l->tally.killed += k->received - got;
	printf("# queue %u: %" PRIu64 " accepted, %" PRIu64 " received, %" PRIu64 " dropped",
	       queue, c.known, got, k->dropped);
	if (c.maybe)
		printf(", %" PRIu64 " more accepted from the killed (at most %" PRIu64 ")",
		       k->sent - c.known, c.maybe);
	if (gone)
		printf(", %" PRIu64 " gone with the killed (at most %" PRIu64 " in a call, %" PRIu64 " behind it)",
		       k->received - got, gone_in, gone - gone_in);
	putchar('\n');
}

uint64_t ledger_accepted(struct ledger *l, uint32_t queue)
{
	uint64_t n = 0;
	uint32_t i;

	for (i = 0; i < nproducers(l); i++)
		if (l->producers[i].queue == queue)
			n += l->producers[i].next;
	return n;
}

uint64_t ledger_got(struct ledger *l, uint32_t queue)
{
	struct count c = count_queue(l, queue);

	return c.got + c.got_maybe;
}

bool ledger_good(struct ledger *l)
{
	unsigned int i;

	for (i = 0; i < NR_FAULTS; i++)
		if (l->faults[i])
			return false;
	return true;
}

void ledger_tell(struct ledger *l, const char *name)
{
	unsigned int i;

	printf("# %s:", name);
	for (i = 0; i < NR_EVENTS; i++)
		if (l->events[i])
			printf(" %s %u", event_names[i], l->events[i]);
	putchar('\n');
	l->tally.doubled = l->faults[F_TWICE];
	printf("# %s: tally: attempted %" PRIu64 ", sent %" PRIu64 ", received %" PRIu64 ", recovered %" PRIu64 ", lost %" PRIu64 ", doubled %" PRIu64 ", dropped %" PRIu64 ", gone with the killed %" PRIu64 ", refused %u\n",
	       name, l->tally.attempted, l->tally.sent, l->tally.received,
	       l->tally.recovered, l->tally.lost, l->tally.doubled,
	       l->tally.dropped, l->tally.killed, l->events[E_AGAIN]);
	for (i = 0; i < NR_FAULTS; i++)
		if (l->faults[i])
			printf("# %s: %s, %u times\n", name, fault_names[i],
			       l->faults[i]);
	fflush(stdout);
}

/* Some message that was received, behind at least one other. */
static bool find_received(struct ledger *l, uint32_t *nr, uint64_t *n)
{
	uint32_t i;
	uint64_t k;

	for (i = 0; i < nproducers(l); i++)
		for (k = 1; k < l->producers[i].next; k++)
			if (l->entries[i][k] && l->entries[i][k - 1] &&
			    level_of(l, i, k) == level_of(l, i, k - 1)) {
				*nr = i;
				*n = k;
				return true;
			}
	return false;
}

bool ledger_tamper(struct ledger *l, const char *what)
{
	static struct order order;
	struct producer_log *p;
	struct seen s = { .intact = true };
	uint64_t n, entry;
	uint32_t nr;

	if (!find_received(l, &nr, &n))
		return false;
	memset(&order, 0, sizeof(order));
	p = &l->producers[nr];
	s.producer = nr;
	s.number = n;

	if (!strcmp(what, "lose")) {
		l->entries[nr][n] = 0;
	} else if (!strcmp(what, "twice")) {
		ledger_log(l, p->queue, &order, &s);
	} else if (!strcmp(what, "invent")) {
		s.number = p->attempted;
		ledger_log(l, p->queue, &order, &s);
	} else if (!strcmp(what, "refuse")) {
		p->next = n;
	} else if (!strcmp(what, "garble")) {
		s.intact = false;
		ledger_log(l, p->queue, &order, &s);
	} else if (!strcmp(what, "swap")) {
		entry = l->entries[nr][n];
		l->entries[nr][n] = l->entries[nr][n - 1];
		l->entries[nr][n - 1] = entry;
	} else if (!strcmp(what, "overtake")) {
		l->entries[nr][n] = 0;
		order.last[nr][level_of(l, nr, n)] = n + 2;
		ledger_log(l, p->queue, &order, &s);
	} else if (!strcmp(what, "forge")) {
		l->entries[nr][n] = 0;
		s.stamped = true;
		s.priority = level_of(l, nr, n) * LEVEL_STEP;
		s.pid = p->pid + 1;
		s.uid = p->uid;
		s.opener = p->opener;
		ledger_log(l, p->queue, &order, &s);
	} else {
		return false;
	}
	return true;
}
