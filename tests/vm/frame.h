/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Frames between the host's terminal program and the guest's init, over a
 * virtio-serial port. Header: type (1 byte), 0, length of the payload (2 bytes,
 * little endian), then the payload.
 */
#ifndef KMQ_VM_FRAME_H
#define KMQ_VM_FRAME_H

#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#define FRAME_MAX	65535
#define FRAME_CHUNK	16384

enum frame_type {
	/* host to guest */
	FRAME_EXEC = 'E',	/* struct frame_exec, then strings */
	FRAME_STDIN = 'I',	/* bytes; none = end of file */
	FRAME_SIZE = 'W',	/* struct frame_size */
	/* guest to host */
	FRAME_STDOUT = 'o',
	FRAME_STDERR = 'e',
	FRAME_EXIT = 'x',	/* one byte: exit status, 128 + signal */
	FRAME_REPORT = 'r',	/* a line of text about the guest itself */
};

struct frame_size {
	uint16_t rows;
	uint16_t cols;
};

/*
 * Followed by NUL-terminated strings: working directory, environment entries,
 * an empty string, arguments.
 */
struct frame_exec {
	struct frame_size size;
	uint8_t tty;
	uint8_t pad[3];
};

struct frame {
	uint8_t type;
	uint16_t len;
	char data[FRAME_MAX + 1];
};

/* Both ends see EAGAIN: sockets and ports may be non-blocking. */
static inline int frame_wait(int fd, short events)
{
	struct pollfd p = { .fd = fd, .events = events };

	while (poll(&p, 1, -1) < 0)
		if (errno != EINTR)
			return -1;
	return 0;
}

static inline int frame_write_all(int fd, const void *buf, size_t len)
{
	const char *p = buf;

	while (len) {
		ssize_t n = write(fd, p, len);

		if (n > 0) {
			p += n;
			len -= n;
		} else if (n < 0 && errno == EAGAIN) {
			if (frame_wait(fd, POLLOUT))
				return -1;
		} else if (n < 0 && errno != EINTR) {
			return -1;
		}
	}
	return 0;
}

static inline int frame_read_all(int fd, void *buf, size_t len)
{
	char *p = buf;

	while (len) {
		ssize_t n = read(fd, p, len);

		if (n > 0) {
			p += n;
			len -= n;
		} else if (n == 0) {
			return -1;
		} else if (errno == EAGAIN) {
			if (frame_wait(fd, POLLIN))
				return -1;
		} else if (errno != EINTR) {
			return -1;
		}
	}
	return 0;
}

/* One write a frame, so that two writers of a port cannot mix their bytes. */
static inline int frame_send(int fd, uint8_t type, const void *buf,
			     size_t len)
{
	static char out[4 + FRAME_MAX];

	if (len > FRAME_MAX) {
		errno = E2BIG;
		return -1;
	}
	out[0] = type;
	out[1] = 0;
	out[2] = len & 0xff;
	out[3] = len >> 8;
	if (len)
		memcpy(out + 4, buf, len);
	return frame_write_all(fd, out, 4 + len);
}

static inline int frame_recv(int fd, struct frame *f)
{
	unsigned char head[4];

	if (frame_read_all(fd, head, sizeof(head)))
		return -1;
	f->type = head[0];
	f->len = head[2] | head[3] << 8;
	if (frame_read_all(fd, f->data, f->len))
		return -1;
	f->data[f->len] = '\0';
	return 0;
}

#endif
