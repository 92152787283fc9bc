// SPDX-License-Identifier: GPL-2.0-only
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "history.h"

#define LINE 2048
/* between words */
#define SPACES "\n "

const char *const lin_kind_names[LIN_NR_KINDS] = {
	[LIN_SEND] = "send",
	[LIN_RECV] = "recv",
	[LIN_STAT] = "stat",
	[LIN_PURGE] = "purge",
	[LIN_SEAL] = "seal",
	[LIN_UNSEAL] = "unseal",
	[LIN_ALTER] = "alter",
	[LIN_DELETE] = "delete",
};

static const char *const overflow_names[] = { "block", "reject", "drop" };

static const struct {
	int err;
	const char *name;
} errors[] = {
	{ 0, "OK" },
	{ LIN_HIDDEN, "?" },
	{ -EAGAIN, "EAGAIN" },
	{ -ETIMEDOUT, "ETIMEDOUT" },
	{ -EINTR, "EINTR" },
	{ -EPIPE, "EPIPE" },
	{ -EIDRM, "EIDRM" },
	{ -EMSGSIZE, "EMSGSIZE" },
	{ -EFAULT, "EFAULT" },
	{ -EOPNOTSUPP, "EOPNOTSUPP" },
	{ -ENOENT, "ENOENT" },
};

#define COUNT_OF(a) (sizeof(a) / sizeof((a)[0]))

struct lin_history *lin_new(unsigned int bound, unsigned int overflow)
{
	struct lin_history *h = calloc(1, sizeof(*h));

	if (h) {
		h->bound = bound;
		h->overflow = overflow;
	}
	return h;
}

struct lin_op *lin_add(struct lin_history *h, unsigned int thread,
		       enum lin_kind kind, unsigned int count,
		       const uint16_t *priorities)
{
	struct lin_op *op = &h->ops[h->nops];
	unsigned int i;

	if (h->nops == LIN_OPS || thread >= LIN_THREADS)
		return NULL;
	if (kind == LIN_SEND && h->nmessages + count > LIN_MESSAGES)
		return NULL;
	*op = (struct lin_op){
		.kind = kind,
		.thread = thread,
		.count = count,
		.first = h->nmessages,
		.res = LIN_NEVER,
	};
	for (i = 0; kind == LIN_SEND && i < count; i++)
		h->messages[h->nmessages++] = (struct lin_message){
			.op = h->nops,
			.priority = priorities ? priorities[i] : 0,
		};
	if (thread >= h->nthreads)
		h->nthreads = thread + 1;
	h->nops++;
	return op;
}

void lin_remove(struct lin_history *h, unsigned int op)
{
	unsigned int i;

	h->nops--;
	memmove(&h->ops[op], &h->ops[op + 1],
		(h->nops - op) * sizeof(h->ops[0]));
	for (i = 0; i < h->nmessages; i++)
		if (h->messages[i].op > op)
			h->messages[i].op--;
}

/* ---- writing --------------------------------------------------------------- */

static void write_error(FILE *f, int err)
{
	size_t i;

	for (i = 0; i < COUNT_OF(errors); i++)
		if (errors[i].err == err) {
			fputs(errors[i].name, f);
			return;
		}
	fprintf(f, "errno%d", -err);
}

static void write_stat(FILE *f, const struct lin_stat *st)
{
	fprintf(f, "ready=%u waiting=%u/%u sent=%u received=%u dropped=%u purged=%u refused=%u blocked=%u sealed=%u",
		st->ready, st->waiting_senders, st->waiting_receivers, st->sent,
		st->received, st->dropped, st->purged, st->refused,
		st->blocked, st->sealed);
}

static void write_got(FILE *f, const struct lin_history *h,
		      const struct lin_op *op)
{
	unsigned int i;

	for (i = 0; i < op->done && i < LIN_BATCH; i++) {
		if (op->got[i] >= h->nmessages) {
			fputs(" alien", f);
			continue;
		}
		fprintf(f, " m%u", op->got[i]);
		if (h->messages[op->got[i]].seq)
			fprintf(f, ":%u", h->messages[op->got[i]].seq);
	}
}

void lin_write_op(FILE *f, const struct lin_history *h, const struct lin_op *op)
{
	unsigned int i;

	fprintf(f, "t%u %" PRIu64 " ", op->thread, op->inv);
	if (op->res == LIN_NEVER)
		fputs("-", f);
	else
		fprintf(f, "%" PRIu64, op->res);
	fprintf(f, " %s", lin_kind_names[op->kind]);
	for (i = 0; op->kind == LIN_SEND && i < op->count; i++)
		fprintf(f, " m%u:%u", op->first + i,
			h->messages[op->first + i].priority);
	if (op->kind == LIN_RECV || op->kind == LIN_ALTER)
		fprintf(f, " max=%u", op->count);
	if (op->min > 1)
		fprintf(f, " min=%u", op->min);
	fprintf(f, "%s%s%s%s ->", op->wait ? " wait" : "",
		op->atomic ? " atomic" : "", op->bad_buffer ? " bad" : "",
		op->after ? " after" : "");
	if (op->unknown) {
		fputs(" killed\n", f);
		return;
	}
	fputc(' ', f);
	if (op->kind == LIN_STAT) {
		write_stat(f, &op->st);
	} else {
		write_error(f, op->err);
		if (op->kind == LIN_RECV)
			write_got(f, h, op);
		else if (op->kind == LIN_SEND || op->kind == LIN_PURGE)
			fprintf(f, " %u", op->done);
	}
	fputc('\n', f);
}

void lin_write(FILE *f, const struct lin_history *h)
{
	unsigned int i;

	fprintf(f, "queue bound=%u overflow=%s\n", h->bound,
		overflow_names[h->overflow]);
	for (i = 0; i < h->nops; i++)
		lin_write_op(f, h, &h->ops[i]);
}

/* ---- reading --------------------------------------------------------------- */

static bool read_queue(struct lin_history *h, const char *line)
{
	char overflow[16];
	unsigned int bound, i;

	if (sscanf(line, "queue bound=%u overflow=%15s", &bound, overflow) != 2)
		return false;
	h->bound = bound;
	for (i = 0; i < COUNT_OF(overflow_names); i++)
		if (!strcmp(overflow, overflow_names[i])) {
			h->overflow = i;
			return true;
		}
	return false;
}

/* Parameters, as far as "->". */
static bool read_parameters(struct lin_history *h, struct lin_op *op,
			    char **save)
{
	unsigned int n, priority;
	char *word;

	while ((word = strtok_r(NULL, SPACES, save)) != NULL) {
		if (!strcmp(word, "->"))
			return true;
		if (!strcmp(word, "wait")) {
			op->wait = true;
		} else if (!strcmp(word, "atomic")) {
			op->atomic = true;
		} else if (!strcmp(word, "bad")) {
			op->bad_buffer = true;
		} else if (!strcmp(word, "after")) {
			op->after = true;
		} else if (sscanf(word, "max=%u", &n) == 1) {
			op->count = n;
		} else if (sscanf(word, "min=%u", &n) == 1) {
			op->min = n;
		} else if (sscanf(word, "m%u:%u", &n, &priority) == 2) {
			if (op->kind != LIN_SEND || n != h->nmessages ||
			    n == LIN_MESSAGES || op->count == LIN_BATCH)
				return false;
			h->messages[h->nmessages++] = (struct lin_message){
				.op = h->nops - 1, .priority = priority };
			op->count++;
		} else {
			return false;
		}
	}
	return false;
}

static bool read_stat(struct lin_stat *st, const char *text)
{
	return sscanf(text, "ready=%hu waiting=%hu/%hu sent=%hu received=%hu dropped=%hu purged=%hu refused=%hu blocked=%hu sealed=%hu",
		      &st->ready, &st->waiting_senders, &st->waiting_receivers,
		      &st->sent, &st->received, &st->dropped, &st->purged,
		      &st->refused, &st->blocked, &st->sealed) == 10;
}

static bool read_error(struct lin_op *op, const char *word)
{
	size_t i;

	for (i = 0; word && i < COUNT_OF(errors); i++)
		if (!strcmp(word, errors[i].name)) {
			op->err = errors[i].err;
			return true;
		}
	return false;
}

static bool read_count(const char *word, uint16_t *n)
{
	char *end;

	*n = strtoul(word, &end, 10);
	return end != word && !*end;
}

static bool read_result(struct lin_history *h, struct lin_op *op, char **save)
{
	unsigned int n, seq;
	char *word;

	if (op->kind == LIN_STAT && strncmp(*save, "killed", 6))
		return read_stat(&op->st, *save);
	word = strtok_r(NULL, SPACES, save);
	if (word && !strcmp(word, "killed")) {
		op->unknown = true;
		return true;
	}
	if (!read_error(op, word))
		return false;
	while ((word = strtok_r(NULL, SPACES, save)) != NULL) {
		if (op->kind != LIN_RECV)
			return read_count(word, &op->done);
		if (op->done == LIN_BATCH)
			return false;
		n = LIN_ALIEN;
		seq = 0;
		if (strcmp(word, "alien") &&
		    sscanf(word, "m%u:%u", &n, &seq) < 1)
			return false;
		/* it may stand before the line that sends it */
		if (n < LIN_MESSAGES && seq)
			h->messages[n].seq = seq;
		op->got[op->done++] = n;
	}
	return true;
}

static bool read_op(struct lin_history *h, char *line)
{
	char *save = NULL, *word = strtok_r(line, SPACES, &save);
	unsigned int thread, kind;
	struct lin_op *op;
	uint32_t seq[LIN_MESSAGES];
	uint64_t times[2];
	unsigned int i;

	if (!word || word[0] != 't')
		return false;
	thread = strtoul(word + 1, NULL, 10);
	for (i = 0; i < 2; i++) {
		word = strtok_r(NULL, SPACES, &save);
		if (!word)
			return false;
		times[i] = strcmp(word, "-") ? strtoull(word, NULL, 10) :
			LIN_NEVER;
	}
	word = strtok_r(NULL, SPACES, &save);
	for (kind = 0; word && kind < LIN_NR_KINDS; kind++)
		if (!strcmp(word, lin_kind_names[kind]))
			break;
	if (!word || kind == LIN_NR_KINDS)
		return false;
	op = lin_add(h, thread, kind, 0, NULL);
	if (!op)
		return false;
	op->inv = times[0];
	op->res = times[1];
	for (i = 0; i < LIN_MESSAGES; i++)
		seq[i] = h->messages[i].seq;
	if (!read_parameters(h, op, &save))
		return false;
	for (i = 0; i < LIN_MESSAGES; i++)
		h->messages[i].seq = seq[i];
	return read_result(h, op, &save);
}

struct lin_history *lin_read(FILE *f, unsigned int *line)
{
	struct lin_history *h = lin_new(1, LIN_BLOCK);
	char text[LINE];

	*line = 0;
	while (h && fgets(text, sizeof(text), f)) {
		bool good;

		(*line)++;
		if (text[0] == '#' || text[0] == '\n')
			continue;
		good = strncmp(text, "queue ", 6) ? read_op(h, text) :
			read_queue(h, text);
		if (good)
			continue;
		free(h);
		return NULL;
	}
	return h;
}

struct lin_history *lin_read_text(const char *text)
{
	FILE *f = fmemopen((void *)text, strlen(text), "r");
	struct lin_history *h = NULL;
	unsigned int line;

	if (f) {
		h = lin_read(f, &line);
		fclose(f);
		if (!h)
			fprintf(stderr, "history: line %u\n", line);
	}
	return h;
}
