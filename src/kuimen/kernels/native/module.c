/* The extension module: method tables of all sources, and how it was built. */
#include "native.h"

#include "cipher.h"

#if defined(__clang__)
#define COMPILER "clang " __clang_version__
#elif defined(__GNUC__)
#define COMPILER "gcc " __VERSION__
#else
#define COMPILER "unknown compiler"
#endif

static PyMethodDef *const tables[] = {
    kuimen_arrow_methods,
    kuimen_gate_methods,
    kuimen_keys_methods,
    kuimen_masks_methods,
    kuimen_paths_methods,
    kuimen_scanner_methods,
    kuimen_seal_methods,
    kuimen_sm3_methods,
    kuimen_tagger_methods,
};

static int fill(PyObject *module)
{
    kuimen_try_paths();
    for (size_t at = 0; at < sizeof tables / sizeof tables[0]; at++) {
        if (PyModule_AddFunctions(module, tables[at]) < 0)
            return -1;
    }
    if (PyModule_AddIntConstant(module, "INTERFACE", KUIMEN_INTERFACE) < 0)
        return -1;
    return PyModule_AddStringConstant(module, "COMPILER", COMPILER);
}

static PyModuleDef_Slot slots[] = {
    {Py_mod_exec, fill},
    {0, NULL},
};

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT,
    .m_name = "kuimen.kernels.native._native",
    .m_doc = "Kernels in C: sealing, digests, masks, scanning. Use them through the rooms that they belong to.",
    .m_size = 0,
    .m_slots = slots,
};

PyMODINIT_FUNC PyInit__native(void)
{
    return PyModuleDef_Init(&definition);
}
