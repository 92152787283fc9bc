// SPDX-License-Identifier: GPL-2.0-only
/* The requests of /dev/kmq. They are made raw: this tests the module. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "stress.h"

static int ctl_fd = -1;
static pid_t ctl_pid;

int ctl_try(void)
{
	if (ctl_fd < 0 || ctl_pid != getpid()) {
		ctl_fd = open(KMQ_DEVICE, O_RDWR | O_CLOEXEC);
		ctl_pid = getpid();
	}
	return ctl_fd < 0 ? -errno : ctl_fd;
}

int ctl(void)
{
	int fd = ctl_try();

	if (fd < 0)
		bail(KMQ_DEVICE ": %s", strerror(-fd));
	return fd;
}

void ctl_forget(void)
{
	if (ctl_fd >= 0 && ctl_pid == getpid())
		close(ctl_fd);
	ctl_fd = -1;
}

static int request(int fd, unsigned long nr, void *args)
{
	int ret = ioctl(fd, nr, args);

	return ret < 0 ? -errno : ret;
}

int kmq_open_at(int ctlfd, const char *name, unsigned int flags,
		const struct kmq_attrs *attrs, uint64_t *id)
{
	struct kmq_open_args args = {
		.size = sizeof(args),
		.flags = flags,
		.name = (uintptr_t)name,
		.name_len = strlen(name),
		.attrs = (uintptr_t)attrs,
	};
	int fd = request(ctlfd, KMQ_IOC_OPEN, &args);

	if (fd >= 0 && id)
		*id = args.id;
	return fd;
}

int kmq_open_name(const char *name, unsigned int flags)
{
	return kmq_open_at(ctl(), name, flags, NULL, NULL);
}

int kmq_alter(const char *name, const struct kmq_attrs *attrs)
{
	struct kmq_alter_args args = {
		.size = sizeof(args),
		.name = (uintptr_t)name,
		.name_len = strlen(name),
		.attrs = (uintptr_t)attrs,
	};

	return request(ctl(), KMQ_IOC_ALTER, &args);
}

int kmq_delete_at(int ctlfd, const char *name, unsigned int flags)
{
	struct kmq_delete_args args = {
		.size = sizeof(args),
		.flags = flags,
		.name = (uintptr_t)name,
		.name_len = strlen(name),
	};

	return request(ctlfd, KMQ_IOC_DELETE, &args);
}

int kmq_delete(const char *name, unsigned int flags)
{
	return kmq_delete_at(ctl(), name, flags);
}

int kmq_stat_fd(int fd, struct kmq_stat_args *st)
{
	memset(st, 0, sizeof(*st));
	st->size = sizeof(*st);
	return request(fd, KMQ_IOC_STAT, st);
}

int kmq_stat_name(const char *name, struct kmq_stat_args *st)
{
	memset(st, 0, sizeof(*st));
	st->size = sizeof(*st);
	st->name = (uintptr_t)name;
	st->name_len = strlen(name);
	return request(ctl(), KMQ_IOC_STAT, st);
}

int kmq_admin(int fd, unsigned int op, const char *name, uint64_t arg,
	      uint64_t *result)
{
	struct kmq_admin_args args = {
		.size = sizeof(args),
		.op = op,
		.name = (uintptr_t)name,
		.name_len = name ? strlen(name) : 0,
		.arg = arg,
	};
	int ret = request(fd, KMQ_IOC_ADMIN, &args);

	if (result)
		*result = args.result;
	return ret;
}

int kmq_reset(void)
{
	struct kmq_admin_args args = {
		.size = sizeof(args),
		.op = KMQ_ADMIN_RESET,
		.flags = KMQ_RESET_ALL_DOMAINS,
	};

	return request(ctl(), KMQ_IOC_ADMIN, &args);
}

int kmq_limits(int scope, unsigned int uid, struct kmq_limits_args *args)
{
	memset(args, 0, sizeof(*args));
	args->size = sizeof(*args);
	args->scope = scope;
	args->uid = uid;
	return request(ctl(), KMQ_IOC_LIMITS, args);
}

int kmq_limit_set(int scope, unsigned int uid, int resource, uint64_t limit)
{
	struct kmq_limits_args args = {
		.size = sizeof(args),
		.flags = KMQ_LIMITS_SET,
		.scope = scope,
		.uid = uid,
		.set_mask = 1u << resource,
	};

	args.r[resource].limit = limit;
	return request(ctl(), KMQ_IOC_LIMITS, &args);
}

int kmq_xfer(int fd, struct kmq_xfer_args *args)
{
	args->size = sizeof(*args);
	return request(fd, KMQ_IOC_XFER, args);
}

/* Room for one descriptor, aligned as a control message has to be. */
union fd_control {
	struct cmsghdr align;
	char space[CMSG_SPACE(sizeof(int))];
};

int pass_fd(int sock, int fd)
{
	union fd_control control = {};
	char byte = 0;
	struct iovec iov = { &byte, 1 };
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = &control, .msg_controllen = sizeof(control),
	};
	struct cmsghdr *c = CMSG_FIRSTHDR(&msg);

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(c), &fd, sizeof(fd));
	return sendmsg(sock, &msg, 0) < 0 ? -errno : 0;
}

int get_fd(int sock)
{
	union fd_control control = {};
	char byte;
	struct iovec iov = { &byte, 1 };
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = &control, .msg_controllen = sizeof(control),
	};
	struct cmsghdr *c;
	int fd;

	if (recvmsg(sock, &msg, MSG_CMSG_CLOEXEC) < 0)
		return -errno;
	c = CMSG_FIRSTHDR(&msg);
	if (!c || c->cmsg_type != SCM_RIGHTS)
		return -ENOMSG;
	memcpy(&fd, CMSG_DATA(c), sizeof(fd));
	return fd;
}

bool nothing_left(void)
{
	struct kmq_limits_args args;
	unsigned int tries;
	int err;

	/* what was closed last may take a moment; a domain ends in a work */
	for (tries = 0; tries < patience(500); tries++) {
		err = kmq_limits(KMQ_SCOPE_MODULE, 0, &args);
		if (err)
			bail("LIMITS: %s", strerror(-err));
		if (!args.r[KMQ_R_OBJECTS].used &&
		    !args.r[KMQ_R_HANDLES].used && !args.r[KMQ_R_BYTES].used)
			return true;
		nap_us(10000);
	}
	note("left in the module: %" PRIu64 " objects, %" PRIu64 " handles, %" PRIu64 " bytes",
	     (uint64_t)args.r[KMQ_R_OBJECTS].used,
	     (uint64_t)args.r[KMQ_R_HANDLES].used,
	     (uint64_t)args.r[KMQ_R_BYTES].used);
	return false;
}

void check_nothing_left(void)
{
	int ret = kmq_reset();

	if (ret < 0)
		note("RESET: %s", strerror(-ret));
	result(ret >= 0 && nothing_left(), "nothing_is_left");
	ctl_forget();
}
