/* What the sources of the extension share. Every source that offers functions to Python has one method table,
 * declared here and taken in by module.c. Include this file first. */
#ifndef KUIMEN_NATIVE_H
#define KUIMEN_NATIVE_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

/* Raised whenever a signature changes, so that a stale build is told apart; kuimen.kernels.native compares it. */
#define KUIMEN_INTERFACE 2

extern PyMethodDef kuimen_arrow_methods[];
extern PyMethodDef kuimen_gate_methods[];
extern PyMethodDef kuimen_keys_methods[];
extern PyMethodDef kuimen_masks_methods[];
extern PyMethodDef kuimen_paths_methods[];
extern PyMethodDef kuimen_scanner_methods[];
extern PyMethodDef kuimen_seal_methods[];
extern PyMethodDef kuimen_sm3_methods[];
extern PyMethodDef kuimen_tagger_methods[];

#endif
