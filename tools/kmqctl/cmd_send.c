// SPDX-License-Identifier: GPL-2.0-only
/* kmqctl send: arguments, lines or a file become messages. */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kmqctl.h"
#include "send_input.h"

#define BUFFER_SIZE	(256 * 1024)
#define SAY_AFTER_MS	1000

enum {
	OPT_SEND_ON = LONG_ONLY,
	OPT_CREATE,
	OPT_SEAL,
	OPT_NONBLOCK,
	OPT_BATCH,
};

static const struct option_def options[] = {
	{ 'f', "file", "FILE", "send what is in FILE (-: standard input)" },
	{ OPT_SEND_ON, "send-on", "WHEN",
	  "newline: each line is one; eof: all is one" },
	{ 'n', "count", "N", "send each message N times" },
	{ 'P', "priority", "N", "0 (default) to 32767, higher leaves first" },
	{ 'k', "key", "KEY", "key of the message" },
	{ 'H', "header", "NAME=VALUE", "a header; may be repeated" },
	{ OPT_CREATE, "create", NULL, "create the queue if it is not there" },
	{ OPT_SEAL, "seal", NULL, "seal the queue afterwards" },
	{ 't', "timeout", "TIME", "wait so long for room, then exit with 5" },
	{ OPT_NONBLOCK, "nonblock", NULL, "do not wait for room" },
	{ OPT_BATCH, "batch", "N", "messages a system call takes at most" },
	{ 0, NULL, NULL, NULL }
};

struct sender {
	const char *name;
	int fd;
	struct kmq_buf *buf;
	struct kmq_msg msg;	/* what all messages have in common */
	size_t max_size;
	uint64_t count;
	size_t batch;		/* 0: as many as fit */
	int timeout;
	uint64_t pending;	/* bytes of bodies in the buffer */
	struct progress progress;
	char headers[KMQ_ATTR_MAX];
};

struct request {
	unsigned int open_flags;
	const char *file;
	int on_eof;		/* -1: as the source suggests */
	bool seal;
};

static void say_waiting(struct sender *s)
{
	struct kmq_stat_args st;

	progress_hide(&s->progress);
	if (kmq_fstat(s->fd, &st, NULL))
		return;
	inform("%s is full (%llu %s, %u %s), waiting", s->name,
	       (unsigned long long)st.ready,
	       plural(st.ready, "message", "messages"), st.receivers,
	       plural(st.receivers, "consumer", "consumers"));
}

static int send_failed(struct sender *s, int err)
{
	uint64_t n = s->progress.messages;
	int rc;

	progress_hide(&s->progress);
	rc = fail(s->name, err, 0);
	if (n)
		complain("%llu %s sent before that", (unsigned long long)n,
			 plural(n, "message was", "messages were"));
	return rc;
}

static uint64_t left_to_wait(const struct sender *s, uint64_t waited)
{
	if (s->timeout < 0)
		return UINT64_MAX;
	return waited < (uint64_t)s->timeout ? (uint64_t)s->timeout - waited :
	       0;
}

/* How long the next call may wait: at first only until it is time to speak. */
static int patience(const struct sender *s, uint64_t waited, bool said)
{
	uint64_t left = left_to_wait(s, waited);

	if (!said && left > SAY_AFTER_MS)
		return SAY_AFTER_MS;
	return left > INT32_MAX ? -1 : (int)left;
}

static void sent_some(struct sender *s, uint64_t n)
{
	bool all = !kmq_buf_count(s->buf);

	progress_count(&s->progress, n, all ? s->pending : 0);
	if (all)
		s->pending = 0;
}

/* Send what is in the buffer: RC_OK or the exit code, said already. */
static int flush(struct sender *s)
{
	uint64_t start = now_ms();
	bool said = false;
	int n;

	while (kmq_buf_count(s->buf)) {
		n = kmq_send_buf(s->fd, s->buf, 0,
				 patience(s, now_ms() - start, said));
		if (n > 0) {
			if (said)
				inform("%s has room again after %.1f s, going on",
				       s->name,
				       (double)(now_ms() - start) / 1e3);
			said = false;
			start = now_ms();
			sent_some(s, (uint64_t)n);
		} else if (n == -ETIMEDOUT && !said &&
			   left_to_wait(s, now_ms() - start)) {
			say_waiting(s);
			said = true;
		} else if (n != -EINTR) {
			return send_failed(s, n);
		}
	}
	return RC_OK;
}

static int add(struct sender *s, const void *body, size_t len)
{
	uint64_t i;
	int err, rc;

	s->msg.body = body;
	s->msg.len = len;
	for (i = 0; i < s->count; i++) {
		err = kmq_buf_add(s->buf, &s->msg);
		if (err == -ENOBUFS) {
			rc = flush(s);
			if (rc)
				return rc;
			err = kmq_buf_add(s->buf, &s->msg);
		}
		if (err < 0)
			return send_failed(s, err);
		s->pending += len;
		if (s->batch && kmq_buf_count(s->buf) >= s->batch) {
			rc = flush(s);
			if (rc)
				return rc;
		}
	}
	return RC_OK;
}

static int too_long(struct sender *s, const char *what)
{
	int rc = flush(s);

	if (rc)
		return rc;
	complain("%s is longer than the %zu bytes %s takes in one message; it and what follows was not sent",
		 what, s->max_size, s->name);
	return RC_ERROR;
}

static int send_arguments(struct sender *s, char **bodies)
{
	char what[32];
	int i, rc;

	for (i = 0; bodies[i]; i++) {
		size_t len = strlen(bodies[i]);

		snprintf(what, sizeof(what), "message %d", i + 1);
		rc = len > s->max_size ? too_long(s, what) :
		     add(s, bodies[i], len);
		if (rc)
			return rc;
	}
	return flush(s);
}

static int send_lines(struct sender *s, struct input *in)
{
	const char *line;
	char what[300];
	size_t len;
	int got, rc;

	for (;;) {
		while ((got = input_line(in, &line, &len)) > 0) {
			rc = add(s, line, len);
			if (rc)
				return rc;
		}
		if (got < 0) {
			snprintf(what, sizeof(what), "line %llu of %.200s",
				 (unsigned long long)in->line, in->name);
			return too_long(s, what);
		}
		if (in->eof)
			return flush(s);
		/* Whoever types, or logs, is not kept waiting. */
		if (!input_ready(in)) {
			rc = flush(s);
			if (rc)
				return rc;
		}
		got = input_fill(in);
		if (got < 0) {
			complain("cannot read %s: %s", in->name,
				 strerror(-got));
			return RC_ERROR;
		}
	}
}

static int send_whole(struct sender *s, struct input *in)
{
	const char *piece;
	size_t len;
	int err, rc;

	err = input_all(in, &piece, &len);
	if (err == -EMSGSIZE)
		return too_long(s, in->name);
	if (err) {
		complain("cannot read %s: %s", in->name, strerror(-err));
		return RC_ERROR;
	}
	rc = add(s, piece, len);
	return rc ? rc : flush(s);
}

static int send_stream(struct sender *s, const struct request *rq)
{
	struct input in = { .fd = STDIN_FILENO, .name = "standard input",
			    .max = s->max_size };
	bool whole = rq->on_eof < 0 ? rq->file != NULL : rq->on_eof;
	int rc;

	if (rq->file && strcmp(rq->file, "-")) {
		in.name = rq->file;
		in.fd = open(rq->file, O_RDONLY | O_CLOEXEC);
		if (in.fd < 0) {
			complain("cannot open %s: %m", rq->file);
			return RC_ERROR;
		}
	}
	if (isatty(in.fd))
		inform("reading messages, %s; end with Ctrl-D",
		       whole ? "all lines are one" : "one a line");
	rc = whole ? send_whole(s, &in) : send_lines(s, &in);
	if (in.fd != STDIN_FILENO)
		close(in.fd);
	free(in.buf);
	return rc;
}

static void add_header(struct sender *s, const char *text)
{
	const char *eq = strchr(text, '=');
	char name[256];

	if (!eq || eq == text || (size_t)(eq - text) >= sizeof(name))
		usage_error("--header: \"%s\" is not NAME=VALUE with a name of 1 to 255 bytes",
			    text);
	snprintf(name, sizeof(name), "%.*s", (int)(eq - text), text);
	if (kmq_header_add(s->headers, &s->msg.headers_len,
			   sizeof(s->headers), name, eq + 1, strlen(eq + 1)))
		usage_error("--header: \"%s\" and those before it exceed the %u bytes of one message's attributes",
			    name, KMQ_ATTR_MAX);
	s->msg.headers = s->headers;
}

static void option(struct sender *s, struct request *rq, int c)
{
	switch (c) {
	case 'f':
		rq->file = optarg;
		break;
	case OPT_SEND_ON:
		if (strcmp(optarg, "newline") && strcmp(optarg, "eof"))
			usage_error("--send-on: \"%s\" is none of newline, eof",
				    optarg);
		rq->on_eof = !strcmp(optarg, "eof");
		break;
	case 'n':
		s->count = parse_number("count", optarg, 1, INT64_MAX);
		break;
	case 'P':
		s->msg.priority = (uint16_t)parse_number("priority", optarg, 0,
							 KMQ_PRIORITY_MAX);
		break;
	case 'k':
		s->msg.key = optarg;
		s->msg.key_len = strlen(optarg);
		if (!s->msg.key_len || s->msg.key_len > KMQ_KEY_MAX)
			usage_error("--key: 1 to %d bytes", KMQ_KEY_MAX);
		break;
	case 'H':
		add_header(s, optarg);
		break;
	case OPT_CREATE:
		rq->open_flags |= KMQ_OPEN_CREATE;
		break;
	case OPT_SEAL:
		rq->seal = true;
		break;
	case 't':
		s->timeout = parse_duration("timeout", optarg);
		break;
	case OPT_NONBLOCK:
		s->timeout = 0;
		break;
	case OPT_BATCH:
		s->batch = parse_number("batch", optarg, 1, INT32_MAX);
		break;
	}
}

static int run_send(int argc, char **argv)
{
	struct sender *s = xcalloc(1, sizeof(*s));
	struct request rq = { .open_flags = KMQ_OPEN_SEND, .on_eof = -1 };
	struct kmq_attrs at = { .size = sizeof(at) };
	char **bodies;
	int c, err, rc;

	s->count = 1;
	s->timeout = -1;
	while ((c = next_option(argc, argv)) >= 0)
		option(s, &rq, c);
	need_name(argc);
	s->name = argv[optind];
	bodies = argv + optind + 1;
	if (*bodies && (rq.file || rq.on_eof >= 0))
		usage_error("--%s and a message as argument exclude each other",
			    rq.file ? "file" : "send-on");

	s->fd = kmq_open(ctl(), s->name, rq.open_flags, NULL);
	if (s->fd < 0)
		return fail(s->name, s->fd, 0);
	err = kmq_fstat(s->fd, NULL, &at);
	if (err)
		return fail(s->name, err, 0);
	s->max_size = at.max_message_size;
	s->buf = kmq_buf_new(BUFFER_SIZE);
	if (!s->buf)
		return fail(s->name, -ENOMEM, 0);

	progress_start(&s->progress, "sent",
		       *bodies || rq.file || !isatty(STDIN_FILENO));
	rc = *bodies ? send_arguments(s, bodies) : send_stream(s, &rq);
	progress_end(&s->progress);
	if (!rc && rq.seal) {
		err = kmq_seal(ctl(), s->name);
		if (err)
			rc = fail(s->name, err, 0);
	}
	kmq_buf_free(s->buf);
	close(s->fd);
	free(s);
	return rc;
}

const struct verb verb_send = {
	.name = "send",
	.args = "NAME [OPTION]... [MESSAGE]...",
	.summary = "send messages: arguments, lines of input, a file",
	.details =
"Each MESSAGE is one message; without any, each line of standard input is.\n"
"While the queue is full it waits, and says so after a second.",
	.options = options,
	.run = run_send,
};
