/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef TESTS_LIN_SIMULATE_H
#define TESTS_LIN_SIMULATE_H

#include "model.h"
#include "round.h"

/* Makes the calls of a plan on the model itself. */
void lin_simulate(struct lin_plan *p);

/* Ways to make a history wrong beyond doubt; false: this one offers no place
 * for it.
 */
struct lin_spoil {
	const char *name;
	bool (*spoil)(struct lin_history *h, uint64_t *r);
};

extern const struct lin_spoil lin_spoils[];
extern const unsigned int lin_nspoils;

#endif
