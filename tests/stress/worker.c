// SPDX-License-Identifier: GPL-2.0-only
/* One thread that sends or receives until it is told to stop. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/wait.h>
#include <unistd.h>

#include "worker.h"

#define MAX_CHILDREN	4

static bool nonblocking(const struct worker *w)
{
	return w->role->waits >= POLL && w->role->waits <= EPOLL_EDGE;
}

static void watch_fd(struct worker *w)
{
	struct epoll_event ev = {};

	if (w->role->waits < EPOLL || w->role->waits > EPOLL_EDGE)
		return;
	if (w->poller < 0)
		w->poller = epoll_create1(EPOLL_CLOEXEC);
	ev.events = (w->role->does & RECV ? EPOLLIN : 0) |
		    (w->role->does & SEND ? EPOLLOUT : 0);
	if (w->role->waits == EPOLL_ALONE)
		ev.events |= EPOLLEXCLUSIVE;
	if (w->role->waits == EPOLL_EDGE)
		ev.events |= EPOLLET;
	if (epoll_ctl(w->poller, EPOLL_CTL_ADD, w->fd, &ev))
		bail("epoll_ctl: %s", strerror(errno));
}

static void wait_ready(struct worker *w)
{
	struct epoll_event ev;
	struct pollfd p = {
		.fd = w->fd,
		.events = (w->role->does & RECV ? POLLIN : 0) |
			  (w->role->does & SEND ? POLLOUT : 0),
	};
	int n = 1;

	/* no timeout: a wake-up that is lost is found as a worker that hangs */
	if (w->role->waits == POLL)
		n = poll(&p, 1, -1);
	else if (w->role->waits != EPOLL_EDGE || w->full)
		n = epoll_wait(w->poller, &ev, 1, -1);
	if (n < 0 && errno == EINTR)
		ledger_event(w->l, E_INTR);
	else if (n < 0)
		bail("poll: %s", strerror(errno));
}

void worker_take_fd(struct worker *w, int fd)
{
	if (dup3(fd, w->fd, O_CLOEXEC) < 0)
		bail("dup3: %s", strerror(errno));
	close(fd);
	watch_fd(w);
}

static bool reopen(struct worker *w)
{
	unsigned int flags = w->role->does;
	uint64_t id;
	int fd;

	if (w->role->how == RECORDS)
		flags |= KMQ_OPEN_RECORDS;
	if (nonblocking(w) && w->role->how != XFER)
		flags |= KMQ_OPEN_NONBLOCK;
	w->generation = w->l->generation[w->queue];
	fd = kmq_open_at(ctl(), queue_name(w->queue), flags, NULL, &id);
	if (fd < 0) {
		if (fd == -ENOENT && w->sc->may & MAY_DELETE)
			ledger_event(w->l, E_IDRM);
		else if (fd == -ENOMEM && w->sc->may & MAY_STARVE)
			ledger_event(w->l, E_NOMEM);
		else if ((fd == -EDQUOT || fd == -ENOBUFS) &&
			 w->sc->may & MAY_LIMIT)
			ledger_event(w->l, E_LIMIT);
		else if (fd != -EINTR)
			ledger_fault(w->l, F_ERRNO, "open: %s", strerror(-fd));
		nap_us(500);
		return false;
	}
	w->life = id - w->crew->first_id;
	if (w->opener_uid != geteuid() && w->role->how != XFER)
		w->producer = -1;
	w->opener_uid = geteuid();
	worker_take_fd(w, fd);
	return true;
}

void worker_open(struct worker *w)
{
	while (!reopen(w))
		if (w->l->closing) {
			w->over = true;
			return;
		}
}

/* What an error means for going on; @sending tells which part had it. */
static void judge(struct worker *w, int err, bool sending)
{
	unsigned int may = w->sc->may, flags = w->role->flags;
	bool ok = false;

	switch (err) {
	case EINTR:
		ledger_event(w->l, E_INTR);
		ok = flags & BY_STORM;
		break;
	case EAGAIN:
		ledger_event(w->l, E_AGAIN);
		ok = nonblocking(w) || (sending && may & MAY_FULL);
		if (sending && may & MAY_FULL && !nonblocking(w))
			nap_us(300);
		break;
	case ETIMEDOUT:
		ledger_event(w->l, E_TIMEOUT);
		ok = w->role->waits == DEADLINE || w->role->waits == WATERMARK;
		break;
	case EPIPE:
		ledger_event(w->l, E_PIPE);
		ok = sending && (may & MAY_SEAL || w->l->closing);
		nap_us(500);
		break;
	case EIDRM:
		ledger_event(w->l, E_IDRM);
		ok = may & MAY_DELETE;
		worker_open(w);
		break;
	case ECANCELED:
		ledger_event(w->l, E_CANCELED);
		ok = flags & SHUT;
		worker_open(w);
		break;
	case EBADF:
		ledger_event(w->l, E_BADF);
		ok = flags & CLOSED;
		worker_open(w);
		break;
	case EDQUOT:
	case ENOBUFS:
		ledger_event(w->l, E_LIMIT);
		ok = may & MAY_LIMIT;
		nap_us(500);
		break;
	case ENOMEM:
		ledger_event(w->l, E_NOMEM);
		ok = may & MAY_STARVE;
		nap_us(500);
		break;
	case EFAULT:
		ledger_event(w->l, E_FAULT);
		ok = flags & BAD_BUFFERS;
		break;
	case EMSGSIZE:
		ledger_event(w->l, E_TOO_SMALL);
		ok = sending ? may & MAY_SHRINK : flags & BAD_BUFFERS;
		break;
	}
	if (ok)
		return;
	ledger_fault(w->l, F_ERRNO, "%s: %s (how %d, waits %d)",
		     sending ? "send" : "receive", strerror(err), w->role->how,
		     w->role->waits);
	nap_us(10000);
}

static void end_of_stream(struct worker *w)
{
	if (w->l->closing)
		w->over = true;
	else if (w->sc->may & MAY_SEAL)
		nap_us(500);
	else
		ledger_fault(w->l, F_ERRNO, "end of a stream that goes on");
}

/* Start a new account when the old one is full; false: no more room at all. */
static bool have_producer(struct worker *w)
{
	bool opener = w->role->how != XFER;
	struct producer_log *p;

	if (w->producer >= 0) {
		p = &w->l->producers[w->producer];
		if (p->next + w->role->batch <= LEDGER_MESSAGES)
			return true;
	}
	w->producer = ledger_producer(w->l, w->queue, getpid(),
				      opener ? w->opener_uid : geteuid(),
				      opener, w->role->how == PLAIN);
	if (w->producer >= 0)
		return true;
	nap_us(2000);
	return false;
}

/* Build what is to be sent now: its bytes. */
static size_t build(struct worker *w, unsigned int *n)
{
	struct producer_log *p = &w->l->producers[w->producer];
	uint64_t number = p->next;
	size_t bytes = 0;
	unsigned int i;

	*n = w->role->how == PLAIN ? 1 : 1 + random_below(w->role->batch);
	if (w->role->how == PLAIN)
		bytes = put_body(w->text, w->queue, w->producer, number,
				 w->sc->max_len);
	for (i = 0; i < *n && w->role->how != PLAIN; i++)
		bytes += put_record(w->text + bytes, w->queue, w->producer,
				    number + i, w->sc->max_len,
				    level_of(w->l, w->producer, number + i));
	if (w->role->flags & STALLS)
		stall_again(w->buf, bytes);
	return bytes;
}

static uint64_t some_deadline(struct worker *w, uint64_t *linger)
{
	uint64_t now = now_ns();

	*linger = 0;
	switch (w->role->waits) {
	case BLOCK:
		return KMQ_FOREVER;
	case DEADLINE:
		return now + random_below(3000000);
	case WATERMARK:
		if (random_below(2))
			return now + random_below(20000000);
		*linger = now + random_below(3000000);
		return KMQ_FOREVER;
	default:
		return 0;
	}
}

/* Somewhere that is no memory, or where it ends too early. */
static char *bad_buffer(struct worker *w, size_t len)
{
	size_t good = random_below(w->buf_size < len ? w->buf_size : len) &
		~7u;

	return w->buf + w->buf_size - good;
}

static void send_step(struct worker *w)
{
	struct producer_log *p;
	unsigned int n, sent;
	char *from = w->buf;
	size_t bytes;
	ssize_t ret;

	if (!have_producer(w))
		return;
	p = &w->l->producers[w->producer];
	bytes = build(w, &n);
	if (w->role->flags & BAD_BUFFERS && !random_below(16))
		from = bad_buffer(w, bytes);
	if (from != w->buf)
		memmove(from, w->buf, w->buf + w->buf_size - from);
	p->attempted = p->next + n;
	ret = write(w->fd, from, bytes);
	if (ret > (ssize_t)bytes) {
		ledger_fault(w->l, F_ERRNO, "write of %zu bytes returns %zd",
			     bytes, ret);
		nap_us(10000);
		return;
	}
	if (ret > 0) {
		sent = w->role->how == PLAIN ? 1 :
			count_records(w->text, ret);
		p->next += sent;
		w->full = false;
		if (w->role->how == PLAIN && (size_t)ret != bytes)
			ledger_fault(w->l, F_CONTENT, "%zd of %zu bytes taken",
				     ret, bytes);
		return;
	}
	w->full = ret < 0 && errno == EAGAIN;
	judge(w, ret ? errno : EIO, true);
}

static void log_batch(struct worker *w, const void *buf, size_t bytes,
		      unsigned int n)
{
	_Atomic uint32_t *taking = &w->l->consumers[w->consumer].taking;

	*taking = n;
	w->l->consumers[w->consumer].returned = true;
	if (log_records(w->l, w->queue, w->order, w->life, buf, bytes,
			taking) != (int)n)
		ledger_fault(w->l, F_CONTENT, "malformed records");
}

static void receive_step(struct worker *w)
{
	struct consumer_log *c = &w->l->consumers[w->consumer];
	size_t room = w->buf_size;
	char *to = w->buf;
	ssize_t ret;

	if (w->role->flags & BAD_BUFFERS && !random_below(16)) {
		if (random_below(2))
			room = 8 + random_below(56) / 8 * 8;
		else
			to = bad_buffer(w, room);
	}
	if (w->role->flags & STALLS)
		stall_again(w->buf, w->buf_size);
	c->returned = false;
	c->taking = w->role->how == PLAIN ? 1 :
		w->buf_size / least_record(w->sc->max_len);
	ret = read(w->fd, to, room);
	if (ret > (ssize_t)room) {
		ledger_fault(w->l, F_ERRNO, "read of %zu bytes returns %zd",
			     room, ret);
		nap_us(10000);
		return;
	}
	if (ret > 0 && w->role->how == PLAIN) {
		struct seen seen = {};

		c->returned = true;
		see_body(to, ret, w->queue, &seen);
		ledger_log(w->l, w->queue, w->order, &seen);
	} else if (ret > 0) {
		log_batch(w, to, ret, count_records(to, ret));
	}
	c->taking = 0;
	w->full = ret < 0 && errno == EAGAIN;
	if (!ret)
		end_of_stream(w);
	else if (ret < 0)
		judge(w, errno, false);
}

static void xfer_step(struct worker *w)
{
	struct consumer_log *c = &w->l->consumers[w->consumer];
	struct kmq_xfer_args args = { .send_fd = -1 };
	bool sends = w->role->does & SEND && !w->l->stop;
	bool receives = w->role->does & RECV;
	struct producer_log *p = NULL;
	uint64_t linger;
	unsigned int n;
	bool ended;
	int err;

	sends = sends && have_producer(w);
	if (!sends && !receives)
		return;
	args.deadline = some_deadline(w, &linger);
	args.linger_until = linger;
	if (sends) {
		p = &w->l->producers[w->producer];
		args.send = (uintptr_t)w->buf;
		args.send_len = build(w, &n);
		if (receives)
			args.flags = KMQ_XFER_RECV_ANYWAY;
		p->attempted = p->next + n;
	}
	if (receives) {
		args.recv = (uintptr_t)w->buf;
		args.recv_len = w->buf_size;
		args.max_records = w->role->batch;
		if (w->role->waits == WATERMARK)
			args.min_records = w->role->batch / 2 + 1;
		if (w->role->flags & STALLS && !sends)
			stall_again(w->buf, w->buf_size);
		c->returned = false;
		c->taking = w->role->batch;
	}
	err = -kmq_xfer(w->fd, &args);
	if (sends)
		p->next += args.sent;
	if (receives && args.received)
		log_batch(w, w->buf, args.received_bytes, args.received);
	c->taking = 0;
	w->full = args.send_err == -EAGAIN || args.recv_err == -EAGAIN;
	ended = receives && !err && !args.received && !args.recv_err &&
		!args.send_err;

	if (err && !args.send_err && !args.recv_err) {
		judge(w, err, sends);
		return;
	}
	/* what has done something cannot be restarted: it tells */
	if (args.sent && args.send_err == -EINTR)
		args.send_err = 0;
	if (args.sent && args.recv_err == -EINTR)
		args.recv_err = 0;
	if (args.send_err)
		judge(w, -args.send_err, true);
	if (args.recv_err && args.recv_err != args.send_err)
		judge(w, -args.recv_err, false);
	if (ended)
		end_of_stream(w);
}

/* A child that has the handle too, and uses it for a while. */
static void fork_child(struct worker *w)
{
	uint64_t with;

	while (w->children && waitpid(-1, NULL, WNOHANG) > 0)
		w->children--;
	if (w->children == MAX_CHILDREN)
		return;
	with = (uint64_t)random_below(UINT32_MAX) << 32 | w->thread;
	switch (fork()) {
	case -1:
		return;
	case 0:
		reseed(with);
		w->producer = -1;
		w->consumer = ledger_consumer(w->l, w->queue, getpid());
		w->children = 0;
		w->child_until = now_ns() + 20000000;
		if (w->consumer >= 0)
			worker_loop(w);
		fflush(stdout);
		_exit(0);
	}
	w->children++;
	ledger_event(w->l, E_FORK);
}

static bool done(struct worker *w)
{
	if (w->over || (w->child_until && now_ns() > w->child_until))
		return true;
	if (w->role->does == SEND)
		return w->l->stop;
	return false;
}

void worker_loop(struct worker *w)
{
	const struct role *role = w->role;

	while (!done(w)) {
		if (role->flags & FORKS && !w->child_until &&
		    !w->l->stop && !random_below(64))
			fork_child(w);
		/* the queue of that name is another one now */
		if (w->generation != w->l->generation[w->queue])
			worker_open(w);
		if (role->flags & SLOW)
			nap_us(random_below(4000));
		if (done(w))
			break;
		if (nonblocking(w))
			wait_ready(w);
		if (role->how == XFER)
			xfer_step(w);
		else if (role->does == SEND)
			send_step(w);
		else
			receive_step(w);
	}
	while (w->children && wait(NULL) > 0)
		w->children--;
}
