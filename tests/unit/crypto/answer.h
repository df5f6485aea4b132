/* SPDX-License-Identifier: Apache-2.0 */
/* The crypto library's answers are ours, in a program that is linked with --wrap for each function
 * that answers 1 for yes. */
#ifndef TESTS_UNIT_CRYPTO_ANSWER_H
#define TESTS_UNIT_CRYPTO_ANSWER_H

#include <stddef.h>

enum { ANSWER_NOT_OURS = 99 };

/* What is answered next; ANSWER_NOT_OURS: what the library says. Each test runs in a process of its
 * own, and puts it back all the same. */
extern int answer;
/* By which function; NULL: by each that ends a way to protect or to prove. */
extern const char *answer_of;
extern size_t n_answered;

/* The names of all functions; NULL behind the last. */
extern const char *const answer_names[];

#endif
