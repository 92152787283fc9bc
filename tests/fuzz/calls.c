// SPDX-License-Identifier: GPL-2.0-only
/* Other system calls on the files, and changes of who and where one is. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "run.h"

static long op_poll(const struct op *op)
{
	struct pollfd p[2] = {
		{ .fd = slot_fd(op->fd), .events = op->flags },
		{ .fd = slot_fd(op->fd2), .events = POLLIN | POLLOUT },
	};

	return CALL(poll(p, 1 + op->n % 2, op->mask % 3));
}

static long op_epoll(const struct op *op)
{
	struct epoll_event ev = { .events = op->flags };
	int fd = epoll_create1(EPOLL_CLOEXEC);
	long ret;

	if (fd < 0)
		return -errno;
	ret = CALL(epoll_ctl(fd, EPOLL_CTL_ADD, slot_fd(op->fd), &ev));
	if (!ret)
		ret = CALL(epoll_wait(fd, &ev, 1, op->mask % 3));
	close(fd);
	return ret;
}

static long op_mmap(const struct op *op)
{
	void *at = mmap(NULL, 4096, op->flags & 7, op->n % 2 ? MAP_SHARED :
			MAP_PRIVATE, slot_fd(op->fd), op->value & ~4095ull);

	if (at == MAP_FAILED)
		return -errno;
	munmap(at, 4096);
	return 0;
}

static long op_fdinfo(const struct op *op)
{
	char path[64], text[1024];
	long ret;
	int fd;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", slot_fd(op->fd));
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	ret = CALL(read(fd, text, sizeof(text)));
	close(fd);
	return ret < 0 ? ret : 0;
}

static long op_splice(const struct op *op)
{
	atomic_store(&program.misc_changed, true);
	return CALL(splice(slot_fd(op->fd), NULL, slot_fd(op->fd2), NULL,
			   op->len % 65536, SPLICE_F_NONBLOCK));
}

/* A file has no position, whatever one tries. */
static long op_seek(const struct op *op)
{
	char byte = 0;

	switch (op->n % 3) {
	case 0:
		return CALL(lseek(slot_fd(op->fd), op->value, op->mask % 5));
	case 1:
		return CALL(pread(slot_fd(op->fd), &byte, 1, op->len));
	default:
		return CALL(pwrite(slot_fd(op->fd), &byte, 1, op->len));
	}
}

static long op_dup(const struct op *op)
{
	int fd = fcntl(slot_fd(op->fd), F_DUPFD_CLOEXEC, 0);

	if (fd < 0)
		return -errno;
	slot_put(op->fd2, fd);
	return 0;
}

static void replace_ctl(unsigned int slot, int fd)
{
	int old = atomic_exchange(&slots[slot], fd);

	if (old >= 0)
		close(old);
	atomic_store(&program.ctl_changed, true);
}

/* A control fd whose network namespace ends at once, or nearly so. */
static long op_netns(const struct op *op)
{
	int fd, err;

	if (atomic_exchange(&program.netns_made, true))
		return -EAGAIN;
	if (unshare(CLONE_NEWNET))
		return -errno;
	fd = open(KMQ_DEVICE, O_RDWR | O_CLOEXEC);
	err = errno;
	if (setns(slot_fd(SLOT_NETNS), CLONE_NEWNET))
		found("setns: %s", strerror(errno));
	if (fd < 0)
		return -err;
	replace_ctl(op->n % 2 ? SLOT_CTL : SLOT_CTL2, fd);
	return 0;
}

/* glibc would change all threads. */
static long op_become(struct thread *t, const struct op *op)
{
	int id = op->n % 3 ? 999 + op->n % 3 : 0;

	t->became = true;
	if (syscall(SYS_setresuid, -1, 0, -1) ||
	    syscall(SYS_setresgid, -1, id, -1) ||
	    syscall(SYS_setresuid, -1, id, -1))
		found("cannot become %d: %s", id, strerror(errno));
	return 0;
}

static long op_reopen(const struct op *op)
{
	int fd = open(KMQ_DEVICE, op->flags & 3);

	if (fd < 0)
		return -errno;
	replace_ctl(op->n % 2 ? SLOT_CTL : SLOT_CTL2, fd);
	return 0;
}

/* The nth allocation or copy of the next call of this thread fails. */
static long op_fail(struct thread *t, const struct op *op)
{
	char text[16];
	int len = snprintf(text, sizeof(text), "%u\n", 1 + op->n % 64);

	if (t->fail_nth < 0)
		return -ENOENT;
	return CALL(pwrite(t->fail_nth, text, len, 0)) < 0 ? -errno : 0;
}

long op_other(struct thread *t, const struct op *op)
{
	int fd = slot_fd(op->fd), size = 0;

	switch (op_code(op)) {
	case OP_POLL:
		return op_poll(op);
	case OP_EPOLL:
		return op_epoll(op);
	case OP_NEXT:
		return CALL(ioctl(fd, FIONREAD, op->mask & 1 ? NULL : &size));
	case OP_FCNTL:
		return CALL(fcntl(fd, F_SETFL, op->n % 2 ? O_NONBLOCK : 0));
	case OP_DUP:
		return op_dup(op);
	case OP_CLOSE:
		slot_put(op->fd2, -1);
		return 0;
	case OP_MMAP:
		return op_mmap(op);
	case OP_FDINFO:
		return op_fdinfo(op);
	case OP_SPLICE:
		return op_splice(op);
	case OP_SEEK:
		return op_seek(op);
	case OP_NETNS:
		return op_netns(op);
	case OP_BECOME:
		return op_become(t, op);
	case OP_REOPEN:
		return op_reopen(op);
	case OP_FAIL:
		return op_fail(t, op);
	default:
		sched_yield();
		return 0;
	}
}
