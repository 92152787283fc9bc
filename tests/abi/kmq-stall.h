/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Memory whose first access stalls, by userfaultfd or by FUSE, until the test
 * lets it go on or fail. FUSE is spoken directly: one file of one page, mounted
 * on a file. Its server is a process of its own, so that whoever stalls gets
 * away when the test is killed.
 */
#ifndef KMQ_STALL_H
#define KMQ_STALL_H

#include <linux/fuse.h>
#include <linux/userfaultfd.h>
#include <sys/mount.h>
#include <sys/socket.h>

#include "kmq-test.h"

#define PAGE		4096ul
#define BEFORE		(8 * PAGE)	/* bytes in front that do not stall */

enum stall_kind { BY_USERFAULTFD, BY_FUSE };

struct stall {
	enum stall_kind kind;
	char *page;	/* this one; BEFORE bytes in front of it are ordinary */
	int fd;		/* userfaultfd, or a socket to the server */
};

/* What the server of FUSE is told, and tells. */
enum fuse_word { FUSE_STALLED, FUSE_GO_ON, FUSE_FAIL };

struct fuse_server {
	int dev;		/* /dev/fuse */
	int sock;
	bool failed;
	__u64 unique;		/* of the READ that is not answered */
	char page[PAGE];
};

static inline void fuse_answer(struct fuse_server *f, __u64 unique, int error,
			       const void *data, size_t len)
{
	char buf[sizeof(struct fuse_out_header) + PAGE];
	struct fuse_out_header out = {
		.len = sizeof(out) + len, .error = error, .unique = unique,
	};

	memcpy(buf, &out, sizeof(out));
	if (len)
		memcpy(buf + sizeof(out), data, len);
	/* ENOENT: whoever asked is gone */
	if (write(f->dev, buf, out.len) < 0 && errno != ENOENT)
		_exit(1);
}

static inline void fuse_request(struct fuse_server *f, const char *buf)
{
	const struct fuse_in_header *in = (const void *)buf;
	const struct fuse_init_in *init = (const void *)(in + 1);
	struct fuse_init_out started = {
		.major = FUSE_KERNEL_VERSION, .max_write = PAGE,
	};
	struct fuse_attr_out attr = {
		.attr_valid = 3600, .attr = {
			.ino = 1, .size = PAGE, .nlink = 1,
			.mode = S_IFREG | 0600,
		},
	};
	struct fuse_open_out opened = { .fh = 1 };
	char word = FUSE_STALLED;

	switch (in->opcode) {
	case FUSE_INIT:
		started.minor = init->minor < FUSE_KERNEL_MINOR_VERSION ?
			init->minor : FUSE_KERNEL_MINOR_VERSION;
		fuse_answer(f, in->unique, 0, &started, sizeof(started));
		break;
	case FUSE_GETATTR:
		fuse_answer(f, in->unique, 0, &attr, sizeof(attr));
		break;
	case FUSE_OPEN:
		fuse_answer(f, in->unique, 0, &opened, sizeof(opened));
		break;
	case FUSE_READ:
		if (f->failed) {
			fuse_answer(f, in->unique, -EIO, NULL, 0);
			break;
		}
		f->unique = in->unique;
		if (send(f->sock, &word, 1, 0) != 1)
			_exit(1);
		break;
	case FUSE_FORGET:
	case FUSE_BATCH_FORGET:
	case FUSE_INTERRUPT:
		break;
	case FUSE_FLUSH:
	case FUSE_RELEASE:
		fuse_answer(f, in->unique, 0, NULL, 0);
		break;
	default:
		fuse_answer(f, in->unique, -EOPNOTSUPP, NULL, 0);
	}
}

static inline void fuse_command(struct fuse_server *f)
{
	struct iovec iov[2] = {};
	char word;

	iov[0] = (struct iovec){ &word, 1 };
	iov[1] = (struct iovec){ f->page, PAGE };
	if (readv(f->sock, iov, 2) < 1)
		_exit(0);
	f->failed = word == FUSE_FAIL;
	if (f->failed)
		fuse_answer(f, f->unique, -EIO, NULL, 0);
	else
		fuse_answer(f, f->unique, 0, f->page, PAGE);
}

/* Keeps no descriptor of the test's open. */
static inline void fuse_serve(int dev, int sock)
{
	static char buf[64 << 10] __attribute__((aligned(8)));
	static struct fuse_server f = { .dev = 3, .sock = 4 };
	struct pollfd p[2];
	ssize_t n;
	int fd;

	dev = fcntl(dev, F_DUPFD, 900);
	sock = fcntl(sock, F_DUPFD, 900);
	dup2(dev, f.dev);
	dup2(sock, f.sock);
	for (fd = 5; fd < 1024; fd++)
		close(fd);
	for (;;) {
		p[0] = (struct pollfd){ .fd = f.dev, .events = POLLIN };
		p[1] = (struct pollfd){ .fd = f.sock, .events = POLLIN };
		poll(p, 2, -1);
		if (p[1].revents)
			fuse_command(&f);
		if (!p[0].revents)
			continue;
		n = read(f.dev, buf, sizeof(buf));
		if (n > 0)
			fuse_request(&f, buf);
		else if (errno != EINTR && errno != ENOENT && errno != EAGAIN)
			_exit(0);
	}
}

/* Mounts of this process are its own, and end with it. */
static inline bool fuse_start(struct stall *s, char *area)
{
	static int count;
	char path[64], options[128];
	int dev, fd, sock[2];
	struct stat st;

	dev = open("/dev/fuse", O_RDWR | O_CLOEXEC);
	if (dev < 0)
		return false;
	if (!count && (unshare(CLONE_NEWNS) ||
		       mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL)))
		return false;
	snprintf(path, sizeof(path), "/tmp/kmq-fuse.%d.%d", getpid(), count++);
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0)
		return false;
	close(fd);
	snprintf(options, sizeof(options),
		 "fd=%d,rootmode=100600,user_id=0,group_id=0", dev);
	if (mount("kmq", path, "fuse", MS_NOSUID | MS_NODEV, options) ||
	    socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sock))
		return false;
	if (!fork_child())
		fuse_serve(dev, sock[1]);
	close(dev);
	close(sock[1]);
	s->fd = sock[0];
	fd = open(path, O_RDWR | O_CLOEXEC);
	/* fstat() asks for the size, which a page fault does not */
	if (fd < 0 || fstat(fd, &st) ||
	    mmap(area, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_FIXED,
		 fd, 0) == MAP_FAILED)
		abort();
	close(fd);
	umount2(path, MNT_DETACH);
	unlink(path);
	return true;
}

static inline bool uffd_start(struct stall *s, char *area)
{
	struct uffdio_api api = { .api = UFFD_API };
	struct uffdio_register reg = {
		.range = { .start = ptr(area), .len = PAGE },
		.mode = UFFDIO_REGISTER_MODE_MISSING,
	};

	s->fd = syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK);
	if (s->fd < 0)
		return false;
	if (ioctl(s->fd, UFFDIO_API, &api) ||
	    ioctl(s->fd, UFFDIO_REGISTER, &reg))
		abort();
	return true;
}

/* Whether there is such a thing here; else errno says why not. */
static inline bool stall_make(struct stall *s, enum stall_kind kind)
{
	char *p = mmap(NULL, BEFORE + PAGE, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	*s = (struct stall){ .kind = kind, .page = p + BEFORE };
	memset(p, 0, BEFORE);
	return kind == BY_FUSE ? fuse_start(s, s->page) :
		uffd_start(s, s->page);
}

/* Waits until somebody stalls. */
static inline bool stalled(struct stall *s)
{
	struct uffd_msg msg;
	char word;

	if (s->kind == BY_FUSE)
		return WAIT_FOR(recv(s->fd, &word, 1, MSG_DONTWAIT) == 1);
	return WAIT_FOR(read(s->fd, &msg, sizeof(msg)) == sizeof(msg)) &&
		msg.event == UFFD_EVENT_PAGEFAULT;
}

static inline bool fuse_tell(struct stall *s, char word, void *page)
{
	struct iovec iov[2] = { { &word, 1 }, { page, page ? PAGE : 0 } };

	return writev(s->fd, iov, 2) > 0;
}

/* Whoever stalls goes on and finds this there. */
static inline bool stall_end(struct stall *s, const void *data, size_t len)
{
	char *full = aligned_alloc(PAGE, PAGE);
	struct uffdio_copy copy = {
		.dst = ptr(s->page), .src = ptr(full), .len = PAGE,
	};

	memset(full, 0, PAGE);
	if (len)
		memcpy(full, data, len);
	if (s->kind == BY_FUSE)
		return fuse_tell(s, FUSE_GO_ON, full);
	return !ioctl(s->fd, UFFDIO_COPY, &copy);
}

/* Whoever stalls meets a bad address. */
static inline bool stall_fail(struct stall *s)
{
	if (s->kind == BY_FUSE)
		return fuse_tell(s, FUSE_FAIL, NULL);
	return !munmap(s->page, PAGE) && !close(s->fd);
}

#endif
