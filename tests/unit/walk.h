/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef UNIT_WALK_H
#define UNIT_WALK_H

#include "model.h"

/*
 * Operations on a queue, one after the other, each compared with a plain model;
 * which ones they are, dice decide. walk_start(), then at most WALK_STEPS times
 * walk_step(), then walk_end().
 */

#define WALK_STEPS	250

/* A number below @limit. */
extern u32 (*walk_dice)(u32 limit);

void walk_start(void);
void walk_step(void);
void walk_end(void);

#endif
