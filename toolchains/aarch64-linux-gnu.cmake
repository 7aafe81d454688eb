# 64-bit ARM with the distribution's cross compiler. `./dev cross aarch64` makes the sysroot.
set(LIMPET_TRIPLE aarch64-linux-gnu)
set(LIMPET_QEMU qemu-aarch64)
set(CMAKE_SYSTEM_PROCESSOR aarch64)
set(LIMPET_SYSROOT_NAME sysroot-aarch64)
# Kernels of gateways have pages of 4 or 16 KiB. The linker's default of 64 KiB pads every plugin by
# about 60 KB for kernels that boards do not run.
set(CMAKE_EXE_LINKER_FLAGS_INIT -Wl,-z,max-page-size=16384)
set(CMAKE_SHARED_LINKER_FLAGS_INIT -Wl,-z,max-page-size=16384)
set(CMAKE_MODULE_LINKER_FLAGS_INIT -Wl,-z,max-page-size=16384)
include(${CMAKE_CURRENT_LIST_DIR}/cmake/cross.cmake)
