// SPDX-License-Identifier: GPL-2.0-only
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "memory.h"

#define PAGE		4096u

struct memory memory[NR_THREADS];

static uint8_t *nothing;

static void *or_die(void *at)
{
	if (at == MAP_FAILED) {
		perror("mmap");
		exit(1);
	}
	return at;
}

/* A page that is not there on both sides. */
static uint8_t *reserve(size_t bytes)
{
	return (uint8_t *)or_die(mmap(NULL, bytes + 2 * PAGE, PROT_NONE,
				      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)) +
		PAGE;
}

static struct piece piece_make(size_t bytes)
{
	struct piece piece = {
		.start = reserve(bytes), .read_only = reserve(bytes),
		.bytes = bytes,
	};
	int fd = memfd_create("fuzz", MFD_CLOEXEC);

	if (fd < 0 || ftruncate(fd, bytes)) {
		perror("memfd_create");
		exit(1);
	}
	or_die(mmap(piece.start, bytes, PROT_READ | PROT_WRITE,
		    MAP_SHARED | MAP_FIXED, fd, 0));
	or_die(mmap(piece.read_only, bytes, PROT_READ, MAP_SHARED | MAP_FIXED,
		    fd, 0));
	close(fd);
	return piece;
}

void memory_init(void)
{
	int i;

	for (i = 0; i < NR_THREADS; i++) {
		memory[i].send = piece_make(BUFFER_BYTES);
		memory[i].recv = piece_make(BUFFER_BYTES);
		memory[i].args = piece_make(ARGS_BYTES);
		memory[i].attrs = piece_make(ARGS_BYTES);
		memory[i].name = piece_make(ARGS_BYTES);
	}
	nothing = reserve(PAGE);
}

static uint64_t address(const uint8_t *at)
{
	return (uintptr_t)at;
}

struct placed memory_place(const struct piece *piece,
			   const struct piece *shared, unsigned int place,
			   size_t len)
{
	size_t half = len / 2;
	struct placed p = { 0 };

	place = place_of(place);
	switch (place) {
	case PLACE_NULL:
		return p;
	case PLACE_NOTHING:
		p.user = address(nothing);
		return p;
	case PLACE_KERNEL:
		p.user = 0xffff888000001000ull;
		return p;
	case PLACE_NOWHERE:
		p.user = 0x8000000000000000ull;
		return p;
	case PLACE_SHARED:
		piece = shared;
		break;
	default:
		break;
	}
	p.here = piece->start;
	p.there = len < piece->bytes ? len : piece->bytes;
	if (place == PLACE_END && len <= piece->bytes) {
		p.here += piece->bytes - len;
	} else if (place == PLACE_HALF && half <= piece->bytes) {
		p.here += piece->bytes - half;
		p.there = half;
	}
	p.user = address(place == PLACE_READ_ONLY ?
			 piece->read_only : p.here);
	return p;
}

uint32_t memory_size(unsigned int choice, uint32_t size)
{
	switch (choice % 16) {
	case 8:
		return size + 8;
	case 9:
		return size + 16;
	case 10:
		return size - 1;
	case 11:
		return size - 8;
	case 12:
		return 0;
	case 13:
		return 4096;
	case 14:
		return 4097;
	case 15:
		return 0xffffffff;
	default:
		return size;
	}
}
