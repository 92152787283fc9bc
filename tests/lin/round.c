// SPDX-License-Identifier: GPL-2.0-only
/*
 * Threads or processes do what was planned for them and write down when. Time is
 * a counter that all of them share: whatever the clocks of the CPUs say, a call
 * that returned before another began has the smaller number.
 */
#include <inttypes.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "simulate.h"

#define MOST_SEALS	30u
#define MIN_ROUNDS	20u	/* however slow the machine */

struct shared {
	struct lin_history h;

	_Atomic uint64_t clock;
	_Atomic uint32_t arrived;
	_Atomic bool go;
	_Atomic bool over;		/* begin no more calls */
	_Atomic bool finished[LIN_THREADS];
	/* of a thread's calls: 1 + the one it is in, 0: none */
	_Atomic uint32_t at[LIN_THREADS];
	_Atomic bool returned[LIN_OPS];
};

static struct shared *shared;
static const struct lin_driver *driver;
static const struct lin_plan *plan;
static pid_t pids[LIN_THREADS];
static pthread_t threads[LIN_THREADS];

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000ull + ts.tv_nsec;
}

static void nap_us(unsigned int us)
{
	struct timespec ts = { 0, us * 1000 };

	nanosleep(&ts, NULL);
}

void lin_got(struct lin_history *h, struct lin_op *op, unsigned int message,
	     uint64_t seq)
{
	if (op->done == LIN_BATCH)
		return;
	op->got[op->done++] = message < h->nmessages ? message : LIN_ALIEN;
	if (message < h->nmessages && !plan->no_seq)
		h->messages[message].seq = seq;
}

static void make_call(struct lin_op *op, struct lin_op *second)
{
	unsigned int thread = op->thread, nr = op - shared->h.ops;

	op->inv = atomic_fetch_add(&shared->clock, 1);
	if (second)
		second->inv = op->inv;
	atomic_store(&shared->at[thread], nr + 1);
	driver->call(&shared->h, op, second);
	op->res = atomic_fetch_add(&shared->clock, 1);
	if (second) {
		second->res = op->res;
		atomic_store(&shared->returned[nr + 1], true);
	}
	atomic_store(&shared->returned[nr], true);
}

static void work(unsigned int thread)
{
	struct lin_history *h = &shared->h;
	/* the referee adds its own meanwhile */
	unsigned int i, n = plan->h->nops;

	if (driver->begin)
		driver->begin(thread);
	atomic_fetch_add(&shared->arrived, 1);
	while (!atomic_load(&shared->go))
		sched_yield();
	for (i = 0; i < n && !atomic_load(&shared->over); i++) {
		struct lin_op *second = NULL;

		if (h->ops[i].thread != thread || h->ops[i].after)
			continue;
		if (i + 1 < n && h->ops[i + 1].after)
			second = &h->ops[i + 1];
		make_call(&h->ops[i], second);
	}
	atomic_store(&shared->finished[thread], true);
}

static void on_alarm(int sig)
{
	(void)sig;
}

/*
 * Signals for the calling thread, again and again. Were they for the process, one
 * might wake several threads and be delivered to one: the kernel restarts the
 * calls of the others, and they lose their turn, which no history shows.
 */
static void work_in_a_storm(unsigned int thread)
{
	const struct itimerspec often = {
		.it_interval.tv_nsec = 900000, .it_value.tv_nsec = 700000,
	};
	struct sigaction sa = { .sa_handler = on_alarm };
	struct sigevent ev = {
		.sigev_notify = SIGEV_THREAD_ID, .sigev_signo = SIGALRM,
	};
	timer_t timer;

	ev._sigev_un._tid = gettid();
	sigaction(SIGALRM, &sa, NULL);
	if (timer_create(CLOCK_MONOTONIC, &ev, &timer) ||
	    timer_settime(timer, 0, &often, NULL))
		abort();
	work(thread);
	timer_delete(timer);
}

static void *thread_main(void *arg)
{
	if (plan->signals)
		work_in_a_storm((uintptr_t)arg);
	else
		work((uintptr_t)arg);
	return NULL;
}

static void start(unsigned int thread)
{
	if (!plan->processes) {
		if (pthread_create(&threads[thread], NULL, thread_main,
				   (void *)(uintptr_t)thread))
			abort();
		return;
	}
	fflush(stdout);
	pids[thread] = fork();
	if (pids[thread] < 0)
		abort();
	if (pids[thread])
		return;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	thread_main((void *)(uintptr_t)thread);
	_exit(0);
}

/* The referee's own calls are part of the history. */
static struct lin_op *referee(enum lin_kind kind, unsigned int count)
{
	struct lin_op *op = lin_add(&shared->h, LIN_REFEREE, kind, count, NULL);

	if (!op)
		abort();
	op->how = LIN_XFER;
	make_call(op, NULL);
	return op;
}

/* A killed process: the call it was in has ended now, somehow. */
static void was_killed(unsigned int thread)
{
	uint32_t nr = atomic_load(&shared->at[thread]);
	uint64_t now = atomic_fetch_add(&shared->clock, 1);
	struct lin_op *op;

	if (!nr || atomic_load(&shared->returned[nr - 1]))
		return;
	op = &shared->h.ops[nr - 1];
	op->unknown = true;
	op->res = now;
	op++;
	if (op < &shared->h.ops[shared->h.nops] && op->after) {
		op->unknown = true;
		op->inv = op[-1].inv;
		op->res = now;
	}
}

static bool reap(unsigned int thread)
{
	int status;

	if (!pids[thread])
		return true;
	if (waitpid(pids[thread], &status, WNOHANG) != pids[thread])
		return false;
	pids[thread] = 0;
	if (WIFSIGNALED(status))
		was_killed(thread);
	else if (status)
		abort();
	return true;
}

static bool all_finished(void)
{
	unsigned int t;
	bool all = true;

	for (t = 0; t < plan->threads; t++)
		all &= plan->processes ? reap(t) :
			atomic_load(&shared->finished[t]);
	return all;
}

/* Lets those go on who wait for what nobody is going to do. */
static bool watch(double patience)
{
	uint64_t until = now_ns() + patience * 1e9, quiet = now_ns(), now;
	uint64_t r = plan->seed ^ 0x5bd1e995, clock = 0;
	uint64_t quiet_ns = driver->quiet_us * 1000ull;
	unsigned int seals = 0, naps = 0;

	r = r ? r : 1;
	while (!all_finished()) {
		nap_us(50);
		now = now_ns();
		if (plan->kills && ++naps % 4 == 0 && !lin_below(&r, 3)) {
			unsigned int t = lin_below(&r, plan->threads);

			if (pids[t])
				kill(pids[t], SIGKILL);
		}
		if (atomic_load(&shared->clock) != clock) {
			clock = atomic_load(&shared->clock);
			quiet = now;
		}
		if (now - quiet > quiet_ns && seals < 2 * MOST_SEALS) {
			/* ends every call that waits; the rest goes on */
			referee(LIN_SEAL, 0);
			if (seals++ < MOST_SEALS)
				referee(LIN_UNSEAL, 0);
			else
				shared->over = true;
			quiet = now_ns();
		}
		if (now > until)
			return false;
	}
	return true;
}

/* Calls that were never made are no part of it. */
static void forget_the_rest(void)
{
	struct lin_history *h = &shared->h;
	unsigned int i, k = 0;

	/* in one go: lin_remove() would not move the marks */
	for (i = 0; i < h->nops; i++) {
		bool made = atomic_load(&shared->returned[i]) ||
			h->ops[i].unknown;

		if (!made)
			continue;
		if (h->ops[i].kind == LIN_SEND) {
			unsigned int n;

			for (n = 0; n < h->ops[i].count; n++)
				h->messages[h->ops[i].first + n].op = k;
		}
		h->ops[k++] = h->ops[i];
	}
	h->nops = k;
}

static void drain(void)
{
	struct lin_op *op;

	referee(LIN_STAT, 0);
	do {
		op = referee(LIN_RECV, LIN_BATCH);
	} while (op->done);
	referee(LIN_STAT, 0);
}

bool lin_round(const struct lin_driver *d, const struct lin_plan *p,
	       double patience)
{
	unsigned int t;
	bool ok;

	if (!shared)
		shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
			      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (shared == MAP_FAILED)
		abort();
	memset(shared, 0, sizeof(*shared));
	driver = d;
	plan = p;
	shared->h = *p->h;
	shared->clock = 1;
	d->open(p);
	for (t = 0; t < p->threads; t++)
		start(t);
	if (d->begin)
		d->begin(LIN_REFEREE);
	while (shared->arrived < p->threads)
		nap_us(50);
	shared->go = true;
	ok = watch(patience);
	if (ok) {
		for (t = 0; t < p->threads && !p->processes; t++)
			pthread_join(threads[t], NULL);
		referee(LIN_SEAL, 0);
		drain();
		d->close();
		forget_the_rest();
	}
	*p->h = shared->h;
	return ok;
}

void lin_count(struct lin_tally *t, const struct lin_plan *p)
{
	const struct lin_history *h = p->h;
	bool got[LIN_MESSAGES] = {};
	const struct lin_stat *last = NULL;
	uint64_t sent = 0, received = 0;
	unsigned int i, k;

	t->rounds++;
	for (i = 0; i < h->nops; i++) {
		const struct lin_op *op = &h->ops[i];

		t->calls++;
		t->by_kind[op->kind]++;
		/* somebody else called or returned meanwhile */
		t->overlapping += op->res > op->inv + 1;
		t->killed += op->unknown;
		t->waited += op->wait && !op->wait_us;
		t->refused += op->err == -EAGAIN;
		t->timeouts += op->err == -ETIMEDOUT;
		t->interrupted += op->err == -EINTR;
		t->given_back += op->err == -EFAULT;
		t->sealed += op->err == -EPIPE;
		t->deleted += op->err == -EIDRM;
		if (op->kind == LIN_SEND) {
			t->attempted += op->count;
			sent += op->unknown ? 0 : op->done;
		} else if (op->kind == LIN_RECV && !op->unknown) {
			received += op->done;
			for (k = 0; k < op->done; k++)
				if (op->got[k] < h->nmessages)
					got[op->got[k]] = true;
		} else if (op->kind == LIN_STAT) {
			last = &op->st;
		}
	}
	for (i = 0; i < h->nmessages; i++)
		t->recovered += got[i] && h->ops[h->messages[i].op].unknown;
	t->sent += sent;
	t->received += received;
	if (!last)
		return;
	t->dropped += last->dropped + last->purged;
	t->with_killed += last->received - received;
}

void lin_tell(const struct lin_tally *t, const char *name)
{
	unsigned int i;

	printf("# %s: %" PRIu64 " rounds, %" PRIu64 " calls, %" PRIu64 " steps tried (most in a round %" PRIu64 "), undecided %" PRIu64 ", wrong %" PRIu64 "; spoiled %" PRIu64 ", not noticed %" PRIu64 "\n",
	       name, t->rounds, t->calls, t->steps, t->most_steps,
	       t->undecided, t->wrong, t->spoiled, t->missed);
	printf("# %s: %" PRIu64 " overlapped others; calls:", name, t->overlapping);
	for (i = 0; i < LIN_NR_KINDS; i++)
		printf(" %s %" PRIu64, lin_kind_names[i], t->by_kind[i]);
	printf("; may wait for ever %" PRIu64 ", refused %" PRIu64 ", timed out %" PRIu64 ", interrupted %" PRIu64 ", given back %" PRIu64 ", sealed %" PRIu64 ", deleted %" PRIu64 ", killed %" PRIu64 "\n",
	       t->waited, t->refused, t->timeouts, t->interrupted,
	       t->given_back, t->sealed, t->deleted, t->killed);
	/* what is lost or doubled is no history of a queue: see wrong */
	printf("# %s: tally: attempted %" PRIu64 ", sent %" PRIu64 ", received %" PRIu64 ", recovered %" PRIu64 ", dropped %" PRIu64 ", gone with the killed %" PRIu64 "\n",
	       name, t->attempted, t->sent, t->received, t->recovered,
	       t->dropped, t->with_killed);
	fflush(stdout);
}

static void dump_to(const char *path, const struct lin_plan *p)
{
	FILE *f = path ? fopen(path, "w") : NULL;

	if (!f)
		return;
	fprintf(f, "# seed %" PRIu64 "\n", p->seed);
	lin_write(f, p->h);
	fclose(f);
	printf("# the whole history: %s\n", path);
}

/* A real history made wrong is not taken for right. */
static void spoil_one(struct lin_tally *t, const struct lin_plan *p)
{
	struct lin_history *h;
	uint64_t r = p->seed * 2 + 1;
	unsigned int i;

	/* a killed call may have done what is missing */
	for (i = 0; i < p->h->nops; i++)
		if (p->h->ops[i].unknown)
			return;
	h = malloc(sizeof(*h));
	*h = *p->h;
	if (lin_spoils[p->seed % lin_nspoils].spoil(h, &r)) {
		t->spoiled++;
		if (lin_search(h, LIN_STEPS / 4).verdict == LIN_GOOD) {
			printf("# not noticed: %s, round of seed %" PRIu64 "\n",
			       lin_spoils[p->seed % lin_nspoils].name, p->seed);
			t->missed++;
		}
	}
	free(h);
}

bool lin_run(const struct lin_driver *d, const char *name, uint64_t seed,
	     double seconds, double patience, const char *dump,
	     struct lin_tally *t)
{
	uint64_t until = now_ns() + seconds * 1e9;
	struct lin_plan p = { .h = lin_new(1, LIN_BLOCK) };
	char why[100];

	memset(t, 0, sizeof(*t));
	do {
		struct lin_result r;

		lin_plan(&p, seed++, d->can);
		if (!lin_round(d, &p, patience)) {
			printf("# %s: round of seed %" PRIu64 ": somebody did not come back\n",
			       name, p.seed);
			t->stuck++;
			dump_to(dump, &p);
			break;
		}
		r = lin_search(p.h, LIN_STEPS);
		lin_count(t, &p);
		t->steps += r.steps;
		if (r.steps > t->most_steps)
			t->most_steps = r.steps;
		t->undecided += r.verdict == LIN_UNDECIDED;
		if (r.verdict == LIN_GOOD)
			spoil_one(t, &p);
		if (r.verdict == LIN_WRONG) {
			t->wrong++;
			snprintf(why, sizeof(why), "%s: round of seed %" PRIu64,
				 name, p.seed);
			lin_explain(stdout, p.h, &r, why);
			dump_to(dump, &p);
		}
	} while ((now_ns() < until || t->rounds < MIN_ROUNDS) && !t->wrong);
	free(p.h);
	lin_tell(t, name);
	/* one in a hundred is a round that was too wild to be judged */
	return !t->wrong && !t->stuck && !t->missed &&
		t->undecided * 100 <= t->rounds;
}
