// SPDX-License-Identifier: GPL-2.0-only
#include "model.h"

void model_init(struct model *m, const struct kmq_queue_config *cfg)
{
	memset(m, 0, sizeof(*m));
	m->cfg = *cfg;
	m->next_seq = 1;
}

u64 model_bytes(const struct model *m)
{
	u64 sum = 0;
	u32 i;

	for (i = 0; i < m->count; i++)
		sum += m->msg[i].size;
	return sum;
}

/* Each run counts once, at its first message. */
u64 model_memory(const struct model *m)
{
	u64 sum = 0;
	u32 i, k;

	for (i = 0; i < m->count; i++) {
		for (k = 0; k < i && m->msg[k].run != m->msg[i].run; k++)
			;
		if (k == i)
			sum += m->msg[i].run->memory;
	}
	return sum;
}

static bool model_fits(const struct model *m, u64 n, u64 bytes)
{
	return m->count + n <= m->cfg.max_messages &&
		model_bytes(m) + bytes <= m->cfg.max_bytes;
}

static bool model_memory_fits(const struct model *m, u64 memory)
{
	return !m->count || model_memory(m) + memory <=
		2 * m->cfg.max_bytes + 2 * 16384;
}

u32 model_waiting(const struct model *m, bool sends)
{
	u32 i, n = 0;

	for (i = 0; i < MODEL_CALLS; i++)
		n += m->call[i].state == CALL_WAITS && m->call[i].sends == sends;
	return n;
}

bool model_full(const struct model *m)
{
	u32 most = kmq_record_size(0, m->cfg.max_message_size);

	return model_waiting(m, true) || !model_fits(m, 1, most) ||
		!model_memory_fits(m, most + 2 * 16384);
}

static bool leaves_before(const struct model_msg *a, const struct model_msg *b)
{
	if (a->priority != b->priority)
		return a->priority > b->priority;
	return a->seq < b->seq;
}

struct model_msg *model_first(struct model *m)
{
	struct model_msg *best = NULL;
	u32 i;

	for (i = 0; i < m->count; i++)
		if (!best || leaves_before(&m->msg[i], best))
			best = &m->msg[i];
	return best;
}

/* The oldest of the lowest priority. */
static struct model_msg *model_least(struct model *m)
{
	struct model_msg *least = NULL;
	u32 i;

	for (i = 0; i < m->count; i++)
		if (!least || m->msg[i].priority < least->priority ||
		    (m->msg[i].priority == least->priority &&
		     m->msg[i].seq < least->seq))
			least = &m->msg[i];
	return least;
}

static struct model_msg model_take_out(struct model *m, struct model_msg *msg)
{
	struct model_msg out = *msg;

	*msg = m->msg[--m->count];
	out.run->queued--;
	return out;
}

static void model_put_in(struct model *m, const struct model_msg *msg)
{
	assert_true(m->count < MODEL_MESSAGES);
	m->msg[m->count++] = *msg;
	msg->run->queued++;
}

static void model_drop(struct model *m, const struct model_msg *msg)
{
	assert_true(m->ndropped < MODEL_MESSAGES);
	m->dropped[m->ndropped++] = msg->id;
}

/* The call that waits and is first in its line, NULL: none. */
static struct model_call *model_next_call(struct model *m, bool sends)
{
	struct model_call *best = NULL;
	u32 i;

	for (i = 0; i < MODEL_CALLS; i++) {
		struct model_call *c = &m->call[i];

		if (c->state != CALL_WAITS || c->sends != sends)
			continue;
		/* receivers with a watermark stand behind, lower ones first */
		if (!best || (!sends && max(c->min, 1u) < max(best->min, 1u)) ||
		    ((sends || max(c->min, 1u) == max(best->min, 1u)) &&
		     c->since < best->since))
			best = c;
	}
	return best;
}

static void model_done(struct model_call *c, int result)
{
	c->state = CALL_DONE;
	c->result = result;
}

static u64 left_bytes(const struct model_call *c)
{
	u64 sum = 0;
	u32 i;

	for (i = c->next; i < c->n; i++)
		sum += c->msg[i].size;
	return sum;
}

static bool model_hopeless(const struct model *m, const struct model_call *c)
{
	if (c->msg[c->next].size > m->cfg.max_bytes)
		return true;
	return c->atomic && (c->n - c->next > m->cfg.max_messages ||
			     left_bytes(c) > m->cfg.max_bytes);
}

static void model_number(struct model *m, struct model_call *c)
{
	struct model_msg *msg = &c->msg[c->next++];

	msg->seq = m->next_seq++;
	m->st.sent++;
	m->st.sent_bytes += msg->size;
	m->port_sent[c->client]++;
}

/* Whether the first of the batch went, into the queue or by the board. */
static bool model_admit_one(struct model *m, struct model_call *c)
{
	struct model_msg *msg = &c->msg[c->next];

	if (msg->size > m->cfg.max_bytes)
		return false;
	while (!c->atomic && (!model_fits(m, 1, msg->size) ||
			      !(msg->run->queued ||
				model_memory_fits(m, msg->run->memory)))) {
		struct model_msg victim;

		if (m->cfg.overflow != KMQ_OVERFLOW_DROP_HEAD)
			return false;
		m->st.dropped_full++;
		if (model_least(m)->priority > msg->priority) {
			model_number(m, c);
			model_drop(m, msg);
			return true;
		}
		victim = model_take_out(m, model_least(m));
		model_drop(m, &victim);
	}
	model_number(m, c);
	model_put_in(m, msg);
	return true;
}

static bool model_admit(struct model *m, struct model_call *c)
{
	u64 memory = 0;
	u32 i;

	if (c->atomic) {
		for (i = 0; i < c->n; i++)
			if (!i || c->msg[i].run != c->msg[i - 1].run)
				memory += c->msg[i].run->memory;
		if (!model_fits(m, c->n, left_bytes(c)) ||
		    !model_memory_fits(m, memory))
			return false;
	}
	while (c->next < c->n)
		if (!model_admit_one(m, c))
			return false;
	return true;
}

/* Take what fits; -EMSGSIZE when the first does not. */
static int model_take(struct model *m, struct model_call *c, u32 limit)
{
	u32 before = c->n;

	limit = min(limit, c->max);
	while (c->n < limit && m->count) {
		struct model_msg *first = model_first(m);
		u32 size = c->plain ? first->body : first->size;

		if (size > c->room) {
			if (c->n > before)
				break;
			c->needed = size;
			return -EMSGSIZE;
		}
		c->room -= size;
		m->st.received++;
		m->st.received_bytes += first->size;
		m->port_received[c->client]++;
		c->msg[c->n++] = model_take_out(m, first);
	}
	return 0;
}

static bool model_worth(const struct model *m, const struct model_call *c)
{
	return m->count >= c->min || m->sealed || model_full(m);
}

static bool model_admit_waiting(struct model *m)
{
	struct model_call *c;
	bool any = false;

	while ((c = model_next_call(m, true)) != NULL) {
		u32 before = c->next;
		bool through;

		/* all or none is not for a queue that drops */
		if (c->atomic && m->cfg.overflow == KMQ_OVERFLOW_DROP_HEAD) {
			model_done(c, -EOPNOTSUPP);
			continue;
		}
		through = model_admit(m, c);
		any |= c->next != before;
		if (!through && !model_hopeless(m, c))
			break;
		model_done(c, through ? 0 : -EMSGSIZE);
	}
	return any;
}

static bool model_serve_waiting(struct model *m)
{
	struct model_call *c;
	bool any = false;

	while (m->count && (c = model_next_call(m, false)) != NULL) {
		u32 share = DIV_ROUND_UP(m->count, model_waiting(m, false));

		if (c->min > 1) {
			if (!model_worth(m, c))
				break;
			share = max(share, c->min);
		}
		model_done(c, model_take(m, c, share));
		any |= c->n;
	}
	return any;
}

/* client, what: whose calls of which direction; MAX_CLIENTS: everybody's. */
void model_end_calls(struct model *m, u32 client, u32 what, int result)
{
	u32 i;

	for (i = 0; i < MODEL_CALLS; i++) {
		struct model_call *c = &m->call[i];

		if (c->state == CALL_WAITS &&
		    (client == MAX_CLIENTS || c->client == client) &&
		    (what & (c->sends ? KMQ_OPEN_SEND : KMQ_OPEN_RECV)))
			model_done(c, result);
	}
}

void model_balance(struct model *m)
{
	bool progress;

	if (m->dead) {
		model_end_calls(m, MAX_CLIENTS, KMQ_OPEN_SEND | KMQ_OPEN_RECV,
				-EIDRM);
		return;
	}
	if (m->sealed)
		model_end_calls(m, MAX_CLIENTS, KMQ_OPEN_SEND, -EPIPE);
	do {
		progress = model_admit_waiting(m);
		progress |= model_serve_waiting(m);
	} while (progress);
	if (m->sealed && !m->count)
		model_end_calls(m, MAX_CLIENTS, KMQ_OPEN_RECV, 0);
}

static void model_wait(struct model *m, struct model_call *c)
{
	c->state = CALL_WAITS;
	c->since = ++m->clock;
}

void model_send(struct model *m, struct model_call *c, bool wait)
{
	if (m->dead) {
		model_done(c, -EIDRM);
	} else if (m->shut[c->client] & KMQ_OPEN_SEND) {
		model_done(c, -ECANCELED);
	} else if (m->sealed) {
		model_done(c, -EPIPE);
	} else if (model_hopeless(m, c)) {
		model_done(c, -EMSGSIZE);
	} else if (c->atomic && m->cfg.overflow == KMQ_OVERFLOW_DROP_HEAD) {
		model_done(c, -EOPNOTSUPP);
	} else if (!model_waiting(m, true) && model_admit(m, c)) {
		model_done(c, 0);
	} else if (model_hopeless(m, c)) {
		model_done(c, -EMSGSIZE);
	} else if (wait && m->cfg.overflow == KMQ_OVERFLOW_BLOCK) {
		m->st.blocked++;
		model_wait(m, c);
	} else {
		m->st.refused_full++;
		model_done(c, -EAGAIN);
	}
	model_balance(m);
}

void model_receive(struct model *m, struct model_call *c, bool wait)
{
	if (m->dead)
		model_done(c, -EIDRM);
	else if (m->shut[c->client] & KMQ_OPEN_RECV)
		model_done(c, -ECANCELED);
	else if (m->count && (!wait || model_worth(m, c)))
		model_done(c, model_take(m, c, ~0u));
	else if (!m->count && m->sealed)
		model_done(c, 0);
	else if (wait)
		model_wait(m, c);
	else
		model_done(c, -EAGAIN);
	model_balance(m);
}

void model_putback(struct model *m, struct model_call *c)
{
	u32 i;

	for (i = 0; i < c->n; i++) {
		m->st.received--;
		m->st.received_bytes -= c->msg[i].size;
		m->port_received[c->client]--;
		if (m->dead) {
			model_drop(m, &c->msg[i]);
			m->st.dropped_purged++;
		} else {
			model_put_in(m, &c->msg[i]);
		}
	}
	c->n = 0;
	model_balance(m);
}

u32 model_purge(struct model *m, u64 upto)
{
	u32 i = 0, n = 0;

	while (i < m->count) {
		struct model_msg out;

		if (m->msg[i].seq > upto) {
			i++;
			continue;
		}
		out = model_take_out(m, &m->msg[i]);
		model_drop(m, &out);
		m->st.dropped_purged++;
		n++;
	}
	model_balance(m);
	return n;
}

unsigned int model_poll(const struct model *m, u32 client)
{
	unsigned int bits = 0;

	if (m->count)
		bits |= KMQ_POLL_READ;
	if (m->cfg.overflow == KMQ_OVERFLOW_DROP_HEAD || !model_full(m))
		bits |= KMQ_POLL_WRITE;
	if (m->sealed)
		bits |= KMQ_POLL_SEALED | (m->count ? 0 : KMQ_POLL_EOF);
	if (m->dead)
		bits |= KMQ_POLL_DEAD;
	if (m->shut[client] & KMQ_OPEN_SEND)
		bits |= KMQ_POLL_SHUT_SEND;
	if (m->shut[client] & KMQ_OPEN_RECV)
		bits |= KMQ_POLL_SHUT_RECV;
	return bits;
}
