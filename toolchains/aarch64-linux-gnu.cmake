# 64-bit ARM with the distribution's cross compiler. `./dev cross aarch64` makes the sysroot.
set(LIMPET_TRIPLE aarch64-linux-gnu)
set(LIMPET_QEMU qemu-aarch64)
set(CMAKE_SYSTEM_PROCESSOR aarch64)
set(LIMPET_SYSROOT_NAME sysroot-aarch64)
include(${CMAKE_CURRENT_LIST_DIR}/cmake/cross.cmake)
