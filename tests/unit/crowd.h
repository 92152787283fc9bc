/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef UNIT_CROWD_H
#define UNIT_CROWD_H

#include "fixture.h"

/* Many calls that wait: senders through handle a, receivers through handle b. */

#define MANY	700

extern struct kmq_send sends[MANY];
extern struct kmq_take takes[MANY];

void wait_to_send(u32 n);
void wait_to_receive(u32 n, u32 min);
void expect_senders_done(u32 n, int result);
void expect_receivers_done(u32 n, int result);

#endif
