/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the stress tests share.
 *
 *   tap.c      options, random numbers, results
 *   object.c   the requests of /dev/kmq
 *   ledger.c   who sent and got what, in shared memory, and the final account
 *   message.c  bodies and records that can be told apart and verified
 *   crew.c     processes that send and receive, what is done to them, their end
 *   team.c     such a process, and its threads until they work
 *   worker.c   their loop
 *   proc.c     child processes
 *   stall.c    memory that appears only after a while
 *   observe.c  readers of counters and lists, meanwhile
 */
#ifndef TESTS_STRESS_H
#define TESTS_STRESS_H

#include <assert.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <linux/kmq.h>

#include "ledger.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define SEND	KMQ_OPEN_SEND
#define RECV	KMQ_OPEN_RECV
#define USER_UID	4242u	/* of those without privilege */

/* ---- tap.c ------------------------------------------------------------- */

extern double opt_seconds;
extern const char *opt_only;
extern const char *opt_tamper;
extern uint64_t opt_seed;

/* --seconds N, --seed N, --only NAME, --tamper WHAT; prints the seed. */
void begin(const char *program, int argc, char **argv, double seconds);
/* Prints the plan; what main() returns. */
int end(void);
bool selected(const char *name);
void result(bool good, const char *name);
void skipped(const char *name, const char *why);
void note(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* No point in going on: ends the program. */
void bail(const char *fmt, ...)
	__attribute__((format(printf, 1, 2), noreturn));

/*
 * A sequence of its own for each thread that calls reseed(). @with must not
 * depend on pids or times: the seed is to repeat every decision.
 */
void reseed(uint64_t with);
uint64_t reseed_name(const char *name);
uint32_t random_below(uint32_t n);
/* More of it where KMQ_SLOW says that the machine is so many times slower. */
double patience(double amount);
uint64_t now_ns(void);
void nap_us(unsigned int us);
bool file_write(const char *path, const char *text);
long file_number(const char *path, const char *key);

/* Whether a child ended with 0 in time; if not it is killed and told about. */
bool child_done(pid_t pid, const char *what);
/* Where a process sleeps. */
void tell_stuck(pid_t pid);
/* Ends the children of a test with their parent. */
pid_t child(void (*fn)(void *arg), void *arg);

/* ---- object.c: -errno or what the request returns ---------------------- */

/* A control fd, opened on first use, of this process's network namespace. */
int ctl(void);
int ctl_try(void);
void ctl_forget(void);
int kmq_open_at(int ctlfd, const char *name, unsigned int flags,
		const struct kmq_attrs *attrs, uint64_t *id);
int kmq_open_name(const char *name, unsigned int flags);
int kmq_alter(const char *name, const struct kmq_attrs *attrs);
int kmq_delete_at(int ctlfd, const char *name, unsigned int flags);
int kmq_delete(const char *name, unsigned int flags);
int kmq_stat_fd(int fd, struct kmq_stat_args *st);
int kmq_stat_name(const char *name, struct kmq_stat_args *st);
int kmq_admin(int fd, unsigned int op, const char *name, uint64_t arg,
	      uint64_t *result);
int kmq_reset(void);
int kmq_limits(int scope, unsigned int uid, struct kmq_limits_args *args);
int kmq_limit_set(int scope, unsigned int uid, int resource, uint64_t limit);
int kmq_xfer(int fd, struct kmq_xfer_args *args);
int pass_fd(int sock, int fd);
int get_fd(int sock);

/* Nothing of kmq is in use in the whole module; says what is, if not. */
bool nothing_left(void);
/* The last result of each program: reset, and nothing is left. */
void check_nothing_left(void);

/* ---- message.c --------------------------------------------------------- */

#define BODY_MIN	32u

/* Bytes of the smallest record, where bodies are @max_len at most. */
uint32_t least_record(uint32_t max_len);
uint32_t put_body(void *to, uint32_t queue, uint32_t producer,
		  uint64_t number, uint32_t max_len);
uint32_t put_record(void *to, uint32_t queue, uint32_t producer,
		    uint64_t number, uint32_t max_len, unsigned int level);
void see_body(const void *body, uint32_t len, uint32_t queue,
	      struct seen *seen);
/* Log the records in a buffer: how many, or -1 if they are malformed. *taking
 * goes down with each.
 */
int log_records(struct ledger *l, uint32_t queue, struct order *order,
		uint64_t life, const void *buf, size_t bytes,
		_Atomic uint32_t *taking);
/* How many records these bytes are. */
unsigned int count_records(const void *buf, size_t bytes);

/* ---- crew.c ------------------------------------------------------------ */

enum how { PLAIN, RECORDS, XFER };

/* How a worker waits. */
enum waits {
	BLOCK,		/* in the call */
	POLL,		/* in poll(2) */
	EPOLL,		/* in epoll, level-triggered */
	EPOLL_ALONE,	/* with EPOLLEXCLUSIVE */
	EPOLL_EDGE,	/* with EPOLLET */
	DEADLINE,	/* XFER: in the call, for a moment */
	WATERMARK,	/* XFER: until several are there */
};

#define BY_STORM	0x0001u	/* SIGALRM all the time, without SA_RESTART */
#define BY_RESTART	0x0002u	/* likewise, with SA_RESTART */
#define FORKS		0x0004u	/* children go on with the handle */
#define SHARED		0x0008u	/* one handle, opened by the parent of all */
#define PASSED		0x0010u	/* handle received over a socket */
#define AS_USER		0x0020u	/* without privilege */
#define CLOSED		0x0040u	/* another thread closes the handle */
#define SHUT		0x0080u	/* another thread shuts it down */
#define KILLED		0x0100u	/* may be killed at random */
#define STOPPED		0x0200u	/* may be stopped for a while */
#define STALLS		0x0400u	/* its buffer is slow to appear */
#define BAD_BUFFERS	0x0800u	/* too small or no memory, now and then */
#define IN_CGROUP	0x1000u	/* in the cgroup of scenario.cgroup */
#define SLOW		0x2000u	/* takes its time between calls */

struct role {
	unsigned int count;	/* processes */
	unsigned int threads;	/* in each */
	unsigned int does;	/* SEND, RECV or both in one XFER */
	enum how how;
	enum waits waits;
	unsigned int batch;
	unsigned int flags;
};

/* Errors that are part of the game, beside those of a worker's own doing. */
#define MAY_SEAL	0x01u	/* EPIPE, early end of stream */
#define MAY_DELETE	0x02u	/* EIDRM, ENOENT */
#define MAY_LIMIT	0x04u	/* EDQUOT, ENOBUFS */
#define MAY_STARVE	0x08u	/* ENOMEM, and being killed for it */
#define MAY_FULL	0x10u	/* EAGAIN to a blocking send */
#define MAY_REPEAT	0x20u	/* given back, so order between calls is off */
#define MAY_ALTER	0x40u	/* bounds change */
#define MAY_SHRINK	0x80u	/* EMSGSIZE for what was allowed before */

struct crew;

struct scenario {
	const char *name;
	unsigned int queues;
	uint64_t max_messages;
	uint64_t max_bytes;
	uint32_t overflow;
	unsigned int levels;	/* priorities in use */
	unsigned int max_len;	/* of a body */
	unsigned int may;
	struct role roles[6];
	/* Does one thing to the crew; returns how many us to wait. */
	unsigned int (*chaos)(struct crew *crew);
	/* What must have happened for the test to mean anything. */
	unsigned int needs;
};

struct team {
	pid_t pid;		/* 0: it has ended */
	const struct role *role;
	unsigned int nr;
	unsigned int lives;	/* so many before this one */
	bool doomed;
};

#define MAX_TEAMS	64
#define MAX_LIVES	256

/* A queue and those of the same name that were deleted before it. */
struct life {
	int fd;
	unsigned int queue;
	uint64_t id;
};

struct crew {
	const struct scenario *sc;
	struct ledger *ledger;
	struct team teams[MAX_TEAMS];
	unsigned int nteams;
	struct life lives[MAX_LIVES];
	unsigned int nlives;
	int shared[LEDGER_QUEUES][2];	/* plain, records */
	uint64_t first_id;
	uint64_t hash;		/* of the scenario */
	const char *cgroup;
	unsigned int step;
};

/* Runs one scenario and reports it. */
void run_scenario(const struct scenario *sc, double seconds,
		  const char *cgroup);
/* Those that are selected share the time. */
void run_scenarios(const struct scenario *sc, size_t n);
const char *queue_name(unsigned int queue);
struct kmq_attrs queue_attrs(const struct scenario *sc);
/* Called again when the old one of that name is gone. */
void create_queue(struct crew *crew, unsigned int queue);
bool can_create(const struct crew *crew);
/* Notices those that have ended; in their place others start. */
void replace_dead(struct crew *crew);

/* Things to do to a crew. */
void kill_somebody(struct crew *crew);
void stop_somebody(struct crew *crew);
void continue_all(struct crew *crew);

/* team.c: the main function of a team's process. */
void team_main(struct crew *crew, const struct team *team, int sock)
	__attribute__((noreturn));

/* stall.c: does this kernel offer it? */
bool can_stall(void);
/* Memory whose pages appear only when a thread has slept a little; what they
 * hold then stands in *shadow. NULL: there is no more.
 */
void *stalling_buffer(size_t size, void **shadow, struct ledger *l);
/* Take the pages away again. */
void stall_again(void *buf, size_t size);
/* From now on they do not appear at all. */
void stall_for_ever(void);

/* observe.c */
void observer_main(void *crew);
void check_counters(struct crew *crew, unsigned int queue,
		    const struct kmq_stat_args *st);

#endif
