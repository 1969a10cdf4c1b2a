/* Runs of digits in text and their check digits, for detection. */
#include "native.h"

PyMethodDef kuimen_scanner_methods[] = {
    {NULL, NULL, 0, NULL},
};
