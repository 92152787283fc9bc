/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KMQCTL_H
#define KMQCTL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <kmq.h>

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))
#define PRINTF(f, a)	__attribute__((format(printf, f, a)))

/* Exit codes; kmqctl(1) documents them. */
enum {
	RC_OK,
	RC_ERROR,
	RC_USAGE,
	RC_NOT_FOUND,
	RC_EXISTS,
	RC_EMPTY,
	RC_DENIED,
};

/* ---- verbs and options ------------------------------------------------ */

/* Ids of options without a short form start here. */
#define LONG_ONLY	256

struct option_def {
	int id;			/* the short letter, or >= LONG_ONLY */
	const char *name;	/* NULL ends a list */
	const char *arg;	/* NULL: none; "[X]": may be left out */
	const char *help;
};

/* Groups of options a verb takes beside its own. */
#define TAKES_JSON	0x1u	/* --json */
#define TAKES_TABLE	0x2u	/* --json, -o, --noheadings, --raw, --bytes */

struct verb {
	const char *noun;	/* NULL: stands alone */
	const char *name;
	const char *aliases;	/* separated by blanks, or NULL */
	const char *args;
	const char *summary;
	const char *details;	/* more for --help, or NULL */
	unsigned int takes;
	const struct option_def *options;
	int (*run)(int argc, char **argv);
};

extern const struct verb verb_create, verb_list, verb_describe, verb_alter,
			 verb_purge, verb_seal, verb_unseal, verb_delete,
			 verb_unlink, verb_send, verb_recv, verb_who,
			 verb_status, verb_limits, verb_ping, verb_reset;

struct globals {
	const char *domain;
	const char *columns;
	bool json;
	bool noheadings;
	bool raw;
	bool bytes;
	bool quiet;
};

extern struct globals opts;
/* The verb at work; NULL until it is known. */
extern const struct verb *current;

/* The next of the verb's own options, the others are dealt with; or -1. */
int next_option(int argc, char **argv);
/* Options before the noun; returns the index of the first word behind them. */
int global_options(int argc, char **argv);
void print_options(const struct verb *verb, FILE *out);
void verb_help(const struct verb *verb, FILE *out);
void main_help(FILE *out);

/*
 * "did you mean" for @word among @n candidates into @text, each with @prefix;
 * empty if none is near.
 */
void nearest(const char *word, const char *prefix, const char *const *names,
	     size_t n, char *text, size_t size);

/* The one argument of a verb that takes exactly one. */
const char *only_name(int argc, char **argv);
/* Fail unless there is at least one argument. */
void need_name(int argc);

/* ---- values of options ------------------------------------------------ */

uint64_t parse_number(const char *option, const char *text, uint64_t min,
		      uint64_t max);
uint64_t parse_size(const char *option, const char *text);
/* Milliseconds; false when @text is no duration. */
bool scan_duration(const char *text, int *ms);
int parse_duration(const char *option, const char *text);
void parse_owner(const char *option, const char *text,
		 struct kmq_attrs *attrs);
uint32_t parse_user(const char *option, const char *text);
uint32_t parse_mode(const char *option, const char *text);
uint32_t parse_overflow(const char *option, const char *text);
const char *overflow_name(uint32_t overflow);

/* ---- errors ----------------------------------------------------------- */

void complain(const char *fmt, ...) PRINTF(1, 2);
/* Not an error; silent with --quiet. */
void inform(const char *fmt, ...) PRINTF(1, 2);
void usage_error(const char *fmt, ...)
	PRINTF(1, 2) __attribute__((noreturn));
/* Print what libkmq has to say about a failed call; returns the exit code. */
int fail(const char *name, int err, uint64_t detail);
int exit_code(int err);
/* Exit, but not with success when the output did not get through. */
void finish(int rc) __attribute__((noreturn));
/* The control fd of the chosen domain; exits when it cannot be had. */
int ctl(void);
/* The same without a word: fd or -errno. */
int try_ctl(void);
void *xcalloc(size_t n, size_t size);
void *xrealloc(void *old, size_t size);

/* ---- text ------------------------------------------------------------- */

/* A growing piece of output. */
struct text {
	char *p;
	size_t len, cap;
};

void text_add(struct text *t, const void *p, size_t len);
void text_printf(struct text *t, const char *fmt, ...) PRINTF(2, 3);
void text_str(struct text *t, const char *s);
/* Control bytes and what is no text of this locale become \xNN. */
void text_escaped(struct text *t, const void *p, size_t len);
/* A JSON string. */
void text_json(struct text *t, const void *p, size_t len);
void text_base64(struct text *t, const void *p, size_t len);
/* UTF-8 without control characters other than tab and line ends? */
bool is_plain_text(const void *p, size_t len);
/* Write it all to @fd and empty it: 0 or -errno. */
int text_write(struct text *t, int fd);

void format_size(uint64_t bytes, char *buf, size_t size);
void format_iso(uint64_t ns, char *buf, size_t size);
void format_local(uint64_t ns, char *buf, size_t size);
void format_perms(uint32_t mode, char *buf, size_t size);
void format_user(uint32_t uid, char *buf, size_t size);
void format_group(uint32_t gid, char *buf, size_t size);
const char *plural(uint64_t n, const char *one, const char *many);

uint64_t now_ms(void);
uint64_t now_ns(void);

/* ---- tables ----------------------------------------------------------- */

#define COL_NUMBER	0x1u
#define COL_RIGHT	0x2u
#define COL_TRUNC	0x4u

/* Writes a cell; an empty one means there is nothing to tell. */
typedef void cell_fn(const void *row, char *buf, size_t size);

struct column {
	const char *name;
	unsigned int flags;
	cell_fn *get;
};

/* Define cell_<name>(), in which @call sees the row as r. */
#define CELL_FN(type, name, call)					\
static void cell_##name(const void *row, char *buf, size_t size)	\
{									\
	const type *r = row;						\
									\
	call;								\
}

struct table;

/*
 * @defaults: names of columns, separated by commas; -o overrides it. Exits
 * when -o names a column that is not there.
 */
struct table *table_new(const char *json_name, const struct column *columns,
			size_t n, const char *defaults);
void table_add(struct table *t, const void *row);
/* As a table, or with @upright one "name value" line a field. */
void table_print(struct table *t, bool upright);
/* Into memory, for a screen that is drawn in one go. */
char *table_text(struct table *t);
void table_clear(struct table *t);
void table_free(struct table *t);
/* Cells that look different in JSON: plain numbers, RFC 3339 times. */
void cell_u64(uint64_t v, char *buf, size_t size);
void cell_size(uint64_t v, char *buf, size_t size);
void cell_time(uint64_t ns, char *buf, size_t size);
void cell_name(const void *bytes, size_t max, char *buf, size_t size);

/* ---- queues as rows --------------------------------------------------- */

struct queue_row {
	char name[KMQ_NAME_MAX + 1];
	struct kmq_stat_args st;
	struct kmq_attrs at;
	uint64_t dropped;
	double in, out;		/* a second, between two looks */
	bool rated;
};

extern const struct column queue_columns[];
extern const size_t n_queue_columns;

#define QUEUE_LIST_DEFAULT \
	"NAME,READY,BYTES,MAXLEN,SENDERS,CONSUMERS,WAITERS,SENT,RECEIVED," \
	"DROPPED,STATE"
#define QUEUE_WATCH_DEFAULT \
	"NAME,READY,BYTES,MAXLEN,SENDERS,CONSUMERS,WAITERS,SENT,RECEIVED," \
	"IN/S,OUT/S,STATE"
#define QUEUE_DESCRIBE_DEFAULT \
	"NAME,ID,STATE,OWNER,GROUP,PERMS,CREATED,OVERFLOW,MAXLEN,MAXBYTES," \
	"MAXMSG,READY,BYTES,MEMORY,HEAD,NEXTSEQ,HANDLES,SENDERS,CONSUMERS," \
	"WAITSEND,WAITRECV,SENT,SENTBYTES,RECEIVED,RECVBYTES,LOSTFULL," \
	"PURGED,REFUSED,BLOCKED,BLOCKEDTIME"

/* All objects of the domain in *rows (to be freed): how many, or -errno. */
long queue_rows(struct queue_row **rows);
int queue_row(const char *name, struct queue_row *row);

/* ---- progress --------------------------------------------------------- */

struct progress {
	bool on, shown;
	uint64_t start, last;
	uint64_t messages, bytes;
	const char *word;
};

/* @on: the caller's reasons; a terminal and --quiet are looked at here. */
void progress_start(struct progress *p, const char *word, bool on);
void progress_count(struct progress *p, uint64_t messages, uint64_t bytes);
/* Take the line off the screen, for other output. */
void progress_hide(struct progress *p);
void progress_end(struct progress *p);

#endif /* KMQCTL_H */
