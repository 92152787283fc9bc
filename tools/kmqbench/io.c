// SPDX-License-Identifier: GPL-2.0-only
/* kmqbench: whole messages over byte streams */
#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "bench.h"

int write_whole(int fd, const void *buf, size_t len)
{
	const char *p = buf;

	while (len) {
		ssize_t n = write(fd, p, len);

		if (n <= 0)
			return run_failed("write: %s", strerror(errno));
		p += n;
		len -= n;
	}
	return 0;
}

/* What one read gives, and the rest of the last unit if it was cut */
ssize_t read_whole_units(int fd, void *buf, size_t len, size_t unit)
{
	size_t got = 0;

	do {
		ssize_t n = read(fd, (char *)buf + got,
				 got ? unit - got % unit : len);

		if (n < 0)
			return run_failed("read: %s", strerror(errno));
		if (!n)
			return run_failed("read: end of file");
		got += n;
	} while (got % unit);
	return got;
}

int64_t bytes_left(int fd)
{
	int n;

	if (ioctl(fd, FIONREAD, &n) < 0)
		return run_failed("FIONREAD: %s", strerror(errno));
	return n;
}
