// SPDX-License-Identifier: GPL-2.0-only
/* Every allocation and every copy that a call makes fails once, in turn. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>

#include "faults.h"

#define MOST	400	/* faults of one call */
#define DEBUGFS	"/sys/kernel/debug/"

static __thread int nth_fd = -1;
static int usercopy_fd = -1;

/* ---- the kernel's side --------------------------------------------------- */

void fault_init(void)
{
	usercopy_fd = high_fd(sys(SYS_openat, AT_FDCWD,
				  DEBUGFS "fail_usercopy/times",
				  O_RDONLY | O_CLOEXEC));
}

static int open_nth(void)
{
	return high_fd(sys(SYS_openat, AT_FDCWD, "/proc/thread-self/fail-nth",
			   O_RDWR | O_CLOEXEC));
}

/* Whether this thread can have faults. */
bool fault_ready(void)
{
	uid_t euid;

	if (nth_fd >= 0)
		return true;
	nth_fd = open_nth();
	if (nth_fd < 0) {
		/* a test may play somebody else: of this thread only */
		euid = geteuid();
		if (sys(SYS_setresuid, -1, 0, -1))
			return false;
		nth_fd = open_nth();
		sys(SYS_setresuid, -1, euid, -1);
	}
	return nth_fd >= 0;
}

/* The file belongs to one thread. */
void fault_thread_ends(void)
{
	if (nth_fd >= 0)
		sys(SYS_close, nth_fd);
	nth_fd = -1;
}

void fault_forked(void)
{
	fault_thread_ends();
}

/* Writing is itself a copy that may be the one to fail. */
static void arm(unsigned int n)
{
	char text[16];
	int len = snprintf(text, sizeof(text), "%u", n), i;

	for (i = 0; sys(SYS_pwrite64, nth_fd, text, len, 0) != len; i++)
		if (i == 2 * MOST)
			abort();
}

/* Has the fault happened? None is to come afterwards. */
static bool disarm(void)
{
	char text[16] = "";
	bool happened;

	/* reading may be the one, too: then it had not happened before */
	happened = sys(SYS_pread64, nth_fd, text, sizeof(text) - 1, 0) > 0 &&
		!atoi(text);
	if (!happened)
		arm(0);
	return happened;
}

/* Faults of copies to and from users so far. */
static long usercopy_faults(void)
{
	char text[24] = "";

	if (usercopy_fd < 0 ||
	    sys(SYS_pread64, usercopy_fd, text, sizeof(text) - 1, 0) <= 0)
		return -1;
	return atol(text);
}

/* ---- what a call that bore a fault left undone --------------------------- */

static void get_xfer(const struct call *c, struct kmq_xfer_args *x)
{
	peek(x, (void *)c->arg[2], sizeof(*x));
}

static void put_xfer(const struct call *c, const struct kmq_xfer_args *x)
{
	const size_t at = offsetof(struct kmq_xfer_args, sent);

	poke((char *)c->arg[2] + at, (char *)x + at, sizeof(*x) - at);
}

static void receive_rest(struct call *c, struct kmq_xfer_args *x)
{
	struct kmq_xfer_args more = *x;
	long ret;

	if (x->recv_err != -EFAULT || x->recv_len - x->received_bytes <
	    sizeof(struct kmq_record))
		return;
	more.flags &= KMQ_XFER_BODY;
	more.send = 0;
	more.send_len = 0;
	more.send_fd = -1;
	more.recv += x->received_bytes;
	more.recv_len -= x->received_bytes;
	if (x->received)
		more.deadline = 0;
	if (x->max_records)
		more.max_records -= x->received;
	more.min_records = 0;
	ret = sys(SYS_ioctl, c->fd, KMQ_IOC_XFER, &more);
	if (ret && !x->received && !x->sent)
		violation("%s: nothing to receive after a failed receive: %ld",
			  call_name(c), ret);
	x->received += more.received;
	x->received_bytes += more.received_bytes;
	/* to whom something was given the end of the rest is not told */
	x->recv_err = x->received ? 0 : more.recv_err;
	x->needed = more.needed;
}

static void send_after_all(struct call *c, struct kmq_xfer_args *x)
{
	struct kmq_xfer_args more = *x;

	if (!clean_errno(x->send_err))
		return;
	if (x->sent)
		violation("%s: a fault, yet %u sent", call_name(c), x->sent);
	more.flags &= KMQ_XFER_ATOMIC;
	more.recv = 0;
	more.recv_len = 0;
	more.max_records = 0;
	more.min_records = 0;
	sys(SYS_ioctl, c->fd, KMQ_IOC_XFER, &more);
	x->sent = more.sent;
	x->sent_bytes = more.sent_bytes;
	x->send_err = more.send_err;
	x->error_at = more.error_at;
	x->last_seq = more.last_seq;
}

/* Records that did not arrive went back: get them now, as the count says. */
static long read_rest(struct call *c, long got)
{
	struct iovec iov[MAX_VECTOR] = { };
	unsigned int i, n = 0;
	long skip = got, more;

	if (c->nr == SYS_read) {
		iov[n++] = (struct iovec){ (void *)c->arg[1], c->arg[2] };
	} else {
		if (c->arg[2] > MAX_VECTOR)
			return got;
		n = c->arg[2];
		memcpy(iov, (void *)c->arg[1], n * sizeof(*iov));
	}
	for (i = 0; i < n; i++) {
		long here = skip < (long)iov[i].iov_len ? skip :
			(long)iov[i].iov_len;

		iov[i].iov_base = (char *)iov[i].iov_base + here;
		iov[i].iov_len -= here;
		skip -= here;
	}
	more = sys(SYS_preadv2, c->fd, iov, n, -1, -1, 8 /* RWF_NOWAIT */);
	return more > 0 ? got + more : got;
}

static bool in_records(const struct call *c)
{
	char path[40], text[512], *flags;
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", c->fd);
	fd = sys(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	n = sys(SYS_read, fd, text, sizeof(text) - 1);
	sys(SYS_close, fd);
	text[n > 0 ? n : 0] = 0;
	flags = strstr(text, "kmq-flags:\t");
	return flags && strtoul(flags + 11, NULL, 0) & KMQ_OPEN_RECORDS;
}

/*
 * The call reported part of its work, as it may after a fault. Do the rest, so
 * that the program sees what it would without.
 */
static long go_on(struct call *c, long ret)
{
	struct kmq_xfer_args x;

	if (c->nr == SYS_ioctl && c->request == _IOC_NR(KMQ_IOC_XFER)) {
		get_xfer(c, &x);
		receive_rest(c, &x);
		send_after_all(c, &x);
		put_xfer(c, &x);
	} else if (c->file == HANDLE && c->receives && ret > 0 && alone() &&
		   in_records(c)) {
		ret = read_rest(c, ret);
	}
	return ret;
}

/* ---- the sweep ----------------------------------------------------------- */

/* What a call may say when it could not allocate or copy. */
bool clean_errno(long ret)
{
	return ret == -ENOMEM || ret == -EFAULT;
}

/* The errno a call gave because of the n-th fault. */
static void judge(struct call *c, unsigned int n, long ret, bool usercopy,
		  long *odd)
{
	if (!clean_errno(ret))
		/* then it must be what the call says anyhow */
		*odd = ret;
	else if (alone() && usercopy && ret != -EFAULT)
		/* without memory for a page of the caller's, a copy fails, too */
		violation("%s: fault %u was in a copy, errno is %ld",
			  call_name(c), n, -ret);
}

/* What it receives for a send that failed makes room, and the send possible. */
static bool receives_anyway(const struct call *c)
{
	struct kmq_xfer_args x;

	if (c->nr != SYS_ioctl || c->request != _IOC_NR(KMQ_IOC_XFER) ||
	    !c->sends || !c->receives)
		return false;
	get_xfer(c, &x);
	return x.flags & KMQ_XFER_RECV_ANYWAY;
}

/*
 * The result that the program gets. @before: NULL when it cannot be compared.
 * *from: the last fault not to be injected; then what was borne, for the next
 * time. @odd: an errno seen before that has to be the call's own.
 */
long fault_sweep(struct call *c, const struct state *before, uint32_t *from,
		 long odd)
{
	long ret, copies;
	char after[32];
	unsigned int n;
	bool happened;

	if (!fault_ready() || receives_anyway(c)) {
		TALLY(c, plain);
		return call_make(c);
	}
	TALLY(c, swept);
	for (n = *from + 1; ; n++) {
		copies = usercopy_faults();
		arm(n);
		ret = call_make(c);
		happened = disarm();
		if (!happened)
			break;
		TALLY(c, faults);
		if (ret >= 0) {
			TALLY(c, borne);
			*from = n;
			ret = go_on(c, ret);
			goto out;
		}
		TALLY(c, failed);
		judge(c, n, ret, usercopy_faults() != copies, &odd);
		call_restore(c);
		snprintf(after, sizeof(after), "fault %u", n);
		if (before)
			state_expect(c, before, after);
		if (n == MOST) {
			violation("%s: fault %u", call_name(c), n);
			ret = call_make(c);
			break;
		}
	}
	*from = 0;
out:
	if (odd && odd != ret)
		violation("%s: errno %ld by a fault; without it gives %ld",
			  call_name(c), -odd, ret);
	return ret;
}
