// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <time.h>

#include <linux/slab.h>

#include "fixture.h"

struct world world;
struct client *a, *b, *c;

/* A queue and three handles to it; a test ends with close_queue(). */
void open_queue(u64 messages, u64 bytes, u32 overflow)
{
	world_open(&world, messages, bytes, overflow);
	a = client_open(&world);
	b = client_open(&world);
	c = client_open(&world);
}

int close_queue(void **state)
{
	(void)state;
	world_close(&world);
	return 0;
}

static void credit_release(struct kmq_credit *credit)
{
	kfree(credit);
}

static void sender_release(struct kmq_sender *sender)
{
	kmq_credit_put(sender->credit);
	kfree(sender);
}

/* A queue with generous limits. */
void world_open(struct world *w, u64 messages, u64 bytes, u32 overflow)
{
	unsigned int i;

	memset(w, 0, sizeof(*w));
	/* an earlier test that failed may have left something */
	w->live_before = shim_live();
	shim_warnings();
	shim_spinning = 0;
	assert_int_equal(kmq_run_caches_create(), 0);
	for (i = 0; i < KMQ_R_COUNT; i++)
		w->limits[i] = 1ul << 40;
	kmq_account_init(&w->user, w->limits);
	kmq_account_init(&w->domain, w->limits);
	kmq_account_init(&w->module, w->limits);
	w->payer.user = &w->user;
	w->payer.domain = &w->domain;
	w->payer.module = &w->module;
	w->cfg.max_messages = messages;
	w->cfg.max_bytes = bytes;
	w->cfg.max_message_size = 64;
	w->cfg.overflow = overflow;
	kmq_queue_init(&w->q, &w->cfg, &w->payer);
}

static void expect_nothing_used(struct kmq_account *account)
{
	unsigned int i;

	for (i = 0; i < KMQ_R_COUNT; i++)
		assert_int_equal(atomic_long_read(&account->used[i]), 0);
}

/* Delete the queue and all handles: nothing charged, allocated or warned of. */
void world_close(struct world *w)
{
	u32 i;

	shim_fail_nth(0);
	/* a test that failed left waiters on its stack: touch nothing */
	assert_int_equal(w->q.nsenders + w->q.nreceivers, 0);
	kill_queue(w, false);
	purge(w, U64_MAX);
	assert_int_equal(w->q.count, 0);
	assert_int_equal(w->q.bytes, 0);
	assert_int_equal(w->q.memory, 0);
	for (i = 0; i < w->nclients; i++)
		if (w->clients[i])
			client_close(w->clients[i]);
	kmq_queue_destroy(&w->q);
	expect_nothing_used(&w->user);
	expect_nothing_used(&w->domain);
	expect_nothing_used(&w->module);
	kmq_run_caches_destroy();
	assert_int_equal(shim_live(), w->live_before);
	assert_int_equal(shim_warnings(), 0);
}

void world_forget(struct world *w)
{
	memset(&w->seen, 0, sizeof(w->seen));
}

/* A handle: closed by world_close() at the latest. */
struct client *client_open(struct world *w)
{
	struct client *c = calloc(1, sizeof(*c));

	assert_non_null(c);
	assert_true(w->nclients < MAX_CLIENTS);
	c->world = w;
	c->ids = &w->last_id;
	c->credit = kzalloc(sizeof(*c->credit), GFP_KERNEL_ACCOUNT);
	c->sender = kzalloc(sizeof(*c->sender), GFP_KERNEL_ACCOUNT);
	assert_non_null(c->credit);
	assert_non_null(c->sender);
	kmq_credit_init(c->credit, &w->payer, credit_release);
	refcount_set(&c->sender->refs, 1);
	refcount_inc(&c->credit->refs);
	c->sender->credit = c->credit;
	c->sender->release = sender_release;
	kmq_port_init(&c->port);
	w->clients[w->nclients++] = c;
	return c;
}

void client_close(struct client *c)
{
	u32 i;

	for (i = 0; i < c->world->nclients; i++)
		if (c->world->clients[i] == c)
			c->world->clients[i] = NULL;
	kmq_sender_put(c->sender);
	kmq_credit_close(c->credit);
	free(c);
}

/* Write a record whose body follows from its number; returns its bytes. */
u32 record_put(void *at, u64 id, u16 priority, u32 body_len)
{
	struct kmq_record *rec = at;

	memset(rec, 0, sizeof(*rec));
	rec->size = kmq_record_size(0, body_len);
	rec->body_len = body_len;
	rec->priority = priority;
	rec->cookie = id;
	memset(rec + 1, (int)(id * 37 & 0xff), body_len);
	return rec->size;
}

u64 node_id(struct kmq_node *node)
{
	return kmq_run_record(kmq_node_run(node), node)->cookie;
}

/* Is every byte of the body the one that record_put() wrote? */
bool body_intact(struct kmq_node *node)
{
	struct kmq_run *run = kmq_node_run(node);
	struct kmq_record *rec = kmq_run_record(run, node);
	u32 off = node->off + sizeof(*rec);
	u32 left = rec->body_len;
	u8 want = rec->cookie * 37;

	if (rec->size != node->size || rec->priority != node->priority)
		return false;
	while (left) {
		u32 i, len = left;
		u8 *bytes = kmq_run_segment(run, off, &len);

		for (i = 0; i < len; i++)
			if (bytes[i] != want)
				return false;
		off += len;
		left -= len;
	}
	return true;
}

static struct kmq_run *run_make_large(u64 id, const struct spec *spec)
{
	u32 at, len, size = kmq_record_size(0, spec->body);
	struct kmq_data first;
	struct kmq_run *run;
	u8 *whole;

	if (kmq_data_alloc(&first, KMQ_CHUNK_BYTES))
		return NULL;
	run = kmq_run_large(&first, size);
	if (!run) {
		kmq_data_free(&first);
		return NULL;
	}
	assert_null(first.ptr);
	whole = calloc(1, size);
	assert_non_null(whole);
	record_put(whole, id, spec->priority, spec->body);
	for (at = 0; at < size; at += len) {
		void *to;

		len = size - at;
		to = kmq_run_segment(run, at, &len);
		memcpy(to, whole + at, len);
	}
	free(whole);
	kmq_run_single_ready(run, id);
	return run;
}

/* A run that nobody has paid for yet, or NULL when out of memory. */
static struct kmq_run *run_make_uncharged(struct client *c,
					  const struct spec *spec, u32 n)
{
	struct kmq_scan scan = { 0 };
	u32 i, at = 0, size = 0;
	struct kmq_data data;
	struct kmq_run *run;

	for (i = 0; i < n; i++)
		size += kmq_record_size(0, spec[i].body);

	if (size > KMQ_CHUNK_BYTES) {
		assert_int_equal(n, 1);
		return run_make_large(++*c->ids, spec);
	}
	if (n == 1) {
		run = kmq_run_single(size);
		if (!run)
			return NULL;
		memset(run->data, 0, size);
		record_put(run->data, ++*c->ids, spec->priority,
			   spec->body);
		kmq_run_single_ready(run, *c->ids);
		return run;
	}

	if (kmq_data_alloc(&data, size))
		return NULL;
	for (i = 0; i < n; i++)
		at += record_put(data.ptr + at, ++*c->ids,
				 spec[i].priority, spec[i].body);
	assert_int_equal(kmq_records_scan(data.ptr, size, KMQ_MESSAGE_MAX,
					  &scan), 0);
	assert_int_equal(scan.count, n);
	assert_int_equal(scan.bytes, size);
	run = kmq_run_batch(&data, &scan, *c->ids);
	if (!run)
		kmq_data_free(&data);
	return run;
}

/*
 * As the edge does it: one message as a single or large run, several as a
 * batch; charged and reserved. NULL with errno when a step failed.
 */
struct kmq_run *run_make(struct client *c, const struct spec *spec, u32 n)
{
	struct kmq_run *run = run_make_uncharged(c, spec, n);
	int err;

	if (!run) {
		errno = ENOMEM;
		return NULL;
	}
	refcount_inc(&c->sender->refs);
	err = kmq_run_charge(run, c->sender);
	if (err)
		kmq_sender_put(c->sender);
	else
		err = kmq_queue_reserve(&c->world->q, run);
	if (err) {
		kmq_run_free(run);
		errno = -err;
		return NULL;
	}
	return run;
}

int batch_add(struct client *c, struct kmq_send *s, const struct spec *spec,
	      u32 n)
{
	struct kmq_run *run = run_make(c, spec, n);

	if (!run)
		return -errno;
	kmq_send_add(s, run);
	return 0;
}

/* A batch of @n equal messages, in runs of as many as a chunk holds. */
void batch_make(struct client *c, struct kmq_send *s, u16 priority, u32 body,
		u32 n)
{
	u32 most = KMQ_CHUNK_BYTES / record_bytes(body);
	struct spec spec[KMQ_CHUNK_RECORDS];
	u32 i;

	for (i = 0; i < KMQ_CHUNK_RECORDS; i++) {
		spec[i].priority = priority;
		spec[i].body = body;
	}
	kmq_send_init(s, &c->port);
	while (n) {
		u32 some = most ? min(n, most) : 1;

		assert_int_equal(batch_add(c, s, spec, some), 0);
		n -= some;
	}
}

/* The next waiter to be woken, out of the effects; NULL: none is left. */
struct kmq_waiter *next_claimed(struct kmq_effects *fx)
{
	struct kmq_waiter *waiter = fx->wake;

	if (waiter) {
		fx->wake = waiter->next;
		if (!fx->wake)
			fx->wake_tail = &fx->wake;
	}
	return waiter;
}

static void wake(struct world *w, struct kmq_waiter *waiter)
{
	assert_int_equal(waiter->state, KMQ_CLAIMED);
	smp_store_release(&waiter->state, KMQ_DONE);
	w->seen.nwoken++;
}

/* The edge's work after one hold of the lock. */
void finish_once(struct world *w, struct kmq_effects *fx)
{
	struct kmq_waiter *waiter;
	struct kmq_node *node;

	bool busy = !list_empty(&fx->dropped) || fx->hangup || fx->again ||
		fx->ndropped;

	while ((waiter = next_claimed(fx)) != NULL) {
		wake(w, waiter);
		busy = true;
	}
	/* who looks at @slow only misses nothing */
	if (busy)
		assert_true(fx->slow);
	list_for_each_entry(node, &fx->dropped, link)
		if (w->seen.ndropped < MAX_IDS)
			w->seen.dropped[w->seen.ndropped++] = node_id(node);
	if (!list_empty(&fx->dropped))
		kmq_nodes_free(&fx->dropped);
	w->seen.readable += min(fx->readable, 1u << 20);
	w->seen.writable += min(fx->writable, 1u << 20);
	w->seen.lost += fx->ndropped;
	w->seen.hangup |= fx->hangup;
	w->seen.again |= fx->again;
	assert_true(fx->budget <= KMQ_ATOMIC_MAX);
}

/* As kmq_finish(): until the queue is in balance. */
void finish(struct world *w, struct kmq_effects *fx)
{
	bool again = fx->again;
	int rounds = 0;

	finish_once(w, fx);
	while (again) {
		struct kmq_effects more;

		kmq_effects_init(&more);
		kmq_queue_balance(&w->q, &more);
		again = more.again;
		finish_once(w, &more);
		assert_true(++rounds < 10000);
	}
}

/* As kmq_submit() without sleeping; what is left over is freed. */
int send_batch(struct client *c, struct kmq_send *s, bool wait)
{
	struct kmq_effects fx;
	bool again;
	int err;

	do {
		kmq_effects_init(&fx);
		err = kmq_queue_send(&c->world->q, s, wait, &fx);
		again = err == -EAGAIN && fx.again;
		finish(c->world, &fx);
	} while (again);
	if (err != -EINPROGRESS)
		kmq_send_free(s);
	return err;
}

/* The short way in; when it is not open, nothing was done. */
bool push(struct client *c, struct kmq_run *run)
{
	struct kmq_pushed pushed;

	if (!kmq_queue_push(&c->world->q, &c->port, run, &pushed))
		return false;
	assert_int_equal(pushed.seq, c->world->q.next_seq - 1);
	if (pushed.woken)
		wake(c->world, pushed.woken);
	return true;
}

int send_some(struct client *c, u16 priority, u32 body, u32 n)
{
	struct kmq_send s;

	batch_make(c, &s, priority, body, n);
	return send_batch(c, &s, false);
}

/* Send @s and wait if need be; the caller frees it when it was DONE. */
int send_wait(struct client *c, struct kmq_send *s, u16 priority, u32 body,
	      u32 n)
{
	batch_make(c, s, priority, body, n);
	return send_batch(c, s, true);
}

int take(struct client *c, struct kmq_take *t, u32 max, bool wait)
{
	struct kmq_effects fx;
	int err;

	kmq_take_init(t, &c->port, KMQ_XFER_MAX, max, false);
	kmq_effects_init(&fx);
	err = kmq_queue_receive(&c->world->q, t, wait, &fx);
	finish(c->world, &fx);
	return err;
}

void putback(struct client *c, struct kmq_take *t)
{
	struct kmq_effects fx;

	kmq_effects_init(&fx);
	kmq_queue_putback(&c->world->q, &c->port, &t->nodes, &fx);
	assert_true(list_empty(&t->nodes));
	t->count = 0;
	finish(c->world, &fx);
}

/* Free what was taken; returns the number of the first message. */
u64 drop_taken(struct kmq_take *t)
{
	struct kmq_node *node = list_first_entry_or_null(&t->nodes,
							 struct kmq_node, link);
	u64 id = node ? node_id(node) : 0;

	if (node)
		kmq_nodes_free(&t->nodes);
	t->count = 0;
	return id;
}

/* Exactly these were taken, in this order, and are whole. Frees them. */
void expect_taken(struct kmq_take *t, const u64 *ids, u32 n)
{
	struct kmq_node *node;
	u32 i = 0;

	list_for_each_entry(node, &t->nodes, link) {
		assert_true(i < n);
		assert_int_equal(node_id(node), ids[i]);
		assert_true(body_intact(node));
		i++;
	}
	assert_int_equal(i, n);
	assert_int_equal(t->count, n);
	drop_taken(t);
}

void expect_range(struct kmq_take *t, u64 first, u32 n)
{
	u64 ids[MAX_IDS];
	u32 i;

	assert_true(n <= MAX_IDS);
	for (i = 0; i < n; i++)
		ids[i] = first + i;
	expect_taken(t, ids, n);
}

/* The number of the next message, 0 when there is none. */
u64 receive_one(struct client *c)
{
	struct kmq_take t;
	int err = take(c, &t, 1, false);

	if (err == -EAGAIN)
		return 0;
	assert_int_equal(err, 0);
	return drop_taken(&t);
}

void alter(struct world *w, u64 messages, u64 bytes, u32 overflow)
{
	struct kmq_effects fx;

	w->cfg.max_messages = messages;
	w->cfg.max_bytes = bytes;
	w->cfg.overflow = overflow;
	kmq_effects_init(&fx);
	kmq_queue_alter(&w->q, &w->cfg, &fx);
	finish(w, &fx);
}

void seal(struct world *w, bool sealed)
{
	struct kmq_effects fx;

	kmq_effects_init(&fx);
	kmq_queue_seal(&w->q, sealed, &fx);
	finish(w, &fx);
}

void shut(struct client *c, u32 what)
{
	struct kmq_effects fx;
	bool more;

	do {
		kmq_effects_init(&fx);
		more = kmq_queue_shutdown(&c->world->q, &c->port, what, &fx);
		finish(c->world, &fx);
	} while (more);
}

int kill_queue(struct world *w, bool if_empty)
{
	struct kmq_effects fx;
	int err;

	kmq_effects_init(&fx);
	err = kmq_queue_kill(&w->q, if_empty, &fx);
	finish(w, &fx);
	return err;
}

u64 purge(struct world *w, u64 upto)
{
	u32 level = KMQ_PRIORITY_MAX;
	struct kmq_effects fx;
	u64 purged = 0;
	bool more;

	do {
		kmq_effects_init(&fx);
		more = kmq_queue_purge(&w->q, upto, &level, &purged, &fx);
		finish(w, &fx);
	} while (more);
	return purged;
}

/* As the edge does when a call gives up: those behind it go on. */
bool cancel(struct world *w, struct kmq_waiter *waiter)
{
	bool left = kmq_queue_cancel(&w->q, waiter);
	struct kmq_effects fx;

	if (left) {
		kmq_effects_init(&fx);
		kmq_queue_balance(&w->q, &fx);
		finish(w, &fx);
	}
	return left;
}

struct kmq_stat_args stat_of(struct world *w)
{
	struct kmq_stat_args st = { 0 };

	kmq_queue_stat(&w->q, &st);
	return st;
}

/* KMQ_UNIT_SEED repeats a run; without it every run differs. */
u64 seed_from_environment(void)
{
	const char *text = getenv("KMQ_UNIT_SEED");
	struct timespec now;
	u64 seed;

	clock_gettime(CLOCK_REALTIME, &now);
	seed = text ? strtoull(text, NULL, 0) :
		(u64)now.tv_sec * 1000003 + now.tv_nsec;
	if (!seed)
		seed = 1;
	print_message("# KMQ_UNIT_SEED=%llu\n", (unsigned long long)seed);
	return seed;
}
