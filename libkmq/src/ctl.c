// SPDX-License-Identifier: LGPL-2.1-or-later
/* The control fd, and how every request travels. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "internal.h"

int kmq__ioctl(int fd, unsigned long request, void *args)
{
	int saved = errno;
	int ret = ioctl(fd, request, args);

	if (ret < 0) {
		ret = -errno;
		errno = saved;
	}
	return ret;
}

void kmq__close(int fd)
{
	int saved = errno;

	close(fd);
	errno = saved;
}

uint64_t kmq__now(void)
{
	struct timespec ts;

	/* Cannot fail: the clock exists and the address is good. */
	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

int kmq__deadline(int ms, __u64 *deadline)
{
	/* A wait that computed to -5 is a bug, not a wait for ever. */
	if (ms < -1)
		return -EINVAL;
	if (ms == -1)
		*deadline = KMQ_FOREVER;
	else if (ms == 0)
		*deadline = 0;
	else
		*deadline = kmq__now() + (uint64_t)ms * 1000000;
	return 0;
}

int kmq__name(const char *name, __u64 *address, __u32 *len)
{
	if (!name)
		return -EINVAL;
	*address = kmq__address(name);
	/* One more than allowed is enough for the kernel to refuse it. */
	*len = (__u32)strnlen(name, KMQ_NAME_MAX + 1);
	return 0;
}

static int open_device(void)
{
	int saved = errno;
	int fd = open(KMQ_DEVICE, O_RDWR | O_CLOEXEC);

	if (fd < 0) {
		fd = -errno;
		errno = saved;
	}
	return fd;
}

int kmq__ctl_call(int ctl, unsigned long request, void *args)
{
	int fd, ret;

	if (ctl >= 0)
		return kmq__ioctl(ctl, request, args);
	if (ctl != -1)
		return -EBADF;
	fd = open_device();
	if (fd < 0)
		return fd;
	ret = kmq__ioctl(fd, request, args);
	kmq__close(fd);
	return ret;
}

int kmq_ctl_open(int netns_fd)
{
	int fd, ret;

	if (netns_fd < -1)
		return -EBADF;
	fd = open_device();
	if (fd < 0 || netns_fd == -1)
		return fd;

	struct kmq_admin_args args = {
		.size = sizeof(args),
		.op = KMQ_ADMIN_JOIN,
		.arg = (uint64_t)netns_fd,
	};

	ret = kmq__ioctl(fd, KMQ_IOC_ADMIN, &args);
	if (ret < 0) {
		kmq__close(fd);
		return ret;
	}
	return fd;
}

int kmq_info(int ctl, struct kmq_info_args *info)
{
	struct kmq_info_args args = { .size = sizeof(args) };
	int ret;

	if (!info)
		return -EINVAL;
	ret = kmq__ctl_call(ctl, KMQ_IOC_INFO, &args);
	if (ret < 0)
		return ret;
	*info = args;
	return 0;
}
