/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Sweeps of faults over the calls of a program, from a library that is loaded
 * in front of the C library.
 *
 * A call on a file of kmq is made again and again. First with its memory cut
 * off at several places (cut.c), then with the first, second, ... allocation or
 * copy that the kernel makes for it failing (sweep.c), until none fails. That
 * last result is what the program gets. Each failure before must be a clean
 * one: an errno that the interface promises, and nothing changed (state.c).
 */
#ifndef KMQ_FAULTS_H
#define KMQ_FAULTS_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <linux/kmq.h>

/* ---- generated (names.awk) ---------------------------------------------- */

struct number {
	const char *name;
	unsigned int nr;
};

struct operation {
	const char *file;
	const char *name;
};

extern const struct number requests[];
extern const unsigned int n_requests;
extern const struct number steps[];
extern const unsigned int n_steps;
extern const struct operation operations[];
extern const unsigned int n_operations;

/* ---- shared by all processes (shared.c) --------------------------------- */

#define MAX_ENTRIES	64
#define MAX_SITES	16384	/* a power of two */

/* What can be called: a request on a kind of file, or another system call. */
struct entry {
	char name[24];
	uint64_t calls;		/* made by the program */
	uint64_t swept;		/* with faults in turn */
	uint64_t faults;	/* that were injected */
	uint64_t failed;	/* calls that failed because of one */
	uint64_t borne;		/* calls that went well despite one */
	uint64_t cut;		/* attempts with memory cut off */
	uint64_t cut_failed;	/* of these that failed */
	uint64_t again;		/* calls of a place that had been swept enough */
	uint64_t plain;		/* calls not swept: others might interfere */
	uint64_t compared;	/* states compared with those before */
};

/* A place in a program that makes calls. */
struct site {
	uint64_t key;
	uint32_t visits;
	uint32_t from;		/* the first fault to inject the next time */
};

struct shared {
	uint64_t seed;
	uint64_t violations;
	uint64_t late;		/* states that became equal after a while */
	uint64_t last_users;	/* failed calls that left their traces in LIST */
	uint64_t usage_checks;
	struct entry entries[MAX_ENTRIES];
	struct site sites[MAX_SITES];
};

extern struct shared *shared;
extern unsigned int n_entries;

bool shared_attach(const char *path, bool create);
int entry_find(const char *name);
int entry_of_request(bool ctl, unsigned int cmd);
int entry_of_step(unsigned int op);
struct site *site_find(uint64_t key);
uint64_t mix(uint64_t a, uint64_t b);
void __attribute__((format(printf, 1, 2))) violation(const char *fmt, ...);

#define COUNT(field)	__atomic_add_fetch(&(field), 1, __ATOMIC_RELAXED)

/* Of a call: its entry, and that of its administrative step. */
#define TALLY(c, field) do {						\
	COUNT(shared->entries[(c)->entry].field);			\
	if ((c)->op_entry >= 0)						\
		COUNT(shared->entries[(c)->op_entry].field);		\
} while (0)

/* ---- calls (call.c) ----------------------------------------------------- */

enum file { OTHER, CTL, HANDLE, FDINFO };

#define MAX_AREAS	20
#define MAX_VECTOR	16

/* Memory of the program that a call reads or writes. */
struct area {
	char *addr;
	size_t len;
	bool in, out;
	size_t need;	/* a call that works accesses so many bytes at least */
	size_t at;	/* where its address is: offset in the arguments, */
	int arg;	/* or which argument of the system call; else -1 */
	char *saved;	/* what was in it before */
	size_t n_saved;
};

union args {
	struct kmq_info_args info;
	struct kmq_open_args open;
	struct kmq_alter_args alter;
	struct kmq_delete_args delete;
	struct kmq_stat_args stat;
	struct kmq_list_args list;
	struct kmq_limits_args limits;
	struct kmq_admin_args admin;
	struct kmq_xfer_args xfer;
	struct iovec iov[MAX_VECTOR];
	uint32_t size;
};

struct call {
	long nr;
	long arg[6];
	enum file file;
	int fd;
	int entry;
	int op_entry;		/* of the administrative step, or -1 */
	unsigned int request;	/* _IOC_NR of an ioctl, else ~0 */
	bool sends, receives;
	bool answers;		/* writes into its arguments when it works */
	bool may_cut;
	uint64_t site;
	unsigned int n_areas;
	struct area areas[MAX_AREAS];
	union args args;	/* a copy; see n_args */
	size_t n_args;
};

/* The system call; a negative errno when it fails. */
#define sys(nr, ...) ({							\
	long __ret = syscall(nr, ##__VA_ARGS__);			\
	__ret == -1 ? -errno : __ret;					\
})

long call_make(const struct call *c);
void call_describe(struct call *c);
void call_save(struct call *c);
void call_restore(struct call *c);
void call_done(struct call *c);
const char *call_name(const struct call *c);
enum file file_of(int fd);
size_t peek(void *to, const void *from, size_t len);
bool poke(void *to, const void *from, size_t len);
int high_fd(int fd);
void call_forked(void);

/* ---- state (state.c) ---------------------------------------------------- */

#define MAX_ROWS	12

struct state {
	bool has_ctl, has_handle;
	int lowest_fd;
	int revents;
	int next_size;
	unsigned int objects, handles;
	struct kmq_limits_args limits[3];
	struct kmq_stat_args stat;
	struct kmq_attrs attrs;
	struct kmq_object_row object[MAX_ROWS];
	struct kmq_handle_row handle[MAX_ROWS];
};

void state_opened(int fd);
void state_take(const struct call *c, struct state *st);
void state_expect(const struct call *c, const struct state *before,
		  const char *after);
bool state_at_limit(const struct call *c, const struct state *st);
bool usage_is_zero(char *text, size_t len);

/* ---- the sweeps ---------------------------------------------------------- */

#define NO_RESULT	(-100000)

bool fault_ready(void);
void fault_forked(void);
void fault_thread_ends(void);
void fault_init(void);
long fault_sweep(struct call *c, const struct state *before, uint32_t *from,
		 long odd);
long cut_sweep(struct call *c, const struct state *before, uint64_t seed,
	       long *odd);
bool clean_errno(long ret);

/* ---- the program (preload.c) --------------------------------------------- */

bool alone(void);

#endif
