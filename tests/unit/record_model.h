/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef UNIT_RECORD_MODEL_H
#define UNIT_RECORD_MODEL_H

#include "fixture.h"

/* What kmq_records_scan() is to find, from nothing but the ABI. */
int model_scan(const u8 *buf, u64 len, u64 max_body, struct kmq_scan *scan);

/*
 * Scans a copy of the buffer that ends where memory ends, so that reading past
 * it is found by ASan; fails when what it finds is not what it is to find.
 */
void compare_with_model(const void *from, u32 len, u32 max_body);

/* The same for kmq_record_check() and one record of which only  are there. */
void compare_check_with_model(const void *from, u32 len, u32 max_body);

#endif
