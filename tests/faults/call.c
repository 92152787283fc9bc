// SPDX-License-Identifier: GPL-2.0-only
/* What a call is, which memory it takes, and that memory's old contents. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/uio.h>

#include "faults.h"

#define PAGE		4096ul
#define FIRST_HIGH	700	/* file descriptors of our own */
#define SAVED_MAX	(8ul << 20)

static int mem_fd = -1;

long call_make(const struct call *c)
{
	return sys(c->nr, c->arg[0], c->arg[1], c->arg[2], c->arg[3],
		   c->arg[4], c->arg[5]);
}

const char *call_name(const struct call *c)
{
	return shared->entries[c->op_entry >= 0 ? c->op_entry : c->entry].name;
}

/* Out of the program's way, which may count on the numbers it gets. */
int high_fd(int fd)
{
	int high;

	if (fd < 0)
		return fd;
	high = sys(SYS_fcntl, fd, F_DUPFD_CLOEXEC, FIRST_HIGH);
	sys(SYS_close, fd);
	return high;
}

/* ---- memory that may be bad, or stall ------------------------------------ */

void call_forked(void)
{
	if (mem_fd >= 0)
		sys(SYS_close, mem_fd);
	mem_fd = -1;
}

static int mem(void)
{
	if (mem_fd < 0)
		mem_fd = high_fd(sys(SYS_openat, AT_FDCWD, "/proc/self/mem",
				     O_RDWR | O_CLOEXEC));
	return mem_fd;
}

/* Bytes from there on that are in memory: looking at others might stall. */
static size_t resident(const void *from, size_t len)
{
	unsigned long at = (unsigned long)from & ~(PAGE - 1);
	unsigned long end = (unsigned long)from + len;
	unsigned char there[64];

	while (at < end) {
		unsigned long i, n = (end - at + PAGE - 1) / PAGE;

		if (n > sizeof(there))
			n = sizeof(there);
		if (sys(SYS_mincore, at, n * PAGE, there))
			n = sys(SYS_mincore, at, PAGE, there) ? 0 : 1;
		if (!n)
			break;
		for (i = 0; i < n; i++, at += PAGE)
			if (!(there[i] & 1))
				goto out;
	}
out:
	if (at <= (unsigned long)from)
		return 0;
	return at < end ? at - (unsigned long)from : len;
}

/* Copy what can be had of the program's memory: how much that was. */
size_t peek(void *to, const void *from, size_t len)
{
	ssize_t n;

	len = resident(from, len);
	if (!len)
		return 0;
	n = sys(SYS_pread64, mem(), to, len, from);
	return n > 0 ? n : 0;
}

bool poke(void *to, const void *from, size_t len)
{
	return sys(SYS_pwrite64, mem(), from, len, to) == (long)len;
}

/* ---- which file ---------------------------------------------------------- */

enum file file_of(int fd)
{
	char path[40], text[64];
	struct stat st;
	ssize_t n;

	if (fd < 0 || fstat(fd, &st))
		return OTHER;
	/* a misc device, a file without type, or one of /proc */
	if (S_ISCHR(st.st_mode) ? major(st.st_rdev) != 10 :
	    st.st_mode & S_IFMT && !S_ISREG(st.st_mode))
		return OTHER;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	n = sys(SYS_readlinkat, AT_FDCWD, path, text, sizeof(text) - 1);
	if (n <= 0)
		return OTHER;
	text[n] = 0;
	if (!strcmp(text, "/dev/kmq"))
		return CTL;
	if (!strcmp(text, "anon_inode:[kmq]"))
		return HANDLE;
	if (!strncmp(text, "/proc/", 6) && strstr(text, "/fdinfo/"))
		return FDINFO;
	return OTHER;
}

/* ---- its memory ---------------------------------------------------------- */

static struct area *add(struct call *c, uint64_t addr, size_t len, bool in,
			bool out)
{
	struct area *a = &c->areas[c->n_areas];

	if (!addr || !len || c->n_areas == MAX_AREAS)
		return NULL;
	c->n_areas++;
	*a = (struct area){ .addr = (char *)addr, .len = len, .in = in,
		.out = out, .arg = -1, .need = in ? len : 0 };
	return a;
}

static void add_arg(struct call *c, int arg, size_t len, bool in, bool out,
		    size_t need)
{
	struct area *a = add(c, c->arg[arg], len, in, out);

	if (a) {
		a->arg = arg;
		a->need = need;
	}
}

#define ADD_FIELD(c, kind, field, len, in, out, needs) do {		\
	struct area *__a = add(c, (c)->args.kind.field, len, in, out);	\
	if (__a) {							\
		__a->at = offsetof(struct kmq_##kind##_args, field);	\
		__a->need = needs;					\
	}								\
} while (0)

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* What the next receive of a handle takes at least; 0: nothing. */
static size_t next_size(const struct call *c)
{
	int n = 0;

	return c->file == HANDLE && c->receives &&
		!sys(SYS_ioctl, c->fd, FIONREAD, &n) && n > 0 ? n : 0;
}

static size_t attrs_size(uint64_t addr)
{
	uint32_t size = 0;

	return peek(&size, (void *)addr, 4) == 4 && size <= PAGE ? size : 0;
}

static void describe_request(struct call *c)
{
	union args *a = &c->args;
	uint32_t size = 0, len;
	size_t next;

	if (c->request == ~0u) {
		if (c->arg[1] == FIONREAD)
			add_arg(c, 2, sizeof(int), false, true, sizeof(int));
		return;
	}
	peek(&size, (void *)c->arg[2], sizeof(size));
	if (size < 8 || size > PAGE)
		return;
	len = least(size, sizeof(*a));
	c->n_args = peek(a, (void *)c->arg[2], len);
	add_arg(c, 2, size, true, true, size);
	if (c->n_args < len)
		return;

	c->may_cut = size <= sizeof(*a);
	c->answers = true;
	switch (_IOC(_IOC_READ | _IOC_WRITE, KMQ_IOC_MAGIC, c->request, 0)) {
	case _IOWR(KMQ_IOC_MAGIC, 0x01, char[0]):
		ADD_FIELD(c, open, name, a->open.name_len, true, false,
			  a->open.name_len);
		len = attrs_size(a->open.attrs);
		ADD_FIELD(c, open, attrs, len, true, false, len);
		break;
	case _IOWR(KMQ_IOC_MAGIC, 0x02, char[0]):
		ADD_FIELD(c, alter, name, a->alter.name_len, true, false,
			  a->alter.name_len);
		len = attrs_size(a->alter.attrs);
		ADD_FIELD(c, alter, attrs, len, true, false, len);
		c->answers = false;
		break;
	case _IOWR(KMQ_IOC_MAGIC, 0x03, char[0]):
		ADD_FIELD(c, delete, name, a->delete.name_len, true, false,
			  a->delete.name_len);
		c->answers = false;
		break;
	case _IOWR(KMQ_IOC_MAGIC, 0x04, char[0]):
		ADD_FIELD(c, stat, name, a->stat.name_len, true, false,
			  a->stat.name_len);
		len = attrs_size(a->stat.attrs);
		ADD_FIELD(c, stat, attrs, len, true, true, len);
		break;
	case _IOWR(KMQ_IOC_MAGIC, 0x05, char[0]):
		ADD_FIELD(c, list, name, a->list.name_len, true, false,
			  a->list.name_len);
		ADD_FIELD(c, list, rows,
			  (size_t)a->list.count * a->list.row_size, false,
			  true, a->list.row_size);
		break;
	case _IOWR(KMQ_IOC_MAGIC, 0x07, char[0]):
		ADD_FIELD(c, admin, name, a->admin.name_len, true, false,
			  a->admin.name_len);
		c->answers = a->admin.op != KMQ_ADMIN_SHUTDOWN;
		c->op_entry = entry_of_step(a->admin.op);
		break;
	case _IOWR(KMQ_IOC_MAGIC, 0x10, char[0]):
		c->sends = a->xfer.send_len;
		c->receives = a->xfer.recv_len;
		next = next_size(c);
		if (a->xfer.flags & KMQ_XFER_BODY)
			next = least(next, sizeof(struct kmq_record));
		/* that what follows may succeed all the same */
		ADD_FIELD(c, xfer, send, a->xfer.send_len, true, false,
			  a->xfer.flags & KMQ_XFER_RECV_ANYWAY ? 0 :
			  a->xfer.send_len);
		/* behind a send it does not fail any more */
		ADD_FIELD(c, xfer, recv, a->xfer.recv_len, false, true,
			  c->sends ? 0 : least(next, a->xfer.recv_len));
		break;
	}
}

static void describe_vector(struct call *c)
{
	struct iovec *iov = c->args.iov;
	size_t n = c->arg[2], i;

	if (!n || n > MAX_VECTOR)
		return;
	c->n_args = peek(iov, (void *)c->arg[1], n * sizeof(*iov));
	if (c->n_args < n * sizeof(*iov))
		return;
	c->may_cut = true;
	add_arg(c, 1, n * sizeof(*iov), true, false, n * sizeof(*iov));
	for (i = 0; i < n; i++) {
		/* what is needed of each: of the first, all that is received */
		size_t need = c->sends ? iov[i].iov_len :
			i ? 0 : least(next_size(c), iov[i].iov_len);
		struct area *a = add(c, (uint64_t)iov[i].iov_base,
				     iov[i].iov_len, c->sends, c->receives);

		if (!a)
			continue;
		a->at = (char *)&iov[i].iov_base - (char *)&c->args;
		a->need = need;
	}
}

/* Finds the memory of a call; entry and file are known. */
void call_describe(struct call *c)
{
	switch (c->nr) {
	case SYS_ioctl:
		describe_request(c);
		break;
	case SYS_read:
		c->may_cut = c->file == HANDLE;
		add_arg(c, 1, c->arg[2], false, true,
			least(next_size(c), c->arg[2]));
		break;
	case SYS_write:
		c->may_cut = true;
		add_arg(c, 1, c->arg[2], true, false, c->arg[2]);
		break;
	case SYS_readv: case SYS_writev: case SYS_preadv2: case SYS_pwritev2:
		describe_vector(c);
		break;
	case SYS_poll:
		add_arg(c, 0, c->arg[1] * 8, true, true, c->arg[1] * 8);
		break;
	}
}

/* What a failed attempt may have written is to be as before. */
void call_save(struct call *c)
{
	unsigned int i;

	for (i = 0; i < c->n_areas; i++) {
		struct area *a = &c->areas[i];

		if (!a->out && !c->may_cut)
			continue;
		a->saved = malloc(least(a->len, SAVED_MAX));
		if (a->saved)
			a->n_saved = peek(a->saved, a->addr,
					  least(a->len, SAVED_MAX));
		/* what is sent has to be known to be sent from elsewhere */
		if (a->in && a->n_saved < a->len)
			c->may_cut = false;
	}
}

void call_restore(struct call *c)
{
	char now[512];
	unsigned int i;

	for (i = 0; i < c->n_areas; i++) {
		struct area *a = &c->areas[i];
		size_t at, n;

		for (at = 0; a->out && at < a->n_saved; at += n) {
			n = least(a->n_saved - at, sizeof(now));
			if (peek(now, a->addr + at, n) == n &&
			    memcmp(now, a->saved + at, n))
				poke(a->addr + at, a->saved + at, n);
		}
	}
}

void call_done(struct call *c)
{
	unsigned int i;

	for (i = 0; i < c->n_areas; i++)
		free(c->areas[i].saved);
	c->n_areas = 0;
}
