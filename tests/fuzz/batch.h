/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef FUZZ_BATCH_H
#define FUZZ_BATCH_H

#include "op.h"

/* Bodies whose bytes are known carry this in the high half of the cookie. */
#define COOKIE_MARK	0x6b6d7121u

/*
 * Packed records as @op wants them, into @max bytes at @buf. Returns the bytes
 * the caller is to name, which may be more or fewer than there are.
 */
size_t batch_build(const struct op *op, uint32_t skew, uint8_t *buf,
		   size_t max);

/*
 * What is wrong with records that were received, NULL: nothing. @bodies: their
 * bytes are known. @bare: one header and body without padding.
 */
const char *batch_check(const uint8_t *buf, size_t len, uint32_t count,
			bool bodies, bool bare);

#endif
