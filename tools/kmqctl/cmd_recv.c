// SPDX-License-Identifier: GPL-2.0-only
/* kmqctl recv: one message, some, all, or all there will be. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "recv.h"

#define BUFFER_SIZE 65536

enum {
	OPT_ALL = LONG_ONLY,
	OPT_FOLLOW,
	OPT_EXEC,
	OPT_PRINT,
	OPT_RAW,
	OPT_BATCH,
};

static const struct option_def options[] = {
	{ 'n', "max-messages", "N", "take N messages (1)" },
	{ OPT_ALL, "all", NULL, "take what is there now" },
	{ OPT_FOLLOW, "follow", NULL, "until sealed and drained, or Ctrl-C" },
	{ 't', "timeout", "TIME", "when nothing comes for TIME, exit with 5" },
	{ OPT_EXEC, "exec", "COMMAND",
	  "run it for each message, the body on its input" },
	{ OPT_PRINT, "print", "FIELDS", "what to print of a message (body)" },
	{ OPT_RAW, "raw", NULL, "the bytes as they are, no line end" },
	{ OPT_BATCH, "batch", "N",
	  "take up to N at a time; lost if output fails" },
	{ 0, NULL, NULL, NULL }
};

struct source {
	const char *name;
	int fd;			/* -1: at its end */
	uint64_t left;		/* may still be taken from it */
};

struct receiver {
	struct source *src;
	size_t n, live, turn;
	struct pollfd *pfd;	/* the sources, output, signals */
	struct kmq_buf *buf;
	struct text out;
	struct print_plan plan;
	const char *exec;
	bool all, follow;
	uint64_t left;		/* may still be taken altogether */
	unsigned int batch;
	int timeout;
	struct progress progress;
};

/* A signal ends the wait, not the message at hand: see on_signal(). */
static int signal_pipe[2];
static volatile sig_atomic_t signalled;

static void on_signal(int sig)
{
	int saved = errno;
	ssize_t n;

	signalled = sig;
	n = write(signal_pipe[1], "", 1);
	(void)n;
	errno = saved;
}

static void catch_signals(void)
{
	static const int sigs[] = { SIGINT, SIGTERM, SIGHUP };
	/* Once: the second one kills, should the output be stuck. */
	struct sigaction sa = { .sa_handler = on_signal,
				.sa_flags = (int)SA_RESETHAND };
	size_t i;

	if (pipe2(signal_pipe, O_CLOEXEC | O_NONBLOCK) < 0) {
		complain("cannot make a pipe: %m");
		exit(RC_ERROR);
	}
	for (i = 0; i < ARRAY_SIZE(sigs); i++) {
		struct sigaction old;

		sigaction(sigs[i], NULL, &old);
		if (old.sa_handler != SIG_IGN)
			sigaction(sigs[i], &sa, NULL);
	}
	/* Output that nobody reads is an error we report ourselves. */
	signal(SIGPIPE, SIG_IGN);
}

/* End as the signal would have ended us. */
static void __attribute__((noreturn)) die_of(int sig)
{
	signal(sig, SIG_DFL);
	raise(sig);
	_exit(128 + sig);
}

static int output_failed(struct receiver *r, const char *name, int err,
			 int n, uint64_t first)
{
	progress_hide(&r->progress);
	complain("cannot write to standard output: %s; %d %s taken from %s, from number %llu on, may be lost",
		 strerror(-err), n, plural((uint64_t)n, "message", "messages"),
		 name, (unsigned long long)first);
	return RC_ERROR;
}

/* Hand on what is in the buffer. */
static int deliver(struct receiver *r, const struct source *s, int n)
{
	uint64_t first = 0, bytes = 0;
	struct kmq_msg msg;
	int err, rc;

	while (kmq_buf_get(r->buf, &msg) > 0) {
		first = first ? first : msg.seq;
		bytes += msg.len;
		if (!r->exec) {
			print_message(&r->plan, s->name, &msg, &r->out);
			continue;
		}
		progress_hide(&r->progress);
		rc = exec_message(r->exec, s->name, &msg);
		if (rc && signalled)
			die_of(signalled);
		if (rc)
			return rc;
	}
	err = text_write(&r->out, STDOUT_FILENO);
	if (err)
		return output_failed(r, s->name, err, n, first);
	progress_count(&r->progress, (uint64_t)n, bytes);
	return RC_OK;
}

static void end_source(struct receiver *r, struct source *s)
{
	close(s->fd);
	s->fd = -1;
	r->live--;
}

/* One receive: *got how many, 0 also when another was faster. */
static int take(struct receiver *r, struct source *s, int *got)
{
	uint64_t want = r->batch;
	int n;

	want = want < r->left ? want : r->left;
	want = want < s->left ? want : s->left;
	*got = 0;
	n = kmq_recv_buf(s->fd, r->buf, (unsigned int)want, 0);
	if (n == -EAGAIN || n == -ETIMEDOUT || n == -EINTR) {
		if (r->all && n != -EINTR)
			end_source(r, s);
		return RC_OK;
	}
	if (n == -ENODATA || n == 0) {
		end_source(r, s);
		return RC_OK;
	}
	if (n < 0) {
		progress_hide(&r->progress);
		return fail(s->name, n, 0);
	}
	*got = n;
	r->left -= (uint64_t)n;
	s->left -= (uint64_t)n;
	if (!s->left)
		end_source(r, s);
	return deliver(r, s, n);
}

/* A look at all sources, each in its turn. */
static int sweep(struct receiver *r, bool *any)
{
	size_t i;
	int got, rc;

	*any = false;
	for (i = 0; i < r->n && r->left; i++) {
		size_t at = (r->turn + i) % r->n;
		struct source *s = &r->src[at];

		if (s->fd < 0 || (!r->all && !r->pfd[at].revents))
			continue;
		rc = take(r, s, &got);
		if (rc)
			return rc;
		if (got) {
			*any = true;
			r->turn = at + 1;
			/* Look at the output before taking another one. */
			break;
		}
	}
	return RC_OK;
}

/* Wait for a message, a signal, or the loss of the output. */
static int wait_for_any(struct receiver *r, int ms)
{
	size_t i;
	int n;

	for (i = 0; i < r->n; i++)
		r->pfd[i] = (struct pollfd){ .fd = r->src[i].fd,
					     .events = POLLIN };
	r->pfd[r->n] = (struct pollfd){
		.fd = r->exec ? -1 : STDOUT_FILENO };
	r->pfd[r->n + 1] = (struct pollfd){ .fd = signal_pipe[0],
					    .events = POLLIN };
	do {
		n = poll(r->pfd, r->n + 2, ms);
	} while (n < 0 && errno == EINTR && !signalled);

	if (signalled) {
		progress_end(&r->progress);
		die_of(signalled);
	}
	/* Nothing is taken that could not be written: die like a filter. */
	if (r->pfd[r->n].revents & (POLLERR | POLLHUP | POLLNVAL)) {
		progress_end(&r->progress);
		die_of(SIGPIPE);
	}
	return n;
}

static int ended(struct receiver *r, bool ran_dry)
{
	if (!r->left || r->all)
		return RC_OK;
	if (ran_dry) {
		if (r->timeout)
			inform("no message came for %g s", r->timeout / 1e3);
		else
			inform("no message is there");
		return RC_EMPTY;
	}
	if (r->follow)
		return RC_OK;
	inform("%s: end of stream: sealed, and no message is left",
	       r->src[0].name);
	return RC_EMPTY;
}

static int receive(struct receiver *r)
{
	uint64_t since = now_ms(), waited;
	bool any;
	int rc, ms;

	while (r->live && r->left) {
		ms = r->timeout;
		if (r->all) {
			ms = 0;
		} else if (ms > 0) {
			waited = now_ms() - since;
			ms = waited < (uint64_t)ms ? ms - (int)waited : 0;
		}
		if (wait_for_any(r, ms) == 0 && !r->all)
			return ended(r, true);
		rc = sweep(r, &any);
		if (rc)
			return rc;
		if (any)
			since = now_ms();
	}
	return ended(r, false);
}

static int open_sources(struct receiver *r, char **names)
{
	size_t i;

	r->src = xcalloc(r->n, sizeof(*r->src));
	r->pfd = xcalloc(r->n + 2, sizeof(*r->pfd));
	for (i = 0; i < r->n; i++) {
		struct source *s = &r->src[i];
		struct kmq_stat_args st;
		int err;

		s->name = names[i];
		s->left = UINT64_MAX;
		s->fd = kmq_open(ctl(), names[i], KMQ_OPEN_RECV, NULL);
		if (s->fd < 0)
			return fail(names[i], s->fd, 0);
		r->live++;
		if (!r->all)
			continue;
		/* Producers at work do not make "now" last for ever. */
		err = kmq_fstat(s->fd, &st, NULL);
		if (err)
			return fail(names[i], err, 0);
		s->left = st.ready;
		if (!s->left)
			end_source(r, s);
	}
	return RC_OK;
}

static void check_options(struct receiver *r, bool counted, bool batched,
			  bool printed)
{
	if (r->all && r->follow)
		usage_error("--all (what is there now) and --follow (all that comes) exclude each other");
	if (r->all && r->timeout >= 0)
		usage_error("--all never waits: --timeout has no meaning");
	if (r->exec && (r->plan.raw || opts.json || printed))
		usage_error("with --exec the command prints; --print, --raw and --json have no meaning");
	if (r->exec && batched)
		usage_error("--exec takes one message at a time: --batch has no meaning");
	if (r->plan.raw + opts.json + printed > 1)
		usage_error("--print, --raw and --json exclude each other");
	if (!counted)
		r->left = r->all || r->follow ? UINT64_MAX : 1;
}

static int run_recv(int argc, char **argv)
{
	struct receiver r = { .batch = 1, .timeout = -1 };
	bool counted = false, batched = false, printed = false;
	int c, rc;

	print_plan_fields(&r.plan, "body");
	while ((c = next_option(argc, argv)) >= 0) {
		switch (c) {
		case 'n':
			r.left = parse_number("max-messages", optarg, 1,
					      INT64_MAX);
			counted = true;
			break;
		case OPT_ALL:
			r.all = true;
			break;
		case OPT_FOLLOW:
			r.follow = true;
			break;
		case 't':
			r.timeout = parse_duration("timeout", optarg);
			break;
		case OPT_EXEC:
			r.exec = optarg;
			break;
		case OPT_PRINT:
			print_plan_fields(&r.plan, optarg);
			printed = true;
			break;
		case OPT_RAW:
			r.plan.raw = true;
			break;
		case OPT_BATCH:
			r.batch = (unsigned int)parse_number("batch", optarg, 1,
							     INT32_MAX);
			batched = true;
			break;
		}
	}
	need_name(argc);
	check_options(&r, counted, batched, printed);
	if (!r.exec &&
	    (fcntl(STDOUT_FILENO, F_GETFL) & O_ACCMODE) == O_RDONLY) {
		complain("standard output is not open for writing; nothing was received");
		return RC_ERROR;
	}
	r.plan.json = opts.json;
	r.plan.escape = isatty(STDOUT_FILENO);
	r.n = (size_t)(argc - optind);

	rc = open_sources(&r, argv + optind);
	if (rc)
		return rc;
	r.buf = kmq_buf_new(BUFFER_SIZE);
	if (!r.buf)
		return fail(r.src[0].name, -ENOMEM, 0);
	catch_signals();
	progress_start(&r.progress, "received", !isatty(STDOUT_FILENO));
	rc = receive(&r);
	progress_end(&r.progress);
	kmq_buf_free(r.buf);
	return rc;
}

const struct verb verb_recv = {
	.name = "recv",
	.args = "NAME... [OPTION]...",
	.summary = "receive messages: one, some, or all that come",
	.details = print_fields_help,
	.takes = TAKES_JSON,
	.options = options,
	.run = run_recv,
};
