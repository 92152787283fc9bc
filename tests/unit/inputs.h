/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef UNIT_INPUTS_H
#define UNIT_INPUTS_H

#include <stddef.h>
#include <stdint.h>

/*
 * What any bytes at all say: a buffer of records, or the dice of a walk. Fails
 * the cmocka test, or ends the program where there is none.
 */

#define INPUT_MAX	20000

void input_record(const uint8_t *data, size_t len);
void input_queue(const uint8_t *data, size_t len);

#endif
