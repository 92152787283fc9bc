// SPDX-License-Identifier: GPL-2.0-only
#include <string.h>

#include "model.h"

void lin_model_init(struct lin_model *m, struct lin_history *h)
{
	unsigned int i;

	memset(m, 0, sizeof(*m));
	m->h = h;
	m->obey = true;
	for (i = 0; i < h->nops; i++) {
		unsigned int t = h->ops[i].thread;

		m->ops[t][m->nops[t]++] = i;
	}
}

void lin_state_init(const struct lin_model *m, struct lin_state *s)
{
	memset(s, 0, sizeof(*s));
	s->bound = m->h->bound;
	s->next_seq = 1;
}

struct lin_op *lin_present(const struct lin_model *m,
			   const struct lin_state *s, unsigned int thread)
{
	unsigned int n = s->threads[thread].next;

	return n < m->nops[thread] ? &m->h->ops[m->ops[thread][n]] : NULL;
}

static unsigned int priority_of(const struct lin_model *m, unsigned int message)
{
	return m->h->messages[message].priority;
}

/* ---- lines --------------------------------------------------------------- */

static void append(uint8_t *line, uint8_t *n, unsigned int thread)
{
	line[(*n)++] = thread;
}

static bool drop_from(uint8_t *line, uint8_t *n, unsigned int thread)
{
	unsigned int i;

	for (i = 0; i < *n && line[i] != thread; i++)
		;
	if (i == *n)
		return false;
	for (; i + 1u < *n; i++)
		line[i] = line[i + 1];
	line[--*n] = 0;
	return true;
}

/* Those that want fewest first; equal ones in order of arrival. */
static void append_lingering(const struct lin_model *m, struct lin_state *s,
			     unsigned int thread)
{
	unsigned int i = s->nlingering++;
	unsigned int min = lin_present(m, s, thread)->min;

	for (; i && lin_present(m, s, s->lingering[i - 1])->min > min; i--)
		s->lingering[i] = s->lingering[i - 1];
	s->lingering[i] = thread;
}

static void leave_line(struct lin_state *s, unsigned int thread)
{
	if (!drop_from(s->senders, &s->nsenders, thread) &&
	    !drop_from(s->receivers, &s->nreceivers, thread))
		drop_from(s->lingering, &s->nlingering, thread);
}

/* ---- the end of a call ----------------------------------------------------- */

static void next_call(struct lin_state *s, unsigned int thread)
{
	unsigned int next = s->threads[thread].next;

	memset(&s->threads[thread], 0, sizeof(s->threads[thread]));
	s->threads[thread].next = next + 1;
}

/* The present call has ended so; false: that is not what was recorded. */
static bool ends(const struct lin_model *m, struct lin_state *s,
		 unsigned int thread, int err, unsigned int done)
{
	struct lin_op *op = lin_present(m, s, thread);

	if (!m->obey) {
		op->err = err;
		op->done = done;
		next_call(s, thread);
		m->ended(m->arg, op);
		return true;
	}
	next_call(s, thread);
	if (op->unknown)
		return true;
	return op->done == done && (op->err == err || op->err == LIN_HIDDEN);
}

/* ---- messages -------------------------------------------------------------- */

static void unlink_ready(struct lin_state *s, unsigned int at, unsigned int n)
{
	s->nready -= n;
	memmove(&s->ready[at], &s->ready[at + n],
		(s->nready - at) * sizeof(s->ready[0]));
	memset(&s->ready[s->nready], 0, n * sizeof(s->ready[0]));
}

static bool link_ready(const struct lin_model *m, struct lin_state *s,
		       struct lin_queued q)
{
	unsigned int p = priority_of(m, q.message), i = s->nready;

	if (s->nready == LIN_READY)
		return false;
	for (; i && (priority_of(m, s->ready[i - 1].message) < p ||
		     (priority_of(m, s->ready[i - 1].message) == p &&
		      s->ready[i - 1].seq > q.seq)); i--)
		s->ready[i] = s->ready[i - 1];
	s->ready[i] = q;
	s->nready++;
	return true;
}

/* The oldest of the lowest priority. */
static unsigned int least(const struct lin_model *m, const struct lin_state *s)
{
	unsigned int i = s->nready - 1;
	unsigned int p = priority_of(m, s->ready[i].message);

	while (i && priority_of(m, s->ready[i - 1].message) == p)
		i--;
	return i;
}

static bool hopeless(const struct lin_state *s, const struct lin_op *op)
{
	return op->atomic && op->count > s->bound;
}

static bool full(const struct lin_state *s)
{
	return s->nsenders || s->nready >= s->bound;
}

/* -1: not as recorded; 1: all of it is in; 0: it cannot go on. */
static int admit(const struct lin_model *m, struct lin_state *s,
		 unsigned int thread)
{
	struct lin_op *op = lin_present(m, s, thread);
	struct lin_thread *t = &s->threads[thread];
	unsigned int victim;

	if (op->atomic && s->nready + op->count - t->done > s->bound)
		return 0;
	while (t->done < op->count) {
		struct lin_queued q = {
			.message = op->first + t->done,
			.seq = s->next_seq,
		};
		uint32_t seen = m->h->messages[q.message].seq;

		if (s->nready >= s->bound) {
			if (m->h->overflow != LIN_DROP)
				return 0;
			victim = least(m, s);
			s->dropped++;
			if (priority_of(m, s->ready[victim].message) <=
			    priority_of(m, q.message)) {
				unlink_ready(s, victim, 1);
				continue;
			}
			if (m->obey && seen)
				return -1;
		} else {
			if (m->obey && seen && seen != q.seq)
				return -1;
			if (!link_ready(m, s, q))
				return -1;
		}
		s->next_seq++;
		t->done++;
	}
	return 1;
}

/* Hand the first messages to a receiver, which is out of the line by now. */
static bool take(const struct lin_model *m, struct lin_state *s,
		 unsigned int thread, unsigned int most)
{
	struct lin_op *op = lin_present(m, s, thread);
	struct lin_thread *t = &s->threads[thread];
	unsigned int i, n = s->nready;

	if (n > op->count)
		n = op->count;
	if (n > most)
		n = most;
	s->received += n;
	if (op->bad_buffer || op->unknown) {
		t->nheld = n;
		memcpy(t->held, s->ready, n * sizeof(t->held[0]));
		t->stage = LIN_HOLDS;
		unlink_ready(s, 0, n);
		return true;
	}
	for (i = 0; i < n; i++) {
		if (m->obey) {
			if (op->got[i] != s->ready[i].message)
				return false;
		} else {
			op->got[i] = s->ready[i].message;
			m->h->messages[op->got[i]].seq = s->ready[i].seq;
		}
	}
	unlink_ready(s, 0, n);
	return ends(m, s, thread, 0, n);
}

/* ---- balance ---------------------------------------------------------------- */

static bool end_senders(const struct lin_model *m, struct lin_state *s, int err)
{
	while (s->nsenders) {
		unsigned int t = s->senders[0];

		leave_line(s, t);
		if (!ends(m, s, t, err, s->threads[t].done))
			return false;
	}
	return true;
}

static bool end_receivers(const struct lin_model *m, struct lin_state *s,
			  int err)
{
	while (s->nreceivers || s->nlingering) {
		unsigned int t = s->nreceivers ? s->receivers[0] :
			s->lingering[0];

		leave_line(s, t);
		if (!ends(m, s, t, err, 0))
			return false;
	}
	return true;
}

static bool admit_waiting(const struct lin_model *m, struct lin_state *s,
			  bool *any)
{
	while (s->nsenders) {
		unsigned int t = s->senders[0];
		struct lin_op *op = lin_present(m, s, t);
		unsigned int before = s->threads[t].done;
		int way = admit(m, s, t);

		*any |= s->threads[t].done != before;
		if (way < 0)
			return false;
		if (!way && !hopeless(s, op))
			return true;
		leave_line(s, t);
		if (!ends(m, s, t, way ? 0 : -EMSGSIZE, s->threads[t].done))
			return false;
	}
	return true;
}

static bool worth_it(const struct lin_state *s, const struct lin_op *op)
{
	return s->nready >= op->min || s->sealed || full(s);
}

static bool serve_waiting(const struct lin_model *m, struct lin_state *s,
			  bool *any)
{
	unsigned int n, share, t;

	while ((n = s->nreceivers + s->nlingering) && s->nready) {
		share = (s->nready + n - 1) / n;
		if (s->nreceivers) {
			t = s->receivers[0];
		} else {
			struct lin_op *op;

			t = s->lingering[0];
			op = lin_present(m, s, t);
			if (!worth_it(s, op))
				break;
			if (share < op->min)
				share = op->min;
		}
		leave_line(s, t);
		if (!take(m, s, t, share))
			return false;
		*any = true;
	}
	return true;
}

/* Nobody waits for what the queue has. */
static bool balance(const struct lin_model *m, struct lin_state *s)
{
	bool any;

	if (s->dead)
		return end_senders(m, s, -EIDRM) && end_receivers(m, s, -EIDRM);
	if (s->sealed && !end_senders(m, s, -EPIPE))
		return false;
	do {
		any = false;
		if (!s->sealed && !admit_waiting(m, s, &any))
			return false;
		if (!serve_waiting(m, s, &any))
			return false;
	} while (any);
	return !s->sealed || s->nready || end_receivers(m, s, 0);
}

/* ---- steps ------------------------------------------------------------------- */

static bool begin_send(const struct lin_model *m, struct lin_state *s,
		       unsigned int thread)
{
	struct lin_op *op = lin_present(m, s, thread);
	int way = 0;

	if (s->dead)
		return ends(m, s, thread, -EIDRM, 0);
	if (s->sealed)
		return ends(m, s, thread, -EPIPE, 0);
	if (hopeless(s, op))
		return ends(m, s, thread, -EMSGSIZE, 0);
	if (op->atomic && m->h->overflow == LIN_DROP)
		return ends(m, s, thread, -EOPNOTSUPP, 0);
	/* those who wait go first */
	if (!s->nsenders)
		way = admit(m, s, thread);
	if (way < 0)
		return false;
	if (way) {
		if (!ends(m, s, thread, 0, op->count))
			return false;
	} else if (op->wait && m->h->overflow == LIN_BLOCK) {
		s->blocked++;
		s->threads[thread].stage = LIN_WAITING;
		append(s->senders, &s->nsenders, thread);
	} else {
		s->refused++;
		if (!ends(m, s, thread, -EAGAIN, s->threads[thread].done))
			return false;
	}
	return balance(m, s);
}

static bool try_receive(const struct lin_model *m, struct lin_state *s,
			unsigned int thread, bool wait, int err)
{
	struct lin_op *op = lin_present(m, s, thread);

	if (s->dead)
		return ends(m, s, thread, -EIDRM, 0);
	if (s->nready && (!wait || worth_it(s, op)))
		return take(m, s, thread, LIN_READY) && balance(m, s);
	if (!s->nready && s->sealed)
		return ends(m, s, thread, 0, 0);
	if (!wait)
		return ends(m, s, thread, err, 0);
	s->threads[thread].stage = LIN_WAITING;
	if (op->min > 1)
		append_lingering(m, s, thread);
	else
		append(s->receivers, &s->nreceivers, thread);
	return true;
}

static bool begin_stat(const struct lin_model *m, struct lin_state *s,
		       unsigned int thread)
{
	struct lin_op *op = lin_present(m, s, thread);
	struct lin_stat st = {
		.ready = s->nready,
		.waiting_senders = s->nsenders,
		.waiting_receivers = s->nreceivers + s->nlingering,
		.sent = s->next_seq - 1,
		.received = s->received,
		.dropped = s->dropped,
		.purged = s->purged,
		.refused = s->refused,
		.blocked = s->blocked,
		.sealed = s->sealed,
	};

	if (!m->obey)
		op->st = st;
	else if (!op->unknown && memcmp(&st, &op->st, sizeof(st)))
		return false;
	return ends(m, s, thread, 0, 0);
}

static bool begin(const struct lin_model *m, struct lin_state *s,
		  unsigned int thread)
{
	struct lin_op *op = lin_present(m, s, thread);
	struct lin_thread *t = &s->threads[thread];

	switch (op->kind) {
	case LIN_SEND:
		return begin_send(m, s, thread);
	case LIN_RECV:
		return try_receive(m, s, thread, op->wait, -EAGAIN);
	case LIN_STAT:
		return begin_stat(m, s, thread);
	}
	/* what goes by name may come too late, or just in time */
	if (s->dead && (!m->obey || op->err))
		return ends(m, s, thread, -ENOENT, 0);
	switch (op->kind) {
	case LIN_PURGE:
		t->upto = s->next_seq - 1;
		t->stage = LIN_MARKED;
		return true;
	case LIN_SEAL:
	case LIN_UNSEAL:
		s->sealed = op->kind == LIN_SEAL;
		break;
	case LIN_ALTER:
		s->bound = op->count;
		break;
	case LIN_DELETE:
		s->dead = true;
		t->stage = LIN_MARKED;
		return balance(m, s);
	}
	return ends(m, s, thread, 0, 0) && balance(m, s);
}

static bool drop_marked(const struct lin_model *m, struct lin_state *s,
			unsigned int thread)
{
	struct lin_op *op = lin_present(m, s, thread);
	unsigned int i = 0, n = 0;

	while (i < s->nready) {
		if (op->kind == LIN_PURGE &&
		    s->ready[i].seq > s->threads[thread].upto) {
			i++;
			continue;
		}
		unlink_ready(s, i, 1);
		n++;
	}
	s->purged += n;
	return ends(m, s, thread, 0, op->kind == LIN_PURGE ? n : 0) &&
		balance(m, s);
}

/* Out of the line, and those behind it were served. */
static bool left(const struct lin_model *m, struct lin_state *s,
		 unsigned int thread, unsigned int way)
{
	struct lin_op *op = lin_present(m, s, thread);
	bool again = op->kind == LIN_RECV && op->min > 1;
	int err = -ETIMEDOUT;

	if (way && !(again && op->unknown))
		return false;
	if (!balance(m, s))
		return false;
	if (again && !way && op->err != -EINTR) {
		s->threads[thread].stage = LIN_AGAIN;
		return true;
	}
	if (m->obey && op->err == -EINTR)
		err = op->err;
	return ends(m, s, thread, err, s->threads[thread].done);
}

static bool give_back(const struct lin_model *m, struct lin_state *s,
		      unsigned int thread, unsigned int way)
{
	struct lin_op *op = lin_present(m, s, thread);
	struct lin_thread *t = &s->threads[thread];
	unsigned int i;

	/* gone with its receiver */
	if (way)
		return op->unknown && ends(m, s, thread, 0, 0);
	s->received -= t->nheld;
	for (i = 0; i < t->nheld; i++) {
		if (s->dead)
			s->purged++;
		else if (!link_ready(m, s, t->held[i]))
			return false;
	}
	return ends(m, s, thread, -EFAULT, 0) && balance(m, s);
}

/* May it have been in the line in vain? */
static bool may_leave(const struct lin_model *m, const struct lin_op *op)
{
	if (!m->obey)
		return op->wait && op->wait_us;
	return op->unknown || op->err == LIN_HIDDEN ||
		op->err == -ETIMEDOUT || op->err == -EINTR || op->min > 1;
}

bool lin_step(const struct lin_model *m, struct lin_state *s,
	      unsigned int thread, unsigned int way)
{
	struct lin_op *op = lin_present(m, s, thread);
	struct lin_thread *t = &s->threads[thread];

	switch (t->stage) {
	case LIN_IDLE:
		if (!way)
			return begin(m, s, thread);
		/* killed before it did anything */
		return op->unknown && ends(m, s, thread, 0, 0);
	case LIN_WAITING:
		if (way || !may_leave(m, op))
			return false;
		leave_line(s, thread);
		t->stage = LIN_LEFT;
		return true;
	case LIN_LEFT:
		return left(m, s, thread, way);
	case LIN_AGAIN:
		return !way && try_receive(m, s, thread, false, -ETIMEDOUT);
	case LIN_HOLDS:
		return give_back(m, s, thread, way);
	case LIN_MARKED:
		return !way && drop_marked(m, s, thread);
	}
	return false;
}

void lin_state_write(FILE *f, const struct lin_state *s)
{
	unsigned int i;

	fprintf(f, "%u of %u queued:", s->nready, s->bound);
	for (i = 0; i < s->nready; i++)
		fprintf(f, " m%u", s->ready[i].message);
	fprintf(f, "%s%s; next seq %u", s->sealed ? ", sealed" : "",
		s->dead ? ", deleted" : "", s->next_seq);
	for (i = 0; i < s->nsenders; i++)
		fprintf(f, "%s t%u", i ? "" : "; waiting to send:",
			s->senders[i]);
	for (i = 0; i < s->nreceivers; i++)
		fprintf(f, "%s t%u", i ? "" : "; waiting to receive:",
			s->receivers[i]);
	for (i = 0; i < s->nlingering; i++)
		fprintf(f, "%s t%u", i ? "" : "; waiting for several:",
			s->lingering[i]);
	for (i = 0; i < LIN_THREADS; i++) {
		const struct lin_thread *t = &s->threads[i];

		if (t->stage == LIN_HOLDS)
			fprintf(f, "; t%u holds %u", i, t->nheld);
	}
	fputc('\n', f);
}
