/* SPDX-License-Identifier: GPL-2.0-only */
/* What the tests of libkmq share. */
#ifndef TESTS_LIB_COMMON_H
#define TESTS_LIB_COMMON_H

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <kmq.h>

#define BOTH	(KMQ_OPEN_SEND | KMQ_OPEN_RECV)
#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

/* Messages compare as numbers: cmocka casts to an unsigned type. */
#define assert_ret(call, want) \
	assert_int_equal((long long)(call), (long long)(want))

static inline struct kmq_msg text_msg(const char *text)
{
	return (struct kmq_msg){ .body = text, .len = strlen(text) };
}

static inline void assert_body(const struct kmq_msg *msg, const char *text)
{
	assert_int_equal(msg->len, strlen(text));
	assert_memory_equal(msg->body, text, msg->len);
}

/* ---- with the module (guest.c) ---------------------------------------- */

/*
 * For main(): a network namespace of our own, so that the domain is empty and
 * emptying it harms nobody. Ends the program when there is none to be had.
 */
void enter_domain(void);
/* Setup and teardown of a test: a name of its own, nothing left behind. */
int guest_setup(void **state);
int guest_teardown(void **state);
#define guest_test(f) \
	cmocka_unit_test_setup_teardown(f, guest_setup, guest_teardown)

/* The queue of this test, and a handle to it, created on the first call. */
extern char queue[64];
int handle(unsigned int flags);
/* The queue made beforehand with bounds of its own; 0: the default. */
void make_queue(uint64_t max_messages, uint64_t max_bytes,
		uint32_t max_message_size);
/* Messages that can be received now. */
uint64_t depth(void);
uint64_t now_ms(void);

/* Run @fn in a child process as @uid without capabilities: what it returns. */
int as_user(unsigned int uid, int (*fn)(void *arg), void *arg);
/* Call @fn(arg) in @ms from another thread. */
void later(int ms, void (*fn)(void *arg), void *arg);
void later_done(void);

#endif
