# SPDX-License-Identifier: Apache-2.0
# Probes for compiler and linker flags. Each flag is tried alone and with -Werror, so that a compiler which
# only warns about a flag that it does not know is not taken for one that has it.

# POSTERN_TRY_CFLAG(VARIABLE, FLAGS, [IF-MISSING]): appends FLAGS to VARIABLE when they compile and link.
AC_DEFUN([POSTERN_TRY_CFLAG], [
	AC_MSG_CHECKING([whether $CC takes $2])
	postern_saved_cflags=$CFLAGS
	CFLAGS="$CFLAGS -Werror $2"
	AC_LINK_IFELSE([AC_LANG_PROGRAM([[#include <stdio.h>]], [[return puts("") < 0]])],
		[AC_MSG_RESULT([yes])
		 $1="$$1 $2"],
		[AC_MSG_RESULT([no])
		 $3])
	CFLAGS=$postern_saved_cflags
])

# POSTERN_TRY_LDFLAG(VARIABLE, FLAGS): the same for the linker.
AC_DEFUN([POSTERN_TRY_LDFLAG], [
	AC_MSG_CHECKING([whether the linker takes $2])
	postern_saved_ldflags=$LDFLAGS
	LDFLAGS="$LDFLAGS -Werror $2"
	AC_LINK_IFELSE([AC_LANG_PROGRAM([[#include <stdio.h>]], [[return puts("") < 0]])],
		[AC_MSG_RESULT([yes])
		 $1="$$1 $2"],
		[AC_MSG_RESULT([no])])
	LDFLAGS=$postern_saved_ldflags
])
