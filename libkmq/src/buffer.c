// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Buffers of packed records. What is added stands at the tail, what is sent or
 * got leaves at the head. The records live in an anonymous mapping, so that
 * growing is a system call and allowed in a signal handler.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "internal.h"

#define DEFAULT_SIZE	(64u << 10)
#define MAP_STEP	4096u

void *kmq__map(size_t size)
{
	int saved = errno;
	void *data = mmap(NULL, size, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);

	errno = saved;
	return data == MAP_FAILED ? NULL : data;
}

void kmq__unmap(void *data, size_t size)
{
	int saved = errno;

	munmap(data, size);
	errno = saved;
}

static size_t map_size(size_t size)
{
	return (size + MAP_STEP - 1) & ~(size_t)(MAP_STEP - 1);
}

struct kmq_buf *kmq_buf_new(size_t size)
{
	int saved = errno;
	struct kmq_buf *buf;

	if (!size)
		size = DEFAULT_SIZE;
	if (size < KMQ__RECORD_HEAD)
		size = KMQ__RECORD_HEAD;
	if (size > SIZE_MAX / 2)
		return NULL;
	buf = calloc(1, sizeof(*buf));
	errno = saved;
	if (!buf)
		return NULL;
	buf->size = KMQ__ALIGN(size);
	buf->map_size = map_size(buf->size);
	buf->linger_ms = -1;
	buf->data = kmq__map(buf->map_size);
	if (!buf->data) {
		free(buf);
		return NULL;
	}
	return buf;
}

void kmq_buf_free(struct kmq_buf *buf)
{
	if (!buf)
		return;
	kmq__unmap(buf->data, buf->map_size);
	free(buf);
}

int kmq__buf_grow(struct kmq_buf *buf, size_t need)
{
	size_t size = map_size(need);
	int saved = errno;
	void *data;

	if (need <= buf->size)
		return 0;
	if (size > buf->map_size) {
		data = mremap(buf->data, buf->map_size, size, MREMAP_MAYMOVE);
		errno = saved;
		if (data == MAP_FAILED)
			return -ENOMEM;
		buf->data = data;
		buf->map_size = size;
	}
	buf->size = size;
	return 0;
}

void kmq_buf_reset(struct kmq_buf *buf)
{
	buf->head = 0;
	buf->tail = 0;
	buf->count = 0;
}

void kmq__buf_drop(struct kmq_buf *buf, size_t count, size_t bytes)
{
	buf->head += bytes;
	buf->count -= count;
	if (buf->head == buf->tail)
		kmq_buf_reset(buf);
}

size_t kmq_buf_count(const struct kmq_buf *buf)
{
	return buf->count;
}

size_t kmq_buf_bytes(const struct kmq_buf *buf)
{
	return buf->tail - buf->head;
}

size_t kmq__buf_prefix(const struct kmq_buf *buf, size_t max)
{
	size_t pos = buf->head;
	uint32_t size;

	if (buf->tail - buf->head <= max)
		return buf->tail - buf->head;
	/* The first word of a record is its size. */
	for (; pos < buf->tail; pos += size) {
		memcpy(&size, buf->data + pos, sizeof(size));
		if (!size || pos + size - buf->head > max)
			break;
	}
	return pos - buf->head;
}

int kmq_buf_add(struct kmq_buf *buf, const struct kmq_msg *msg)
{
	struct kmq_record head;
	size_t used = buf->tail - buf->head;
	int ret;

	ret = kmq__record_head(msg, &head);
	if (ret < 0)
		return ret;
	if (head.size > buf->size - buf->tail) {
		if (head.size > buf->size - used && used)
			return -ENOBUFS;
		ret = kmq__buf_grow(buf, head.size);
		if (ret < 0)
			return ret;
		memmove(buf->data, buf->data + buf->head, used);
		buf->head = 0;
		buf->tail = used;
	}
	kmq__record_write(buf->data + buf->tail, &head, msg);
	buf->tail += head.size;
	buf->count++;
	return 0;
}

int kmq_buf_get(struct kmq_buf *buf, struct kmq_msg *msg)
{
	ssize_t size;

	if (buf->head == buf->tail)
		return 0;
	size = kmq__record_read(buf->data + buf->head, buf->tail - buf->head,
				msg);
	if (size < 0) {
		/* Where the next one starts cannot be known. */
		kmq_buf_reset(buf);
		return (int)size;
	}
	kmq__buf_drop(buf, 1, (size_t)size);
	return 1;
}
